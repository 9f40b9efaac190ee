"""Asks for overlays of finished jobs: one at a time, and only while no analysis waits.

Belongs here: when to ask, and when to stop asking. Does not belong here: which are due (`store.overlays`), drawing. It looks at the rows,
not at events, so a look that was missed costs nothing but half a minute.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of resources as classes, not as text.

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES, RunsFilter

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.jobs import overlay_video
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.resources import Config, Jobs
from cricksy_pipeline.orchestration.settling import PARTITION_TAG
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.overlays import DueOverlay, Overlays
from cricksy_pipeline.store.run_queue import RunQueue

INTERVAL_S = 30
WITHIN_DAYS = 7.0
"""Older jobs get an overlay when somebody asks for it (`cricksy overlay JOB`). House default."""
TRIES = 2
"""Failed tries over the same results, where the error may pass."""
MOST_RUNS = 4
"""Runs over the same results, however they ended: one whose machine died tells its row nothing."""
PAGE = 20
OF_TAG = "cricksy/overlay_of"
PRIORITY = "-30"
"""Behind uploads (10), chores (-10) and backfills (-10, -20)."""


@dg.sensor(
    name="overlays",
    job=overlay_video,
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for the overlay video of each job that was finished in the last days: one run at a time, while no upload waits.",
)
def overlays(context: dg.SensorEvaluationContext, jobs: Jobs, settings: Config) -> dg.SensorResult:
    """One look: at most one run."""
    if not settings.overlays:
        return dg.SensorResult(skip_reason="switched off: CRICKSY_OVERLAYS")
    if context.instance.get_run_ids(RunsFilter(job_name=overlay_video.name, statuses=NOT_FINISHED_STATUSES), limit=1):
        return dg.SensorResult(skip_reason="an overlay is being made")
    queue = RunQueue(jobs.engine)
    if queue.waiting(1) or queue.requested(1):
        return dg.SensorResult(skip_reason="analyses wait: these come first")
    for due in Overlays(jobs.engine).due(within_days=WITHIN_DAYS, tries=TRIES, limit=PAGE):
        if request := _request(context, jobs, due):
            added = [videos.build_add_request([due.job_id])]  # a person may have removed the partition
            return dg.SensorResult(run_requests=[request], dynamic_partitions_requests=added)
    return dg.SensorResult(skip_reason="every finished job of the last days has its overlay, or was tried in vain")


def _request(context: dg.SensorEvaluationContext, jobs: JobStore, due: DueOverlay) -> dg.RunRequest | None:
    """A run for it; None where so many have ended without a word that it is given up, which the row then says."""
    of = f"{due.of[:16]}{'-blurred' if due.blurred else ''}"
    before = context.instance.get_runs_count(RunsFilter(tags={PARTITION_TAG: due.job_id, OF_TAG: of}))
    if before >= MOST_RUNS:
        said = CricksyError(ErrorCode.WORKER_LOST, f"{before} runs that drew the overlay ended without a word.")
        Overlays(jobs.engine).record_failure(due, said, "", final=True)
        context.log.warning("job_id=%s: %s", due.job_id, said)
        return None
    # Dagster remembers a run key for ever: a run that was lost leaves the job due, and the next one has another key.
    tags = {"dagster/priority": PRIORITY, OF_TAG: of}
    return dg.RunRequest(partition_key=due.job_id, run_key=f"overlay:{due.job_id}:{of}:{before}", tags=tags)
