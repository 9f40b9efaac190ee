"""From landmarks in pixels to smooth tracks, angles and speeds.

Belongs here: `Track`, what is true of any moving body whatever the sport, and the order in which a track is made; joint angles and speeds.
Arrays in, arrays out; lengths in pixels, times in seconds, angles in degrees. Does not belong here: the single steps (`swaps`, `limbs`,
`smoothing`, `stature`), which moment of a delivery matters (`deliveries`), what is good (`metrics`).

The order is fixed (put sides back, reject, remove leaps, fill, smooth) because each step assumes the one before it; the cut-offs follow
Winter 2009, "Biomechanics and Motor Control of Human Movement", ch. 3: 6 Hz for trunk and legs, 12 Hz for hands, feet and head, and
never more than a third of the rate of the pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES, Landmarks
from cricksy_pipeline.analysis.limbs import bone_variation, impossible, outside_picture, weights
from cricksy_pipeline.analysis.smoothing import effective_rate_hz, remove_outliers, smooth_onto, smooth_points_onto
from cricksy_pipeline.analysis.stature import body_height_px, stature
from cricksy_pipeline.analysis.swaps import repaired, swapped_landmarks, swapped_limbs

__all__ = [
    "TRACK_RATE_HZ",
    "Track",
    "body_height_px",
    "effective_rate_hz",
    "joint_angle_deg",
    "plumb_angle_deg",
    "tracks",
    "velocity",
    "velocity_on_timestamps",
]

TRACK_RATE_HZ = 200.0
"""Every track is stored on this uniform grid after smoothing, so that nothing downstream depends on the rate of the video."""

CUTOFF_BODY_HZ, CUTOFF_HANDS_HZ = 6.0, 12.0
BREAK_S = 0.09
"""A longer step between two sampled frames ends a track: the 10 Hz grid (0.10 s) never joins a burst."""

LEAST_FRAMES = 8

_FAST_PARTS = ("elbow", "wrist", "pinky", "index", "thumb", "ankle", "heel", "ear", "eye")
_FAST = np.array([any(part in name for part in _FAST_PARTS) for name in LANDMARK_NAMES])
"""The head, too: at 6 Hz a bob of 6 % of the height is read up to a sixth lower (decision 0017)."""
LEAP_BODY, LEAP_HANDS = 0.06, 0.15
"""Body heights that real acceleration does not move a landmark off the line between its neighbours at 25 frames a second."""


@dataclass(frozen=True)
class Track:
    """Smoothed landmarks of one unbroken stretch of video, on a uniform grid of `TRACK_RATE_HZ`.

    Attributes:
        t_s: (m,) presentation time of each grid point.
        xy: (m, 33, 2) float64, upright pixels; NaN where a landmark was missing for longer than `smoothing.GAP_FILL_S`.
        z: (m, 33) BlazePose's relative depth, interpolated, unsmoothed; only its sign is ever used.
        world: (k, 33, 3) BlazePose's metric guess at each frame, metres right, down and away; used only for which way the body faces.
        frame_t_s, frame: (k,) the frames of the video that the track was made from.
        frame_found: (k,) bool, in which of them a body was found; all of them where not given.
        rate_hz: their median rate.
        found_share: share of those frames in which a body was found.
        jitter_px: median distance of the landmarks as found from the smooth path, pixels: what is not movement.
        swaps_repaired: (frame, limb pair) exchanges of left and right put back; a limb pair is the arms or the legs.
        outliers_removed: landmarks thrown away because they leapt.
        swap_share: share of the found frames in which anything was exchanged.
        limbs_rejected: landmarks thrown away because they hung on an impossible bone.
        outside: landmarks thrown away because they lay outside the picture.
        bone_variation: how much the legs' bones waver in length (`limbs.bone_variation`); None with too few frames.
        weight: (m, 33) trust in each landmark, 0 to 1 (`limbs.weights`).
        camera: (m, 2) smoothed pixels by which the background has moved since the start of the shot; NaN where it could not be told.
        camera_moved: body heights by which it moves from one frame to the next, 90th percentile; NaN where it could not be told.
        height_px, height_sigma_px: the player's height over the whole track and its standard deviation.
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
    world: np.ndarray = field(default_factory=lambda: np.zeros((0, 33, 3)), repr=False)
    frame_found: np.ndarray = field(default_factory=lambda: np.zeros(0, bool), repr=False)
    swap_share: float = 0.0
    limbs_rejected: int = 0
    outside: int = 0
    bone_variation: float | None = None
    weight: np.ndarray = field(default_factory=lambda: np.ones((1, 33)), repr=False)
    camera: np.ndarray = field(default_factory=lambda: np.zeros((1, 2)), repr=False)
    camera_moved: float = 0.0
    height_px: float = float("nan")
    height_sigma_px: float = float("nan")

    def __post_init__(self) -> None:
        if len(self.frame_found) != len(self.frame_t_s):
            object.__setattr__(self, "frame_found", np.ones(len(self.frame_t_s), bool))

    def point(self, name: str) -> np.ndarray:
        """(m, 2) pixels of one landmark."""
        return self.xy[:, INDEX[name]]

    def middle(self, part: str) -> np.ndarray:
        """(m, 2) pixels midway between the left and right `part`, e.g. "hip"."""
        return (self.point(f"left_{part}") + self.point(f"right_{part}")) / 2

    def steady(self, name: str) -> np.ndarray:
        """(m, 2) pixels of one landmark, or of the middle of both where `name` has no side ("hip"), with the camera's movement taken out:
        places over time that are fixed to the ground. NaN where the camera's movement is not known."""
        return (self.point(name) if name in INDEX else self.middle(name)) - self.camera

    def trust(self, names: Sequence[str], span: slice) -> float:
        """How far the weakest of the named landmarks is to be trusted over `span`, mean over time, 0 to 1; 0 for an empty span."""
        every = np.broadcast_to(self.weight, (len(self.t_s), 33))
        least = every[span][:, [INDEX[name] for name in names]].min(axis=1)
        return float(least.mean()) if len(least) else 0.0

    def index_at(self, t_s: float) -> int:
        """Index of the grid point nearest to `t_s`."""
        return int(np.clip(np.rint((t_s - self.t_s[0]) * TRACK_RATE_HZ), 0, len(self.t_s) - 1))

    def span(self, start_s: float, end_s: float) -> slice:
        """The grid points from `start_s` to `end_s`, both included, cut to the track."""
        return slice(self.index_at(start_s), self.index_at(end_s) + 1)

    def frame_at(self, t_s: float) -> int:
        """The video frame shown nearest to `t_s`."""
        return int(self.frame[np.argmin(np.abs(self.frame_t_s - t_s))])


