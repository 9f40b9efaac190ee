"""From where a metric is read, and what a camera that stands aside does to its interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.kinematics import joint_angle_deg, plumb_angle_deg
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.view_gate import off_axis_deg, straightened, view_error
from cricksy_pipeline.analysis.view import UNKNOWN, CameraView


def seen_from(off_side_deg: float, name: str = "side") -> CameraView:
    return CameraView(name, off_side_deg, 5.0, 0.9)


@pytest.mark.parametrize(("off", "read"), [(0, True), (20, True), (29.9, True), (30.1, False), (60, False)])
def test_a_metric_of_the_side_is_refused_beyond_thirty_degrees(off, read):
    assert (off_axis_deg(catalogue().entries["B4"], seen_from(off)) is not None) == read


@pytest.mark.parametrize(("off_side", "read"), [(90, True), (61, True), (59, False), (45, False), (10, False)])
def test_a_metric_along_the_pitch_is_refused_the_same_way_from_the_pitch(off_side, read):
    assert (off_axis_deg(catalogue().entries["B6"], seen_from(off_side, "front")) is not None) == read


@pytest.mark.parametrize(("sigma", "read"), [(5, True), (15, True), (30, True), (38, False), (90, False)])
def test_a_camera_of_which_too_little_is_known_is_refused_wherever_it_seems_to_stand(sigma, read):
    assert (off_axis_deg(catalogue().entries["B4"], CameraView("side", 2.0, float(sigma), 0.5)) is not None) == read


def test_what_any_view_shows_needs_no_view_and_the_rest_needs_one():
    assert off_axis_deg(catalogue().entries["B8"], UNKNOWN) == 0
    assert all(off_axis_deg(entry, UNKNOWN) is None for entry in catalogue().entries.values() if "any" not in entry.views)


@pytest.mark.parametrize(
    ("true", "off", "seen"), [(110, 20, 113), (110, 30, 118), (110, 45, 127), (150, 20, 152), (150, 30, 154), (150, 45, 159)]
)
def test_a_bend_is_undone_by_the_closed_form_of_the_reference(true, off, seen):
    assert straightened("bend", seen, off) == pytest.approx(true, abs=1.0)


@given(st.floats(40, 175), st.floats(0, 40))
def test_undoing_the_view_gives_back_the_bend_that_was_turned_away(angle, off):
    half, turn = np.radians(angle) / 2, np.cos(np.radians(off))
    leg = np.array([np.cos(half) * turn, np.sin(half)])
    seen = float(joint_angle_deg(leg, np.zeros(2), leg * [1, -1]))
    assert straightened("bend", seen, off) == pytest.approx(angle, abs=1e-6)


@given(st.floats(-70, 70), st.floats(0, 40))
def test_undoing_the_view_gives_back_the_lean_that_was_turned_away(angle, off):
    trunk = np.array([np.sin(np.radians(angle)) * np.cos(np.radians(off)), -np.cos(np.radians(angle))])
    assert straightened("lean", float(plumb_angle_deg(np.zeros(2), trunk)), off) == pytest.approx(angle, abs=1e-6)


def test_between_twenty_and_thirty_degrees_the_interval_opens_to_the_bent_side_only():
    entry = catalogue().entries["B4"]
    near, aside = (view_error(entry, seen_from(off), 130.0) for off in (19, 28))
    assert near.opens == 0 and aside.opens < -3
    assert near.sigma == aside.sigma == entry.sigma_view and aside.total > near.total


def test_a_length_and_a_lean_open_to_the_larger_side():
    assert view_error(catalogue().entries["W3"], seen_from(28), 0.7).opens > 0.05
    assert view_error(catalogue().entries["W5"], seen_from(28), 40.0).opens > 2
    assert view_error(catalogue().entries["W6"], seen_from(62, "front"), -20.0).opens < -1


def test_where_the_effect_has_no_direction_the_error_doubles():
    entry = catalogue().entries["B3"]
    assert view_error(entry, seen_from(25), 0.5).sigma == 2 * view_error(entry, seen_from(5), 0.5).sigma
