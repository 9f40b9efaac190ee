"""The reconciler and the outcome sensors: a row never stays what it is not."""

from __future__ import annotations

import contextlib
import json
from uuid import uuid4

import dagster as dg
import pytest
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.sensors import reconcile as module
from cricksy_pipeline.orchestration.sensors.outcomes import failed_runs, stopped_runs
from cricksy_pipeline.orchestration.sensors.reconcile import reconcile
from cricksy_pipeline.orchestration.settling import settle
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.run_queue import RunQueue
from cricksy_pipeline_tests.store.rows import done_job, new_job, publish_quick


@pytest.fixture(scope="module")
def instance():
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def run_for(instance, job_store):
    """A run of Dagster's for a job, in a given state."""
    job = build_definitions(Settings(), resource_overrides={"jobs": job_store}).resolve_job_def(analysis.name)

    def make(job_id: str, status: dg.DagsterRunStatus, request: int | None = 1, **tags: str) -> dg.DagsterRun:
        instance.add_dynamic_partitions(videos.name, [job_id])
        asked = {"cricksy/request": str(request)} if request is not None else {}
        return instance.create_run_for_job(job, status=status, tags={"dagster/partition": job_id, **asked, **tags})

    return make


@pytest.fixture
def look(instance, job_store):
    """One look of the reconciler, which remembers what the last one saw."""
    cursor: list[str | None] = [None]

    def look() -> str:
        context = dg.build_sensor_context(instance=instance, cursor=cursor[0])
        cursor[0] = reconcile(context, jobs=job_store).cursor
        return cursor[0]

    return look


def silence(job_store, job_id, seconds=600):
    change(job_store, job_id, f"heartbeat_at = now() - interval '{seconds} s'")


def change(job_store, job_id, what: str) -> None:
    with job_store.engine.begin() as connection:
        connection.execute(text(f"UPDATE video_analysis_jobs SET {what} WHERE id = :job"), {"job": job_id})


def told(job_store, job_id) -> tuple:
    row = job_store.get(job_id)
    return row.status, row.error_code


def test_a_run_on_a_machine_that_died_is_declared_lost_in_the_row_and_in_dagster(job_store, instance, run_for, look):
    job_id = new_job(job_store)
    run = run_for(job_id, dg.DagsterRunStatus.STARTED)
    job_store.claim(job_id, run.run_id)
    silence(job_store, job_id)

    for _ in range(module.SIGHTINGS):
        look()
        assert told(job_store, job_id) == ("quick_running", None), "a silent look may be the database's own pause"
    look()

    assert told(job_store, job_id) == ("failed", "WORKER_LOST")
    assert "no sign of life" in job_store.get(job_id).error_message
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def test_a_run_that_gives_a_sign_of_life_between_two_looks_is_left_alone(job_store, run_for, look):
    job_id = new_job(job_store)
    job_store.claim(job_id, run_for(job_id, dg.DagsterRunStatus.STARTED).run_id)
    silence(job_store, job_id, seconds=600)
    look()
    first = json.loads(look())["suspects"]
    silence(job_store, job_id, seconds=500)  # it beat once, and fell silent again
    second = json.loads(look())["suspects"]

    assert told(job_store, job_id) == ("quick_running", None)
    assert (first[job_id][1], second[job_id][1]) == (2, 1), "the count starts anew"


@pytest.mark.parametrize(
    "status, code",
    [
        (dg.DagsterRunStatus.FAILURE, "WORKER_LOST"),
        (dg.DagsterRunStatus.CANCELED, "CANCELED"),
        (dg.DagsterRunStatus.SUCCESS, "INTERNAL"),
    ],
)
def test_a_silent_row_whose_run_has_ended_is_told_at_the_first_look(job_store, run_for, look, status, code):
    job_id = new_job(job_store)
    job_store.claim(job_id, run_for(job_id, status).run_id)
    silence(job_store, job_id)

    look()

    assert told(job_store, job_id) == ("failed", code)


