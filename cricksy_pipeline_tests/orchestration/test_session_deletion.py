"""Deleting a session with its runs and partitions: a real instance with a queue, real rows, real objects."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.session_deletion import SessionBusy, UnknownSession, delete_session, unfinished_runs
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline_tests.orchestration.dagster_runs import made_run
from cricksy_pipeline_tests.orchestration.test_ownership import StallingObjects
from cricksy_pipeline_tests.store.stored_sessions import Made, change, counted, keys_of, made_session

JOBS = "video_analysis_jobs"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """With Dagster's own queue and launcher, as in production."""
    with dg.instance_for_test() as instance:
        yield instance


def listed(instance: dg.DagsterInstance, jobs, objects) -> Made:
    made = made_session(jobs, objects)
    instance.add_dynamic_partitions(videos.name, [made.job_id])
    return made


def claimed(jobs, made: Made, run_id: str, *, silent: bool = False) -> None:
    """A run holds the row; `silent` long without a sign of life."""
    jobs.claim(made.job_id, run_id)
    if silent:
        change(jobs, JOBS, made.job_id, heartbeat_at="2020-01-01T00:00:00Z")


def partitions(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.get_dynamic_partitions(videos.name))


def test_rows_objects_and_partition_of_one_session_go(instance, job_store, local_store):
    mine, other = listed(instance, job_store, local_store), listed(instance, job_store, local_store)
    made_run(instance, mine.job_id, dg.DagsterRunStatus.SUCCESS)

    deleted = delete_session(instance, job_store, local_store, mine.session_id)

    assert deleted.jobs == (mine.job_id,)
    assert partitions(instance) == {other.job_id}
    assert keys_of(local_store) == other.keys
    assert counted(job_store)["video_analysis_jobs"] == 1
    with pytest.raises(UnknownSession):
        delete_session(instance, job_store, local_store, mine.session_id, cancel=True)


@pytest.mark.parametrize("by_range", [False, True])
@pytest.mark.parametrize("status", NOT_FINISHED_STATUSES)
def test_a_run_that_is_not_finished_protects_its_session_whatever_the_row_says(instance, job_store, local_store, status, by_range):
    made = listed(instance, job_store, local_store)
    run_id = made_run(instance, made.job_id, status, by_range=by_range)

    with pytest.raises(SessionBusy, match=f"run {run_id} is {status.value}"):
        delete_session(instance, job_store, local_store, made.session_id)

    assert keys_of(local_store) == made.keys
    assert partitions(instance) == {made.job_id}


def test_a_queued_run_is_taken_from_the_queue(instance, job_store, local_store):
    made = listed(instance, job_store, local_store)
    job_store.requeue(made.job_id)
    run_id = made_run(instance, made.job_id, dg.DagsterRunStatus.QUEUED)

    with pytest.raises(SessionBusy):
        delete_session(instance, job_store, local_store, made.session_id)
    delete_session(instance, job_store, local_store, made.session_id, cancel=True)

    assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.CANCELED
    assert (partitions(instance), keys_of(local_store), sum(counted(job_store).values())) == (set(), set(), 0)


def test_a_living_run_loses_its_row_ends_by_itself_and_leaves_nothing(instance, pipeline_with, job_store, local_store, glimpse):
    stalling = StallingObjects(local_store, Output.QUICK_RESULTS)
    pipeline = pipeline_with(objects=stalling)
    pipeline.instance = instance
    job_id = pipeline.submit(glimpse)
    session_id = job_store.get(job_id).session_id
    run = threading.Thread(target=pipeline.run, args=(job_id,))
    run.start()
    assert stalling.stalled.wait(120)
    (running,) = unfinished_runs(instance, job_id)
    deleted = []
    deletion = threading.Thread(
        target=lambda: deleted.append(delete_session(instance, job_store, local_store, session_id, cancel=True, wait_s=120))
    )
    deletion.start()
    deadline = time.monotonic() + 60
    while job_store.get(job_id).status != "failed" and time.monotonic() < deadline:
        time.sleep(0.05)
    row = job_store.get(job_id)
    assert (row.status, row.error_code) == ("failed", "CANCELED")
    assert deletion.is_alive()  # it waits for the run, which may still write

    stalling.go_on.set()
    run.join(120)
    deletion.join(120)

    assert instance.get_run_by_id(running.run_id).is_finished
    assert deleted[0].jobs == (job_id,)
    assert (partitions(instance), keys_of(local_store), sum(counted(job_store).values())) == (set(), set(), 0)


