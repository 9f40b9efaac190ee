"""How the others move: those who stand, the umpire, those who walk past.

Belongs here: a bystander's skeleton at any times, and what he wears.
Does not belong here: the player, drawing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.sample.body import Body, pose
from cricksy_pipeline.sample.figure import Kit
from cricksy_pipeline.sample.people import Bystander
from cricksy_pipeline.sample.physique import Physique, physique
from cricksy_pipeline.sample.rotations import yaw_pitch_roll

if TYPE_CHECKING:
    from cricksy_pipeline.sample.spec import ClipSpec

WALK_M_S = 1.35
_STEP_M = 0.60  # of an adult
_LIFT_M = 0.11
_COLOURS = ((0.75, 0.20, 0.18), (0.20, 0.45, 0.30), (0.85, 0.80, 0.70), (0.25, 0.25, 0.32), (0.20, 0.32, 0.62), (0.80, 0.62, 0.20))
_SKINS = ((0.80, 0.60, 0.47), (0.55, 0.38, 0.27), (0.36, 0.24, 0.17))


def body_of(person: Bystander, spec: ClipSpec, t_s: np.ndarray) -> Body:
    """The bystander's skeleton at clip times t_s (n,)."""
    life = np.asarray(t_s, float) / spec.slow_motion
    rng = np.random.default_rng((person.seed, 11))
    who = physique(person.stature_m, girth=rng.uniform(0.9, 1.25), shoulders=rng.uniform(0.95, 1.05), leg=rng.uniform(0.96, 1.04))
    if person.kind in ("walks_across", "walks_in_front"):
        return pose(_walking(person, spec, life, who, rng), who)
    return pose(_standing(person, spec, life, who, rng), who)


def kit_of(person: Bystander) -> Kit:
    """What the bystander wears."""
    if person.kind == "umpire":
        return Kit(role="bowler", shirt=(0.93, 0.93, 0.92), trousers=(0.10, 0.10, 0.12), hat=(0.92, 0.91, 0.88), shoe=(0.1, 0.1, 0.1))
    rng = np.random.default_rng((person.seed, 12))
    shirt, trousers, hat = (_COLOURS[i] for i in rng.integers(0, len(_COLOURS), 3))
    return Kit(role="bowler", shirt=shirt, trousers=trousers, hat=hat, skin=_SKINS[rng.integers(0, len(_SKINS))])


def _across_the_picture(spec: ClipSpec) -> np.ndarray:
    """(3,) the horizontal direction, world, that runs from left to right in the picture."""
    from cricksy_pipeline.sample.filming import standing

    eye, aim, _ = standing(spec)
    right = np.cross(aim - eye, [0, 1.0, 0])
    return right / np.linalg.norm(right)


