"""The player over the picture: skeleton and ring.

Belongs here: drawing one moment's landmarks. Does not belong here: which landmarks (`body`), the stills (`reading.drawing.pictures`, whose
colours and ring these are).

What is not seen is not claimed: a joint of low visibility is hollow, and no line leads to it or on from it.
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.reading.drawing.pictures import BONES, LEFT_RGB, MIDDLE_RGB, RIGHT_RGB, SHADOW_RGB, draw_ring, fixed
from cricksy_pipeline.reading.overlay.body import Body
from cricksy_pipeline.reading.overlay.style import STYLE, Style

_SHIFT = 4
_CHAINS = (("shoulder", "elbow", "wrist", "index"), ("hip", "knee", "ankle", "heel", "foot_index"))
HANGS_ON: dict[int, tuple[int, ...]] = {
    INDEX[f"{side}_{part}"]: tuple(INDEX[f"{side}_{above}"] for above in chain[: min(i, 3)])
    for side in ("left", "right")
    for chain in _CHAINS
    for i, part in enumerate(chain)
}
"""By landmark of a limb, those between it and the trunk: a forearm without an elbow would float in the air."""

_JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot_index")
JOINTS: tuple[tuple[int, tuple[int, int, int]], ...] = (
    *((INDEX[f"{side}_{joint}"], colour) for side, colour in (("left", LEFT_RGB), ("right", RIGHT_RGB)) for joint in _JOINTS),
    (INDEX["nose"], MIDDLE_RGB),
)


def draw_player(image: np.ndarray, body: Body, scale: float, *, lit: bool, style: Style = STYLE) -> None:
    """Ring and skeleton into the picture.

    Args:
        image: (h, w, 3) uint8 RGB, the scaled source.
        scale: its pixels per pixel of the source.
        lit: an event may be just now; the ring is doubled.
    """
    xy = body.xy.astype(np.float64) * scale
    tall = max(float(np.ptp(xy[:, 1])), float(np.ptp(xy[:, 0])), 8.0)
    width = int(np.clip(round(tall / 110), 1, max(1, round(max(image.shape[:2]) / 240))))
    draw_ring(image, xy, width + (2 if lit else 0))
    sure = body.visibility >= style.sure  # NaN is not
    bones = [(a, b, colour) for a, b, colour in BONES if all(sure[i] for i in (a, b, *HANGS_ON[a], *HANGS_ON[b]))]
    _lines(image, xy, bones, width)
    _joints(image, xy, body.visibility, width, style)


def _lines(image: np.ndarray, xy: np.ndarray, bones: list[tuple[int, int, tuple[int, int, int]]], width: int) -> None:
    import cv2

    # A dark line under each bright one keeps the figure readable on grass, whites and sky alike.
    for a, b, _ in bones:
        cv2.line(image, fixed(xy[a]), fixed(xy[b]), SHADOW_RGB, width + 2, cv2.LINE_AA, _SHIFT)
    for a, b, colour in bones:
        cv2.line(image, fixed(xy[a]), fixed(xy[b]), colour, width, cv2.LINE_AA, _SHIFT)


def _joints(image: np.ndarray, xy: np.ndarray, visibility: np.ndarray, width: int, style: Style) -> None:
    import cv2

    radius = 0.9 * width + 1.4
    for i, colour in JOINTS:
        if not visibility[i] >= style.seen:  # NaN, too
            continue
        centre = fixed(xy[i])
        if visibility[i] >= style.sure:
            cv2.circle(image, centre, round((radius + 1) * 16), SHADOW_RGB, -1, cv2.LINE_AA, _SHIFT)
            cv2.circle(image, centre, round(radius * 16), colour, -1, cv2.LINE_AA, _SHIFT)
        else:
            cv2.circle(image, centre, round((radius + 0.5) * 16), SHADOW_RGB, 3, cv2.LINE_AA, _SHIFT)
            cv2.circle(image, centre, round((radius + 0.5) * 16), colour, 1, cv2.LINE_AA, _SHIFT)
