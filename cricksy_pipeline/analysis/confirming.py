"""What would make a finding sure, or settle what is only likely: more balls, from where, and how much change is real.

Belongs here: that arithmetic and its sentence. Does not belong here: whether something is a finding (`judging`).
"""

from __future__ import annotations

from math import ceil, sqrt

from cricksy_pipeline.analysis.documents import Confirmation, Metric
from cricksy_pipeline.analysis.family import needed_sigmas
from cricksy_pipeline.analysis.judging import Judged
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.uncertainty import Z95
from cricksy_pipeline.analysis.wording import balls, coaching, quantity

GOOD_SESSION = 6
"""Balls that a session should have (cricket-metrics 3.2)."""


def confirming_a_finding(item: Judged) -> Confirmation:
    """For what is sure: the same number of balls again or a full session, and the change that would be real."""
    metric, words = item.metric, coaching()["confirm"]
    again = max(GOOD_SESSION, metric.n)
    if metric.detectable_change is None:
        return _confirmation(metric, item.code, None, words["unknown"])
    change = quantity(metric.detectable_change, metric.unit)
    return _confirmation(metric, item.code, again, words["again"].format(balls=balls(again), change=change))


def confirming_a_likely_one(item: Judged, judged: int) -> Confirmation:
    """For what is only likely: how many balls more would settle it, were the value to stay, among `judged` metrics; or that none would."""
    words = coaching()["confirm"]
    if item.metric.sigma is None or item.metric.detectable_change is None:
        return _confirmation(item.metric, item.code, None, words["unknown"])
    more = balls_more(item, judged)
    if more is None or more > words["most_balls"]:
        return _confirmation(item.metric, item.code, None, words["never"])
    return _confirmation(item.metric, item.code, more, words["more"].format(balls=balls(more)))


def balls_more(item: Judged, judged: int) -> int | None:
    """Balls to add until sigma is so small that the distance would be a finding. None: what does not shrink with balls is too large.

    sigma^2 = random^2 / n + fixed^2 (cricket-metrics 3.2), and the random part follows from the detectable change, which is
    1.96 sqrt(2) sqrt(random^2 / n + view^2).
    """
    metric, entry = item.metric, catalogue().entries[item.code]
    if metric.sigma is None or metric.detectable_change is None or metric.n < 1:
        return None
    random = max(variance_of_change(metric.detectable_change) - entry.sigma_view**2, 0.0) * metric.n
    fixed = max(metric.sigma**2 - random / metric.n, 0.0)
    allowed = (item.distance / needed_sigmas(judged)) ** 2
    if allowed <= fixed:
        return None
    return max(1, ceil(random / (allowed - fixed)) - metric.n)


def variance_of_change(detectable_change: float) -> float:
    """The variance that one session of the printed size adds to a comparison of two (MDC95 = 1.96 sqrt(2) times its root)."""
    return (detectable_change / (Z95 * sqrt(2))) ** 2


def _confirmation(metric: Metric, code: str, more: int | None, text: str) -> Confirmation:
    views = catalogue().entries[code].views
    return Confirmation(
        balls_more=more,
        view=" or ".join(catalogue().words["views"][view]["wanted"] for view in views),
        detectable_change=metric.detectable_change,
        unit=metric.unit,
        text=text,
    )
