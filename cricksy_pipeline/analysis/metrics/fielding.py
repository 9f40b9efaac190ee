"""Fielding metrics: one function each. Definitions, bands and sources stand in catalogue.toml under the same code."""

from __future__ import annotations

from cricksy_pipeline.analysis.metrics.ball import MetricFunction
from cricksy_pipeline.analysis.metrics.shared_readings import elbow_height, head_stillness

METRICS: dict[str, MetricFunction] = {
    "F3": lambda ball: ball.read("hip_height", "pick_up", ball.share_sigma(0.4)),
    "F4": lambda ball: ball.between("pick_up", "release"),
    "F5": lambda ball: elbow_height(ball, "throwing_elbow_deg", "front_foot_contact"),
    "F7": lambda ball: head_stillness(ball, ball.track.middle("ankle"), "take", 0.20, 0.0),
}
