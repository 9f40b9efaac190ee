"""Flesh and kit: a skeleton at one instant -> parts made of solids, and what is painted on them.

Belongs here: shapes, radii (metres) and colours of a batter and a bowler; stumps and ball.
Does not belong here: distances, rays and light.

What a pose network needs is body shape and shading; kit, face and colours change nothing for it (measured)
and are here for the person who looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from cricksy_pipeline.sample.body import Body
from cricksy_pipeline.sample.physique import ADULT
from cricksy_pipeline.sample.rotations import frame, unit
from cricksy_pipeline.sample.solids import Ellipsoid, Part, RoundCone, Slab

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Kit:
    """What the player wears; colours are linear RGB 0..1."""

    role: Literal["batter", "bowler", "keeper"] = "batter"
    shirt: Colour = (0.20, 0.34, 0.68)
    trousers: Colour = (0.22, 0.23, 0.28)
    skin: Colour = (0.80, 0.60, 0.47)
    hair: Colour = (0.16, 0.11, 0.08)
    pad: Colour = (0.92, 0.92, 0.88)
    glove: Colour = (0.90, 0.90, 0.86)
    shoe: Colour = (0.92, 0.92, 0.92)
    hat: Colour = (0.08, 0.13, 0.32)
    willow: Colour = (0.84, 0.70, 0.48)
    rubber: Colour = (0.12, 0.12, 0.14)


BATTER = Kit()
BOWLER = Kit(role="bowler", shirt=(0.90, 0.90, 0.86), trousers=(0.88, 0.88, 0.84), hat=(0.10, 0.30, 0.20))

KEEPER = Kit(role="keeper", shirt=(0.88, 0.89, 0.84), trousers=(0.86, 0.86, 0.82), glove=(0.72, 0.50, 0.16), hat=(0.30, 0.07, 0.09))
FIELDER = Kit(role="bowler", shirt=(0.86, 0.87, 0.83), trousers=(0.82, 0.83, 0.79), hat=(0.09, 0.12, 0.30))
KITS = {"drive": BATTER, "bowl": BOWLER, "keep": KEEPER, "throw": FIELDER, "catch": FIELDER}

_SHIRTS = ((0.20, 0.34, 0.68), (0.90, 0.90, 0.86), (0.62, 0.14, 0.16), (0.14, 0.40, 0.24), (0.85, 0.66, 0.15), (0.16, 0.17, 0.22))
_SKINS = ((0.80, 0.60, 0.47), (0.62, 0.44, 0.32), (0.42, 0.28, 0.20))


def kit_of(motion: str, variation: int) -> Kit:
    """What the player wears: his discipline's kit, in other colours for another player."""
    kit = KITS[motion]
    if not variation:
        return kit
    rng = np.random.default_rng((variation, 31))
    shirt, trousers, hat = (_SHIRTS[i] for i in rng.integers(0, len(_SHIRTS), 3))
    return replace(kit, shirt=shirt, trousers=trousers, hat=hat, skin=_SKINS[rng.integers(0, len(_SKINS))])


def parts(body: Body, kit: Kit) -> list[Part]:
    """All parts of the player. `body` is one instant (`Body.at`). Flesh grows with stature; trunk and limbs with girth as well."""
    person = body.physique
    if person is ADULT:
        return _adult_parts(body, kit)
    adult = Body({name: p / person.size for name, p in body.joints.items()}, body.turns)
    return [_resized(part, person.size, 1.0 if part.name in _NOT_FLESH else person.girth) for part in _adult_parts(adult, kit)]


_NOT_FLESH = frozenset({"head", "hat", "grille", "bat", "shoe"})


def _resized(part: Part, size: float, girth: float) -> Part:
    solids: list = []
    for solid in part.solids:
        if isinstance(solid, RoundCone):
            thick = size * girth
            solids.append(RoundCone(solid.a * size, solid.b * size, solid.radius_a * thick, solid.radius_b * thick, solid.colour))
        elif isinstance(solid, Ellipsoid):
            x, y, z = (r * size for r in solid.radii)
            solids.append(Ellipsoid(solid.centre * size, solid.axes, (x * girth, y, z * girth), solid.colour))
        else:
            half = tuple(h * size for h in solid.half)
            solids.append(Slab(solid.centre * size, solid.axes, half, solid.colour))
    return Part(part.name, part.blend * size, solids)


