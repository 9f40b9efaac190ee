"""When a foot is down, on feet that swing and stop at known times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.delivery_settings import SETTINGS
from cricksy_pipeline.analysis.kinematics import TRACK_RATE_HZ, Track
from cricksy_pipeline.analysis.landings import foot_landing
from cricksy_pipeline.analysis.landmarks import INDEX

SIZE = 300.0
"""The player's height in pixels."""


def landing(heel: np.ndarray, toe: np.ndarray, size: float = SIZE, window_s: tuple[float, float] = (0.1, 1.4)):
    """What is told of a left foot whose parts go right like this, (m,) body heights, on a track of two seconds."""
    t = np.arange(len(heel)) / TRACK_RATE_HZ
    xy = np.zeros((len(t), 33, 2))
    for part, path in (("heel", heel), ("foot_index", toe + 0.15)):
        xy[:, INDEX[f"left_{part}"], 0] = size * path
    track = Track(
        t_s=t, xy=xy, z=np.zeros((len(t), 33)), frame_t_s=t, frame=np.arange(len(t)), rate_hz=TRACK_RATE_HZ, found_share=1.0,
        jitter_px=0.0, swaps_repaired=0, outliers_removed=0, height_px=size,
    )  # fmt: skip
    return foot_landing("front_foot_contact", track, "left", *window_s, size, SETTINGS)


def step(lands_s: float, speed: float = 4.0, lasts_s: float = 0.25) -> np.ndarray:
    """(400,) body heights: stands, swings at an even speed for so long, and stops at `lands_s`."""
    t = np.arange(400) / TRACK_RATE_HZ
    return speed * np.clip(t - (lands_s - lasts_s), 0, lasts_s)


@settings(max_examples=25, deadline=None)
@given(lands_s=st.floats(0.5, 1.3), speed=st.floats(2.0, 8.0), size=st.floats(60, 1500))
def test_a_foot_is_down_when_it_stops_however_fast_it_swung_and_however_large_it_is_seen(lands_s, speed, size):
    told = landing(step(lands_s, speed), step(lands_s, speed), size)
    assert told is not None
    assert told.t_s - SETTINGS.errors["front_foot_contact"].offset_s == pytest.approx(lands_s, abs=0.03)


def test_the_part_that_touches_first_says_when_the_foot_is_down():
    heel, toe = step(0.9), step(1.0, lasts_s=0.35)
    both, heel_first = landing(toe, toe), landing(heel, toe)
    assert both.t_s - heel_first.t_s == pytest.approx(0.1, abs=0.02)


def test_a_foot_that_stands_or_shuffles_makes_no_landing():
    assert landing(np.zeros(400), np.zeros(400)) is None
    assert landing(step(0.9, 0.8), step(0.9, 0.8)) is None


def test_a_foot_that_is_still_in_the_air_has_not_landed():
    assert landing(step(1.7, lasts_s=1.2), step(1.7, lasts_s=1.2)) is None


def test_a_foot_faster_than_any_is_two_feet_and_no_landing_is_told():
    assert landing(step(0.9, 12.0, 0.05), step(0.9, 12.0, 0.05)) is None


def test_a_foot_that_was_not_seen_has_not_landed():
    assert landing(np.full(400, np.nan), np.full(400, np.nan)) is None
