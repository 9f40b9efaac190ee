"""The skeleton: rest pose, two-bone inverse kinematics, and joints from posture.

Belongs here: how a posture (where pelvis, feet and hands are) becomes joints that are known exactly.
Does not belong here: how a posture changes in time (`motion`), proportions (`physique`), or flesh and kit (`figure`).

World frame, metres: x down the pitch in the direction of play (a batter looks towards +x at the bowler, a bowler runs towards +x), y up,
z towards the off side of a right-handed batter. At rest the figure faces +z with its left side at +x; a yaw of +90 degrees faces +x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.sample.physique import ADULT, Physique
from cricksy_pipeline.sample.rotations import frame, from_vector, to_vector, turn, unit, yaw_pitch_roll

_HANDLE_GAP_M = 0.105  # between the two hands along the bat's handle
_PALM_BEHIND_GRIP_M = 0.085


@dataclass(frozen=True)
class Body:
    """A skeleton at n instants.

    Attributes:
        joints: name -> (n, 3) metres in the world. Names as in `Physique.rest`, and `bat_top`, `bat_toe` where a bat is held.
        turns: segment -> (n, 3, 3), how far that segment is turned from the rest pose.
        physique: whose skeleton it is.
    """

    joints: dict[str, np.ndarray]
    turns: dict[str, np.ndarray]
    physique: Physique = field(default=ADULT)

    def at(self, i: int) -> Body:
        """The skeleton at instant i alone: joints (3,), turns (3, 3)."""
        return Body({k: v[i] for k, v in self.joints.items()}, {k: v[i] for k, v in self.turns.items()}, self.physique)

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


def pose(posture: Mapping[str, np.ndarray], physique: Physique = ADULT) -> Body:
    """Joints of n postures.

    Args:
        posture: (n, ...) arrays: `pelvis` (3,) metres; `pelvis_turn`, `chest_turn` (relative to the pelvis), `head_turn` (3, 3);
            per side `left_foot` (3,) the ankle in metres, `left_foot_angles` (2,) yaw and heel lift in degrees, and the arms in one of four
            ways: `grip` (3,) with `bat` (3,), the top hand's place and the direction from handle to toe; `left_hand` (3,), the palm's
            place from the pelvis, in world directions; `left_upper` and `left_fore` (3,), the directions of upper arm and forearm; or
            `left_arm` (3,): swing about z, out of
            plane, elbow flexion, in degrees. All but the third need `left_elbow_pole` (3,) in the chest's frame, where the elbow points.
        physique: whose joints.
    """
    body = Body({}, {}, physique)
    _place_trunk_and_head(body, posture)
    for side in ("left", "right"):
        _place_leg(body, posture, side)
        _place_arm(body, posture, side)
    if "bat" in posture:
        bat = unit(posture["bat"])
        size = physique.size
        middle = (body.joints["left_palm"] + body.joints["right_palm"]) / 2 - bat * (0.05 * size)
        body.joints.update(bat_top=middle - bat * (0.10 * size), bat_toe=middle + bat * (0.74 * size))
    return body


def _carry(body: Body, name: str, reference: str, turned: np.ndarray) -> None:
    """Place a joint that moves rigidly with `reference`'s segment."""
    rest = body.physique.rest
    body.joints[name] = body.joints[reference] + turn(turned, rest[name] - rest[reference])


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
    person = body.physique
    in_air = np.clip((ankle[..., 1] / person.size - 0.12) / 0.12, 0, 1)  # on the ground the toes stay flat while the heel lifts
    foot = yaw_pitch_roll(np.stack([yaw, lift, flat], -1))
    toes = yaw_pitch_roll(np.stack([yaw, np.minimum(lift, 0) + np.maximum(lift, 0) * in_air, flat], -1))
    hip, knee, heel, ball = (f"{side}_{joint}" for joint in ("hip", "knee", "heel", "ball"))
    _carry(body, hip, "hips", body.turns["pelvis"])
    ahead = yaw_pitch_roll(np.stack([yaw, flat, flat], -1))[..., 2]
    pole = ahead * 0.65 + body.turns["pelvis"][..., 2] * 0.35  # knees point between toes and pelvis
    body.joints[knee], body.joints[f"{side}_ankle"], hinge = two_bone_ik(body.joints[hip], ankle, person.thigh_m, person.shank_m, pole)
    rest = frame(person.rest[f"{side}_ankle"] - person.rest[knee], np.array([1.0, 0, 0]))
    body.turns[f"{side}_shank"] = frame(body.joints[f"{side}_ankle"] - body.joints[knee], hinge) @ rest.T
    body.turns[f"{side}_foot"] = foot
    _carry(body, heel, f"{side}_ankle", foot)
    _carry(body, ball, f"{side}_ankle", foot)
    _carry(body, f"{side}_toe", ball, toes)


