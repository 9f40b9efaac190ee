"""Runs that failed or were stopped: their rows are told within seconds.

Belongs here: Dagster's own signals that a run has ended. Both watch every job: materializing from the asset pages runs in a hidden one. An
exception in the body would lose the event for good, so the body is one call, and a database that is away fails the tick before the body
begins, which keeps the event. Faster than the reconciler, not surer. Does not belong here: what an end means (`settling`).
"""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as a class, not as text.

import dagster as dg

from cricksy_pipeline.orchestration.resources import AnsweringJobs
from cricksy_pipeline.orchestration.settling import settle

INTERVAL_S = 5


@dg.run_failure_sensor(
    name="failed_runs",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=INTERVAL_S,
    description="A run that failed without telling its row (a killed worker, a fault in Dagster itself): the row is told.",
)
def failed_runs(context: dg.RunFailureSensorContext, answering_jobs: AnsweringJobs) -> None:
    """Tell the row of a failed run."""
    if told := settle(context.instance, answering_jobs, context.dagster_run):
        context.log.warning(told)


@dg.run_status_sensor(
    name="stopped_runs",
    run_status=dg.DagsterRunStatus.CANCELED,
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=INTERVAL_S,
    description="A run that a person stopped, perhaps before it began: its row is told.",
)
def stopped_runs(context: dg.RunStatusSensorContext, answering_jobs: AnsweringJobs) -> None:
    """Tell the row of a stopped run."""
    if told := settle(context.instance, answering_jobs, context.dagster_run):
        context.log.warning(told)
