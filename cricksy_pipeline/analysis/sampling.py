"""Which frames to analyse.

Belongs here: the sampling plan of the quick and the deep pass, and the native-rate bursts around deliveries, all by timestamp.
Does not belong here: reading timestamps (`video`), finding deliveries (`deliveries`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cricksy_pipeline.analysis.video import FrameIndex

QUICK_FPS, QUICK_SECONDS = 5.0, 30.0
"""The quick pass: five pictures a second of the first thirty seconds, both ends included."""

MAX_FPS = 240.0
"""No phone films faster in what it stores as video."""

_ROUNDING_S = 1e-6
"""Timestamps are multiples of a time base stored as floats: two times this close are the same."""


@dataclass(frozen=True)
class SamplingPlan:
    """Frame numbers, sorted, each once.

    Attributes:
        quick: (q,) int64, frames of the quick pass.
        deep: (d,) int64, frames of the deep pass; holds every frame of `quick`.
    """

    quick: np.ndarray
    deep: np.ndarray


def plan_sampling(
    index: FrameIndex, *, quick_fps: float = QUICK_FPS, quick_seconds: float = QUICK_SECONDS, deep_fps: float = 10
) -> SamplingPlan:
    """The frames nearest to a regular grid of times.

    Grid times are k / fps seconds after the first frame, up to the last frame's time inclusive; for the quick pass up to `quick_seconds`
    inclusive. Each grid time takes the frame nearest in time (the earlier of two equally near); a grid time with no frame within half a
    step takes none, and a frame is taken once however many grid times it is nearest to. A 365.3 s video at 30 fps (10,959 frames) gives
    151 and 3,653 frames.

    Raises:
        ValueError: a rate outside (0, 240], or negative seconds.
    """
    quick = grid_frames(index.t_s, quick_fps, quick_seconds)
    deep = np.union1d(grid_frames(index.t_s, deep_fps), quick)
    return SamplingPlan(quick, deep)


def grid_frames(t_s: np.ndarray, fps: float, until_s: float | None = None) -> np.ndarray:
    """(k,) int64 frame numbers nearest to the times 0, 1/fps, 2/fps ... up to the last frame, or to `until_s` where that is earlier.

    Args:
        t_s: (n,) seconds after the first frame, strictly increasing.
        fps: grid times per second, at most 240 (no more than phones film; a job row may ask for anything).
        until_s: the last grid time that may be taken, inclusive.

    Raises:
        ValueError: a rate outside (0, 240], or a negative `until_s`.
    """
    if not 0 < fps <= MAX_FPS or (until_s is not None and not until_s >= 0):
        raise ValueError(f"a grid needs a positive rate, at most {MAX_FPS:g}, and a time that is not negative")
    if not len(t_s):
        return np.zeros(0, np.int64)
    end = float(t_s[-1]) if until_s is None else min(float(t_s[-1]), until_s)
    # Only grid times next to a frame can take one: a long gap between two frames costs nothing.
    steps = np.unique(np.concatenate([np.floor(t_s * fps), np.ceil(t_s * fps)]))
    grid = steps[steps <= np.floor(end * fps + _ROUNDING_S * fps)] / fps
    right = np.clip(np.searchsorted(t_s, grid), 0, len(t_s) - 1)
    left = np.maximum(right - 1, 0)
    # Earlier wins a tie; the margin keeps a tie a tie when times are rounded differently.
    nearest = np.where(grid - t_s[left] <= t_s[right] - grid + _ROUNDING_S, left, right)
    near = np.abs(t_s[nearest] - grid) <= 0.5 / fps + _ROUNDING_S
    return np.unique(nearest[near]).astype(np.int64)


def burst_frames(index: FrameIndex, windows: list[tuple[float, float]]) -> np.ndarray:
    """(k,) int64, sorted: every frame whose time lies in one of the windows (seconds, both ends included)."""
    inside = np.zeros(len(index.t_s), bool)
    for start, end in windows:
        inside |= (index.t_s >= start - _ROUNDING_S) & (index.t_s <= end + _ROUNDING_S)
    return np.flatnonzero(inside).astype(np.int64)
