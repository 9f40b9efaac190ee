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
    distance_outside,
    keypoint_sigma_px,
    mean_sigma,
    one_ball_sigma,
    probability_in_band,
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


def test_noise_has_a_floor_for_small_players():
    assert keypoint_sigma_px(200, 0.015, 0.5) == pytest.approx(np.hypot(3, 0.5))
    assert keypoint_sigma_px(1, 0.015, 0.5) >= 0.5
