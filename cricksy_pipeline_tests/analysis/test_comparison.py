"""Two sessions: most differences are none, real ones are named, unlike ones are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.comparison import Comparison, compare, detectable_change
from cricksy_pipeline.analysis.documents import AnalysisResults, MetricsBlock
from cricksy_pipeline_tests.analysis.judged_blocks import Read, block
from cricksy_pipeline_tests.analysis.players import BATTING, BOWLING, nobody, results_document

FILMED = {"front_side": "left", "arm": None, "facing": 1, "player_height_px": 400.0, "view_off_side_deg": 5.0}


def session(*reads: Read, mode=BATTING, model="0" * 64, **summary) -> AnalysisResults:
    document = results_document(nobody(), mode)
    return with_block(document, block(*reads, **{**FILMED, **summary}), model)


def with_block(document: AnalysisResults, made: MetricsBlock, model: str) -> AnalysisResults:
    pose = document.pose_summary.model_copy(update={"model_sha256": model})
    return document.model_copy(update={"metrics": made, "pose_summary": pose, "findings": None, "report": None})


def verdict(comparison: Comparison, code: str = "B4") -> str:
    return next(item.verdict for item in comparison.compared if item.metric == code)


def test_a_session_against_itself_has_not_changed():
    made = session(Read("B4", 120, 5.0), Read("B1", 3.0, 0.5))
    compared = compare(made, made)
    assert {item.verdict for item in compared.compared} == {"no real change"} and "No real change" in compared.summary


@given(st.floats(-40, 40), st.floats(1, 8), st.integers(1, 12), st.integers(1, 12))
def test_a_change_is_real_exactly_where_its_interval_leaves_out_zero_and_turns_round_with_the_order(change, sigma, n1, n2):
    first, second = session(Read("B4", 130, sigma, n1)), session(Read("B4", 130 + change, sigma, n2))
    there, back = compare(first, second).compared[0], compare(second, first).compared[0]
    assert there.change == pytest.approx(-back.change) and there.detectable_change == back.detectable_change
    assert (there.verdict == "no real change") == (there.ci95[0] < 0 < there.ci95[1]) or abs(abs(change) - there.detectable_change) < 1e-3


def test_like_sessions_have_the_detectable_change_that_they_print():
    made = session(Read("B4", 120, 5.0))
    printed = made.metrics.metrics["B4"].detectable_change
    assert compare(made, made).compared[0].detectable_change == pytest.approx(printed, abs=1e-3)
    assert detectable_change(3.0, 4.0) == pytest.approx((12.5) ** 0.5)


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [(60, 110, "better"), (120, 60, "worse"), (105, 160, "changed"), (120, 122, "no real change"), (60, 30, "worse"), (60, 85, "better")],
)
def test_better_and_worse_are_nearer_to_and_further_from_the_band(then, now, said):
    assert verdict(compare(session(Read("B4", then, 2.0)), session(Read("B4", now, 2.0)))) == said


def test_without_a_band_or_where_nothing_is_judged_a_change_is_neither_better_nor_worse():
    then, now = (session(Read("W2", value, 0.05, judged=False), mode=BOWLING) for value in (3.4, 2.6))
    (item,) = compare(then, now).compared
    assert item.verdict == "changed" and item.cue == "Last five steps quickest."
    assert compare(now, then).compared[0].cue is None


def test_what_became_worse_comes_with_its_cue_and_first():
    then = session(Read("B1", 3.0, 0.5), Read("B4", 120, 2.0))
    now = session(Read("B1", 3.1, 0.5), Read("B4", 70, 2.0))
    first, second = compare(then, now).compared
    assert (first.metric, second.metric) == ("B4", "B1") and first.cue == "Soft landing, firm at the hit." and second.cue is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"mode": BOWLING}, "MODE"),
        ({"model": "1" * 64}, "NETWORKS"),
        ({"front_side": "right"}, "SIDE"),
        ({"facing": -1}, "CAMERA_SIDE"),
        ({"player_height_px": 150.0}, "HEIGHT"),
        ({"view_off_side_deg": 40.0}, "VIEW"),
    ],
)
def test_unlike_sessions_are_refused_with_their_reason_either_way_round(changes, code):
    then, now = session(Read("B4", 120, 5.0)), session(Read("B4", 120, 5.0), **changes)
    for compared in (compare(then, now), compare(now, then)):
        assert compared.refused_code == code and compared.refused and compared.compared == []
        assert compared.refused in compared.summary


def test_a_session_without_a_ball_is_refused():
    assert compare(session(Read("B4", 120, 5.0)), results_document(nobody(), BATTING)).refused_code == "NO_RESULTS"


@pytest.mark.parametrize(
    ("update", "code"),
    [
        ({"definition_version": "1"}, "DEFINITION"),
        ({"view": "front"}, "VIEW"),
        ({"detectable_change": None}, "NO_DETECTABLE_CHANGE"),
        ({"value": None, "n": 0, "reason": "The rate was too low.", "reason_code": "RATE_TOO_LOW"}, "NOT_MEASURED"),
    ],
)
def test_a_metric_that_cannot_be_compared_says_why_and_the_others_are(update, code):
    then, now = session(Read("B4", 120, 5.0), Read("B1", 3.0, 0.5)), session(Read("B4", 120, 5.0), Read("B1", 3.0, 0.5))
    metrics = now.metrics.metrics
    other = now.metrics.model_copy(update={"metrics": {**metrics, "B4": metrics["B4"].model_copy(update=update)}})
    compared = compare(then, now.model_copy(update={"metrics": other}))
    assert [item.metric for item in compared.compared] == ["B1"]
    (refused,) = compared.not_compared
    assert refused.metric == "B4" and refused.reason_code == code and refused.reason


def test_of_two_samples_of_one_habit_nineteen_of_twenty_show_no_real_change():
    rng, pairs, level = np.random.default_rng(8), 400, 0
    for _ in range(pairs):
        # Each ball scatters by 6 degrees, each set-up of the camera by 3: sigma of the mean of six.
        then, now = (120 + rng.normal(0, (36 / 6 + 9) ** 0.5) for _ in range(2))
        sessions = (session(Read("B4", value, (36 / 6) ** 0.5, 6)) for value in (then, now))
        level += verdict(compare(*sessions)) == "no real change"
    assert 0.92 <= level / pairs <= 0.98
