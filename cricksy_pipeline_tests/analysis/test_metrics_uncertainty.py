"""The error budget against drawn errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.documents import Band
from cricksy_pipeline.analysis.kinematics import joint_angle_deg
from cricksy_pipeline.analysis.metrics.uncertainty import (
    angle_sigma_deg,
    detectable_change,
    distance_outside,
    event_sigma,
    keypoint_sigma_px,
    mean_sigma,
    one_ball_sigma,
    player_sigma,
    probability_in_band,
    robust_mean,
    robust_spread,
    student_t95,
)


def band(low: float | None, high: float | None) -> Band:
    return Band(low=low, high=high, source="test", status="uncalibrated")


@pytest.mark.parametrize("angle", [60, 90, 120, 150])
@pytest.mark.parametrize("noise", [0.5, 1.5])
def test_the_closed_form_of_an_angles_error_agrees_with_drawn_noise(angle, noise):
    rng = np.random.default_rng(3)
    a, c = np.array([60.0, 0.0]), 55 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    drawn = [joint_angle_deg(*(p + rng.normal(0, noise, (20_000, 2)) for p in (a, np.zeros(2), c)))]
    assert np.std(drawn[0]) == pytest.approx(angle_sigma_deg(noise, 60, 55, angle), rel=0.03)


def test_a_straight_legs_error_is_two_and_a_half_times_noise_over_length():
    assert angle_sigma_deg(1.0, 66.7, 66.7, 180) == pytest.approx(np.degrees(2.45 / 66.7), rel=0.01)


@given(st.floats(-200, 200), st.floats(0.01, 50), st.floats(-100, 100), st.floats(0.1, 100))
def test_a_score_is_a_probability_and_both_sides_of_a_limit_share_it_out(value, sigma, low, width):
    inside = probability_in_band(value, sigma, band(low, low + width))
    assert 0 <= inside <= 1
    assert probability_in_band(value, sigma, band(low, None)) + probability_in_band(value, sigma, band(None, low)) == pytest.approx(1)
    assert inside <= probability_in_band(value, sigma, band(low, None)) + 1e-12


@given(st.floats(-50, 50))
def test_the_score_abstains_when_the_measurement_says_nothing(value):
    assert probability_in_band(value, 1e6, band(-10, 10)) < 0.01 or probability_in_band(value, 1e6, band(0, None)) == pytest.approx(
        0.5, abs=0.01
    )


def test_a_score_on_the_edge_of_a_one_sided_band_is_one_half():
    assert probability_in_band(10, 3, band(10, None)) == pytest.approx(0.5)


def test_distance_is_measured_to_the_nearer_edge_and_zero_inside():
    assert [distance_outside(x, band(0, 10)) for x in (-3, 0, 5, 10, 14)] == [3, 0, 0, 0, 4]
    assert distance_outside(1e9, band(0, None)) == 0


def test_only_the_random_part_shrinks_with_more_balls():
    assert mean_sigma(6, 9, 0, 0) == pytest.approx(2)
    assert mean_sigma(6, 10_000, 3, 4) == pytest.approx(5, rel=0.001)
    assert one_ball_sigma(1, 2, 2, 4, 4) == pytest.approx(41**0.5)
    assert detectable_change(6, 1, 2) == pytest.approx(17.5, abs=0.1)
    assert detectable_change(6, 6, 2) == pytest.approx(8.8, abs=0.1)


@pytest.mark.parametrize("slope", [-300.0, 0.0, 40.0])
@pytest.mark.parametrize("bend", [-2000.0, 0.0, 5000.0])
def test_a_moments_uncertainty_becomes_the_values_through_slope_and_bend(slope, bend):
    drawn = np.random.default_rng(1).normal(0, 0.02, 200_000)
    expected = np.sqrt(np.mean((slope * drawn + bend * drawn**2) ** 2))
    assert event_sigma(lambda shift: slope * shift + bend * shift**2, 0.02) == pytest.approx(expected, rel=0.02, abs=1e-9)


def test_a_moment_at_the_edge_of_what_was_seen_uses_the_side_that_was_seen():
    assert event_sigma(lambda shift: 100 * shift if shift <= 0 else float("nan"), 0.02) == pytest.approx(2.0, rel=0.3)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12), st.floats(0.1, 10), st.floats(-50, 50))
def test_a_robust_mean_lies_among_the_values_and_moves_with_them(values, scale, shift):
    middle = robust_mean(values, scale)
    assert min(values) - 1e-6 <= middle <= max(values) + 1e-6
    assert robust_mean([v + shift for v in values], scale) == pytest.approx(middle + shift, abs=1e-5)
    assert robust_mean(values[::-1], scale) == pytest.approx(middle, abs=1e-6)


def test_one_wild_ball_in_six_hardly_moves_the_mean_and_the_spread():
    usual = [100.0, 101, 99, 100.5, 99.5]
    assert robust_mean([*usual, 160.0], 1.0) == pytest.approx(100, abs=0.6)
    assert robust_spread([*usual, 160.0]) < 3 < np.std([*usual, 160.0], ddof=1) / 5


def test_values_that_scatter_as_expected_are_simply_averaged():
    assert robust_mean([1.0, 2.0, 4.5], 3.0) == pytest.approx(2.5)


@pytest.mark.parametrize("n", [3, 4, 6, 12])
def test_the_spread_is_right_on_average_from_three_balls_on(n):
    rng = np.random.default_rng(2)
    assert np.mean([robust_spread(rng.normal(5, 2, n)) for _ in range(3000)]) == pytest.approx(2, rel=0.08)
    assert robust_spread([1.0, 2.0]) is None


@pytest.mark.parametrize(("freedom", "exact"), [(4, 2.776), (6, 2.447), (9, 2.262), (30, 2.042)])
def test_students_point_is_near_enough(freedom, exact):
    assert student_t95(freedom) == pytest.approx(exact, rel=0.02)


def test_the_players_scatter_is_what_was_seen_beyond_what_measuring_explains_and_never_less_than_assumed():
    assert player_sigma(2.0, None, 1.0, 1) == pytest.approx(2.0 * student_t95(4) / 1.96)
    assert player_sigma(2.0, 1.0, 3.0, 6) == pytest.approx(2.0 * student_t95(9) / 1.96)
    assert player_sigma(2.0, 5.0, 3.0, 6) == pytest.approx(4.0 * student_t95(9) / 1.96)


def test_noise_has_a_floor_for_small_players():
    assert keypoint_sigma_px(200, 0.015, 0.5) == pytest.approx(np.hypot(3, 0.5))
    assert keypoint_sigma_px(1, 0.015, 0.5) >= 0.5
