"""Square tiles over a picture: what the detector is shown of it where people are small.

Belongs here: where the tiles lie. Does not belong here: looking at them (`probe`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

TILE_SHARES = (0.6, 0.34)
"""Side of the square tiles, as shares of the picture's shorter side; half of a tile overlaps the next. The smaller ones find 10 % of the
height."""

MAX_TILES = 72
"""Of one size in one picture: a picture of 16 to 9 has 50 of the smaller ones, one of 21 to 9 has 65."""


def tiles(width: int, height: int, shares: tuple[float, ...] = TILE_SHARES) -> Iterator[tuple[int, int, int]]:
    """(x, y, side) of square tiles that cover a picture, each half over the next; in a long narrow picture they are larger than their
    share, so that there are at most `MAX_TILES` of each size."""
    for share in shares:
        side = max(32, round(share * min(width, height)))
        while len(_starts(width, side)) * len(_starts(height, side)) > MAX_TILES:
            side += -(-side // 8)
        for y in _starts(height, side):
            for x in _starts(width, side):
                yield x, y, side


def _starts(length: int, side: int) -> list[int]:
    if side >= length:
        return [0]
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return np.linspace(0, length - side, count).round().astype(int).tolist()
