"""What is not a person in the field: a game's figure of blocks, a drawn stick figure, two gloved hands close up.

Belongs here: their shapes and their pictures, and the camera that films hands.
Does not belong here: truth: none of them has any.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.sample.body import Body
from cricksy_pipeline.sample.camera import Camera, look
from cricksy_pipeline.sample.figure import Colour, Kit, forearm_and_hand
from cricksy_pipeline.sample.filming import standing
from cricksy_pipeline.sample.motion import simulate
from cricksy_pipeline.sample.rotations import frame, unit
from cricksy_pipeline.sample.solids import Part, RoundCone, Slab

if TYPE_CHECKING:
    from cricksy_pipeline.sample.spec import ClipSpec

_SKY, _GRASS, _PAPER, _INK = (0.45, 0.70, 0.95), (0.30, 0.62, 0.25), (0.96, 0.95, 0.92), (0.08, 0.08, 0.10)
_HANDS_SPAN_M, _HANDS_AWAY_M = 0.85, 1.3
_LIMBS = (("shoulder", "elbow", 0.055), ("elbow", "wrist", 0.045), ("hip", "knee", 0.075), ("knee", "ankle", 0.06), ("heel", "toe", 0.05))
_STROKES = (
    ("neck", "hips"), ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"),
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right")
      for a, b in pairwise(("shoulder", "elbow", "wrist"))),
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in pairwise(("hip", "knee", "ankle", "toe"))),
)  # fmt: skip


def body_of(spec: ClipSpec) -> Body:
    """The skeleton that the figure is made on, at every frame. Hands only fidget: a swing would leave the close-up."""
    life = spec.life_s(spec.t_s)
    if spec.figure == "hands":
        return simulate("drive", 0.55 + 0.40 * (1 - np.cos(2 * np.pi * life / 1.3)) / 2, variation=spec.variation)
    return simulate(spec.motion, life, spec.faults, spec.variation)


def camera_of(spec: ClipSpec) -> Camera:
    """The camera that films two hands: near, and looking at them."""
    hands = simulate("drive", np.array([0.7]), variation=spec.variation).joints
    aim = (hands["left_palm"][0] + hands["right_palm"][0]) / 2
    eye, target, _ = standing(spec)
    size = (spec.width * spec.supersampling, spec.height * spec.supersampling)
    return look(aim + _HANDS_AWAY_M * unit(eye - target), aim, _HANDS_SPAN_M, size)


def hands(body: Body, kit: Kit) -> list[Part]:
    """Two gloved hands with their forearms, and the bat's handle."""
    down = unit(body.joints["bat_toe"] - body.joints["bat_top"])
    handle = RoundCone(body.joints["bat_top"], body.joints["bat_top"] + down * 0.32, 0.016, 0.017, kit.rubber)
    return [part for side in ("left", "right") for part in forearm_and_hand(body, kit, side)] + [Part("bat", 0.01, [handle])]


def blocks(body: Body, kit: Kit) -> list[Part]:
    """A game's figure: one box for each bone, a cube for the head, a plank for the bat."""
    j, colours = body.joints, {"shoulder": kit.shirt, "elbow": kit.skin, "hip": kit.trousers, "knee": kit.trousers, "heel": kit.shoe}
    boxes = [_box(j[f"{side}_{a}"], j[f"{side}_{b}"], half, colours[a]) for side in ("left", "right") for a, b, half in _LIMBS]
    boxes.append(Slab((j["hips"] + j["neck"]) / 2, body.turns["spine_top"], (0.19, 0.30, 0.11), kit.shirt))
    boxes.append(Slab(j["head"] + body.turns["head"] @ np.array([0, 0.05, 0.02]), body.turns["head"], (0.11, 0.14, 0.11), kit.skin))
    if body.holds_bat:
        boxes.append(_box(j["bat_top"], j["bat_toe"], 0.04, kit.willow))
    return [Part("block", 0.002, [box]) for box in boxes]


def _box(a: np.ndarray, b: np.ndarray, half: float, colour: Colour) -> Slab:
    across = np.array([0, 0, 1.0]) if abs(unit(b - a)[2]) < 0.9 else np.array([1.0, 0, 0])
    return Slab((a + b) / 2, frame(b - a, across), (half, float(np.linalg.norm(b - a)) / 2 + half * 0.6, half), colour)


def flat_field(camera: Camera) -> np.ndarray:
    """(h, w, 3) float32: a game's sky and grass in two colours."""
    y, x = np.mgrid[0 : camera.height, 0 : camera.width]
    below = camera.rays(x, y)[..., 1] < 0
    return np.where(below[..., None], np.array(_GRASS), np.array(_SKY)).astype(np.float32)


def drawing(body: Body, camera: Camera) -> np.ndarray:
    """(h, w, 3) float32: a stick figure in ink on paper."""
    import cv2

    page = np.tile(np.array(_PAPER, np.float32), (camera.height, camera.width, 1))
    px = {name: np.round(camera.project(p) * 16).astype(int) for name, p in body.joints.items()}
    pen = max(2, round(camera.height / 130))
    strokes = list(_STROKES) + ([("bat_top", "bat_toe")] if body.holds_bat else [])
    for a, b in strokes:
        cv2.line(page, px[a].tolist(), px[b].tolist(), _INK, pen, cv2.LINE_AA, 4)
    radius = np.linalg.norm(camera.project(body.joints["head"]) - camera.project(body.joints["neck"])) * 1.1
    middle = camera.project(body.joints["head"] + np.array([0, 0.05, 0]))
    cv2.circle(page, np.round(middle * 16).astype(int).tolist(), round(radius * 16), _INK, pen, cv2.LINE_AA, 4)
    return page
