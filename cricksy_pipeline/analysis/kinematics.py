"""From landmarks in pixels to smooth tracks, angles and speeds.

Belongs here: what is true of any moving body, whatever the sport: repair of swapped sides, removal of outliers, filling of short
gaps, zero-lag smoothing on true timestamps, joint angles, the player's size. Arrays in, arrays out; lengths in pixels, times in
seconds, angles in degrees. Does not belong here: which moment of a delivery matters (`deliveries`) or what is good (`metrics`).

The order is fixed (repair, remove, fill, smooth) because each step assumes the one before it; the cut-offs follow Winter 2009,
"Biomechanics and Motor Control of Human Movement", ch. 3: 6 Hz for trunk and legs, 12 Hz for hands and feet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES, Landmarks

TRACK_RATE_HZ = 200.0
"""Every track is stored on this uniform grid after smoothing, so that nothing downstream depends on the rate of the video."""

CUTOFF_BODY_HZ, CUTOFF_HANDS_HZ = 6.0, 12.0
GAP_FILL_S = 0.10
BREAK_S = 0.09
"""A longer step between two sampled frames ends a track: the 10 Hz grid (0.10 s) never joins a burst."""

_LEGS = ("hip", "knee", "ankle", "heel", "foot_index")
_ARMS = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")
_FAST = np.array([any(part in name for part in ("elbow", "wrist", "pinky", "index", "thumb", "ankle", "heel")) for name in LANDMARK_NAMES])
_BUTTERWORTH_TWO_PASSES = (2**0.5 - 1) ** 0.25
"""A second-order filter run forwards and back loses 3 dB at this share of its nominal cut-off (Winter 2009, ch. 3)."""


@dataclass(frozen=True)
class Track:
    """Smoothed landmarks of one unbroken stretch of video, on a uniform grid of `TRACK_RATE_HZ`.

    Attributes:
        t_s: (m,) presentation time of each grid point.
        xy: (m, 33, 2) float64, upright pixels; NaN where a landmark was missing for longer than `GAP_FILL_S`.
        z: (m, 33) BlazePose's relative depth, interpolated, unsmoothed; only its sign is ever used.
        frame_t_s, frame: (k,) the frames of the video that the track was made from.
        rate_hz: their median rate.
        found_share: share of those frames in which a body was found.
        jitter_px: median distance of the landmarks as found from the smooth path, pixels: what is not movement.
        swaps_repaired, outliers_removed: frames whose sides were exchanged back; coordinates thrown away.
    """

    t_s: np.ndarray
    xy: np.ndarray
    z: np.ndarray
    frame_t_s: np.ndarray
    frame: np.ndarray
    rate_hz: float
    found_share: float
    jitter_px: float
    swaps_repaired: int
    outliers_removed: int

    def point(self, name: str) -> np.ndarray:
        """(m, 2) pixels of one landmark."""
        return self.xy[:, INDEX[name]]

    def middle(self, part: str) -> np.ndarray:
        """(m, 2) pixels midway between the left and right `part`, e.g. "hip"."""
        return (self.point(f"left_{part}") + self.point(f"right_{part}")) / 2

    def index_at(self, t_s: float) -> int:
        """Index of the grid point nearest to `t_s`."""
        return int(np.clip(np.rint((t_s - self.t_s[0]) * TRACK_RATE_HZ), 0, len(self.t_s) - 1))

    def span(self, start_s: float, end_s: float) -> slice:
        """The grid points from `start_s` to `end_s`, both included, cut to the track."""
        return slice(self.index_at(start_s), self.index_at(end_s) + 1)

    def frame_at(self, t_s: float) -> int:
        """The video frame shown nearest to `t_s`."""
        return int(self.frame[np.argmin(np.abs(self.frame_t_s - t_s))])


def effective_rate_hz(t_s: np.ndarray) -> float:
    """Frames per second that most of the given times are apart; 0 with fewer than two."""
    return float(1 / np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0


def tracks(landmarks: Landmarks, *, min_rate_hz: float) -> list[Track]:
    """The stretches of `landmarks` that are sampled at `min_rate_hz` or faster, smoothed, in time order.

    The rate is read from the timestamps, stretch by stretch; a sparser grid around a burst is left out.
    """
    if len(landmarks) < 2:
        return []
    found = []
    for run in np.split(np.arange(len(landmarks)), np.flatnonzero(np.diff(landmarks.t_s) > BREAK_S) + 1):
        if len(run) >= 8 and effective_rate_hz(landmarks.t_s[run]) >= min_rate_hz and landmarks.found[run].sum() >= 8:
            found.append(_smooth(landmarks.select(run)))
    return found


def _smooth(part: Landmarks) -> Track:
    t, rate = part.t_s, effective_rate_hz(part.t_s)
    xy, swaps = repair_swaps(part.xy.astype(float))
    size = body_height_px(xy)
    xy, outliers = remove_outliers(t, xy, size)
    grid = t[0] + np.arange(int(np.floor((t[-1] - t[0]) * TRACK_RATE_HZ + 1e-6)) + 1) / TRACK_RATE_HZ
    smooth = np.full((len(grid), 33, 2), np.nan)
    depth = np.full((len(grid), 33), np.nan)
    for j in range(33):
        cutoff = min(CUTOFF_HANDS_HZ if _FAST[j] else CUTOFF_BODY_HZ, rate / 3)
        smooth[:, j] = smooth_onto(t, xy[:, j], grid, cutoff)
        seen = np.isfinite(part.z[:, j])
        if seen.any():
            depth[:, j] = np.interp(grid, t[seen], part.z[seen, j])
    at_frames = smooth[np.clip(np.rint((t - grid[0]) * TRACK_RATE_HZ).astype(int), 0, len(grid) - 1)]
    apart = np.linalg.norm(part.xy - at_frames, axis=-1)
    jitter = float(np.median(apart[np.isfinite(apart)])) if np.isfinite(apart).any() else 0.0
    return Track(grid, smooth, depth, t, part.frame, rate, float(part.found.mean()), jitter, swaps, outliers)


def repair_swaps(xy: np.ndarray) -> tuple[np.ndarray, int]:
    """Exchange left and right back where a limb pair jumped to the other side. Continuity decides, arms and legs apart.

    A frame is exchanged when the exchanged pair lies much nearer to where both limbs were heading than the pair as given. If more
    than half of a stretch would be exchanged, the labels as given were right and the first frame was the odd one: all are turned.

    Args:
        xy: (n, 33, 2) pixels, NaN where nobody was found.

    Returns:
        The repaired copy, and the number of (frame, limb pair) exchanges.
    """
    xy = xy.copy()
    tolerance = 0.05 * body_height_px(xy)
    if not np.isfinite(tolerance):
        return xy, 0
    total = 0
    for parts in (_LEGS, _ARMS):
        left, right = ([INDEX[f"{side}_{part}"] for part in parts] for side in ("left", "right"))
        pair = xy[:, left + right]
        exchanged = _exchanged_frames(pair, len(parts), tolerance)
        if exchanged.mean() > 0.5:
            exchanged = ~exchanged & np.isfinite(pair[:, 0, 0])
        xy[np.ix_(exchanged, left)], xy[np.ix_(exchanged, right)] = pair[exchanged, len(parts) :], pair[exchanged, : len(parts)]
        total += int(exchanged.sum())
    return xy, total


def _exchanged_frames(pair: np.ndarray, k: int, tolerance: float) -> np.ndarray:
    """(n,) bool: frames of `pair` (n, 2k, 2; left parts first) that continue the movement only with sides exchanged."""
    turned = np.concatenate([pair[:, k:], pair[:, :k]], axis=1)
    exchanged = np.zeros(len(pair), bool)
    before = last = None
    for i in range(len(pair)):
        if not np.isfinite(pair[i]).all():
            before = last = None  # after a gap there is nothing to continue: the labels as given stand
            continue
        here = pair[i]
        if last is not None:
            expected = last if before is None else 2 * last - before
            as_given = np.linalg.norm(pair[i] - expected, axis=-1).mean()
            as_turned = np.linalg.norm(turned[i] - expected, axis=-1).mean()
            if as_turned < 0.5 * as_given and as_given - as_turned > tolerance:
                exchanged[i], here = True, turned[i]
        before, last = last, here
    return exchanged


def remove_outliers(t_s: np.ndarray, xy: np.ndarray, size_px: float) -> tuple[np.ndarray, int]:
    """NaN where a landmark leaps out of its path for one frame (Hampel's rule on the distance from the neighbours' midpoint).

    The rule looks at the departure from the line between the neighbours, not at the place itself, so that steady fast movement
    is never an outlier (Hampel 1974; threshold 4 scaled median absolute deviations within 0.25 s, and a floor that real
    acceleration does not reach at 25 frames a second: 6 % of the player's height, hands and feet 15 %).

    Args:
        t_s: (n,) seconds. xy: (n, 33, 2) pixels. size_px: the player's height.

    Returns:
        A copy with outliers as NaN, and their number.
    """
    xy = xy.copy()
    if len(xy) < 5 or not np.isfinite(size_px):
        return xy, 0
    leap = np.full(xy.shape[:2], np.nan)
    leap[1:-1] = np.linalg.norm(xy[1:-1] - (xy[:-2] + xy[2:]) / 2, axis=-1)
    half = max(2, round(0.25 * effective_rate_hz(t_s)))
    filled = np.nan_to_num(leap)
    padded = np.pad(filled, ((half, half), (0, 0)), mode="edge")
    spread = 1.4826 * np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=0), axis=-1)
    floor = np.where(_FAST, 0.15, 0.06)[None] * size_px
    neighbours = np.maximum(np.pad(filled[:-1], ((1, 0), (0, 0))), np.pad(filled[1:], ((0, 1), (0, 0))))
    bad = (filled > np.maximum(4 * spread, floor)) & (filled >= neighbours)
    xy[bad] = np.nan
    return xy, int(bad.sum())


def smooth_onto(t_s: np.ndarray, values: np.ndarray, grid_s: np.ndarray, cutoff_hz: float) -> np.ndarray:
    """Zero-lag second-order Butterworth, twice, at true times; then the values at `grid_s`.

    Each stretch without a gap above `GAP_FILL_S` is put on a uniform grid at its own median rate by a cubic spline, filtered
    forwards and back, and read off at `grid_s`; nothing is ever interpolated across a longer gap.

    Args:
        t_s: (n,) seconds, increasing. values: (n, d), NaN where missing. grid_s: (m,) seconds. cutoff_hz: -3 dB after both passes.

    Returns:
        (m, d), NaN outside the stretches.
    """
    from scipy.interpolate import make_interp_spline
    from scipy.signal import butter, sosfiltfilt

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
        sos = butter(2, min(cutoff_hz / _BUTTERWORTH_TWO_PASSES, 0.45 * rate), fs=rate, output="sos")
        # Odd padding keeps level and slope at the ends; a quarter of a second is longer than the filter's memory.
        pad = min(len(even) - 2, max(3, round(0.25 * rate)))
        level = sosfiltfilt(sos, make_interp_spline(t, values[run], k=3)(even), axis=0, padlen=pad)
        inside = (grid_s >= even[0] - 1e-9) & (grid_s <= even[-1] + 1e-9)
        out[inside] = make_interp_spline(even, level, k=3)(np.clip(grid_s[inside], even[0], even[-1]))
    return out


def joint_angle_deg(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Angle at `b` between the lines to `a` and `c`, degrees in [0, 180]; 180 is straight. All (..., 2) pixels."""
    u, v = a - b, c - b
    cross = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    return np.degrees(np.arctan2(np.abs(cross), (u * v).sum(-1)))


def plumb_angle_deg(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Lean of the line from `low` to `high` off the vertical, degrees in (-180, 180]; positive: `high` lies to the right in the picture."""
    d = high - low
    return np.degrees(np.arctan2(d[..., 0], -d[..., 1]))


def body_height_px(xy: np.ndarray) -> float:
    """The player's height in pixels: 1.28 x the 90th percentile of trunk + thigh + shank (the longer side). NaN when never seen.

    House default: 1.28 is the ratio of stature to that sum in adult proportions (Winter 2009, fig. 4.1); the percentile takes the
    moments at which the limbs lie in the picture plane.

    Args:
        xy: (n, 33, 2) pixels.
    """

    def length(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.linalg.norm(a - b, axis=-1)

    shoulders, hips = ((xy[:, INDEX[f"left_{p}"]] + xy[:, INDEX[f"right_{p}"]]) / 2 for p in ("shoulder", "hip"))
    sums = []
    for side in ("left", "right"):
        hip, knee, ankle = (xy[:, INDEX[f"{side}_{p}"]] for p in ("hip", "knee", "ankle"))
        total = length(shoulders, hips) + length(hip, knee) + length(knee, ankle)
        if np.isfinite(total).any():
            sums.append(np.nanpercentile(total, 90))
    return 1.28 * float(max(sums)) if sums else float("nan")


def velocity(t_s: np.ndarray, x: np.ndarray, half_window_s: float = 0.025) -> np.ndarray:
    """First derivative by a local quadratic (Savitzky and Golay 1964) of uniformly sampled values, units per second.

    Args:
        t_s: (m,) uniform times. x: (m, ...) values; NaN spreads as far as the fit reaches. half_window_s: half the fitted stretch.
    """
    half = min(max(1, round(half_window_s * TRACK_RATE_HZ)), (len(x) - 1) // 2)
    out = np.full(x.shape, np.nan)
    if half < 1:
        return out
    # The slope of the best quadratic through symmetric points is the odd part alone: sum(k x_k) / sum(k^2) per step.
    k = np.arange(-half, half + 1)
    windows = np.lib.stride_tricks.sliding_window_view(x, 2 * half + 1, axis=0)
    step = (t_s[-1] - t_s[0]) / (len(t_s) - 1)
    out[half:-half] = windows @ k / ((k**2).sum() * step)
    out[:half], out[-half:] = out[half], out[-half - 1]
    return out


def velocity_on_timestamps(t_s: np.ndarray, x: np.ndarray) -> np.ndarray:
    """First derivative at true, uneven times: the quadratic through each point and its two neighbours. (n, ...) units per second."""
    return np.gradient(x, t_s, axis=0) if len(t_s) > 2 else np.zeros_like(x)
