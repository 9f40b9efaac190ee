"""The uploads sensor, evaluated as Dagster's code server does it: over a real instance, a real database and a real store."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import dagster as dg
import pytest
from sqlalchemy import text

from cricksy_pipeline.orchestration import work
from cricksy_pipeline.orchestration.assets import ASSETS
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.checks import build_checks
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.sensors import uploads as module
from cricksy_pipeline.orchestration.sensors.uploads import Hint, uploads
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store import upload_options
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.objects import ObjectStore, S3ObjectStore
from cricksy_pipeline.store.run_queue import RunQueue
from cricksy_pipeline.store.uploads import Sweep
from cricksy_pipeline_tests.store.rows import new_job


class Ticks:
    """One tick after another, each with the cursor that the one before left; and what the daemon does with a tick's result."""

    def __init__(self, instance: dg.DagsterInstance, jobs: JobStore, objects: ObjectStore) -> None:
        self.instance, self.jobs, self.objects = instance, jobs, objects
        self.cursor: str | None = None
        # The whole location but for its other sensors.
        resources = {**build_definitions(Settings()).resources, "jobs": jobs, "objects": objects}
        definitions = dg.Definitions(
            assets=ASSETS,
            asset_checks=build_checks(),
            jobs=[analysis],
            sensors=[uploads],
            resources=resources,
            executor=dg.in_process_executor,
        )
        self._repository = definitions.get_repository_def()

    def evaluate(self):
        """The result as the code server hands it to the daemon, every run request resolved against its partition."""
        sensor = self._repository.get_sensor_def("uploads")
        names = sensor.required_resource_keys
        with dg.SensorEvaluationContext(
            instance_ref=self.instance.get_ref(),
            last_tick_completion_time=None,
            last_run_key=None,
            cursor=self.cursor,
            repository_name=self._repository.name,
            repository_def=self._repository,
            sensor_name="uploads",
            resources={name: each for name, each in self._repository.get_top_level_resources().items() if name in names},
        ) as context:
            return sensor.evaluate_tick(context)

    def tick(self) -> list[dg.RunRequest]:
        """A tick whose result reaches the daemon: partitions first, then the cursor. Returns the runs that it asks for."""
        result = self.evaluate()
        for request in result.dynamic_partitions_requests:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        self.cursor = result.cursor
        return result.run_requests

    def put(self, *names: str) -> None:
        """Videos in the drop folder, each with a content of its own."""
        for name in names:
            path = self.objects.root / "uploads" / "batting" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)

    def execute(self, statement: str, **values) -> None:
        with self.jobs.engine.begin() as connection:
            connection.execute(text(statement), values)


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def ticks(instance, job_store, local_store) -> Ticks:
    local_store.settle_s = 0.0
    return Ticks(instance, job_store, local_store)


def test_a_new_object_is_one_job_one_partition_and_one_run_in_one_result(ticks):
    ticks.put("clip.mp4")
    result = ticks.evaluate()
    (job,) = ticks.jobs.list_jobs()
    (request,) = result.run_requests
    assert (request.partition_key, request.run_key, request.job_name or analysis.name) == (job.id, f"{job.id}:1", "analysis")
    assert request.tags["dagster/partition"] == job.id
    assert (request.tags["dagster/priority"], request.tags["cricksy/request"]) == ("10", "1")
    (added,) = result.dynamic_partitions_requests
    assert (added.partitions_def_name, list(added.partition_keys)) == (videos.name, [job.id])
    assert (job.status, ticks.jobs.get(job.id).requested_at is not None) == ("queued", True)
    assert len(result.cursor) < 200


def test_a_tick_with_nothing_new_asks_for_nothing_and_says_so(ticks):
    ticks.put("clip.mp4")
    ticks.tick()
    result = ticks.evaluate()
    assert (result.run_requests, result.dynamic_partitions_requests) == ([], [])
    assert "1 objects seen: 0 jobs made" in result.skip_message


