"""The metrics block: what is measured, what is refused and in which words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import LEGACY_METRICS, AnalysisMode, MetricsBlock, as_json
from cricksy_pipeline.analysis.landmarks import LANDMARK_NAMES, Landmarks
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.measure import measure
from cricksy_pipeline.analysis.recording import Recording
from cricksy_pipeline_tests.analysis.players import (
    BATTING,
    MODE_OF,
    duration_of,
    nobody,
    noisy,
    on_grid,
    player,
    standing,
    walking,
    with_bursts,
)


def block_of(seen: Landmarks, mode: AnalysisMode) -> MetricsBlock:
    return measure(seen, mode=mode, recording=Recording(duration_of(seen)))


def empty() -> Landmarks:
    return Landmarks.empty(64, 48)


def values(block: MetricsBlock) -> dict[str, float | None]:
    return {key: metric.value for key, metric in block.metrics.items()}


@pytest.mark.parametrize("mode", list(AnalysisMode))
@pytest.mark.parametrize("clip", [player, nobody, standing, walking, empty])
def test_every_clip_has_the_five_keys_each_measured_or_null_with_words(mode, clip):
    block = block_of(clip(), mode)
    assert set(LEGACY_METRICS) <= set(block.metrics)
    for key, metric in block.metrics.items():
        measured = metric.value is not None
        assert (metric.reason is None) == measured and (metric.reason_code is None) == measured, key
        assert measured == (metric.n > 0) == (metric.ci95 is not None) == bool(metric.per_delivery), key
        assert metric.score is None or measured
        assert metric.score != 0.5 or measured
    assert json.loads(json.dumps(as_json(block), allow_nan=False))


def test_a_side_on_drive_gives_three_of_the_five_and_says_why_not_the_others():
    block = block_of(player(noise=0.015, seconds=8.0), BATTING)
    missing = {key for key in LEGACY_METRICS if block.metrics[key].value is None}
    assert missing == {"hip_shoulder_separation_timing", "elbow_drop_score"}
    assert {block.metrics[key].reason_code for key in missing} == {"NOT_OFFERED", "VIEW"}
    assert block.metrics["hip_shoulder_separation_timing"].reason_code == "NOT_OFFERED"
    assert block.summary["deliveries"] == 2 and block.summary["view"] == "side"


@pytest.mark.parametrize("fps", [5, 10, 15, 24])
def test_too_few_pictures_a_second_is_said_with_the_rate_and_nothing_is_guessed(fps):
    block = block_of(on_grid(player(fps=60, seconds=8.0), fps) if fps < 24 else player(fps=24, seconds=8.0), BATTING)
    metric = block.metrics["front_knee_brace_score"]
    assert metric.reason_code == "RATE_TOO_LOW" and f"{fps} pictures a second" in metric.reason
    assert block.deliveries == []


def test_a_player_who_does_nothing_on_a_dense_enough_grid_is_no_matter_of_rate():
    block = block_of(on_grid(standing(8.0), 10), BATTING)
    assert block.metrics["front_knee_brace_score"].reason_code == "NO_EVENT"


def test_the_front_knee_is_refused_along_the_pitch_and_the_side_lean_from_the_side():
    front, side = block_of(player(view="front"), BATTING), block_of(player(view="side"), BATTING)
    assert front.metrics["front_knee_brace_score"].reason_code == "VIEW"
    assert front.metrics["balance_drift_score"].definition.startswith("B6:")
    assert side.metrics["balance_drift_score"].definition.startswith("B3:")


def test_a_quarter_view_refuses_what_needs_the_side_or_the_front():
    block = block_of(player(view="quarter", noise=0.01), BATTING)
    assert block.summary["view"] == "quarter"
    for key in ("front_knee_brace_score", "balance_drift_score"):
        assert block.metrics[key].reason_code == "VIEW"
        assert "at an angle" in block.metrics[key].reason


def test_a_player_too_small_to_measure_is_said_to_be_too_small():
    block = block_of(noisy(player(width=128, height=72, seconds=4.0), 0.01), BATTING)
    if block.deliveries:
        assert block.summary["player_height_px"] < 60
    assert {m.reason_code for m in block.metrics.values()} <= {"TOO_SMALL", "NOT_OFFERED"}


def test_a_tracked_body_that_flies_is_left_out_and_counted():
    seen = player(seconds=4.0, fps=60)
    xy = seen.xy.copy()
    xy += (np.cumsum(np.full(len(seen), 60.0))[:, None, None] * np.array([1.0, 0.0])).astype(np.float32)
    block = block_of(replace(seen, xy=xy, width=20_000), BATTING)
    assert block.summary["deliveries_excluded"] == 1 and block.deliveries == []
    assert block.metrics["front_knee_brace_score"].reason_code == "IMPLAUSIBLE"


@pytest.mark.parametrize("motion", list(MODE_OF))
@pytest.mark.parametrize("view", ["side", "front"])
def test_a_mirrored_player_has_exactly_the_same_numbers(motion, view):
    seen = player(motion, view, noise=0.015)
    # On a grid of 1/64 pixel the mirror image of every float32 coordinate is exact.
    even = replace(seen, xy=np.round(seen.xy * 64) / np.float32(64))
    twin = [LANDMARK_NAMES.index(_other(name)) for name in LANDMARK_NAMES]
    world = (even.world * np.float32([-1, 1, 1]))[:, twin]
    mirrored = replace(even, xy=(even.xy * np.float32([-1, 1]) + np.float32([even.width, 0]))[:, twin], z=even.z[:, twin], world=world)
    a, b = block_of(even, MODE_OF[motion]), block_of(mirrored, MODE_OF[motion])
    for key, value in values(a).items():
        assert (value is None) == (values(b)[key] is None), key
        assert value is None or values(b)[key] == pytest.approx(value, abs=1e-4), key
    if motion in ("drive", "bowl", "throw"):
        assert {a.summary["front_side"], b.summary["front_side"]} == {"left", "right"}


def _other(name: str) -> str:
    return name.replace("left", "X").replace("right", "left").replace("X", "right")


@pytest.mark.parametrize("factor", [0.5, 1.5, 3.0])
def test_a_larger_picture_of_the_same_movement_gives_the_same_values(factor):
    seen = player(fps=60, seconds=8.0, width=960, height=540)
    large = replace(seen, xy=(seen.xy * factor).astype(np.float32), width=round(960 * factor), height=round(540 * factor))
    a, b = values(block_of(seen, BATTING)), values(block_of(large, BATTING))
    assert {k: v for k, v in b.items() if v is not None} == pytest.approx({k: v for k, v in a.items() if v is not None}, rel=0.01, abs=0.01)


def test_a_portrait_picture_of_the_same_movement_gives_the_same_knee():
    wide, tall = (block_of(player(width=w, height=h, seconds=8.0), BATTING) for w, h in ((960, 540), (540, 960)))
    a, b = (block.metrics["front_knee_brace_score"] for block in (wide, tall))
    assert b.value == pytest.approx(a.value, abs=1.5)


@pytest.mark.parametrize(("motion", "view"), [(motion, view) for motion in MODE_OF for view in ("side", "front")])
def test_the_rate_of_the_video_does_not_change_what_is_measured(motion, view):
    reference = block_of(player(motion, view, fps=240, seconds=4.0), MODE_OF[motion])
    for fps in (25, 30, 60):
        block = block_of(player(motion, view, fps=fps, seconds=4.0), MODE_OF[motion])
        for key, metric in block.metrics.items():
            known = reference.metrics[key].value
            if known is not None and metric.value is not None:
                low, high = metric.ci95
                assert abs(metric.value - known) <= (high - low) / 4, (fps, key, known, metric.value, metric.ci95)


def test_uneven_frame_times_give_what_even_ones_give():
    rng = np.random.default_rng(5)
    uneven = np.arange(240) / 30 + np.r_[0, rng.uniform(-0.008, 0.008, 239)]
    a = block_of(player(fps=30, seconds=8.0), BATTING)
    b = block_of(player(timestamps=tuple(np.round(uneven, 5).tolist())), BATTING)
    for key in ("front_knee_brace_score", "balance_drift_score", "head_over_front_foot"):
        assert b.metrics[key].value == pytest.approx(a.metrics[key].value, abs=(a.metrics[key].ci95[1] - a.metrics[key].ci95[0]) / 10)


def test_grid_and_bursts_measure_what_every_frame_measures():
    seen = player(fps=60, seconds=8.0)
    a, b = block_of(seen, BATTING), block_of(with_bursts(seen, [(0.7, 2.3), (4.7, 6.3)]), BATTING)
    for key in LEGACY_METRICS:
        if a.metrics[key].value is not None:
            assert b.metrics[key].value == pytest.approx(a.metrics[key].value, rel=0.03)


def test_a_slower_camera_widens_the_interval():
    slow, fast = (
        block_of(player(fps=fps, seconds=8.0), BATTING).metrics["front_knee_brace_score"].per_delivery[0].sigma for fps in (25, 120)
    )
    assert slow > fast


@pytest.mark.parametrize(("motion", "view"), [(motion, view) for motion in MODE_OF for view in ("side", "front")])
def test_every_value_was_read_from_the_series_it_names_at_the_frame_it_names(motion, view):
    block = block_of(player(motion, view, fps=240, seconds=4.0), MODE_OF[motion])
    assert block.summary["measured"] > 0
    for key, metric in block.metrics.items():
        if metric.value is None:
            continue
        series, entry = block.series[metric.series], catalogue().entries[metric.code]
        for read in metric.per_delivery:
            at = series.frame.index(read.frame)
            assert abs(series.t_s[at] - read.t_s) <= 0.5 / 240 + 1e-3, key
            if metric.on_curve:
                assert metric.unit == series.unit
                assert series.value[at] == pytest.approx(read.value, abs=0.03 * (entry.plausible[1] - entry.plausible[0])), key


def test_a_delivery_says_what_its_contact_and_its_kind_were_told_from():
    block = block_of(player(fps=60), BATTING)
    (ball,) = block.deliveries
    assert (ball.contact_by, ball.kind) == ("hands", "front_foot") and ball.kind_probability > 0.9
    assert all(event.evidence for event in ball.events)
    assert block.summary["contact_by"] == {"hands": 1} and block.summary["shot"] == "front_foot"


def test_spread_is_given_from_three_balls_on_and_every_interval_holds_its_value():
    for seconds, balls in ((8.0, 2), (16.0, 4)):
        block = block_of(player(fps=30, seconds=seconds, noise=0.01), BATTING)
        for metric in block.metrics.values():
            if metric.value is not None:
                assert metric.n == balls
                assert (metric.spread is None) == (balls < 3)
                assert metric.ci95[0] <= metric.value <= metric.ci95[1] and metric.sigma > 0 and metric.detectable_change > 0
                assert (metric.detectable_fault is not None) == (metric.judged and metric.score is not None)


def test_a_throw_is_not_told_to_film_a_catch_from_elsewhere_and_a_bowler_is_told_where_to_stand():
    throw = block_of(player("throw", "side", fps=60), AnalysisMode.FIELDING)
    assert throw.metrics["head_stability_score"].reason_code == "NO_EVENT"
    assert throw.metrics["elbow_drop_score"].reason_code == "VIEW"
    bowl = block_of(player("bowl", "front", fps=60), MODE_OF["bowl"])
    assert bowl.metrics["approach_speed"].reason_code == "VIEW" and "square" in bowl.metrics["approach_speed"].how_to_film


def test_a_shot_is_judged_by_its_own_band_from_the_side():
    metric = block_of(player(fps=60, seconds=8.0), BATTING).metrics["balance_drift_score"]
    assert metric.band.applies_to == "front-foot shots" and metric.judged


def test_where_every_ball_was_read_nothing_is_counted_as_unread():
    assert block_of(player(fps=60, seconds=8.0), BATTING).summary["balls_not_read"] == {}
    hidden = player(fps=60, seconds=8.0)
    visibility, xy = hidden.visibility.copy(), hidden.xy.copy()
    lost = (hidden.t_s > 5.5) & (hidden.t_s < 5.9)
    ankle = LANDMARK_NAMES.index("left_ankle")
    xy[lost, ankle], visibility[lost, ankle] = np.nan, np.nan
    block = block_of(replace(hidden, xy=xy, visibility=visibility), BATTING)
    assert block.metrics["front_knee_brace_score"].n == 1
    assert block.summary["balls_not_read"]["front_knee_brace_score"] == {"MOMENT_NOT_SEEN": 1}


def test_series_are_bounded_however_long_the_clip():
    block = block_of(player(fps=120, seconds=60.0), BATTING)
    assert all(len(series.t_s) < 4000 for series in block.series.values())
    frames = {frame for metric in block.metrics.values() for frame in [read.frame for read in metric.per_delivery]}
    assert frames <= set(block.series["front_knee_deg"].frame)


def test_all_evidence_lies_inside_the_video():
    seen = player(seconds=1.9, fps=60)
    block = measure(seen, mode=BATTING, recording=Recording(float(seen.t_s[-1])))
    for evidence in block.evidence.values():
        assert all(0 <= s.start_s <= s.end_s <= seen.t_s[-1] for s in evidence.bad_segments)
