"""Batting metrics: one function each, from a ball to a reading.

Definitions, bands and sources stand in catalogue.toml under the same code.
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.metrics.ball import Ball, MetricFunction, NotRead, Reading
from cricksy_pipeline.analysis.metrics.shared_readings import elbow_height, front_knee, head_stillness, trunk_lean


def head_still_at_contact(ball: Ball) -> Reading | NotRead:
    """B1, % of height: against the front ankle, from 0.20 s before to 0.05 s after contact, once the front foot is down."""
    if ball.found.front is None:
        return NotRead("NO_EVENT", "front_side")
    landed = ball.found.events.get("front_foot_down")
    base = ball.track.point(f"{ball.found.front}_ankle")
    return head_stillness(ball, base, "contact", 0.20, 0.05, landed.t_s if landed else None)


def head_over_front_foot(ball: Ball) -> Reading | NotRead:
    """B2, % of height, positive behind."""
    return ball.read("head_offset_pct", "contact", 100 * ball.share_sigma(0.0))


def weight_between_feet(ball: Ball) -> Reading | NotRead:
    """B3, share of the base. The noise is that of two ankles and the hips over the distance between the feet."""
    reading = ball.read("base_position", "contact", 0.0)
    if isinstance(reading, NotRead):
        return reading
    base_px = ball.series("ankles_apart")[ball.track.index_at(reading.t_s)] * ball.height_px
    return Reading(reading.value, float(1.2 * ball.noise_px / max(base_px, 1.0)), reading.sigma_event, reading.t_s)


def stride_length(ball: Ball) -> Reading | NotRead:
    """B5, body heights: from where the front foot stood (the quarter second up to the top of the backlift, or before it strode)."""
    side, events = ball.found.front, ball.found.events
    for event in ("top_of_backlift", "contact"):
        if event not in events:
            return NotRead("NO_EVENT", event)
    if side is None:
        return NotRead("NO_EVENT", "front_side")
    contact = events["contact"]
    ankle = ball.track.point(f"{side}_ankle")
    before = ankle[ball.track.span(contact.t_s - 0.9, contact.t_s - 0.5)]
    if not np.isfinite(before).any():
        return NotRead("NOT_SEEN")
    value = float(np.linalg.norm(ankle[ball.track.index_at(contact.t_s)] - np.nanmedian(before, axis=0)) / ball.height_px)
    return Reading(value, ball.share_sigma(value), 0.0, contact.t_s) if np.isfinite(value) else NotRead("NOT_SEEN")


METRICS: dict[str, MetricFunction] = {
    "B1": head_still_at_contact,
    "B2": head_over_front_foot,
    "B3": weight_between_feet,
    "B4": lambda ball: front_knee(ball, "contact"),
    "B5": stride_length,
    "B5T": lambda ball: ball.between("front_foot_down", "contact"),
    "B6": lambda ball: trunk_lean(ball, "side_lean_deg", "contact"),
    "B7": lambda ball: elbow_height(ball, "lead_elbow_deg", "contact"),
    "B8": lambda ball: ball.between("top_of_backlift", "contact"),
}
