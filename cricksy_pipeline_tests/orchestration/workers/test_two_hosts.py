"""Two machines that share nothing but PostgreSQL and the object store take runs from one queue; one of them may die."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from benchmarks.worker_hosts import Hosts, until, why_not
from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.analysis.versions import STAGE_VERSIONS
from cricksy_pipeline.orchestration.workers.slot import WORKER_TAG
from cricksy_pipeline.sample.clip import ClipSpec, write_clip
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import RUNNING
from cricksy_pipeline.store.objects import sha256_of

pytestmark = pytest.mark.slow

AFTER_A_DEATH_S = 300.0


@pytest.fixture(scope="module")
def hosts() -> Iterator[Hosts]:
    if reason := why_not():
        pytest.skip(reason)
    with Hosts(models=Settings().models) as hosts:
        for name in ("north", "south"):
            hosts.boot(name)
        hosts.until_at_work("north", "south")
        yield hosts


@pytest.fixture(scope="module")
def instance(hosts) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.get() as instance:
        yield instance


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """Long enough for a host to die in the middle of it."""
    path = tmp_path_factory.mktemp("clips") / "drive.mp4"
    write_clip(ClipSpec(seconds=6, fps=30, width=640, height=360), path, workers=1)
    return path


def taken_by(hosts, instance, job_id: str) -> tuple[str, str]:
    """The slot that is at work on a job, waited for, and its run: "north/1", the run's id."""
    until(lambda: at_work_in(hosts, job_id, "quick_running", "deep_running"), lambda: hosts.log("daemon"))
    ((_, worker, run_id),) = runs_of(instance, job_id)
    return worker, run_id


def test_both_take_runs_from_one_queue_and_each_run_is_taken_once(hosts, instance, glimpse):
    ids = [hosts.submit(glimpse) for _ in range(6)]

    hosts.until_done(*ids)

    assert {worker for job_id in ids for _, worker, _ in runs_of(instance, job_id)} == {"north/1", "south/1"}
    for job_id in ids:
        (only,) = runs_of(instance, job_id)
        ended(instance, job_id, ("SUCCESS", only[1]))
        is_whole(hosts, instance, job_id)


def test_what_a_host_left_undone_when_it_lost_its_power_the_other_does(hosts, instance, clip, glimpse):
    victim, *others = [hosts.submit(clip), hosts.submit(glimpse), hosts.submit(glimpse)]
    worker, first = taken_by(hosts, instance, victim)
    lost = worker.partition("/")[0]
    survivor = ({"north", "south"} - {lost}).pop()

    hosts.pull_the_plug(lost)

    hosts.until_done(victim, *others, within_s=AFTER_A_DEATH_S)
    ended(instance, victim, ("FAILURE", f"{lost}/1"), ("SUCCESS", f"{survivor}/1"))
    attempts = [(attempt.outcome, attempt.attempt, attempt.run_id == first) for attempt in hosts.jobs.last_attempts(victim)]
    assert [(attempt, of_first) for _, attempt, of_first in attempts] == [(2, False), (1, True)]
    for job_id in (victim, *others):
        is_whole(hosts, instance, job_id)
    unfinished = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.QUEUED]
    assert not instance.get_runs(dg.RunsFilter(job_name="analysis", statuses=unfinished))

    hosts.plug_in(lost)
    hosts.boot(lost)
    hosts.until_at_work(lost)


def test_a_host_whose_cable_was_out_finds_its_run_done_by_another_and_changes_nothing(hosts, instance, clip):
    job_id = hosts.submit(clip)
    worker, first = taken_by(hosts, instance, job_id)
    cut_off = worker.partition("/")[0]

    hosts.unplug(cut_off)
    hosts.until_done(job_id, within_s=AFTER_A_DEATH_S)
    after = hosts.jobs.get(job_id)
    hosts.plug_in(cut_off)
    hosts.until_at_work("north", "south")
    until(lambda: f"run {first} FAILURE" in hosts.log(cut_off), lambda: hosts.log(cut_off))

    row = hosts.jobs.get(job_id)
    assert (row.dagster_run_id, row.attempt, row.updated_at) == (after.dagster_run_id, 2, after.updated_at)
    is_whole(hosts, instance, job_id)


