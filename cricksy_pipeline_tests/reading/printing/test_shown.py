"""What a coach reads, as JSON: the same as in the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cricksy_pipeline.reading.printing.shown import ShownAnalysis, shown_analysis
from cricksy_pipeline.reading.printing.terminal import print_result
from cricksy_pipeline_tests.reading.printing.test_terminal import done
from cricksy_pipeline_tests.reading.sample_documents import drive_results, nobody_results

PLACES = {"page": "http://coach.example/analyses/j1", "report": None}


def printed(row: dict) -> str:
    console = Console(file=io.StringIO(), width=400, force_terminal=False)
    print_result(row, console)
    return " ".join(console.file.getvalue().replace("\u00a0", " ").split())


@pytest.mark.parametrize("results", [drive_results(), nobody_results()], ids=["drive", "nobody"])
def test_what_json_says_is_what_the_terminal_says(results):
    row = done(results)
    shown, text = shown_analysis(row, **PLACES), printed(row)

    assert shown.final and shown.shown_pass == "deep" and shown.error is None
    said = [shown.priority.say, shown.priority.why_first, shown.summary, *shown.watch]
    for finding in shown.findings:
        said += [finding.title, finding.message, finding.to_confirm, *finding.cues, *finding.drills]
    for gap in shown.not_measured:
        said += [", ".join(gap.measures), gap.reason, gap.how_to_film]
    missing = [phrase for phrase in filter(None, said) if " ".join(phrase.replace("\u00a0", " ").split()) not in text]
    assert missing == []
    assert shown.findings and shown.not_measured
    assert (shown.priority.kind == "quality") == (shown.findings[0].kind == "quality")


def test_the_priority_comes_before_everything_that_is_found():
    names = list(ShownAnalysis.model_fields)
    assert names.index("priority") < names.index("findings") < names.index("not_measured")


def test_numbers_are_the_documents_own():
    row = done(drive_results())
    stored = {finding["code"]: finding["evidence"] for finding in row["deep_findings"]["findings"]}
    for finding in shown_analysis(row, **PLACES).findings:
        assert (finding.value, finding.unit) == (stored[finding.code].get("value"), stored[finding.code].get("unit"))


def test_a_failed_job_says_why_and_what_to_do_and_keeps_the_first_look():
    row = {**done(drive_results()), "status": "failed", "error_message": "It died.", "error_code": "POSE_CRASHED"}
    row |= {f"quick_{part}": row.pop(f"deep_{part}") for part in ("results", "findings", "report")}
    shown = shown_analysis(row, **PLACES)
    assert (shown.error.code, shown.error.message, shown.final, shown.shown_pass) == ("POSE_CRASHED", "It died.", False, "quick")
    assert "Try again" in shown.error.advice and shown.priority is not None


@pytest.mark.parametrize(
    "row",
    [
        {"id": "j", "status": "queued", "progress_pct": 0, "analysis_mode": "batting"},
        {"id": "j", "status": "completed", "results": {"deep": {"findings": {"findings": [{"title": "Old"}]}}}},
        {"id": "j", "status": "completed", "quick_findings": {"findings": "damaged", "watch": "damaged", "not_measured": [3]}},
        {"id": "j", "status": "failed", "error_code": "SOMETHING_ELSE"},
    ],
)
def test_rows_of_any_age_make_a_document_that_reads_back(row):
    shown = shown_analysis(row, **PLACES)
    assert ShownAnalysis.model_validate_json(shown.model_dump_json()) == shown
    assert (shown.shown_pass is None) == (row["status"] in ("queued", "failed"))
