"""The run protocol on a real PostgreSQL: claims, fencing, progress, failure."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore, LostClaim, Made
from cricksy_pipeline.store.models import DONE_IS_WHOLE_SQL, SUPERSEDED, VideoAnalysisJob
from cricksy_pipeline.store.sessions import UnknownJob
from cricksy_pipeline_tests.store.rows import FINDINGS, REPORT, RESULTS, done_job, new_job, publish_all, publish_quick


def state(store: JobStore, job_id: str) -> tuple[str, str | None, int]:
    row = store.get(job_id)
    return row.status, row.stage, row.progress_pct


def silence(store: JobStore, job_id: str) -> None:
    """The run's last sign of life was ten minutes ago."""
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE video_analysis_jobs SET heartbeat_at = now() - interval '10 min' WHERE id = :id"), {"id": job_id})


def test_the_row_passes_through_every_documented_state(job_store):
    job_id = new_job(job_store)
    seen = [state(job_store, job_id)]
    job_store.claim(job_id, "run-1")
    seen.append(state(job_store, job_id))
    job_store.progress(job_id, "run-1", 44.9)
    seen.append(state(job_store, job_id))
    publish_quick(job_store, job_id, "run-1")
    seen.append(state(job_store, job_id))
    job_store.start_deep(job_id, "run-1")
    job_store.progress(job_id, "run-1", 80)
    seen.append(state(job_store, job_id))
    job_store.publish_deep_results(job_id, "run-1", RESULTS, "key")
    job_store.publish_findings(job_id, "run-1", FINDINGS, RESULTS, "key")
    job_store.publish_report(job_id, "run-1", REPORT, RESULTS, "key", "pdf")
    job_store.complete(job_id, "run-1")
    seen.append(state(job_store, job_id))
    assert seen == [
        ("queued", "QUEUED", 0),
        ("quick_running", "QUICK", 0),
        ("quick_running", "QUICK", 44),
        ("quick_done", "QUICK_DONE", 50),
        ("deep_running", "DEEP", 80),
        ("done", "DONE", 100),
    ]
    row = job_store.get(job_id)
    times = [row.created_at, row.started_at, row.quick_completed_at, row.deep_started_at, row.deep_completed_at]
    assert times == sorted(times)
    assert job_store.get_session(row.session_id).status == "ready"


