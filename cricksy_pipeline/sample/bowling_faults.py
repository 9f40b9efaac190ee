"""Bowling faults: how each changes the posture of the bowling action.

Belongs here: changes of the posture in time, before and after its angles become turns, and of the times of the keys.
Does not belong here: what faults there are (`faults`), the clean action (`bowling`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.sample import bowling
from cricksy_pipeline.sample.batting_faults import lean
from cricksy_pipeline.sample.envelopes import envelope, stretched
from cricksy_pipeline.sample.faults import Faults
from cricksy_pipeline.sample.physique import Physique

DELIVERY = (1.72, 1.90, 2.10, 2.50)
_AT_RELEASE = (1.80, 1.99, 2.06, 2.50)
_HEAD_LEVER_M = 0.33  # the head's way for a sine of the chest's bend, of the adult
_SPREAD = 1.55  # the bend is spread over the spine: the line from hips to shoulders turns by 1 / 1.55 of it


def key_times(name: str, faults: Faults, times: list[float]) -> list[float]:
    """When the keys of one part of the posture come: a late release is a late arm."""
    later = faults.late_release
    if not later or name != "right_arm":
        return times
    return stretched(
        times, [0, 1.52, bowling.EVENTS_S["release"], 2.5, 3.2], [0, 1.52, bowling.EVENTS_S["release"] + later, 2.5 + later, 3.2]
    )


def events(at: dict[str, float], faults: Faults) -> None:
    """Move the events, seconds within the period, in place."""
    at["release"] += faults.late_release
    at["follow_through"] += faults.late_release


def before_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that are angles and places; t (n,) seconds within the table's period."""
    if faults.stride_longer:
        # The mark moves back for a longer stride, so that the front foot lands where it did: on the crease.
        longer = faults.stride_longer * person.stature_m
        posture["pelvis"][:, 0] -= longer * (1 - _carried(t))
        posture["left_foot"][:, 0] -= longer * (1 - _landed(t))
        posture["right_foot"][:, 0] -= longer * (1 - _passed(t))
    if faults.arm_slot:
        posture["right_arm"][:, 1] += faults.arm_slot * envelope(bowling, t, *_AT_RELEASE)


def _landed(t: np.ndarray) -> np.ndarray:
    """(n,) 0 until the back foot is down, 1 from front-foot contact on."""
    s = np.clip((t - 1.72) / (1.90 - 1.72), 0, 1)
    return s * s * (3 - 2 * s)


def _carried(t: np.ndarray) -> np.ndarray:
    """(n,) 0 until the bound, 1 when the hips are over the front foot. Over the flight alone they would have to move faster than anybody
    runs: 7 body heights a second at a stride a third of a height too long."""
    s = np.clip((t - 1.60) / (2.02 - 1.60), 0, 1)
    return s * s * (3 - 2 * s)


def _passed(t: np.ndarray) -> np.ndarray:
    """(n,) 0 while the back foot stands, 1 when it has swung past."""
    s = np.clip((t - 1.90) / (2.25 - 1.90), 0, 1)
    return s * s * (3 - 2 * s)


def after_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that tip the trunk. A right-armer leans away from his arm towards -z."""
    weight = envelope(bowling, t, *DELIVERY)
    if faults.side_lean:
        lean(posture, _SPREAD * faults.side_lean * weight, axis=(-1.0, 0, 0))
    if faults.forward_lean:
        lean(posture, _SPREAD * faults.forward_lean * envelope(bowling, t, *_AT_RELEASE), axis=(0, 0, -1.0))
    if faults.head_away:
        shift = faults.head_away / 100 * person.stature_m / (_HEAD_LEVER_M * person.size)
        lean(posture, np.degrees(np.arcsin(np.clip(shift, -0.8, 0.8))) * weight, axis=(-1.0, 0, 0))


def knee_deg(faults: Faults, t: np.ndarray) -> np.ndarray | None:
    """(n,) degrees by which the front knee bends more; negative: straighter."""
    bend = faults.knee_collapse - faults.knee_stiff
    return bend * envelope(bowling, t, *DELIVERY) if bend else None