def test_a_silent_row_whose_run_dagster_does_not_know_is_told_too(job_store, look):
    job_id = new_job(job_store)
    job_store.claim(job_id, "of another instance")
    silence(job_store, job_id)

    for _ in range(module.SIGHTINGS + 1):
        look()

    assert told(job_store, job_id) == ("failed", "WORKER_LOST")


def test_a_row_that_cannot_be_reconciled_does_not_hold_up_the_others(job_store, instance, run_for, look, monkeypatch):
    bad, good = new_job(job_store), new_job(job_store)
    for job_id in (bad, good):
        job_store.claim(job_id, run_for(job_id, dg.DagsterRunStatus.FAILURE).run_id)
        silence(job_store, job_id)
    fail = JobStore.fail

    def trouble(self, job_id, *args, **kwargs):
        if job_id == bad:
            raise RuntimeError("something nobody thought of")
        return fail(self, job_id, *args, **kwargs)

    monkeypatch.setattr(JobStore, "fail", trouble)
    look()

    assert told(job_store, good) == ("failed", "WORKER_LOST")


@pytest.mark.parametrize("cursor", ["", "null", "[1]", "{", '{"suspects": 3}', '{"suspects": {"a": 1}}', "an older version's"])
def test_a_cursor_that_makes_no_sense_costs_one_look(job_store, instance, run_for, cursor):
    job_id = new_job(job_store)
    job_store.claim(job_id, run_for(job_id, dg.DagsterRunStatus.FAILURE).run_id)
    silence(job_store, job_id)

    reconcile(dg.build_sensor_context(instance=instance, cursor=cursor), jobs=job_store)

    assert told(job_store, job_id) == ("failed", "WORKER_LOST")


def asked(job_store, job_id, seconds=600):
    change(job_store, job_id, f"requested_at = now() - interval '{seconds} s'")


AGAIN = {"dagster/will_retry": "true", "dagster/retry_strategy": "ALL_STEPS"}


def waiting(job_store) -> list[tuple[str, int]]:
    return [(job.id, job.request) for job in RunQueue(job_store.engine).waiting(100)]


def test_a_request_that_a_killed_daemon_lost_is_made_again_under_the_same_key(job_store, look):
    job_id = new_job(job_store)
    asked(job_store, job_id)
    look()
    assert waiting(job_store) == [(job_id, 1)]


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_a_job_whose_run_waits_in_dagsters_queue_is_left_waiting(job_store, run_for, look, status):
    job_id = new_job(job_store)
    asked(job_store, job_id)
    run_for(job_id, status)
    look()
    assert waiting(job_store) == [] and told(job_store, job_id) == ("queued", None)


def test_a_run_that_ended_before_it_claimed_its_row_leaves_no_row_waiting(job_store, run_for, look):
    job_id = new_job(job_store)
    asked(job_store, job_id)
    run_for(job_id, dg.DagsterRunStatus.FAILURE)
    look()
    assert told(job_store, job_id) == ("failed", "WORKER_LOST")


def test_a_second_run_that_dagster_promised_and_that_never_came_is_asked_for(job_store, run_for, look, monkeypatch):
    job_id = new_job(job_store)
    run = run_for(job_id, dg.DagsterRunStatus.FAILURE, **AGAIN)
    job_store.claim(job_id, run.run_id)
    job_store.release(job_id, run.run_id, "Another run follows by itself.")
    look()
    assert waiting(job_store) == [], "it may still come"
    monkeypatch.setattr(module, "CLOCKS_S", -3600.0)  # so that the first run is older than the request, as it is after hours
    asked(job_store, job_id)
    look()
    assert waiting(job_store) == [(job_id, 2)], "Dagster remembers a run key for ever, failed runs included"


def test_a_second_run_that_ended_before_it_began_is_asked_for_under_a_new_key(job_store, run_for, look):
    job_id = new_job(job_store)
    first = run_for(job_id, dg.DagsterRunStatus.FAILURE, **AGAIN)
    job_store.claim(job_id, first.run_id)
    job_store.release(job_id, first.run_id, "Another run follows by itself.")
    asked(job_store, job_id)
    run_for(job_id, dg.DagsterRunStatus.FAILURE, request=None)
    look()
    assert waiting(job_store) == [(job_id, 2)]


