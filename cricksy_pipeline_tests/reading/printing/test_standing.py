"""Where jobs stand, in a terminal of any width and as JSON."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cricksy_pipeline.reading.printing.standing import (
    SHORT_ID,
    StatusList,
    ago,
    lasted,
    print_list,
    print_stages,
    print_standing,
    standing,
    state_of,
)
from cricksy_pipeline.store.models import JobStatus
from cricksy_pipeline.store.sessions import JobSummary

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
JOB = JobSummary(
    id="89505f4c17424e8faf440e68fb6906bd",
    session_id="s1",
    status="done",
    stage="DONE",
    progress_pct=100,
    analysis_mode="batting",
    deep_enabled=True,
    attempt=1,
    request=1,
    dagster_run_id="run",
    heartbeat_at=NOW,
    analysis_version="v",
    source_etag=None,
    s3_bucket="local",
    s3_key="k.mp4",
    error_code=None,
    error_message=None,
    created_at=NOW - timedelta(hours=3),
    started_at=NOW - timedelta(hours=3),
    completed_at=NOW - timedelta(hours=3) + timedelta(seconds=75),
    updated_at=NOW - timedelta(hours=2),
)
RUNNING = replace(JOB, id="b" * 32, status="deep_running", stage="DEEP", progress_pct=84, completed_at=None)
FAILED = replace(JOB, id="f" * 32, status="failed", stage="FAILED", completed_at=None, error_code="NOT_A_VIDEO", error_message="No video.")
WAITING = replace(JOB, id="a" * 32, status="queued", stage="QUEUED", progress_pct=0, started_at=None, completed_at=None, attempt=0)
TITLE = "A title that is longer than any terminal of reasonable width has columns to spare for it, as titles of files often are.mp4"


def printed(show, width: int, colour: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=colour, color_system="truecolor" if colour else None, highlight=False)
    show(console)
    return console.file.getvalue()


def listed() -> StatusList:
    return StatusList(jobs=[standing(job, TITLE, NOW) for job in (WAITING, RUNNING, FAILED, JOB)], more=True)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_list_has_a_line_a_job_with_its_state_whatever_the_width(width):
    lines = printed(lambda console: print_list(listed(), console, NOW), width).splitlines()

    assert max(map(len, lines)) <= width
    assert len(lines) == 1 + 4 + 1
    for line, job, said in zip(lines[1:], listed().jobs, ("waiting for a worker", "every ball 84 %", "NOT_A_VIDEO", "done"), strict=False):
        assert line.startswith(job.id[:SHORT_ID]) and said in line and "batting" in line and "3 h ago" in line
    assert ("title" in lines[0]) == (width >= 72) and ("took" in lines[0]) == (width >= 110)


def test_a_pipe_gets_no_colour_and_a_terminal_does():
    plain, coloured = (printed(lambda console: print_list(listed(), console, NOW), 100, colour) for colour in (False, True))
    assert "\x1b[" not in plain and "\x1b[31m" in coloured


def test_no_job_is_said_with_what_to_do():
    assert "cricksy submit" in printed(lambda console: print_list(StatusList(jobs=[], more=False), console, NOW), 80)


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("job", [WAITING, RUNNING, FAILED, JOB], ids=["waiting", "running", "failed", "done"])
def test_one_job_says_its_whole_id_what_went_wrong_and_what_to_do(job, width):
    text = printed(lambda console: print_standing(standing(job, TITLE, NOW), console, NOW), width)

    assert max(map(len, text.splitlines())) <= width and job.id in text
    assert ("NOT_A_VIDEO No video." in text and "Upload a video file" in text) == (job is FAILED)
    assert ("1 min 15 s" in text) == (job is JOB)


def test_a_title_cannot_steer_the_terminal():
    assert standing(JOB, "a\x1b[2Jb\nc\x07", NOW).title == "a [2Jb c "
    assert "[red]" in printed(lambda console: print_standing(standing(JOB, "[red]x", NOW), console, NOW), 80)


@given(st.sampled_from(list(JobStatus)), st.one_of(st.none(), st.text(max_size=20)), st.one_of(st.none(), st.integers(-5, 300)))
def test_a_row_of_any_status_has_a_state_and_makes_a_document(status, stage, percent):
    job = replace(JOB, status=status, stage=stage, progress_pct=percent, started_at=None, error_code="HUH")
    made = standing(job, None, NOW)
    assert made.state == state_of(status) and 0 <= made.progress_pct <= 100
    assert StatusList.model_validate_json(StatusList(jobs=[made], more=False).model_dump_json()).jobs == [made]
    assert printed(lambda console: print_list(StatusList(jobs=[made], more=False), console, NOW), 80)


def test_times_without_a_zone_are_utc():
    naive = replace(JOB, created_at=JOB.created_at.replace(tzinfo=None), started_at=JOB.started_at.replace(tzinfo=None))
    assert standing(naive, None, NOW) == standing(JOB, None, NOW)


def test_how_long_ago_and_how_long_it_lasted_are_in_words():
    said = [ago(NOW - timedelta(seconds=seconds), NOW) for seconds in (-5, 59, 60, 3599, 3600, 86399, 86400, 864000)]
    assert said == ["just now", "just now", "1 min ago", "59 min ago", "1 h ago", "23 h ago", "1 d ago", "10 d ago"]
    assert [lasted(seconds) for seconds in (None, 0.04, 59.94, 59.96, 250.4, 119.9)] == [
        "–",
        "0.0 s",
        "59.9 s",
        "1 min 0 s",
        "4 min 10 s",
        "2 min 0 s",
    ]


def test_the_stages_are_one_line_each():
    rows = [("frames", "1.03", "0.45", "kept from attempt 1"), ("quick_results", "23.71", "4.11", "made")]
    lines = printed(lambda console: print_stages(rows, console), 60).splitlines()
    assert [line.split()[0] for line in lines if line] == ["stage", "frames", "quick_results"]
