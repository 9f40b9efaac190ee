"""Bowling metrics: one function each, from a ball to a reading.

Definitions, bands and sources stand in catalogue.toml under the same code.

Not here, on purpose: elbow extension (one plane cannot judge a throw, Aginsky and Noakes 2010), counter-rotation, ball speed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.metrics.ball import ARM, Ball, MetricFunction, NotRead, Reading
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.readings import at, between, difference, knee, lean, length, offset, travelled
from cricksy_pipeline.analysis.metrics.series import series
from cricksy_pipeline.analysis.metrics.uncertainty import normal_below

APPROACH_S = 0.5


def knee_at_release(ball: Ball) -> Reading | NotRead:
    """W1, degrees, with the class of the knee's action where its landing was seen too and both answers are sure enough."""
    release, landing, least = knee(ball, "release"), knee(ball, "front_foot_contact"), least_knee(ball)
    if isinstance(release, NotRead) or isinstance(landing, NotRead) or isinstance(least, NotRead):
        return release
    words = catalogue().words["classes"]["W1"]
    gives, straightens = (_changes(reading, least, words) for reading in (landing, release))
    if gives is None or straightens is None:
        return release
    name = "flexor_extender" if gives and straightens else "flexor" if gives else "extender" if straightens else "braced"
    return replace(release, category=words[name])


def _changes(end: Reading, least: Reading, words: dict[str, Any]) -> bool | None:
    """Whether the knee changes by as much as counts; None: not sure enough either way."""
    sigma = sum(part**2 for one in (end, least) for part in (one.sigma_keypoint, one.sigma_event)) ** 0.5
    enough = normal_below((end.value - least.value - words["change_deg"]) / max(sigma, 1e-9))
    return True if enough >= words["told_at"] else False if 1 - enough >= words["told_at"] else None


def least_knee(ball: Ball) -> Reading | NotRead:
    """W1M, degrees: least between the front foot landing and release, read where it is least."""
    first, last = knee(ball, "front_foot_contact"), knee(ball, "release")
    if isinstance(first, NotRead):
        return first
    if isinstance(last, NotRead):
        return last
    span = ball.track.span(first.t_s, last.t_s)
    values = series(ball, "front_knee_deg")[span]
    if not len(values) or not np.isfinite(values).all():
        return NotRead("MOMENT_NOT_SEEN")
    i = int(np.argmin(values))
    ends = first if i == 0 else last if i == len(values) - 1 else None
    # Inside the stretch the least does not hang on the exact times of its ends.
    return replace(last, value=float(values[i]), sigma_event=ends.sigma_event if ends else 0.0, t_s=float(ball.track.t_s[span][i]))


def approach_speed(ball: Ball, from_s: float = -APPROACH_S, to_s: float = 0.0) -> Reading | NotRead:
    """W2, body heights a second: the hips over the ground before the back foot lands."""
    return _over(travelled(ball, "hip", "back_foot_contact", from_s, to_s), to_s - from_s)


def approach_change(ball: Ball) -> Reading | NotRead:
    """W2D, body heights a second: speed in the last 0.2 s before the back foot lands, minus that in the 0.4 s before."""
    return difference(approach_speed(ball, -0.2, 0.0), approach_speed(ball, -0.6, -0.2))


def _over(distance: Reading | NotRead, seconds: float) -> Reading | NotRead:
    if isinstance(distance, NotRead):
        return distance
    parts = ("value", "sigma_keypoint", "sigma_event", "sigma_scale")
    return replace(distance, **{name: getattr(distance, name) / seconds for name in parts})


def delivery_stride(ball: Ball) -> Reading | NotRead:
    """W3, body heights. The time of the back foot's landing does not matter much: that foot stands; its share is a hundredth."""
    reading = at(ball, "stride_from_back_foot", "front_foot_contact", length(ball), scaled=True)
    return reading if isinstance(reading, NotRead) else replace(reading, sigma_event=float(np.hypot(reading.sigma_event, 0.01)))


def arm_slot(ball: Ball) -> Reading | NotRead:
    """W7, degrees off the vertical."""
    return at(ball, "arm_slot_deg", "release", lambda noise, value: float(np.degrees(2**0.5 * noise / (ARM * ball.height_px))))


def release_height(ball: Ball) -> Reading | NotRead:
    """W7H, body heights."""
    return at(ball, "wrist_height", "release", length(ball), scaled=True)


METRICS: dict[str, MetricFunction] = {
    "W1": knee_at_release,
    "W1F": lambda ball: knee(ball, "front_foot_contact"),
    "W1M": least_knee,
    "W2": approach_speed,
    "W2D": approach_change,
    "W3": delivery_stride,
    "W4": lambda ball: between(ball, "front_foot_contact", "release"),
    "W4B": lambda ball: between(ball, "back_foot_contact", "front_foot_contact"),
    "W5": lambda ball: lean(ball, "forward_lean_deg", "release"),
    "W5E": lambda ball: difference(lean(ball, "forward_lean_deg", "release"), lean(ball, "forward_lean_deg", "front_foot_contact")),
    "W6": lambda ball: lean(ball, "side_lean_deg", "release"),
    "W6F": lambda ball: lean(ball, "side_lean_deg", "front_foot_contact"),
    "W7": arm_slot,
    "W7H": release_height,
    "W8": lambda ball: offset(ball, "head_lateral_pct", "release"),
}

REPEATABILITY = {"W9H": "W7H", "W9S": "W3", "W9T": "W4"}
"""Metric of the scatter over balls -> the metric that scatters."""