def tracks(landmarks: Landmarks, *, min_rate_hz: float) -> list[Track]:
    """The stretches of `landmarks` that are sampled at `min_rate_hz` or faster, smoothed, in time order; none goes across a cut.

    The rate is read from the timestamps, stretch by stretch; a sparser grid around a burst is left out.
    """
    if len(landmarks) < 2:
        return []
    breaks = (np.diff(landmarks.t_s) > BREAK_S) | (np.diff(landmarks.shot) != 0)
    runs = [
        run
        for run in np.split(np.arange(len(landmarks)), np.flatnonzero(breaks) + 1)
        if len(run) >= LEAST_FRAMES and effective_rate_hz(landmarks.t_s[run]) >= min_rate_hz and landmarks.found[run].sum() >= LEAST_FRAMES
    ]
    if not runs:
        return []
    exchanged = swapped_landmarks(landmarks)  # over grid and bursts together: the same answer that a picture of any of the frames gets
    whole = repaired(landmarks, exchanged=exchanged)
    return [_smooth(whole.select(run), exchanged[run]) for run in runs]


def _smooth(part: Landmarks, exchanged: np.ndarray) -> Track:
    """The track of one run of frames whose sides were put back; `exchanged` says where."""
    t, rate, found = part.t_s, effective_rate_hz(part.t_s), part.found
    as_found = part.xy.astype(float)
    outside = outside_picture(as_found, part.width, part.height)
    too_long = impossible(t, as_found) & ~outside
    size = body_height_px(as_found)
    kept = np.where((outside | too_long)[..., None], np.nan, as_found)
    xy, outliers = remove_outliers(t, kept, np.where(_FAST, LEAP_HANDS, LEAP_BODY) * size)
    grid = t[0] + np.arange(int(np.floor((t[-1] - t[0]) * TRACK_RATE_HZ + 1e-6)) + 1) / TRACK_RATE_HZ
    smooth = np.empty((len(grid), 33, 2))
    for band, cutoff in ((_FAST, CUTOFF_HANDS_HZ), (~_FAST, CUTOFF_BODY_HZ)):
        smooth[:, band] = smooth_points_onto(t, xy[:, band], grid, min(cutoff, rate / 3))
    at_frames = smooth[np.clip(np.rint((t - grid[0]) * TRACK_RATE_HZ).astype(int), 0, len(grid) - 1)]
    apart = np.linalg.norm(as_found - at_frames, axis=-1)
    height = stature(xy)
    weight = weights(part, height.px, exchanged, np.isnan(xy[..., 0]))
    return Track(
        t_s=grid,
        xy=smooth,
        z=_interpolated(t, part.z, grid),
        frame_t_s=t,
        frame=part.frame,
        rate_hz=rate,
        found_share=float(found.mean()),
        jitter_px=float(np.median(apart[np.isfinite(apart)])) if np.isfinite(apart).any() else 0.0,
        swaps_repaired=int(swapped_limbs(exchanged).sum()),
        outliers_removed=outliers,
        world=part.world,
        frame_found=found,
        swap_share=float(exchanged.any(axis=1).sum() / max(1, found.sum())),
        limbs_rejected=int((too_long & found[:, None]).sum()),
        outside=int((outside & found[:, None]).sum()),
        bone_variation=bone_variation(as_found),
        weight=weight[np.searchsorted((t[:-1] + t[1:]) / 2, grid)],
        camera=_camera(t, part.camera.astype(float), grid, min(CUTOFF_BODY_HZ, rate / 3)),
        camera_moved=_camera_moved(part.camera.astype(float), height.px),
        height_px=height.px,
        height_sigma_px=height.sigma_px,
    )


