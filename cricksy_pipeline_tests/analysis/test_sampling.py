"""The sampling plan: by time, on a grid, the same scene the same way at every rate."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.sampling import burst_frames, grid_frames, plan_sampling
from cricksy_pipeline.analysis.video import index_video
from cricksy_pipeline_tests.analysis.pattern_video import write_pattern


def timeline(t_s):
    return SimpleNamespace(t_s=np.asarray(t_s, float))


def constant(fps: float, seconds: float):
    return timeline(np.arange(round(seconds * fps)) / fps)


variable_times = st.lists(st.floats(0.002, 0.7), min_size=0, max_size=150).map(lambda gaps: np.concatenate([[0.0], np.cumsum(gaps)]))


@pytest.mark.parametrize("fps", [30, 30000 / 1001, 25, 24, 50, 60, 120, 240])
def test_six_minutes_give_151_and_3653_frames_at_every_rate(fps):
    plan = plan_sampling(constant(fps, 365.3))
    assert (len(plan.quick), len(plan.deep)) == (151, 3653)


def test_a_real_file_of_10959_frames_gives_151_and_3653(tmp_path):
    path = write_pattern(tmp_path / "long.mp4", 10_959, size=(48, 32), gop=300)
    index = index_video(path)
    assert index.info.duration_s == pytest.approx(365.3)
    plan = plan_sampling(index)
    assert (len(plan.quick), len(plan.deep)) == (151, 3653)
    assert plan.quick[-1] == 900 and plan.deep[-1] == 10_956


def test_the_quick_pass_ends_with_second_thirty_inclusive():
    assert constant(30, 60).t_s[plan_sampling(constant(30, 60)).quick[-1]] == 30.0


def test_another_deep_rate_still_holds_the_quick_frames():
    plan = plan_sampling(constant(30, 20), deep_fps=3)
    assert np.isin(plan.quick, plan.deep).all()


def test_of_two_equally_near_frames_the_earlier_is_taken():
    assert grid_frames(np.array([0.0, 0.15, 0.25, 0.4]), 5).tolist() == [0, 1, 3]


def test_a_grid_time_with_no_frame_near_takes_none():
    assert grid_frames(np.array([0.0, 0.02, 1.0]), 5).tolist() == [0, 2]


def test_a_single_frame_and_no_frame_at_all():
    assert plan_sampling(timeline([0.0])).deep.tolist() == [0]
    assert grid_frames(np.zeros(0), 10).tolist() == []


@pytest.mark.parametrize("fps", [0, -5, 240.1, np.inf, np.nan])
def test_a_rate_that_no_camera_has_is_the_callers_fault(fps):
    with pytest.raises(ValueError, match="rate"):
        grid_frames(np.zeros(1), fps)


def test_a_gap_of_a_week_between_two_frames_costs_no_memory():
    t_s = np.array([0.0, 0.1, 7 * 86_400.0])
    tracemalloc.start()
    try:
        assert grid_frames(t_s, 10).tolist() == [0, 1, 2]
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@given(variable_times, st.sampled_from([3.0, 5.0, 10.0, 12.5]))
def test_frames_are_sorted_distinct_and_within_half_a_step_of_the_grid(t_s, fps):
    frames = grid_frames(t_s, fps)
    assert (np.diff(frames) > 0).all()
    grid = np.arange(int(t_s[-1] * fps + 1e-3) + 1) / fps
    assert all(np.abs(grid - t_s[f]).min() <= 0.5 / fps + 1e-5 for f in frames)
    assert frames[0] == 0


@given(variable_times, st.sampled_from([3.0, 5.0, 10.0]))
def test_every_grid_time_takes_the_nearest_frame_or_none_is_near(t_s, fps):
    taken = set(grid_frames(t_s, fps).tolist())
    for t in np.arange(int(np.floor(t_s[-1] * fps + 1e-5)) + 1) / fps:
        distance = np.abs(t_s - t)
        nearest = set(np.flatnonzero(distance <= distance.min() + 2e-6).tolist())
        assert taken & nearest or distance.min() > 0.5 / fps - 1e-5


@given(variable_times)
def test_quick_is_part_of_deep(t_s):
    plan = plan_sampling(timeline(t_s))
    assert np.isin(plan.quick, plan.deep).all()
    assert not len(plan.quick) or t_s[plan.quick].max() <= 30 + 0.1 + 1e-6


@settings(max_examples=50)
@given(st.floats(11, 90), st.sampled_from([25.0, 24.0, 30.0, 30000 / 1001, 50.0, 60.0]))
def test_the_same_scene_is_sampled_at_the_same_times_at_every_rate(seconds, fps):
    index = constant(fps, seconds)
    frames = plan_sampling(index).deep
    assert len(frames) == int(np.floor(index.t_s[-1] * 10 + 1e-5)) + 1
    assert np.abs(index.t_s[frames] - np.arange(len(frames)) / 10).max() <= 0.5 / fps + 1e-5


@given(variable_times, st.lists(st.tuples(st.floats(0, 60), st.floats(0, 5)), max_size=4))
def test_bursts_are_every_frame_of_the_windows(t_s, spans):
    index, windows = timeline(t_s), [(start, start + length) for start, length in spans]
    got = burst_frames(index, windows)
    assert got.tolist() == [i for i, t in enumerate(t_s) if any(a - 1e-6 <= t <= b + 1e-6 for a, b in windows)]
