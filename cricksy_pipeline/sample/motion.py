"""Motion in time: keyframes joined by monotone cubics, and faults put in as parameters.

Belongs here: time -> posture -> skeleton, for any set of instants at once.
Does not belong here: the keyframe numbers (`drive`, `bowling`), cameras, pictures.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Literal

import numpy as np

from cricksy_pipeline.sample import bowling, drive
from cricksy_pipeline.sample.body import SHANK_M, THIGH_M, Body, pose
from cricksy_pipeline.sample.rotations import angle_between, from_vector, unit, yaw_pitch_roll

MotionName = Literal["drive", "bowl"]
MOTIONS: dict[str, ModuleType] = {"drive": drive, "bowl": bowling}

_KNEE_LIMIT_DEG = 50.0  # a fault never folds the front knee further than this


@dataclass(frozen=True)
class Faults:
    """What is wrong with the technique; all zero is the clean motion.

    Attributes:
        head_fall: degrees by which trunk and head fall to the off side during the shot (batting).
        knee_collapse: degrees by which the front knee (in space) bends more, from the stride until after contact or release.
        low_elbow: 0 (high lead elbow) to 1 (lead elbow tucked down) during the shot (batting).
        early_hip: degrees by which the hips open before the hands come through (batting).
        drift: metres by which the body slides past the front foot after contact (batting).
    """

    head_fall: float = 0.0
    knee_collapse: float = 0.0
    low_elbow: float = 0.0
    early_hip: float = 0.0
    drift: float = 0.0


def simulate(motion: MotionName, t_s: np.ndarray, faults: Faults | None = None) -> Body:
    """The skeleton of a right-hander at times t_s.

    Args:
        motion: "drive" or "bowl".
        t_s: (n,) seconds; the motion repeats with its period.
        faults: what to put in; only `knee_collapse` applies to bowling.

    Raises:
        ValueError: a batting fault was asked of a bowler.
    """
    faults = faults or Faults()
    t_s = np.asarray(t_s, float)
    table = MOTIONS[motion]
    t = np.mod(t_s, table.PERIOD_S)
    posture = _interpolate(table, t)
    _breathe(posture, motion, t_s, t)
    if motion == "drive":
        _add_batting_faults(posture, faults, t)
    elif any(value for name, value in asdict(faults).items() if name != "knee_collapse"):
        raise ValueError("of the faults only knee_collapse is defined for bowling")
    _angles_to_turns(posture)
    if faults.head_fall:
        _fall_to_off(posture, faults.head_fall * _envelope(table, t, 1.0, 1.58, 2.3, 3.4))
    body = pose(posture)
    if faults.knee_collapse:
        weight = _envelope(table, t, *((1.0, 1.58, 2.3, 3.4) if motion == "drive" else (1.72, 1.90, 2.10, 2.50)))
        _sink_on_front_knee(posture, body, faults.knee_collapse * weight)
        body = pose(posture)
    return body


def _pchip(t: np.ndarray, at: list[float], values: np.ndarray) -> np.ndarray:
    """Monotone cubic through the keys: no overshoot, no halt inside a monotone run. values (k, ...) -> (n, ...)."""
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(at, values, axis=0)(t)


def _interpolate(table: ModuleType, t: np.ndarray) -> dict[str, np.ndarray]:
    times = [time for time, _ in table.KEYFRAMES]
    first = table.KEYFRAMES[0][1]
    return {name: _pchip(t, times, np.array([key[name] for _, key in table.KEYFRAMES], float)) for name in first}


def _envelope(table: ModuleType, t: np.ndarray, start: float, full: float, easing: float, end: float) -> np.ndarray:
    """(n,) weight 0..1: rises from `start` to `full`, falls from `easing` to `end`, seconds within the period."""
    return _pchip(t, [0, start, full, easing, end, table.PERIOD_S], np.array([0.0, 0, 1, 1, 0, 0]))


def _breathe(posture: dict[str, np.ndarray], motion: str, t_s: np.ndarray, t: np.ndarray) -> None:
    """Nobody stands frozen: breath, glances, sway, and the batter's tapping of the bat in the stance."""
    posture["chest_angles"][:, 1] += 0.8 * np.sin(2 * np.pi * t_s / 3.1)
    posture["head_angles"][:, 0] += 1.5 * np.sin(2 * np.pi * t_s / 2.7)
    if motion == "drive":
        posture["bat_angles"][:, 0] += 3 * np.sin(4 * np.pi * t_s) * _envelope(drive, t, 0.10, 0.15, 0.35, 0.50)
        posture["pelvis"][:, 0] += 0.004 * np.sin(2 * np.pi * t_s / 2.3)


