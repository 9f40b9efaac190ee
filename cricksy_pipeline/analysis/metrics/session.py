"""From the readings of single balls to the metric of a session: mean, spread, intervals, score.

Belongs here: what is the same for every metric once its balls were read (docs/decisions/0018). Does not belong here: reading a ball, the
reasons why something is null (`refusals`), the formulas (`uncertainty`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, hypot, inf, sqrt

import numpy as np

from cricksy_pipeline.analysis.documents import DeliveryValue, Metric
from cricksy_pipeline.analysis.metrics.accuracy import ModelError, model_error
from cricksy_pipeline.analysis.metrics.ball import Ball, Reading
from cricksy_pipeline.analysis.metrics.catalogue import Entry, catalogue
from cricksy_pipeline.analysis.metrics.kinds import NOT_TOLD, Told, of_all
from cricksy_pipeline.analysis.metrics.uncertainty import (
    Z95,
    detectable_change,
    mean_sigma,
    one_ball_sigma,
    player_sigma,
    probability_in_band,
    robust_mean,
    robust_spread,
)
from cricksy_pipeline.analysis.metrics.view_gate import ViewError, view_error

LEAST_FOR_SPREAD = 3


@dataclass(frozen=True)
class ReadBall:
    """A ball that gave a value, and what else the value's error is made of."""

    ball: Ball
    reading: Reading
    view: ViewError
    model: ModelError

    @property
    def random(self) -> float:
        """The part of the error that is another in every ball."""
        return hypot(self.reading.sigma_keypoint, self.reading.sigma_event)


@dataclass(frozen=True)
class Context:
    """What a clip says of all its metrics.

    Attributes:
        view: name of the clip's view.
        told: number of a ball -> what kind it was told to be.
        clock: seconds of the file per second of the tracks' clock.
    """

    view: str | None
    told: Mapping[int, Told]
    clock: float

    def kind_of(self, read: list[ReadBall]) -> str | None:
        """The kind that all of these balls were told to be of; None: mixed, or not told."""
        return of_all([self.told.get(one.ball.number, NOT_TOLD) for one in read])


def read_ball(entry: Entry, ball: Ball, reading: Reading) -> ReadBall:
    """A reading with the errors of view and model that belong to it."""
    return ReadBall(ball, reading, view_error(entry, ball.view, reading.value), model_error(entry, ball.view.name))


def summarise(entry: Entry, read: list[ReadBall], context: Context) -> Metric:
    """The metric over the balls that were read, at least one."""
    values, n = [one.reading.value for one in read], len(read)
    measuring = _rms(one.random for one in read)
    scale, view, model = (
        _rms(part) for part in zip(*((one.reading.sigma_scale, one.view.sigma, one.model.sigma) for one in read), strict=True)
    )
    value = robust_mean(values, hypot(measuring, entry.sigma_player))
    spread = robust_spread(values)
    player = player_sigma(entry.sigma_player, spread, measuring, n)
    mean = mean_sigma(measuring, n, scale, view, model)
    opens = float(np.mean([one.view.opens for one in read]))
    habit = mean_sigma(hypot(measuring, player), n, scale, _rms(one.view.total for one in read), model)
    change = detectable_change(hypot(measuring, player), n, hypot(view, scale))
    return _metric(
        entry,
        read,
        context,
        value=rounded(value),
        ci95=interval(value, mean, opens, entry),
        spread=None if spread is None else rounded(spread),
        sigma=habit,
        detectable_change=rounded(change),
        per_delivery=[_delivery_value(one, entry, context) for one in read],
    )


def says_nothing(ci95: tuple[float, float], entry: Entry) -> bool:
    """Whether an interval is so wide, against what is possible at all, that the value is no measurement."""
    return ci95[1] - ci95[0] > catalogue().gates["widest_interval"] * (entry.plausible[1] - entry.plausible[0])


