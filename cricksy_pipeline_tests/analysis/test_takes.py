"""What a take and a catch are: hands that go no further, out of a crouch or not, held; and what only looks like one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.deliveries import candidate_windows, find_deliveries
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.sample.clip import ClipSpec, Faults, truth
from cricksy_pipeline_tests.analysis.players import FIELDING, WICKETKEEPING, noisy, on_grid, player


def true_take(motion: str, **choices) -> float:
    faults = {name: choices.pop(name) for name in list(choices) if name in Faults.__dataclass_fields__}
    return truth(ClipSpec(motion=motion, faults=Faults(**faults), **choices)).events["take"][0]


def until(seen: Landmarks, end_s: float, held_s: float) -> Landmarks:
    """The clip up to a time, and then its last posture for so long."""
    step = float(np.median(np.diff(seen.t_s)))
    last = int((seen.t_s <= end_s).sum()) - 1
    n = last + 1 + round(held_s / step)
    shown = np.minimum(np.arange(n), last)
    repeated = {name: getattr(seen, name)[shown] for name in _REPEATED}
    return replace(seen, frame=np.arange(n), t_s=np.arange(n) * step, **repeated)


_REPEATED = ("source", "xy", "z", "visibility", "presence", "world", "shot", "camera", "doubt")


@pytest.mark.parametrize("view", ["side", "front", "behind"])
@pytest.mark.parametrize("motion", ["keep", "catch"])
def test_soft_and_hard_hands_take_the_ball_at_the_same_moment(motion, view):
    mode = {"keep": WICKETKEEPING, "catch": FIELDING}[motion]
    for hard_hands in (0.0, 12.0):
        seen = player(motion, view, fps=60, seconds=4.0, noise=0.015, hard_hands=hard_hands)
        (ball,) = find_deliveries(seen, mode)

        assert ball.events["take"].t_s == pytest.approx(true_take(motion, hard_hands=hard_hands), abs=0.07), hard_hands


def test_a_keeper_whose_hands_are_apart_takes_out_of_his_crouch_all_the_same():
    seen = player("keep", "front", fps=60, seconds=4.0, noise=0.015, hands_apart=1.4)

    assert candidate_windows(on_grid(seen, 10), WICKETKEEPING)
    (ball,) = find_deliveries(seen, WICKETKEEPING)
    assert {"set", "rise", "take"} <= set(ball.events)
    assert ball.events["take"].t_s == pytest.approx(true_take("keep", hands_apart=1.4), abs=0.07)


@pytest.mark.parametrize("view", ["side", "front"])
def test_hands_that_come_to_rest_as_a_keeper_settles_into_his_crouch_take_nothing(view):
    crouching = noisy(until(player("keep", view, fps=60, seconds=4.0), end_s=1.5, held_s=1.5), 0.015)

    assert find_deliveries(crouching, WICKETKEEPING) == []


def test_a_keeper_who_stands_up_slowly_takes_nothing():
    seen = player("keep", "side", fps=60, seconds=4.0)
    life = seen.t_s
    slow = np.interp(life, [0, 1.5, 4.0], [0, 1.5, 2.1])  # from the crouch on four times slower
    xy = np.stack([[np.interp(slow, life, seen.xy[:, mark, axis]) for axis in (0, 1)] for mark in range(33)]).transpose(2, 0, 1)

    assert find_deliveries(noisy(replace(seen, xy=xy.astype(np.float32)), 0.005), WICKETKEEPING) == []


def test_a_ball_picked_up_and_held_is_no_catch():
    held = noisy(until(player("throw", "side", fps=60, seconds=4.0), end_s=1.70, held_s=1.5), 0.010)

    assert find_deliveries(held, FIELDING) == []


def test_landmarks_that_leap_to_somebody_else_and_back_catch_nothing():
    seen = player("catch", "side", fps=60, seconds=4.0)
    still = np.repeat(seen.xy[:1], len(seen), axis=0).astype(float)
    size = float(np.ptp(still[0, :, 1]))
    away = np.interp(seen.t_s, [1.5, 1.58, 1.66, 1.74], [0, 1, 1, 0])[:, None]
    still[..., 0] += 0.6 * size * away
    hands = slice(15, 23)
    still[:, hands, 1] -= 0.25 * size * away
    together = still[:, 15:17].mean(axis=1, keepdims=True)
    still[:, hands] = together

    assert find_deliveries(noisy(replace(seen, xy=still.astype(np.float32)), 0.005), FIELDING) == []
