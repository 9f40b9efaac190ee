"""Bowling metrics: one function each, from a ball to a reading.

Definitions, bands and sources stand in catalogue.toml under the same code.

Not here, on purpose: elbow extension (one plane cannot judge a throw, Aginsky and Noakes 2010), counter-rotation, ball speed.
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.metrics.ball import Ball, MetricFunction, NotRead, Reading
from cricksy_pipeline.analysis.metrics.shared_readings import ARM, front_knee, trunk_lean


def delivery_stride(ball: Ball) -> Reading | NotRead:
    """W3, body heights: from the back ankle at its landing to the front ankle at its landing."""
    events = ball.found.events
    for event in ("back_foot_contact", "front_foot_contact"):
        if event not in events:
            return NotRead("NO_EVENT", event)
    back = ball.track.point(f"{ball.found.back}_ankle")[ball.track.index_at(events["back_foot_contact"].t_s)]
    front = ball.track.point(f"{ball.found.front}_ankle")[ball.track.index_at(events["front_foot_contact"].t_s)]
    value = float(np.linalg.norm(front - back) / ball.height_px)
    if not np.isfinite(value):
        return NotRead("NOT_SEEN")
    return Reading(value, ball.share_sigma(value), 0.01, events["front_foot_contact"].t_s)


def approach_speed(ball: Ball) -> Reading | NotRead:
    """W2, body heights a second: median over the half second before the back foot lands."""
    event = ball.found.events.get("back_foot_contact")
    if event is None:
        return NotRead("NO_EVENT", "back_foot_contact")
    if ball.track.t_s[0] > event.t_s - 0.3:
        return NotRead("NOT_SEEN")
    value = float(np.nanmedian(ball.series("hip_speed")[ball.track.span(event.t_s - 0.5, event.t_s)]))
    return Reading(value, ball.share_sigma(value), 0.0, event.t_s) if np.isfinite(value) else NotRead("NOT_SEEN")


METRICS: dict[str, MetricFunction] = {
    "W1": lambda ball: front_knee(ball, "release"),
    "W2": approach_speed,
    "W3": delivery_stride,
    "W4": lambda ball: ball.between("front_foot_contact", "release"),
    "W4B": lambda ball: ball.between("back_foot_contact", "front_foot_contact"),
    "W5": lambda ball: trunk_lean(ball, "forward_lean_deg", "release"),
    "W6": lambda ball: trunk_lean(ball, "side_lean_deg", "release"),
    "W7": lambda ball: ball.read("arm_slot_deg", "release", float(np.degrees(2**0.5 * ball.noise_px / (ARM * ball.height_px)))),
    "W7H": lambda ball: ball.read("wrist_height", "release", ball.share_sigma(1.0)),
    "W8": lambda ball: ball.read("head_lateral_pct", "release", 100 * ball.share_sigma(0.0)),
}