def test_a_worker_that_is_told_to_go_finishes_its_run_first(hosts, instance, clip):
    job_id = hosts.submit(clip)
    worker, _ = taken_by(hosts, instance, job_id)
    name = worker.partition("/")[0]

    hosts.send_home(name)

    until(lambda: name not in hosts.at_work(), lambda: hosts.log(name), 30)
    assert hosts.jobs.status_of(job_id) == "done"
    assert [(status, by) for status, by, _ in runs_of(instance, job_id)] == [("SUCCESS", worker)]
    hosts.boot(name)
    hosts.until_at_work(name)


def test_a_run_that_a_person_stops_is_stopped_on_whichever_host_it_is(hosts, instance, clip):
    job_id = hosts.submit(clip)
    until(lambda: at_work_in(hosts, job_id, "quick_running", "deep_running"), lambda: hosts.log("daemon"))

    instance.run_coordinator.cancel_run(hosts.jobs.get(job_id).dagster_run_id)

    until(lambda: hosts.jobs.status_of(job_id) == "failed", lambda: hosts.jobs.status_of(job_id), 60)
    assert hosts.jobs.get(job_id).error_code == "CANCELED"
    ((_, worker, _),) = runs_of(instance, job_id)
    ended(instance, job_id, ("CANCELED", worker))
    assert hosts.at_work() == {"north", "south"}


def test_postgresql_started_anew_costs_a_worker_no_run(hosts, instance, clip):
    job_id = hosts.submit(clip)
    until(lambda: at_work_in(hosts, job_id, "deep_running"), lambda: hosts.log("daemon"))

    hosts.restart_postgres()

    hosts.until_done(job_id)
    ((_, worker, _),) = runs_of(instance, job_id)
    ended(instance, job_id, ("SUCCESS", worker))
    is_whole(hosts, instance, job_id)


def runs_of(instance: dg.DagsterInstance, job_id: str) -> list[tuple[str, str | None, str]]:
    """(status, worker, run id) of every run of the job, oldest first."""
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": job_id}))
    return [(run.status.value, run.tags.get(WORKER_TAG), run.run_id) for run in reversed(runs)]


def ended(instance: dg.DagsterInstance, job_id: str, *expected: tuple[str, str]) -> None:
    """The job's runs ended so, on those workers; the last of them a moment after its row said so."""
    until(
        lambda: [(status, worker) for status, worker, _ in runs_of(instance, job_id)] == list(expected),
        lambda: str(runs_of(instance, job_id)),
        within_s=60,
    )


def at_work_in(hosts: Hosts, job_id: str, *statuses: str) -> bool:
    status = hosts.jobs.status_of(job_id)
    assert status in (*RUNNING, "queued"), hosts.jobs.get(job_id).error_message
    return status in statuses


def is_whole(hosts: Hosts, instance: dg.DagsterInstance, job_id: str) -> None:
    """Done, proven by every guardrail of the run that says so, readable, and nothing twice."""
    row = hosts.jobs.get(job_id)
    assert (row.status, row.stage, row.progress_pct, row.error_code) == ("done", "DONE", 100, None)
    assert not unreadable(read_job(row, hosts.objects))
    passed = [(o.asset, o.name) for o in hosts.jobs.guardrails.results_of(job_id, row.dagster_run_id) if o.passed]
    assert sorted(passed) == sorted((asset, rail.name) for asset, rails in GUARDRAILS.items() for rail in rails)
    for name, entry in row.stored_objects.items():
        assert sha256_of(hosts.objects.get(row.stored_key(Output(name)))) == entry["sha256"], name
    assert json.loads(hosts.objects.get(row.stored_key(Output.DEEP_RESULTS))) == row.deep_results
    for asset in STAGE_VERSIONS:
        made = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[job_id]), limit=10
        ).records
        assert [record.run_id for record in made].count(row.dagster_run_id) == 1, asset
