"""Curves, range bars and sparklines: sound SVG, honest gaps, small files."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.documents import Band, Event, MetricsBlock, Series
from cricksy_pipeline.reading.drawing.broken_time import stretches
from cricksy_pipeline.reading.drawing.plots import MAX_POINTS, metrics_png, series_svg, sparkline_svg_data_uri, thinned
from cricksy_pipeline.reading.drawing.range_bar import range_bar_svg, standing
from cricksy_pipeline.reading.report.judged import Judged, judged_on
from cricksy_pipeline_tests.reading.sample_documents import drive_results, nobody_results

SVG = "{http://www.w3.org/2000/svg}"
BAND = Band(low=100, high=165, source="house default", status="uncalibrated")
AT_HALF_A_SECOND = Judged(BAND, ((0.5, 140.0),))
values = st.lists(st.one_of(st.none(), st.floats(-1e4, 1e4)), max_size=300)


def series_of(value: list[float | None], label: str = "Front-knee angle") -> Series:
    return Series(label=label, unit="deg", t_s=[i / 30 for i in range(len(value))], frame=list(range(len(value))), value=value)


def line_of(svg: str) -> str:
    return next(p.get("d") for p in ET.fromstring(svg).iter(f"{SVG}path") if p.get("class") == "line")


@settings(max_examples=60)
@given(values, st.booleans())
def test_any_series_gives_well_formed_svg_or_says_that_nothing_was_read(value, banded):
    svg = series_svg(series_of(value), [], [AT_HALF_A_SECOND] if banded else [])
    root = ET.fromstring(svg)
    if all(v is None for v in value):
        assert root.tag == "p" and "nothing could be read" in svg
    else:
        assert root.tag == f"{SVG}svg" and "nan" not in svg and "inf" not in svg


def test_a_gap_in_the_data_is_a_gap_in_the_line():
    assert line_of(series_svg(series_of([1, 2, None, None, 3, 4]))).count("M") == 2


def test_the_time_between_two_balls_is_left_out_and_no_line_crosses_it():
    t_s = [i / 30 for i in range(60)] + [8 + i / 30 for i in range(60)]
    series = Series(label="Front knee", unit="deg", t_s=t_s, frame=list(range(120)), value=[float(i) for i in range(120)])
    svg = series_svg(
        series, [Event(name="contact", t_s=9.0, sigma_s=0.01, frame=90), Event(name="release", t_s=5.0, sigma_s=0.01, frame=60)]
    )
    pieces = line_of(svg).split("M")[1:]
    spans = [[float(x) for x in re.findall(r"(?:^|L)([\d.]+) ", piece)] for piece in pieces]
    assert len(pieces) == 2 and all(max(xs) - min(xs) > 150 for xs in spans), "each ball has its half of the width"
    assert "contact at 0:09.00" in svg and "release" not in svg
    assert ">0.0<" in svg and ">8.0<" in svg, "the axis says when each ball begins"


def test_samples_of_one_ball_at_two_rates_are_one_stretch():
    assert stretches([0, 0.1, 0.2, *(0.3 + i / 240 for i in range(100)), 0.8, 0.9]) == [(0, 104)]
    assert stretches([i / 5 for i in range(151)]) == [(0, 150)]
    assert stretches([]) == [] and stretches([1.0]) == [(0, 0)]


def test_a_lonely_reading_between_gaps_is_still_drawn():
    assert "h0" in line_of(series_svg(series_of([None, 2, None])))


def test_events_are_marked_at_their_time_and_named():
    events = [Event(name="front_foot_contact", t_s=0.5, sigma_s=0.01, frame=15), Event(name="release", t_s=9.0, sigma_s=0.01, frame=270)]
    svg = series_svg(series_of([float(i) for i in range(60)]), events)
    assert "front-foot contact at 0:00.50" in svg
    assert "release" not in svg, "an event outside the series has no place on its axis"


def judged_block(series_name: str = "front_knee_deg") -> MetricsBlock:
    """A measured drive whose knee metric and curve have the names of the catalogue, three balls at 1.70, 6.42 and 11.18 s."""
    block = drive_results().metrics
    knee = block.metrics["front_knee_brace_score"].model_copy(update={"series": series_name, "on_curve": series_name == "front_knee_deg"})
    curve = block.series["front_knee_angle"]
    return block.model_copy(update={"metrics": {"front_knee_brace_score": knee}, "series": {series_name: curve}})


def test_a_band_is_drawn_at_the_moments_it_is_for_and_nowhere_else():
    block = judged_block()
    (judged,) = judged_on(block, "front_knee_deg")
    assert [t for t, _ in judged.readings] == [1.70, 6.42, 11.18]
    root = ET.fromstring(series_svg(block.series["front_knee_deg"], [], [judged]))
    strips = [float(e.get("width")) for e in root.iter(f"{SVG}rect") if e.get("class") == "band"]
    assert len(strips) == 3 and sum(strips) < 0.2 * 440
    assert len([e for e in root.iter(f"{SVG}circle") if e.get("class") == "reading"]) == 3


def test_a_curve_that_a_band_does_not_judge_gets_none():
    assert judged_on(judged_block("ankles_apart"), "ankles_apart") == ()
    other_unit = judged_block()
    other_unit.series["front_knee_deg"].unit = "rad"
    assert judged_on(other_unit, "front_knee_deg") == ()


def test_a_moment_between_two_stretches_has_no_place_for_its_band():
    curve = series_of([100.0] * 30)
    assert "<rect" not in series_svg(curve, [], [Judged(BAND, ((5.0, 120.0),))])


@pytest.mark.parametrize("update", [{"on_curve": False}, {"judged": False}])
def test_no_band_is_drawn_for_what_is_no_height_of_the_curve_or_not_judged(update):
    block = judged_block()
    changed = {key: metric.model_copy(update=update) for key, metric in block.metrics.items()}
    assert judged_on(block.model_copy(update={"metrics": changed}), "front_knee_deg") == ()


def test_labels_that_would_cover_each_other_are_left_to_the_hover_text():
    events = [Event(name="front_foot_contact", t_s=0.5 + i / 1000, sigma_s=0.01, frame=15) for i in range(10)]
    root = ET.fromstring(series_svg(series_of([float(i) for i in range(60)]), events))
    labels = [t for t in root.iter(f"{SVG}text") if t.get("class") == "event-label"]
    assert len(labels) == 3 and len({t.get("y") for t in labels}) == 3
    assert len([p for p in root.iter(f"{SVG}path") if p.get("class") == "event"]) == 10


def test_a_hostile_label_stays_a_label():
    svg = series_svg(series_of([1.0, 2.0], label='"/><script>alert(1)</script>'))
    assert "<script" not in svg and ET.fromstring(svg).get("aria-label").startswith('"/><script>')


# Making 600 numbers and more takes its time on a busy machine, which is no fault of the code.
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(st.none(), st.floats(-1e4, 1e4)), min_size=MAX_POINTS + 1, max_size=3 * MAX_POINTS))
def test_thinning_keeps_time_order_and_the_extremes(value):
    kept = thinned([(i / 30, v) for i, v in enumerate(value)])
    times = [t for t, _ in kept]
    assert len(kept) <= MAX_POINTS and times == sorted(times)
    read, left = [v for v in value if v is not None], [v for _, v in kept if v is not None]
    assert (min(left), max(left)) == (min(read), max(read)) if read else not left


def test_six_minutes_at_ten_a_second_stay_a_small_drawing():
    rng = np.random.default_rng(1)
    assert len(series_svg(series_of([float(v) for v in rng.normal(0, 1, 3653)]))) < 15_000


@settings(max_examples=100)
@given(values)
def test_a_sparkline_is_under_600_bytes_and_well_formed_whatever_the_values(value):
    uri = sparkline_svg_data_uri(value)
    assert len(uri) < 600
    ET.fromstring(base64.b64decode(uri.partition(",")[2]))


def test_a_sparkline_reaches_from_the_first_value_to_the_last():
    path = ET.fromstring(base64.b64decode(sparkline_svg_data_uri([0.0] * 50 + [1.0] * 51).partition(",")[2]))[0].get("d")
    points = [tuple(map(float, p.split())) for p in re.split("[ML]", path)[1:]]
    assert points[0][0] == 1 and points[-1][0] == 99 and points[0][1] > points[-1][1]


def test_the_picture_for_dagster_is_about_1000_wide_and_small():
    import cv2

    for results in (drive_results(), nobody_results()):
        data = metrics_png(results.metrics)
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert 950 <= image.shape[1] <= 1050 and len(data) < 150_000
        assert (image != 255).any(), "an empty picture tells nothing"


def test_the_names_of_events_stand_once_above_all_panels_so_that_none_covers_another(monkeypatch):
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    legends, inside = [], []
    real = Figure.legend
    monkeypatch.setattr(Figure, "legend", lambda self, **given: legends.append(given["handles"]) or real(self, **given))
    monkeypatch.setattr(Axes, "annotate", lambda *given, **_: inside.append(given))
    metrics_png(judged_block())
    (handles,) = legends
    labels = [handle.get_label() for handle in handles]
    assert labels[:3] == ["top of backlift", "front-foot down", "contact"] and len(set(labels)) == 5 and not inside


def test_the_range_bar_tells_inside_from_outside_from_undecided():
    assert standing((101, 120), 100, 165) == "inside"
    assert standing((87, 99), 100, 165) == "outside"
    assert standing((90, 110), 100, 165) == "across"
    assert standing((1, 3), None, 3.5) == "inside"
    assert standing((4, 6), None, 3.5) == "outside"


band_end = st.one_of(st.none(), st.floats(-1e3, 1e3))


@given(st.floats(-1e3, 1e3), st.floats(0, 500), band_end, band_end, st.lists(st.floats(-1e3, 1e3), max_size=6))
def test_nothing_on_a_range_bar_leaves_its_frame(value, half, low, high, singles):
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    svg = range_bar_svg(value, (value - half, value + half), (low, high), "deg", per_delivery=singles)
    root = ET.fromstring(svg)
    xs = [float(e.get(name)) for e in root.iter() for name in ("x", "cx") if e.get(name)]
    xs += [float(x) for p in root.iter(f"{SVG}path") for x in re.findall(r"[MH](-?[\d.]+)", p.get("d"))]
    assert xs and all(0 <= x <= 320 for x in xs)
    assert (root.find(f"{SVG}rect") is None) == (low is None and high is None)
