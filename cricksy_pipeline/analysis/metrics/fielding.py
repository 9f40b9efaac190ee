"""Fielding metrics: one function each. Definitions, bands and sources stand in catalogue.toml under the same code."""

from __future__ import annotations

from dataclasses import replace

from cricksy_pipeline.analysis.metrics.ball import Ball, MetricFunction, NotRead, Reading
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.readings import at, between, elbow_height, head_stillness, knee, length, offset, path_after
from cricksy_pipeline.analysis.metrics.wicketkeeping import GIVE_S, HEAD_S, feet_width


def ready_knees(ball: Ball) -> Reading | NotRead:
    """F1, degrees; the mean of two knees has less noise than one."""
    reading = knee(ball, "ready", "knees_deg")
    return reading if isinstance(reading, NotRead) else replace(reading, sigma_keypoint=reading.sigma_keypoint / 2**0.5)


def heels(ball: Ball) -> Reading | NotRead:
    """F1H, % of height, with its class."""
    reading = offset(ball, "heels_pct", "ready", points=2)
    if isinstance(reading, NotRead):
        return reading
    words = catalogue().words["classes"]["F1H"]
    return replace(reading, category=words["light" if reading.value >= words["light_from"] else "flat"])


METRICS: dict[str, MetricFunction] = {
    "F1": ready_knees,
    "F1W": lambda ball: feet_width(ball, "ready"),
    "F1H": heels,
    "F3": lambda ball: at(ball, "hip_height", "pick_up", length(ball), scaled=True),
    "F3H": lambda ball: at(ball, "head_height", "pick_up", length(ball), scaled=True),
    "F4": lambda ball: between(ball, "pick_up", "release"),
    "F5": lambda ball: elbow_height(ball, "throwing_elbow_deg", "front_foot_contact"),
    "F6": lambda ball: at(ball, "ankles_apart", "front_foot_contact", length(ball), scaled=True),
    "F7": lambda ball: head_stillness(ball, "ankle", "take", HEAD_S, 0.0),
    "F7H": lambda ball: offset(ball, "hands_above_eyes_pct", "take", points=2),
    "F7G": lambda ball: path_after(ball, "take", GIVE_S),
}
