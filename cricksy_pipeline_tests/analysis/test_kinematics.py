"""Tracks, angles, speeds: what must hold whatever moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.kinematics import (
    TRACK_RATE_HZ,
    body_height_px,
    effective_rate_hz,
    joint_angle_deg,
    plumb_angle_deg,
    remove_outliers,
    repair_swaps,
    smooth_onto,
    tracks,
    velocity,
    velocity_on_timestamps,
)
from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES, Landmarks
from cricksy_pipeline_tests.analysis.players import noisy, on_grid, player, with_bursts

points = st.tuples(st.floats(-1000, 1000), st.floats(-1000, 1000)).map(np.array)
RIGHT_OF = {name: name.replace("left", "right") for name in LANDMARK_NAMES if name.startswith("left")}


@given(points, points, points, st.floats(0, 6.3), st.floats(0.1, 50), points)
def test_a_joint_angle_does_not_change_when_the_picture_is_turned_scaled_moved_or_mirrored(a, b, c, turn, scale, shift):
    if min(np.linalg.norm(a - b), np.linalg.norm(c - b)) < 1:
        return
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    before = joint_angle_deg(a, b, c)
    assert 0 <= before <= 180
    for other in (lambda p: scale * (rotation @ p) + shift, lambda p: p * [-1, 1]):
        assert joint_angle_deg(other(a), other(b), other(c)) == pytest.approx(before, abs=1e-3)


def test_angles_of_known_figures_are_exact():
    hip, knee = np.array([0.0, 0.0]), np.array([0.0, 100.0])
    assert joint_angle_deg(hip, knee, np.array([0.0, 200.0])) == pytest.approx(180)
    assert joint_angle_deg(hip, knee, np.array([100.0, 100.0])) == pytest.approx(90)
    assert plumb_angle_deg(np.array([0.0, 100.0]), np.array([100.0, 0.0])) == pytest.approx(45)
    assert plumb_angle_deg(np.array([0.0, 100.0]), np.array([0.0, 0.0])) == pytest.approx(0)


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


def test_a_track_is_made_only_where_the_timestamps_are_dense_enough():
    seen = player(fps=60, seconds=8.0)
    assert tracks(on_grid(seen, 10), min_rate_hz=24.5) == []
    both = tracks(with_bursts(seen, [(0.7, 2.3), (4.7, 6.3)]), min_rate_hz=24.5)
    assert [(round(track.t_s[0], 1), round(track.t_s[-1], 1)) for track in both] == [(0.7, 2.3), (4.7, 6.3)]
    assert all(track.rate_hz == pytest.approx(60, rel=0.01) for track in both)
    assert np.diff(both[0].t_s) == pytest.approx(1 / TRACK_RATE_HZ)


def test_twenty_four_frames_a_second_make_no_track_and_twenty_five_do():
    assert tracks(player(fps=24), min_rate_hz=24.5) == []
    assert len(tracks(player(fps=25), min_rate_hz=24.5)) == 1


def test_true_landmarks_are_never_repaired():
    for motion in ("drive", "bowl"):
        for view in ("side", "front", "quarter"):
            (track,) = tracks(player(motion, view, noise=0.015), min_rate_hz=24.5)
            assert (track.swaps_repaired, track.outliers_removed) == (0, 0)


def _swapped(seen: Landmarks, frames: np.ndarray, parts: tuple[str, ...]) -> Landmarks:
    xy = seen.xy.copy()
    for left, right in RIGHT_OF.items():
        if any(left.endswith(part) for part in parts):
            xy[frames, INDEX[left]], xy[frames, INDEX[right]] = seen.xy[frames, INDEX[right]], seen.xy[frames, INDEX[left]]
    return replace(seen, xy=xy)


def test_swapped_legs_are_found_by_continuity_and_put_back():
    seen = player(noise=0.01, fps=30)
    apart = np.linalg.norm(seen.point("left_ankle") - seen.point("right_ankle"), axis=-1)
    frames = np.array([i for i in (20, 21, 40, 55, 56, 57, 80, 100) if apart[i] > 20])
    repaired, count = repair_swaps(_swapped(seen, frames, ("hip", "knee", "ankle", "heel", "foot_index")).xy.astype(float))
    assert count == len(frames) >= 6
    assert np.abs(repaired - seen.xy).max() < 1e-3


def test_a_leap_of_one_landmark_is_removed_and_the_rest_is_left():
    seen = player(fps=60, noise=0.01)
    xy = seen.xy.astype(float)
    xy[100, INDEX["left_knee"]] += [80, 10]
    cleaned, count = remove_outliers(seen.t_s, xy, body_height_px(xy))
    assert count == 1
    assert np.isnan(cleaned[100, INDEX["left_knee"]]).all() and np.isfinite(np.delete(cleaned, 100, axis=0)).all()


def test_the_players_height_is_found_within_eight_percent_in_every_view():
    for view in ("side", "front", "quarter", "behind"):
        from cricksy_pipeline.sample.clip import ClipSpec, truth

        known = truth(ClipSpec(view=view))
        assert body_height_px(known.px) == pytest.approx(float(np.median(known.height_px)), rel=0.08)


def test_speeds_of_a_parabola_are_exact_even_and_uneven():
    t = np.arange(0, 1, 0.005)
    assert velocity(t, 3 * t**2)[20:-20] == pytest.approx(6 * t[20:-20], abs=1e-9)
    rough = np.sort(np.random.default_rng(2).uniform(0, 1, 60))
    assert velocity_on_timestamps(rough, 3 * rough**2)[1:-1] == pytest.approx(6 * rough[1:-1], abs=1e-9)


def test_a_missing_value_makes_its_neighbourhood_of_the_speed_missing_not_wrong():
    t = np.arange(0, 1, 0.005)
    x = 2 * t
    x[100] = np.nan
    speed = velocity(t, x)
    assert np.isnan(speed[95:106]).all() and speed[np.isfinite(speed)] == pytest.approx(2)


def test_an_empty_clip_has_no_rate_no_size_no_track():
    empty = Landmarks.empty(64, 48)
    assert effective_rate_hz(empty.t_s) == 0
    assert np.isnan(body_height_px(empty.xy))
    assert tracks(empty, min_rate_hz=24.5) == []
    assert tracks(noisy(player(player=True, seconds=0.1), 0.01), min_rate_hz=24.5) == []