def test_a_second_run_that_a_person_stopped_does_not_begin_again(job_store, run_for, look):
    job_id = new_job(job_store)
    asked(job_store, job_id)
    run_for(job_id, dg.DagsterRunStatus.CANCELED, request=None)
    look()
    assert told(job_store, job_id) == ("failed", "CANCELED")


def test_a_run_whose_machine_died_before_it_claimed_its_row_is_ended(job_store, instance, run_for, look, monkeypatch):
    job_id = new_job(job_store)
    asked(job_store, job_id)
    run = run_for(job_id, dg.DagsterRunStatus.NOT_STARTED)
    instance.report_dagster_event(dg.DagsterEvent("PIPELINE_START", job_name=run.job_name), run.run_id)
    look()
    assert told(job_store, job_id) == ("queued", None), "it may be about to"
    monkeypatch.setattr(module, "BEGIN_S", -1.0)
    look()
    assert told(job_store, job_id) == ("failed", "WORKER_LOST")
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.FAILURE


def test_a_run_of_the_asset_pages_is_found_by_its_range(job_store, instance, look):
    """An asset backfill names its one partition as a range from itself to itself."""
    job_id = new_job(job_store)
    instance.add_dynamic_partitions(videos.name, [job_id])
    asked(job_store, job_id)
    job = build_definitions(Settings(), resource_overrides={"jobs": job_store}).resolve_job_def(analysis.name)
    ends = {f"dagster/asset_partition_range_{end}": job_id for end in ("start", "end")}
    instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=ends)
    look()
    assert waiting(job_store) == []


def test_every_silent_row_has_its_turn_however_many_there_are(job_store, run_for, look, monkeypatch):
    monkeypatch.setattr(module, "PAGE", 2)
    rows = [new_job(job_store) for _ in range(5)]
    for job_id in rows:
        job_store.claim(job_id, run_for(job_id, dg.DagsterRunStatus.FAILURE).run_id)
        silence(job_store, job_id)
    poison = min(rows)
    fail = JobStore.fail
    monkeypatch.setattr(JobStore, "fail", lambda self, job_id, *a, **k: 1 / 0 if job_id == poison else fail(self, job_id, *a, **k))
    for _ in range(4):
        look()
    assert {job_id for job_id in rows if told(job_store, job_id) == ("failed", "WORKER_LOST")} == set(rows) - {poison}


def test_a_failure_that_may_pass_is_queued_again_after_its_pause(job_store, look):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    job_store.fail(job_id, "run-1", ErrorCode.STORE_UNAVAILABLE, "The store is away.")
    look()
    assert told(job_store, job_id) == ("failed", "STORE_UNAVAILABLE")
    change(job_store, job_id, "updated_at = now() - interval '10 min'")
    look()
    assert waiting(job_store) == [(job_id, 2)]


def fail_event(run: dg.DagsterRun):
    from dagster import DagsterEvent, DagsterEventType

    return DagsterEvent(DagsterEventType.RUN_FAILURE.value, job_name=run.job_name, message="The process died.")


def tell(sensor, instance, run, job_store):
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name,
        dagster_event=fail_event(run),
        dagster_instance=instance,
        dagster_run=run,
        resources={"answering_jobs": job_store},
    )
    return sensor(context.for_run_failure() if sensor is failed_runs else context)


def test_the_row_of_a_killed_run_is_told_by_the_failure_sensor(job_store, instance, run_for):
    job_id = new_job(job_store)
    run = run_for(job_id, dg.DagsterRunStatus.FAILURE)
    job_store.claim(job_id, run.run_id)
    tell(failed_runs, instance, run, job_store)
    assert told(job_store, job_id) == ("failed", "WORKER_LOST")


