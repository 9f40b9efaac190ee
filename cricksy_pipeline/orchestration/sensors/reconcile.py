"""The reconciler: compares every row that is not finished with what Dagster knows, and mends what was forgotten.

Belongs here: rows whose run fell silent, rows that wait for a run that does not exist, failures that may pass. It looks at the state, not
at events, so that nothing it missed is lost: after a dead host, a killed daemon or a lost event the next look finds the same row. Each
row is looked at on its own; one that cannot be mended does not hold up the others. Does not belong here: what the end of a run means
(`settling`), launching runs (`sensors.uploads`).
"""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as a class, not as text.

import json
import time
from collections.abc import Callable

import dagster as dg
from dagster import DagsterInstance, DagsterRun

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration.resources import Jobs
from cricksy_pipeline.orchestration.settling import PARTITION_TAG, REQUEST_TAG, settle
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.run_queue import RunQueue
from cricksy_pipeline.store.sessions import JobSummary

INTERVAL_S = 10
CONFIRM_S = 15.0
"""A silent row is believed dead only if it is still silent this much later: after a pause of the database every row looks silent."""
UNSTARTED_S = 60.0
"""A row asked for longer ago than this is looked for among Dagster's runs."""
PAGE = 200


@dg.sensor(
    name="reconcile",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=INTERVAL_S,
    description="Rows whose run died or never came are told, tried again or asked for again.",
)
def reconcile(context: dg.SensorEvaluationContext, jobs: Jobs) -> dg.SensorResult:
    """One look at every unfinished row, in pages."""
    known = _known(context.cursor)
    report = context.log.warning
    suspects = _silent(context.instance, jobs, known["suspects"], report)
    after = _unstarted(context.instance, jobs, known["after"], report)
    for job_id in jobs.due_for_retry(PAGE):
        if jobs.requeue(job_id):
            report(f"job_id={job_id} is tried again: its error may have passed")
    return dg.SensorResult(cursor=json.dumps({"suspects": suspects, "after": after}))


def _known(cursor: str | None) -> dict:
    try:
        known = json.loads(cursor or "{}")
        return {"suspects": dict(known.get("suspects") or {}), "after": known.get("after") or ""}
    except (ValueError, AttributeError, TypeError):  # of an older version: a look from the start costs nothing but time
        return {"suspects": {}, "after": ""}


def _silent(instance: DagsterInstance, jobs: JobStore, suspects: dict[str, list], report: Callable[[str], None]) -> dict[str, list]:
    """Rows whose run fell silent: told at once where Dagster knows that it ended, else once the silence is confirmed."""
    still: dict[str, list] = {}
    for row in jobs.without_heartbeat()[:PAGE]:
        heartbeat = row.heartbeat_at.isoformat()
        earlier, since = suspects.get(row.id, (None, 0.0))
        first_seen = since if earlier == heartbeat else time.time()
        with _each(row.id, report):
            run = instance.get_run_by_id(row.dagster_run_id)
            if run is not None and run.is_finished:
                _say(report, settle(instance, jobs, run))
            elif time.time() - first_seen >= CONFIRM_S:
                _declare_lost(instance, jobs, row, run, report)
            else:
                still[row.id] = [heartbeat, first_seen]
    return still


def _declare_lost(
    instance: DagsterInstance, jobs: JobStore, row: JobSummary, run: DagsterRun | None, report: Callable[[str], None]
) -> None:
    words = f"The process that ran the analysis gave no sign of life since {row.heartbeat_at:%H:%M:%S} UTC."
    if run is None:  # a run that Dagster does not know: deleted, or of another instance
        if jobs.fail(row.id, row.dagster_run_id, ErrorCode.WORKER_LOST, words):
            report(f"job_id={row.id} status_after=failed error_code=WORKER_LOST: {words}")
        return
    # Dagster's default launcher never notices a dead machine: the run would stay started, and keep its slot in the queue, for ever.
    instance.report_run_failed(run, message=f"{words} Ended by the reconciler.")
    _say(report, settle(instance, jobs, instance.get_run_by_id(run.run_id)))


def _unstarted(instance: DagsterInstance, jobs: JobStore, after: str, report: Callable[[str], None]) -> str:
    """Rows that were asked for and do not run: a lost request is asked for again, a run that ended before it began is told."""
    queue = RunQueue(jobs.engine)
    waiting = queue.requested_before(UNSTARTED_S, limit=PAGE, after=after)
    newest = _newest_runs(instance, [row.id for row in waiting])
    for row in waiting:
        with _each(row.id, report):
            run = newest.get(row.id)
            if run is None or int(run.tags.get(REQUEST_TAG, row.request)) < row.request:
                queue.forget_request([row.id])
                report(f"job_id={row.id} is asked for again: no run came of the last request")
            elif run.is_finished and not _say(report, settle(instance, jobs, run)) and jobs.ask_again(row.id, row.request):
                report(f"job_id={row.id} is asked for again: its run {run.run_id} ended and no other followed")
    return waiting[-1].id if len(waiting) == PAGE else ""


def _newest_runs(instance: DagsterInstance, job_ids: list[str]) -> dict[str, DagsterRun]:
    if not job_ids:
        return {}
    runs = instance.get_runs(filters=dg.RunsFilter(tags={PARTITION_TAG: job_ids}))  # newest first
    return {run.tags[PARTITION_TAG]: run for run in reversed(runs)}


def _say(report: Callable[[str], None], told: str | None) -> str | None:
    if told:
        report(told)
    return told


class _each:
    """One row's turn: what goes wrong with it is said, and the next row has its turn."""

    def __init__(self, job_id: str, report: Callable[[str], None]) -> None:
        self._job_id, self._report = job_id, report

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, Exception):
            self._report(f"job_id={self._job_id} could not be reconciled: {type(error).__name__}: {error}")
            return True
        return False