def _place_arm(body: Body, posture: Mapping[str, np.ndarray], side: str) -> None:
    chest, person = body.turns["spine_top"], body.physique
    rest = person.rest
    shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
    _carry(body, f"{side}_collar", "spine_top", chest)
    _carry(body, shoulder, "spine_top", chest)
    across = None
    if f"{side}_upper" in posture:
        hinge, hand = _point_arm(body, side, unit(posture[f"{side}_upper"]), unit(posture[f"{side}_fore"]))
    else:
        pole = turn(chest, posture[f"{side}_elbow_pole"])
        if "bat" in posture:
            across = unit(posture["bat"])
            grip = posture["grip"] + across * (_HANDLE_GAP_M * person.size if side == "right" else 0)
            _lift_shoulder(body, side, grip)
            hinge, hand = _reach_for_grip(body, side, grip, across, pole)
        elif f"{side}_hand" in posture:
            hinge, hand = _reach_with_palm(body, side, body.joints["hips"] + posture[f"{side}_hand"], pole)
        else:
            hinge, hand = _reach_out(body, side, _arm_vector(posture[f"{side}_arm"], person), pole)
    upper, fore, hand_rest = rest[elbow] - rest[shoulder], rest[wrist] - rest[elbow], rest[f"{side}_palm"] - rest[wrist]
    rest_hinge, knuckles = np.cross(upper, fore), rest[f"{side}_index"] - rest[f"{side}_pinky"]
    forearm = frame(body.joints[wrist] - body.joints[elbow], hinge) @ frame(fore, rest_hinge).T
    body.turns[f"{side}_upper_arm"] = frame(body.joints[elbow] - body.joints[shoulder], hinge) @ frame(upper, rest_hinge).T
    hand_turn = frame(hand, turn(forearm, knuckles) if across is None else across) @ frame(hand_rest, knuckles).T
    for joint in ("index", "pinky", "thumb", "palm"):
        _carry(body, f"{side}_{joint}", wrist, hand_turn)


def _arm_vector(angles: np.ndarray, person: Physique) -> np.ndarray:
    """Shoulder to wrist (n, 3) of a free arm from swing, out of plane and elbow flexion in degrees (n, 3)."""
    swing, out, flexion = np.moveaxis(np.radians(angles), -1, 0)
    direction = np.stack([np.cos(swing) * np.cos(out), np.sin(swing) * np.cos(out), np.sin(out)], -1)
    upper, fore = person.upper_arm_m, person.forearm_m
    return direction * np.sqrt(upper**2 + fore**2 + 2 * upper * fore * np.cos(flexion))[..., None]


def _lift_shoulder(body: Body, side: str, target: np.ndarray) -> None:
    """Turn the collar bone a little towards what the hand reaches for: 0.22 of the angle, at most 0.35 rad."""
    collar, shoulder, rest = body.joints[f"{side}_collar"], f"{side}_shoulder", body.physique.rest
    axis = np.cross(unit(body.joints[shoulder] - collar), unit(target - collar))
    angle = np.arcsin(np.clip(np.linalg.norm(axis, axis=-1, keepdims=True), 0, 1))
    lifted = from_vector(unit(axis) * np.minimum(0.22 * angle, 0.35)) @ body.turns["spine_top"]
    body.joints[shoulder] = collar + turn(lifted, rest[shoulder] - rest[f"{side}_collar"])


def _reach_out(body: Body, side: str, reach: np.ndarray, pole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place elbow and wrist with the wrist at `reach` (n, 3) from the shoulder. Returns hinge axis and hand direction, (n, 3) each."""
    shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
    _lift_shoulder(body, side, body.joints[shoulder] + reach)
    start, person = body.joints[shoulder], body.physique
    body.joints[elbow], body.joints[wrist], hinge = two_bone_ik(start, start + reach, person.upper_arm_m, person.forearm_m, pole)
    return hinge, unit(body.joints[wrist] - body.joints[elbow])


def _reach_with_palm(body: Body, side: str, palm: np.ndarray, pole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place elbow and wrist so that the palm lies at `palm` (n, 3), the hand in line with the forearm. Returns as `_reach_out`."""
    shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
    _lift_shoulder(body, side, palm)
    start, person = body.joints[shoulder], body.physique
    forearm = person.forearm_m + person.palm_m
    body.joints[elbow], reached, hinge = two_bone_ik(start, palm, person.upper_arm_m, forearm, pole)
    hand = unit(reached - body.joints[elbow])
    body.joints[wrist] = body.joints[elbow] + hand * person.forearm_m
    return hinge, hand


def _point_arm(body: Body, side: str, upper: np.ndarray, fore: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place elbow and wrist along two directions (n, 3). Returns as `_reach_out`."""
    shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
    person = body.physique
    _lift_shoulder(body, side, body.joints[shoulder] + upper * person.upper_arm_m + fore * person.forearm_m)
    body.joints[elbow] = body.joints[shoulder] + upper * person.upper_arm_m
    body.joints[wrist] = body.joints[elbow] + fore * person.forearm_m
    # A straight arm has no hinge of its own: a little of the chest's forward axis keeps one that does not flip.
    return unit(np.cross(upper, fore + 0.05 * body.turns["spine_top"][..., 2])), fore


def _reach_for_grip(body: Body, side: str, grip: np.ndarray, bat: np.ndarray, pole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place elbow and wrist so that the palm lies nearly square on the handle. Returns as `_reach_out`."""
    shoulder, elbow, wrist = (f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist"))
    start, person = body.joints[shoulder], body.physique
    behind = _PALM_BEHIND_GRIP_M * person.size
    hand = grip - start
    for _ in range(3):  # hand and forearm depend on each other; three rounds settle within a millimetre
        hand = unit(hand - bat * np.sum(hand * bat, axis=-1, keepdims=True) * 0.85)
        body.joints[elbow], body.joints[wrist], hinge = two_bone_ik(start, grip - hand * behind, person.upper_arm_m, person.forearm_m, pole)
        hand = unit(grip - body.joints[elbow])
    return hinge, unit(grip - body.joints[wrist])
