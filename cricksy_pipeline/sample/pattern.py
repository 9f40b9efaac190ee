"""Cheap test videos whose every frame says which frame it is.

Belongs here: a pattern that survives compression, its writer and its reader; for tests of decoding, sampling and long files.
Does not belong here: anything that looks like cricket.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from cricksy_pipeline.sample.video_file import write_video

_GRID = 4
_BITS = _GRID * _GRID
_DARK, _LIGHT = 24, 232
_QUALITY = {"h264": 20, "hevc": 20, "vp9": 10, "av1": 8, "mjpeg": 4}  # at 20, libsvtav1 blurred 1 frame of 1000 beyond reading


def pattern(index: int, size: tuple[int, int]) -> np.ndarray:
    """(h, w) uint8: 4 x 4 blocks, dark = 0, light = 1, the lowest bit top left, row by row. size = (width, height)."""
    width, height = size
    bits = (index >> np.arange(_BITS)) & 1
    blocks = np.where(bits, _LIGHT, _DARK).astype(np.uint8).reshape(_GRID, _GRID)
    rows, columns = np.arange(height) * _GRID // height, np.arange(width) * _GRID // width
    return blocks[rows[:, None], columns]


def read_pattern_index(image: np.ndarray) -> int:
    """Which frame an upright picture is, (h, w, 3) or (h, w) uint8, at any scale.

    Raises:
        ValueError: a block is neither clearly dark nor clearly light: not a pattern, squashed beyond reading, or a mix of two frames.
    """
    grey = image.mean(-1) if image.ndim == 3 else image.astype(float)
    height, width = grey.shape
    index = 0
    for bit in range(_BITS):
        row, column = divmod(bit, _GRID)
        y, x = (row * height // _GRID, (row + 1) * height // _GRID), (column * width // _GRID, (column + 1) * width // _GRID)
        dy, dx = (y[1] - y[0]) // 4, (x[1] - x[0]) // 4  # the middle of the block: edges ring
        level = grey[y[0] + dy : y[1] - dy, x[0] + dx : x[1] - dx].mean()
        if 85 < level < 170:
            raise ValueError(f"block {bit} has level {level:.0f}: neither dark nor light")
        index |= int(level > 127) << bit
    return index


def write_pattern_clip(
    path: Path,
    timestamps: Sequence[float] | Sequence[Fraction],
    *,
    size: tuple[int, int] = (64, 48),
    codec: str = "h264",
    rotation: int = 0,
    time_base: Fraction = Fraction(1, 90_000),
) -> np.ndarray:
    """Write one pattern per timestamp; frame i shows `pattern(i, size)`.

    Args:
        path: an .mp4.
        timestamps: presentation times in seconds, strictly increasing; they need not start at 0. At most 65,536.
        size: upright (width, height) in pixels, even; 64 x 48 is enough to read.
        codec: h264, hevc, vp9, av1 or mjpeg.
        rotation: 0, 90, 180, 270: degrees clockwise by which a player must turn the stored picture.
        time_base: seconds per tick; 1/30000 holds 30000/1001 frames per second exactly.

    Returns:
        (n,) the timestamps in seconds as written, rounded to ticks.

    Raises:
        ValueError: too many frames, or timestamps that do not increase.
    """
    if not 0 < len(timestamps) <= 1 << _BITS:
        raise ValueError(f"a pattern clip holds 1 to {1 << _BITS} frames")
    ticks = np.array([round(Fraction(t) / time_base) for t in timestamps], dtype=np.int64)
    if (np.diff(ticks) <= 0).any():
        raise ValueError("timestamps must strictly increase by at least one tick")

    def frames() -> Iterator[np.ndarray]:
        for index in range(len(ticks)):
            yield pattern(index, size)

    write_video(path, frames(), ticks, time_base, codec=codec, crf=_QUALITY[codec], rotation=rotation, quick=True)
    return ticks * time_base.numerator / time_base.denominator
