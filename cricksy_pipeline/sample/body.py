"""The skeleton: rest pose, two-bone inverse kinematics, and joints from posture.

Belongs here: the proportions of one adult of 1.75 m, and how a posture (where pelvis, feet and
hands are) becomes joints that are known exactly.
Does not belong here: how a posture changes in time (`motion`), or flesh and kit (`figure`).

World frame, metres: x down the pitch in the direction of play (a batter looks towards +x at the bowler, a bowler runs towards +x), y up,
z towards the off side of a right-handed batter. At rest the figure faces +z with its left side at +x; a yaw of +90 degrees faces +x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.sample.rotations import frame, from_vector, to_vector, turn, unit, yaw_pitch_roll

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
"""Joints of the figure standing with bent arms, metres, soles at y = 0. `ball` is the ball of the foot."""


def _length(a: str, b: str) -> float:
    return float(np.linalg.norm(REST[a] - REST[b]))


UPPER_ARM_M = _length("left_shoulder", "left_elbow")
FOREARM_M = _length("left_elbow", "left_wrist")
THIGH_M = _length("left_hip", "left_knee")
SHANK_M = _length("left_knee", "left_ankle")

_HANDLE_GAP_M = 0.105  # between the two hands along the bat's handle
_PALM_BEHIND_GRIP_M = 0.085


@dataclass(frozen=True)
class Body:
    """A skeleton at n instants.

    Attributes:
        joints: name -> (n, 3) metres in the world. Names as in `REST`, and `bat_top`, `bat_toe` where a bat is held.
        turns: segment -> (n, 3, 3), how far that segment is turned from the rest pose.
    """

    joints: dict[str, np.ndarray]
    turns: dict[str, np.ndarray]

    def at(self, i: int) -> Body:
        """The skeleton at instant i alone: joints (3,), turns (3, 3)."""
        return Body({k: v[i] for k, v in self.joints.items()}, {k: v[i] for k, v in self.turns.items()})

    @property
    def holds_bat(self) -> bool:
        """Whether a bat is held."""
        return "bat_top" in self.joints


def two_bone_ik(
    start: np.ndarray, end: np.ndarray, first: float, second: float, pole: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place a limb of two bones between two points.

    Args:
        start, end: (n, 3) metres; the limb starts at `start` and reaches for `end`.
        first, second: bone lengths in metres.
        pole: (n, 3), the direction towards which the middle joint bends.

    Returns:
        middle joint (n, 3); the end that is reached (n, 3), nearer than asked where the limb is too short; hinge axis (n, 3).
    """
    reach = np.linalg.norm(end - start, axis=-1, keepdims=True)
    x = (end - start) / reach
    reach = np.clip(reach, abs(first - second) + 0.02, (first + second) * 0.9995)
    p = unit(pole - x * np.sum(pole * x, axis=-1, keepdims=True))
    along = (first**2 - second**2 + reach**2) / (2 * reach)
    off = np.sqrt(np.maximum(first**2 - along**2, 0))
    return start + along * x + off * p, start + reach * x, -np.cross(x, p)


def pose(posture: Mapping[str, np.ndarray]) -> Body:
    """Joints of n postures.

    Args:
        posture: (n, ...) arrays: `pelvis` (3,) metres; `pelvis_turn`, `chest_turn` (relative to the pelvis), `head_turn` (3, 3);
            per side `left_foot` (3,) the ankle in metres, `left_foot_angles` (2,) yaw and heel lift in degrees, `left_elbow_pole` (3,) in
            the chest's frame; and either `grip` (3,) with `bat` (3,), the top hand's place and the direction from handle to toe, or
            `left_arm` (3,): swing about z, out of plane, elbow flexion, in degrees.
    """
    body = Body({}, {})
    _place_trunk_and_head(body, posture)
    for side in ("left", "right"):
        _place_leg(body, posture, side)
        _place_arm(body, posture, side)
    if "bat" in posture:
        bat = unit(posture["bat"])
        middle = (body.joints["left_palm"] + body.joints["right_palm"]) / 2 - bat * 0.05
        body.joints.update(bat_top=middle - bat * 0.10, bat_toe=middle + bat * 0.74)
    return body


def _carry(body: Body, name: str, reference: str, turned: np.ndarray) -> None:
    """Place a joint that moves rigidly with `reference`'s segment."""
    body.joints[name] = body.joints[reference] + turn(turned, REST[name] - REST[reference])


def _place_trunk_and_head(body: Body, posture: Mapping[str, np.ndarray]) -> None:
    pelvis = posture["pelvis_turn"]
    chest, head = pelvis @ posture["chest_turn"], posture["head_turn"]
    bend = to_vector(posture["chest_turn"])
    body.joints["hips"] = np.asarray(posture["pelvis"], float)
    body.turns.update(pelvis=pelvis, head=head)
    below, turned = "hips", pelvis
    for i, joint in enumerate(("spine_low", "spine_mid", "spine_top"), start=1):
        _carry(body, joint, below, turned)
        below, turned = joint, pelvis @ from_vector(bend * i / 3)
        body.turns[joint] = turned
    neck = chest @ from_vector(to_vector(np.swapaxes(chest, -1, -2) @ head) * 0.45)  # the neck takes a little under half of the head's turn
    _carry(body, "neck", "spine_top", chest)
    _carry(body, "head", "neck", neck)
    for joint in ("nose", *(f"{side}_{part}" for side in ("left", "right") for part in ("eye", "eye_inner", "eye_outer", "ear", "mouth"))):
        _carry(body, joint, "head", head)


