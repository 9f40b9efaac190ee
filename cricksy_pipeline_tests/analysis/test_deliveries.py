"""Where deliveries are found, where they are not, and when their events are."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from cricksy_pipeline.analysis.deliveries import candidate_windows, find_deliveries
from cricksy_pipeline.analysis.delivery_settings import SETTINGS
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.sample.clip import ClipSpec, truth, truth_landmarks
from cricksy_pipeline_tests.analysis.movers import MOVERS
from cricksy_pipeline_tests.analysis.players import (
    BATTING,
    BOWLING,
    FIELDING,
    MODE_OF,
    WICKETKEEPING,
    nobody,
    noisy,
    on_grid,
    player,
    raising_both_hands,
    standing,
    walking,
    with_bursts,
)

ANCHOR = {"drive": "contact", "bowl": "release", "keep": "take", "throw": "release", "catch": "take"}
EVENTS = {
    "drive": {"top_of_backlift", "front_foot_down", "contact"},
    "bowl": {"back_foot_contact", "front_foot_contact", "release"},
    "keep": {"set", "rise", "take"},
    "throw": {"ready", "pick_up", "front_foot_contact", "release"},
    "catch": {"ready", "take"},
}
"""What is told of each seen from the side."""


@pytest.mark.parametrize("view", ["side", "front", "quarter"])
@pytest.mark.parametrize("motion", list(MODE_OF))
def test_the_ten_hertz_grid_shows_where_every_delivery_is(motion, view):
    seen = player(motion, view, fps=30, seconds=12.0, noise=0.015)
    windows = candidate_windows(on_grid(seen, 10), MODE_OF[motion])
    for t in truth(ClipSpec(motion=motion, view=view, seconds=12.0)).events[ANCHOR[motion]]:
        assert any(start <= t - 0.5 and t + 0.2 <= end for start, end in windows), (t, windows)
    if motion in ("drive", "bowl"):
        assert sum(end - start for start, end in windows) < 8


def test_windows_are_bounded_inside_the_clip_and_do_not_overlap():
    seen = player(fps=30, seconds=120.0)
    windows = candidate_windows(on_grid(seen, 10), BATTING)
    assert 0 < len(windows) <= SETTINGS.max_windows
    assert sum(end - start for start, end in windows) <= SETTINGS.max_window_total_s + 1e-6
    ordered = sorted(windows)
    assert all(a[1] < b[0] for a, b in pairwise(ordered))
    assert ordered[0][0] >= 0 and ordered[-1][1] <= 120


def test_a_short_clip_with_a_delivery_is_one_window():
    seen = player(seconds=4.0)
    assert candidate_windows(on_grid(seen, 10), BATTING) == [(0.0, pytest.approx(3.9, abs=0.1))]


@pytest.mark.parametrize("mode", list(AnalysisMode))
@pytest.mark.parametrize("clip", [nobody, standing, walking], ids=["nobody", "standing", "walking"])
def test_nobody_a_still_player_and_a_walker_bowl_and_bat_nothing(mode, clip):
    assert find_deliveries(clip(), mode) == []


@pytest.mark.parametrize("mode", list(AnalysisMode))
def test_an_empty_net_and_a_still_player_have_no_window(mode):
    for clip in (nobody(), standing(8.0), Landmarks.empty(64, 48)):
        assert candidate_windows(clip if len(clip) < 2 else on_grid(clip, 10), mode) == []


@pytest.mark.parametrize("fps", [25, 60, 240])
@pytest.mark.parametrize("motion", list(MODE_OF))
def test_every_event_comes_out_near_the_truth_and_inside_its_own_uncertainty(motion, fps):
    spec = ClipSpec(motion=motion, fps=fps, seconds=8.0, variation=3)
    found = [ball for ball in find_deliveries(noisy(truth_landmarks(spec), 0.015), MODE_OF[motion]) if ANCHOR[motion] in ball.events]
    known = truth(spec).events
    for i in range(2):
        (ball,) = [ball for ball in found if abs(ball.events[ANCHOR[motion]].t_s - known[ANCHOR[motion]][i]) < 0.3]
        assert set(ball.events) == EVENTS[motion]
        assert list(ball.events.values()) == sorted(ball.events.values(), key=lambda event: event.t_s)
        for name, event in ball.events.items():
            true_s = min(known[name], key=lambda t, near=event.t_s: abs(t - near))
            assert abs(event.t_s - true_s) < 2.6 * event.sigma_s, name
            assert event.sigma_s < 0.15 and event.evidence, name
            assert abs(event.frame / fps - event.t_s) <= 0.5 / fps + 1e-6


def test_below_twenty_five_frames_a_second_there_are_no_events():
    for fps in (5, 10, 15, 24):
        assert find_deliveries(player(fps=fps, seconds=8.0), BATTING) == []


def test_timing_counts_in_full_from_fifty_frames_a_second():
    for fps, full in ((30, False), (50, True), (60, True)):
        assert [ball.full_timing for ball in find_deliveries(player(fps=fps, seconds=4.0), BATTING)] == [full]


def test_bursts_around_the_windows_give_what_the_whole_clip_gives():
    seen = player(fps=60, seconds=8.0, noise=0.015)
    bursts = with_bursts(seen, candidate_windows(on_grid(seen, 10), BATTING))
    whole, part = find_deliveries(seen, BATTING), find_deliveries(bursts, BATTING)
    assert len(bursts) < 0.6 * len(seen)
    assert [ball.events["contact"].t_s for ball in part] == pytest.approx([ball.events["contact"].t_s for ball in whole], abs=0.006)


@pytest.mark.parametrize("view", ["side", "leg", "front", "behind"])
def test_the_front_side_is_told_for_right_and_left_handers(view):
    for mirror, front in ((False, "left"), (True, "right")):
        for ball in find_deliveries(player(view=view, mirror=mirror, noise=0.015), BATTING):
            assert ball.front == front


@pytest.mark.parametrize("motion", list(MODE_OF))
def test_a_mirrored_player_plays_with_the_other_side_at_the_same_times_with_the_same_sigma(motion):
    right, left = (find_deliveries(player(motion, fps=60, mirror=mirror), MODE_OF[motion]) for mirror in (False, True))
    assert len(right) == len(left) >= 1
    other = {"left": "right", "right": "left", None: None}
    for a, b in zip(right, left, strict=True):
        assert (a.arm, a.front) == (other[b.arm], other[b.front])
        assert a.toward == -b.toward
        assert list(a.events) == list(b.events)
        for name in a.events:
            assert b.events[name].t_s == pytest.approx(a.events[name].t_s, abs=0.0051), name
            assert b.events[name].sigma_s == pytest.approx(a.events[name].sigma_s, abs=0.004), name


@pytest.mark.parametrize("name", list(MOVERS))
def test_whoever_claps_bows_runs_or_jumps_plays_no_stroke_and_bowls_no_ball(name):
    for mode in (BATTING, BOWLING):
        assert find_deliveries(MOVERS[name](), mode) == []


def test_a_jumping_jack_and_a_clap_are_neither_takes_nor_throws():
    for name in ("jumping_jack", "clapping", "running_arms"):
        for mode in (WICKETKEEPING, FIELDING):
            assert find_deliveries(MOVERS[name](), mode) == [], (name, mode)


def test_the_same_landmarks_give_the_same_sigma_and_more_noise_a_larger_one():
    def contact(noise):
        (ball,) = find_deliveries(player(fps=60, seconds=4.0, noise=noise), BATTING)
        return ball.events["contact"]

    assert contact(0.015) == contact(0.015)
    assert contact(0.12).sigma_s > contact(0.005).sigma_s


def test_seen_along_the_pitch_a_batters_stride_is_not_told():
    for view in ("front", "behind"):
        for ball in find_deliveries(player(view=view, fps=60, seconds=4.0, noise=0.015), BATTING):
            assert "front_foot_down" not in ball.events


def test_no_window_compares_places_across_a_cut():
    seen = on_grid(standing(8.0), 10)
    jumped = replace(seen, xy=seen.xy + np.where(np.arange(len(seen)) >= 40, 300.0, 0.0)[:, None, None].astype(np.float32))
    cut = replace(jumped, shot=(np.arange(len(seen)) >= 40).astype(np.int32))
    for mode in AnalysisMode:
        assert candidate_windows(cut, mode) == []


def test_a_batting_clip_holds_no_bowled_ball_and_a_bowling_clip_no_stroke():
    assert find_deliveries(player("drive"), BOWLING) == []
    assert find_deliveries(player("bowl"), BATTING) == []


def test_a_bowling_action_is_a_throw_to_a_fielding_coach():
    (throw,) = find_deliveries(player("bowl"), FIELDING)
    assert "release" in throw.events


def test_times_shifted_by_an_hour_shift_every_event_by_an_hour():
    seen = player(seconds=4.0)
    late = replace(seen, t_s=seen.t_s + 3600.0)
    (a,), (b,) = find_deliveries(seen, BATTING), find_deliveries(late, BATTING)
    shifts = np.array([b.events[name].t_s - a.events[name].t_s for name in a.events])
    assert shifts == pytest.approx(np.full(len(shifts), 3600.0), abs=0.006)


def test_hands_that_meet_and_hold_are_a_catch_and_a_clap_is_none():
    caught = find_deliveries(raising_both_hands(held_together_s=0.8), FIELDING)
    assert [sorted(ball.events) for ball in caught] == [["ready", "take"]]
    assert caught[0].events["take"].t_s == pytest.approx(1.5, abs=0.1)
    assert find_deliveries(raising_both_hands(held_together_s=0.05), FIELDING) == []