def _interpolated(t_s: np.ndarray, z: np.ndarray, grid_s: np.ndarray) -> np.ndarray:
    """(m, 33) `z` (n, 33) at `grid_s`, straight lines between the frames in which a body was found."""
    seen = np.flatnonzero(np.isfinite(z).all(axis=1))
    if not len(seen):
        return np.full((len(grid_s), z.shape[1]), np.nan)
    place = np.interp(grid_s, t_s[seen], np.arange(len(seen)))
    before = np.minimum(place.astype(int), max(len(seen) - 2, 0))
    after = np.minimum(before + 1, len(seen) - 1)
    share = (place - before)[:, None]
    return z[seen[before]] * (1 - share) + z[seen[after]] * share


def _camera(t_s: np.ndarray, camera: np.ndarray, grid_s: np.ndarray, cutoff_hz: float) -> np.ndarray:
    return smooth_onto(t_s, camera, grid_s, cutoff_hz) if camera.any() else np.zeros((len(grid_s), 2))


def _camera_moved(camera: np.ndarray, height_px: float) -> float:
    moved = np.linalg.norm(np.diff(camera, axis=0), axis=-1)
    known = np.isfinite(moved)
    return float(np.percentile(moved[known], 90) / height_px) if known.any() and height_px > 0 else float("nan")


def joint_angle_deg(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Angle at `b` between the lines to `a` and `c`, degrees in [0, 180]; 180 is straight. All (..., 2) pixels."""
    u, v = a - b, c - b
    cross = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
    return np.degrees(np.arctan2(np.abs(cross), (u * v).sum(-1)))


def plumb_angle_deg(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Lean of the line from `low` to `high` off the vertical, degrees in (-180, 180]; positive: `high` lies to the right in the picture."""
    d = high - low
    return np.degrees(np.arctan2(d[..., 0], -d[..., 1]))


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
