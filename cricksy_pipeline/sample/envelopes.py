"""Curves in time: monotone cubics through keys, and the weights with which faults come and go.

Belongs here: functions of time alone.
Does not belong here: anything that knows a body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import numpy as np


def curve(at: Sequence[float], values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Monotone cubic through the keys: no overshoot, no halt inside a monotone run. values (k, ...); the curve gives (n, ...) for (n,)."""
    from scipy.interpolate import PchipInterpolator

    return PchipInterpolator(at, values, axis=0)


def envelope(table: ModuleType, t: np.ndarray, start: float, full: float, easing: float, end: float) -> np.ndarray:
    """(n,) weight 0..1: rises from `start` to `full`, falls from `easing` to `end`, seconds within the table's period."""
    return curve([min(0, start - 1), start, full, easing, end, table.PERIOD_S], np.array([0.0, 0, 1, 1, 0, 0]))(t)


def bump(t: np.ndarray, start: float, end: float) -> np.ndarray:
    """(n,) one smooth rise and fall, 0 outside, 1 in the middle: (1 - cos) / 2."""
    share = np.clip((t - start) / (end - start), 0, 1)
    return (1 - np.cos(2 * np.pi * share)) / 2


def stretched(times: Sequence[float], old: Sequence[float], new: Sequence[float]) -> list[float]:
    """Key times moved so that the instants `old` come at `new`, those between in proportion.

    Raises:
        ValueError: the fault is so large that the order of events would change.
    """
    if (np.diff(new) <= 0).any():
        raise ValueError(f"a fault of timing must leave the order of events as it is: {list(new)}")
    return [float(np.interp(time, [*old, 1e3], [*new, 1e3])) for time in times]
