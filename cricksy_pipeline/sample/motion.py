"""Motion in time: keyframes joined by monotone cubics, and faults put in as parameters.

Belongs here: time -> posture -> skeleton, for any set of instants at once; when the events of a ball happen.
Does not belong here: the keyframe numbers (`drive`, `bowling`, `keeping`, `throwing`, `catching`), who plays (`variation`), what each fault
does (`batting_faults` and its neighbours), cameras, pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Literal

import numpy as np

from cricksy_pipeline.sample import (
    batting_faults,
    bowling,
    bowling_faults,
    catching,
    catching_faults,
    drive,
    keeping,
    keeping_faults,
    throwing,
    throwing_faults,
)
from cricksy_pipeline.sample.body import Body, pose
from cricksy_pipeline.sample.envelopes import curve, envelope
from cricksy_pipeline.sample.faults import Faults, check
from cricksy_pipeline.sample.rotations import angle_between, unit, yaw_pitch_roll
from cricksy_pipeline.sample.variation import TYPICAL, Player, Repetition, fit, player

MotionName = Literal["drive", "bowl", "keep", "throw", "catch"]
MOTIONS: dict[str, ModuleType] = {"drive": drive, "bowl": bowling, "keep": keeping, "throw": throwing, "catch": catching}
_FAULTS: dict[str, ModuleType] = {
    "drive": batting_faults,
    "bowl": bowling_faults,
    "keep": keeping_faults,
    "throw": throwing_faults,
    "catch": catching_faults,
}

_KNEE_LIMITS_DEG = (50.0, 178.0)  # a fault never folds or straightens the front knee further than this

__all__ = ["MOTIONS", "Faults", "MotionName", "events_in_ball", "repetitions", "simulate"]


def simulate(motion: MotionName, t_s: np.ndarray, faults: Faults | None = None, variation: int = 0) -> Body:
    """The skeleton of a right-hander at times t_s.

    Args:
        motion: what he does.
        t_s: (n,) seconds of life; the motion repeats ball after ball.
        faults: what to put in.
        variation: which player; 0 is the canonical one.

    Raises:
        ValueError: a fault was asked that this motion does not have.
    """
    faults = faults or Faults()
    check(motion, faults)
    t_s = np.asarray(t_s, float)
    table, who = MOTIONS[motion], player(motion, variation)
    if who.variation:
        faults = faults + TYPICAL.get(motion, Faults())
    index, t = _phases(table, who, t_s)
    posture = _interpolate(motion, variation, faults, index, t)
    _breathe(posture, motion, t_s, t)
    fit(posture, who.physique)
    own = _FAULTS[motion]
    own.before_turns(posture, faults, t, who.physique)
    _angles_to_turns(posture)
    own.after_turns(posture, faults, t, who.physique)
    body = pose(posture, who.physique)
    if (bend := own.knee_deg(faults, t)) is not None:
        _set_front_knee(posture, body, bend)
        body = pose(posture, who.physique)
    return body


def repetitions(motion: str, variation: int, until_s: float) -> list[Repetition]:
    """The balls that start before `until_s` seconds of life."""
    return player(motion, variation).repetitions(MOTIONS[motion].PERIOD_S, until_s)


def events_in_ball(motion: str, faults: Faults | None = None) -> dict[str, float]:
    """name -> seconds within the table's period, for these faults: some of them are faults of timing."""
    faults = faults or Faults()
    check(motion, faults)
    at = dict(MOTIONS[motion].EVENTS_S)
    _FAULTS[motion].events(at, faults)
    return at


def _phases(table: ModuleType, who: Player, t_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) which ball, and (n,) seconds within the table's period."""
    if not who.variation:
        return np.zeros(len(t_s), int), np.mod(t_s, table.PERIOD_S)
    balls = who.repetitions(table.PERIOD_S, float(t_s.max(initial=0)) + 1e-9)
    starts, tempo = np.array([b.start_s for b in balls]), np.array([b.tempo for b in balls])
    index = np.clip(np.searchsorted(starts, t_s, side="right") - 1, 0, None)
    return index, np.clip((t_s - starts[index]) / tempo[index], 0, table.PERIOD_S)


def _interpolate(motion: str, variation: int, faults: Faults, index: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
    posture: dict[str, np.ndarray] = {}
    for ball in np.unique(index):
        here = index == ball
        for name, part in _curves(motion, variation, faults, int(ball)).items():
            values = part(t[here])
            if name not in posture:
                posture[name] = np.empty((len(t), values.shape[1]))
            posture[name][here] = values
    return posture


@lru_cache(maxsize=256)
def _curves(motion: str, variation: int, faults: Faults, ball: int) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """name -> that part of the posture as a function of the seconds within the table's period."""
    keys = player(motion, variation).keys(MOTIONS[motion], ball)
    times = [time for time, _ in keys]
    retimed = _FAULTS[motion].key_times
    return {name: curve(retimed(name, faults, times), np.array([key[name] for _, key in keys])) for name in keys[0][1]}


def _breathe(posture: dict[str, np.ndarray], motion: str, t_s: np.ndarray, t: np.ndarray) -> None:
    """Nobody stands frozen: breath, glances, sway, and the batter's tapping of the bat in the stance."""
    posture["chest_angles"][:, 1] += 0.8 * np.sin(2 * np.pi * t_s / 3.1)
    posture["head_angles"][:, 0] += 1.5 * np.sin(2 * np.pi * t_s / 2.7)
    if motion == "drive":
        posture["bat_angles"][:, 0] += 3 * np.sin(4 * np.pi * t_s) * envelope(drive, t, 0.10, 0.15, 0.35, 0.50)
        posture["pelvis"][:, 0] += 0.004 * np.sin(2 * np.pi * t_s / 2.3)


def _angles_to_turns(posture: dict[str, np.ndarray]) -> None:
    for part in ("pelvis", "chest", "head"):
        posture[f"{part}_turn"] = yaw_pitch_roll(posture.pop(f"{part}_angles"))
    if "bat_angles" in posture:
        elevation, azimuth = np.radians(posture.pop("bat_angles")).T
        across = np.cos(elevation) * np.sin(azimuth) + 0.6 * np.sin(azimuth)
        posture["bat"] = unit(np.stack([np.cos(elevation) * np.cos(azimuth), np.sin(elevation), across], -1))


def _set_front_knee(posture: dict[str, np.ndarray], body: Body, degrees: np.ndarray) -> None:
    """Move the pelvis up or down until the front (left) knee is that much more bent; the hands follow, the bat above the ground."""
    hip, knee, ankle = (body.joints[f"left_{joint}"] for joint in ("hip", "knee", "ankle"))
    now, person = angle_between(hip, knee, ankle), body.physique
    low, high = np.minimum(now, _KNEE_LIMITS_DEG[0]), np.maximum(now, _KNEE_LIMITS_DEG[1])
    bent = np.radians(np.where(degrees > 0, np.maximum(now - degrees, low), np.minimum(now - degrees, high)))
    reach_squared = person.thigh_m**2 + person.shank_m**2 - 2 * person.thigh_m * person.shank_m * np.cos(bent)
    v = hip - ankle
    drop = v[:, 1] - np.sqrt(np.maximum(reach_squared - v[:, 0] ** 2 - v[:, 2] ** 2, 0.05))
    drop = np.where(degrees != 0, drop, 0.0)
    posture["pelvis"][:, 1] -= drop
    if "grip" in posture:
        clearance = np.maximum(body.joints["bat_toe"][:, 1] - 0.03, 0)
        posture["grip"][:, 1] -= np.minimum(0.6 * drop, clearance)
