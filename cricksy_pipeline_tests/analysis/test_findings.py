"""Findings: found when there, not found when not, and never from what was not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.findings import build_findings
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
        if (motion, view) == ("bowl", "front"):
            # What would be judged of a bowler in front of the camera is refused there (accuracy.toml), and that is said.
            assert findings.overall_level is None and "what would be judged could not be measured" in findings.overall_level_reason
        else:
            assert findings.overall_level == "high"


def test_a_low_lead_elbow_is_read_too_widely_to_be_a_finding_since_the_pose_model_was_measured_to_misread_it():
    block, findings, _ = analysed(player(view="front", seconds=8.0, noise=0.015, low_elbow=0.6), BATTING)
    elbow = block.metrics["elbow_drop_score"]
    assert elbow.value is not None and elbow.ci95[1] - elbow.ci95[0] > 60
    assert "LEAD_ELBOW_LOW" not in [finding.code for finding in technique(findings)]


@pytest.mark.parametrize(
    ("view", "fault", "code"),
    [
        ("side", {"knee_collapse": 75.0}, "FRONT_KNEE_FOLDS"),
        ("front", {"head_fall": 16.0}, "FALLS_TO_OFF"),
        ("front", {"head_fall": 24.0}, "FALLS_TO_OFF"),
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
    seen = player(seconds=8.0, knee_collapse=75.0)
    block = measure(seen, mode=BATTING, recording=Recording(8.0))
    findings = build_findings(block, mode=BATTING, detection_rate_percent=29.9, duration_s=8.0)
    assert [finding.code for finding in findings.findings] == ["INSUFFICIENT_POSE_VISIBILITY"]
    assert findings.overall_level is None


def test_between_floor_and_good_coverage_technique_stands_beside_one_quality_finding():
    block = measure(player(seconds=8.0, knee_collapse=75.0), mode=BATTING, recording=Recording(8.0))
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
        for clip in (player(seconds=8.0, knee_collapse=75.0), standing()):
            assert technique(analysed(clip, mode)[1]) == []


def test_no_generated_text_names_an_injury_or_tells_anyone_to_stop():
    for seen, mode in ((player(seconds=8.0, knee_collapse=75.0), BATTING), (nobody(), BOWLING), (player("bowl", "front"), BOWLING)):
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