def test_a_second_run_cannot_claim_a_row_whose_run_is_alive(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    with pytest.raises(LostClaim) as caught:
        job_store.claim(job_id, "run-2")
    assert caught.value.owner == "run-1"
    assert job_store.get(job_id).attempt == 1


def test_after_a_takeover_nothing_that_the_first_run_does_changes_the_row(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    silence(job_store, job_id)
    job_store.claim(job_id, "run-2")
    job_store.progress(job_id, "run-2", 10)
    before = job_store.get(job_id)
    late = [
        lambda: job_store.heartbeat(job_id, "run-1"),
        lambda: job_store.progress(job_id, "run-1", 40),
        lambda: job_store.record_identity(job_id, "run-1", analysis_version="v"),
        lambda: publish_quick(job_store, job_id, "run-1"),
        lambda: job_store.start_deep(job_id, "run-1"),
        lambda: job_store.publish_deep_results(job_id, "run-1", RESULTS, "key"),
        lambda: job_store.publish_findings(job_id, "run-1", FINDINGS, RESULTS, "key"),
        lambda: job_store.publish_report(job_id, "run-1", REPORT, RESULTS, "key", "pdf"),
        lambda: job_store.complete(job_id, "run-1"),
    ]
    for write in late:
        with pytest.raises(LostClaim, match="run-2"):
            write()
    assert job_store.fail(job_id, "run-1", ErrorCode.WORKER_LOST, "late") is False
    after = job_store.get(job_id)
    columns = [column.key for column in VideoAnalysisJob.__table__.columns]
    assert {name: getattr(after, name) for name in columns} == {name: getattr(before, name) for name in columns}


def test_of_many_runs_that_claim_at_once_exactly_one_wins(job_store, database_url):
    job_id = new_job(job_store)
    start, won, refused = threading.Barrier(6), [], []

    def claim(run_id: str) -> None:
        store = JobStore(make_engine(database_url))
        start.wait()
        try:
            won.append(store.claim(job_id, run_id).dagster_run_id)
        except LostClaim:
            refused.append(run_id)
        store.engine.dispose()

    threads = [threading.Thread(target=claim, args=(f"run-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and len(refused) == 5
    row = job_store.get(job_id)
    assert (row.dagster_run_id, row.attempt) == (won[0], 1)


def test_claiming_again_in_the_same_run_changes_nothing(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_quick(job_store, job_id, "run-1")
    row = job_store.claim(job_id, "run-1")
    assert (row.status, row.attempt, row.quick_findings) == ("quick_done", 1, FINDINGS)


def test_a_new_attempt_finds_what_the_failed_one_left(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    job_store.record_stage(job_id, "run-1", Made({"frames": {"inputs": "a1"}}, {"frames.parquet": {"key": "k", "sha256": "0"}}))
    publish_quick(job_store, job_id, "run-1")
    job_store.fail(job_id, "run-1", ErrorCode.POSE_CRASHED, "The pose process ended.", "deep_results")
    row = job_store.claim(job_id, "run-2")
    assert (row.status, row.stage, row.progress_pct, row.attempt) == ("quick_running", "QUICK", 0, 2)
    assert (row.error_code, row.error_message, row.failed_stage) == (None, None, None)
    assert (row.quick_findings, row.stages["frames"]["inputs"]) == (FINDINGS, "a1")
    assert row.stages["frames"]["attempt"] == 1, "found, but not yet proven to hold in this attempt"


def test_a_fresh_attempt_counts_nothing_that_earlier_ones_made(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    job_store.record_stage(job_id, "run-1", Made({"frames": {"inputs": "a1"}}))
    job_store.fail(job_id, "run-1", ErrorCode.INTERNAL, "A fault.")
    assert job_store.claim(job_id, "run-2", fresh=True).stages is None


def test_a_stage_that_still_holds_counts_as_this_attempts(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_quick(job_store, job_id, "run-1")
    job_store.record_stage(job_id, "run-1", Made({"quick_results": {"inputs": "a1"}}))
    job_store.fail(job_id, "run-1", ErrorCode.POSE_CRASHED, "The pose process ended.")
    job_store.claim(job_id, "run-2")
    job_store.keep_stage(job_id, "run-2", "quick_results")
    row = job_store.get(job_id)
    assert row.stages["quick_results"] == {"inputs": "a1", "run_id": "run-1", "attempt": 2, "made_in": 1}
    assert (row.status, row.stage, row.progress_pct) == ("quick_done", "QUICK_DONE", 50)


def test_a_run_that_is_known_to_have_ended_does_not_keep_the_row_by_its_young_heartbeat(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    with pytest.raises(LostClaim):
        job_store.claim(job_id, "run-2")
    with pytest.raises(LostClaim):
        job_store.claim(job_id, "run-2", ended="run-0")
    assert job_store.claim(job_id, "run-2", ended="run-1").attempt == 2


def shown(job_store, job_id) -> tuple:
    row = job_store.get(job_id)
    return tuple(getattr(row, name) for name in SUPERSEDED)


def test_a_finished_analysis_comes_back_whole_when_the_new_one_fails(job_store):
    job_id = done_job(job_store)
    before = shown(job_store, job_id)
    job_store.claim(job_id, "run-2")
    other = {**FINDINGS, "overall_level": "low"}
    job_store.publish_quick(job_id, "run-2", {**RESULTS, "findings": other, "report": REPORT}, other, REPORT, "elsewhere.json")
    assert job_store.fail(job_id, "run-2", ErrorCode.STORE_UNAVAILABLE, "The store is away.", "deep_results") is True
    row = job_store.get(job_id)
    assert shown(job_store, job_id) == before
    assert (row.status, row.error_code, row.superseded, row.attempt) == ("done", None, None, 2)
    assert job_store.get_session(row.session_id).status == "ready"
    last, first = job_store.last_attempts(job_id)
    assert (first.outcome, last.outcome, last.error_code, last.failed_stage) == ("done", "failed", "STORE_UNAVAILABLE", "deep_results")


def test_a_row_that_the_earlier_system_called_done_comes_back_although_it_is_not_whole(job_store):
    """Its constraint is NOT VALID: it holds for every update, also for that which puts such a row back."""
    job_id = done_job(job_store)
    table, name = "video_analysis_jobs", "ck_video_analysis_jobs_done_is_whole"
    with job_store.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        connection.exec_driver_sql(f"UPDATE {table} SET deep_results_s3_key = NULL")
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({DONE_IS_WHOLE_SQL}) NOT VALID")
    job_store.claim(job_id, "run-2")
    assert job_store.fail(job_id, "run-2", ErrorCode.VIDEO_CORRUPT, "The file is damaged.") is True
    row = job_store.get(job_id)
    assert (row.status, row.deep_findings) == ("completed", FINDINGS)


def test_what_is_published_and_what_it_was_made_from_are_written_at_once(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    made = Made({"quick_results": {"inputs": "a1"}}, {"quick_results.json": {"key": "k", "sha256": "0"}})
    results = {**RESULTS, "findings": FINDINGS, "report": REPORT}
    with pytest.raises(CricksyError, match="GUARDRAIL_FAILED"):
        job_store.publish_quick(job_id, "run-1", {}, FINDINGS, REPORT, "k", made)
    assert job_store.get(job_id).stages is None
    job_store.publish_quick(job_id, "run-1", results, FINDINGS, REPORT, "k", made)
    row = job_store.get(job_id)
    assert (row.stages["quick_results"]["inputs"], row.stored_objects["quick_results.json"]["key"]) == ("a1", "k")


def test_the_late_end_of_a_run_that_held_the_row_does_not_fail_the_next_request(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    job_store.release(job_id, "run-1", "Another run follows.")
    assert job_store.fail_unclaimed(job_id, ErrorCode.INTERNAL, "It ended.", run_id="run-1") is False
    assert job_store.get(job_id).status == "queued"


def test_the_run_whose_failure_put_an_analysis_back_cannot_call_it_its_own(job_store):
    job_id = done_job(job_store)
    job_store.claim(job_id, "run-2")
    job_store.fail(job_id, "run-2", ErrorCode.STORE_UNAVAILABLE, "The store is away.")
    with pytest.raises(LostClaim):
        job_store.complete(job_id, "run-2")


def test_another_mode_takes_what_was_made_of_the_first_with_it(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_quick(job_store, job_id, "run-1")
    job_store.fail(job_id, "run-1", ErrorCode.POSE_CRASHED, "The pose process ended.")
    job_store.requeue(job_id, analysis_mode="batting")
    assert job_store.get(job_id).quick_findings == FINDINGS
    job_store.fail_unclaimed(job_id, ErrorCode.CANCELED, "Stopped.")
    job_store.requeue(job_id, analysis_mode="bowling")
    assert job_store.get(job_id).quick_findings is None


def test_a_session_with_a_readable_analysis_is_ready_whatever_another_of_its_jobs_does(job_store):
    first = done_job(job_store)
    session_id = job_store.get(first).session_id
    second = job_store.create_job(session_id, "batting", "local", "coach_plus/coach/c1/s1/v1/original.mp4")
    job_store.claim(second, "run-2")
    job_store.fail(second, "run-2", ErrorCode.VIDEO_CORRUPT, "The file is damaged.")
    assert job_store.get_session(session_id).status == "ready"


def test_a_silent_job_can_be_ended_by_a_person_and_a_living_one_cannot(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    assert job_store.fail_silent(job_id, "No sign of life.") is False
    silence(job_store, job_id)
    assert job_store.fail_silent(job_id, "No sign of life.") is True
    assert job_store.get(job_id).error_code == "WORKER_LOST"


def test_a_finished_analysis_is_let_go_when_the_new_one_is_done(job_store):
    job_id = done_job(job_store)
    job_store.claim(job_id, "run-2")
    assert job_store.get(job_id).superseded["deep_findings"] == FINDINGS
    publish_all(job_store, job_id, "run-2")
    job_store.complete(job_id, "run-2")
    assert job_store.get(job_id).superseded is None


def test_the_history_tells_of_every_attempt(job_store):
    job_id = new_job(job_store)
    job_store.fail_unclaimed(job_id, ErrorCode.WORKER_LOST, "The run ended before it began.", run_id="run-0")
    job_store.requeue(job_id)
    job_store.claim(job_id, "run-1")
    job_store.record_identity(job_id, "run-1", analysis_version="v1")
    job_store.fail(job_id, "run-1", ErrorCode.POSE_CRASHED, "The pose process ended.", "deep_results")
    job_store.claim(job_id, "run-2")
    job_store.claim(job_id, "run-3", ended="run-2")
    told = [(a.attempt, a.run_id, a.outcome, a.error_code, a.failed_stage) for a in job_store.last_attempts(job_id)]
    assert told == [
        (4, "run-3", None, None, None),
        (3, "run-2", "lost", None, None),
        (2, "run-1", "failed", "POSE_CRASHED", "deep_results"),
        (1, "run-0", "failed", "WORKER_LOST", None),
    ]


def test_a_lost_run_that_is_started_again_by_itself_leaves_the_row_waiting_not_failed(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    assert job_store.release(job_id, "run-0", "late") is False
    assert job_store.release(job_id, "run-1", "The machine went away; another run follows.") is True
    row = job_store.get(job_id)
    assert (row.status, row.dagster_run_id, row.error_message) == ("queued", None, "The machine went away; another run follows.")
    assert row.requested_at is not None, "nobody else asks for a run"


def test_a_job_that_failed_for_want_of_a_mode_is_queued_again_with_one(job_store):
    job_id = new_job(job_store)
    job_store.fail_unclaimed(job_id, ErrorCode.MODE_MISSING, "Nobody said what was filmed.")
    with pytest.raises(CricksyError, match="MODE_UNSUPPORTED"):
        job_store.requeue(job_id, analysis_mode="umpiring")
    assert job_store.requeue(job_id, analysis_mode="bowling") is True
    row = job_store.get(job_id)
    assert (row.status, row.analysis_mode, row.request, row.requested_at) == ("queued", "bowling", 2, None)


def age(job_store, job_id, seconds):
    with job_store.engine.begin() as connection:
        connection.execute(
            text("UPDATE video_analysis_jobs SET updated_at = now() - make_interval(secs => :s) WHERE id = :job"),
            {"s": seconds, "job": job_id},
        )


@pytest.mark.parametrize(
    "attempts, rested_s, due", [(1, 60, False), (1, 130, True), (2, 130, False), (2, 700, True), (3, 2000, True), (4, 10**6, False)]
)
def test_a_transient_failure_is_tried_again_after_a_pause_that_grows_and_not_for_ever(job_store, attempts, rested_s, due):
    job_id = new_job(job_store)
    for attempt in range(attempts):
        job_store.claim(job_id, f"run-{attempt}")
        job_store.fail(job_id, f"run-{attempt}", ErrorCode.STORE_UNAVAILABLE, "The store is away.")
    age(job_store, job_id, rested_s)
    assert (job_store.due_for_retry() == [job_id]) is due


def test_a_permanent_failure_is_never_tried_again_by_itself(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    job_store.fail(job_id, "run-1", ErrorCode.VIDEO_CORRUPT, "The file is damaged.")
    age(job_store, job_id, 10**6)
    assert job_store.due_for_retry() == []


def test_progress_never_goes_down_and_never_reaches_100(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    seen = []
    for pct in (10, 5, -3, 30.7, 12, 400):
        job_store.progress(job_id, "run-1", pct)
        seen.append(job_store.get(job_id).progress_pct)
    assert seen == [10, 10, 10, 30, 30, 99]


def test_a_failed_row_tells_a_person_what_happened_and_fails_its_session(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    job_store.progress(job_id, "run-1", 37)
    assert job_store.fail(job_id, "run-1", ErrorCode.VIDEO_CORRUPT, "x" * 5000 + "\x00", "frames") is True
    row = job_store.get(job_id)
    assert (row.status, row.stage, row.progress_pct, row.error_code, row.failed_stage) == (
        "failed",
        "FAILED",
        37,
        "VIDEO_CORRUPT",
        "frames",
    )
    assert len(row.error_message) == 2000
    assert job_store.get_session(row.session_id).status == "failed"
    with pytest.raises(LostClaim):
        job_store.progress(job_id, "run-1", 50)
    assert job_store.fail(job_id, "run-1", ErrorCode.INTERNAL, "again") is False
    assert job_store.get(job_id).error_code == "VIDEO_CORRUPT"


def test_a_done_row_never_fails(job_store):
    job_id = done_job(job_store)
    assert job_store.fail(job_id, "run-1", ErrorCode.INTERNAL, "late") is False
    assert job_store.get(job_id).status == "done"


def test_identity_of_the_source_is_written_once(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    job_store.record_identity(job_id, "run-1", source_sha256="f" * 64, source_size=5, analysis_version="v7")
    row = job_store.get(job_id)
    assert (row.source_sha256, row.source_size, row.analysis_version) == ("0" * 64, 1000, "v7")


def test_the_reconciler_finds_a_silent_run_and_no_other(job_store):
    silent, alive, waiting = (new_job(job_store) for _ in range(3))
    job_store.claim(silent, "run-1")
    job_store.claim(alive, "run-2")
    silence(job_store, silent)
    assert [job.id for job in job_store.without_heartbeat()] == [silent]
    assert job_store.fail(silent, "run-1", ErrorCode.WORKER_LOST, "No sign of life.") is True
    assert job_store.without_heartbeat() == []
    assert job_store.get(waiting).status == "queued"


def test_a_job_whose_run_never_claimed_it_can_be_failed_until_it_is_claimed(job_store):
    lost, claimed = new_job(job_store), new_job(job_store)
    job_store.claim(claimed, "run-1")
    assert job_store.fail_unclaimed(lost, ErrorCode.WORKER_LOST, "The run never started.") is True
    assert job_store.fail_unclaimed(claimed, ErrorCode.WORKER_LOST, "The run never started.") is False
    assert (job_store.get(lost).status, job_store.get(claimed).status) == ("failed", "quick_running")


def test_only_a_failed_job_is_queued_again(job_store):
    failed, done = new_job(job_store), done_job(job_store)
    job_store.claim(failed, "run-1")
    job_store.fail(failed, "run-1", ErrorCode.STORE_UNAVAILABLE, "away")
    assert job_store.requeue(failed) is True
    assert job_store.requeue(done) is False
    row = job_store.get(failed)
    assert (row.status, row.dagster_run_id, row.error_code, row.attempt) == ("queued", None, None, 1)
    assert job_store.claim(failed, "run-2").attempt == 2


def test_an_unknown_job_is_named(job_store):
    for call in (job_store.get, job_store.progress_of, lambda job: job_store.claim(job, "r"), lambda job: job_store.heartbeat(job, "r")):
        with pytest.raises(UnknownJob, match="nobody"):
            call("nobody")
