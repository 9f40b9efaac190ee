"""Taking offered runs, and noticing that a taker died: on a real PostgreSQL, by real sessions of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster import DagsterRunStatus
from dagster._core.launcher import WorkerStatus
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cricksy_pipeline.orchestration.workers import launcher
from cricksy_pipeline.orchestration.workers.offers import NAMED, LostOffer, Offers
from cricksy_pipeline_tests.orchestration.dagster_runs import made_run

ROOT = Path(__file__).resolve().parents[3]
WORKERS = ROOT / "deploy" / "workers" / "dagster.yaml"
OFFERED, STARTED = DagsterRunStatus.STARTING, DagsterRunStatus.STARTED


@pytest.fixture(scope="module")
def dagster_url(empty_database) -> Iterator[str]:
    with empty_database() as url:
        yield url


@pytest.fixture(scope="module")
def instance(dagster_url, tmp_path_factory) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance as deploy/workers has it."""
    home = tmp_path_factory.mktemp("home")
    (home / "dagster.yaml").write_text(WORKERS.read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRICKSY_DAGSTER_DATABASE_URL", dagster_url)
        for name, value in {"CRICKSY_BUCKET": "a-bucket", "CRICKSY_S3_ENDPOINT": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "x"}.items():
            patch.setenv(name, value)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield instance


@pytest.fixture(autouse=True)
def no_other_runs(instance):
    for run in instance.get_runs():
        instance.delete_run(run.run_id)


@pytest.fixture
def session(dagster_url) -> Iterator[Callable[[str], Offers]]:
    """A maker of sessions, by name."""
    with contextlib.ExitStack() as opened:
        yield lambda name: opened.enter_context(contextlib.closing(Offers(dagster_url, f"{NAMED}{name}")))


def test_an_offered_run_is_taken_once(instance, session):
    run = made_run(instance, "v", OFFERED)
    one, other = session("one"), session("other")

    assert one.take().run_id == run
    assert other.take() is None
    assert one.holder(run) == other.holder(run) == "cricksy worker one"


def test_only_what_dagsters_queue_let_go_is_an_offer(instance, session):
    for status in (DagsterRunStatus.QUEUED, STARTED, DagsterRunStatus.SUCCESS, DagsterRunStatus.CANCELING):
        made_run(instance, "v", status)

    assert session("one").take() is None


def test_the_foremost_is_taken_first_as_in_dagsters_queue(instance, session):
    wanted = {
        "upload": {"dagster/priority": "10"},
        "chore": {},
        "odd": {"dagster/priority": "soon"},
        "rules": {"dagster/priority": "-10"},
        "looks": {"dagster/priority": "-20"},
    }
    made = {made_run(instance, "v", OFFERED, **tags): kind for kind, tags in reversed(wanted.items())}
    made[made_run(instance, "v", OFFERED, **{"dagster/priority": "10"})] = "newer upload"

    taken = [session(str(number)).take().run_id for number in range(len(made))]

    assert [made[run] for run in taken] == ["upload", "newer upload", "odd", "chore", "rules", "looks"]


def test_a_session_that_ends_leaves_its_run_to_the_next(instance, session):
    run = made_run(instance, "v", OFFERED)
    one = session("one")
    one.take()

    one.close()

    assert session("other").take().run_id == run


def test_a_session_that_was_cut_off_takes_its_run_again(instance, session):
    run = made_run(instance, "v", OFFERED)
    one = session("one")
    offer = one.take()
    cut_off(instance)

    with pytest.raises(DBAPIError):
        one.keep(offer)

    assert one.keep(offer) == "STARTING"
    assert one.holder(run) == "cricksy worker one"


def test_what_another_has_taken_meanwhile_is_lost(instance, session):
    made_run(instance, "v", OFFERED)
    one, other = session("one"), session("other")
    offer = one.take()
    cut_off(instance)
    assert other.take() is not None

    with pytest.raises(DBAPIError):
        one.keep(offer)
    with pytest.raises(LostOffer):
        one.keep(offer)


def test_a_run_that_has_a_worker_is_alive(instance, session):
    run = made_run(instance, "v", OFFERED)
    worker = session("one")
    worker.take()
    began(instance, run)

    told = instance.run_launcher.check_run_worker_health(instance.get_run_by_id(run))

    assert (told.status, told.msg) == (WorkerStatus.RUNNING, "cricksy worker one")


def test_a_run_without_a_worker_is_believed_dead_at_the_second_look(instance, session, monkeypatch):
    run = made_run(instance, "v", OFFERED)
    worker = session("one")
    worker.take()
    began(instance, run)
    worker.close()
    ask = lambda: instance.run_launcher.check_run_worker_health(instance.get_run_by_id(run)).status  # noqa: E731

    assert ask() == WorkerStatus.RUNNING
    monkeypatch.setattr(launcher, "AWAY_S", 0.0)
    assert ask() == WorkerStatus.FAILED


def test_a_worker_that_came_back_between_two_looks_is_alive(instance, session, monkeypatch):
    run = made_run(instance, "v", OFFERED)
    worker = session("one")
    offer = worker.take()
    began(instance, run)
    ask = lambda: instance.run_launcher.check_run_worker_health(instance.get_run_by_id(run)).status  # noqa: E731
    worker.close()
    assert ask() == WorkerStatus.RUNNING
    assert worker.keep(offer) == "STARTED"
    assert ask() == WorkerStatus.RUNNING
    worker.close()
    monkeypatch.setattr(launcher, "AWAY_S", 60.0)

    assert ask() == WorkerStatus.RUNNING, "the time without a worker begins anew"


def test_a_run_that_nobody_has_taken_is_stopped_at_once(instance, session):
    run = made_run(instance, "v", OFFERED)

    assert instance.run_launcher.terminate(run)

    assert instance.get_run_by_id(run).status == DagsterRunStatus.CANCELED
    assert session("one").take() is None
    assert not instance.run_launcher.terminate(run)


def test_a_run_that_is_at_work_is_left_to_its_worker_to_stop(instance, session):
    run = made_run(instance, "v", OFFERED)
    worker = session("one")
    offer = worker.take()
    began(instance, run)

    assert instance.run_launcher.terminate(run)

    assert instance.get_run_by_id(run).status == DagsterRunStatus.CANCELING
    assert worker.keep(offer) == "CANCELING"


def test_workers_differ_from_one_machine_only_where_their_file_says_so():
    ours, workers = (yaml.safe_load(path.read_text()) for path in (ROOT / "dagster.yaml", WORKERS))

    differing = {name for name in {*ours, *workers} if ours.get(name) != workers.get(name)}
    assert differing == {"run_launcher", "compute_logs", "run_queue", "concurrency", "run_monitoring"}
    monitoring = {name for name in ours["run_monitoring"] if ours["run_monitoring"][name] != workers["run_monitoring"][name]}
    assert monitoring == {"poll_interval_seconds", "start_timeout_seconds"}
    assert "pools" not in workers["concurrency"]


def began(instance: dg.DagsterInstance, run_id: str) -> None:
    """The run's process has said that it began."""
    instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "idle"), run_id)


def cut_off(instance: dg.DagsterInstance) -> None:
    """Every worker's session ends, as when PostgreSQL is started anew."""
    with instance.run_storage.connect() as connection:
        statement = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE starts_with(application_name, :named)"
        connection.execute(text(statement), {"named": NAMED})