def _adult_parts(body: Body, kit: Kit) -> list[Part]:
    out = [_torso(body, kit), _head(body, kit), _hat(body, kit)]
    if kit.role == "batter":
        out += _grille(body, kit)
    for side in ("left", "right"):
        out += [_arm(body, kit, side), _hand(body, kit, side), _leg(body, kit, side), _shoe(body, kit, side)]
        if kit.role != "bowler":
            out.append(_pad(body, kit, side))
    if body.holds_bat:
        out.append(_bat(body, kit))
    return out


def _torso(body: Body, kit: Kit) -> Part:
    j, pelvis, chest = body.joints, body.turns["pelvis"], body.turns["spine_top"]
    throat = j["head"] + body.turns["head"] @ np.array([0, -0.02, -0.015])
    solids = [
        Ellipsoid(j["hips"] + pelvis @ [0, 0.02, -0.005], pelvis, (0.165, 0.12, 0.115), kit.trousers),
        Ellipsoid(j["hips"] + pelvis @ [0, 0.13, 0], body.turns["spine_low"], (0.148, 0.12, 0.105), kit.shirt),
        Ellipsoid(j["spine_top"] + chest @ [0, 0.10, 0.035], chest, (0.165, 0.20, 0.118), kit.shirt),
        Ellipsoid(j["spine_top"] + chest @ [0, 0.215, 0], chest, (0.165, 0.065, 0.075), kit.shirt),
        RoundCone(j["left_shoulder"], j["right_shoulder"], 0.06, 0.06, kit.shirt),
        RoundCone(j["neck"] + chest @ [0, -0.05, -0.015], throat, 0.062, 0.056, kit.skin),
    ]
    solids += [Ellipsoid(j["hips"] + pelvis @ [x, -0.03, -0.07], pelvis, (0.082, 0.085, 0.07), kit.trousers) for x in (0.07, -0.07)]
    solids += [Ellipsoid(j["spine_top"] + chest @ [x, 0.135, 0.085], chest, (0.085, 0.065, 0.048), kit.shirt) for x in (0.075, -0.075)]
    return Part("torso", 0.045, solids)


def _head(body: Body, kit: Kit) -> Part:
    j, turned = body.joints, body.turns["head"]
    at = lambda x, y, z: j["head"] + turned @ np.array([x, y, z])  # noqa: E731
    solids = [
        Ellipsoid(at(0, 0.062, 0.022), turned, (0.076, 0.100, 0.096), kit.skin),
        Ellipsoid(at(0, -0.025, 0.055), turned, (0.058, 0.075, 0.062), kit.skin),
        RoundCone(j["nose"] + turned @ [0, 0.035, -0.018], j["nose"] + turned @ [0, -0.002, -0.012], 0.009, 0.014, kit.skin),
        Ellipsoid(at(0, 0.075, -0.012), turned, (0.083, 0.092, 0.098), kit.hair),
    ]
    solids += [Ellipsoid(j[f"{side}_ear"], turned, (0.012, 0.032, 0.020), kit.skin) for side in ("left", "right")]
    return Part("head", 0.02, solids)


def _hat(body: Body, kit: Kit) -> Part:
    """A helmet with ear pieces, or a cap; both with a peak."""
    turned = body.turns["head"]
    at = lambda x, y, z: body.joints["head"] + turned @ np.array([x, y, z])  # noqa: E731
    solids = [
        Ellipsoid(at(0, 0.100, 0.006), turned, (0.100, 0.092, 0.118), kit.hat),
        Ellipsoid(at(0, 0.090, 0.125), turned, (0.075, 0.011, 0.062), kit.hat),
    ]
    if kit.role == "batter":
        solids += [Ellipsoid(at(x, 0.02, 0), turned, (0.016, 0.055, 0.050), kit.hat) for x in (0.084, -0.084)]
    return Part("hat", 0.012, solids)


