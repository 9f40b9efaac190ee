"""Batting faults: how each changes the posture of the drive.

Belongs here: changes of the posture in time, before and after its angles become turns, and of the times of the keys.
Does not belong here: what faults there are (`faults`), the clean drive (`drive`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.sample import drive
from cricksy_pipeline.sample.envelopes import bump, envelope, stretched
from cricksy_pipeline.sample.faults import Faults
from cricksy_pipeline.sample.physique import STATURE_M, Physique
from cricksy_pipeline.sample.rotations import from_vector

SHOT = (1.0, 1.58, 2.3, 3.4)
_HEAD_LEVER_M = 0.42  # the head's way for a sine of the chest's bend, of the adult: the bend is spread over the spine
_BASE_M = 0.91  # between the ankles at contact, of the adult
_BOB_S = (-0.23, 0.07)  # about contact


def key_times(name: str, faults: Faults, times: list[float]) -> list[float]:
    """When the keys of one part of the posture come: an early foot lands sooner, all else as before."""
    if not faults.foot_early or not name.startswith("left_foot"):
        return times
    landing = drive.EVENTS_S["front_foot_down"] - faults.foot_early
    leaving = min(1.0, landing - 0.25)
    return stretched(times, [0, 0.55, 1.0, drive.EVENTS_S["front_foot_down"], 2.9], [0, min(0.55, leaving - 0.05), leaving, landing, 2.9])


def events(at: dict[str, float], faults: Faults) -> None:
    """Move the events, seconds within the period, in place."""
    at["front_foot_down"] -= faults.foot_early


def before_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that are angles and places; t (n,) seconds within the table's period."""
    shot, opening, after = (envelope(drive, t, *times) for times in (SHOT, (1.0, 1.35, 1.9, 3.0), (1.75, 2.5, 2.8, 3.6)))
    posture["pelvis_angles"][:, 0] += faults.early_hip * opening
    posture["chest_angles"][:, 0] -= 0.75 * faults.early_hip * opening  # shoulders stay closed, so the separation shows
    posture["pelvis"] += np.outer(faults.drift * after, [1, 0, 0.5])
    posture["grip"][:, 0] += 0.8 * faults.drift * after
    tucked = (faults.low_elbow * shot)[:, None]
    posture["left_elbow_pole"] = (1 - tucked) * posture["left_elbow_pole"] + tucked * np.array([-0.3, -1.0, 0.3])
    posture["grip"] += tucked * np.array([-0.06, 0.04, 0])
    if faults.stride_longer:
        step = faults.stride_longer * person.stature_m * shot
        for name, share in (("left_foot", 1.0), ("pelvis", 0.62), ("grip", 0.75)):
            posture[name][:, 0] += share * step
        posture["pelvis"][:, 1] -= 0.18 * np.maximum(step, 0)


def after_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that tip the trunk."""
    shot = envelope(drive, t, *SHOT)
    if faults.head_fall:
        _fall_to_off(posture, faults.head_fall * shot)
    reach = _HEAD_LEVER_M * person.size
    if faults.weight_back:
        back = faults.weight_back * _BASE_M * person.size * shot
        posture["pelvis"][:, 0] -= back
        lean(posture, np.degrees(np.arcsin(np.clip(back / reach, -0.8, 0.8))), axis=(0, 0, -1.0))  # the head stays where it was
    if faults.head_ahead:
        ahead = faults.head_ahead / 100 * person.stature_m * shot
        lean(posture, np.degrees(np.arcsin(np.clip(ahead / reach, -0.8, 0.8))), axis=(0, 0, -1.0))
    if faults.head_move:
        # A bump (1 - cos) / 2 that comes and goes inside the window has a root mean square of 0.354 of its height about its line.
        height = faults.head_move / 100 * STATURE_M / 0.354 / np.sqrt(2)
        angle = np.degrees(np.arcsin(np.clip(height / _HEAD_LEVER_M, -0.8, 0.8)))
        contact = drive.EVENTS_S["contact"]
        bobbed = angle * bump(t, contact + _BOB_S[0], contact + _BOB_S[1])
        lean(posture, bobbed, axis=(0, 0, -1.0))
        lean(posture, bobbed, axis=(1.0, 0, 0))


def lean(posture: dict[str, np.ndarray], degrees: np.ndarray, axis: tuple[float, float, float]) -> None:
    """Tip the chest, the hips staying, about an axis of the world; the head keeps its own direction."""
    tipped, pelvis = from_vector(np.radians(degrees)[:, None] * np.array(axis)), posture["pelvis_turn"]
    posture["chest_turn"] = np.swapaxes(pelvis, -1, -2) @ tipped @ pelvis @ posture["chest_turn"]


def _fall_to_off(posture: dict[str, np.ndarray], degrees: np.ndarray) -> None:
    """Tip trunk and head (0.8 of it again) about the line of play; hips and hands go 4 mm to the off per degree."""
    lean(posture, degrees, axis=(1.0, 0, 0))
    posture["head_turn"] = from_vector(np.radians(0.8 * degrees)[:, None] * np.array([1.0, 0, 0])) @ posture["head_turn"]
    posture["pelvis"][:, 2] += 0.004 * degrees
    posture["grip"][:, 2] += 0.004 * degrees


def knee_deg(faults: Faults, t: np.ndarray) -> np.ndarray | None:
    """(n,) degrees by which the front knee bends more; negative: straighter."""
    bend = faults.knee_collapse - faults.knee_stiff
    return bend * envelope(drive, t, *SHOT) if bend else None
