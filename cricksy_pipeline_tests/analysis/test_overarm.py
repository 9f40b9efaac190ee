"""Which arm lets the ball go, and when: told from all that the arms do in a delivery."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.delivery_settings import SETTINGS
from cricksy_pipeline.analysis.events import FoundDelivery
from cricksy_pipeline.analysis.kinematics import Track, tracks
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.overarm import find_bowling, find_circles
from cricksy_pipeline.analysis.stature import stature_at
from cricksy_pipeline.sample.clip import ClipSpec, truth
from cricksy_pipeline_tests.analysis.players import player

HAND = ("wrist", "pinky", "index", "thumb")
QUICK = replace(SETTINGS, draws=2)
VIEWS = ("side", "leg", "front", "behind")


def bowler(view: str, mirror: bool = False, **choices) -> tuple[Landmarks, float]:
    """One ball as it is seen, and when it leaves the hand; the bowler begins right before his run-up."""
    seen = player("bowl", view, fps=60, seconds=3.2, noise=0.01, mirror=mirror, **choices)
    return seen, truth(ClipSpec(motion="bowl", view=view, fps=60, seconds=3.2, mirror=mirror)).events["release"][0]


def moved(seen: Landmarks, side: str, to: np.ndarray, share: np.ndarray) -> Landmarks:
    """The hand of one arm drawn towards a place, (n, 2) pixels, by a share, (n,)."""
    xy = seen.xy.astype(float)
    for part in HAND:
        at = INDEX[f"{side}_{part}"]
        xy[:, at] += share[:, None] * (to - xy[:, at])
    return replace(seen, xy=xy.astype(np.float32))


def about(seen: Landmarks, t_s: float, half_s: float) -> np.ndarray:
    """(n,) 1 at a time, 0 from `half_s` away from it, smooth."""
    return np.clip(np.cos(np.clip((seen.t_s - t_s) / half_s, -1, 1) * np.pi / 2), 0, 1)


def balls(seen: Landmarks) -> list[FoundDelivery]:
    return [ball for track in tracks(seen, min_rate_hz=24.5) for ball in find_bowling(track, QUICK)]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_a_bowling_arm_that_looks_folded_is_not_taken_for_the_front_arm_before_it(view, mirror):
    seen, release_s = bowler(view, mirror)
    arm = "left" if mirror else "right"
    folded = moved(seen, arm, seen.xy[:, INDEX[f"{arm}_shoulder"]].astype(float), 0.45 * about(seen, release_s, 0.2))
    (ball,) = balls(folded)
    assert ball.arm == arm
    assert ball.events["release"].t_s == pytest.approx(release_s, abs=0.08)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_a_higher_swing_of_the_bowling_arm_in_the_gather_is_not_the_delivery(view, mirror):
    seen, release_s = bowler(view, mirror)
    arm, front = ("left", "right") if mirror else ("right", "left")
    size = stature_at(seen.t_s, seen.xy.astype(float), release_s).px
    gather, shoulder = about(seen, release_s - 0.36, 0.2), seen.xy[:, INDEX[f"{arm}_shoulder"]].astype(float)
    down = moved(seen, front, seen.xy[:, INDEX[f"{front}_hip"]].astype(float), np.sqrt(gather))
    folded = moved(down, arm, shoulder, 0.35 * about(seen, release_s, 0.16))
    (ball,) = balls(moved(folded, arm, shoulder + size * np.array([0, -0.36]), gather))
    assert ball.arm == arm
    assert ball.events["release"].t_s == pytest.approx(release_s, abs=0.05)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_a_front_arm_that_swings_up_high_behind_the_bowler_after_the_ball_does_not_deliver(view, mirror):
    seen, release_s = bowler(view, mirror)
    arm, front = ("left", "right") if mirror else ("right", "left")
    size = stature_at(seen.t_s, seen.xy.astype(float), release_s).px
    ahead = {"side": 1, "leg": -1}.get(view, 0) * (-1 if mirror else 1)
    behind = seen.xy[:, INDEX[f"{front}_shoulder"]] + size * np.array([-0.2 * ahead, -0.22])
    (ball,) = balls(moved(seen, front, behind, about(seen, release_s + 0.32, 0.18)))
    assert ball.arm == arm
    assert ball.events["release"].t_s == pytest.approx(release_s, abs=0.04)


@pytest.mark.parametrize("variation", range(6))
def test_a_bowler_who_runs_away_from_the_camera_is_measured_as_small_as_he_has_become(variation):
    spec = ClipSpec(motion="bowl", view="behind", fps=30, seconds=3.2, variation=variation)
    release_s = truth(spec).events["release"][0]
    (ball,) = balls(player("bowl", "behind", fps=30, seconds=3.2, variation=variation, noise=0.015))
    assert ball.arm == "right"
    assert ball.events["release"].t_s == pytest.approx(release_s, abs=0.06)


def test_the_feet_of_who_goes_away_from_the_camera_are_not_told_and_those_of_who_goes_across_are():
    told = {view: [set(ball.events) for ball in balls(bowler(view)[0])] for view in ("behind", "side")}
    assert told == {"behind": [{"release"}], "side": [{"back_foot_contact", "front_foot_contact", "release"}]}


def test_two_arms_that_go_up_together_in_a_run_let_no_ball_go():
    seen, _ = bowler("front")
    other = seen.xy[:, INDEX["left_shoulder"]] - seen.xy[:, INDEX["right_shoulder"]]
    beside = seen.xy[:, INDEX["right_wrist"]] + other
    assert balls(moved(seen, "left", beside, np.ones(len(seen)))) == []


def test_an_arm_that_is_never_seen_lets_no_ball_go():
    seen, _ = bowler("side")
    xy = seen.xy.copy()
    xy[:, [INDEX[f"{side}_wrist"] for side in ("left", "right")]] = np.nan
    assert balls(replace(seen, xy=xy)) == []


@cache
def whole(view: str) -> Track:
    (track,) = tracks(bowler(view)[0], min_rate_hz=24.5)
    return track


@settings(max_examples=20, deadline=None)
@given(
    view=st.sampled_from(VIEWS),
    scale=st.floats(0.2, 8),
    right=st.floats(-2000, 2000),
    down=st.floats(-2000, 2000),
    later=st.floats(-5, 3600),
)
def test_a_larger_picture_another_place_in_it_or_a_later_hour_changes_no_circle(view, scale, right, down, later):
    track = whole(view)
    other = replace(track, xy=track.xy * scale + np.array([right, down]), t_s=track.t_s + later)
    assert find_circles(other, SETTINGS) == find_circles(track, SETTINGS) != []
