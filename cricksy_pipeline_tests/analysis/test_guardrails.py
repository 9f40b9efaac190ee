"""Guardrails: every one holds on a sound document, fails on its own corruption, and never raises."""

from __future__ import annotations

import copy
import json
import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.documents import as_json
from cricksy_pipeline.analysis.guardrails import (
    GUARDRAILS,
    GuardrailResult,
    evaluate_deep_results,
    evaluate_findings,
    evaluate_frames,
    evaluate_quick_results,
    evaluate_report,
)
from cricksy_pipeline.analysis.json_tree import fingerprint
from cricksy_pipeline_tests.analysis.players import BATTING, BOWLING, duration_of, nobody, player, results_document


@cache
def _document(clip: str) -> tuple[str, str, float, int]:
    clips = {
        "fault": (player(seconds=8.0, noise=0.015, knee_collapse=75.0), BATTING), "sound": (player(seconds=8.0), BATTING),
        "nobody": (nobody(), BATTING), "bowl": (player("bowl", seconds=8.0), BOWLING),
    }  # fmt: skip
    seen, mode = clips[clip]
    return json.dumps(as_json(results_document(seen, mode))), str(mode), duration_of(seen), len(seen)


def document(clip: str = "fault") -> dict[str, Any]:
    return json.loads(_document(clip)[0])


def failed(results: list[GuardrailResult]) -> set[str]:
    assert all(isinstance(result, GuardrailResult) and isinstance(result.passed, bool) and result.message for result in results)
    json.dumps([[result.actual, result.expected] for result in results], allow_nan=False)
    return {result.name for result in results if not result.passed}


def quick(row: Any, **changes: Any) -> list[GuardrailResult]:
    _, mode, _, planned = _document("fault")
    given_ = {
        "row_results": row, "row_findings": copy.deepcopy(row.get("findings")) if isinstance(row, dict) else None,
        "row_report": copy.deepcopy(row.get("report")) if isinstance(row, dict) else None, "stored_results": copy.deepcopy(row),
        "stored_error": None, "mode": mode, "planned_frames": planned,
    }  # fmt: skip
    return evaluate_quick_results(**{**given_, **changes})


def findings_of(row: dict, findings: Any, **changes: Any) -> list[GuardrailResult]:
    _, mode, duration, _ = _document("fault")
    given_ = {
        "row_findings": findings, "row_results": row, "stored_findings": copy.deepcopy(findings), "stored_error": None,
        "mode": mode, "duration_s": duration,
    }  # fmt: skip
    return evaluate_findings(**{**given_, **changes})


def report_of(row: dict, report: Any, **changes: Any) -> list[GuardrailResult]:
    given_ = {
        "row_report": report, "row_findings": row["findings"], "row_results": row, "stored_report": copy.deepcopy(report),
        "stored_error": None, "mode": "batting", "files": {"report.html": None, "report.pdf": None},
    }  # fmt: skip
    return evaluate_report(**{**given_, **changes})


def frames(**changes: Any) -> list[GuardrailResult]:
    given_ = {
        "decodable": True, "decode_error": None, "source_sha256": "a", "row_sha256": "a", "t_s": np.arange(30) / 30, "duration_s": 1.0,
        "max_seconds": 600.0, "size_bytes": 1000, "max_bytes": 10_000, "frame_count": 30,
    }  # fmt: skip
    return evaluate_frames(**{**given_, **changes})


@pytest.mark.parametrize("clip", ["fault", "sound", "nobody", "bowl"])
def test_every_guardrail_holds_on_what_the_analysis_makes(clip):
    text, mode, duration, planned = _document(clip)
    row = json.loads(text)
    common = {"mode": mode, "stored_error": None}
    everything = (
        evaluate_quick_results(
            row_results=row, row_findings=row["findings"], row_report=row["report"], stored_results=row, planned_frames=planned,
            **common,
        )
        + evaluate_findings(row_findings=row["findings"], row_results=row, stored_findings=row["findings"], duration_s=duration, **common)
        + evaluate_report(
            row_report=row["report"], row_findings=row["findings"], row_results=row, stored_report=row["report"],
            files={"report.html": None}, **common,
        )
    )  # fmt: skip
    assert failed(everything) == set()
    deep = evaluate_deep_results(row_results=row, stored_results=row, planned_frames=planned, **common)
    assert failed(deep) == ({"subject_found"} if clip == "nobody" else set())
    assert {result.severity for result in deep if not result.passed} <= {"WARN"}