def test_many_objects_are_asked_for_in_small_portions_and_each_once(ticks, monkeypatch):
    monkeypatch.setattr(module, "MOST_NEW", 7)
    monkeypatch.setattr(module, "MOST_RUNS", 3)
    ticks.put(*(f"{number:02}.mp4" for number in range(20)))
    asked = []
    for _ in range(12):
        requests = ticks.tick()
        assert len(requests) <= 3
        asked += [request.run_key for request in requests]
    assert sorted(asked) == sorted(f"{job.id}:1" for job in ticks.jobs.list_jobs())
    assert len(asked) == 20


def test_dagsters_own_queue_stays_short(ticks, monkeypatch):
    monkeypatch.setattr(module, "MOST_ASKED_FOR", 4)
    ticks.put(*(f"{number}.mp4" for number in range(6)))
    assert [len(ticks.tick()) for _ in range(3)] == [4, 0, 0]
    begun = next(job.id for job in ticks.jobs.list_jobs() if ticks.jobs.get(job.id).requested_at)
    ticks.jobs.claim(begun, "run-1")
    assert [len(ticks.tick()) for _ in range(2)] == [1, 0]


def test_what_cannot_be_analysed_gets_no_run(ticks):
    ticks.put("notes.txt")
    (ticks.objects.root / "uploads" / "no mode.mp4").write_text("film")
    assert ticks.tick() == []
    assert {job.error_code for job in ticks.jobs.list_jobs()} == {"NOT_A_VIDEO", "MODE_MISSING"}


def test_a_job_that_its_own_command_runs_is_not_asked_for(ticks):
    new_job(ticks.jobs, requested=True)
    waiting = new_job(ticks.jobs)
    assert [request.partition_key for request in ticks.tick()] == [waiting]


def test_a_job_that_is_to_run_again_is_asked_for_under_another_run_key(ticks):
    ticks.put("clip.mp4")
    (first,) = ticks.tick()
    ticks.jobs.fail_unclaimed(first.partition_key, "WORKER_LOST", "It never began.")
    assert ticks.tick() == []
    ticks.jobs.requeue(first.partition_key)
    (second,) = ticks.tick()
    assert (second.partition_key, second.run_key) == (first.partition_key, f"{first.partition_key}:2")


def test_a_tick_that_never_reached_the_daemon_is_made_good_under_the_same_run_key(ticks):
    ticks.put("clip.mp4")
    (lost,) = ticks.evaluate().run_requests  # killed before Dagster wrote anything down
    assert ticks.tick() == []
    queue = RunQueue(ticks.jobs.engine)
    ticks.execute("UPDATE video_analysis_jobs SET requested_at = now() - interval '2 min'")
    assert queue.forget_request([job.id for job in queue.requested_before(90, 100)]) == 1
    (again,) = ticks.tick()
    assert again.run_key == lost.run_key


def test_a_store_that_is_away_fails_the_tick_and_nothing_is_lost(ticks, s3_client):
    waiting = new_job(ticks.jobs)
    away = Ticks(ticks.instance, ticks.jobs, S3ObjectStore(s3_client, "no-such-bucket"))
    with pytest.raises(Exception, match="no-such-bucket"):
        away.tick()
    assert ticks.jobs.get(waiting).requested_at is None
    assert [request.partition_key for request in ticks.tick()] == [waiting]


def test_an_id_that_no_partition_can_have_stops_nobody(ticks):
    session_id = ticks.jobs.create_session(owner_id="c1", title="adopted")
    ticks.execute(
        "INSERT INTO video_analysis_jobs (id, session_id, status, analysis_mode) VALUES ('a...b', :session, 'queued', 'batting')",
        session=session_id,
    )
    ticks.put("clip.mp4")
    assert len(ticks.tick()) == 1
    assert (ticks.jobs.get("a...b").status, ticks.jobs.get("a...b").error_code) == ("failed", "INTERNAL")


