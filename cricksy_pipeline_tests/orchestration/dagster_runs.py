"""Dagster runs in any state, made without running anything, for the tests of what must not happen under a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from sqlalchemy import text


@dg.op
def nothing() -> None: ...


@dg.job
def idle() -> None:
    nothing()


ORIGIN = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("somewhere"), "a_repository"), "idle")
BY_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def made_run(instance: dg.DagsterInstance, key: str, status: dg.DagsterRunStatus, *, by_range: bool = False, **tags: str) -> str:
    """A run of this partition; `by_range` names it as an asset backfill does."""
    named = dict.fromkeys(BY_RANGE, key) if by_range else {"dagster/partition": key}
    return instance.create_run_for_job(idle, status=status, tags={**named, **tags}, remote_job_origin=ORIGIN).run_id


def age_run(instance: dg.DagsterInstance, run_id: str, days: float) -> None:
    """The run was last heard of so many days ago."""
    then = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
    with instance.run_storage.connect() as connection:
        connection.execute(text("UPDATE runs SET update_timestamp = :then WHERE run_id = :run"), {"then": then, "run": run_id})
