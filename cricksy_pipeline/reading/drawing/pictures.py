"""Still pictures for people: the player with the skeleton over him, and several moments side by side.

Belongs here: drawing over pixels that are handed in, with OpenCV. Does not belong here: decoding video, finding the player.
All colours are RGB as in the arrays; OpenCV draws whatever three numbers it is given, and only the encoder needs BGR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES

Encoding = Literal["png", "jpeg"]

# Orange and sky blue stay apart for every common kind of colour blindness (Okabe and Ito 2008), and from grass and whites.
LEFT_RGB, RIGHT_RGB, MIDDLE_RGB = (255, 158, 27), (64, 190, 255), (250, 250, 250)
SHADOW_RGB = (16, 24, 20)
RING_RGB = (255, 225, 77)
SURE = 0.5
"""Visibility below which a joint is drawn hollow. BlazePose's own convention for 'probably visible'; not a measure of accuracy."""
PNG_LEVEL = 4
"""Of zlib, without its search for what comes twice: in photographs hardly anything does. A strip of 2568 x 1256 pixels took 0.21 CPU s with
that search, and 1.4 s at level 9; this packs it in 0.14, 2 % smaller than the former."""
_SHIFT = 4  # OpenCV's fixed-point coordinates: sixteenths of a pixel, so that thin lines do not jump from frame to frame

_SIDE_BONES = ("shoulder elbow", "elbow wrist", "wrist index", "shoulder hip", "hip knee", "knee ankle", "ankle heel", "heel foot_index",
               "ankle foot_index")  # fmt: skip
_MIDDLE_BONES = (("left_shoulder", "right_shoulder"), ("left_hip", "right_hip"))
_JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")

BONES: tuple[tuple[int, int, tuple[int, int, int]], ...] = (
    *((INDEX[a], INDEX[b], MIDDLE_RGB) for a, b in _MIDDLE_BONES),
    *(
        (INDEX[f"{side}_{pair.split()[0]}"], INDEX[f"{side}_{pair.split()[1]}"], colour)
        for side, colour in (("left", LEFT_RGB), ("right", RIGHT_RGB))
        for pair in _SIDE_BONES
    ),
)


@dataclass(frozen=True)
class StripPicture:
    """One moment of a strip.

    Attributes:
        image_rgb: (h, w, 3) uint8.
        caption: e.g. `0:01.70 contact`; shown below the picture.
    """

    image_rgb: np.ndarray
    caption: str


@dataclass(frozen=True)
class NumberedPerson:
    """Somebody in the picture with the number by which he can be asked for.

    Attributes:
        number: 1 and up.
        box: left, top, width, height of his body, pixels of the picture.
    """

    number: int
    box: tuple[float, float, float, float]


def encoded(image_rgb: np.ndarray, encoding: Encoding) -> bytes:
    """The picture as a file; `image_rgb` (h, w, 3) uint8. Raises ValueError where OpenCV cannot encode it."""
    import cv2

    png = [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    options = png if encoding == "png" else [cv2.IMWRITE_JPEG_QUALITY, 88]
    ok, data = cv2.imencode(f".{'jpg' if encoding == 'jpeg' else 'png'}", cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR), options)
    if not ok:
        raise ValueError("OpenCV could not encode the picture")
    return data.tobytes()


def _check(image_rgb: np.ndarray, xy: np.ndarray, visibility: np.ndarray) -> None:
    if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8 or 0 in image_rgb.shape:
        raise ValueError(f"image_rgb must be (h, w, 3) uint8, got {image_rgb.shape} {image_rgb.dtype}")
    n = len(LANDMARK_NAMES)
    if xy.shape != (n, 2) or visibility.shape != (n,):
        raise ValueError(f"xy must be ({n}, 2) and visibility ({n},), got {xy.shape} and {visibility.shape}")


def _cropped(image: np.ndarray, xy: np.ndarray, margin: float) -> tuple[np.ndarray, np.ndarray]:
    """The part of the picture around the body, `margin` body heights wider on each side, and the landmarks in it."""
    seen = xy[np.isfinite(xy).all(axis=1)]
    if not len(seen):
        return image, xy
    low, high = seen.min(axis=0), seen.max(axis=0)
    pad = margin * max(high[1] - low[1], high[0] - low[0], 8.0)
    height, width = image.shape[:2]
    x0, y0 = (int(np.clip(v, 0, limit - 1)) for v, limit in zip(np.floor(low - pad), (width, height), strict=True))
    x1, y1 = (
        int(np.clip(v, low_edge + 1, limit)) for v, low_edge, limit in zip(np.ceil(high + pad), (x0, y0), (width, height), strict=True)
    )
    return image[y0:y1, x0:x1], xy - np.array([x0, y0], dtype=xy.dtype)


