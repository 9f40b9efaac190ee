"""Bodies: how long each bone is and how thick the flesh on it.

Belongs here: the rest pose of one adult of 1.75 m, and any other body made of it by stature and proportions.
Does not belong here: postures and movement (`body`, `motion`), shapes (`figure`).

World frame, metres: x down the pitch in the direction of play, y up, z towards the off side of a right-handed batter. At rest the figure
faces +z with its left side at +x; a yaw of +90 degrees faces +x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

STATURE_M = 1.75

_CENTRE = dict(
    hips=(0, 0.934, 0), spine_low=(0, 1.027, -0.025), spine_mid=(0, 1.097, -0.016), spine_top=(0, 1.159, -0.024),
    neck=(0, 1.505, 0.015), head=(0, 1.601, 0.047), nose=(0, 1.600, 0.176),
)  # fmt: skip
_LEFT = dict(
    mouth=(0.026, 1.555, 0.145), eye=(0.033, 1.638, 0.146), eye_inner=(0.020, 1.638, 0.146), eye_outer=(0.046, 1.638, 0.138),
    ear=(0.076, 1.622, 0.050), collar=(0.023, 1.429, 0.027), shoulder=(0.188, 1.400, 0.021), elbow=(0.355, 1.208, 0.019),
    wrist=(0.488, 1.082, 0.207), palm=(0.522, 1.032, 0.272), index=(0.519, 1.042, 0.313), pinky=(0.547, 1.009, 0.254),
    thumb=(0.452, 1.053, 0.315), hip=(0.105, 0.934, 0), knee=(0.140, 0.507, 0.031), ankle=(0.165, 0.073, 0.010),
    ball=(0.165, 0.009, 0.138), heel=(0.165, 0.012, -0.044), toe=(0.160, 0.020, 0.203),
)  # fmt: skip

REST: dict[str, np.ndarray] = {
    **{name: np.array(p, float) for name, p in _CENTRE.items()},
    **{f"left_{name}": np.array(p, float) for name, p in _LEFT.items()},
    **{f"right_{name}": np.array(p, float) * [-1, 1, 1] for name, p in _LEFT.items()},
}
"""Joints of the adult standing with bent arms, metres, soles at y = 0. `ball` is the ball of the foot."""


def _length(rest: Mapping[str, np.ndarray], a: str, b: str) -> float:
    return float(np.linalg.norm(rest[a] - rest[b]))


@dataclass(frozen=True, eq=False)
class Physique:
    """One body.

    Attributes:
        rest: joint -> (3,) metres at rest.
        stature_m: standing height.
        girth: thickness of trunk and limbs against the adult's of the same height.
    """

    rest: Mapping[str, np.ndarray]
    stature_m: float = STATURE_M
    girth: float = 1.0

    @property
    def size(self) -> float:
        """Stature against the adult's."""
        return self.stature_m / STATURE_M

    @property
    def upper_arm_m(self) -> float:
        """Shoulder to elbow."""
        return _length(self.rest, "left_shoulder", "left_elbow")

    @property
    def forearm_m(self) -> float:
        """Elbow to wrist."""
        return _length(self.rest, "left_elbow", "left_wrist")

    @property
    def palm_m(self) -> float:
        """Wrist to the middle of the palm."""
        return _length(self.rest, "left_wrist", "left_palm")

    @property
    def thigh_m(self) -> float:
        """Hip to knee."""
        return _length(self.rest, "left_hip", "left_knee")

    @property
    def shank_m(self) -> float:
        """Knee to ankle."""
        return _length(self.rest, "left_knee", "left_ankle")

    @property
    def leg(self) -> float:
        """Length of the legs against the adult's, stature apart."""
        return (self.thigh_m + self.shank_m) / (ADULT.thigh_m + ADULT.shank_m) / self.size


ADULT = Physique(REST)
"""The body of every clip without variation."""


def physique(
    stature_m: float,
    *,
    leg: float = 1.0,
    trunk: float = 1.0,
    arm: float = 1.0,
    shoulders: float = 1.0,
    hips: float = 1.0,
    girth: float = 1.0,
) -> Physique:
    """A body of that stature, metres, whose parts stand to each other as given (1 = as in the adult)."""
    rest = {name: p.copy() for name, p in REST.items()}
    base = REST["hips"]
    raised = np.array([0, (leg - 1) * (REST["left_hip"] - REST["left_ankle"])[1], 0])
    for name in rest:
        part = name.removeprefix("left_").removeprefix("right_")
        if part in ("ankle", "ball", "heel", "toe", "knee"):
            continue
        rest[name] = base + raised + (REST[name] - base) * [1, trunk if part in ("spine_low", "spine_mid", "spine_top") else 1, 1]
    lift = raised + np.array([0, (trunk - 1) * (REST["neck"] - base)[1], 0])
    for name in ("neck", "head", "nose"):
        rest[name] = REST[name] + lift
    for side in ("left", "right"):
        for part in ("mouth", "eye", "eye_inner", "eye_outer", "ear", "collar"):
            rest[f"{side}_{part}"] = REST[f"{side}_{part}"] + lift
        _place_side(rest, side, lift, raised, leg, arm, shoulders, hips)
    top = STATURE_M + lift[1]
    return Physique({name: p * (stature_m / top) for name, p in rest.items()}, stature_m, girth)


def _place_side(
    rest: dict[str, np.ndarray], side: str, lift: np.ndarray, raised: np.ndarray, leg: float, arm: float, shoulders: float, hips: float
) -> None:
    joint = {part: REST[f"{side}_{part}"] for part in _LEFT}
    shoulder = joint["shoulder"] * [shoulders, 1, 1] + lift
    elbow = shoulder + (joint["elbow"] - joint["shoulder"]) * arm
    wrist = elbow + (joint["wrist"] - joint["elbow"]) * arm
    hip = joint["hip"] * [hips, 1, 1] + raised
    knee = hip + (joint["knee"] - joint["hip"]) * leg
    ankle = knee + (joint["ankle"] - joint["knee"]) * leg
    rest.update(
        {f"{side}_{part}": p for part, p in dict(shoulder=shoulder, elbow=elbow, wrist=wrist, hip=hip, knee=knee, ankle=ankle).items()}
    )
    for part in ("palm", "index", "pinky", "thumb"):
        rest[f"{side}_{part}"] = wrist + joint[part] - joint["wrist"]
    for part in ("ball", "heel", "toe"):
        rest[f"{side}_{part}"] = ankle + joint[part] - joint["ankle"]
