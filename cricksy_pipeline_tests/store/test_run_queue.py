"""The queue between the rows and Dagster, on a real PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.run_queue import RunQueue, WaitingJob
from cricksy_pipeline_tests.store.rows import done_job, new_job


@pytest.fixture
def queue(job_store) -> RunQueue:
    return RunQueue(job_store.engine)


def execute(store, statement: str, **values) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(statement), values)


def asked_long_ago(store, *ids: str) -> None:
    execute(store, "UPDATE video_analysis_jobs SET requested_at = now() - interval '10 min' WHERE id = ANY(:ids)", ids=list(ids))


def test_jobs_wait_in_the_order_in_which_they_were_made(job_store, queue):
    ids = [new_job(job_store, deep_enabled=number % 2 == 0) for number in range(4)]
    execute(job_store, "UPDATE video_analysis_jobs SET created_at = now() - interval '1 day' WHERE id = :id", id=ids[2])
    assert [job.id for job in queue.waiting(3)] == [ids[2], ids[0], ids[1]]
    assert queue.waiting(1) == [WaitingJob(ids[2], request=1, attempt=0, deep_enabled=True, analysis_mode="batting", requested_at=None)]
    assert queue.waiting(0) == []


def test_only_queued_jobs_for_which_nobody_asked_are_waiting(job_store, queue):
    waiting = new_job(job_store)
    new_job(job_store, awaiting_upload=True)
    new_job(job_store, requested=True)
    job_store.claim(new_job(job_store), "run-1")
    done_job(job_store)
    assert [job.id for job in queue.waiting(10)] == [waiting]


def test_a_run_is_asked_for_once(job_store, queue):
    job_id, other = new_job(job_store), new_job(job_store)
    assert queue.mark_requested([job_id]) == {job_id}
    assert queue.mark_requested([job_id, other]) == {other}
    assert queue.mark_requested([]) == set()
    assert queue.waiting(10) == []
    assert queue.requested(10) == 2 and queue.requested(1) == 1


def test_of_two_who_ask_at_once_each_job_has_one(job_store, database_url):
    ids = [new_job(job_store) for _ in range(20)]
    start, won = threading.Barrier(4), []

    def ask() -> None:
        engine = make_engine(database_url)
        start.wait()
        won.extend(RunQueue(engine).mark_requested(ids))
        engine.dispose()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == sorted(ids)


def test_a_request_that_came_to_nothing_is_found_by_its_age_and_made_again_under_the_same_key(job_store, queue):
    lost, fresh = new_job(job_store), new_job(job_store)
    queue.mark_requested([lost, fresh])
    asked_long_ago(job_store, lost)
    assert [job.id for job in queue.requested_before(60, 10)] == [lost]
    assert queue.forget_request([lost, "nobody"]) == 1
    assert [(job.id, job.request) for job in queue.waiting(10)] == [(lost, 1)]
    assert queue.requested_before(60, 10) == []


def test_what_a_run_has_claimed_is_not_taken_for_lost(job_store, queue):
    job_id = new_job(job_store)
    queue.mark_requested([job_id])
    asked_long_ago(job_store, job_id)
    job_store.claim(job_id, "run-1")
    assert queue.requested_before(60, 10) == []
    assert queue.forget_request([job_id]) == 0


def test_lost_requests_are_gone_through_in_pages(job_store, queue):
    ids = sorted(new_job(job_store) for _ in range(5))
    asked_long_ago(job_store, *ids)
    first = queue.requested_before(60, 2)
    second = queue.requested_before(60, 2, after=first[-1].id)
    third = queue.requested_before(60, 2, after=second[-1].id)
    assert [job.id for job in (*first, *second, *third)] == ids


def test_a_job_that_is_to_run_again_has_another_request(job_store, queue):
    job_id = new_job(job_store)
    queue.mark_requested([job_id])
    job_store.fail_unclaimed(job_id, "WORKER_LOST", "It never began.")
    job_store.requeue(job_id)
    assert [(job.id, job.request) for job in queue.waiting(10)] == [(job_id, 2)]


def test_a_long_history_is_not_read_to_find_what_waits(job_store, queue):
    waiting = new_job(job_store)
    execute(
        job_store,
        "INSERT INTO video_analysis_jobs (id, session_id, status) SELECT 'old-' || n, session_id, 'failed' FROM video_analysis_jobs,"
        " generate_series(1, 5000) n",
    )
    execute(job_store, "ANALYZE video_analysis_jobs")
    plans = []
    with job_store.engine.connect() as connection:
        for where in ("requested_at IS NULL ORDER BY created_at, id LIMIT 50", "requested_at < now() AND id > '' ORDER BY id LIMIT 50"):
            plan = connection.execute(text(f"EXPLAIN SELECT id FROM video_analysis_jobs WHERE status = 'queued' AND {where}"))
            plans.append("\n".join(line[0] for line in plan))
    assert all("ix_analysis_jobs_queued" in plan for plan in plans), plans
    assert [job.id for job in queue.waiting(50)] == [waiting]