def test_results_come_in_the_order_of_the_list():
    row = document()
    assert [result.name for result in quick(row)] == [spec.name for spec in GUARDRAILS["quick_results"]]
    assert [result.name for result in findings_of(row, row["findings"])] == [spec.name for spec in GUARDRAILS["findings"]]
    assert [result.name for result in report_of(row, row["report"])] == [spec.name for spec in GUARDRAILS["report"]]
    assert [result.name for result in frames()] == [spec.name for spec in GUARDRAILS["frames"]]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"decodable": False, "decode_error": "no video stream"}, "source_is_readable_video"),
        ({"frame_count": 0}, "source_is_readable_video"),
        ({"source_sha256": "b"}, "source_hash_matches_row"),
        ({"source_sha256": None, "row_sha256": None}, "source_hash_matches_row"),
        ({"t_s": [0.0, 0.1, 0.1]}, "timestamps_strictly_increase"),
        ({"t_s": [0.0, math.nan, 0.2]}, "timestamps_strictly_increase"),
        ({"t_s": []}, "timestamps_strictly_increase"),
        ({"duration_s": 601.0}, "duration_and_size_within_limits"),
        ({"duration_s": math.nan}, "duration_and_size_within_limits"),
        ({"size_bytes": 10_001}, "duration_and_size_within_limits"),
        ({"size_bytes": 0}, "duration_and_size_within_limits"),
    ],
)
def test_a_bad_source_fails_the_guardrail_made_for_it(changes, name):
    assert failed(frames()) == set()
    assert failed(frames(**changes)) == {name}


def test_a_nan_anywhere_in_the_results_is_named_by_its_path():
    row = document()
    row["metrics"]["metrics"]["front_knee_brace_score"]["per_delivery"][1]["value"] = math.nan
    results = {result.name: result for result in quick(row)}
    assert not results["numbers_finite"].passed
    assert results["numbers_finite"].actual == ["$.metrics.metrics.front_knee_brace_score.per_delivery[1].value"]


def test_a_wrong_mode_a_missing_frame_and_an_unknown_key_fail_where_they_should():
    row = document()
    row["meta"]["analysis_mode_used"] = "bowling"
    assert failed(quick(row)) == {"mode_echoed"}
    assert failed(quick(document(), planned_frames=1)) == {"frame_count_equals_plan"}
    row = document()
    row["surprise"] = 1
    assert "schema_valid" in failed(quick(row))
    row = document()
    del row["metrics"]["metrics"]
    assert "schema_valid" in failed(quick(row))


def test_a_stored_copy_that_differs_or_cannot_be_read_fails():
    row = document()
    other = document()
    other["pose_summary"]["duration_s"] += 1e-9
    assert failed(quick(row, stored_results=other)) == {"stored_copy_equals_row"}
    assert failed(quick(row, stored_results=None, stored_error="NoSuchKey")) == {"stored_copy_equals_row"}


@pytest.mark.parametrize("field", ["row_findings", "row_report"])
@pytest.mark.parametrize("value", [None, {}, [], "text"])
def test_findings_or_report_missing_from_the_fields_that_readers_read_fails(field, value):
    assert failed(quick(document(), **{field: value})) == {"findings_and_report_in_row"}


def test_findings_of_another_analysis_in_the_row_fail():
    assert failed(quick(document(), row_findings=document("sound")["findings"])) == {"findings_and_report_in_row"}


def _set(finding: dict, path: tuple, value: Any) -> None:
    for step in path[:-1]:
        finding = finding[step]
    finding[path[-1]] = value


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        (("message",), "", "every_finding_complete"),
        (("evidence",), {}, "every_finding_complete"),
        (("evidence", "t_s", 0), 9.5, "evidence_within_video"),
        (("evidence", "t_s", 0), -0.1, "evidence_within_video"),
        (("video_evidence", "bad_segments", 0, "end_s"), 99.0, "evidence_within_video"),
        (("evidence", "value"), 75.0001, "evidence_from_triggering_series"),
        (("evidence", "series"), "base_position", "evidence_from_triggering_series"),
        (("evidence", "frames", 0), 3, "evidence_from_triggering_series"),
        (("evidence", "frames"), [], "evidence_from_triggering_series"),
        (("metric",), "hip_shoulder_separation_timing", "no_finding_from_missing_data"),
        (("metric",), "no_such_metric", "no_finding_from_missing_data"),
    ],
)
def test_a_corrupted_finding_fails_the_guardrail_made_for_it(path, value, name):
    row = document()
    findings = copy.deepcopy(row["findings"])
    _set(findings["findings"][0], path, value)
    assert name in failed(findings_of(row, findings))


@pytest.mark.parametrize("priority", [None, {"metric": "stride_length", "code": "X", "title": "x", "cue": None, "why_first": "x"}])
def test_a_priority_that_is_not_the_first_finding_fails(priority):
    row = document()
    findings = copy.deepcopy(row["findings"])
    findings["priority"] = priority
    assert failed(findings_of(row, findings)) == {"one_priority"}


def test_four_things_to_work_on_fail():
    row = document()
    findings = copy.deepcopy(row["findings"])
    findings["findings"] = findings["findings"][:1] * 4
    assert failed(findings_of(row, findings)) == {"one_priority"}


