"""What must hold of every metric whatever the movement: size, place and mirror change nothing, and what is not known is not read."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.events import other_side
from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES
from cricksy_pipeline.analysis.metrics.ball import Ball, NotRead, Reading
from cricksy_pipeline.analysis.metrics.measure import FUNCTIONS
from cricksy_pipeline.analysis.metrics.series import SERIES
from cricksy_pipeline_tests.analysis.true_balls import true_balls

CLIPS = [(motion, view) for motion in ("drive", "bowl", "keep", "throw", "catch") for view in ("side", "front")]
OF_MOTION = {"drive": "B", "bowl": "W", "keep": "K", "throw": "F", "catch": "F"}
TWIN = [LANDMARK_NAMES.index(name.replace("left", "X").replace("right", "left").replace("X", "right")) for name in LANDMARK_NAMES]


@lru_cache(maxsize=16)
def clean_ball(motion: str, view: str) -> Ball:
    return true_balls(motion, view)[0][0]


def noisy_ball(motion: str, view: str, seed: int) -> Ball:
    ball = clean_ball(motion, view)
    xy = ball.track.xy + np.random.default_rng(seed).normal(0, 0.004 * ball.height_px, ball.track.xy.shape)
    return with_track(ball, xy=xy)


def with_track(ball: Ball, **changes) -> Ball:
    track = replace(ball.track, **changes)
    return Ball(ball.number, replace(ball.found, track=track), ball.view)


def answers(ball: Ball, motion: str) -> dict[str, Reading | NotRead]:
    return {code: function(ball) for code, function in FUNCTIONS.items() if code.startswith(OF_MOTION[motion])}


def values(ball: Ball, motion: str) -> dict[str, float]:
    return {code: answer.value for code, answer in answers(ball, motion).items() if isinstance(answer, Reading)}


@settings(max_examples=30, deadline=None)
@given(clip=st.sampled_from(CLIPS), seed=st.integers(0, 10_000))
def test_a_mirrored_ball_has_the_same_numbers_and_the_other_sides(clip, seed):
    motion, view_name = clip
    ball = noisy_ball(motion, view_name, seed)
    mirrored_xy = (ball.track.xy * [-1, 1] + [4096, 0])[:, TWIN]
    found = replace(
        ball.found,
        track=replace(
            ball.track,
            xy=mirrored_xy,
            z=ball.track.z[:, TWIN],
            camera=ball.track.camera * [-1, 1],
            world=(ball.track.world * [-1, 1, 1])[:, TWIN],
        ),
        front=other_side(ball.found.front),
        arm=other_side(ball.found.arm) if ball.found.arm else None,
        toward=-ball.found.toward,
    )
    view = replace(ball.view, facing=-ball.view.facing)
    assert values(Ball(1, found, view), motion) == pytest.approx(values(ball, motion), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(clip=st.sampled_from(CLIPS), seed=st.integers(0, 10_000), factor=st.floats(0.5, 4.0), x=st.floats(-500, 500), y=st.floats(-500, 500))
def test_a_larger_player_elsewhere_in_the_picture_has_the_same_numbers(clip, seed, factor, x, y):
    motion, view = clip
    ball = noisy_ball(motion, view, seed)
    track = replace(
        ball.track, xy=ball.track.xy * factor + [x, y], z=ball.track.z * factor, camera=ball.track.camera * factor,
        height_px=ball.track.height_px * factor, height_sigma_px=ball.track.height_sigma_px * factor,
    )  # fmt: skip
    larger = Ball(1, replace(ball.found, track=track, height_px=ball.height_px * factor), ball.view)
    assert values(larger, motion) == pytest.approx(values(ball, motion), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("motion", "view"), CLIPS)
def test_a_camera_that_follows_the_player_changes_no_number_while_its_movement_is_known(motion, view):
    ball = clean_ball(motion, view)
    pan = np.stack([3 * np.arange(len(ball.track.t_s)), np.zeros(len(ball.track.t_s))], -1)
    followed = with_track(ball, xy=ball.track.xy - pan[:, None], camera=ball.track.camera - pan)
    assert values(followed, motion) == pytest.approx(values(ball, motion), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("motion", "view"), CLIPS)
def test_a_camera_whose_movement_is_not_known_takes_the_places_on_the_ground_and_nothing_else(motion, view):
    ball = clean_ball(motion, view)
    before, after = answers(ball, motion), answers(with_track(ball, camera=np.full_like(ball.track.camera, np.nan)), motion)
    lost = {code for code, answer in before.items() if isinstance(answer, Reading) and isinstance(after[code], NotRead)}
    assert lost <= {"B5", "B8H", "W2", "W2D", "W3", "K5", "K6", "F7G"}
    assert all(after[code].code in ("CAMERA_MOVED", "MOMENT_NOT_SEEN") for code in lost)
    if (motion, view) in (("drive", "side"), ("bowl", "side")):
        assert after["B5" if motion == "drive" else "W3"].code == "CAMERA_MOVED"


@pytest.mark.parametrize(("motion", "view"), CLIPS)
def test_without_events_nothing_is_read(motion, view):
    ball = clean_ball(motion, view)
    nothing = Ball(1, replace(ball.found, events={}), ball.view)
    assert all(isinstance(answer, NotRead) and answer.code == "NO_EVENT" for answer in answers(nothing, motion).values())


@pytest.mark.parametrize(("motion", "view"), CLIPS)
def test_a_body_that_was_not_seen_gives_no_number(motion, view):
    ball = clean_ball(motion, view)
    lost = with_track(ball, xy=np.full_like(ball.track.xy, np.nan), weight=np.zeros((len(ball.track.t_s), 33)))
    clocks = {"B5T", "B8", "W4", "W4B", "K1", "F4"}
    for code, answer in answers(lost, motion).items():
        assert isinstance(answer, NotRead) or code in clocks, (code, answer)


@pytest.mark.parametrize("code", ["B4", "B1"])
def test_a_moment_at_which_a_landmark_was_thrown_away_is_not_read(code):
    ball = clean_ball("drive", "side")
    weight = np.ones((len(ball.track.t_s), 33))
    contact = ball.found.events["contact"].t_s
    weight[ball.track.span(contact - 0.1, contact), INDEX[f"{ball.found.front}_ankle"]] = 0
    assert FUNCTIONS[code](with_track(ball, weight=weight)) == NotRead("MOMENT_NOT_SEEN")


def test_a_poorly_seen_or_trembling_joint_has_a_wider_error():
    ball = clean_ball("drive", "side")
    usual = FUNCTIONS["B4"](ball).sigma_keypoint
    doubtful = FUNCTIONS["B4"](with_track(ball, weight=np.full((len(ball.track.t_s), 33), 0.4))).sigma_keypoint
    trembling = FUNCTIONS["B4"](with_track(ball, jitter_px=0.02 * ball.height_px)).sigma_keypoint
    assert doubtful == pytest.approx(usual / 0.4**0.5, rel=0.01)
    assert trembling > 2 * usual


@pytest.mark.parametrize("wider", [0.01, 0.03])
def test_a_less_certain_moment_has_a_wider_error_and_the_same_value(wider):
    ball = clean_ball("bowl", "side")
    events = {name: replace(event, sigma_s=wider) for name, event in ball.found.events.items()}
    unsure = Ball(1, replace(ball.found, events=events), ball.view)
    for code in ("W1F", "W4", "W5", "W7"):
        before, after = FUNCTIONS[code](ball), FUNCTIONS[code](unsure)
        assert after.value == before.value and after.sigma_event > before.sigma_event, code


def test_every_series_has_one_value_for_each_moment_of_the_track():
    for motion, view in CLIPS:
        ball = clean_ball(motion, view)
        for name, quantity in SERIES.items():
            if not ball.lacks(*quantity.needs):
                values = quantity.work_out(ball)
                assert values is None or values.shape == ball.track.t_s.shape, name
