"""How sure the time of an event is: its detector run again on other draws of what was seen.

Belongs here: `Closeup`, the few points that one event is told from; the draws; putting together what a time may be off by. Does not
belong here: the detectors (`strokes`, `overarm`, `landings`, `takes`, `fielding`), the numbers (`delivery_settings`).

A time is as sure as its detector is stable (cricket-metrics 3.5): it is run on some thirty draws of keypoint noise, each with its
thresholds a tenth up or down. What the draws cannot know, how far the movement that is looked for lies from the thing itself, is the
calibrated residual of the event. The draws come in pairs, mirrored left and right, so that a mirrored clip has the same sigma.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.events import EventTime
from cricksy_pipeline.analysis.kinematics import CUTOFF_BODY_HZ, CUTOFF_HANDS_HZ, TRACK_RATE_HZ, Track, velocity

SLOW_POINTS = ("hips", "shoulders", "head")
"""Roles that move with the trunk and are smoothed as it is; all others as hands and feet."""

MIDDLES = ("hips", "shoulders", "hands", "feet")
"""Roles that are the middle of a left and a right landmark: their noise is smaller by the root of two."""

_SEED = 20_020
_THIGH_OF_HEIGHT = 0.245
"""Winter 2009, fig. 4.1."""
_MEDIAN_OF_TWO_AXES = 1.177
"""Median distance of a point with Gaussian noise of 1 on either axis (Rayleigh)."""


@dataclass(frozen=True)
class Closeup:
    """A stretch of a track with the points that one event is told from.

    Attributes:
        t_s: (m,) uniform times.
        points: role -> (m, 2) pixels; roles such as "hands", "heel", "shoulder" name no side.
        size: the player's height in pixels.
        slack: factor on every threshold, 1 but for the draws.
    """

    t_s: np.ndarray
    points: Mapping[str, np.ndarray]
    size: float
    slack: float = 1.0

    def speed(self, role: str, against: str | None = None, half_s: float = 0.025) -> np.ndarray:
        """(m,) body heights a second, against another point or the picture."""
        return np.linalg.norm(self.velocity(role, against, half_s), axis=-1)

    def velocity(self, role: str, against: str | None = None, half_s: float = 0.025) -> np.ndarray:
        """(m, 2) body heights a second, x right, y down, over `half_s` to either side."""
        path = self.points[role] if against is None else self.points[role] - self.points[against]
        return velocity(self.t_s, path, half_s) / self.size

    def height(self, role: str, over: str | None = None) -> np.ndarray:
        """(m,) body heights above another point, or above the lower edge of nothing: only differences count then."""
        other = 0.0 if over is None else self.points[over][:, 1]
        return (other - self.points[role][:, 1]) / self.size

    def index_at(self, t_s: float) -> int:
        """The sample nearest to a time."""
        # `min`, as the place is never negative: NumPy's clip takes five times as long for one number, and this is asked in every draw.
        return min(int(np.searchsorted(self.t_s, t_s - 0.5 / TRACK_RATE_HZ)), len(self.t_s) - 1)

    def span(self, start_s: float, end_s: float) -> slice:
        """The samples from `start_s` to `end_s`, both included."""
        return slice(self.index_at(start_s), self.index_at(end_s) + 1)


Detector = Callable[[Closeup], float | None]
"""The time of an event in a close-up; None where it does not show."""


def closeup(track: Track, points: Mapping[str, np.ndarray], size: float, start_s: float, end_s: float) -> Closeup:
    """The stretch of `track` between two times. points: role -> (m, 2) over the whole track."""
    span = track.span(start_s, end_s)
    return Closeup(track.t_s[span], {role: path[span] for role, path in points.items()}, size)


def timed(name: str, view: Closeup, detector: Detector, track: Track, settings: DeliverySettings, evidence: str = "") -> EventTime | None:
    """The event with its uncertainty; None where the detector finds nothing, or nothing in most of the draws.

    Args:
        name: of the event, a key of `DeliverySettings.errors`.
        view: what the detector looks at.
        evidence: what it looks for, for people.
    """
    first = detector(view)
    if first is None:
        return None
    found = [detector(draw) for draw in _draws(view, track, settings)]
    times = np.sort([t for t in found if t is not None])
    if len(found) and len(times) < settings.least_share_of_draws * len(found):
        return None
    # Half the middle 68 %: one draw that went elsewhere does not decide, and for a Gaussian it is the standard deviation.
    spread = float(np.diff(np.quantile(times, [0.16, 0.84]))[0] / 2) if len(times) else 0.0
    known = settings.errors[name]
    t_s = first + known.offset_s
    frame_s = 1 / track.rate_hz / 12**0.5
    return EventTime(float(t_s), float(np.sqrt(frame_s**2 + spread**2 + known.sigma_s**2)), track.frame_at(t_s), evidence)


def keypoint_noise_px(track: Track, size: float, settings: DeliverySettings) -> float:
    """Standard deviation per axis of a landmark as found: the stated share of the thigh, or what this track shows where that is more."""
    stated = settings.keypoint_noise_of_thigh * _THIGH_OF_HEIGHT * size
    return max(stated, track.jitter_px / _MEDIAN_OF_TWO_AXES)


def _draws(view: Closeup, track: Track, settings: DeliverySettings) -> Iterator[Closeup]:
    """Pairs of close-ups with noise put on, smoothed as the track was; the second of a pair has the noise of the first mirrored."""
    noise_px = keypoint_noise_px(track, view.size, settings)
    roles = sorted(view.points)
    cutoffs = tuple(CUTOFF_BODY_HZ if role in SLOW_POINTS else min(CUTOFF_HANDS_HZ, track.rate_hz / 3) for role in roles)
    scales = [noise_px * (0.5**0.5 if role in MIDDLES else 1.0) for role in roles]
    for k, draw in enumerate(_seen_noise(settings.draws // 2, cutoffs, len(view.t_s), track.rate_hz)):
        for side in (1.0, -1.0):
            moves = [noise * (scale * np.array([side, 1.0])) for noise, scale in zip(draw, scales, strict=True)]
            moved = {role: view.points[role] + move for role, move in zip(roles, moves, strict=True)}
            yield replace(view, points=moved, slack=1.0 + settings.threshold_slack * (k % 3 - 1))


@lru_cache(maxsize=64)
def _seen_noise(pairs: int, cutoffs_hz: tuple[float, ...], length: int, rate_hz: float) -> np.ndarray:
    """(pairs, roles, length, 2) noise of unit variance as the track shows it, one cut-off a role; the same for ever, and for every ball."""
    white = np.random.default_rng(_SEED).normal(size=(pairs, len(cutoffs_hz), length, 2))
    return np.array([[_smooth(noise, cutoff, rate_hz) for noise, cutoff in zip(draw, cutoffs_hz, strict=True)] for draw in white])


def _smooth(noise: np.ndarray, cutoff_hz: float, rate_hz: float) -> np.ndarray:
    """Noise on the track's grid as frames at `rate_hz` would leave it after smoothing: a Gaussian of the same cut-off, with the share of
    the variance that passes it."""
    width_s = np.sqrt(np.log(2)) / (2 * np.pi * cutoff_hz)  # -3 dB at the cut-off
    half = int(np.ceil(3 * width_s * TRACK_RATE_HZ))
    kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / (width_s * TRACK_RATE_HZ)) ** 2)
    kernel /= np.sqrt((kernel**2).sum())  # unit variance stays unit variance
    passed = min(1.0, np.sqrt(2 * 1.064 * cutoff_hz / rate_hz))
    padded = np.pad(noise, ((half, half), (0, 0)), mode="wrap")
    return passed * np.stack([np.convolve(padded[:, axis], kernel, mode="valid") for axis in (0, 1)], axis=-1)
