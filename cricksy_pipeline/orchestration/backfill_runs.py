"""Carrying a backfill out: by Dagster's daemon, which starts a process for each run, or here, in one process that stays warm.

Belongs here: both ways, and how each stands in Dagster's pages. Does not belong here: what is backfilled (`backfill`), what a run does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemotePartitionSetOrigin, RemoteRepositoryOrigin
from dagster._core.remote_representation.external_data import partition_set_snap_name_for_job_name
from dagster._core.storage.tags import BACKFILL_ID_TAG, PRIORITY_TAG
from dagster._core.utils import make_new_backfill_id
from dagster._time import get_current_timestamp

from cricksy_pipeline.orchestration.backfill import BackfillPlan, PlannedJob, count_in_words
from cricksy_pipeline.orchestration.instance import open_instance
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.local_run import WarmRuns, warm_runs
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.stage import FRESH_TAG
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import FINISHED
from cricksy_pipeline.store.sessions import UnknownJob

CODE_LOCATION = "cricksy_pipeline"
"""The name that workspace.yaml and pyproject.toml give the code location; a test holds that."""

MOST_KEYS = 5000
"""Partitions of one Dagster backfill. Before every 25 runs the daemon reads all runs that the backfill has: that grows with the square."""

PRIORITY = {False: "-10", True: "-20"}
"""By whether videos are looked into. Behind every upload, which has priority 10; and what is cheap before what is not."""


@dataclass
class Outcome:
    """What became of a backfill that ran here.

    Attributes:
        backfill_id: under which its runs stand in Dagster's pages.
        done: how many were analysed.
        failed: by job, why not. Its readers keep the earlier analysis.
        passed_over: jobs that were gone, or at work elsewhere, when their turn came.
        stopped: a person stopped it; the rest was not begun.
    """

    backfill_id: str
    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def ended(self) -> int:
        """How many jobs had their turn."""
        return self.done + len(self.failed) + len(self.passed_over)


def launch_backfill(settings: Settings, plan: BackfillPlan) -> list[str]:
    """As `launch`, on the instance that the settings name. Nothing runs unless a daemon does (`instance.daemon_is_alive`)."""
    with open_instance(settings) as instance:
        return launch(instance, plan)


def launch(instance: dg.DagsterInstance, plan: BackfillPlan) -> list[str]:
    """Ask Dagster for a run of each planned job. Partitions that were forgotten are added again.

    Returns:
        The ids of the backfills, each of at most `MOST_KEYS` partitions of one kind. The UI's page "Backfills" shows and stops them.
    """
    launched = []
    for looks in (False, True):
        jobs = plan.of_kind(looks=looks)
        for start in range(0, len(jobs), MOST_KEYS):
            backfill = _as_dagster_backfill(plan, jobs[start : start + MOST_KEYS])
            instance.add_dynamic_partitions(videos.name, backfill.partition_names)
            instance.add_backfill(backfill)
            launched.append(backfill.backfill_id)
    return launched


def run_backfill_here(settings: Settings, jobs: JobStore, plan: BackfillPlan, on_progress: Callable[[Outcome], None]) -> Outcome:
    """Analyse the planned jobs in this very process, one after the other. For rules that change, by far the cheapest way.

    Ctrl-C (SIGTERM too, within `stop_signals.stopped_by_signal`) ends it after the job in hand: that run is canceled, and its row is again
    as its readers know it.

    Args:
        on_progress: told after each job.
    """
    with warm_runs(settings, jobs) as runs:
        return run_here(runs, jobs, plan, on_progress)


def run_here(runs: WarmRuns, jobs: JobStore, plan: BackfillPlan, on_progress: Callable[[Outcome], None]) -> Outcome:
    """As `run_backfill_here`, with what is open already."""
    record = _as_dagster_backfill(plan, plan.jobs)
    # The daemon's queue knows backfill runs by this tag: while this one is at it, it starts none, and an upload finds its slot free. A run
    # that was stopped at this terminal is not started again by the daemon either.
    tags = {**record.tags, BACKFILL_ID_TAG: record.backfill_id, "dagster/max_retries": "0"}
    outcome = Outcome(record.backfill_id)
    try:
        for job in plan.jobs:
            _have_a_turn(job.id, runs, jobs, tags, outcome)
            on_progress(outcome)
    except KeyboardInterrupt:
        outcome.stopped = True
    finally:
        if outcome.ended or outcome.stopped:
            runs.instance.add_backfill(_ended(record, plan, outcome))
    return outcome


def _have_a_turn(job_id: str, runs: WarmRuns, jobs: JobStore, tags: dict[str, str], outcome: Outcome) -> None:
    try:
        free = jobs.status_of(job_id) in FINISHED
    except UnknownJob:
        free = False
    if not free:
        outcome.passed_over.append(job_id)
    elif runs.analyse(job_id, tags):
        outcome.done += 1
    else:
        last = next(iter(jobs.last_attempts(job_id, limit=1)), None)
        outcome.failed[job_id] = last.error_message if last and last.error_message else "The run's log in Dagster says why."


def _ended(record: PartitionBackfill, plan: BackfillPlan, outcome: Outcome) -> PartitionBackfill:
    """The record of what was done here, written when it has ended: an open one, the daemon would carry out itself."""
    status = BulkActionStatus.COMPLETED_SUCCESS
    if outcome.stopped:
        status = BulkActionStatus.CANCELED
    elif outcome.failed or outcome.ended < len(plan.jobs):
        status = BulkActionStatus.COMPLETED_FAILED
    return record.with_status(status).with_end_timestamp(get_current_timestamp())


def _as_dagster_backfill(plan: BackfillPlan, jobs: Iterable[PlannedJob]) -> PartitionBackfill:
    """A job backfill over these jobs, as the UI writes it, under a new id."""
    jobs = list(jobs)
    looks = any(job.looks for job in jobs)
    what = "everything anew" if plan.fresh else "a look into the video" if looks else "rules only"
    return PartitionBackfill(
        backfill_id=make_new_backfill_id(),
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags={PRIORITY_TAG: PRIORITY[looks], **({FRESH_TAG: "true"} if plan.fresh else {})},
        backfill_timestamp=get_current_timestamp(),
        title=f"To analysis version {plan.version}, {what}: {count_in_words(len(jobs))}",
        # By name alone: the daemon finds the location in its own workspace, wherever its code server is.
        partition_set_origin=RemotePartitionSetOrigin(
            repository_origin=RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(CODE_LOCATION), SINGLETON_REPOSITORY_NAME),
            partition_set_name=partition_set_snap_name_for_job_name(analysis.name),
        ),
        partition_names=[job.id for job in jobs],
        reexecution_steps=None,
    )