def test_an_object_that_is_deleted_before_its_run_fails_its_job_and_no_other(ticks):
    ticks.put("gone.mp4", "stays.mp4")
    ticks.tick()
    gone, stays = (ticks.jobs.jobs_over("local", f"uploads/batting/{name}.mp4")[0].id for name in ("gone", "stays"))
    ticks.objects.delete("uploads/batting/gone.mp4")
    definitions = build_definitions(Settings(), resource_overrides={"jobs": ticks.jobs, "objects": ticks.objects})
    result = definitions.resolve_job_def(analysis.name).execute_in_process(
        instance=ticks.instance, partition_key=gone, raise_on_error=False
    )
    assert not result.success
    assert (ticks.jobs.get(gone).status, ticks.jobs.get(gone).error_code) == ("failed", "SOURCE_MISSING")
    assert ticks.tick() == [] and ticks.jobs.get(stays).status == "queued"


# ---- the cursor


def test_a_look_that_is_not_at_its_end_goes_on_in_the_next_tick(ticks, monkeypatch):
    monkeypatch.setattr(module, "MOST_NEW", 2)
    ticks.put("a.mp4", "b.mp4", "c.mp4")
    ticks.tick()
    assert json.loads(ticks.cursor)["after"] == "uploads/batting/b.mp4"
    assert len(ticks.tick()) == 1
    assert json.loads(ticks.cursor)["after"] == ""


@pytest.mark.parametrize(
    "cursor",
    [None, "", "uploads/batting/zzz.mp4", "null", "[]", "{", "7", '{"bucket": "local"', '{"bucket": "local", "after": 3}', '{"key": "x"}',
     '{"bucket": "local", "rest_until": "never"}', '{"bucket": "another", "after": "uploads/z"}', '{"bucket": "local", "rest_until": 9e15}',
     "[" * 100_000, '{"bucket": "local", "after": "\\ud800"}'],
    ids=lambda cursor: str(cursor)[:40],
)  # fmt: skip
def test_a_cursor_that_is_no_hint_does_not_break_the_tick(ticks, cursor):
    ticks.put("clip.mp4")
    ticks.cursor = cursor
    asked = ticks.tick() or ticks.tick()  # at the worst, the next look begins anew
    assert len(asked) == 1
    assert Hint.read(ticks.cursor, "local").bucket == "local"


def test_a_long_look_that_found_nothing_is_followed_by_a_rest_and_a_short_one_by_none():
    now = time.time()
    half = Hint("b").then(Sweep(after="uploads/m"), 10.0)
    whole = half.then(Sweep(), 2.0)
    assert (half.after, half.resting, half.idle_s) == ("uploads/m", False, 10.0)
    assert (whole.after, whole.resting) == ("", True)
    assert now + 60 <= whole.rest_until <= time.time() + 60
    assert Hint("b").then(Sweep(), 0.2).rest_until <= time.time() + 1
    assert Hint("b").then(Sweep(), 1e6).rest_until <= time.time() + module.LONGEST_REST_S


def test_a_look_that_found_something_is_followed_by_the_next():
    assert not Hint("b", idle_s=10).then(Sweep(made=["j"]), 20.0).resting
    assert not Hint("b", idle_s=10).then(Sweep(failed=["j"]), 20.0).resting


def test_a_rest_does_not_keep_waiting_jobs_from_their_runs(ticks):
    ticks.put("clip.mp4")
    waiting = new_job(ticks.jobs)
    ticks.cursor = json.dumps({"bucket": "local", "rest_until": time.time() + 100})
    assert [request.partition_key for request in ticks.tick()] == [waiting]
    ticks.cursor = json.dumps({"bucket": "local", "rest_until": time.time() - 1})
    assert len(ticks.tick()) == 1


def test_a_clock_that_was_set_back_does_not_make_a_rest_longer():
    assert not Hint("b", rest_until=time.time() + module.LONGEST_REST_S + 60).resting


# ---- the definition


def test_the_sensor_looks_by_itself_and_asks_for_the_one_job():
    assert uploads.default_status is dg.DefaultSensorStatus.RUNNING
    assert (uploads.minimum_interval_seconds, uploads.job_name, uploads.name) == (10, analysis.name, "uploads")


def test_what_an_upload_may_ask_for_a_run_can_do():
    assert upload_options.MOST_SAMPLE_FPS == work.MOST_SAMPLE_FPS