def _placed(local: np.ndarray, heading_deg: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Points (n, 3) left, up and ahead of a person -> world, for headings (n,) and places (n, 3) on the ground."""
    a = np.radians(heading_deg)
    x = np.cos(a) * local[:, 0] + np.sin(a) * local[:, 2]
    z = np.cos(a) * local[:, 2] - np.sin(a) * local[:, 0]
    return np.stack([x, local[:, 1], z], -1) + at


def _posture(heading: np.ndarray, at: np.ndarray, parts: dict[str, np.ndarray], angles: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A posture for `pose` from places relative to a person (left, up, ahead)."""
    posture = {name: _placed(parts[name], heading, at) for name in ("pelvis", "left_foot", "right_foot")}
    posture |= {name: _placed(parts[name], heading, np.zeros(3)) for name in ("left_hand", "right_hand")}
    for name, lift in (("left_foot_angles", parts["left_lift"]), ("right_foot_angles", parts["right_lift"])):
        posture[name] = np.stack([heading, lift], -1)
    flat = np.zeros_like(heading)
    posture["pelvis_turn"] = yaw_pitch_roll(np.stack([heading, angles["pelvis"], flat], -1))
    posture["chest_turn"] = yaw_pitch_roll(np.stack([angles["twist"], angles["chest"], flat], -1))
    posture["head_turn"] = yaw_pitch_roll(np.stack([heading + angles["look"], angles["nod"], flat], -1))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        posture[f"{side}_elbow_pole"] = np.broadcast_to([0.5 * sign, -0.5, -0.7], (len(heading), 3))
    return posture


def _standing(person: Bystander, spec: ClipSpec, life: np.ndarray, who: Physique, rng: np.random.Generator) -> dict[str, np.ndarray]:
    n, size, phase = len(life), who.size, rng.uniform(0, 2 * np.pi, 4)
    sway = 0.02 * np.sin(2 * np.pi * life / rng.uniform(3, 6) + phase[0])
    heading = np.full(n, -90.0 if person.kind == "umpire" else rng.uniform(-180, 180))
    at = np.tile([person.place[0], 0.0, person.place[1]], (n, 1))
    wave = np.sin(2 * np.pi * life / rng.uniform(2, 4) + phase[1])
    hands = {"umpire": (0.05, -0.02, -0.18), "folded": (-0.10, 0.22, 0.24), "hanging": (0.24, -0.10, 0.08)}
    left, up, ahead = hands["umpire" if person.kind == "umpire" else ("folded", "hanging")[int(rng.integers(0, 2))]]
    still = np.zeros(n)
    place = lambda x, y, z: size * np.stack([still + x, still + y, still + z], -1)  # noqa: E731
    parts = dict(
        pelvis=place(sway, 0.915, 0), left_foot=place(0.14, 0.073, 0), right_foot=place(-0.14, 0.073, 0), left_lift=still, right_lift=still,
        left_hand=place(left, up + 0.01 * wave, ahead), right_hand=place(-left, up - 0.01 * wave, ahead),
    )  # fmt: skip
    angles = dict(pelvis=still + 3, chest=5 + wave, twist=2 * wave, look=15 * np.sin(2 * np.pi * life / 5 + phase[2]), nod=4 + 3 * wave)
    return _posture(heading, at, parts, angles)


def _walking(person: Bystander, spec: ClipSpec, life: np.ndarray, who: Physique, rng: np.random.Generator) -> dict[str, np.ndarray]:
    size = who.size
    way = _across_the_picture(spec) * (1 if rng.integers(0, 2) else -1)
    gone = WALK_M_S * size * (life - person.when_s)
    at = np.array([person.place[0], 0.0, person.place[1]]) + gone[:, None] * way
    heading = np.full(len(life), np.degrees(np.arctan2(way[0], way[2])))
    still, stride = np.zeros(len(life)), 2 * _STEP_M * size
    parts: dict[str, np.ndarray] = {"pelvis": np.stack([still, 0.875 * size + 0.012 * np.cos(4 * np.pi * gone / stride), still], -1)}
    for side, sign, shift in (("left", 1.0, 0.0), ("right", -1.0, 0.5)):
        turn = np.mod(gone / stride + shift, 1.0)
        swing = np.clip((turn - 0.6) / 0.4, 0, 1)
        eased = swing * swing * (3 - 2 * swing)
        ahead = np.where(turn < 0.6, 0.30 - turn, -0.30 + 0.60 * eased) * stride  # planted it stays where it is while the body goes on
        heel_up = np.clip((turn - 0.45) / 0.15, 0, 1) * (1 - swing)
        lifted = (np.sin(np.pi * swing) * _LIFT_M + 0.05 * heel_up) * size
        parts[f"{side}_foot"] = np.stack([still + 0.08 * sign * size, 0.073 * size + lifted, ahead], -1)
        parts[f"{side}_lift"] = 25 * heel_up + 10 * np.sin(np.pi * swing)
        arm = -np.cos(2 * np.pi * (gone / stride + shift - 0.05))
        parts[f"{side}_hand"] = size * np.stack([still + 0.26 * sign, -0.08 + 0.04 * np.abs(arm), 0.05 + 0.22 * arm], -1)
    turn = np.sin(2 * np.pi * gone / stride)
    angles = dict(pelvis=still + 3, chest=still + 4, twist=5 * turn, look=10 * np.sin(life), nod=still + 5)
    return _posture(heading, at, parts, angles)