def _place_leg(body: Body, posture: Mapping[str, np.ndarray], side: str) -> None:
    yaw, lift = np.moveaxis(posture[f"{side}_foot_angles"], -1, 0)
    ankle = np.asarray(posture[f"{side}_foot"], float)
    flat = np.zeros_like(yaw)
    in_air = np.clip((ankle[..., 1] - 0.12) / 0.12, 0, 1)  # on the ground the toes stay flat while the heel lifts
    foot = yaw_pitch_roll(np.stack([yaw, lift, flat], -1))
    toes = yaw_pitch_roll(np.stack([yaw, np.minimum(lift, 0) + np.maximum(lift, 0) * in_air, flat], -1))
    hip, knee, heel, ball = (f"{side}_{joint}" for joint in ("hip", "knee", "heel", "ball"))
    _carry(body, hip, "hips", body.turns["pelvis"])
    ahead = yaw_pitch_roll(np.stack([yaw, flat, flat], -1))[..., 2]
    pole = ahead * 0.65 + body.turns["pelvis"][..., 2] * 0.35  # knees point between toes and pelvis
    body.joints[knee], body.joints[f"{side}_ankle"], hinge = two_bone_ik(body.joints[hip], ankle, THIGH_M, SHANK_M, pole)
    rest = frame(REST[f"{side}_ankle"] - REST[knee], np.array([1.0, 0, 0]))
    body.turns[f"{side}_shank"] = frame(body.joints[f"{side}_ankle"] - body.joints[knee], hinge) @ rest.T
    body.turns[f"{side}_foot"] = foot
    _carry(body, heel, f"{side}_ankle", foot)
    _carry(body, ball, f"{side}_ankle", foot)
    _carry(body, f"{side}_toe", ball, toes)


def _place_arm(body: Body, posture: Mapping[str, np.ndarray], side: str) -> None:
    chest = body.turns["spine_top"]
    shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
    _carry(body, f"{side}_collar", "spine_top", chest)
    _carry(body, shoulder, "spine_top", chest)
    pole = turn(chest, posture[f"{side}_elbow_pole"])
    if "bat" in posture:
        bat = unit(posture["bat"])
        grip = posture["grip"] + bat * (_HANDLE_GAP_M if side == "right" else 0)
        _lift_shoulder(body, side, grip)
        hinge, hand = _reach_for_grip(body, side, grip, bat, pole)
        across = bat
    else:
        reach = _arm_vector(posture[f"{side}_arm"])
        _lift_shoulder(body, side, body.joints[shoulder] + reach)
        start = body.joints[shoulder]
        body.joints[elbow], body.joints[wrist], hinge = two_bone_ik(start, start + reach, UPPER_ARM_M, FOREARM_M, pole)
        hand, across = unit(body.joints[wrist] - body.joints[elbow]), None
    upper, fore, hand_rest = REST[elbow] - REST[shoulder], REST[wrist] - REST[elbow], REST[f"{side}_palm"] - REST[wrist]
    rest_hinge, knuckles = np.cross(upper, fore), REST[f"{side}_index"] - REST[f"{side}_pinky"]
    forearm = frame(body.joints[wrist] - body.joints[elbow], hinge) @ frame(fore, rest_hinge).T
    body.turns[f"{side}_upper_arm"] = frame(body.joints[elbow] - body.joints[shoulder], hinge) @ frame(upper, rest_hinge).T
    hand_turn = frame(hand, turn(forearm, knuckles) if across is None else across) @ frame(hand_rest, knuckles).T
    for joint in ("index", "pinky", "thumb", "palm"):
        _carry(body, f"{side}_{joint}", wrist, hand_turn)


def _arm_vector(angles: np.ndarray) -> np.ndarray:
    """Shoulder to wrist (n, 3) of a free arm from swing, out of plane and elbow flexion in degrees (n, 3)."""
    swing, out, flexion = np.moveaxis(np.radians(angles), -1, 0)
    direction = np.stack([np.cos(swing) * np.cos(out), np.sin(swing) * np.cos(out), np.sin(out)], -1)
    return direction * np.sqrt(UPPER_ARM_M**2 + FOREARM_M**2 + 2 * UPPER_ARM_M * FOREARM_M * np.cos(flexion))[..., None]


def _lift_shoulder(body: Body, side: str, target: np.ndarray) -> None:
    """Turn the collar bone a little towards what the hand reaches for: 0.22 of the angle, at most 0.35 rad."""
    collar, shoulder = body.joints[f"{side}_collar"], f"{side}_shoulder"
    axis = np.cross(unit(body.joints[shoulder] - collar), unit(target - collar))
    angle = np.arcsin(np.clip(np.linalg.norm(axis, axis=-1, keepdims=True), 0, 1))
    lifted = from_vector(unit(axis) * np.minimum(0.22 * angle, 0.35)) @ body.turns["spine_top"]
    body.joints[shoulder] = collar + turn(lifted, REST[shoulder] - REST[f"{side}_collar"])


def _reach_for_grip(body: Body, side: str, grip: np.ndarray, bat: np.ndarray, pole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place elbow and wrist so that the palm lies nearly square on the handle. Returns hinge axis and hand direction, (n, 3) each."""
    shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
    start = body.joints[shoulder]
    hand = grip - start
    for _ in range(3):  # hand and forearm depend on each other; three rounds settle within a millimetre
        hand = unit(hand - bat * np.sum(hand * bat, axis=-1, keepdims=True) * 0.85)
        body.joints[elbow], body.joints[wrist], hinge = two_bone_ik(start, grip - hand * _PALM_BEHIND_GRIP_M, UPPER_ARM_M, FOREARM_M, pole)
        hand = unit(grip - body.joints[elbow])
    return hinge, unit(grip - body.joints[wrist])
