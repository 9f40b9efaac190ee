"""What the end of a Dagster run means for the row that it held, or was to hold.

Belongs here: reading why a run ended, and telling the row if nobody did. Level-triggered and fenced: asked twice, or late, it changes
nothing. Does not belong here: who asks (`sensors.outcomes` soon after the end, `sensors.reconcile` whenever a row looks forgotten).
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration.asset_options import OVERLAY, OVERLAY_JOB
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import RUNNING, JobStatus
from cricksy_pipeline.store.sessions import UnknownJob

PARTITION_TAG = "dagster/partition"
REQUEST_TAG = "cricksy/request"
"""Which request for an analysis a run answers: the row's `request` when the run was asked for."""

RANGE_TAG = "dagster/asset_partition_range_start"
_STRATEGY_TAG = "dagster/retry_strategy"
_WILL_RETRY_TAG = "dagster/will_retry"


@dataclass(frozen=True)
class Ending:
    """Why a run ended, as a row says it."""

    code: ErrorCode
    message: str


def settle(instance: DagsterInstance, jobs: JobStore, run: DagsterRun) -> str | None:
    """Tell the row of a run that has ended how it ended, unless the row knows.

    Returns:
        What was done, for a log; None where there was nothing to do: not a run of ours, a row that has ended or has another run.
    """
    job_id = job_of(run)
    if job_id is None or not run.is_finished:
        return None
    try:
        row = jobs.get(job_id)
    except UnknownJob:
        return None
    holds = row.dagster_run_id == run.run_id and row.status in RUNNING
    waits = row.status == JobStatus.QUEUED and run.tags.get(REQUEST_TAG) == str(row.request)
    if not holds and not waits:
        return None
    ending = why_it_ended(instance, run)
    if run.tags.get(_WILL_RETRY_TAG) == "true" and run.tags.get(_STRATEGY_TAG) == "ALL_STEPS":
        # The row waits for Dagster's own second run. Should that never come, the reconciler asks for another. The hidden job of the asset
        # pages has no such tag: its second run would begin in the middle, where no run may begin.
        told = jobs.release(job_id, run.run_id, f"{ending.message} Another run follows by itself.") if holds else False
        return f"job_id={job_id} waits for another run: {ending.message}" if told else None
    if holds:
        told = jobs.fail(job_id, run.run_id, ending.code, ending.message)
    else:
        told = jobs.fail_unclaimed(job_id, ending.code, ending.message, run_id=run.run_id, request=row.request)
    return f"job_id={job_id} status_after=failed error_code={ending.code}: {ending.message}" if told else None


def job_of(run: DagsterRun) -> str | None:
    """The job that a run analyses; None for a run of something else, such as the overlay of a finished one."""
    if run.job_name == OVERLAY_JOB or run.asset_selection == {OVERLAY}:
        return None
    # An asset backfill names its one partition as a range from itself to itself. Longer ranges do not occur: `multi_run(1)` everywhere.
    return run.tags.get(PARTITION_TAG) or run.tags.get(RANGE_TAG)


def why_it_ended(instance: DagsterInstance, run: DagsterRun) -> Ending:
    """The reason, from the run's status and log."""
    if run.status == DagsterRunStatus.CANCELED:
        return Ending(ErrorCode.CANCELED, "The run was stopped by a person.")
    if run.status == DagsterRunStatus.SUCCESS:
        return Ending(ErrorCode.INTERNAL, "The run ended, and the analysis was not completed.")
    for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE):
        failure = entry.dagster_event.step_failure_data
        said = failure.user_failure_data
        if said is not None and "error_code" in said.metadata:  # ours: the stage had a code, and could not write it
            words = str(said.description or "").partition(": ")[2]
            return Ending(ErrorCode(said.metadata["error_code"].value), words or "The stage did not say why.")
        cause = failure.error and (failure.error.cause or failure.error)
        return Ending(ErrorCode.INTERNAL, f"A fault in {entry.dagster_event.step_key}: {_first_line(cause)}")
    failures = [entry.dagster_event for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_FAILURE)]
    for failure in failures:
        error = failure.job_failure_data.error if failure.job_failure_data else None
        if error is not None and error.cls_name != "DagsterExecutionInterruptedError":
            return _before_any_stage(error)
    messages = [failure.message for failure in failures]
    said_last = messages[-1] if messages else "nothing"
    return Ending(ErrorCode.WORKER_LOST, f"The process that ran the analysis went away. Dagster says: {said_last}")


def _before_any_stage(error: dg.SerializableErrorInfo) -> Ending:
    """A resource that could not be made: nothing of ours ran that could have told the row. Its own words, and its code if it has one."""
    while error.cause is not None:
        error = error.cause
    line = _first_line(error)
    code, _, words = line.partition(": ")[2].partition(": ")
    return Ending(ErrorCode(code), words) if code in ErrorCode.__members__ else Ending(ErrorCode.INTERNAL, f"Before any stage: {line}")


def _first_line(error: dg.SerializableErrorInfo | None) -> str:
    return ((error.message if error else "") or "no message").strip().splitlines()[0][:300]
