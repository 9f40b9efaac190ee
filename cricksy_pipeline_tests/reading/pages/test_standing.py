"""What a coach is told of a job in each standing: what happened, what to do, and nothing that is for engineers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.reading.pages.standing import notice_of, stages_of, state_of
from cricksy_pipeline.store.models import JobStatus

JOB_CODES = [code for code in ErrorCode if code in CODE_FACTS]


@dataclass
class Row:
    status: str
    stage: str | None = None
    progress_pct: int = 0
    analysis_mode: str | None = "batting"
    error_code: str | None = None
    error_message: str | None = None
    id: str = "j1"


def notice(row: Row, **changes):
    return notice_of(row, api="/api/j1", **{"first_look": False, "replaced": False, "readable": True, **changes})


@pytest.mark.parametrize("status", list(JobStatus))
def test_every_status_has_a_label_and_a_tone(status):
    state = state_of(Row(status))
    assert state.label and state.tone in ("quiet", "live", "good", "bad")


def test_a_finished_analysis_stands_without_a_notice():
    assert notice(Row(JobStatus.DONE, "DONE", 100)) is None


@pytest.mark.parametrize("code", JOB_CODES)
def test_every_failure_says_what_to_do_and_offers_something_to_press(code):
    told = notice(Row(JobStatus.FAILED, error_code=code, error_message="inner words"))
    assert CODE_FACTS[code].advice in told.lines
    assert told.actions and all(action.href or action.post for action in told.actions)
    assert code.value in told.code


@pytest.mark.parametrize("code", [code for code in JOB_CODES if CODE_FACTS[code].fault == "system"])
def test_what_is_our_fault_is_not_told_in_engineers_words(code):
    told = notice(Row(JobStatus.FAILED, error_code=code, error_message="psycopg2 at ip-10-0-0-3"))
    assert not any("ip-10" in line for line in told.lines)


def test_a_fault_of_the_file_is_told_in_its_own_words():
    told = notice(Row(JobStatus.FAILED, error_code="VIDEO_CORRUPT", error_message="The file ends after 0.4 s of 13.0 s."))
    assert told.lines[0] == "The file ends after 0.4 s of 13.0 s."
    assert told.actions[0].href == "/upload"


def test_a_job_without_a_mode_asks_for_it_before_the_retry():
    told = notice(Row(JobStatus.FAILED, error_code="MODE_MISSING", analysis_mode=None))
    assert [value for value, _ in told.modes] == ["batting", "bowling", "wicketkeeping", "fielding"]
    assert told.actions[0].post == "/api/j1/retry"


def test_an_unknown_code_of_another_version_is_still_a_failure_that_can_be_tried_again():
    assert notice(Row(JobStatus.FAILED, error_code="FROM_THE_FUTURE")).actions[-1].post


def test_the_first_look_is_called_preliminary_and_never_done():
    told = notice(Row(JobStatus.DEEP_RUNNING, "DEEP", 70), first_look=True)
    assert "preliminary" in told.title and told.progress == 70


def test_while_an_analysis_is_replaced_the_reader_is_told_that_he_reads_the_earlier_one():
    assert "earlier analysis" in notice(Row(JobStatus.QUICK_RUNNING, "QUICK", 5), replaced=True).lines[0]


@pytest.mark.parametrize(
    ("stage", "standings"),
    [
        ("QUEUED", ["now", "to come", "to come", "to come"]),
        ("QUICK", ["done", "now", "to come", "to come"]),
        ("QUICK_DONE", ["done", "done", "now", "to come"]),
        ("DEEP", ["done", "done", "now", "to come"]),
        ("something else", ["now", "to come", "to come", "to come"]),
    ],
)
def test_stages_are_done_now_or_to_come(stage, standings):
    assert [standing for *_, standing in stages_of(Row(JobStatus.QUEUED, stage))] == standings


def test_progress_is_never_shown_as_all_before_it_is_done():
    assert state_of(Row(JobStatus.DEEP_RUNNING, "DEEP", 100)).progress == 99
