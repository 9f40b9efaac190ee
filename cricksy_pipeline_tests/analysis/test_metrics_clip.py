"""Which deliveries are left out, why, and what is said of the pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.events import EventTime
from cricksy_pipeline.analysis.kinematics import tracks
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.metrics.clip import IN_ORDER, Clip, implausible, look
from cricksy_pipeline.analysis.metrics.quality import HOW_TO_FILM, LIMITS, Quality, quality_of
from cricksy_pipeline_tests.analysis.players import BATTING, BOWLING, player


def looked_at(seen: Landmarks, mode: AnalysisMode) -> Clip:
    return look(seen, tracks(seen, min_rate_hz=24.5), mode)


@pytest.mark.parametrize(("motion", "mode"), [("drive", BATTING), ("bowl", BOWLING)])
@pytest.mark.parametrize("view", ["side", "front"])
def test_what_a_body_can_do_is_never_left_out(motion, mode, view):
    clip = looked_at(player(motion, view, fps=60, noise=0.015), mode)
    assert len(clip.balls) == 1 and clip.excluded == 0 and clip.excluded_by == {}
    assert clip.view.name == clip.balls[0].view.name == view


def found_ball(motion: str = "bowl", mode: AnalysisMode = BOWLING):
    clip = looked_at(player(motion, "side", fps=60, noise=0.005), mode)
    return clip.balls[0].found, clip.balls[0].view


def test_events_out_of_order_are_no_delivery():
    ball, view = found_ball()
    first, second = (name for name in IN_ORDER[BOWLING] if name in ball.events and name != "release")
    swapped = {**ball.events, first: ball.events[second], second: ball.events[first]}
    assert implausible(ball, BOWLING, view) is None
    assert implausible(replace(ball, events=swapped), BOWLING, view) == "EVENT_ORDER"
    at_once = {**ball.events, second: ball.events[first]}
    assert implausible(replace(ball, events=at_once), BOWLING, view) == "EVENT_ORDER"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda track: {"jitter_px": 0.05 * track.height_px}, "JITTER"),
        (lambda track: {"bone_variation": 0.2}, "BONES"),
        (lambda track: {"xy": track.xy + np.stack([7 * track.height_px * track.t_s, 0 * track.t_s], -1)[:, None]}, "HIP_SPEED"),
    ],
)
def test_a_body_that_does_what_none_can_is_left_out_with_the_reason(change, reason):
    ball, view = found_ball()
    assert implausible(replace(ball, track=replace(ball.track, **change(ball.track))), BOWLING, view) == reason


def test_the_cameras_own_movement_is_nobodys_speed():
    ball, view = found_ball()
    pan = np.stack([7 * ball.height_px * ball.track.t_s, 0 * ball.track.t_s], -1)
    panned = replace(ball.track, xy=ball.track.xy + pan[:, None], camera=pan)
    assert implausible(replace(ball, track=panned), BOWLING, view) is None


def test_a_hand_faster_than_any_hand_is_left_out():
    ball, view = found_ball()
    xy = ball.track.xy.copy()
    xy[:, INDEX["right_wrist"], 0] += 0.5 * ball.height_px * np.sin(2 * np.pi * 9 * ball.track.t_s)
    assert implausible(replace(ball, track=replace(ball.track, xy=xy)), BOWLING, view) == "WRIST_SPEED"


def test_a_front_knee_that_cannot_fold_so_far_counts_side_on_only():
    ball, view = found_ball()
    at, xy = ball.track.index_at(ball.events["release"].t_s), ball.track.xy.copy()
    xy[at, INDEX[f"{ball.front}_ankle"]] = xy[at, INDEX[f"{ball.front}_hip"]] + [4, 10]
    folded = replace(ball, track=replace(ball.track, xy=xy))
    assert implausible(folded, BOWLING, view) == "KNEE"
    assert implausible(folded, BOWLING, replace(view, name="front")) is None


@pytest.mark.parametrize(("noise_px", "reason"), [(5, "BONES"), (12, "JITTER")])
def test_excluded_balls_are_counted_by_reason_and_their_pictures_are_judged_too(noise_px, reason):
    seen = player("drive", "side", fps=60)
    shaken = (seen.xy + np.random.default_rng(0).normal(0, noise_px, seen.xy.shape)).astype(np.float32)
    clip = looked_at(replace(seen, xy=shaken), BATTING)
    assert clip.balls == [] and clip.excluded == 1 and clip.excluded_by == {reason: 1}
    assert clip.quality.window_coverage == 1.0 and "BONES" in [problem.code for problem in clip.quality.problems]


def test_good_pictures_have_no_problem():
    quality = looked_at(player("drive", "side", fps=60, width=1920, height=1080, noise=0.01), BATTING).quality
    assert quality.problems == ()
    assert quality.window_coverage == 1.0 and quality.swap_share == 0.0 and quality.stabilised
    assert 0.5 < quality.frame_share < 0.8 and quality.height_px > LIMITS.arms_height_px


def test_a_small_player_is_told_to_be_filmed_from_nearer_and_smaller_ones_only_that():
    for height, code in ((360, "SMALL_FOR_ARMS"), (180, "SMALL")):
        quality = looked_at(player("drive", "side", fps=60, width=2 * height, height=height), BATTING).quality
        assert [(problem.code, problem.how_to_film) for problem in quality.problems] == [(code, "COME_CLOSER")]


def test_every_trouble_of_the_pictures_is_named_with_its_value_and_what_to_film():
    ball, _ = found_ball("drive", BATTING)
    track = ball.track
    gone = track.frame_found.copy()
    gone[::3] = False
    moved = np.full_like(track.camera, np.nan)
    troubled = replace(
        track, frame_found=gone, swap_share=0.2, bone_variation=0.15, camera=np.broadcast_to(moved, (len(track.t_s), 2)), camera_moved=0.05,
        outside=len(track.frame_t_s) * 3,
    )  # fmt: skip
    quality = quality_of([replace(ball, track=troubled)], 360)
    assert [problem.code for problem in quality.problems] == ["COVERAGE", "SMALL_FOR_ARMS", "SWAPS", "BONES", "CAMERA", "OUTSIDE"]
    assert {problem.how_to_film for problem in quality.problems} <= set(HOW_TO_FILM.values())
    values = {problem.code: problem.value for problem in quality.problems}
    assert values["COVERAGE"] == pytest.approx(2 / 3, abs=0.02) and values["OUTSIDE"] == pytest.approx(3 / 33)
    known = quality_of([replace(ball, track=replace(troubled, camera=np.zeros((len(track.t_s), 2))))], 360)
    assert "CAMERA" not in [problem.code for problem in known.problems]  # what is known is taken out


def test_without_a_delivery_nothing_is_said_of_the_pictures():
    assert quality_of([], 360) == Quality()
    empty = looked_at(Landmarks.empty(64, 48), BATTING)
    assert empty.quality == Quality() and empty.balls == [] and empty.coverage is None


def test_events_are_ordered_by_names_that_the_finders_use():
    ball, _ = found_ball()
    assert isinstance(ball.events["release"], EventTime)
    assert set(IN_ORDER[BOWLING]) >= set(ball.events) - {"follow_through"}
