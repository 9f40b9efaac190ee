"""One delivery as the metrics see it, and the two answers a metric may give about it.

Belongs here: the context of a ball (its events, its places in the picture and on the ground, the noise of its landmarks, its camera
view) and the types of the answers. Does not belong here: the quantities over time (`series`), reading them at an event (`readings`), which
metric reads which (`batting`, `bowling`, ...).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.analysis.events import EventTime, FoundDelivery
from cricksy_pipeline.analysis.kinematics import Track
from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.uncertainty import keypoint_sigma_px
from cricksy_pipeline.analysis.view import CameraView

THIGH, SHANK, TRUNK, UPPER_ARM, ARM, HIPS, SHOULDERS = 0.245, 0.246, 0.288, 0.172, 0.332, 0.12, 0.23
"""Segment lengths and widths in body heights (Winter 2009, fig. 4.1), for the error budget only."""


@dataclass(frozen=True)
class Reading:
    """A value in one ball.

    Attributes:
        value: in the metric's unit.
        sigma_keypoint: standard deviation from the noise of the landmarks; another in every ball.
        sigma_event: standard deviation from the event's time; another in every ball.
        t_s: when it was read, on the clock of the track.
        event: the event it was read at.
        sigma_scale: standard deviation from the player's size in pixels, the same in all balls of a clip.
        category: its class, where the metric has classes.
    """

    value: float
    sigma_keypoint: float
    sigma_event: float
    t_s: float
    event: str
    sigma_scale: float = 0.0
    category: str | None = None


@dataclass(frozen=True)
class NotRead:
    """Why one ball gave no value: a reason code, and the event that was missing where that is why."""

    code: str
    missing: str | None = None


MetricFunction = Callable[["Ball"], Reading | NotRead]


@dataclass(frozen=True)
class Ball:
    """One delivery with its number in the clip (1 first) and the view it was seen from.

    `cache` holds the series that were worked out already, by name.
    """

    number: int
    found: FoundDelivery
    view: CameraView
    cache: dict[str, np.ndarray | None] = field(default_factory=dict, repr=False, compare=False)

    @property
    def track(self) -> Track:
        """The smooth track that holds the delivery."""
        return self.found.track

    @property
    def stretch_s(self) -> tuple[float, float]:
        """Start and end of what belongs to the ball, all its events included; on the clock of the track."""
        times = [event.t_s for event in self.found.events.values()]
        return min([self.found.start_s, *times]), max([self.found.end_s, *times])

    @property
    def height_px(self) -> float:
        """The player's height in pixels."""
        return self.found.height_px

    @property
    def noise_px(self) -> float:
        """Standard deviation of one landmark, pixels per axis: a share of the thigh, or what the track itself shows where that is more.

        The jitter of the track is the median distance of the landmarks from their smooth path, 1.18 standard deviations of one axis; the
        smooth path keeps less of the noise than that, so it is the cautious side.
        """
        gates = catalogue().gates
        usual = keypoint_sigma_px(THIGH * self.height_px, gates["noise_share_of_thigh"], gates["noise_floor_px"])
        return max(usual, self.track.jitter_px / 1.1774)

    def event(self, name: str) -> EventTime | None:
        """The named event; None when it was not found."""
        return self.found.events.get(name)

    def lacks(self, *needs: str) -> NotRead | None:
        """The first of the named needs that is not there: an event, or "front" (side), "play" (line of play in the picture), "arm"."""
        known = {"front": self.found.front is not None, "play": bool(self.found.toward), "arm": self.found.arm is not None}
        for need in needs:
            if not known.get(need, need in self.found.events):
                return NotRead("NO_EVENT", {"front": "front_side", "play": "line_of_play"}.get(need, need))
        return None

    def named(self, name: str) -> list[str]:
        """The landmarks behind a name in which `front_`, `back_` and `arm_` stand for the player's sides and no side means both."""
        role, _, part = name.partition("_")
        if role in ("left", "right"):
            return [name]
        side = {"front": self.found.front, "back": self.found.back, "arm": self.found.arm}.get(role)
        if role in ("front", "back", "arm"):
            return [] if side is None else [f"{side}_{part}"]
        return [f"{side}_{name}" for side in ("left", "right")]

    def place(self, name: str) -> np.ndarray:
        """(m, 2) pixels of a landmark or of the middle of both sides, by a name as in `named`."""
        points = [self.track.point(landmark) for landmark in self.named(name)]
        return sum(points) / len(points)

    def ground(self, name: str) -> np.ndarray:
        """(m, 2) pixels as `place`, fixed to the ground: the camera's movement is taken off. NaN where that is not known."""
        points = [self.track.steady(landmark) for landmark in self.named(name)]
        return sum(points) / len(points)

    def seen_share(self, names: tuple[str, ...], start_s: float, end_s: float) -> float:
        """Share of the time from `start_s` to `end_s` in which every one of the named landmarks was found and kept."""
        landmarks = [landmark for name in names for landmark in self.named(name)]
        span = self.track.span(start_s, end_s)
        weight = np.broadcast_to(self.track.weight, (len(self.track.t_s), 33))[span][:, [INDEX[name] for name in landmarks]]
        return float((weight > 0).all(axis=1).mean()) if len(weight) else 0.0

    def noise_of(self, names: tuple[str, ...], t_s: float) -> float:
        """Standard deviation of the named landmarks about a time, pixels per axis: more than usual where they are poorly seen.

        A landmark that is trusted half counts as half a look, so the noise grows with the root; to twice the usual at most.
        """
        landmarks = [landmark for name in names for landmark in self.named(name)]
        trust = self.track.trust(landmarks, self.track.span(t_s - 0.05, t_s + 0.05))
        return self.noise_px / max(trust, 0.25) ** 0.5

    def scale_sigma(self, value: float) -> float:
        """Error of a value in body heights (or per cent of it) from the player's size in pixels, which all balls share."""
        share = self.track.height_sigma_px / self.track.height_px
        return abs(value) * (share if np.isfinite(share) else catalogue().gates["scale_sigma"])
