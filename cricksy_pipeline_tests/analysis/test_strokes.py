"""Which moment of a batting clip is the stroke, and when the front foot is down, where landmarks go astray for a moment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.deliveries import find_deliveries
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.sample.clip import ClipSpec, truth
from cricksy_pipeline_tests.analysis.players import BATTING, player

EVENTS = {name: times[0] for name, times in truth(ClipSpec(motion="drive", seconds=4.0)).events.items()}


def moved(seen: Landmarks, names: tuple[str, ...], start_s: float, end_s: float, by: tuple[float, float]) -> Landmarks:
    """Landmarks misplaced for a while, in body heights."""
    xy, size = seen.xy.copy(), float(np.ptp(seen.xy[0, :, 1]))
    for i in np.flatnonzero((seen.t_s >= start_s) & (seen.t_s <= end_s)):
        xy[i, [INDEX[name] for name in names]] += size * np.array(by, np.float32)
    return replace(seen, xy=xy)


@pytest.mark.parametrize("fault", [{}, {"knee_collapse": 75.0}, {"foot_early": 0.2}])
@pytest.mark.parametrize("view", ["side", "front", "behind"])
def test_a_bat_that_is_lowered_after_the_stroke_is_not_the_stroke(view, fault):
    for ball in find_deliveries(player(view=view, seconds=8.0, noise=0.015, **fault), BATTING):
        assert min(abs(ball.events["contact"].t_s - EVENTS["contact"] - period) for period in (0, 4)) < 0.06


@pytest.mark.parametrize("late_s", [0.35, 0.5])
def test_a_hand_misplaced_faster_than_any_stroke_is_not_the_stroke(late_s):
    start = EVENTS["contact"] + late_s
    wrist = ("left_wrist", "left_index", "left_pinky", "left_thumb", "right_wrist", "right_index", "right_pinky", "right_thumb")
    seen = moved(player(seconds=4.0, fps=60, noise=0.015), wrist, start, start + 0.07, (0.0, 0.14))

    (ball,) = find_deliveries(seen, BATTING)
    assert ball.events["contact"].t_s == pytest.approx(EVENTS["contact"], abs=0.05)


def test_a_foot_that_leaves_its_place_for_a_moment_after_landing_was_down_before():
    foot = ("left_ankle", "left_heel", "left_foot_index")
    down = EVENTS["front_foot_down"]
    seen = moved(player(seconds=4.0, fps=60, noise=0.015), foot, down + 0.05, down + 0.11, (-0.13, 0.0))

    (ball,) = find_deliveries(seen, BATTING)
    event = ball.events["front_foot_down"]
    assert abs(event.t_s - down) < 2 * event.sigma_s + 0.01


def test_a_batter_who_makes_no_stride_has_no_landing():
    seen = player(seconds=4.0, fps=60)
    xy = seen.xy.copy()
    feet = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("ankle", "heel", "foot_index")]
    xy[:, feet] = xy[:1, feet]

    (ball,) = find_deliveries(replace(seen, xy=xy), BATTING)
    assert "front_foot_down" not in ball.events
