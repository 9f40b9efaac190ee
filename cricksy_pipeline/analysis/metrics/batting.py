"""Batting metrics: one function each, from a ball to a reading.

Definitions, bands and sources stand in catalogue.toml under the same code.

Not here, on purpose: hip and shoulder separation (a turn that one camera cannot see), the bat (it is not tracked).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cricksy_pipeline.analysis.metrics.ball import Ball, MetricFunction, NotRead, Reading
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.readings import at, between, elbow_height, head_stillness, knee, lean, length, offset
from cricksy_pipeline.analysis.metrics.series import series, stood_before_stride


def weight_between_feet(ball: Ball) -> Reading | NotRead:
    """B3, share of the base. The noise is that of two ankles and the hips over the distance between the feet."""

    def sigma(noise: float, value: float) -> float:
        base_px = series(ball, "ankles_apart")[ball.track.index_at(ball.found.events["contact"].t_s)] * ball.height_px
        return float(1.2 * noise / max(base_px, 1.0))

    return at(ball, "base_position", "contact", sigma)


def stride_length(ball: Ball) -> Reading | NotRead:
    """B5, body heights."""
    reading = at(ball, "front_ankle_travel", "contact", length(ball), scaled=True)
    stood_seen = ball.lacks("contact", "front") or np.isfinite(stood_before_stride(ball, "front_ankle")).all()
    if isinstance(reading, NotRead) and not stood_seen and np.isfinite(ball.track.camera).all():
        return NotRead("NOT_FILMED")
    return reading


def lead_elbow(ball: Ball) -> Reading | NotRead:
    """B7, degrees, with its class: high, middle or low."""
    reading = elbow_height(ball, "lead_elbow_deg", "contact")
    if isinstance(reading, NotRead):
        return reading
    words = catalogue().words["classes"]["B7"]
    name = "high" if reading.value >= words["high_from"] else "low" if reading.value < words["low_below"] else "middle"
    return replace(reading, category=words[name])


def hands_fastest(ball: Ball) -> Reading | NotRead:
    """B8H, seconds from contact, as it was heard, to the hands' greatest speed in the downswing; negative before contact."""
    lacking = ball.lacks("top_of_backlift", "contact")
    if lacking:
        return lacking
    contact, top = ball.found.events["contact"], ball.found.events["top_of_backlift"]
    span = ball.track.span(top.t_s, contact.t_s + 0.10)
    speed = series(ball, "hand_ground_speed")[span]
    if not np.isfinite(speed).all() or len(speed) < 10:
        return NotRead("MOMENT_NOT_SEEN")
    peak_s = float(ball.track.t_s[span][int(np.argmax(speed))])
    frame_s = 1 / ball.track.rate_hz / 12**0.5
    return Reading(peak_s - contact.t_s, frame_s, contact.sigma_s, contact.t_s, "contact")


def backlift_direction(ball: Ball) -> Reading | NotRead:
    """B9, % of height towards the off side, with its class; style."""
    reading = offset(ball, "hands_off_back_hip_pct", "top_of_backlift")
    if isinstance(reading, NotRead):
        return reading
    words = catalogue().words["classes"]["B9"]
    name = "lateral" if reading.value >= words["lateral_from"] else "inside" if reading.value < words["inside_below"] else "straight"
    return replace(reading, category=words[name])


METRICS: dict[str, MetricFunction] = {
    "B1": lambda ball: head_stillness(ball, "front_ankle", "contact", 0.20, 0.05),
    "B2": lambda ball: offset(ball, "head_offset_pct", "contact"),
    "B3": weight_between_feet,
    "B4": lambda ball: knee(ball, "contact"),
    "B5": stride_length,
    "B5T": lambda ball: between(ball, "front_foot_down", "contact"),
    "B6": lambda ball: lean(ball, "side_lean_deg", "contact"),
    "B7": lead_elbow,
    "B8": lambda ball: between(ball, "top_of_backlift", "contact"),
    "B8H": hands_fastest,
    "B9": backlift_direction,
}
