"""How numbers are written, and the arithmetic behind a scale."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.reading.drawing.axes import Scale, padded_range, ticks
from cricksy_pipeline.reading.notation import band_words, clock, decimals, number, percent, time_with_interval, value_with_interval, words

finite = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("t_s", "text"), [(0, "0:00.00"), (1.7, "0:01.70"), (59.994, "0:59.99"), (59.999, "1:00.00"), (365.3, "6:05.30"), (-0.001, "0:00.00")]
)
def test_a_moment_is_written_as_minutes_seconds_hundredths(t_s, text):
    assert clock(t_s) == text


@given(st.floats(0, 1e5))
def test_a_clock_time_reads_back_to_within_half_a_hundredth(t_s):
    minutes, seconds = clock(t_s).split(":")
    assert float(seconds) < 60 and abs(int(minutes) * 60 + float(seconds) - t_s) <= 0.005 + 1e-6


@pytest.mark.parametrize(
    ("value", "ci95", "unit", "text"),
    [
        (123.2, (115.1, 131.3), "deg", "123 ± 8°"),
        (6.43, (5.52, 7.34), "% of height", "6.4 ± 0.9 % of height"),
        (0.36, (0.33, 0.39), "s", "0.36 ± 0.03 s"),
        (-25.0, (-33, -17), "degrees", "−25 ± 8°"),
        (123.0, (110.0, 128.0), "°", "123° (110 to 128)"),
        (0.8, (0.7, 0.9), "score", "0.80 ± 0.10"),
        (1.5, None, "s", "1.50 s"),
        (-0.001, (-1.0, 1.0), "deg", "0.0 ± 1.0°"),
    ],
)
def test_a_value_is_written_as_precisely_as_it_is_known(value, ci95, unit, text):
    assert value_with_interval(value, ci95, unit).replace("\u00a0", " ") == text


@given(finite, st.floats(1e-3, 1e4))
def test_rounding_never_hides_more_than_a_sixth_of_the_interval(value, half):
    places = decimals(half)
    shown = float(number(value, places).replace("−", "-"))
    assert abs(shown - value) <= max(half / 6 + 1e-6, 0.0005 + 1e-9)


@pytest.mark.parametrize(
    ("band", "text"),
    [
        ({"low": 100, "high": 165}, "100 to 165°"),
        ({"low": None, "high": 3.5}, "at most 3.5°"),
        ((-35, None), "at least −35°"),
        (None, ""),
        ((None, None), ""),
    ],
)
def test_a_band_is_said_in_words(band, text):
    assert band_words(band, "deg") == text


def test_a_moment_and_its_interval_are_never_torn_apart_at_the_end_of_a_line():
    assert time_with_interval(61.701, 0.034) == "1:01.70\u00a0±\u00a00.03\u00a0s"


@given(st.floats(0, 1))
def test_a_chance_is_never_written_as_certain_unless_it_is(share):
    text = percent(share)
    assert (text.startswith("0") and "under" not in text) == (share == 0)
    assert text.startswith("100") == (share == 1)


def test_event_names_are_written_as_people_say_them():
    assert words("front_foot_contact") == "front-foot contact" and words("top_of_backlift") == "top of backlift"


@given(finite, finite)
def test_ticks_lie_inside_the_scale_evenly_and_are_not_too_many(a, b):
    low, high = padded_range([a, b])
    found, places = ticks(low, high, 5)
    step_slack = (high - low) * 1e-6 + 10.0**-places * 0.51 * (places > 0)
    assert 1 <= len(found) <= 12 and found == sorted(found)
    assert all(low - step_slack <= t <= high + step_slack for t in found)


@given(finite, finite, finite)
def test_a_scale_maps_its_ends_to_its_ends_and_keeps_the_order(a, b, value):
    low, high = padded_range([a, b])
    scale = Scale(low, high, 10, 200)
    assert scale(low) == pytest.approx(10) and scale(high) == pytest.approx(200)
    assert 10 - 1e-6 <= scale.inside(value) <= 200 + 1e-6


def test_nothing_to_scale_is_an_error_not_a_guess():
    with pytest.raises(ValueError, match="no finite value"):
        padded_range([float("nan")])


def test_no_break_spaces_hold_number_and_unit_together():
    assert not re.search(r"\d (±|%|s)", value_with_interval(6.4, (5.5, 7.3), "% of height"))
