"""What deleting a session needs of Dagster: its runs are stopped first, its partitions go last.

Belongs here: finding, stopping and awaiting runs, and the partition. Does not belong here: rows and objects (`store.deletion`, which the
API calls alone: it knows no Dagster, and the chore `forget_partitions` then removes the partition within the hour).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES, RunsFilter
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_START_TAG, PARTITION_NAME_TAG

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.store import deletion
from cricksy_pipeline.store.deletion import Deleted, SessionBusy, session_busy
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import RUNNING, JobStatus
from cricksy_pipeline.store.object_contract import ObjectStore
from cricksy_pipeline.store.sessions import UnknownSession

__all__ = ["Deleted", "SessionBusy", "UnknownSession", "delete_session", "unfinished_runs"]

CANCELED = "The analysis was canceled, because its session is being deleted."
WAIT_S = 60.0
POLL_S = 0.5

_log = logging.getLogger(__name__)


def delete_session(
    instance: dg.DagsterInstance,
    jobs: JobStore,
    objects: ObjectStore,
    session_id: str,
    *,
    cancel: bool = False,
    only_expired: bool = False,
    wait_s: float = WAIT_S,
) -> Deleted:
    """Delete the session, as `store.deletion.delete_session`, and then the partitions of its jobs.

    Args:
        cancel: stop what is queued or running first: the rows fail with CANCELED, so that no run writes any more, and the runs are ended.
        only_expired: only if its `retention_until` has passed; else `SessionBusy`.
        wait_s: how long to wait for runs to end.

    Raises:
        UnknownSession: no such session (any more).
        SessionBusy: a job or a run is at work; with `cancel`, a run did not end in time. Nothing was deleted, ask again.
        CricksyError: as the store's.
    """
    if cancel:
        _cancel(instance, jobs, session_id, wait_s)
    elif at_work := list(_runs_of(instance, jobs, session_id)):
        raise session_busy(session_id, _named(at_work))
    deleted = deletion.delete_session(jobs, objects, session_id, only_expired=only_expired)
    for job_id in deleted.jobs:
        # A run that someone started meanwhile finds no row and fails; its partition goes with the chore, once it has ended.
        if not unfinished_runs(instance, job_id):
            instance.delete_dynamic_partition(videos.name, job_id)
    return deleted


def unfinished_runs(instance: dg.DagsterInstance, job_id: str) -> list[dg.DagsterRun]:
    """The runs of the job's partition that are queued, starting, running or being canceled, whoever launched them."""
    # An asset backfill names its one partition as a range from itself to itself. Longer ranges do not occur: `multi_run(1)` everywhere.
    return [
        run
        for tag in (PARTITION_NAME_TAG, ASSET_PARTITION_RANGE_START_TAG)
        for run in instance.get_runs(RunsFilter(statuses=NOT_FINISHED_STATUSES, tags={tag: job_id}))
    ]


def _runs_of(instance: dg.DagsterInstance, jobs: JobStore, session_id: str) -> Iterator[dg.DagsterRun]:
    for job in jobs.list_jobs(session_id=session_id):
        yield from unfinished_runs(instance, job.id)


def _named(runs: list[dg.DagsterRun]) -> str:
    return ", ".join(f"run {run.run_id} is {run.status.value}" for run in runs)


def _cancel(instance: dg.DagsterInstance, jobs: JobStore, session_id: str, wait_s: float) -> None:
    """Fail the rows and end the runs, in turns, until no run is left: one that was just leaving the queue may claim its row once more."""
    dead = {job.dagster_run_id for job in jobs.without_heartbeat()}
    asked: set[str] = set()
    deadline = time.monotonic() + wait_s
    while True:
        for job in jobs.list_jobs(session_id=session_id):
            if job.status in RUNNING:
                jobs.fail(job.id, job.dagster_run_id, ErrorCode.CANCELED, CANCELED)
            elif job.status == JobStatus.QUEUED:
                jobs.fail_unclaimed(job.id, ErrorCode.CANCELED, CANCELED)
        at_work = list(_runs_of(instance, jobs, session_id))
        if not at_work:
            return
        unasked = [run for run in at_work if run.run_id not in asked]
        for run in unasked:
            asked.add(run.run_id)
            _end(instance, run.run_id, dead=run.run_id in dead)
        if unasked:
            continue
        if time.monotonic() >= deadline:
            raise session_busy(session_id, f"it was canceled, but {_named(at_work)} after {wait_s:g} s")
        time.sleep(POLL_S)


def _end(instance: dg.DagsterInstance, run_id: str, *, dead: bool) -> None:
    """Ask for the run's end. One that nobody can reach and that gave no sign of life is called canceled at once.

    A run in another process of this machine (`cricksy submit`) cannot be reached either, but lives: it ends by itself, when it finds that
    it does not hold its row any more.
    """
    try:
        reached = instance.run_coordinator.cancel_run(run_id)
    except Exception as error:  # whatever a launcher finds where the run's machine is gone
        _log.warning("run %s could not be asked to end: %s", run_id, error)
        reached = False
    run = instance.get_run_by_id(run_id)
    if dead and not reached and run is not None and not run.is_finished:
        instance.report_run_canceled(run, message="Canceled. It gave no sign of life, and could not be reached.")