def test_the_row_of_a_killed_run_that_dagster_starts_again_waits_and_says_so(job_store, instance, run_for):
    job_id = new_job(job_store)
    run = run_for(job_id, dg.DagsterRunStatus.FAILURE, **AGAIN)
    job_store.claim(job_id, run.run_id)
    tell(failed_runs, instance, run, job_store)
    row = job_store.get(job_id)
    assert (row.status, row.error_code) == ("queued", None)
    assert "Another run follows" in row.error_message
    assert waiting(job_store) == [], "the uploads sensor asks for none beside it"


def test_a_run_that_was_stopped_while_it_waited_in_the_queue_leaves_no_row_waiting(job_store, instance, run_for):
    job_id = new_job(job_store)
    asked(job_store, job_id, 1)
    tell(stopped_runs, instance, run_for(job_id, dg.DagsterRunStatus.CANCELED), job_store)
    assert told(job_store, job_id) == ("failed", "CANCELED")


def test_late_news_of_an_old_run_change_nothing(job_store, instance, run_for):
    """Of a run that lost its row to another, of a row that is done, of a request that another followed, of a job that is gone."""
    old = run_for("gone", dg.DagsterRunStatus.FAILURE)
    assert settle(instance, job_store, old) is None

    taken = new_job(job_store)
    late = run_for(taken, dg.DagsterRunStatus.FAILURE)
    job_store.claim(taken, late.run_id)
    job_store.claim(taken, "newer", ended=late.run_id)
    publish_quick(job_store, taken, "newer")
    assert settle(instance, job_store, late) is None
    assert told(job_store, taken) == ("quick_done", None)

    done = done_job(job_store, run_id="run-1")
    assert settle(instance, job_store, run_for(done, dg.DagsterRunStatus.FAILURE)) is None
    assert told(job_store, done) == ("done", None)

    again = new_job(job_store)
    job_store.fail_unclaimed(again, ErrorCode.WORKER_LOST, "It never began.")
    job_store.requeue(again)
    assert settle(instance, job_store, run_for(again, dg.DagsterRunStatus.FAILURE, request=1)) is None
    assert told(job_store, again) == ("queued", None)


@pytest.mark.parametrize(
    "error, code",
    [(CricksyError(ErrorCode.STORE_UNAVAILABLE, "the bucket is gone"), "STORE_UNAVAILABLE"), (RuntimeError("no such thing"), "INTERNAL")],
)
def test_a_resource_that_cannot_be_made_is_told_in_its_own_words(job_store, instance, error, code):
    @dg.resource
    def broken(_):
        raise error

    job_id = new_job(job_store)
    instance.add_dynamic_partitions(videos.name, [job_id])
    job = build_definitions(Settings(), resource_overrides={"jobs": job_store, "objects": broken}).resolve_job_def(analysis.name)
    run_id = str(uuid4())
    with contextlib.suppress(Exception):
        tags = {"cricksy/request": "1"}
        job.execute_in_process(instance=instance, partition_key=job_id, raise_on_error=False, run_id=run_id, tags=tags)

    settle(instance, job_store, instance.get_run_by_id(run_id))

    assert told(job_store, job_id) == ("failed", code)
    assert getattr(error, "message", str(error)) in job_store.get(job_id).error_message


def test_the_outcome_sensors_watch_every_job_also_the_hidden_one_of_the_asset_pages():
    for sensor in (failed_runs, stopped_runs):
        assert sensor.targets == [] or not [target for target in sensor.targets if target.job_name]
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING


def test_the_event_of_a_failed_run_is_not_taken_while_the_database_is_away(tmp_path):
    """An exception in a sensor's body loses the event; one while its resources open keeps it."""
    away = build_definitions(Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing"))
    needed = {name: away.resources[name] for name in ("jobs", "answering_jobs")}
    with pytest.raises((CricksyError, dg.DagsterError), match=r"DATABASE_UNAVAILABLE|answering_jobs|jobs"), dg.build_resources(needed):
        pass