def _grille(body: Body, kit: Kit) -> list[Part]:
    turned = body.turns["head"]
    bars = []
    for y, z in ((0.010, 0.176), (-0.030, 0.170)):
        outline = [(-0.085, y + 0.01, 0.03), (-0.06, y, z - 0.03), (0, y, z + 0.012), (0.06, y, z - 0.03), (0.085, y + 0.01, 0.03)]
        points = [body.joints["head"] + turned @ np.array(p) for p in outline]
        bars.append(Part("grille", 0.004, [RoundCone(a, b, 0.004, 0.004, kit.rubber) for a, b in pairwise(points)]))
    return bars


def _between(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    return a * (1 - share) + b * share


def _arm(body: Body, kit: Kit, side: str) -> Part:
    shoulder, elbow, wrist = (body.joints[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist"))
    solids = [
        RoundCone(shoulder, _between(shoulder, elbow, 0.72), 0.060, 0.050, kit.shirt),
        RoundCone(_between(shoulder, elbow, 0.7), elbow, 0.042, 0.038, kit.skin),
        RoundCone(elbow, _between(elbow, wrist, 0.35), 0.040, 0.042, kit.skin),
        RoundCone(_between(elbow, wrist, 0.35), wrist, 0.042, 0.028, kit.skin),
    ]
    return Part("arm", 0.02, solids)


def forearm_and_hand(body: Body, kit: Kit, side: str) -> list[Part]:
    """What a close-up of a hand shows."""
    elbow, wrist = body.joints[f"{side}_elbow"], body.joints[f"{side}_wrist"]
    return [Part("arm", 0.02, [RoundCone(elbow, wrist, 0.040, 0.028, kit.skin)]), _hand(body, kit, side)]


def _hand(body: Body, kit: Kit, side: str) -> Part:
    wrist, palm, index, pinky, thumb = (body.joints[f"{side}_{joint}"] for joint in ("wrist", "palm", "index", "pinky", "thumb"))
    size, colour = {"batter": (1.25, kit.glove), "keeper": (1.45, kit.glove)}.get(kit.role, (0.85, kit.skin))
    solids = [
        RoundCone(wrist, palm, 0.030 * size, 0.034 * size, colour),
        RoundCone(index, pinky, 0.024 * size, 0.022 * size, colour),
        RoundCone(index, thumb, 0.016 * size, 0.014 * size, colour),
    ]
    return Part("hand", 0.015, solids)


def _leg(body: Body, kit: Kit, side: str) -> Part:
    hip, knee, ankle = (body.joints[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
    pelvis = body.turns["pelvis"]
    calf = _between(knee, ankle, 0.3) + body.turns[f"{side}_shank"] @ [0, 0, -0.018]
    solids = [
        Ellipsoid(hip + pelvis @ [0, -0.01, -0.02], pelvis, (0.095, 0.10, 0.105), kit.trousers),
        RoundCone(hip, knee, 0.090, 0.058, kit.trousers),
        RoundCone(knee, calf, 0.056, 0.058, kit.trousers),
        RoundCone(calf, ankle, 0.058, 0.046, kit.trousers),
    ]
    return Part("leg", 0.03, solids)


def _shoe(body: Body, kit: Kit, side: str) -> Part:
    ankle, heel, ball, toe = (body.joints[f"{side}_{joint}"] for joint in ("ankle", "heel", "ball", "toe"))
    turned = body.turns[f"{side}_foot"]
    tread = ball + turned @ [0, 0.03, 0]
    solids = [
        RoundCone(heel + turned @ [0, 0.035, 0.03], tread, 0.042, 0.040, kit.shoe),
        RoundCone(tread, toe + np.array([0, 0.012, 0]), 0.040, 0.028, kit.shoe),
        RoundCone(ankle, heel + turned @ [0, 0.05, 0.04], 0.042, 0.045, kit.shoe),
    ]
    return Part("shoe", 0.02, solids)


def _pad(body: Body, kit: Kit, side: str) -> Part:
    knee, ankle = body.joints[f"{side}_knee"], body.joints[f"{side}_ankle"]
    turned = body.turns[f"{side}_shank"]
    ahead = lambda z: turned @ np.array([0, 0, z])  # noqa: E731
    solids = [
        RoundCone(_between(knee, ankle, -0.10) + ahead(0.035), _between(knee, ankle, 0.97) + ahead(0.03), 0.070, 0.060, kit.pad),
        Ellipsoid(knee + ahead(0.062), turned, (0.082, 0.070, 0.046), kit.pad),
        RoundCone(_between(knee, ankle, -0.30) + ahead(0.055), knee + ahead(0.05), 0.052, 0.066, kit.pad),
    ]
    return Part("pad", 0.02, solids)


def _bat(body: Body, kit: Kit) -> Part:
    top, down = body.joints["bat_top"], unit(body.joints["bat_toe"] - body.joints["bat_top"])
    face = np.cross(down, [0, 0, 1.0]) if abs(down[2]) < 0.9 else np.array([1.0, 0, 0])
    blade = frame(down, np.cross(down, face))
    handle = RoundCone(top, top + down * 0.30, 0.016, 0.017, kit.rubber)
    return Part("bat", 0.01, [handle, Slab(top + down * 0.57, blade, (0.054, 0.275, 0.016), kit.willow)])


def stumps(x: float, z: float) -> Part:
    """Three stumps and the bails, 0.71 m high."""
    wood: Colour = (0.88, 0.76, 0.52)
    standing = [RoundCone(np.array([x, 0, z + side]), np.array([x, 0.71, z + side]), 0.018, 0.018, wood) for side in (-0.095, 0, 0.095)]
    bails = RoundCone(np.array([x, 0.722, z - 0.10]), np.array([x, 0.722, z + 0.10]), 0.010, 0.010, wood)
    return Part("stumps", 0.002, [*standing, bails])


def ball(centre: np.ndarray) -> Part:
    """A red ball, 7.4 cm across."""
    return Part("ball", 0.002, [Ellipsoid(centre, np.eye(3), (0.037, 0.037, 0.037), (0.66, 0.08, 0.07))])


def paint(part: Part, body: Body, kit: Kit, points: np.ndarray, colour: np.ndarray) -> None:
    """Paint what is flat onto colour (m, 3) in place: eyes, brows and mouth; placket, badge, yoke and belt."""
    if part.name == "head":
        _paint_face((points - body.joints["head"]) @ body.turns["head"] / body.physique.size, kit, colour)
    elif part.name == "torso":
        size = body.physique.size
        chest = (points - body.joints["spine_top"]) @ body.turns["spine_top"] / size
        _paint_shirt(chest, (points - body.joints["hips"]) @ body.turns["pelvis"] / size, colour)


def _paint_face(q: np.ndarray, kit: Kit, colour: np.ndarray) -> None:
    x, y, front = np.abs(q[:, 0]), q[:, 1], q[:, 2] > 0.04
    eye = lambda w, h: front & (((x - 0.033) / w) ** 2 + ((y - 0.037) / h) ** 2 < 1)  # noqa: E731
    colour[eye(0.013, 0.007)] = 0.93
    colour[eye(0.0065, 0.0068)] = (0.07, 0.05, 0.04)
    colour[front & (np.abs(x - 0.034) < 0.018) & (np.abs(y - 0.056 + (x - 0.034) ** 2 * 8) < 0.0045)] = kit.hair
    colour[front & (x < 0.024) & (np.abs(y + 0.048 - x * x * 3) < 0.005)] = (0.62, 0.33, 0.30)


def _paint_shirt(chest: np.ndarray, pelvis: np.ndarray, colour: np.ndarray) -> None:
    x, y, front = chest[:, 0], chest[:, 1], chest[:, 2] > 0
    colour[front & (np.abs(x) < 0.009) & (y > -0.06) & (y < 0.26)] *= 0.45
    colour[front & (np.abs(x - 0.085) < 0.022) & (np.abs(y - 0.15) < 0.022)] = 0.9
    colour[~front & (np.abs(y - 0.17) < 0.006)] *= 0.6
    x, y, front = pelvis[:, 0], pelvis[:, 1], pelvis[:, 2] > 0
    belt = np.abs(y - 0.085) < 0.014
    colour[belt] = (0.10, 0.09, 0.09)
    colour[front & belt & (np.abs(x) < 0.02)] = 0.75
    colour[front & (np.abs(x) < 0.006) & (y < 0.07)] *= 0.5
