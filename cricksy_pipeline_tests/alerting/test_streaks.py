"""Which attempts make a streak, read from a real PostgreSQL; and when an owner is told of one, for any course of events."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.alerting.alert import Severity
from cricksy_pipeline.alerting.escalation import Memory, due, level
from cricksy_pipeline.alerting.streaks import Failure, History, Streak, Success, read_history
from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline_tests.alerting.attempts import attempt, minute
from cricksy_pipeline_tests.store.rows import lose_session

DATA, COACHING = "team:data-engineering", "team:coaching-science"
OWNER_BY_STAGE = {"frames": DATA, "deep_results": DATA, "findings": COACHING, "report": COACHING, "completed_analysis": DATA}


def history(store, *, after: datetime | None = None) -> History:
    return read_history(store.engine, OWNER_BY_STAGE, DATA, after=after)


def failures(store, **options) -> dict[str, int]:
    return {owner: streak.failures for owner, streak in history(store, **options).streaks.items()}


# Reading


def test_without_attempts_there_is_nothing_to_tell(job_store):
    assert history(job_store) == History(None, {})


def test_failures_count_for_the_owner_of_the_stage_they_happened_in(job_store):
    attempt(job_store, 1, "failed", "findings", "GUARDRAIL_FAILED")
    attempt(job_store, 2, "failed", "deep_results", "POSE_CRASHED")
    attempt(job_store, 3, "failed", "report", "INTERNAL")
    assert failures(job_store) == {COACHING: 2, DATA: 1}


def test_the_guardrails_of_a_stage_are_its_owners(job_store):
    attempt(job_store, 1, "failed", "findings guardrails", "INTERNAL")
    assert failures(job_store) == {COACHING: 1}


@pytest.mark.parametrize(
    ("outcome", "stage", "code"), [("failed", None, "WORKER_LOST"), ("failed", "a new stage", None), ("lost", None, None)]
)
def test_what_happened_in_no_known_stage_is_the_data_engineers(job_store, outcome, stage, code):
    attempt(job_store, 1, outcome, stage, code)
    assert failures(job_store) == {DATA: 1}


def test_a_success_ends_everyones_streak_and_what_runs_still_counts_for_nobody(job_store):
    attempt(job_store, 1, "failed", "frames", "INTERNAL")
    attempt(job_store, 2, "failed", "findings", "INTERNAL")
    done = attempt(job_store, 3, "done")
    attempt(job_store, 4, "failed", "frames", "INTERNAL")
    attempt(job_store, None, None)
    found = history(job_store)
    assert found.success == Success(minute(3), done)
    assert {owner: streak.failures for owner, streak in found.streaks.items()} == {DATA: 1}


@pytest.mark.parametrize("code", [code for code, facts in CODE_FACTS.items() if facts.fault != "system"])
def test_what_is_not_our_fault_neither_breaks_nor_extends_a_streak(job_store, code):
    attempt(job_store, 1, "failed", "frames", "INTERNAL")
    attempt(job_store, 2, "failed", "frames", code)
    attempt(job_store, 3, "failed", "frames", "INTERNAL")
    attempt(job_store, 4, "failed", "findings", code)
    assert failures(job_store) == {DATA: 2}


def test_the_faults_that_are_not_ours_are_these():
    fault_of = {code: facts.fault for code, facts in CODE_FACTS.items() if facts.fault != "system"}
    inputs = "SOURCE_MISSING SOURCE_CHANGED NOT_A_VIDEO NO_VIDEO_STREAM VIDEO_CORRUPT VIDEO_TOO_LONG VIDEO_TOO_LARGE"
    inputs += " MODE_MISSING MODE_UNSUPPORTED OPTIONS_INVALID UPLOAD_INCOMPLETE"
    people = "CANCELED NOT_FOUND REQUEST_INVALID CONFLICT LINK_EXPIRED AUTH_REQUIRED RATE_LIMITED"
    assert fault_of == {ErrorCode(code): "person" for code in people.split()} | {ErrorCode(code): "input" for code in inputs.split()}


def test_a_code_of_a_newer_release_is_our_fault(job_store):
    attempt(job_store, 1, "failed", "frames", "SOMETHING_NEW")
    assert history(job_store).streaks[DATA].codes == {"SOMETHING_NEW": 1}


def test_a_streak_tells_how_often_since_when_on_how_many_jobs_and_what_came_last(job_store):
    again = attempt(job_store, 1, "failed", "deep_results", "INTERNAL")
    attempt(job_store, 2, "failed", "frames", "STORE_UNAVAILABLE")
    attempt(job_store, 5, "failed", "deep_results", "POSE_CRASHED", job_id=again, number=3, message="It died.")
    attempt(job_store, 4, "failed", "deep_results", "POSE_CRASHED", job_id=again, number=2)
    assert history(job_store).streaks[DATA] == Streak(
        owner=DATA,
        failures=4,
        jobs=2,
        since=minute(1),
        codes={"POSE_CRASHED": 2, "INTERNAL": 1, "STORE_UNAVAILABLE": 1},
        last=Failure(again, 3, "deep_results", "POSE_CRASHED", "It died.", minute(5)),
    )
    assert list(history(job_store).streaks[DATA].codes) == ["POSE_CRASHED", "INTERNAL", "STORE_UNAVAILABLE"]


def test_a_success_that_is_known_counts_also_after_its_video_was_deleted(job_store):
    for at in (1, 2):
        attempt(job_store, at, "failed", "frames", "INTERNAL")
    done = attempt(job_store, 3, "done")
    attempt(job_store, 4, "failed", "frames", "INTERNAL")
    known = history(job_store).success.at
    lose_session(job_store, job_store.get(done).session_id)
    assert failures(job_store, after=known) == {DATA: 1}
    assert history(job_store, after=known).success is None


def test_the_run_protocol_writes_the_history_that_is_read_here(job_store):
    from cricksy_pipeline_tests.store.rows import done_job, new_job

    done = done_job(job_store)
    failed, lost = new_job(job_store), new_job(job_store)
    job_store.claim(failed, "run-1")
    job_store.fail(failed, "run-1", ErrorCode.GUARDRAIL_FAILED, "No.", "report")
    job_store.fail_unclaimed(lost, ErrorCode.WORKER_LOST, "The run never began.")
    found = history(job_store)
    assert found.success.job_id == done
    assert {owner: streak.last.job_id for owner, streak in found.streaks.items()} == {COACHING: failed, DATA: lost}


# Deciding


def streak(failed: int, at: float = 1, owner: str = DATA) -> Streak:
    last = Failure("job-1", 1, "deep_results", "POSE_CRASHED", "It died.", minute(at))
    return Streak(owner, failed, failed, minute(at), {"POSE_CRASHED": failed}, last)


def job_url(job_id: str) -> str:
    return f"https://cricksy.test/{job_id}"


@given(failed=st.integers(0, 10**6), threshold=st.integers(1, 50))
def test_the_level_is_the_threshold_doubled_as_often_as_the_failures_allow(failed, threshold):
    reached = level(failed, threshold)
    if failed < threshold:
        assert reached == 0
    else:
        assert reached <= failed < 2 * reached
        doublings, rest = divmod(reached, threshold)
        assert rest == 0 and doublings.bit_count() == 1


events = st.lists(st.sampled_from(["failed", "failed", "failed", "done", "look"]), max_size=80)


@given(course=events, threshold=st.integers(1, 5))
def test_for_any_course_of_events_and_any_moments_of_looking(course, threshold):
    """An owner is told at the first look that sees a level reached, once a level, and told once that it is over."""
    memory, failed, success, open_streak, highest = Memory(), 0, None, None, 0
    keys = set()
    for moment, event in enumerate([*course, "look", "look"]):
        if event == "done":
            failed, success = 0, Success(minute(moment), "job-2")
        elif event == "failed":
            failed += 1
        else:
            memory = Memory.read(memory.model_dump_json())  # as the cursor keeps it
            found = History(success, {DATA: streak(failed)} if failed else {})
            memory = memory.after(success)
            alert = due(memory, found, DATA, threshold, job_url)
            now = success.at if success else None
            if open_streak is not None and open_streak != (now,):
                assert alert.severity is Severity.RECOVERED
                open_streak, highest = None, 0
                memory = memory.having_told(DATA, None)
            elif level(failed, threshold) > highest:
                assert alert.severity is Severity.FAILING
                assert str(failed) in alert.title
                open_streak, highest = (now,), level(failed, threshold)
                memory = memory.having_told(DATA, found.streaks[DATA])
            else:
                assert alert is None
            if alert is not None:
                assert alert.key not in keys
                keys.add(alert.key)
    assert (DATA in memory.told) == (open_streak is not None)


def test_an_alert_that_was_not_sent_is_due_again_under_the_same_key_though_more_has_failed():
    first = due(Memory(), History(None, {DATA: streak(3)}), DATA, 3, job_url)
    second = due(Memory(), History(None, {DATA: streak(5)}), DATA, 3, job_url)
    assert first.key == second.key
    assert first.text != second.text


def test_another_threshold_takes_effect_without_forgetting_who_was_told():
    memory = Memory().having_told(DATA, streak(6))
    found = History(None, {DATA: streak(7)})
    assert due(memory, found, DATA, 3, job_url) is None
    assert due(memory, found, DATA, 7, job_url) is not None


@pytest.mark.parametrize(
    "text", [None, "", "garbage", "[]", "3", '{"told": 5}', '{"success_at": "yesterday"}', '{"told": {"a": {}}}', "\x00"]
)
def test_a_cursor_that_is_not_one_is_as_good_as_none(text):
    assert Memory.read(text) == Memory()


def test_a_person_reads_what_happened_how_often_since_when_and_what_to_do():
    memory = Memory(success_at=minute(-10))
    last = Failure("4f1c", 2, "deep_results", "POSE_CRASHED", "The pose process\nended with SIGKILL.", minute(31))
    seen = Streak(DATA, 3, 2, minute(20), {"POSE_CRASHED": 2, "STORE_UNAVAILABLE": 1}, last)
    alert = due(memory, History(None, {DATA: seen}), DATA, 3, job_url)
    assert f"{alert.subject}\n{alert.body}" == (
        "Cricksy failing: 3 failures in a row (POSE_CRASHED, STORE_UNAVAILABLE), for team:data-engineering\n"
        "3 attempts in a row failed, on 2 jobs, since 22 Nov 2026 12:20 UTC.\n"
        "Last success: 22 Nov 2026 11:50 UTC.\n"
        "\n"
        "What failed, and what to do:\n"
        "- POSE_CRASHED, 2 times: Try again; if it happens twice with this file, report it. (docs/runbook.md#pose_crashed)\n"
        "- STORE_UNAVAILABLE, once: The object store did not answer; the job can be tried again. (docs/runbook.md#store_unavailable)\n"
        "\n"
        "Last: job 4f1c, attempt 2, in deep_results, 22 Nov 2026 12:31 UTC\n"
        "POSE_CRASHED: The pose process ended with SIGKILL.\n"
        "\n"
        "You hear of it again at 6 failures, and when an analysis succeeds.\n"
        "Last failed job: https://cricksy.test/4f1c"
    )


def test_a_person_reads_that_it_is_over():
    memory = Memory(success_at=minute(-10)).having_told(DATA, streak(6, at=20)).after(Success(minute(45), "job-2"))
    alert = due(memory, History(Success(minute(45), "job-2"), {}), DATA, 3, job_url)
    assert f"{alert.subject}\n{alert.body}" == (
        "Cricksy recovered: analyses succeed again, for team:data-engineering\n"
        "An analysis succeeded at 22 Nov 2026 12:45 UTC.\n"
        "The last alert told of 6 failures in a row since 22 Nov 2026 12:20 UTC.\n"
        "\n"
        "What failed meanwhile is tried again by itself where the error is transient; the rest waits for a person.\n"
        "The job that succeeded: https://cricksy.test/job-2"
    )


def test_an_endless_error_message_is_cut():
    seen = streak(3)
    last = Failure(**{**vars(seen.last), "message": "x" * 2000})
    alert = due(Memory(), History(None, {DATA: Streak(**{**vars(seen), "last": last})}), DATA, 3, job_url)
    assert "x" * 299 + "…" in alert.text
    assert "x" * 300 not in alert.text
