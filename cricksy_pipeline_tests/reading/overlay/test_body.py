"""Between looks the player is where time puts him, across short gaps; otherwise he is not known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.reading.overlay.body import BodyTrack

BRIDGE_S = 0.15


def track(t_s, x, *, visibility=None, shot=None) -> BodyTrack:
    """Everybody's landmarks at one place: x over time, NaN where nobody was found."""
    n = len(t_s)
    xy = np.repeat(np.array(x, float)[:, None, None], 33, axis=1) * np.ones(2)
    seen = np.ones((n, 33)) if visibility is None else np.repeat(np.array(visibility, float)[:, None], 33, axis=1)
    return BodyTrack(np.array(t_s, float), xy, seen, np.zeros(n, int) if shot is None else np.array(shot), BRIDGE_S)


@given(st.floats(0.01, 0.14), st.floats(0, 1), st.floats(-500, 500), st.floats(-500, 500))
def test_across_a_short_gap_he_moves_evenly(gap_s, share, start, end):
    body = track([1.0, 1.0 + gap_s], [start, end]).at(1.0 + share * gap_s)
    assert body.xy[7, 0] == pytest.approx((1 - share) * start + share * end, abs=1e-4 * 1000 / gap_s)


@given(st.floats(0.2, 5), st.floats(0.05, 0.95))
def test_across_a_long_gap_nothing_is_claimed(gap_s, share):
    assert track([1.0, 1.0 + gap_s], [0, 1]).at(1.0 + share * gap_s) is None


def test_where_he_was_looked_for_and_not_found_he_is_not_claimed_to_be():
    gone = track([0.0, 0.1, 0.2], [1, np.nan, 3])
    assert [gone.at(t) is None for t in (0.0, 0.05, 0.1, 0.15, 0.2)] == [False, True, True, True, False]


def test_nothing_is_joined_across_a_cut():
    assert track([0.0, 0.1], [0, 1], shot=[0, 1]).at(0.05) is None


def test_before_and_after_all_looks_he_is_not_known():
    assert track([1.0, 1.1], [0, 1]).at(0.95) is None
    assert track([1.0, 1.1], [0, 1]).at(1.15) is None
    assert track([], []).at(0.0) is None


def test_between_two_looks_a_joint_is_as_sure_as_the_less_sure_of_them():
    between = track([0.0, 0.1], [0, 1], visibility=[0.9, 0.3]).at(0.02)
    assert between.visibility[3] == pytest.approx(0.3)
    assert between.interpolated
