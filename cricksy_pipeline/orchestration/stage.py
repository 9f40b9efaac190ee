"""One stage of a run: who owns the row, that it is alive, and that every failure reaches it.

Belongs here: the wrapper inside which every asset and check body runs. Does not belong here: what a stage computes or stores, what of an
earlier attempt still holds (`keeping`).

Why a wrapper and not a hook or a sensor: Dagster's hooks do not see check steps, and a run-failure sensor loses an event when its
body raises. What is written here, in the process that failed, is written while the reason is still known.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg
from dagster import DagsterExecutionInterruptedError

from cricksy_pipeline.analysis.model import Networks, networks_identity
from cricksy_pipeline.analysis.versions import STAGE_VERSIONS, analysis_version, stage_inputs
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.loading import return_large_blocks, trim_heap
from cricksy_pipeline.orchestration.asked import analysis_options
from cricksy_pipeline.orchestration.cost import Cost
from cricksy_pipeline.orchestration.progress_log import ProgressLog
from cricksy_pipeline.orchestration.pulse import Beat, Pulse
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore, LostClaim
from cricksy_pipeline.store.models import RUNNING, VideoAnalysisJob
from cricksy_pipeline.store.sessions import UnknownJob

PROGRESS_S = 1.0
FAIL_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)
"""How long to wait between attempts to write a failure: a restarted PostgreSQL is back within these."""

AGAIN_AFTER_S: dict[ErrorCode, tuple[float, ...]] = {
    # Together 65 s: a store or a database that is away for a minute costs a run nothing but time.
    ErrorCode.STORE_UNAVAILABLE: (5.0, 10.0, 20.0, 30.0),
    ErrorCode.DATABASE_UNAVAILABLE: (5.0, 10.0, 20.0, 30.0),
    ErrorCode.POSE_CRASHED: (1.0,),
}
"""How long a step waits before each of its further tries inside the same run, by error. Every other error ends the run at once."""

FRESH_TAG = "cricksy/fresh"
"""A run with this tag set to `true` computes every stage anew, whatever still holds."""


class Discredited(CricksyError):
    """What failed its proof is kept from an earlier analysis: that one is not to be called done any more either."""


@dataclass
class Stage:
    """A running stage, as an asset body sees it.

    Attributes:
        row: the job row as it was when the stage began.
        log: Dagster's log of this step; lines are also what operators search for.
        networks: the pose networks that this code location uses.
    """

    name: str
    row: VideoAnalysisJob
    run_id: str
    jobs: JobStore
    log: logging.Logger
    networks: Networks
    _beat: Beat
    cost: Cost = field(default_factory=Cost)
    _written_at: float = 0.0

    @property
    def job_id(self) -> str:
        """The job, which is also the partition key."""
        return self.row.id

    @property
    def analysis_version(self) -> str:
        """The version by which this run analyses."""
        return analysis_version(networks=self.networks)

    def inputs(self, source_sha256: str | None = None) -> dict[str, str]:
        """By stage, the hash of all that its output follows from; empty as long as nobody has read the source."""
        source = source_sha256 or self.row.source_sha256
        if source is None:
            return {}
        return stage_inputs(
            source_sha256=source,
            mode=self.row.analysis_mode,
            sample_fps=self.row.sample_fps,
            networks=self.networks,
            include_frames=self.row.include_frames,
            options=analysis_options(self.row),
        )

    def progress(self, low: float, high: float) -> Callable[[int, int], None]:
        """A callback for (done, wanted) that moves the row from `low` to `high` per cent, at most once a second, by real frames.

        The log hears of it more seldom (`progress_log`): each of its lines is kept for ever.
        """
        lines = ProgressLog()

        def report(done: int, wanted: int) -> None:
            if self._beat.lost.is_set():
                _owned(self.jobs, self.job_id, self.run_id)
            share = done / wanted if wanted else 1.0
            if line := lines.line(done, wanted):
                self.log.info("%s: job_id=%s %s", self.name, self.job_id, line)
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


class Stages:
    """The stages of one run, opened one after the other. Closed when the run ends, and with it the row's heartbeat."""

    def __init__(self, jobs: JobStore, settings: Settings) -> None:
        self._jobs = jobs
        self._networks = networks_identity(settings.pose_model, settings.pose_finder)
        self._pulse = Pulse(jobs)
        return_large_blocks()

    def close(self) -> None:
        """No further sign of life."""
        self._pulse.stop()

    @contextmanager
    def enter(
        self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, name: str, *, claims: bool = False
    ) -> Iterator[Stage]:
        """Run the body as stage `name` of the job that the partition key names.

        The first stage claims the row for this run; the others demand that it does own it. From then on the row's heartbeat moves.
        A transient error is tried again inside the run, after a pause, as often as `AGAIN_AFTER_S` says; the row keeps running meanwhile.
        Any other exception is written to the row under its code and raised again; one with a code as `dg.Failure`.
        A run that has lost the row (to a newer run) writes nothing.
        """
        jobs, job_id, run_id = self._jobs, context.partition_key, context.run.run_id
        trim_heap()  # of what the stage before has left
        waiting = claims  # until the claim has succeeded the row is nobody's
        try:
            row = _claimed(context, jobs, job_id, run_id) if claims else _owned(jobs, job_id, run_id)
            waiting = False
            yield Stage(name, row, run_id, jobs, context.log, self._networks, self._pulse.begin(job_id, run_id, context.log))
        except (LostClaim, UnknownJob) as lost:
            raise dg.Failure(description=f"{lost}. Nothing was written.", allow_retries=False) from lost
        except (dg.Failure, dg.RetryRequested):
            raise  # already recorded, by what raised it
        except CricksyError as error:
            _try_again_later(context, job_id, name, error)
            _record(jobs, job_id, run_id, name, error, context.log, waiting=waiting)
            raise dg.Failure(
                description=str(error),
                metadata={"error_code": str(error.code), "advice": error.advice, "stage": name},
                allow_retries=False,
            ) from error
        except BaseException as error:
            _record(jobs, job_id, run_id, name, _as_coded(error, name, context), context.log, waiting=waiting)
            raise


