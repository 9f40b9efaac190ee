"""How sure a measured value is: the closed-form error budget, robust means, and the probability of being inside a band.

Belongs here: formulas of cricket-metrics 3.2 and 3.3.9, numbers in, numbers out. Does not belong here: the sigmas themselves
(catalogue.toml, accuracy.toml), which metric they are of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import cos, degrees, erf, hypot, isfinite, radians, sqrt

import numpy as np

from cricksy_pipeline.analysis.documents import Band

Z95 = 1.96
"""Half of a 95 % interval over one standard deviation, of a normal distribution."""
HUBER_K = 1.5
"""Values farther than so many scales from the middle pull no harder than this (Huber 1964)."""
PRIOR_BALLS = 4
"""What is assumed of the scatter from ball to ball weighs as much as seeing it in so many balls. House default, uncalibrated."""


def keypoint_sigma_px(thigh_px: float, share_of_thigh: float, floor_px: float) -> float:
    """Noise of one landmark per axis: a share of the thigh's length and a floor that does not shrink with the player."""
    return hypot(share_of_thigh * thigh_px, floor_px)


def angle_sigma_deg(noise_px: float, first_px: float, second_px: float, angle_deg: float) -> float:
    """Standard deviation of a joint angle between segments of the given lengths: s sqrt(2/a2 + 2/c2 - 2 cos(angle)/(a c))."""
    a, c = max(first_px, 1.0), max(second_px, 1.0)
    return degrees(noise_px * sqrt(max(2 / a**2 + 2 / c**2 - 2 * cos(radians(angle_deg)) / (a * c), 0)))


_HERMITE = ((1.3556261, 0.2220759), (2.8569700, 0.0112574))
"""Gauss and Hermite's five nodes for a normal distribution, in standard deviations, with their weights; the middle one is 0."""


def event_sigma(value_at: Callable[[float], float], sigma_s: float) -> float:
    """Standard deviation of a value read at a moment that is known to `sigma_s` seconds.

    Root mean square of value(t + shift) - value(t) over the shift's normal distribution: the slope times sigma_s where the quantity runs
    straight, and the bend besides where it has a peak (five nodes, exact to the eighth power). What was not seen is left out.

    Args:
        value_at: the value when the moment is shifted by so many seconds; NaN: not seen.
        sigma_s: standard deviation of the moment, seconds.
    """
    here, total, known = value_at(0.0), 0.0, 1 - 2 * sum(weight for _, weight in _HERMITE)
    for node, weight in _HERMITE:
        for shift in (-node * sigma_s, node * sigma_s):
            away = value_at(shift) - here
            if isfinite(away):
                total, known = total + weight * away**2, known + weight
    return sqrt(total / known)


def one_ball_sigma(keypoint: float, event: float, scale: float, view: float, model: float) -> float:
    """Standard deviation of the measurement of one ball."""
    return sqrt(keypoint**2 + event**2 + scale**2 + view**2 + model**2)


def mean_sigma(random: float, n: int, *systematic: float) -> float:
    """Standard deviation of the mean over n balls: only the random part shrinks."""
    return sqrt(random**2 / n + sum(part**2 for part in systematic))


def player_sigma(prior: float, spread: float | None, measurement: float, n: int) -> float:
    """How much the player differs from ball to ball, for the error of his habit: the larger of what is assumed and what was seen.

    What was seen is the spread less the part that measuring one ball explains. Either is known from few balls only, so it is widened as
    Student's distribution is against the normal one, the prior counting as `PRIOR_BALLS` balls.

    Args:
        prior: assumed standard deviation. spread: seen one, None with fewer than 3 balls. measurement: of one ball, random part. n: balls.
    """
    seen = 0.0 if spread is None else sqrt(max(spread**2 - measurement**2, 0.0))
    return max(prior, seen) * student_t95(n - 1 + PRIOR_BALLS) / Z95


def student_t95(freedom: int) -> float:
    """Two-sided 95 % point of Student's distribution (Cornish and Fisher's expansion; within 2 % from 4 degrees of freedom on)."""
    z = Z95
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def robust_mean(values: Sequence[float], scale: float) -> float:
    """Huber's mean: values farther than 1.5 scales from it pull no harder than that.

    Args:
        values: one or more. scale: what one value is expected to scatter; where the values scatter more, their own (1.4826 MAD) is used.
    """
    x = np.asarray(values, float)
    middle = float(np.median(x))
    width = HUBER_K * max(scale, 1.4826 * float(np.median(np.abs(x - middle))))
    if width <= 0:
        return middle
    for _ in range(50):
        before, middle = middle, float(np.mean(np.clip(x, middle - width, middle + width)))
        if abs(middle - before) <= 1e-9 * width:
            break
    return middle


def robust_spread(values: Sequence[float]) -> float | None:
    """Standard deviation from Gini's mean difference, unbiased for normal values at any n and less drawn by one wild ball than squares are.

    From 6 values on, those farther than 4 scaled MAD from the median are first drawn in to there. None with fewer than 3.
    """
    x = np.sort(np.asarray(values, float))
    n = len(x)
    if n < 3:
        return None
    if n >= 6:
        middle = float(np.median(x))
        most = 4 * 1.4826 * float(np.median(np.abs(x - middle)))
        x = np.clip(x, middle - most, middle + most) if most > 0 else x
    ranks = 2 * np.arange(1, n + 1) - n - 1
    return float(ranks @ x) * 2 / (n * (n - 1)) * sqrt(np.pi) / 2


def detectable_change(random: float, n: int, setup: float) -> float:
    """Smallest difference between two sessions of n balls each that is not chance, 95 % (MDC95, cricket-metrics 3.2).

    Args:
        random: standard deviation of one ball, measurement and player. setup: what putting the camera up again changes.
    """
    return Z95 * sqrt(2) * sqrt(random**2 / n + setup**2)


def normal_below(x: float) -> float:
    """Share of the standard normal distribution below x."""
    return 0.5 * (1 + erf(x / sqrt(2)))


def probability_in_band(value: float, sigma: float, band: Band) -> float:
    """P(true value in the band | measurement), the error being normal with `sigma` > 0."""
    above_low = 1.0 if band.low is None else 1 - normal_below((band.low - value) / sigma)
    above_high = 0.0 if band.high is None else 1 - normal_below((band.high - value) / sigma)
    return min(1.0, max(0.0, above_low - above_high))


def distance_outside(value: float, band: Band) -> float:
    """How far a value lies outside the band; 0 inside."""
    below = 0.0 if band.low is None else band.low - value
    above = 0.0 if band.high is None else value - band.high
    return max(0.0, below, above)
