"""Findings: found when there, not found when not, and never from what was not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import AnalysisMode, DeliveryValue, Metric
from cricksy_pipeline.analysis.findings import build_findings, severity
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.measure import measure
from cricksy_pipeline.analysis.recording import Recording
from cricksy_pipeline_tests.analysis.players import (
    BATTING,
    BOWLING,
    FIELDING,
    WICKETKEEPING,
    analysed,
    duration_of,
    nobody,
    on_grid,
    player,
    standing,
    walking,
)
from cricksy_pipeline_tests.analysis.test_metrics_catalogue import FORBIDDEN


def technique(findings):
    return [finding for finding in findings.findings if finding.kind == "technique"]


def quality(findings):
    return [finding for finding in findings.findings if finding.kind == "quality"]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("view", ["side", "front"])
@pytest.mark.parametrize(("motion", "mode"), [("drive", BATTING), ("bowl", BOWLING)])
def test_correct_technique_yields_no_finding(motion, mode, view, mirror):
    for noise in (0.0, 0.015):
        _, findings, _ = analysed(player(motion, view, seconds=8.0, noise=noise, mirror=mirror), mode)
        assert findings.findings == []
        assert findings.overall_level == "high"


@pytest.mark.parametrize(
    ("view", "fault", "code"),
    [
        ("side", {"knee_collapse": 62.0}, "FRONT_KNEE_FOLDS"),
        ("front", {"head_fall": 16.0}, "FALLS_TO_OFF"),
        ("front", {"head_fall": 24.0}, "FALLS_TO_OFF"),
        ("front", {"low_elbow": 0.6}, "LEAD_ELBOW_LOW"),
    ],
)
@pytest.mark.parametrize("mirror", [False, True])
def test_an_injected_fault_is_found_with_its_evidence(view, fault, code, mirror):
    block, findings, _ = analysed(player(view=view, seconds=8.0, noise=0.015, mirror=mirror, **fault), BATTING)
    assert [finding.code for finding in technique(findings)] == [code]
    finding = technique(findings)[0]
    metric = block.metrics[finding.metric]
    assert finding.evidence["value"] == metric.value and finding.evidence["n"] == metric.n == 2
    assert set(finding.evidence["frames"]) <= set(block.series[finding.evidence["series"]].frame)
    assert finding.confidence >= 0.8 and finding.severity in ("low", "medium")
    assert finding.suggested_drills[-1].startswith("Check: film")


@pytest.mark.parametrize("mode", list(AnalysisMode))
@pytest.mark.parametrize("clip", [nobody, standing, walking], ids=["nobody", "standing", "walking"])
def test_a_clip_without_a_delivery_yields_no_technique_finding_and_one_about_the_video(mode, clip):
    _, findings, _ = analysed(clip(), mode)
    assert technique(findings) == [] and len(quality(findings)) == 1
    assert findings.overall_level is None and findings.overall_level_reason
    assert findings.confidence_score is None


def test_a_clip_with_nobody_in_it_says_what_was_removed_and_how_to_film():
    _, findings, _ = analysed(nobody(), BATTING)
    (finding,) = findings.findings
    assert (finding.code, finding.kind, finding.level, finding.metric) == ("INSUFFICIENT_POSE_VISIBILITY", "quality", None, None)
    assert "Nobody was found" in finding.message and "8 to 10 m" in finding.message
    assert "front_knee_brace_score" in finding.evidence["metrics_removed"]
    assert "hip_shoulder_separation_timing" not in finding.evidence["metrics_removed"]


def test_below_the_coverage_floor_even_a_measured_fault_is_not_found():
    seen = player(seconds=8.0, knee_collapse=62.0)
    block = measure(seen, mode=BATTING, recording=Recording(8.0))
    findings = build_findings(block, mode=BATTING, detection_rate_percent=29.9, duration_s=8.0)
    assert [finding.code for finding in findings.findings] == ["INSUFFICIENT_POSE_VISIBILITY"]
    assert findings.overall_level is None


def test_between_floor_and_good_coverage_technique_stands_beside_one_quality_finding():
    block = measure(player(seconds=8.0, knee_collapse=62.0), mode=BATTING, recording=Recording(8.0))
    findings = build_findings(block, mode=BATTING, detection_rate_percent=45.0, duration_s=8.0)
    assert [finding.code for finding in findings.findings] == ["FRONT_KNEE_FOLDS", "LIMITED_POSE_VISIBILITY"]


def test_a_sparse_pass_over_a_good_clip_finds_nothing_and_blames_nobody():
    _, findings, _ = analysed(on_grid(player(fps=30, seconds=8.0), 5), BATTING)
    assert findings.findings == [] and findings.overall_level is None and findings.overall_level_reason
    assert {item.metric for item in findings.not_measured} >= {"front_knee_brace_score"}
    assert all(item.how_to_film is None for item in findings.not_measured)


def test_a_slow_camera_is_told_to_film_faster():
    _, findings, _ = analysed(player(fps=24, seconds=8.0), BATTING)
    (finding,) = findings.findings
    assert finding.code == "NOTHING_MEASURED" and "60 frames a second" in finding.message


def test_keepers_and_fielders_get_no_finding_from_a_crouch():
    for mode in (WICKETKEEPING, FIELDING):
        for clip in (player(seconds=8.0, knee_collapse=62.0), standing()):
            assert technique(analysed(clip, mode)[1]) == []


def metric_with(code: str, value: float, score: float, n: int) -> Metric:
    entry = catalogue().entries[code]
    read = [DeliveryValue(delivery=i + 1, value=value, sigma=1.0, t_s=1.0 + i, frame=30 * (i + 1)) for i in range(n)]
    return Metric(
        label=entry.label, score=score, value=value, unit=entry.unit, ci95=(value - 2, value + 2), n=n, coverage=1.0, view="side",
        definition=f"{code}: x", definition_version="1", band=entry.band, per_delivery=read, series=entry.series,
        reason=None, reason_code=None,
    )  # fmt: skip


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
    assert severity(metric_with("B4", value, score, n), catalogue().entries["B4"]) == expected


def test_high_needs_most_balls_outside_and_not_only_the_mean():
    metric = metric_with("B4", 70, 0.01, 5)
    mixed = metric.model_copy(
        update={"per_delivery": [read.model_copy(update={"value": 120.0}) for read in metric.per_delivery[:3]] + metric.per_delivery[3:]}
    )
    assert severity(metric, catalogue().entries["B4"]) == "high"
    assert severity(mixed, catalogue().entries["B4"]) == "medium"


def test_at_most_three_technique_findings_the_most_serious_first():
    block = measure(player(seconds=8.0), mode=BATTING, recording=Recording(8.0))
    bad = {
        "front_knee_brace_score": ("B4", 70.0, 0.0), "head_stability_score": ("B1", 6.0, 0.15),
        "balance_drift_score": ("B3", 1.05, 0.05), "elbow_drop_score": ("B7", -60.0, 0.08),
    }  # fmt: skip
    metrics = dict(block.metrics) | {key: metric_with(code, value, score, 4) for key, (code, value, score) in bad.items()}
    findings = build_findings(block.model_copy(update={"metrics": metrics}), mode=BATTING, detection_rate_percent=100.0, duration_s=8.0)
    assert len(technique(findings)) == 3
    ranks = ["high", "medium", "low"]
    order = [ranks.index(finding.severity) for finding in technique(findings)]
    assert order == sorted(order) and findings.overall_level == "low"


def test_an_ambiguous_player_halves_the_confidence_and_says_so():
    block = measure(player(seconds=8.0), mode=BATTING, recording=Recording(8.0))
    sure, unsure = (
        build_findings(block, mode=BATTING, detection_rate_percent=100.0, duration_s=8.0, subject={"ambiguous": ambiguous})
        for ambiguous in (False, True)
    )
    assert unsure.confidence_score == pytest.approx(sure.confidence_score / 2, abs=1e-3)
    assert any("More than one person" in reason for reason in unsure.confidence_reasons)


def test_no_generated_text_names_an_injury_or_tells_anyone_to_stop():
    for seen, mode in ((player(seconds=8.0, knee_collapse=62.0), BATTING), (nobody(), BOWLING), (player("bowl", "front"), BOWLING)):
        _, findings, report = analysed(seen, mode)
        assert not FORBIDDEN.search(findings.model_dump_json()) and not FORBIDDEN.search(report.model_dump_json())


def test_a_player_lost_for_half_of_the_clip_is_still_measured_where_he_was_seen():
    seen = player(seconds=8.0, noise=0.01)
    xy = seen.xy.copy()
    xy[:110] = np.nan
    block, findings, _ = analysed(replace(seen, xy=xy), BATTING)
    assert block.metrics["front_knee_brace_score"].n == 1
    assert [finding.code for finding in findings.findings] == ["LIMITED_POSE_VISIBILITY"]
    assert duration_of(seen) > 8
