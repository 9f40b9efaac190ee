"""Which metrics become findings, which are watched, what comes first, what would settle it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.confirming import balls_more, confirming_a_finding, confirming_a_likely_one, variance_of_change
from cricksy_pipeline.analysis.documents import Band, Findings, MetricsBlock
from cricksy_pipeline.analysis.family import needed_sigmas
from cricksy_pipeline.analysis.findings import build_findings
from cricksy_pipeline.analysis.guardrails import evaluate_findings
from cricksy_pipeline.analysis.judging import Judged, judge, severity, why_first
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.quality import HOW_TO_FILM
from cricksy_pipeline.analysis.wording import coaching
from cricksy_pipeline_tests.analysis.judged_blocks import MODE_OF, Read, block, metric

KNEE = Band(low=100, high=165, source="x", status="uncalibrated")


def found_in(made: MetricsBlock, **more) -> Findings:
    mode = MODE_OF[next(iter(made.metrics))[0]]
    return build_findings(made, mode=mode, detection_rate_percent=100.0, duration_s=60.0, **more)


def technique(findings: Findings) -> list[str]:
    return [finding.metric for finding in findings.findings if finding.kind == "technique"]


def one(read: Read, others: int = 0) -> Judged:
    """The read as judged, beside `others` metrics that are well inside."""
    inside = [Read(code, 4.0, 0.5, band=Band(low=0.0, high=8.0, source="x", status="uncalibrated")) for code in ("B1", "B3", "B6", "B7")]
    verdict = judge(block(read, *inside[:others]))
    return next(item for item in verdict.judged if item.code == read.code)


@pytest.mark.parametrize(
    ("value", "score", "n", "expected"),
    [
        (99, 0.21, 6, None),
        (95, 0.19, 6, "low"),
        (80, 0.19, 6, "low"),
        (80, 0.09, 6, "medium"),
        (70, 0.04, 2, "medium"),
        (70, 0.04, 3, "high"),
        (70, 0.06, 3, "medium"),
        (120, 0.10, 3, None),
    ],
)
def test_severity_needs_probability_distance_and_for_high_three_balls(value, score, n, expected):
    assert severity(metric(Read("B4", value, 5.0, n, band=KNEE)).model_copy(update={"score": score})) == expected


def test_high_needs_most_balls_outside_and_not_only_the_mean():
    read = metric(Read("B4", 70, 5.0, 5, band=KNEE))
    inside = [ball.model_copy(update={"value": 120.0}) for ball in read.per_delivery[:3]]
    assert severity(read) == "high"
    assert severity(read.model_copy(update={"per_delivery": inside + read.per_delivery[3:]})) == "medium"


def test_what_is_likely_outside_and_not_surely_is_watched_and_no_finding():
    findings = found_in(block(Read("B4", 94, 5.0, band=KNEE)))  # P(out) 0.88: above 0.80, below what the family needs
    assert technique(findings) == [] and findings.priority is None and findings.overall_level == "high"
    (watched,) = findings.watch
    assert watched.metric == "B4" and 0.8 <= watched.probability_outside < 0.95
    assert "likely, not sure" in watched.message and watched.evidence["value"] == 94


def test_the_same_reading_is_found_alone_and_only_watched_among_many():
    doubtful = Read("B4", 91, 5.0, band=KNEE)  # 1.8 sigma outside: 0.036
    many = [Read(c, 4.0, 0.5, band=Band(low=0.0, high=8.0, source="x", status="uncalibrated")) for c in ("B1", "B3", "B6", "B7")]
    assert technique(found_in(block(doubtful))) == ["B4"]
    findings = found_in(block(doubtful, *many))
    assert technique(findings) == [] and [watched.metric for watched in findings.watch] == ["B4"]


def test_what_is_not_judged_is_never_found_however_far_outside():
    findings = found_in(block(Read("B4", 40, 1.0, band=KNEE, judged=False)))
    assert technique(findings) == [] and findings.watch == [] and findings.overall_level is None


def test_a_band_narrower_than_the_error_does_not_make_a_value_at_its_end_surely_outside():
    narrow = Band(low=100.0, high=100.5, source="x", status="uncalibrated")
    findings = found_in(block(Read("B4", 99.0, 10.0, band=narrow)))  # P(in band) is 0.02 wherever the value lies
    assert technique(findings) == []


def test_two_metrics_that_see_one_thing_make_one_finding_of_the_cause():
    wide = Band(low=-5.0, high=5.0, source="x", status="uncalibrated")
    findings = found_in(block(Read("W6", 60, 3.0), Read("W8", 40, 2.0, band=wide)))
    assert technique(findings) == ["W6"]
    (backing,) = findings.watch
    assert backing.metric == "W8" and "trunk" in backing.message


def test_the_effect_alone_is_found_where_the_cause_is_not():
    wide = Band(low=-5.0, high=5.0, source="x", status="uncalibrated")
    assert technique(found_in(block(Read("W6", 20, 3.0), Read("W8", 40, 2.0, band=wide)))) == ["W8"]


def test_at_most_three_the_most_serious_first_and_the_rest_is_kept_for_later():
    bad = {"B1": (40.0, 3.0), "B3": (3.0, 0.1), "B4": (60.0, 3.0), "B6": (55.0, 3.0), "B7": (-80.0, 5.0)}
    findings = found_in(block(*(Read(code, value, sigma) for code, (value, sigma) in bad.items())))
    assert len(technique(findings)) == 3
    ranks = ["high", "medium", "low"]
    order = [ranks.index(finding.severity) for finding in findings.findings]
    assert order == sorted(order) and findings.overall_level == "low"
    assert all("kept for later" in watched.message for watched in findings.watch) and len(findings.watch) == 2
    assert findings.priority.metric == technique(findings)[0]


def test_of_equally_serious_ones_the_earlier_in_the_movement_comes_first_and_says_why():
    findings = found_in(block(Read("B7", -80.0, 5.0), Read("B4", 60.0, 3.0)))
    assert technique(findings) == ["B4", "B7"]
    assert findings.priority.why_first == coaching()["first"]["earlier"]


def test_a_single_finding_comes_first_because_it_is_the_only_one():
    findings = found_in(block(Read("B4", 60.0, 3.0)))
    assert findings.priority.why_first == coaching()["first"]["only"]
    assert findings.priority.cue == findings.findings[0].cues[0]


def test_the_order_of_the_metrics_in_the_document_changes_nothing():
    reads = [Read("B7", -80.0, 5.0), Read("B4", 60.0, 3.0), Read("B6", 55.0, 3.0), Read("B1", 4.2, 0.5)]
    one_way, other_way = found_in(block(*reads)), found_in(block(*reads[::-1]))
    assert technique(one_way) == technique(other_way) and {w.metric for w in one_way.watch} == {w.metric for w in other_way.watch}


def test_why_first_tells_more_serious_from_surer():
    high, low = one(Read("B4", 60, 3.0, band=KNEE)), one(Read("B4", 95, 2.0, band=KNEE))
    assert why_first([high, low]) == "serious" and why_first([low, low]) == "surest"


# ---------------------------------------------------------------------------------------------------------------- what would confirm


def test_a_finding_says_how_much_change_would_be_real():
    item = one(Read("B4", 70, 5.0, band=KNEE))
    answer = confirming_a_finding(item)
    assert answer.balls_more == 6 and answer.detectable_change == item.metric.detectable_change
    assert f"{item.metric.detectable_change:.0f} degrees or more is real" in answer.text


@given(st.integers(1, 10), st.floats(2.0, 8.0), st.floats(0.0, 3.0), st.floats(0.5, 2.4))
def test_with_the_balls_that_are_asked_for_the_same_distance_would_be_sure_and_with_one_less_not(n, random, fixed, sigmas):
    view = catalogue().entries["B4"].sigma_view
    fixed = (fixed**2 + view**2) ** 0.5
    sigma = (random**2 / n + fixed**2) ** 0.5
    item = one(Read("B4", 100 - sigmas * sigma, sigma, n, fixed, band=KNEE), others=4)
    # The block's detectable change holds the random part and the view; what it does not hold is the model's, and does not shrink.
    more = balls_more(item, judged=5)
    if more is None:
        assert item.distance <= needed_sigmas(5) * fixed + 1e-6
        return
    after, before = ((random**2 / (n + extra) + fixed**2) ** 0.5 for extra in (more, more - 1))
    assert item.distance >= needed_sigmas(5) * after - 1e-6
    assert more == 1 or item.distance < needed_sigmas(5) * before + 1e-6


def test_where_only_the_camera_errs_more_balls_are_not_asked_for():
    item = one(Read("B4", 95, 5.0, 6, fixed=4.99, band=KNEE), others=4)
    answer = confirming_a_likely_one(item, 5)
    assert answer.balls_more is None and "More balls will not settle it" in answer.text


@given(st.floats(0.01, 100))
def test_the_variance_of_a_session_follows_from_its_detectable_change(sigma):
    assert variance_of_change(1.96 * 2**0.5 * sigma) == pytest.approx(sigma**2)


# ------------------------------------------------------------------------------------------------------------------ evidence and doubts


def test_evidence_is_the_metrics_own_with_a_still_of_each_ball_that_the_strip_shows():
    made = block(Read("B4", 70, 5.0, n=8, band=KNEE))
    (finding,) = found_in(made).findings
    read = made.metrics["B4"]
    assert finding.evidence["t_s"] == [ball.t_s for ball in read.per_delivery] and finding.evidence["series"] == read.series
    assert finding.evidence["ci95"] == list(read.ci95) and finding.evidence["band"]["low"] == 100
    stills = finding.evidence["stills"]
    assert (
        len(stills) == 6
        and {still["event"] for still in stills} == {"contact"}
        and {still["output"] for still in stills} == {"moments.png"}
    )


def test_every_guardrail_of_the_findings_holds_also_for_what_is_watched():
    made = block(Read("B4", 60, 5.0, band=KNEE), Read("B1", 4.6, 0.8))
    found = found_in(made)
    assert found.watch and technique(found)
    plain, results = (
        found.model_dump(mode="json"),
        {"metrics": made.model_dump(mode="json"), "pose_summary": {"detection_rate_percent": 100.0}},
    )
    outcomes = {
        outcome.name: outcome
        for outcome in evaluate_findings(
            row_findings=plain, row_results=results, stored_findings=plain, stored_error=None, mode="batting", duration_s=60.0
        )
    }
    assert [name for name, outcome in outcomes.items() if not outcome.passed] == []
    plain["watch"][0]["evidence"]["stills"][0]["frame"] += 1
    assert not evaluate_findings(
        row_findings=plain, row_results=results, stored_findings=plain, stored_error=None, mode="batting", duration_s=60.0
    )[4].passed


@pytest.mark.parametrize(
    ("summary", "subject", "word"),
    [
        ({}, {"ambiguous": True}, "--subject 2"),
        ({}, {"ambiguous": True, "chosen": 2, "people": [{"number": 1}, {"number": 2}]}, "--subject 1"),
        ({"speed_source": "unknown"}, {}, "--slow-motion 8"),
        ({"speed_source": "unknown", "likely_slow_motion": 4.0}, {}, "--slow-motion 4"),
        ({"view_confidence": 0.3}, {}, "where the camera stood"),
        ({"quality": [{"code": "SMALL", "value": 120.4, "limit": 150.0, "how_to_film": "COME_CLOSER"}]}, {}, "only 120 pixels tall"),
        ({"quality": [{"code": "BONES", "value": 0.12, "limit": 0.1, "how_to_film": "MORE_LIGHT_AND_RATE"}]}, {}, "length by 12 %"),
        ({}, {"lost": [{"start_s": 1.0, "end_s": 2.0}]}, "lost or hidden"),
    ],
)
def test_every_doubt_lowers_the_trust_and_says_what_to_do(summary, subject, word):
    sure = found_in(block(Read("B4", 130, 5.0, band=KNEE)))
    doubtful = found_in(block(Read("B4", 130, 5.0, band=KNEE), **summary), subject=subject)
    assert doubtful.confidence_score < sure.confidence_score
    assert any(word in reason for reason in doubtful.confidence_reasons)
    assert not any(word in reason for reason in sure.confidence_reasons)


@pytest.mark.parametrize(
    "problem",
    [
        {"code": "BONES", "value": 0.31, "limit": 0.1, "how_to_film": "MORE_LIGHT_AND_RATE"},
        {"code": "SWAPS", "value": 0.62, "limit": 0.05, "how_to_film": "STAND_SQUARE"},
        {"code": "COVERAGE", "value": 0.2, "limit": 0.9, "how_to_film": "KEEP_HIM_IN_VIEW"},
    ],
    ids=lambda problem: problem["code"],
)
def test_of_a_figure_that_does_not_move_as_a_body_nothing_is_said_but_how_to_film(problem):
    findings = found_in(block(Read("B4", 40, 2.0, band=KNEE), quality=[problem]))
    assert technique(findings) == [] and findings.watch == [] and findings.style_notes == []
    (finding,) = findings.findings
    assert finding.code == "NOT_A_BODY" and coaching()["film"][problem["how_to_film"]] in finding.message
    assert findings.overall_level is None and findings.overall_level_reason and findings.confidence_score is None
    assert findings.priority.metric is None


def test_every_problem_of_the_pictures_has_words_and_a_way_to_film():
    assert set(HOW_TO_FILM) == set(coaching()["pictures"]) and set(HOW_TO_FILM.values()) == set(coaching()["film"])


# --------------------------------------------------------------------------------------------------------------------------- style


@pytest.mark.parametrize("code", sorted(code for code in coaching()["style"] if code in catalogue().entries))
def test_style_is_told_with_its_source_and_is_never_a_finding(code):
    read = Read(code, 10_000.0, 0.1, judged=False, category="wide")
    findings = found_in(block(read))
    assert technique(findings) == [] and findings.watch == []
    (note,) = findings.style_notes
    assert note.metric == code and note.source and "choice, not a fault" in note.message


def test_words_are_only_of_metrics_that_exist():
    named = {code for code, sides in coaching().items() if isinstance(sides, dict) and {"above", "below"} & set(sides)}
    assert named <= set(catalogue().entries)
    assert set(coaching()["style"]) <= set(catalogue().entries)