def _add_batting_faults(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray) -> None:
    shot = _envelope(drive, t, 1.0, 1.58, 2.3, 3.4)
    opening = _envelope(drive, t, 1.0, 1.35, 1.9, 3.0)
    after = _envelope(drive, t, 1.75, 2.5, 2.8, 3.6)
    posture["pelvis_angles"][:, 0] += faults.early_hip * opening
    posture["chest_angles"][:, 0] -= 0.75 * faults.early_hip * opening  # shoulders stay closed, so the separation shows
    posture["pelvis"] += np.outer(faults.drift * after, [1, 0, 0.5])
    posture["grip"][:, 0] += 0.8 * faults.drift * after
    tucked = (faults.low_elbow * shot)[:, None]
    posture["left_elbow_pole"] = (1 - tucked) * posture["left_elbow_pole"] + tucked * np.array([-0.3, -1.0, 0.3])
    posture["grip"] += tucked * np.array([-0.06, 0.04, 0])


def _angles_to_turns(posture: dict[str, np.ndarray]) -> None:
    for part in ("pelvis", "chest", "head"):
        posture[f"{part}_turn"] = yaw_pitch_roll(posture.pop(f"{part}_angles"))
    if "bat_angles" in posture:
        elevation, azimuth = np.radians(posture.pop("bat_angles")).T
        across = np.cos(elevation) * np.sin(azimuth) + 0.6 * np.sin(azimuth)
        posture["bat"] = unit(np.stack([np.cos(elevation) * np.cos(azimuth), np.sin(elevation), across], -1))


def _fall_to_off(posture: dict[str, np.ndarray], degrees: np.ndarray) -> None:
    """Tip trunk and head (0.8 of it again) about the line of play; hips and hands go 4 mm to the off per degree."""
    axis = np.array([1.0, 0, 0])
    tipped = from_vector(np.radians(degrees)[:, None] * axis)
    pelvis = posture["pelvis_turn"]
    posture["chest_turn"] = np.swapaxes(pelvis, -1, -2) @ tipped @ pelvis @ posture["chest_turn"]
    posture["head_turn"] = from_vector(np.radians(0.8 * degrees)[:, None] * axis) @ posture["head_turn"]
    posture["pelvis"][:, 2] += 0.004 * degrees
    posture["grip"][:, 2] += 0.004 * degrees


def _sink_on_front_knee(posture: dict[str, np.ndarray], body: Body, degrees: np.ndarray) -> None:
    """Lower the pelvis until the front (left) knee is that much more bent; the hands follow as far as the bat stays above the ground."""
    hip, knee, ankle = (body.joints[f"left_{joint}"] for joint in ("hip", "knee", "ankle"))
    now = angle_between(hip, knee, ankle)
    bent = np.radians(np.minimum(now, np.maximum(now - degrees, _KNEE_LIMIT_DEG)))
    reach_squared = THIGH_M**2 + SHANK_M**2 - 2 * THIGH_M * SHANK_M * np.cos(bent)
    v = hip - ankle
    drop = np.where(degrees > 0, v[:, 1] - np.sqrt(np.maximum(reach_squared - v[:, 0] ** 2 - v[:, 2] ** 2, 0.05)), 0.0)
    posture["pelvis"][:, 1] -= drop
    if "grip" in posture:
        clearance = np.maximum(body.joints["bat_toe"][:, 1] - 0.03, 0)
        posture["grip"][:, 1] -= np.minimum(0.6 * drop, clearance)
