"""Tracks, angles, speeds: what must hold whatever moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.kinematics import (
    BREAK_S,
    TRACK_RATE_HZ,
    joint_angle_deg,
    plumb_angle_deg,
    tracks,
    velocity,
    velocity_on_timestamps,
)
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline_tests.analysis.players import noisy, on_grid, player, with_bursts

points = st.tuples(st.floats(-1000, 1000), st.floats(-1000, 1000)).map(np.array)


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


def test_an_empty_clip_has_no_track():
    empty = Landmarks.empty(64, 48)
    assert tracks(empty, min_rate_hz=24.5) == []
    assert tracks(noisy(player(player=True, seconds=0.1), 0.01), min_rate_hz=24.5) == []


def test_no_track_goes_across_a_cut():
    seen = player(fps=30, seconds=4.0)
    shot = (np.arange(len(seen)) >= 50).astype(np.int32)
    before, after = tracks(replace(seen, shot=shot), min_rate_hz=24.5)
    assert before.t_s[-1] < seen.t_s[50] <= after.t_s[0] + 1e-9
    assert seen.t_s[50] - seen.t_s[49] < BREAK_S  # time alone would not have parted them


def test_places_fixed_to_the_ground_do_not_move_with_the_camera():
    still = player("bowl", fps=60, seconds=3.0)
    pan = np.stack([40 * np.sin(1.3 * still.t_s), 9 * still.t_s], -1).astype(np.float32)
    panned = replace(still, xy=still.xy + pan[:, None], camera=pan)
    (one,), (other,) = (tracks(seen, min_rate_hz=24.5) for seen in (still, panned))
    apart = np.abs(one.steady("left_ankle") - other.steady("left_ankle"))
    assert np.nanmax(apart) < 0.1
    assert np.abs(one.point("left_ankle") - other.point("left_ankle")).max() > 20
    assert one.camera_moved == 0 and other.camera_moved == pytest.approx(0.85 / other.height_px, rel=0.5)
    assert np.array_equal(one.steady("hip"), one.middle("hip"))


def test_where_the_cameras_movement_is_not_known_places_on_the_ground_are_not_known_and_angles_are():
    seen = player(fps=30)
    camera = seen.camera.copy()
    camera[5:] = 3.0
    camera[40:60] = np.nan
    (track,) = tracks(replace(seen, camera=camera), min_rate_hz=24.5)
    inside = (track.t_s > seen.t_s[42]) & (track.t_s < seen.t_s[57])
    assert np.isnan(track.steady("hip")[inside]).all() and np.isfinite(track.middle("hip")[inside]).all()


def test_a_landmark_outside_the_picture_is_no_measurement():
    seen = player(fps=30)
    xy = seen.xy.copy()
    xy[30:60, INDEX["left_wrist"], 0] = seen.width + 40
    (track,) = tracks(replace(seen, xy=xy), min_rate_hz=24.5)
    inside = (track.t_s > seen.t_s[31]) & (track.t_s < seen.t_s[58])
    assert track.outside == 30
    assert np.isnan(track.point("left_wrist")[inside]).all() and np.isfinite(track.point("right_wrist")[inside]).all()
    span = track.span(seen.t_s[32], seen.t_s[57])
    assert track.trust(["left_wrist"], span) == 0 and track.trust(["right_wrist"], span) == pytest.approx(1)


def test_trust_is_that_of_the_weakest_landmark():
    seen = player(fps=30, height=720, width=1280)
    visibility = seen.visibility.copy()
    visibility[:, INDEX["left_knee"]] = 0.4
    (track,) = tracks(replace(seen, visibility=visibility), min_rate_hz=24.5)
    span = track.span(1.0, 2.0)
    assert track.trust(["left_hip"], span) == pytest.approx(1)
    assert track.trust(["left_hip", "left_knee"], span) == pytest.approx(0.4)


def test_a_small_player_is_trusted_less():
    trust = []
    for height in (90, 180, 720):
        (track,) = tracks(player(fps=30, width=2 * height, height=height), min_rate_hz=24.5)
        trust.append(track.trust(["left_knee"], track.span(1.0, 2.0)))
    assert trust[0] < trust[1] < trust[2] == 1


def test_frames_in_a_mirror_give_the_same_track_in_a_mirror():
    one = noisy(player("bowl", fps=30), 0.01)
    twin = [INDEX[name.replace("left", "right") if "left" in name else name.replace("right", "left")] for name in INDEX]
    mirrored = replace(one, xy=(np.float32([one.width, 0]) + one.xy * np.float32([-1, 1]))[:, twin], z=one.z[:, twin])
    (a,), (b,) = tracks(one, min_rate_hz=24.5), tracks(mirrored, min_rate_hz=24.5)
    assert np.nanmax(np.abs(b.xy[:, twin] - (np.array([one.width, 0]) + a.xy * [-1, 1]))) < 1e-2
    assert a.height_px == pytest.approx(b.height_px, rel=1e-5) and a.swap_share == b.swap_share


def test_the_faster_band_is_never_cut_off_above_a_third_of_the_rate():
    t = np.arange(0, 4, 1 / 25)
    seen = player(fps=25, seconds=4.0)
    shaking = seen.xy.copy()
    shaking[:, INDEX["left_wrist"], 0] += 10 * np.sin(2 * np.pi * 11.5 * t).astype(np.float32)  # below 12 Hz, above 25 / 3
    (still,), (track,) = tracks(seen, min_rate_hz=24.5), tracks(replace(seen, xy=shaking), min_rate_hz=24.5)
    left = (track.point("left_wrist") - still.point("left_wrist"))[track.span(1.0, 3.0), 0]
    assert np.abs(left).max() < 3.5


@pytest.mark.parametrize("fps", [30, 60, 120])
def test_a_bob_of_the_head_of_five_a_second_keeps_its_size(fps):
    still = player(fps=fps, seconds=3.0)
    bob = 10 * np.sin(2 * np.pi * 5 * still.t_s)
    xy = np.repeat(still.xy[:1], len(still), axis=0) + np.stack([np.zeros_like(bob), bob], axis=1)[:, None].astype(np.float32)
    (track,) = tracks(replace(still, xy=xy), min_rate_hz=24.5)
    middle = track.span(0.8, 2.2)
    swing = {part: float(np.ptp(track.middle(part)[middle, 1])) / 20 for part in ("ear", "eye", "hip")}
    assert min(swing["ear"], swing["eye"]) > 0.95 > swing["hip"]