def fixed(point: np.ndarray) -> tuple[int, int]:
    """A place in OpenCV's fixed-point coordinates, sixteenths of a pixel."""
    x, y = (round(float(v) * (1 << _SHIFT)) for v in point)
    return x, y


def draw_ring(image: np.ndarray, xy: np.ndarray, width: int) -> None:
    """A ring on the ground at the player's feet, as television does; around what is seen of him where the feet are not."""
    import cv2

    seen = xy[np.isfinite(xy).all(axis=1)]
    feet = xy[[INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "foot_index")]]
    feet = feet[np.isfinite(feet).all(axis=1)]
    body = max(float(np.ptp(seen[:, 1])), float(np.ptp(seen[:, 0])), 8.0)
    if len(feet):
        centre = np.array([(feet[:, 0].min() + feet[:, 0].max()) / 2, feet[:, 1].max() - 0.01 * body])
        axes = np.array([max(np.ptp(feet[:, 0]) / 2 + 0.10 * body, 0.24 * body), 0.075 * body])
    else:
        centre = (seen.min(axis=0) + seen.max(axis=0)) / 2
        axes = np.ptp(seen, axis=0) / 2 + 0.15 * body
    for colour, thickness in ((SHADOW_RGB, width + 2), (RING_RGB, width)):
        cv2.ellipse(image, fixed(centre), fixed(axes), 0, 0, 360, colour, thickness, cv2.LINE_AA, _SHIFT)


