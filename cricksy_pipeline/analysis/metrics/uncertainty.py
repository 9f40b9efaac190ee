"""How sure a measured value is: the closed-form error budget and the probability of being inside a band.

Belongs here: formulas of cricket-metrics 3.2 and 3.3.9, numbers in, numbers out. Does not belong here: the sigmas themselves
(catalogue.toml).
"""

from __future__ import annotations

from math import cos, degrees, erf, hypot, radians, sqrt

from cricksy_pipeline.analysis.documents import Band


def keypoint_sigma_px(thigh_px: float, share_of_thigh: float, floor_px: float) -> float:
    """Noise of one landmark per axis: a share of the thigh's length and a floor that does not shrink with the player."""
    return hypot(share_of_thigh * thigh_px, floor_px)


def angle_sigma_deg(noise_px: float, first_px: float, second_px: float, angle_deg: float) -> float:
    """Standard deviation of a joint angle between segments of the given lengths: s sqrt(2/a2 + 2/c2 - 2 cos(angle)/(a c))."""
    a, c = max(first_px, 1.0), max(second_px, 1.0)
    return degrees(noise_px * sqrt(max(2 / a**2 + 2 / c**2 - 2 * cos(radians(angle_deg)) / (a * c), 0)))


def one_ball_sigma(keypoint: float, event: float, player: float, view: float, model: float) -> float:
    """One ball's standard deviation."""
    return sqrt(keypoint**2 + event**2 + player**2 + view**2 + model**2)


def mean_sigma(random: float, n: int, view: float, model: float) -> float:
    """Standard deviation of the mean over n balls: only the random part shrinks."""
    return sqrt(random**2 / n + view**2 + model**2)


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
