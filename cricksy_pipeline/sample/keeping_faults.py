"""Wicketkeeping faults: how each changes the posture of the keeper.

Belongs here: changes of the posture in time, before and after its angles become turns, and of the times of keys and events.
Does not belong here: what faults there are (`faults`), the clean crouch and take (`keeping`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.sample import keeping
from cricksy_pipeline.sample.batting_faults import lean
from cricksy_pipeline.sample.envelopes import bump, envelope, stretched
from cricksy_pipeline.sample.faults import Faults
from cricksy_pipeline.sample.physique import STATURE_M, Physique

SHOULDERS_M, HIPS_M = 0.376, 0.21  # the adult's widths
_HEAD_LEVER_M = 0.20  # the head's way for a sine of the bent chest's turn, of the adult
_GIVE_S = 0.12


def key_times(name: str, faults: Faults, times: list[float]) -> list[float]:
    """When the keys of one part of the posture come: a keeper who rises early brings hips, trunk and feet up sooner, the hands come as
    before."""
    if not faults.rises_early or name.endswith("_hand"):
        return times
    rise, settled = keeping.EVENTS_S["rise"], keeping.EVENTS_S["set"]
    return stretched(
        times,
        [0, settled, rise, 1.78, 2.16],
        [0, min(settled, rise - faults.rises_early - 0.2), rise - faults.rises_early, 1.78 - 0.6 * faults.rises_early, 2.16],
    )


def events(at: dict[str, float], faults: Faults) -> None:
    """Move the events, seconds within the period, in place."""
    at["rise"] -= faults.rises_early
    at["set"] = min(at["set"], at["rise"] - 0.2) if faults.rises_early else at["set"]


def before_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that are places; t (n,) seconds within the table's period."""
    at_take = envelope(keeping, t, 1.60, 1.86, 2.10, 2.60)
    apart = faults.hands_apart * SHOULDERS_M * person.size / 2 * at_take
    posture["left_hand"][:, 2] -= apart
    posture["right_hand"][:, 2] += apart
    narrower = faults.narrow_stance * HIPS_M * person.size / 2
    posture["left_foot"][:, 2] += narrower
    posture["right_foot"][:, 2] -= narrower
    if faults.hard_hands:
        hold_hands(posture, faults.hard_hands / 100 * person.stature_m, t, keeping.EVENTS_S["take"])


def hold_hands(
    posture: dict[str, np.ndarray], less_m: float, t: np.ndarray, take_s: float, way: tuple[float, float, float] = (0.95, 0.31, 0.0)
) -> None:
    """Let the hands go back `less_m` metres less in the 0.12 s after the take, and as much less until they have come down; `way` (3,) is
    the direction, length 1, against which they give."""
    back = np.clip((t - take_s) / _GIVE_S, 0, 1)
    back = back * back * (3 - 2 * back) * np.clip((take_s + 0.9 - t) / 0.4, 0, 1)
    for side in ("left", "right"):
        hand = posture[f"{side}_hand"]
        hand += (less_m * back)[:, None] * np.array(way)


def after_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that tip the trunk."""
    if faults.head_bob:
        bob(posture, faults.head_bob, t, keeping.EVENTS_S["take"], _HEAD_LEVER_M)


def bob(posture: dict[str, np.ndarray], percent: float, t: np.ndarray, take_s: float, lever_m: float) -> None:
    """Sway hips and trunk to the side and back in the 0.2 s before the take, the hands staying where they are, so that the root mean
    square of the head about its line is that much."""
    height = percent / 100 * STATURE_M / 0.354
    weight = bump(t, take_s - 0.21, take_s + 0.01)
    swayed = 0.65 * height * weight
    posture["pelvis"][:, 2] += swayed
    for side in ("left", "right"):
        posture[f"{side}_hand"][:, 2] -= swayed
    angle = np.degrees(np.arcsin(np.clip(0.35 * height / lever_m, -0.8, 0.8)))
    lean(posture, angle * weight, axis=(1.0, 0, 0))


def knee_deg(faults: Faults, t: np.ndarray) -> np.ndarray | None:
    """No fault of a keeper is a knee's."""
    return None
