"""One delivery as the metrics see it, and the two answers a metric may give about it.

Belongs here: the context of a ball (noise of its landmarks, its camera view, its named series) and reading a series at an event
with its uncertainty. Does not belong here: what the series are (`series`) or which metric reads which (`batting`, `bowling`, ...).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.analysis.events import FoundDelivery
from cricksy_pipeline.analysis.kinematics import Track, velocity
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.uncertainty import keypoint_sigma_px
from cricksy_pipeline.analysis.view import CameraView


@dataclass(frozen=True)
class Reading:
    """A value in one ball: the part of its error that comes from the landmarks, the part from the event's time, and when."""

    value: float
    sigma_keypoint: float
    sigma_event: float
    t_s: float


@dataclass(frozen=True)
class NotRead:
    """Why one ball gave no value: a reason code, and the event that was missing where that is why."""

    code: str
    missing: str | None = None


MetricFunction = Callable[["Ball"], Reading | NotRead]


@dataclass(frozen=True)
class Ball:
    """One delivery with its number in the clip (1 first) and the view it was seen from."""

    number: int
    found: FoundDelivery
    view: CameraView
    _series: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def track(self) -> Track:
        """The smooth track that holds the delivery."""
        return self.found.track

    @property
    def height_px(self) -> float:
        """The player's height in pixels."""
        return self.found.height_px

    @property
    def noise_px(self) -> float:
        """Standard deviation of one landmark, pixels per axis. The thigh is taken as 0.245 of the height (Winter 2009)."""
        gates = catalogue().gates
        return keypoint_sigma_px(0.245 * self.height_px, gates["noise_share_of_thigh"], gates["noise_floor_px"])

    def series(self, name: str) -> np.ndarray | None:
        """(m,) the named quantity over the whole track; None when a side or the line of play is not known."""
        from cricksy_pipeline.analysis.metrics.series import SERIES

        if name not in self._series:
            self._series[name] = SERIES[name](self)
        return self._series[name]

    def read(self, name: str, event: str, sigma_keypoint: float) -> Reading | NotRead:
        """The named series at the event."""
        if event not in self.found.events:
            return NotRead("NO_EVENT", event)
        values = self.series(name)
        if values is None:
            return NotRead("NO_EVENT", "line_of_play" if self.found.front else "front_side")
        when = self.found.events[event]
        at = self.track.index_at(when.t_s)
        if not np.isfinite(values[at]):
            return NotRead("NOT_SEEN")
        rate = velocity(self.track.t_s, values)[at]
        return Reading(float(values[at]), sigma_keypoint, float(abs(rate) * when.sigma_s) if np.isfinite(rate) else 0.0, when.t_s)

    def between(self, first: str, second: str) -> Reading | NotRead:
        """Seconds from one event to another, read at the second."""
        for event in (first, second):
            if event not in self.found.events:
                return NotRead("NO_EVENT", event)
        a, b = self.found.events[first], self.found.events[second]
        return Reading(b.t_s - a.t_s, 0.0, float(np.hypot(a.sigma_s, b.sigma_s)), b.t_s)

    def share_sigma(self, value: float, points: int = 1) -> float:
        """Keypoint and scale error of a length given in body heights, from `points` averaged landmarks at each end."""
        return float(np.hypot(self.noise_px * (2 / points) ** 0.5 / self.height_px, catalogue().gates["scale_sigma"] * abs(value)))
