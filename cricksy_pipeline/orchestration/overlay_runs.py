"""A run of the job `overlay_video` that a person asks for: by Dagster's daemon, or here in this process.

Belongs here: both ways. Does not belong here: the runs that the sensor asks for (`sensors.overlays`), what a run does (`overlaying`).
"""

from __future__ import annotations

from uuid import uuid4

from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemotePartitionSetOrigin, RemoteRepositoryOrigin
from dagster._core.remote_representation.external_data import partition_set_snap_name_for_job_name
from dagster._core.storage.tags import PRIORITY_TAG
from dagster._core.utils import make_new_backfill_id
from dagster._time import get_current_timestamp

from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.asset_options import OVERLAY_JOB
from cricksy_pipeline.orchestration.backfill_runs import CODE_LOCATION
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.instance import open_instance
from cricksy_pipeline.orchestration.local_run import QUIET, warm_runs
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore

PRIORITY = "-5"
"""Somebody waits for it, but no coach does."""


def draw_here(settings: Settings, jobs: JobStore, job_id: str, *, verbose: bool = False) -> bool:
    """Draw the overlay in this very process. Returns whether the run succeeded; the row's entry and the run's log say why not."""
    with warm_runs(settings, jobs) as runs:
        resources = {"jobs": jobs, "objects": stack.open_object_store(settings)}
        job = build_definitions(settings, resource_overrides=resources).resolve_job_def(OVERLAY_JOB)
        runs.instance.add_dynamic_partitions(videos.name, [job_id])
        result = job.execute_in_process(
            instance=runs.instance,
            partition_key=job_id,
            raise_on_error=False,
            run_id=str(uuid4()),
            run_config=None if verbose else QUIET,
        )
        return result.success


def ask_for_run(settings: Settings, job_id: str) -> str:
    """Have the daemon draw the overlay. Returns the id of the backfill under which the run stands in Dagster's pages."""
    record = PartitionBackfill(
        backfill_id=make_new_backfill_id(),
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags={PRIORITY_TAG: PRIORITY},
        backfill_timestamp=get_current_timestamp(),
        title=f"Overlay video of {job_id}",
        # By name alone: the daemon finds the location in its own workspace, wherever its code server is.
        partition_set_origin=RemotePartitionSetOrigin(
            repository_origin=RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(CODE_LOCATION), SINGLETON_REPOSITORY_NAME),
            partition_set_name=partition_set_snap_name_for_job_name(OVERLAY_JOB),
        ),
        partition_names=[job_id],
        reexecution_steps=None,
    )
    with open_instance(settings) as instance:
        instance.add_dynamic_partitions(videos.name, [job_id])
        instance.add_backfill(record)
    return record.backfill_id