def _try_again_later(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, job_id: str, name: str, error: CricksyError
) -> None:
    """Ask Dagster to run the step again in this very run, if the error is of a kind that passes and tries are left."""
    pauses, tried = AGAIN_AFTER_S.get(error.code, ()), context.op_execution_context.retry_number
    if tried < len(pauses):
        context.log.warning("%s: job_id=%s try %d of %d in %g s: %s", name, job_id, tried + 2, len(pauses) + 1, pauses[tried], error)
        raise dg.RetryRequested(max_retries=len(pauses), seconds_to_wait=pauses[tried]) from error


def _claimed(context: dg.AssetExecutionContext, jobs: JobStore, job_id: str, run_id: str) -> VideoAnalysisJob:
    """The row, claimed. Only by a run of all six assets: any other could never end what it began."""
    chosen, steps = context.run.asset_selection, context.run.step_keys_to_execute
    whole = {dg.AssetKey(name) for name in STAGE_VERSIONS}
    if (chosen and not whole <= chosen) or (steps and not set(STAGE_VERSIONS) <= set(steps)):
        raise dg.Failure(
            "Only a run of all six assets may begin a job: materialize the whole group. What still holds of earlier work is kept, not made "
            "again. Nothing was written.",
            allow_retries=False,
        )
    fresh = context.run.tags.get(FRESH_TAG) == "true"
    try:
        return jobs.claim(job_id, run_id, fresh=fresh)
    except LostClaim as lost:
        # A killed run leaves a young heartbeat behind; Dagster may know that it is dead.
        holder = context.instance.get_run_by_id(lost.owner) if lost.owner else None
        if holder is None or not holder.is_finished:
            raise
        return jobs.claim(job_id, run_id, ended=lost.owner, fresh=fresh)


def _owned(jobs: JobStore, job_id: str, run_id: str) -> VideoAnalysisJob:
    """The row, if this run holds it. A stage materialized alone, or after another run took over, does not, and must change nothing."""
    row = jobs.get(job_id)
    if row.dagster_run_id != run_id or row.status not in RUNNING:
        raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
    return row


def _as_coded(error: BaseException, name: str, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> CricksyError:
    if isinstance(error, (KeyboardInterrupt, DagsterExecutionInterruptedError, SystemExit, GeneratorExit)):
        if _by_a_person(context):
            return CricksyError(ErrorCode.CANCELED, f"The run was stopped during {name}.")
        return CricksyError(ErrorCode.WORKER_LOST, f"The machine that ran the analysis was taken away during {name}.")
    return CricksyError(ErrorCode.INTERNAL, f"An unexpected fault stopped {name} ({type(error).__name__}: {str(error)[:300]}).")


def _by_a_person(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> bool:
    """Whether somebody wanted the run to end: at his terminal, or in Dagster, which then says so. A deployment just sends a signal."""
    if context.run.remote_job_origin is None:  # a run of `cricksy submit`, in its own process
        return True
    try:
        run = context.instance.get_run_by_id(context.run.run_id)
    except Exception:  # whatever keeps Dagster's database from answering: nobody is known to have asked
        return False
    return run is None or run.status in (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED)


def _record(jobs: JobStore, job_id: str, run_id: str, name: str, error: CricksyError, log: logging.Logger, *, waiting: bool) -> None:
    """Write the failure to the row, patiently: what made the stage fail may be the very database that this needs.

    A run that failed before it could claim holds no row: one that is still `waiting` is failed all the same, or it would wait for ever.
    """
    for pause_s in (*FAIL_PAUSES_S, None):
        try:
            if waiting:
                changed = jobs.fail_unclaimed(job_id, error.code, error.message, run_id=run_id)
            else:
                changed = jobs.fail(job_id, run_id, error.code, error.message, name, discredits=isinstance(error, Discredited))
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
