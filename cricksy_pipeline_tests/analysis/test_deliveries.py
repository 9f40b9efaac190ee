"""Where deliveries are found, where they are not, and when their events are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cricksy_pipeline.analysis.deliveries import candidate_windows, find_deliveries
from cricksy_pipeline.analysis.delivery_settings import SETTINGS
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.sample.clip import ClipSpec, truth
from cricksy_pipeline_tests.analysis.players import (
    BATTING,
    BOWLING,
    FIELDING,
    MODE_OF,
    nobody,
    on_grid,
    player,
    raising_both_hands,
    standing,
    walking,
    with_bursts,
)

ANCHOR = {"drive": "contact", "bowl": "release"}


@pytest.mark.parametrize("view", ["side", "front", "quarter"])
@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_the_ten_hertz_grid_shows_where_every_delivery_is(motion, view):
    seen = player(motion, view, fps=30, seconds=12.0, noise=0.015)
    windows = candidate_windows(on_grid(seen, 10), MODE_OF[motion])
    for t in truth(ClipSpec(motion=motion, view=view, seconds=12.0)).events[ANCHOR[motion]]:
        assert any(start <= t - 0.5 and t + 0.2 <= end for start, end in windows), (t, windows)
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


@pytest.mark.parametrize("fps", [25, 30, 50, 60, 120, 240])
@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_events_come_out_near_the_truth_at_any_rate(motion, fps):
    found = find_deliveries(player(motion, fps=fps, seconds=8.0, noise=0.015), MODE_OF[motion])
    known = truth(ClipSpec(motion=motion, seconds=8.0)).events
    assert len(found) == 2
    names = ["front_foot_contact", "contact"] if motion == "drive" else ["back_foot_contact", "front_foot_contact", "release"]
    for ball, i in zip(found, range(2), strict=True):
        for name in names:
            event = ball.events.get(name) or ball.events["front_foot_down"]
            assert event.t_s == pytest.approx(known[name][i], abs=0.045), name
            assert abs(event.t_s - known[name][i]) < 3 * event.sigma_s + 1e-9
            assert abs(event.frame / fps - event.t_s) <= 0.5 / fps + 1e-6


def test_below_twenty_five_frames_a_second_there_are_no_events():
    for fps in (5, 10, 15, 24):
        assert find_deliveries(player(fps=fps, seconds=8.0), BATTING) == []


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


def test_a_mirrored_bowler_bowls_with_the_other_arm_at_the_same_times():
    (right,), (left,) = (find_deliveries(player("bowl", mirror=mirror), BOWLING) for mirror in (False, True))
    assert (right.arm, right.front, left.arm, left.front) == ("right", "left", "left", "right")
    assert right.toward == -left.toward != 0
    assert [event.t_s for event in left.events.values()] == pytest.approx([event.t_s for event in right.events.values()], abs=0.006)


def test_a_batting_clip_holds_no_bowled_ball_and_a_bowling_clip_no_stroke():
    assert find_deliveries(player("drive"), BOWLING) == []
    assert find_deliveries(player("bowl"), BATTING) == []


def test_a_bowling_action_is_a_throw_to_a_fielding_coach():
    (throw,) = find_deliveries(player("bowl"), FIELDING)
    assert "release" in throw.events


def test_times_shifted_by_an_hour_shift_every_event_by_an_hour():
    from dataclasses import replace

    seen = player(seconds=4.0)
    late = replace(seen, t_s=seen.t_s + 3600.0)
    (a,), (b,) = find_deliveries(seen, BATTING), find_deliveries(late, BATTING)
    shifts = np.array([b.events[name].t_s - a.events[name].t_s for name in a.events])
    assert shifts == pytest.approx(np.full(len(shifts), 3600.0), abs=0.006)


def test_hands_that_meet_and_hold_are_a_catch_and_a_clap_is_none():
    caught = find_deliveries(raising_both_hands(held_together_s=0.8), FIELDING)
    assert [sorted(ball.events) for ball in caught] == [["take"]]
    assert caught[0].events["take"].t_s == pytest.approx(1.5, abs=0.1)
    assert find_deliveries(raising_both_hands(held_together_s=0.05), FIELDING) == []
