"""The sensor `overlays`: one run at a time, behind every analysis, and never for ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.asset_options import OVERLAY_JOB
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.sensors.overlays import MOST_RUNS, TRIES, overlays
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.overlays import MadeOverlay, Overlays, shown_overlay
from cricksy_pipeline_tests.orchestration.dagster_runs import ORIGIN, made_run
from cricksy_pipeline_tests.store.rows import done_job, new_job


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture(scope="module")
def repository():
    return build_definitions(Settings()).get_repository_def()


@pytest.fixture
def look(instance, repository, job_store) -> Callable[..., dg.SensorResult]:
    """One tick."""

    def tick(**settings):
        context = dg.build_sensor_context(instance=instance, repository_def=repository)
        return overlays(context, jobs=job_store, settings=Settings(**settings))

    for run in instance.get_runs():
        instance.delete_run(run.run_id)
    return tick


def execute(store, statement: str, **values) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(statement), values)


def finished(store, of: str = "a" * 64, **options) -> str:
    """A done job whose results have a recorded object with this hash."""
    job_id = done_job(store, **options)
    objects = {"deep_results.json": {"key": "k", "sha256": of}}
    execute(store, "UPDATE video_analysis_jobs SET stored_objects = :o WHERE id = :id", o=json.dumps(objects), id=job_id)
    return job_id


def asked(result: dg.SensorResult) -> list[str]:
    return [request.partition_key for request in result.run_requests or []]


def drawn(store, job_id: str, of: str = "a" * 64, blurred: bool = False) -> None:
    row = store.get(job_id)
    films = {"overlay.mp4": {"key": "o", "sha256": "1"}}
    made = MadeOverlay(of, "inputs", blurred, films, (), {"run_id": "r", "seconds": 1.0, "cpu_s": 1.0})
    Overlays(store.engine).record(job_id, made, seen=(row.stages or {}).get("overlay"))


def test_a_finished_job_is_asked_for_once_behind_everything_else(look, job_store, instance):
    job_id = finished(job_store)
    result = look()
    (request,) = result.run_requests
    assert request.partition_key == job_id
    assert int(request.tags["dagster/priority"]) < -20
    assert [list(added.partition_keys) for added in result.dynamic_partitions_requests] == [[job_id]]
    assert look().run_requests[0].run_key == request.run_key, "a tick that was lost is made good under the same key"
    drawn(job_store, job_id)
    assert asked(look()) == []


def test_one_run_at_a_time(look, job_store, instance):
    finished(job_store)
    run = instance.create_run_for_job(_named_alike(), status=dg.DagsterRunStatus.QUEUED, remote_job_origin=ORIGIN)
    assert asked(look()) == []
    instance.delete_run(run.run_id)
    assert len(asked(look())) == 1


def _named_alike() -> dg.JobDefinition:
    @dg.op
    def nothing() -> None: ...

    @dg.job(name=OVERLAY_JOB)
    def job() -> None:
        nothing()

    return job


def test_nothing_is_drawn_while_an_analysis_waits(look, job_store):
    finished(job_store)
    waiting = new_job(job_store)
    assert asked(look()) == []
    job_store.claim(waiting, "run-9")
    assert len(asked(look())) == 1


def test_it_can_be_switched_off(look, job_store):
    finished(job_store)
    result = look(overlays=False)
    assert asked(result) == []
    assert "CRICKSY_OVERLAYS" in result.skip_reason.skip_message


def test_what_has_nothing_to_draw_is_not_asked_for(look, job_store):
    done_job(job_store)  # the earlier system recorded no objects
    execute(job_store, "UPDATE video_analysis_jobs SET deep_enabled = false WHERE id = :id", id=finished(job_store))
    execute(job_store, "UPDATE video_analysis_jobs SET completed_at = now() - interval '9 days' WHERE id = :id", id=finished(job_store))
    job_store.claim(finished(job_store), "run-5")
    assert asked(look()) == []


def test_new_results_and_a_wish_to_blur_make_it_due_again(look, job_store):
    job_id = finished(job_store)
    drawn(job_store, job_id)
    session_id = job_store.get(job_id).session_id
    execute(job_store, "UPDATE video_sessions SET blur_faces = true WHERE id = :id", id=session_id)
    (blurred,) = look().run_requests
    assert blurred.tags["cricksy/overlay_of"].endswith("-blurred")
    drawn(job_store, job_id, blurred=True)
    assert asked(look()) == []
    execute(job_store, "UPDATE video_sessions SET blur_faces = null WHERE id = :id", id=session_id)
    assert asked(look()) == [], "a film that shows less than it might is no reason to draw"
    execute(
        job_store,
        "UPDATE video_analysis_jobs SET stored_objects = :o WHERE id = :id",
        o='{"deep_results.json": {"key": "k", "sha256": "b"}}',
        id=job_id,
    )
    assert asked(look()) == [job_id]


@pytest.mark.parametrize(("code", "times"), [(ErrorCode.POSE_CRASHED, TRIES), (ErrorCode.VIDEO_CORRUPT, 1)])
def test_only_what_may_pass_is_tried_again_and_not_for_ever(look, job_store, code, times):
    finished(job_store)
    store = Overlays(job_store.engine)
    for _ in range(times):
        (due,) = store.due(within_days=1, tries=TRIES, limit=5)
        store.record_failure(due, CricksyError(code, "in vain"), "run")
    assert asked(look()) == []


def test_runs_that_end_without_a_word_are_asked_for_anew_and_then_given_up(look, job_store, instance):
    job_id = finished(job_store)
    keys = set()
    for _ in range(MOST_RUNS):
        (request,) = look().run_requests
        keys.add(request.run_key)
        made_run(instance, job_id, dg.DagsterRunStatus.FAILURE, **{"cricksy/overlay_of": request.tags["cricksy/overlay_of"]})
    assert len(keys) == MOST_RUNS
    assert asked(look()) == []
    shown = shown_overlay(job_store.get(job_id), None)
    assert (shown.state, job_store.get(job_id).status) == ("failed", "done")
    assert "without a word" in shown.message


def test_one_that_is_given_up_does_not_stand_before_another(look, job_store):
    other, newest = finished(job_store), finished(job_store)
    store = Overlays(job_store.engine)
    first = store.due(within_days=1, tries=TRIES, limit=5)[0]
    assert first.job_id == newest
    store.record_failure(first, CricksyError(ErrorCode.VIDEO_CORRUPT, "torn"), "run")
    assert asked(look()) == [other]
