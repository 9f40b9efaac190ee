"""A time axis that leaves out the long stretches in which nothing was read.

Belongs here: finding the stretches, and placing times on them. Does not belong here: markup. Six balls in two minutes of video would
otherwise be six hairlines; and a line drawn from the end of one ball to the start of the next would be a lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from cricksy_pipeline.reading.drawing.axes import Scale

LONGEST_STEP_S = 0.25
"""A step longer than this, and five times longer than usual, parts two stretches. House default: the quick pass steps by 0.2 s."""
_PART = 14.0


def stretches(t_s: Sequence[float]) -> list[tuple[int, int]]:
    """First and last index of every unbroken stretch of increasing times in seconds, shape (n,); at least one for n > 0."""
    if not t_s:
        return []
    steps = [later - earlier for earlier, later in pairwise(t_s)]
    longest = max(LONGEST_STEP_S, 5 * median(steps)) if steps else LONGEST_STEP_S
    starts = [0, *(i + 1 for i, step in enumerate(steps) if step > longest)]
    return [(start, end - 1) for start, end in zip(starts, [*starts[1:], len(t_s)], strict=True)]


@dataclass(frozen=True)
class BrokenTime:
    """Places seconds on drawing units; all stretches share one scale, with a small gap between them.

    Attributes:
        parts: one scale per stretch, in time order.
    """

    parts: tuple[Scale, ...]

    @classmethod
    def over(cls, t_s: Sequence[float], start: float, end: float) -> BrokenTime:
        """The axis for these times (at least one), from drawing unit `start` to `end`."""
        spans = [(t_s[first], t_s[last]) for first, last in stretches(t_s)]
        gap = min(_PART, 0.2 * (end - start) / len(spans))
        # A lone sample is a stretch without length; it gets the room of a tenth of a second.
        lengths = [max(high - low, 0.1) for low, high in spans]
        unit = (end - start - gap * (len(spans) - 1)) / sum(lengths)
        parts, at = [], start
        for (low, _), length in zip(spans, lengths, strict=True):
            parts.append(Scale(low, low + length, at, at + length * unit))
            at += length * unit + gap
        return cls(tuple(parts))

    def __call__(self, t_s: float) -> float | None:
        """Where a time lies; None where it falls between stretches or outside."""
        return next((part(t_s) for part in self.parts if part.low <= t_s <= part.high), None)