def _draw_skeleton(image: np.ndarray, xy: np.ndarray, visibility: np.ndarray, width: int) -> None:
    import cv2

    def there(i: int) -> bool:
        return bool(np.isfinite(xy[i]).all())

    def sure(i: int) -> bool:
        return bool(visibility[i] >= SURE)

    # A dark line under each bright one keeps the figure readable on grass, whites and sky alike.
    for shadow in (True, False):
        for a, b, colour in BONES:
            if there(a) and there(b):
                thick = width if sure(a) and sure(b) else max(1, width // 2)
                cv2.line(
                    image, fixed(xy[a]), fixed(xy[b]), SHADOW_RGB if shadow else colour, thick + (2 if shadow else 0), cv2.LINE_AA, _SHIFT
                )
    joints = [(INDEX[f"{side}_{joint}"], colour) for side, colour in (("left", LEFT_RGB), ("right", RIGHT_RGB)) for joint in _JOINTS]
    for i, colour in [*joints, (INDEX["nose"], MIDDLE_RGB)]:
        if not there(i):
            continue
        centre, radius = fixed(xy[i]), round((0.9 * width + 1.2) * (1 << _SHIFT))
        cv2.circle(image, centre, radius + (1 << _SHIFT), SHADOW_RGB, -1, cv2.LINE_AA, _SHIFT)
        cv2.circle(image, centre, radius, colour, -1 if sure(i) else max(1, width // 2), cv2.LINE_AA, _SHIFT)


def skeleton_over(
    image_rgb: np.ndarray, xy: np.ndarray, visibility: np.ndarray, *, ring: bool = True, max_side: int = 640, margin: float | None = None
) -> np.ndarray:
    """A copy of the picture with the skeleton drawn over it.

    Args:
        image_rgb: (h, w, 3) uint8, upright.
        xy: (33, 2) landmark positions in pixels of `image_rgb`; NaN is not drawn.
        visibility: (33,) in [0, 1]; joints under 0.5, or NaN, are drawn hollow and their bones thin.
        ring: mark the player with a ring.
        max_side: longer side of the result in pixels; larger pictures are scaled down, smaller ones are left.
        margin: crop to the body with this many body heights around it; None keeps the whole picture.

    Returns:
        (h', w', 3) uint8 RGB.

    Raises:
        ValueError: a shape or type is not as said.
    """
    import cv2

    _check(image_rgb, xy, visibility)
    xy = xy.astype(np.float64)
    if margin is not None:
        image_rgb, xy = _cropped(image_rgb, xy, margin)
    height, width = image_rgb.shape[:2]
    factor = min(1.0, max_side / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    image = np.ascontiguousarray(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA) if factor < 1 else image_rgb.copy())
    xy = xy * (np.array(size) / np.array([width, height]))

    seen = xy[np.isfinite(xy).all(axis=1)]
    if len(seen):
        # Line width follows the body, bounded by the picture: a small player must not disappear under his own skeleton.
        body = max(float(np.ptp(seen[:, 1])), 8.0)
        line = int(np.clip(round(body / 90), 1, max(1, round(max(size) / 160))))
        if ring:
            draw_ring(image, xy, line)
        _draw_skeleton(image, xy, visibility, line)
    return image


def player_picture(
    image_rgb: np.ndarray,
    xy: np.ndarray,
    visibility: np.ndarray,
    *,
    ring: bool = True,
    max_side: int = 640,
    margin: float | None = None,
    encoding: Encoding = "png",
    number: int | None = None,
    others: Sequence[NumberedPerson] = (),
) -> bytes:
    """`skeleton_over`, encoded as PNG or JPEG (about a tenth of the size for a photograph). Same errors, same arguments, and:

    Args:
        number: the player's own; written beside him where there are others.
        others: everyone else, each with his number at his head. What is shown is wide enough for all of them.
    """
    if not others:
        return encoded(skeleton_over(image_rgb, xy, visibility, ring=ring, max_side=max_side, margin=margin), encoding)
    _check(image_rgb, xy, visibility)
    corners = np.array([[(x, y), (x + width, y + height)] for x, y, width, height in (other.box for other in others)])
    if margin is not None:
        x0, y0, x1, y1 = _shown_part(image_rgb, np.concatenate([xy, corners.reshape(-1, 2)]), xy, margin)
        image_rgb, xy, corners = image_rgb[y0:y1, x0:x1], xy - np.array([x0, y0], xy.dtype), corners - (x0, y0)
    image = skeleton_over(image_rgb, xy, visibility, ring=ring, max_side=max_side)
    scale = image.shape[1] / image_rgb.shape[1]
    for other, (low, high) in zip(others, corners * scale, strict=True):
        _draw_number(image, other.number, ((low[0] + high[0]) / 2, low[1]), MIDDLE_RGB)
    seen = xy[np.isfinite(xy).all(axis=1)] * scale
    if number is not None and len(seen):
        _draw_number(image, number, ((seen[:, 0].min() + seen[:, 0].max()) / 2, seen[:, 1].min()), RING_RGB)
    return encoded(image, encoding)


def _shown_part(image: np.ndarray, points: np.ndarray, player: np.ndarray, margin: float) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the part of the picture around all points, with room as around the player alone."""
    seen, own = (each[np.isfinite(each).all(axis=1)] for each in (points, player))
    pad = margin * max(float(np.ptp(own, axis=0).max()) if len(own) else 0.0, 8.0)
    low, high = np.floor(seen.min(axis=0) - pad), np.ceil(seen.max(axis=0) + pad)
    height, width = image.shape[:2]
    x0, y0 = int(np.clip(low[0], 0, width - 1)), int(np.clip(low[1], 0, height - 1))
    return x0, y0, int(np.clip(high[0], x0 + 1, width)), int(np.clip(high[1], y0 + 1, height))


def _draw_number(image: np.ndarray, number: int, head: tuple[float, float], colour: tuple[int, int, int]) -> None:
    """A small round label above a head, inside the picture."""
    import cv2

    radius = max(9, round(max(image.shape[:2]) / 60))
    x = int(np.clip(head[0], radius + 1, max(image.shape[1] - radius - 2, radius + 1)))
    y = int(np.clip(head[1] - radius - 3, radius + 1, max(image.shape[0] - radius - 2, radius + 1)))
    cv2.circle(image, (x, y), radius + 1, SHADOW_RGB, -1, cv2.LINE_AA)
    cv2.circle(image, (x, y), radius, colour, -1, cv2.LINE_AA)
    font, size = cv2.FontFace("sans"), max(10, round(1.2 * radius))
    _, _, width, height = cv2.getTextSize((0, 0), str(number), (0, 0), font, size)
    cv2.putText(image, str(number), (x - width // 2 - 1, y + height // 2), SHADOW_RGB, font, size)


def strip(pictures: Sequence[StripPicture], *, height: int = 320, gap: int = 8, encoding: Encoding = "png") -> bytes:
    """Several moments side by side at one height, each with its caption below.

    Args:
        pictures: at least one, in the order shown.
        height: of each picture in pixels; the caption adds about a tenth.
        gap: between pictures, pixels.

    Raises:
        ValueError: no pictures.
    """
    import cv2

    if not pictures:
        raise ValueError("a strip needs at least one picture")
    font, size, foot = cv2.FontFace("sans"), max(11, round(height / 20)), max(22, round(height / 9))
    tiles = []
    for picture in pictures:
        h, w = picture.image_rgb.shape[:2]
        # Never narrower than its caption: a tall phone picture would lose the end of it.
        text_width = cv2.getTextSize((0, 0), picture.caption, (0, 0), font, size)[2]
        image = cv2.resize(picture.image_rgb, (max(1, round(w * height / h)), height), interpolation=cv2.INTER_AREA)
        tile = np.full((height + foot, max(image.shape[1], text_width + 12), 3), 255, np.uint8)
        left = (tile.shape[1] - image.shape[1]) // 2
        tile[:height, left : left + image.shape[1]] = image
        cv2.putText(tile, picture.caption, (6, height + round(foot * 0.68)), SHADOW_RGB, font, size)
        tiles.append(tile)
        tiles.append(np.full((height + foot, gap, 3), 255, np.uint8))
    return encoded(np.hstack(tiles[:-1]), encoding)
