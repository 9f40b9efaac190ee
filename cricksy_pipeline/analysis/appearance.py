"""What somebody wears, in six numbers: enough to tell two people apart who are dressed unlike.

Belongs here: colours of trunk and thighs from a picture and the landmarks in it, and how unlike two of them are. Does not belong here: what
follows from being unlike (`people`, `following`). Cricketers are often all in white: what cannot be told apart here is told by place and
size, and callers must not read likeness as proof.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.analysis.medians import medians

Colours = tuple[float, ...]
"""Brightness, redness, yellowness of the trunk, then of the thighs; each about -1 to 1, medians over a patch."""

WEIGHTS = (0.6, 1.5, 1.5, 0.3, 0.5, 0.5)
"""Light changes while somebody walks about, hue hardly; thighs are narrow and often hidden. House default, uncalibrated."""

_TRUNK = tuple(INDEX[name] for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
_THIGHS = tuple((INDEX[f"{side}_hip"], INDEX[f"{side}_knee"]) for side in ("left", "right"))
_ACROSS, _DOWN = np.meshgrid(np.linspace(0.2, 0.8, 7), np.linspace(0.1, 0.9, 9))
_ALONG = np.linspace(0.15, 0.8, 9)


def colours_of(image: np.ndarray, xy: np.ndarray) -> Colours | None:
    """The colours of one body.

    Args:
        image: (h, w, 3) uint8 RGB.
        xy: (33, 2) landmarks in pixels of the image.

    Returns:
        None where trunk or thighs lie outside the image.
    """
    a, b, c, d = (xy[i] for i in _TRUNK)
    across, down = _ACROSS[..., None], _DOWN[..., None]
    trunk = (1 - down) * ((1 - across) * a + across * b) + down * ((1 - across) * c + across * d)
    thighs = np.concatenate([xy[hip] + _ALONG[:, None] * (xy[knee] - xy[hip]) for hip, knee in _THIGHS])
    parts = []
    for points in (trunk.reshape(-1, 2), thighs):
        x, y = np.floor(points).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < image.shape[1]) & (y < image.shape[0])
        if inside.mean() < 0.5:
            return None
        red, green, blue = image[y[inside], x[inside]].astype(float).T
        light = red + green + blue
        # The constant keeps dark clothes, of which a camera knows no hue, near grey.
        shades = (light / 765, (red - green) / (light + 150) * 3, (red + green - 2 * blue) / (light + 150) * 1.5)
        parts += [round(value, 4) for value in medians(np.array(shades)).tolist()]
    return tuple(parts)


def unlike(a: Sequence[float] | None, b: Sequence[float] | None) -> float | None:
    """How unlike two are dressed: 0 for the same, about 0.1 for one person in two lights, 0.5 and more for red and blue. None: not told."""
    if a is None or b is None:
        return None
    return float(np.linalg.norm((np.asarray(a) - np.asarray(b)) * WEIGHTS))


def typical(many: Sequence[Sequence[float] | None]) -> Colours | None:
    """The median of several; None where none is told."""
    told = [each for each in many if each is not None]
    return tuple(round(float(value), 4) for value in np.median(np.array(told), axis=0)) if told else None
