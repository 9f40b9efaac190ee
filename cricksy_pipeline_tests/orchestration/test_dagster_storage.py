"""Dagster's records as this project keeps them: the same as Dagster's own storage writes, over connections that stay open."""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as a class, not as text.

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.instance import InstanceType
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import TemporaryLocalArtifactStorage
from dagster_postgres import DagsterPostgresStorage
from sqlalchemy import create_engine, text

from cricksy_pipeline.orchestration.dagster_storage import PooledPostgresStorage
from cricksy_pipeline.store.database import normalise_url

keys = dg.DynamicPartitionsDefinition(name="keys")


@dg.asset(partitions_def=keys)
def first(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    context.log.info("a line")
    return dg.MaterializeResult(metadata={"measured": 1.5})


@dg.asset(deps=[first], partitions_def=keys)
def second() -> dg.MaterializeResult:
    return dg.MaterializeResult()


@dg.multi_asset_check(specs=[dg.AssetCheckSpec(name, asset=first, blocking=True, partitions_def=keys) for name in ("holds", "breaks")])
def checks(context: dg.AssetCheckExecutionContext):
    for name in ("holds", "breaks"):
        passed = name == "holds" or context.partition_key == "good"
        yield dg.AssetCheckResult(asset_key="first", check_name=name, passed=passed, metadata={"found": 3})


both = dg.Definitions(assets=[first, second], asset_checks=[checks], jobs=[dg.define_asset_job("both", [first, second])])


@contextmanager
def an_instance(storage: DagsterStorage) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance(
        instance_type=InstanceType.EPHEMERAL,
        local_artifact_storage=TemporaryLocalArtifactStorage(),
        run_storage=storage.run_storage,
        event_storage=storage.event_log_storage,
        schedule_storage=storage.schedule_storage,
        compute_log_manager=NoOpComputeLogManager(),
        run_coordinator=DefaultRunCoordinator(),
        run_launcher=DefaultRunLauncher(),
    ) as instance:
        yield instance


def run_both(instance: dg.DagsterInstance, key: str) -> dg.ExecuteInProcessResult:
    instance.add_dynamic_partitions("keys", [key])
    job = both.resolve_job_def("both")
    return job.execute_in_process(instance=instance, partition_key=key, raise_on_error=False, run_id=str(uuid4()))


def written(url: str) -> dict[str, list]:
    """What stands in the tables, but for what is different each time."""
    queries = {
        "events": "SELECT dagster_event_type, step_key, asset_key, partition FROM event_logs ORDER BY id",
        "checks": "SELECT asset_key, check_name, partition, execution_status, materialization_event_storage_id IS NULL"
        " FROM asset_check_executions ORDER BY asset_key, check_name, partition",
        "assets": "SELECT asset_key, last_materialization IS NULL, last_run_id IS NULL, last_materialization_timestamp IS NULL"
        " FROM asset_keys ORDER BY asset_key",
        "tags": "SELECT asset_key, key FROM asset_event_tags ORDER BY id",
        "partitions": "SELECT partitions_def_name, partition FROM dynamic_partitions ORDER BY id",
        "runs": "SELECT pipeline_name, status, partition FROM runs ORDER BY id",
    }
    with create_engine(normalise_url(url)).connect() as connection:
        return {name: [tuple(row) for row in connection.execute(text(query))] for name, query in queries.items()}


@pytest.fixture
def storage(empty_database) -> Iterator[PooledPostgresStorage]:
    with empty_database() as url:
        yield PooledPostgresStorage(normalise_url(url))


def connections(storage: PooledPostgresStorage) -> list[int]:
    """Server processes that serve this storage's database, but for the one that answers this."""
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with create_engine(storage.postgres_url).connect() as connection:
        return sorted(connection.scalars(text(query)))


def test_the_same_is_written_as_by_dagsters_own_storage(empty_database):
    with empty_database() as ours, empty_database() as dagsters:
        for storage in (PooledPostgresStorage(normalise_url(ours)), DagsterPostgresStorage(normalise_url(dagsters))):
            with an_instance(storage) as instance:
                assert [run_both(instance, key).success for key in ("good", "bad", "good")] == [True, False, True]

        told = written(ours)
        assert told == written(dagsters)
        assert ('["first"]', "breaks", "bad", "FAILED", False) in told["checks"]
        assert len(told["events"]) > 60


def test_what_is_written_reads_back_through_dagster(storage):
    with an_instance(storage) as instance:
        result = run_both(instance, "good")
        assert instance.get_materialized_partitions(dg.AssetKey("first")) == {"good"}
        latest = instance.get_latest_materialization_event(dg.AssetKey("first"))
        assert latest.asset_materialization.metadata["measured"].value == 1.5
        assert [entry.user_message for entry in instance.all_logs(result.run_id)].count("a line") == 1


def test_a_run_and_all_that_it_reads_take_one_connection(storage):
    with an_instance(storage) as instance:
        run_both(instance, "good")
        first_seen = connections(storage)
        run_both(instance, "another")
        assert connections(storage) == first_seen
        assert len(first_seen) == 1


def test_a_server_that_closed_the_connections_is_reached_by_new_ones(storage):
    with an_instance(storage) as instance:
        run_both(instance, "good")
        (kept,) = connections(storage)
        with create_engine(storage.postgres_url).connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": kept})
        assert run_both(instance, "good").success
        assert kept not in connections(storage)


def test_an_instance_that_ends_leaves_no_connection(storage):
    with an_instance(storage) as instance:
        run_both(instance, "good")
    assert connections(storage) == []