def repeatability(entry: Entry, read: list[ReadBall], context: Context) -> Metric:
    """Standard deviation over the balls, at least 3, of the metric that they were read for; the measurement's own scatter taken away.

    The interval follows from the distribution of a variance (Wilson and Hilferty's chi-squared); its lower end takes away what measuring
    explains, its upper end nothing, since that is known only roughly. A ball's value is its distance from the mean of all.
    """
    values, n = [one.reading.value for one in read], len(read)
    measuring = _rms(one.random for one in read)
    seen = float(np.std(values, ddof=1))
    value = sqrt(max(seen**2 - measuring**2, 0.0))
    sigma = seen**2 / sqrt(2 * (n - 1)) / max(value, seen / 2, 1e-9)
    low = sqrt(max((seen / _chi(n - 1, Z95)) ** 2 - measuring**2, 0.0))
    middle = robust_mean(values, measuring)
    return _metric(
        entry,
        read,
        context,
        value=rounded(value),
        ci95=(_down(low), _up(seen / _chi(n - 1, -Z95))),
        spread=None,
        sigma=max(sigma, measuring / sqrt(n)),
        detectable_change=rounded(Z95 * sqrt(2) * sigma),
        per_delivery=[_distance_value(one, middle, context) for one in read],
    )


def _metric(entry: Entry, read: list[ReadBall], context: Context, *, value: float, sigma: float, **more: object) -> Metric:
    kind = context.kind_of(read)
    band, judged = entry.band_for(kind), entry.is_judged_for(kind)
    categories = [one.reading.category for one in read if one.reading.category]
    measured = {one.model.status for one in read}
    return Metric(
        label=entry.label,
        code=entry.code,
        score=None if band is None else rounded(probability_in_band(value, max(sigma, 1e-9), band)),
        value=value,
        unit=entry.unit,
        n=len(read),
        coverage=rounded(float(np.mean([one.ball.track.found_share for one in read]))),
        view=context.view,
        definition=f"{entry.code}: {entry.definition}",
        definition_version=catalogue().version,
        band=band,
        judged=judged,
        why_not_judged=None if judged else entry.why_not_judged,
        category=max(sorted(set(categories)), key=categories.count) if categories else None,
        sigma=rounded(sigma),
        error_status=measured.pop() if len(measured) == 1 else "uncalibrated",
        series=entry.series,
        on_curve=entry.on_curve,
        reason=None,
        reason_code=None,
        **more,
    )


def _delivery_value(one: ReadBall, entry: Entry, context: Context) -> DeliveryValue:
    reading = one.reading
    sigma = one_ball_sigma(reading.sigma_keypoint, reading.sigma_event, reading.sigma_scale, one.view.sigma, one.model.sigma)
    return DeliveryValue(
        delivery=one.ball.number,
        value=rounded(reading.value),
        sigma=rounded(one_ball_sigma(one.random, reading.sigma_scale, one.view.total, one.model.sigma, 0.0)),
        ci95=interval(reading.value, sigma, one.view.opens, entry),
        category=reading.category,
        **_moment(one, context),
    )


def _distance_value(one: ReadBall, middle: float, context: Context) -> DeliveryValue:
    distance = abs(one.reading.value - middle)
    ends = (_down(max(0.0, distance - Z95 * one.random)), _up(distance + Z95 * one.random))
    return DeliveryValue(delivery=one.ball.number, value=rounded(distance), sigma=rounded(one.random), ci95=ends, **_moment(one, context))


def _moment(one: ReadBall, context: Context) -> dict[str, object]:
    t_s = one.reading.t_s
    return {"t_s": round(max(t_s * context.clock, 0.0), 4), "frame": one.ball.track.frame_at(t_s), "event": one.reading.event}


def interval(value: float, sigma: float, opens: float, entry: Entry) -> tuple[float, float]:
    """95 % interval, further by `opens` on the side that the view hides; rounded outward; cut at 0 for what cannot be negative and at 180
    for a joint angle."""
    least = 0.0 if entry.plausible[0] >= 0 else -inf
    most = 180.0 if entry.plausible[1] > 180 else inf
    low, high = _down(value - Z95 * sigma + min(opens, 0.0)), _up(value + Z95 * sigma + max(opens, 0.0))
    return min(max(least, low), most), max(min(most, high), least)


def rounded(value: float) -> float:
    """Four decimals: a hundredth of the smallest sigma in the catalogue, the same on every machine; never -0."""
    return round(float(value), 4) + 0.0


def _down(value: float) -> float:
    return floor(value * 1e4 - 1e-6) / 1e4 + 0.0


def _up(value: float) -> float:
    return ceil(value * 1e4 + 1e-6) / 1e4 + 0.0


def _rms(parts: object) -> float:
    return float(np.sqrt(np.mean(np.square(list(parts)))))


def _chi(freedom: int, z: float) -> float:
    """Square root of the chi-squared quantile at `z` standard deviations, over its freedom (Wilson and Hilferty 1931)."""
    return sqrt(max(1 - 2 / (9 * freedom) + z * sqrt(2 / (9 * freedom)), 0.05) ** 3)
