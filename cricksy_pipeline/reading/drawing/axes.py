"""Linear scales and readable tick positions for drawings written by hand.

Belongs here: the arithmetic that `plots` and `range_bar` share. Does not belong here: any markup.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps values in [low, high] linearly to drawing units [start, end]; values outside land outside."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The drawing position of `value`."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def inside(self, value: float) -> float:
        """The drawing position of `value`, held within the scale's two ends."""
        return self(min(max(value, self.low), self.high))


def padded_range(values: Iterable[float], share: float = 0.08) -> tuple[float, float]:
    """Lowest and highest of the finite `values`, widened by `share` of their distance on each side; never of zero length.

    Raises:
        ValueError: no finite value.
    """
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        raise ValueError("no finite value to scale")
    low, high = min(finite), max(finite)
    pad = (high - low) * share or max(abs(high) * share, 0.5)
    return low - pad, high + pad


def ticks(low: float, high: float, about: int = 5) -> tuple[list[float], int]:
    """Multiples of 1, 2 or 5 times a power of ten within [low, high], about `about` of them, and the decimals they need."""
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, places) + 0.0 for i in range(first, last + 1)], places
