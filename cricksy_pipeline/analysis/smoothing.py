"""From values at the times of the frames to smooth values on a uniform grid.

Belongs here: removal of outliers, filling of short gaps, zero-lag smoothing on true timestamps, the effective rate of some times.
Arrays in, arrays out; times in seconds. Does not belong here: what the values mean (`kinematics`), sides and limbs (`swaps`, `limbs`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

GAP_FILL_S = 0.10

OUTLIER_WINDOW_S = 0.25
OUTLIER_SPREADS = 4.0

_BUTTERWORTH_TWO_PASSES = (2**0.5 - 1) ** 0.25
"""A second-order filter run forwards and back loses 3 dB at this share of its nominal cut-off (Winter 2009, ch. 3)."""


def effective_rate_hz(t_s: np.ndarray) -> float:
    """Frames per second that most of the given times are apart; 0 with fewer than two."""
    return float(1 / np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0


def remove_outliers(t_s: np.ndarray, xy: np.ndarray, floor_px: np.ndarray) -> tuple[np.ndarray, int]:
    """NaN where a landmark leaps out of its path for one frame (Hampel's rule on the distance from the neighbours' midpoint).

    The rule looks at the departure from the line between the neighbours, not at the place itself, so that steady fast movement
    is never an outlier (Hampel 1974; threshold 4 scaled median absolute deviations within 0.25 s, and a floor).

    Args:
        t_s: (n,) seconds. xy: (n, k, 2) pixels. floor_px: (k,) a smaller departure is never an outlier; not finite: nothing is removed.

    Returns:
        A copy with outliers as NaN, and their number.
    """
    xy = xy.copy()
    if len(xy) < 5 or not np.isfinite(floor_px).all():
        return xy, 0
    leap = np.full(xy.shape[:2], np.nan)
    leap[1:-1] = np.linalg.norm(xy[1:-1] - (xy[:-2] + xy[2:]) / 2, axis=-1)
    filled = np.nan_to_num(leap)
    far = filled > floor_px
    if not far.any():
        return xy, 0
    half = max(2, round(OUTLIER_WINDOW_S * effective_rate_hz(t_s)))
    suspects = np.flatnonzero(far.any(axis=0))  # the running median is the dear part: only where something is above the floor
    padded = np.pad(filled[:, suspects], ((half, half), (0, 0)), mode="edge")
    spread = 1.4826 * np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0), axis=-1)
    neighbours = np.maximum(np.pad(filled[:-1], ((1, 0), (0, 0))), np.pad(filled[1:], ((0, 1), (0, 0))))
    bad = far & (filled >= neighbours)
    bad[:, suspects] &= filled[:, suspects] > OUTLIER_SPREADS * spread
    xy[bad] = np.nan
    return xy, int(bad.sum())


def smooth_onto(t_s: np.ndarray, values: np.ndarray, grid_s: np.ndarray, cutoff_hz: float) -> np.ndarray:
    """Zero-lag second-order Butterworth, twice, at true times; then the values at `grid_s`.

    Each stretch without a gap above `GAP_FILL_S` is put on a uniform grid at its own median rate by a cubic spline, filtered
    forwards and back, and read off at `grid_s`; nothing is ever interpolated across a longer gap.

    Args:
        t_s: (n,) seconds, increasing. values: (n, d), a row with any NaN is missing. grid_s: (m,) seconds.
        cutoff_hz: -3 dB after both passes.

    Returns:
        (m, d), NaN outside the stretches.
    """
    from scipy.interpolate import make_interp_spline
    from scipy.signal import sosfiltfilt

    out = np.full((len(grid_s), values.shape[1]), np.nan)
    seen = np.flatnonzero(np.isfinite(values).all(axis=1))
    if len(seen) < 2:
        return out
    for run in np.split(seen, np.flatnonzero(np.diff(t_s[seen]) > GAP_FILL_S + 1e-6) + 1):
        if len(run) < 8:
            continue
        t = t_s[run]
        rate = effective_rate_hz(t)
        even = t[0] + np.arange(int(np.floor((t[-1] - t[0]) * rate + 1e-6)) + 1) / rate
        if len(even) < 8:
            continue
        # Odd padding keeps level and slope at the ends; a quarter of a second is longer than the filter's memory.
        pad = min(len(even) - 2, max(3, round(0.25 * rate)))
        level = sosfiltfilt(_low_pass(cutoff_hz, rate), make_interp_spline(t, values[run], k=3)(even), axis=0, padlen=pad)
        inside = (grid_s >= even[0] - 1e-9) & (grid_s <= even[-1] + 1e-9)
        out[inside] = make_interp_spline(even, level, k=3)(np.clip(grid_s[inside], even[0], even[-1]))
    return out


def smooth_points_onto(t_s: np.ndarray, xy: np.ndarray, grid_s: np.ndarray, cutoff_hz: float) -> np.ndarray:
    """`smooth_onto` for k points at once; each is missing on its own. Points that are there in the same frames share one call.

    Args:
        t_s: (n,) seconds, increasing. xy: (n, k, 2), NaN where missing. grid_s: (m,) seconds. cutoff_hz: see `smooth_onto`.

    Returns:
        (m, k, 2), NaN outside the stretches.
    """
    out = np.full((len(grid_s), xy.shape[1], 2), np.nan)
    seen = np.isfinite(xy).all(axis=2)
    anyone = np.flatnonzero(seen.any(axis=1))
    # No point is joined across a gap in which there is none of them, so each stretch between such gaps stands for itself, and in it most
    # points are there in the same frames.
    for stretch in np.split(anyone, np.flatnonzero(np.diff(t_s[anyone]) > GAP_FILL_S + 1e-6) + 1):
        inside = slice(*np.searchsorted(grid_s, [t_s[stretch[0]] - 1e-6, t_s[stretch[-1]] + 1e-6])) if len(stretch) else slice(0)
        groups: dict[bytes, list[int]] = {}
        for j, there in enumerate(seen[stretch].T):
            groups.setdefault(there.tobytes(), []).append(j)
        for together in groups.values():
            values = xy[np.ix_(stretch, together)].reshape(len(stretch), -1)
            out[inside, together] = smooth_onto(t_s[stretch], values, grid_s[inside], cutoff_hz).reshape(-1, len(together), 2)
    return out


@lru_cache(maxsize=256)
def _low_pass(cutoff_hz: float, rate_hz: float) -> np.ndarray:
    from scipy.signal import butter

    return butter(2, min(cutoff_hz / _BUTTERWORTH_TWO_PASSES, 0.45 * rate_hz), fs=rate_hz, output="sos")
