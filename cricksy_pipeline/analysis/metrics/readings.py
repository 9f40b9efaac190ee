"""Reading a series at an event, and the readings that several disciplines share: a joint angle, a lean, how still the head was.

Belongs here: functions of a ball, called with a series, an event or a window, that give a value with its uncertainty, or the reason
why not. Does not belong here: which metric uses them, with which band (`batting`, `bowling`, ...; catalogue.toml).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cricksy_pipeline.analysis.metrics.ball import SHANK, THIGH, TRUNK, UPPER_ARM, Ball, NotRead, Reading
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.series import SERIES, head, series
from cricksy_pipeline.analysis.metrics.uncertainty import angle_sigma_deg, event_sigma

ABOUT_S = 0.15
"""So long before and after an event the landmarks that are read must have been seen (cricket-metrics 3.6)."""

Sigma = Callable[[float, float], float]
"""(noise of one landmark in pixels per axis, value) -> standard deviation of the value from that noise."""


def at(ball: Ball, name: str, event: str, sigma: Sigma, *, scaled: bool = False) -> Reading | NotRead:
    """The named series at an event.

    Args:
        sigma: its error from the noise of the landmarks.
        scaled: whether it is in body heights or per cent of it, so that the error of the player's size comes on top.
    """
    quantity = SERIES[name]
    lacking = ball.lacks(event, *quantity.needs)
    if lacking:
        return lacking
    values, when = series(ball, name), ball.found.events[event]
    if values is None:
        return NotRead("NO_EVENT", "line_of_play")

    def value_at(shift_s: float) -> float:
        return float(values[ball.track.index_at(when.t_s + shift_s)])

    value = value_at(0.0)
    unseen = not_seen(ball, quantity.points, when.t_s - ABOUT_S, when.t_s + ABOUT_S)
    if unseen or not np.isfinite(value):
        camera = quantity.on_ground and not np.isfinite(ball.track.camera).all()
        return NotRead("CAMERA_MOVED") if camera and not unseen else NotRead("MOMENT_NOT_SEEN")
    noise = ball.noise_of(quantity.points, when.t_s)
    return Reading(
        value, sigma(noise, value), event_sigma(value_at, when.sigma_s), when.t_s, event, ball.scale_sigma(value) if scaled else 0.0
    )


def not_seen(ball: Ball, points: tuple[str, ...], start_s: float, end_s: float) -> bool:
    """Whether the landmarks were found in too little of a stretch to read anything there."""
    return ball.seen_share(points, start_s, end_s) < catalogue().gates["window_coverage_percent"] / 100 - 1e-9


def between(ball: Ball, first: str, second: str, at_event: str | None = None) -> Reading | NotRead:
    """Seconds from one event to another, read at the second (or at `at_event`)."""
    lacking = ball.lacks(first, second)
    if lacking:
        return lacking
    a, b = ball.found.events[first], ball.found.events[second]
    event = at_event or second
    return Reading(b.t_s - a.t_s, 0.0, float(np.hypot(a.sigma_s, b.sigma_s)), ball.found.events[event].t_s, event)


def length(ball: Ball, points: int = 1, per: float = 1.0) -> Sigma:
    """Error of a length in `per` body heights (0.01: per cent), from `points` averaged landmarks at each end."""
    return lambda noise, value: noise * (2 / points) ** 0.5 / ball.height_px / per


def knee(ball: Ball, event: str, name: str = "front_knee_deg") -> Reading | NotRead:
    """Knee angle at an event, degrees."""

    def sigma(noise: float, value: float) -> float:
        return angle_sigma_deg(noise, THIGH * ball.height_px, SHANK * ball.height_px, value)

    return at(ball, name, event, sigma)


def lean(ball: Ball, name: str, event: str) -> Reading | NotRead:
    """Lean of the trunk at an event, degrees. Each end is the middle of two landmarks, so the noises cancel to s / length."""
    return at(ball, name, event, lambda noise, value: float(np.degrees(noise / (TRUNK * ball.height_px))))


def elbow_height(ball: Ball, name: str, event: str) -> Reading | NotRead:
    """Elbow against shoulder as an angle at an event, degrees."""
    return at(ball, name, event, lambda noise, value: float(np.degrees(2**0.5 * noise / (UPPER_ARM * ball.height_px))))


def offset(ball: Ball, name: str, event: str, points: int = 1) -> Reading | NotRead:
    """A distance in per cent of the height at an event."""
    return at(ball, name, event, length(ball, points, 0.01), scaled=True)


def difference(later: Reading | NotRead, earlier: Reading | NotRead) -> Reading | NotRead:
    """What changed from one reading to another; the first reason where either was not read."""
    for reading in (later, earlier):
        if isinstance(reading, NotRead):
            return reading
    parts = {name: float(np.hypot(getattr(later, name), getattr(earlier, name))) for name in ("sigma_keypoint", "sigma_event")}
    value = later.value - earlier.value
    return replace(later, value=value, sigma_scale=abs(later.sigma_scale - earlier.sigma_scale), **parts)


def head_stillness(ball: Ball, base: str, event: str, before_s: float, after_s: float) -> Reading | NotRead:
    """Root mean square of the head's path against `base`, straight drift removed, % of the player's height.

    Args:
        base: what the head should be still against, a name as in `Ball.named`. event: the window's anchor.
        before_s, after_s: the window around it.
    """
    lacking = ball.lacks(event, *(["front"] if base.startswith("front") else []))
    if lacking:
        return lacking
    when, points = ball.found.events[event], ("ear", "eye", base)
    path = head(ball) - ball.place(base)

    def movement(shift_s: float) -> float:
        span = ball.track.span(when.t_s - before_s + shift_s, when.t_s + after_s + shift_s)
        if span.stop - span.start < 10 or not np.isfinite(path[span]).all():
            return float("nan")
        t = ball.track.t_s[span] - ball.track.t_s[span].mean()
        rest = path[span] - path[span].mean(axis=0)
        rest = rest - np.outer(t, (t @ rest) / (t @ t))
        return 100 * float(np.sqrt((rest**2).sum(axis=-1).mean())) / ball.height_px

    value = movement(0.0)
    if not_seen(ball, points, when.t_s - before_s, when.t_s + after_s) or not np.isfinite(value):
        return NotRead("MOMENT_NOT_SEEN")
    sigma = length(ball, points=4, per=0.01)(ball.noise_of(points, when.t_s), value)
    return Reading(value, sigma, event_sigma(movement, when.sigma_s), when.t_s, event, ball.scale_sigma(value))


def path_after(ball: Ball, event: str, lasting_s: float) -> Reading | NotRead:
    """Path of the middle of the hands over the ground in the time after an event, % of the player's height."""
    name = "hand_ground_speed"
    lacking = ball.lacks(event)
    if lacking:
        return lacking
    when, speed = ball.found.events[event], series(ball, name)

    def path(shift_s: float) -> float:
        span = ball.track.span(when.t_s + shift_s, when.t_s + shift_s + lasting_s)
        return 100 * float(np.trapezoid(speed[span], ball.track.t_s[span]))

    if ball.track.t_s[-1] < when.t_s + lasting_s - 0.01:
        return NotRead("NOT_FILMED")
    value = path(0.0)
    if not_seen(ball, SERIES[name].points, when.t_s - ABOUT_S, when.t_s + lasting_s):
        return NotRead("MOMENT_NOT_SEEN")
    if not np.isfinite(value):
        return NotRead("MOMENT_NOT_SEEN" if np.isfinite(ball.track.camera).all() else "CAMERA_MOVED")
    sigma = length(ball, points=2, per=0.01)(ball.noise_of(SERIES[name].points, when.t_s), value)
    return Reading(value, sigma, event_sigma(path, when.sigma_s), when.t_s, event, ball.scale_sigma(value))