def test_a_run_that_does_not_end_in_time_protects_its_session_until_it_has_ended(instance, job_store, local_store):
    made = listed(instance, job_store, local_store)
    run_id = made_run(instance, made.job_id, dg.DagsterRunStatus.STARTED)
    claimed(job_store, made, run_id)

    with pytest.raises(SessionBusy, match=f"run {run_id} is CANCELING after 0 s"):
        delete_session(instance, job_store, local_store, made.session_id, cancel=True, wait_s=0)

    row = job_store.get(made.job_id)
    assert (row.status, row.error_code) == ("failed", "CANCELED")
    assert keys_of(local_store) == made.keys
    assert partitions(instance) == {made.job_id}

    instance.report_run_canceled(instance.get_run_by_id(run_id))
    delete_session(instance, job_store, local_store, made.session_id, cancel=True, wait_s=0)
    assert (partitions(instance), keys_of(local_store)) == (set(), set())


@pytest.mark.parametrize("launched", [True, False])
def test_a_run_whose_machine_is_gone_is_not_waited_for(instance, job_store, local_store, launched):
    """Launched by a code server that is gone too, or in a process of its own that was killed."""
    made = listed(instance, job_store, local_store)
    address = {".dagster/grpc_info": json.dumps({"host": "127.0.0.1", "port": 1})} if launched else {}
    run_id = made_run(instance, made.job_id, dg.DagsterRunStatus.STARTED, **address)
    claimed(job_store, made, run_id, silent=True)

    delete_session(instance, job_store, local_store, made.session_id, cancel=True, wait_s=0.1)

    assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.CANCELED
    assert (partitions(instance), keys_of(local_store), sum(counted(job_store).values())) == (set(), set(), 0)


def test_a_job_of_the_earlier_system_that_is_processed_for_ever_can_be_canceled(instance, job_store, local_store):
    made = listed(instance, job_store, local_store)
    change(job_store, JOBS, made.job_id, status="processing")

    assert delete_session(instance, job_store, local_store, made.session_id, cancel=True).jobs == (made.job_id,)


def test_only_the_sessions_own_jobs_are_canceled(instance, job_store, local_store):
    mine, other = listed(instance, job_store, local_store), listed(instance, job_store, local_store)
    runs = {made.job_id: made_run(instance, made.job_id, dg.DagsterRunStatus.QUEUED) for made in (mine, other)}
    job_store.requeue(mine.job_id)
    job_store.requeue(other.job_id)

    delete_session(instance, job_store, local_store, mine.session_id, cancel=True)

    assert job_store.get(other.job_id).status == "queued"
    assert instance.get_run_by_id(runs[other.job_id]).status is dg.DagsterRunStatus.QUEUED


def test_a_partition_that_a_run_took_up_after_the_rows_were_gone_stays_for_the_chore(instance, job_store, local_store, monkeypatch):
    from cricksy_pipeline.orchestration import session_deletion

    made = listed(instance, job_store, local_store)
    rows_and_objects = session_deletion.deletion.delete_session

    def then_a_run_begins(*arguments, **options):
        deleted = rows_and_objects(*arguments, **options)
        made_run(instance, made.job_id, dg.DagsterRunStatus.QUEUED)
        return deleted

    monkeypatch.setattr(session_deletion.deletion, "delete_session", then_a_run_begins)

    delete_session(instance, job_store, local_store, made.session_id)

    assert partitions(instance) == {made.job_id}


def test_a_refusal_says_what_to_do_and_may_be_tried_again(instance, job_store, local_store):
    made = listed(instance, job_store, local_store)
    job_store.requeue(made.job_id)

    with pytest.raises(SessionBusy, match=made.job_id) as caught:
        delete_session(instance, job_store, local_store, made.session_id)

    assert caught.value.code is ErrorCode.CANCELED
    assert caught.value.transient
    assert "cancel" in caught.value.advice


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_is_stopped_and_then_the_session_goes(instance, job_store, local_store):
    """A real code server and a real run worker, as `dagster dev` starts them."""
    from dagster._core.test_utils import create_test_daemon_workspace_context
    from dagster._core.workspace.load_target import ModuleTarget

    from cricksy_pipeline_tests.orchestration import long_run

    made = listed(instance, job_store, local_store)
    target = ModuleTarget(module_name=long_run.__name__, attribute=None, working_directory=None, location_name="here")
    with create_test_daemon_workspace_context(workspace_load_target=target, instance=instance) as workspace:
        request = workspace.create_request_context()
        (repository,) = request.get_code_location("here").get_repositories().values()
        job = repository.get_full_job("long")
        run_id = instance.create_run_for_job(
            long_run.long,
            remote_job_origin=job.get_remote_origin(),
            job_code_origin=job.get_python_origin(),
            tags={"dagster/partition": made.job_id},
        ).run_id
        instance.launch_run(run_id, request)
        deadline = time.monotonic() + 60
        while instance.get_run_by_id(run_id).status is not dg.DagsterRunStatus.STARTED and time.monotonic() < deadline:
            time.sleep(0.2)
        claimed(job_store, made, run_id)

        delete_session(instance, job_store, local_store, made.session_id, cancel=True)

        assert instance.get_run_by_id(run_id).status is dg.DagsterRunStatus.CANCELED
    assert (partitions(instance), keys_of(local_store), sum(counted(job_store).values())) == (set(), set(), 0)
