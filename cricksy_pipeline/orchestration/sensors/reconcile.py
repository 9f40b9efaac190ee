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
from datetime import datetime

import dagster as dg
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.storage.dagster_run import RunRecord

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration.resources import Jobs
from cricksy_pipeline.orchestration.settling import PARTITION_TAG, RANGE_TAG, job_of, settle
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.run_queue import RunQueue, WaitingJob
from cricksy_pipeline.store.sessions import JobSummary

INTERVAL_S = 10
SIGHTINGS = 2
"""A silent row is believed dead only if the same silence was seen so many times before: after a pause of the database every row looks
silent for a moment. Looks are ten seconds apart. Counted, not timed: this machine's clock and the database's need not agree."""
UNSTARTED_S = 60.0
"""A row asked for longer ago than this is looked for among Dagster's runs."""
BEGIN_S = 180.0
"""A run that started longer ago than this and has not claimed its row never will. A claim is tried for about a minute."""
CLOCKS_S = 5.0
"""How far the clocks of Dagster's database and ours may differ."""
PAGE = 100
BUDGET_S = 30.0
"""How long one look may take; Dagster gives a tick 60 s. What was not looked at has its turn in the next."""


@dg.sensor(
    name="reconcile",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=INTERVAL_S,
    description="Rows whose run died or never came are told, tried again or asked for again.",
)
def reconcile(context: dg.SensorEvaluationContext, jobs: Jobs) -> dg.SensorResult:
    """One look at the unfinished rows, in pages that go round."""
    known, look = _known(context.cursor), _Look(context.instance, jobs, context.log.warning, time.monotonic() + BUDGET_S)
    silent_after, suspects = look.silent(known["silent_after"], known["suspects"])
    unstarted_after = look.unstarted(known["unstarted_after"])
    for job_id in jobs.due_for_retry(PAGE):
        if jobs.requeue(job_id):
            look.report(f"job_id={job_id} is tried again: its error may have passed")
    return dg.SensorResult(cursor=json.dumps({"suspects": suspects, "silent_after": silent_after, "unstarted_after": unstarted_after}))


def _known(cursor: str | None) -> dict:
    """What the last look knew; nothing, where the cursor is of an older version: a look from the start costs nothing but time."""
    try:
        known = json.loads(cursor or "{}")
        suspects = {str(job): (str(beat), int(times)) for job, (beat, times) in dict(known.get("suspects") or {}).items()}
        places = {name: str(known.get(name) or "") for name in ("silent_after", "unstarted_after")}
    except (ValueError, AttributeError, TypeError):
        return {"suspects": {}, "silent_after": "", "unstarted_after": ""}
    return {"suspects": suspects, **places}


class _Look:
    """One look: where from, and until when."""

    def __init__(self, instance: DagsterInstance, jobs: JobStore, report: Callable[[str], None], deadline: float) -> None:
        self._instance, self._jobs, self.report, self._deadline = instance, jobs, report, deadline
        self._queue = RunQueue(jobs.engine)

    def silent(self, after: str, suspects: dict[str, tuple[str, int]]) -> tuple[str, dict[str, tuple[str, int]]]:
        """Rows whose run fell silent: told at once where Dagster knows that it ended, else once the silence is confirmed.

        Returns where to go on, and whom to suspect: those seen now, and those of other pages.
        """
        page = self._jobs.without_heartbeat(limit=PAGE, after=after)
        still = {job: seen for job, seen in suspects.items() if job <= after or (len(page) == PAGE and job > page[-1].id)}
        for row in page:
            if time.monotonic() > self._deadline:
                return after, still
            after = row.id
            beat = row.heartbeat_at.isoformat()
            earlier, times = suspects.get(row.id, ("", 0))
            with _each(row.id, self.report):
                run = self._instance.get_run_by_id(row.dagster_run_id)
                if run is not None and run.is_finished:
                    self._tell(run)
                elif earlier == beat and times >= SIGHTINGS:
                    self._declare_lost(row, run)
                else:
                    still[row.id] = (beat, times + 1 if earlier == beat else 1)
        return (after if len(page) == PAGE else ""), still

    def unstarted(self, after: str) -> str:
        """Rows that were asked for and do not run: a lost request is asked for again, a run that ended before it began is told."""
        page = self._queue.requested_before(UNSTARTED_S, limit=PAGE, after=after)
        answers, spent = self._answers(page)
        for row in page:
            if time.monotonic() > self._deadline:
                return after
            after = row.id
            with _each(row.id, self.report):
                self._mend_unstarted(row, answers.get(row.id), spent)
        return after if len(page) == PAGE else ""

    def _mend_unstarted(self, row: WaitingJob, answer: RunRecord | None, spent: set[str]) -> None:
        if answer is None:
            # A key that a run has had is spent: Dagster remembers it for ever.
            if not (row.id in spent and self._jobs.ask_again(row.id, row.request)):
                self._queue.forget_request([row.id])
            self.report(f"job_id={row.id} is asked for again: no run came of the last request")
            return
        run = answer.dagster_run
        if not run.is_finished and answer.start_time and answer.start_time < datetime.now().timestamp() - BEGIN_S:
            # Its machine died between start and claim: there is no heartbeat to miss.
            self._instance.report_run_failed(run, message="It started and never claimed its row. Ended by the reconciler.")
            run = self._instance.get_run_by_id(run.run_id)
        if not run.is_finished or self._tell(run):
            return
        if run.status == DagsterRunStatus.CANCELED:  # whatever it was launched by: what a person stopped does not begin again by itself
            self._jobs.fail_unclaimed(row.id, ErrorCode.CANCELED, "The run was stopped by a person.", request=row.request)
        elif self._jobs.ask_again(row.id, row.request):
            self.report(f"job_id={row.id} is asked for again: its run {run.run_id} ended and no other followed")

    def _answers(self, rows: list[WaitingJob]) -> tuple[dict[str, RunRecord], set[str]]:
        """The newest run of each row that came after it was asked for, and the rows that have only older runs, which are no answer."""
        if not rows:
            return {}, set()
        asked = {row.id: row.requested_at.timestamp() - CLOCKS_S for row in rows}
        found: dict[str, RunRecord] = {}
        older: set[str] = set()
        for tag in (PARTITION_TAG, RANGE_TAG):
            for record in self._instance.get_run_records(dg.RunsFilter(tags={tag: list(asked)})):
                job_id, made = job_of(record.dagster_run), record.create_timestamp.timestamp()
                if job_id is None:  # of the partition, but no analysis
                    continue
                newest = found.get(job_id)
                if made < asked[job_id]:
                    older.add(job_id)
                elif newest is None or made > newest.create_timestamp.timestamp():
                    found[job_id] = record
        return found, older - set(found)

    def _declare_lost(self, row: JobSummary, run: DagsterRun | None) -> None:
        words = f"The process that ran the analysis gave no sign of life since {row.heartbeat_at:%H:%M:%S} UTC."
        if run is None:  # a run that Dagster does not know: deleted, or of another instance
            if self._jobs.fail(row.id, row.dagster_run_id, ErrorCode.WORKER_LOST, words):
                self.report(f"job_id={row.id} status_after=failed error_code=WORKER_LOST: {words}")
            return
        # Dagster's default launcher never notices a dead machine: the run would stay started, and keep its slot in the queue, for ever.
        self._instance.report_run_failed(run, message=f"{words} Ended by the reconciler.")
        self._tell(self._instance.get_run_by_id(run.run_id))

    def _tell(self, run: DagsterRun) -> bool:
        told = settle(self._instance, self._jobs, run)
        if told:
            self.report(told)
        return told is not None


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
