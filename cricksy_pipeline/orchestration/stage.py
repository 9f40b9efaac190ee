"""One stage of a run: who owns the row, that it is alive, and that every failure reaches it.

Belongs here: the wrapper inside which every asset and check body runs. Does not belong here: what a stage computes or stores.

Why a wrapper and not a hook or a sensor: Dagster's hooks do not see check steps, and a run-failure sensor loses an event when its
body raises. What is written here, in the process that failed, is written while the reason is still known.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg
from dagster import DagsterExecutionInterruptedError

from cricksy_pipeline.analysis.versions import STAGE_VERSIONS
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.jobs import JobStore, LostClaim
from cricksy_pipeline.store.models import RUNNING, VideoAnalysisJob
from cricksy_pipeline.store.sessions import UnknownJob

HEARTBEAT_S = 10.0
PROGRESS_S = 1.0
FAIL_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""How long to wait between attempts to write a failure: a restarted PostgreSQL is back within these."""


@dataclass
class Stage:
    """A running stage, as an asset body sees it.

    Attributes:
        row: the job row as it was when the stage began.
        log: Dagster's log of this step; lines are also what operators search for.
    """

    name: str
    row: VideoAnalysisJob
    run_id: str
    jobs: JobStore
    log: logging.Logger
    _lost: threading.Event = field(default_factory=threading.Event)
    _written_at: float = 0.0
    _logged_tenth: int = -1

    @property
    def job_id(self) -> str:
        """The job, which is also the partition key."""
        return self.row.id

    def progress(self, low: float, high: float) -> Callable[[int, int], None]:
        """A callback for (done, wanted) that moves the row from `low` to `high` per cent, at most once a second, by real frames."""

        def report(done: int, wanted: int) -> None:
            if self._lost.is_set():
                _owned(self.jobs, self.job_id, self.run_id)
            share = done / wanted if wanted else 1.0
            if int(share * 10) > self._logged_tenth:
                self._logged_tenth = int(share * 10)
                self.log.info("%s: job_id=%s %d of %d frames", self.name, self.job_id, done, wanted)
            if done >= wanted or time.monotonic() - self._written_at >= PROGRESS_S:
                self._written_at = time.monotonic()
                self._write_progress(low + (high - low) * share)

        return report

    def _write_progress(self, percent: float) -> None:
        try:
            self.jobs.progress(self.job_id, self.run_id, percent)
        except CricksyError as error:  # away for a moment: minutes of work are not thrown away for a progress bar
            if error.code is not ErrorCode.DATABASE_UNAVAILABLE:
                raise
            self.log.warning("progress of job_id=%s not written: %s", self.job_id, error)


@contextmanager
def stage(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, jobs: JobStore, name: str, *, claims: bool = False
) -> Iterator[Stage]:
    """Run the body as stage `name` of the job that the partition key names.

    The first stage claims the row for this run; the others demand that it does own it. While the body runs the row's heartbeat moves.
    Any exception is written to the row under its code and raised again; one with a code as `dg.Failure`, which says whether a retry can
    help.
    A run that has lost the row (to a newer run) writes nothing.
    """
    job_id, run_id = context.partition_key, context.run.run_id
    waiting = claims  # until the claim has succeeded the row is nobody's
    try:
        row = _claimed(context, jobs, job_id, run_id) if claims else _owned(jobs, job_id, run_id)
        waiting = False
        current = Stage(name, row, run_id, jobs, context.log)
        with _heartbeat(current):
            yield current
    except (LostClaim, UnknownJob) as lost:
        raise dg.Failure(description=f"{lost}. Nothing was written.", allow_retries=False) from lost
    except dg.Failure:
        raise  # already recorded, by what raised it
    except CricksyError as error:
        _record(jobs, job_id, run_id, name, error, context.log, waiting=waiting)
        raise dg.Failure(
            description=str(error),
            metadata={"error_code": str(error.code), "advice": error.advice, "stage": name},
            allow_retries=error.transient,
        ) from error
    except BaseException as error:
        _record(jobs, job_id, run_id, name, _as_coded(error, name), context.log, waiting=waiting)
        raise


def _claimed(context: dg.AssetExecutionContext, jobs: JobStore, job_id: str, run_id: str) -> VideoAnalysisJob:
    """The row, claimed. Only by a run of all six assets: any other could never end what it began, and would empty a row that is done."""
    chosen, steps = context.run.asset_selection, context.run.step_keys_to_execute
    whole = {dg.AssetKey(name) for name in STAGE_VERSIONS}
    if (chosen and not whole <= chosen) or (steps and not set(STAGE_VERSIONS) <= set(steps)):
        raise dg.Failure(
            "Only a run of all six assets may begin a job: materialize the whole group. Nothing was written.", allow_retries=False
        )
    return jobs.claim(job_id, run_id)


def _owned(jobs: JobStore, job_id: str, run_id: str) -> VideoAnalysisJob:
    """The row, if this run holds it. A stage materialized alone, or after another run took over, does not, and must change nothing."""
    row = jobs.get(job_id)
    if row.dagster_run_id != run_id or row.status not in RUNNING:
        raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
    return row


def _as_coded(error: BaseException, name: str) -> CricksyError:
    if isinstance(error, (KeyboardInterrupt, DagsterExecutionInterruptedError, SystemExit, GeneratorExit)):
        return CricksyError(ErrorCode.CANCELED, f"The run was stopped during {name}.")
    return CricksyError(ErrorCode.INTERNAL, f"An unexpected fault stopped {name} ({type(error).__name__}: {str(error)[:300]}).")


def _record(jobs: JobStore, job_id: str, run_id: str, name: str, error: CricksyError, log: logging.Logger, *, waiting: bool) -> None:
    """Write the failure to the row, patiently: what made the stage fail may be the very database that this needs.

    A run that failed before it could claim holds no row: one that is still `waiting` is failed all the same, or it would wait for ever.
    """
    for pause_s in (*FAIL_PAUSES_S, None):
        try:
            if waiting:
                changed = jobs.fail_unclaimed(job_id, error.code, error.message)
            else:
                changed = jobs.fail(job_id, run_id, error.code, error.message, name)
        except Exception as second:  # the first error is the one to raise
            log.error("could not write the failure of job_id=%s to its row: %s", job_id, second)
            if pause_s is None or not (isinstance(second, CricksyError) and second.transient):
                return
            time.sleep(pause_s)
        else:
            after = "failed" if changed else "unchanged"
            log.error("job_id=%s status_after=%s error_code=%s stage=%s: %s", job_id, after, error.code, name, error.message)
            if detail := getattr(error, "detail", None):  # what a child process said last
                log.error("job_id=%s stage=%s:\n%s", job_id, name, detail)
            return


@contextmanager
def _heartbeat(current: Stage) -> Iterator[None]:
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT_S):
            try:
                current.jobs.heartbeat(current.job_id, current.run_id)
            except LostClaim:
                current._lost.set()
                return
            except Exception as error:  # whatever it is, a run that lives must not look dead: the next beat tries again
                current.log.warning("heartbeat of job_id=%s failed: %s", current.job_id, error)

    thread = threading.Thread(target=beat, name=f"heartbeat-{current.job_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=HEARTBEAT_S)
