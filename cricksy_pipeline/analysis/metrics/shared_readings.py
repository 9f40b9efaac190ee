"""Readings that several disciplines share: a joint angle, a lean, how still the head was.

Belongs here: functions of a ball that are called with a side or a window. Does not belong here: which metric uses them, with which
band (`batting`, `bowling`, `wicketkeeping`, `fielding`; catalogue.toml).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.metrics.ball import Ball, NotRead, Reading
from cricksy_pipeline.analysis.metrics.series import head
from cricksy_pipeline.analysis.metrics.uncertainty import angle_sigma_deg

THIGH, SHANK, TRUNK, UPPER_ARM, ARM = 0.245, 0.246, 0.288, 0.172, 0.332
"""Segment lengths in body heights (Winter 2009, fig. 4.1), for the error budget only."""


def front_knee(ball: Ball, event: str) -> Reading | NotRead:
    """Front-knee angle at an event, degrees."""
    reading = ball.read("front_knee_deg", event, 0.0)
    if isinstance(reading, NotRead):
        return reading
    sigma = angle_sigma_deg(ball.noise_px, THIGH * ball.height_px, SHANK * ball.height_px, reading.value)
    return Reading(reading.value, sigma, reading.sigma_event, reading.t_s)


def trunk_lean(ball: Ball, series: str, event: str) -> Reading | NotRead:
    """Lean of the trunk at an event, degrees. Each end is the middle of two landmarks, so the noises cancel to s / length."""
    return ball.read(series, event, float(np.degrees(ball.noise_px / (TRUNK * ball.height_px))))


def elbow_height(ball: Ball, series: str, event: str) -> Reading | NotRead:
    """Elbow against shoulder as an angle at an event, degrees."""
    return ball.read(series, event, float(np.degrees(2**0.5 * ball.noise_px / (UPPER_ARM * ball.height_px))))


def head_stillness(
    ball: Ball, base: np.ndarray, event: str, before_s: float, after_s: float, from_s: float | None = None
) -> Reading | NotRead:
    """Root mean square of the head's path against `base`, straight drift removed, % of the player's height.

    Args:
        ball: the delivery. base: (m, 2) pixels of what the head should be still against. event: the window's anchor.
        before_s, after_s: the window around it. from_s: the window starts no earlier than this, but is never shorter than 0.12 s.
    """
    if event not in ball.found.events:
        return NotRead("NO_EVENT", event)
    when = ball.found.events[event]
    start = when.t_s - before_s if from_s is None else min(max(when.t_s - before_s, from_s), when.t_s + after_s - 0.12)

    def movement(shift_s: float) -> float:
        span = ball.track.span(start + shift_s, when.t_s + after_s + shift_s)
        path = (head(ball) - base)[span]
        if not np.isfinite(path).all() or len(path) < 10:
            return float("nan")
        t = ball.track.t_s[span] - ball.track.t_s[span].mean()
        rest = path - path.mean(axis=0) - np.outer(t, (t @ path) / (t @ t))
        return 100 * float(np.sqrt((rest**2).sum(axis=-1).mean())) / ball.height_px

    value = movement(0.0)
    if not np.isfinite(value):
        return NotRead("NOT_SEEN")
    shifted = [abs(movement(shift) - value) for shift in (-when.sigma_s, when.sigma_s)]
    sigma_event = float(np.nanmax(shifted)) if np.isfinite(shifted).any() else 0.0
    return Reading(value, 100 * ball.share_sigma(value / 100, points=4), sigma_event, when.t_s)
