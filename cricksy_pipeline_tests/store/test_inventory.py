"""The counts of the whole table are those of its rows and of the attempts at them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.store.inventory import Ended, outdated, read_inventory
from cricksy_pipeline.store.models import JobStatus
from cricksy_pipeline_tests.store.earlier_rows import insert_done, insert_earlier, old_results
from cricksy_pipeline_tests.store.rows import done_job, new_job, publish_all

STALE_S = 600.0


def failed_job(store, code=ErrorCode.POSE_CRASHED, run_id="run-f") -> str:
    job_id = new_job(store)
    store.claim(job_id, run_id)
    store.fail(job_id, run_id, code, "It failed.", "frames")
    return job_id


def age(store, table: str, column: str, by: timedelta, **where: str) -> None:
    """Make a time older than it is."""
    condition = " AND ".join(f"{name} = :{name}" for name in where) or "true"
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {column} = {column} - :by WHERE {condition}"), {"by": by, **where})


def finish(store, version: str, run_id: str = "run-1") -> str:
    job_id = new_job(store)
    store.claim(job_id, run_id)
    store.record_identity(job_id, run_id, analysis_version=version)
    publish_all(store, job_id, run_id)
    store.complete(job_id, run_id)
    return job_id


def test_an_empty_table_has_every_count_and_no_rates(job_store):
    state = read_inventory(job_store, stale_after_s=STALE_S)
    assert state.by_status == {status.value: 0 for status in JobStatus}
    assert (state.failed_by_code, state.stale, state.oldest_queued_s, state.by_version) == ({}, [], None, {})
    assert (state.last_day.attempts, state.last_day.failure_share, state.last_hour.done_per_hour) == (0, None, 0.0)


def test_videos_are_counted_by_their_state(job_store):
    done_job(job_store)
    failed_job(job_store)
    for _ in range(2):
        new_job(job_store)
    insert_earlier(job_store.engine, "old", status="completed", results={})
    counted = read_inventory(job_store, stale_after_s=STALE_S).by_status
    assert {status: count for status, count in counted.items() if count} == {"done": 1, "failed": 1, "queued": 2, "completed": 1}


def test_failures_of_the_last_day_are_counted_by_code_also_where_the_video_is_done_again(job_store):
    recovered = failed_job(job_store)
    job_store.requeue(recovered)
    job_store.claim(recovered, "run-2")
    publish_all(job_store, recovered, "run-2")
    job_store.complete(recovered, "run-2")
    failed_job(job_store, ErrorCode.NOT_A_VIDEO)
    failed_job(job_store, ErrorCode.NOT_A_VIDEO)
    never_begun = new_job(job_store)
    job_store.fail_unclaimed(never_begun, ErrorCode.CANCELED, "Stopped.")
    long_ago = failed_job(job_store, ErrorCode.INTERNAL)
    age(job_store, "job_attempts", "ended_at", timedelta(hours=25), job_id=long_ago)

    state = read_inventory(job_store, stale_after_s=STALE_S)

    assert list(state.failed_by_code.items()) == [("NOT_A_VIDEO", 2), ("CANCELED", 1), ("POSE_CRASHED", 1)]
    assert state.by_status["failed"] == 4


def test_an_attempt_that_another_one_replaced_is_a_lost_worker(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    age(job_store, "video_analysis_jobs", "heartbeat_at", timedelta(minutes=10), id=job_id)
    job_store.claim(job_id, "run-2")
    state = read_inventory(job_store, stale_after_s=STALE_S)
    assert state.failed_by_code == {"WORKER_LOST": 1}
    assert (state.last_hour.lost, state.last_hour.failed_per_hour, state.last_hour.failure_share) == (1, 1.0, 1.0)


def test_throughput_is_that_of_the_hour_and_of_the_day(job_store):
    jobs = [done_job(job_store, f"run-{number}") for number in range(4)]
    failed = failed_job(job_store)
    for job_id in jobs[1:3]:
        age(job_store, "job_attempts", "ended_at", timedelta(hours=2), job_id=job_id)
    age(job_store, "job_attempts", "ended_at", timedelta(hours=30), job_id=jobs[3])
    state = read_inventory(job_store, stale_after_s=STALE_S)
    assert state.last_hour == Ended(1.0, done=1, failed=1, lost=0)
    assert state.last_day == Ended(24.0, done=3, failed=1, lost=0)
    assert state.last_day.done_per_hour == pytest.approx(3 / 24)
    assert state.last_day.failure_share == 0.25
    assert failed not in jobs


def test_a_run_is_stale_after_the_silence_that_was_asked_for(job_store):
    silent, alive = new_job(job_store), new_job(job_store)
    job_store.claim(silent, "run-1")
    job_store.claim(alive, "run-2")
    age(job_store, "video_analysis_jobs", "heartbeat_at", timedelta(minutes=11), id=silent)
    assert [row.id for row in read_inventory(job_store, stale_after_s=600).stale] == [silent]
    assert read_inventory(job_store, stale_after_s=700).stale == []


def test_the_queue_is_as_old_as_the_video_that_waits_longest(job_store):
    first, second = new_job(job_store), new_job(job_store)
    age(job_store, "video_analysis_jobs", "created_at", timedelta(hours=3), id=first)
    waits = read_inventory(job_store, stale_after_s=STALE_S).oldest_queued_s
    assert 3 * 3600 <= waits < 4 * 3600
    job_store.claim(first, "run-1")
    assert read_inventory(job_store, stale_after_s=STALE_S).oldest_queued_s < 3600
    job_store.claim(second, "run-2")
    assert read_inventory(job_store, stale_after_s=STALE_S).oldest_queued_s is None


def test_a_video_that_is_tried_again_waits_since_its_last_attempt_ended(job_store):
    job_id = failed_job(job_store)
    age(job_store, "video_analysis_jobs", "created_at", timedelta(days=9), id=job_id)
    age(job_store, "job_attempts", "ended_at", timedelta(hours=2), job_id=job_id)
    job_store.requeue(job_id)
    assert 2 * 3600 <= read_inventory(job_store, stale_after_s=STALE_S).oldest_queued_s < 3 * 3600


def test_videos_analysed_with_older_rules_are_one_query_the_oldest_first(job_store):
    old, current = finish(job_store, "v1"), finish(job_store, "v2")
    older = finish(job_store, "v1")
    age(job_store, "video_analysis_jobs", "completed_at", timedelta(days=2), id=older)
    done = insert_done(job_store.engine, "earlier-done")
    completed = insert_earlier(job_store.engine, "earlier-completed", status="completed", deep_results=old_results("deep"))
    failed_job(job_store)
    new_job(job_store)

    assert [row.id for row in outdated(job_store, "v2")] == [completed, done, older, old]
    assert [row.id for row in outdated(job_store, "v2", limit=1)] == [completed]
    assert current in [row.id for row in outdated(job_store, "v3")]
    state = read_inventory(job_store, stale_after_s=STALE_S)
    assert state.by_version == {None: 2, "v1": 2, "v2": 1}
    assert (state.outdated("v2"), state.outdated("v3")) == (4, 5)