def travelled(ball: Ball, point: str, event: str, from_s: float, to_s: float) -> Reading | NotRead:
    """Distance along the picture that a point moves over the ground between two times about an event, body heights, never negative.

    Args:
        point: a name as in `Ball.named`. from_s, to_s: seconds after the event (negative: before).
    """
    lacking = ball.lacks(event)
    if lacking:
        return lacking
    when, x, track = ball.found.events[event], ball.ground(point)[:, 0], ball.track
    start, end = when.t_s + from_s, when.t_s + to_s
    if track.t_s[0] > start + 0.01 or track.t_s[-1] < end - 0.01:
        return NotRead("NOT_FILMED")
    if not_seen(ball, (point,), start, end):
        return NotRead("MOMENT_NOT_SEEN")

    def distance(shift_s: float) -> float:
        a, b = (x[track.index_at(moment + shift_s)] for moment in (start, end))
        return abs(float(b - a)) / ball.height_px

    value = distance(0.0)
    if not np.isfinite(value):
        return NotRead("MOMENT_NOT_SEEN" if np.isfinite(track.camera).all() else "CAMERA_MOVED")
    sigma = length(ball, points=2)(ball.noise_of((point,), when.t_s), value)
    return Reading(value, sigma, event_sigma(distance, when.sigma_s), when.t_s, event, ball.scale_sigma(value))
