"""Smoothing, gaps and leaps: what must hold at any rate."""

from __future__ import annotations

import numpy as np
import pytest

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.analysis.smoothing import effective_rate_hz, remove_outliers, smooth_onto, smooth_points_onto
from cricksy_pipeline.analysis.stature import body_height_px
from cricksy_pipeline_tests.analysis.players import player


@pytest.mark.parametrize("rate", [25, 30000 / 1001, 60, 120, 240])
def test_smoothing_delays_nothing_and_keeps_slow_movement_at_any_rate(rate):
    t = np.arange(0, 4, 1 / rate)
    grid = np.arange(0.5, 3.5, 0.005)
    slow = smooth_onto(t, np.sin(2 * np.pi * 1.0 * t)[:, None], grid, 6.0)[:, 0]
    assert np.abs(slow - np.sin(2 * np.pi * grid)).max() < 0.01


def test_smoothing_removes_what_is_faster_than_its_cut_off_and_halves_the_power_at_it():
    t = np.arange(0, 8, 1 / 240)
    grid = np.arange(1, 7, 0.005)
    for frequency, low, high in ((6.0, 0.66, 0.75), (24.0, 0.0, 0.02)):
        kept = smooth_onto(t, np.sin(2 * np.pi * frequency * t)[:, None], grid, 6.0)
        assert low <= np.abs(kept).max() <= high


def test_uneven_timestamps_give_the_same_curve_as_even_ones():
    rng = np.random.default_rng(1)
    even = np.arange(0, 4, 1 / 60)
    uneven = np.sort(even + rng.uniform(-0.006, 0.006, len(even)))
    grid = np.arange(0.5, 3.5, 0.005)
    curves = [smooth_onto(t, np.sin(2 * np.pi * 1.5 * t)[:, None], grid, 6.0) for t in (even, uneven)]
    assert np.abs(curves[0] - curves[1]).max() < 0.02


def test_a_short_gap_is_filled_and_a_long_one_never():
    t = np.arange(0, 3, 1 / 30)
    grid = np.arange(0, 2.9, 0.005)
    for missing, filled in ((2, True), (6, False)):
        values = np.sin(t)[:, None].copy()
        values[40 : 40 + missing] = np.nan
        inside = (grid > t[40]) & (grid < t[40 + missing - 1])
        assert np.isfinite(smooth_onto(t, values, grid, 6.0)[inside]).all() == filled


def test_points_smoothed_together_are_the_same_numbers_as_each_alone():
    rng = np.random.default_rng(4)
    t = np.sort(np.arange(0, 6, 1 / 30) + rng.uniform(-0.004, 0.004, 180))
    xy = np.cumsum(rng.normal(0, 1, (180, 7, 2)), axis=0)
    xy[40:48] = np.nan  # nobody
    for _ in range(12):
        xy[rng.integers(0, 180), rng.integers(0, 7)] = np.nan  # now one is missing, now another
    xy[90:97, 3] = np.nan
    grid = t[0] + np.arange(1150) / 200
    together = smooth_points_onto(t, xy, grid, 6.0)
    alone = np.stack([smooth_onto(t, xy[:, j], grid, 6.0) for j in range(7)], axis=1)
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-9)
    assert np.isnan(together).any() and np.isfinite(together).any()


def test_a_leap_of_one_landmark_is_removed_and_the_rest_is_left():
    seen = player(fps=60, noise=0.01)
    xy = seen.xy.astype(float)
    xy[100, INDEX["left_knee"]] += [80, 10]
    cleaned, count = remove_outliers(seen.t_s, xy, np.full(33, 0.06 * body_height_px(xy)))
    assert count == 1
    assert np.isnan(cleaned[100, INDEX["left_knee"]]).all() and np.isfinite(np.delete(cleaned, 100, axis=0)).all()


def test_two_times_are_needed_for_a_rate():
    assert effective_rate_hz(np.zeros(0)) == effective_rate_hz(np.zeros(1)) == 0
    assert effective_rate_hz(np.array([0.0, 0.04, 0.08, 0.5])) == pytest.approx(25)
