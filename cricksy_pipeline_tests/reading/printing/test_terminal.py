"""What a person reads in a terminal, for rows of every kind."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from cricksy_pipeline.reading.printing.job_progress import job_lines, job_progress
from cricksy_pipeline.reading.printing.terminal import print_result
from cricksy_pipeline_tests.reading.sample_documents import LABELS, drive_results, nobody_results


def printed(row: dict, width: int = 110, **given) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    print_result(row, console, **given)
    return console.file.getvalue().replace("\u00a0", " ")


def done(results) -> dict:
    r = results.model_dump(mode="json")
    return {
        "id": r["meta"]["job_id"],
        "status": "done",
        "stage": "DONE",
        "progress_pct": 100,
        "analysis_mode": "batting",
        "deep_results": r,
        "deep_findings": r["findings"],
        "deep_report": r["report"],
    }


def test_a_done_analysis_leads_with_one_cue_and_then_says_how_much_and_when():
    text = printed(done(drive_results()), report_path="/somewhere/report.html")
    assert text.index("Work on this first") < text.index("1. The head is still moving")
    for words in (
        "6.4 ± 0.9 % of height, good is at most 3.5 % of height",
        "0:01.70 (frame 102)",
        "93 ± 6°",
        "Batting analysis, done",
        "/somewhere/report.html",
    ):
        assert words in text


def test_what_is_not_sure_what_is_style_and_what_is_not_offered_stand_apart_from_the_findings():
    results = drive_results()
    text = " ".join(printed(done(results), width=160).split())
    assert "It is the most serious of what was found." in text.partition("Before")[0]
    order = ["Work on this first", "How sure", "Worth watching, not sure", "What was measured", "Style, not fault", "What was not measured",
             "Not offered, and why"]  # fmt: skip
    assert [text.index(title) for title in order] == sorted(text.index(title) for title in order)
    assert "Falling to the off side" in text.partition("Worth watching")[2].partition("What was measured")[0]
    assert "To confirm: Film 6 balls more" in text and "Backlift direction: lateral" in text and "Ball speed: One phone" in text


def test_the_five_metrics_are_all_there_measured_or_with_their_reason():
    text = " ".join(printed(done(drive_results()), width=160).split())
    assert all(label in text for label in LABELS.values())
    measured, _, missing = text.partition("What was not measured")
    assert "One camera cannot see the hips" in missing and "One camera cannot see the hips" not in measured
    assert "To measure it: Film once more from in front" in missing


@pytest.mark.parametrize("results", [drive_results(), nobody_results()], ids=["drive", "nobody"])
def test_nothing_but_the_address_of_the_report_is_wider_than_80_columns(results):
    lines = printed(done(results), width=80, report_path="/a" * 80).splitlines()
    assert max(len(line) for line in lines[:-1]) <= 80 and lines[-1].endswith("/a" * 80)


def test_at_80_columns_the_table_keeps_every_number_whole_and_one_line_a_measure():
    lines = printed(done(drive_results()), width=80).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("What was measured"))
    assert [lines[start + i].split()[-2:] for i in (3, 4, 5)] == [["1", "%"], ["94", "%"], ["1", "%"]]
    assert "≤ 3.5" in lines[start + 3] and "−15 to 15" in lines[start + 4] and "100–165" in lines[start + 5]


def test_measures_with_the_same_reason_share_one_line():
    text = " ".join(printed(done(nobody_results()), width=100).split())
    assert text.count("Stand square to the crease") == 1 and ", ".join(LABELS.values()) in text


def test_a_failed_job_with_a_first_look_says_what_is_what():
    row = {**done(drive_results()), "status": "failed", "error_message": "The run was stopped.", "error_code": "CANCELED"}
    row = {**row, "quick_results": row.pop("deep_results")}
    text = printed(row)
    assert text.index("The run was stopped.") < text.index("The first look came before that") < text.index("What was measured")


def test_a_clip_with_nobody_in_it_is_told_how_to_film():
    text = " ".join(printed(done(nobody_results())).split())
    assert "Before the next video" in text and "Stand square to the crease" in text and "Player found in 0 %" in text
    assert "severity" not in text


def test_a_failed_job_gives_its_reason_and_code():
    text = printed(
        {
            "id": "j",
            "status": "failed",
            "stage": "FAILED",
            "analysis_mode": "bowling",
            "error_message": "No moving picture.",
            "error_code": "NO_VIDEO_STREAM",
            "retryable": False,
        }
    )
    assert "Bowling analysis failed" in text and "No moving picture." in text and "NO_VIDEO_STREAM" in text and "tried again" not in text


@pytest.mark.parametrize("status", ["awaiting_upload", "queued", "quick_running"])
def test_a_job_on_its_way_has_nothing_to_read_yet(status):
    assert "Nothing to read yet" in printed({"id": "j", "status": status, "stage": None, "progress_pct": 0, "analysis_mode": "fielding"})


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"id": "old", "status": "completed", "results": {"deep": {"metrics": {"metrics": {"head_stability_score": {"score": 0.61}}}}}},
        {"id": "old", "status": "done", "deep_findings": {"findings": [{"code": "X", "evidence": {"value": 0.4, "band": [None, 0.3]}}]}},
        {"id": "old", "status": "done", "deep_findings": {"findings": "none"}, "deep_results": {"metrics": None}, "results": []},
        {"id": "old", "status": "done", "deep_findings": {"findings": [{"title": "[bold]not markup[/bold]", "cues": None}]}},
    ],
)
def test_rows_of_the_earlier_system_are_printed_as_far_as_they_go(row):
    assert (row.get("id") or "?") in printed(row)


def test_square_brackets_in_the_data_are_words_not_markup():
    row = done(drive_results())
    row["deep_results"]["metrics"]["metrics"]["elbow_drop_score"]["reason"] = "[/red] seen [link=http://x]here"
    row["deep_findings"]["not_measured"] = []
    row["deep_findings"]["findings"][0]["title"] = "[red]Head[/red]"
    text = " ".join(printed(row, width=200).split())
    assert "[/red] seen [link=http://x]here" in text and "[red]Head[/red]" in text


@pytest.mark.parametrize(
    ("told", "shown"),
    [([(None, 0), ("QUICK", 20), ("DEEP", 80), ("DEEP", 60)], "80%"), ([("DEEP", 60), ("DONE", 250)], "100%"), ([("QUEUED", -5)], "0%")],
)
def test_the_progress_bar_never_runs_backwards_or_past_its_end(told, shown):
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    with job_progress(console) as update:
        for stage, pct in told:
            update(stage, pct)
    assert f" {shown} " in console.file.getvalue()


def test_in_a_log_file_each_stage_is_one_line():
    console = Console(file=io.StringIO(), width=100, force_terminal=False)

    with job_lines(console) as show:
        for stage, percent in (("QUEUED", 0), ("QUICK", 3), ("QUICK", 40), ("QUICK_DONE", 50), ("DEEP", 60), ("DONE", 100)):
            show(stage, percent)

    assert [line.strip() for line in console.file.getvalue().splitlines()] == [
        "Analysing: waiting for a worker (0 %)",
        "Analysing: first look (3 %)",
        "Analysing: first look done (50 %)",
        "Analysing: every ball (60 %)",
        "Analysing: done (100 %)",
    ]