def test_a_watched_metric_that_was_not_measured_fails():
    row = document()
    findings = copy.deepcopy(row["findings"])
    first = findings["findings"][0]
    watched = {"metric": "hip_shoulder_separation_timing", "code": "X", "label": "x", "title": "x", "message": "x"}
    findings["watch"] = [{**watched, "probability_outside": 0.9, "evidence": first["evidence"], "what_would_confirm": None}]
    assert {"no_finding_from_missing_data", "evidence_from_triggering_series"} <= failed(findings_of(row, findings))


def test_absent_findings_fail_every_guardrail_but_do_not_raise():
    row = document()
    for nothing in (None, {}, [], 0, "x"):
        assert {"findings_present", "mode_echoed"} <= failed(findings_of(row, nothing))


def test_technique_from_a_player_hardly_seen_fails():
    row = document()
    row["pose_summary"]["detection_rate_percent"] = 12.0
    assert "no_finding_from_missing_data" in failed(findings_of(row, row["findings"]))


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        (("text",), "", "text_present"),
        (("text",), "   ", "text_present"),
        (("sections",), [], "sections_present"),
        (("sections", 0, "body"), "", "sections_present"),
        (("one_week_plan",), ["one day"], "sections_present"),
        (("overall_level",), "high", "overall_level_matches_findings"),
        (("text",), "The knee was at 123 degrees in 417 balls.", "every_number_in_data"),
        (("analysis_mode",), "bowling", "mode_echoed"),
    ],
)
def test_a_corrupted_report_fails_the_guardrail_made_for_it(path, value, name):
    row = document()
    report = copy.deepcopy(row["report"])
    _set(report, path, value)
    assert name in failed(report_of(row, report))


def test_a_number_cannot_vouch_for_itself_through_a_message():
    row = document()
    report = copy.deepcopy(row["report"])
    row["findings"]["findings"][0]["message"] = "The knee was at 417 degrees."
    report["text"] = "The knee was at 417 degrees."
    assert "every_number_in_data" in failed(report_of(row, report))


def test_a_share_that_the_pictures_lacked_may_be_written_as_a_percentage():
    row = document()
    row["metrics"]["summary"]["quality"] = [{"code": "SWAPS", "value": 0.1234, "limit": 0.05, "how_to_film": "STAND_SQUARE"}]
    report = copy.deepcopy(row["report"])
    report["text"] = "Left and right had to be exchanged in 12 % of the pictures."
    assert failed(report_of(row, report)) == set()
    report["text"] = "Left and right had to be exchanged in 47.3 % of the pictures."
    assert "every_number_in_data" in failed(report_of(row, report))


def test_a_fingerprint_survives_a_round_trip_through_json_and_the_order_of_keys():
    row = document()
    again = json.loads(json.dumps(row, indent=3, sort_keys=True))
    assert fingerprint(again) == fingerprint(row)
    again["pose_summary"]["total_frames"] += 1
    assert fingerprint(again) != fingerprint(row)


KEYS = ["findings", "metrics", "evidence", "t_s", "frames", "series", "meta", "text", "sections", "kind", "metric", "pose_summary"]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(anything, anything, anything)
def test_no_guardrail_ever_raises_whatever_json_it_is_given(a, b, c):
    results = evaluate_quick_results(
        row_results=a, row_findings=b, row_report=c, stored_results=b, stored_error=None, mode="batting", planned_frames=3
    )
    results += evaluate_deep_results(row_results=a, stored_results=b, stored_error=None, mode="batting", planned_frames=3)
    results += evaluate_findings(row_findings=a, row_results=b, stored_findings=c, stored_error=None, mode="batting", duration_s=1.0)
    results += evaluate_report(row_report=a, row_findings=b, row_results=c, stored_report=a, stored_error=None, mode="batting", files={})
    assert failed(results)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_sound_document_with_one_value_replaced_never_raises(data):
    row = document()
    where, path = row, []
    for _ in range(data.draw(st.integers(1, 5))):
        keys = list(where) if isinstance(where, dict) else list(range(len(where))) if isinstance(where, list) else []
        if not keys:
            break
        path.append(data.draw(st.sampled_from(keys)))
        where = where[path[-1]]
    _set(row, tuple(path), data.draw(anything))
    failed(quick(row) + findings_of(row, row.get("findings")) + report_of({"findings": row.get("findings"), **row}, row.get("report")))


def test_a_document_nested_beyond_reason_fails_and_does_not_raise():
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    row = {"metrics": deep}
    no_copies = {"row_findings": None, "row_report": None, "stored_results": row, "stored_error": None}
    results = evaluate_quick_results(row_results=row, mode="batting", planned_frames=3, **no_copies)
    assert "schema_valid" in failed(results)
