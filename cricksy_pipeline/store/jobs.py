"""The run protocol of a job row: claim, heartbeat, progress, publish, complete, fail.

Belongs here: every change that a run makes to its row. Each is one `UPDATE ... WHERE id = :job AND dagster_run_id = :run`, so a run that
lost its claim, or was declared dead and woke again, changes nothing. Does not belong here: making rows (`sessions`), the fence
itself (`claims`), deciding what to publish (`orchestration`).

    queued/QUEUED 0 -> quick_running/QUICK 0..45 -> quick_done/QUICK_DONE 50 -> deep_running/DEEP 50..95 -> done/DONE 100
    failed/FAILED keeps its progress (at most 99). Quick-only jobs go quick_done -> done.

A finished job that is analysed anew is set aside whole at the claim: readers keep the earlier analysis until the new one is proven, and
where that fails or is stopped the row is what it was before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, case, func, or_, select, update

from cricksy_pipeline.errors import CODE_FACTS, CricksyError, ErrorCode
from cricksy_pipeline.store.claims import (
    ATTEMPT,
    FAILURE,
    JOB,
    NOW,
    LostClaim,
    at_least,
    begin_attempt,
    claim_values,
    end_attempt,
    has_held,
    held,
    holds,
    locked,
    lost,
    restored_values,
    set_session,
    silent_for,
)
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.documents import checked
from cricksy_pipeline.store.guardrail_log import GuardrailLog
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS, RUNNING, JobStatus, SessionStatus, VideoAnalysisJob
from cricksy_pipeline.store.sessions import SUMMARY_COLUMNS, JobSummary, SessionStore, plain_text, require_mode, unknown_job

__all__ = ["STALE_AFTER_S", "JobStore", "LostClaim", "Made"]

STALE_AFTER_S = 45.0
"""A claim whose heartbeat is older than this may be taken over. House default: nine missed heartbeats."""

RETRY_AFTER_S = (120.0, 600.0, 1800.0)
"""How long after its first, second, third failed attempt a job with a transient error is tried again by itself. House default."""

TRANSIENT = tuple(code.value for code, facts in CODE_FACTS.items() if facts.transient)

MAX_MESSAGE = 2000

NO_PDF: dict[str, None] = {"pdf_s3_key": None, "pdf_generated_at": None}
"""The columns of a row whose report is not printed: it goes with the report that it prints."""


@dataclass(frozen=True)
class Made:
    """What a stage made.

    Attributes:
        records: by step, {"inputs", "seconds", "cpu_s"}; the run and the attempt are added.
        objects: by output name, {"key", "sha256"}. Those recorded before stay.
    """

    records: dict[str, dict[str, Any]]
    objects: dict[str, dict[str, str]] = field(default_factory=dict)

    def merged(self, row: Row, run_id: str) -> dict[str, Any]:
        """The columns `stages` and `stored_objects` of a row with this added. `made_in` stays what it is when a later attempt keeps it."""
        by = {"run_id": run_id, "attempt": row.attempt, "made_in": row.attempt}
        stages = {**(row.stages or {}), **{name: {**record, **by} for name, record in self.records.items()}}
        stored = {**(row.stored_objects or {}), **self.objects}
        return {"stages": checked(stages, "stages"), **({"stored_objects": checked(stored, "stored_objects")} if stored else {})}


class JobStore(SessionStore):
    """The job rows: everything of `SessionStore`, and the run protocol.

    Every method may raise `UnknownJob`, and `CricksyError` DATABASE_UNAVAILABLE. Every method that takes a run id raises `LostClaim`
    where that run does not hold the row, unless it says otherwise.

    Attributes:
        guardrails: the outcomes of guardrails.
    """

    def __init__(self, engine: Engine, *, stale_after_s: float = STALE_AFTER_S) -> None:
        super().__init__(engine)
        self.stale_after_s = stale_after_s
        self.guardrails = GuardrailLog(engine)

    def claim(self, job_id: str, run_id: str, *, ended: str | None = None, fresh: bool = False) -> VideoAnalysisJob:
        """Start an attempt: the row is this run's from here on, and returned.

        What earlier attempts made stays in the row until a stage replaces it; a finished analysis is set aside for its readers. Claiming
        again in the same run changes nothing, unless the run had been declared failed: that starts the next attempt.

        Args:
            ended: a run that is known to have ended; where it holds the row, its young heartbeat is no obstacle.
            fresh: start from nothing; every stage is computed anew.

        Raises:
            LostClaim: another run holds the row, and its heartbeat is younger than `stale_after_s`.
        """
        with transaction(self.engine) as connection:
            row = locked(connection, job_id, self.stale_after_s)
            if row.dagster_run_id != run_id or row.status not in (*RUNNING, JobStatus.DONE):
                others = row.status in RUNNING and row.dagster_run_id not in (None, run_id, ended)
                if others and row.fresh:
                    raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
                values = claim_values(row, run_id, fresh=fresh)
                connection.execute(update(JOB).where(JOB.c.id == job_id).values(values))
                begin_attempt(connection, job_id, values["attempt"], run_id)
                set_session(connection, job_id, SessionStatus.PROCESSING)
        return self.get(job_id)

    def record_identity(
        self,
        job_id: str,
        run_id: str,
        *,
        source_sha256: str | None = None,
        source_size: int | None = None,
        analysis_version: str | None = None,
    ) -> None:
        """What is analysed, and by which version. Hash and size of the source are written once: what is in the row stays."""
        values: dict[str, Any] = {"heartbeat_at": NOW}
        if source_sha256 is not None:
            values["source_sha256"] = func.coalesce(JOB.c.source_sha256, source_sha256)
        if source_size is not None:
            values["source_size"] = func.coalesce(JOB.c.source_size, source_size)
        if analysis_version is not None:
            values["analysis_version"] = analysis_version
        self._change(job_id, run_id, **values)

    def record_stage(self, job_id: str, run_id: str, made: Made) -> None:
        """Remember what this attempt made, from which inputs. `done` is proven against it, and a later attempt may keep it."""
        with transaction(self.engine) as connection:
            row = self._held_row(connection, job_id, run_id)
            values = {**made.merged(row, run_id), "heartbeat_at": NOW}
            connection.execute(update(JOB).where(*held(job_id, run_id)).values(values))

    def keep_stage(self, job_id: str, run_id: str, name: str) -> None:
        """What an earlier attempt made in this stage still holds: it counts as this attempt's, and the row is where the stage leaves it."""
        with transaction(self.engine) as connection:
            row = self._held_row(connection, job_id, run_id)
            known = row.stages or {}
            stages = checked({**known, name: {**known.get(name, {}), "attempt": row.attempt}}, "stages")
            values = {"stages": stages, "heartbeat_at": NOW, **_LEAVES.get(name, {})}
            connection.execute(update(JOB).where(*held(job_id, run_id)).values(values))

    def heartbeat(self, job_id: str, run_id: str) -> None:
        """Say that the run is alive."""
        self._change(job_id, run_id, heartbeat_at=NOW)

    def progress(self, job_id: str, run_id: str, pct: float) -> None:
        """Say how far the run is, 0 to 99; never goes down within an attempt. Counts as a heartbeat. The caller throttles."""
        self._change(job_id, run_id, progress_pct=at_least(int(max(0.0, min(99.0, pct)))), heartbeat_at=NOW)

    def publish_quick(
        self,
        job_id: str,
        run_id: str,
        results: dict[str, Any],
        findings: dict[str, Any],
        report: dict[str, Any],
        results_s3_key: str,
        made: Made | None = None,
    ) -> None:
        """The quick pass is readable: quick_done, QUICK_DONE, 50 %. The row is read back and compared.

        Args:
            made: what `record_stage` would be told, in the same transaction: a run killed between the two would leave documents in the row
                of which nobody knows what they were made from.

        Raises:
            CricksyError: GUARDRAIL_FAILED, where a document is empty or not finite JSON, or the row gives back something else.
        """
        documents = {"quick_results": results, "quick_findings": findings, "quick_report": report}
        self._publish(job_id, run_id, documents, {"quick_results_s3_key": results_s3_key}, _LEAVES["quick_results"], made)

    def start_deep(self, job_id: str, run_id: str) -> None:
        """The deep pass begins: deep_running, DEEP, at least 50 %."""
        state = {"status": JobStatus.DEEP_RUNNING, "stage": "DEEP", "progress_pct": at_least(50), "deep_started_at": NOW}
        self._change(job_id, run_id, heartbeat_at=NOW, **state)

    def publish_deep_results(
        self, job_id: str, run_id: str, results: dict[str, Any], results_s3_key: str, made: Made | None = None
    ) -> None:
        """The deep pass's results; read back and compared. Findings and report of an earlier attempt go. Raises as `publish_quick`."""
        state = {**_LEAVES["deep_results"], "deep_findings": None, "deep_report": None, **NO_PDF}
        self._publish(job_id, run_id, {"deep_results": results}, {"deep_results_s3_key": results_s3_key}, state, made)

    def publish_findings(
        self,
        job_id: str,
        run_id: str,
        findings: dict[str, Any],
        results: dict[str, Any],
        results_s3_key: str,
        made: Made | None = None,
    ) -> None:
        """The final findings, in a field of their own and in the results that hold them; an earlier attempt's report goes.

        Read back and compared. Raises as `publish_quick`.
        """
        documents = {"deep_findings": findings, "deep_results": results}
        self._publish(job_id, run_id, documents, {"deep_results_s3_key": results_s3_key}, {"deep_report": None, **NO_PDF}, made)

    def publish_report(
        self,
        job_id: str,
        run_id: str,
        report: dict[str, Any],
        results: dict[str, Any],
        results_s3_key: str,
        pdf_s3_key: str,
        made: Made | None = None,
    ) -> None:
        """The final report, and where it lies as a PDF: as `publish_findings`."""
        documents = {"deep_report": report, "deep_results": results}
        keys = {"deep_results_s3_key": results_s3_key, "pdf_s3_key": pdf_s3_key}
        self._publish(job_id, run_id, documents, keys, {"pdf_generated_at": NOW}, made)

    def complete(self, job_id: str, run_id: str) -> None:
        """done, DONE, 100 %, session ready: one UPDATE that itself demands every artifact of the job's kind. A second call changes nothing.

        Raises:
            CricksyError: GUARDRAIL_FAILED, naming what is missing.
        """
        quick = [JOB.c[name].is_not(None) for name in QUICK_ARTIFACTS]
        # The PDF is demanded here and not by the database: rows that the constraint let be done before there was one stay done.
        deep = [or_(JOB.c.deep_enabled.is_(False), JOB.c[name].is_not(None)) for name in (*DEEP_ARTIFACTS, "pdf_s3_key")]
        values = {
            "status": JobStatus.DONE,
            "stage": "DONE",
            "progress_pct": 100,
            "completed_at": NOW,
            "deep_completed_at": case((JOB.c.deep_enabled, NOW)),
            "heartbeat_at": NOW,
            "superseded": None,
        }
        with transaction(self.engine) as connection:
            if connection.execute(update(JOB).where(*held(job_id, run_id), *quick, *deep).values(values)).rowcount == 1:
                end_attempt(connection, job_id, "done")
                set_session(connection, job_id, SessionStatus.READY)
                return
            row = locked(connection, job_id)
            if row.dagster_run_id == run_id and row.status == JobStatus.DONE:
                return
            if not holds(row, run_id):
                raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
            names = QUICK_ARTIFACTS + ((*DEEP_ARTIFACTS, "pdf_s3_key") if row.deep_enabled else ())
            lacking = ", ".join(name for name in names if getattr(row, name) is None)
            raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"The analysis is not whole: {lacking} missing in the row.")

    def fail(
        self,
        job_id: str,
        run_id: str,
        code: ErrorCode | str,
        message: str,
        stage_name: str | None = None,
        *,
        discredits: bool = False,
    ) -> bool:
        """failed, FAILED, session failed; progress and artifacts stay. Where a finished analysis was being replaced, that one is back.

        Never raises `LostClaim`: a late or dead run changes nothing. The history of attempts tells of the failure in either case.

        Args:
            code: what went wrong, an `ErrorCode`.
            message: for a person; cut at 2000 characters.
            stage_name: the asset in which it happened, kept as `failed_stage`.
            discredits: what failed its proof is of the earlier analysis itself, which is therefore not put back.

        Returns:
            Whether the row changed. False for a row that another run holds, or that is done or failed already.
        """
        return self._end(held(job_id, run_id), job_id, code, message, stage_name, discredits=discredits)

    def fail_unclaimed(self, job_id: str, code: ErrorCode | str, message: str, *, run_id: str = "", request: int | None = None) -> bool:
        """Fail a job whose run never got to claim it, or whose upload is no video: an attempt that never began.

        Args:
            run_id: of the run that never claimed, for the history.
            request: fail it only if this is still the request that waits, not a later one.

        Returns:
            False where a run holds the row, or where this very run once held it: it has been told then.
        """
        waiting = [JOB.c.id == job_id, JOB.c.status.in_([JobStatus.AWAITING_UPLOAD, JobStatus.QUEUED])]
        if request is not None:
            waiting.append(JOB.c.request == request)
        return self._end(tuple(waiting), job_id, code, message, None, unclaimed_by=run_id)

    def release(self, job_id: str, run_id: str, message: str) -> bool:
        """running -> queued, for a lost run that Dagster starts again by itself. Returns False where it did not hold the row."""
        values = {"status": JobStatus.QUEUED, "stage": "QUEUED", "dagster_run_id": None, "heartbeat_at": None, "requested_at": NOW}
        said = plain_text(message)[:MAX_MESSAGE]
        with transaction(self.engine) as connection:
            changed = connection.execute(update(JOB).where(*held(job_id, run_id)).values(**values, error_message=said)).rowcount == 1
            if changed:
                end_attempt(connection, job_id, "lost", error_code=ErrorCode.WORKER_LOST.value, error_message=said)
        return changed

    def requeue(
        self,
        job_id: str,
        *,
        analysis_mode: str | None = None,
        options: dict[str, Any] | None = None,
        fresh: bool = False,
        requested: bool = False,
    ) -> bool:
        """failed -> queued for another attempt. Artifacts stay, and the next attempt keeps of them what still holds.

        Args:
            analysis_mode: what was filmed, for a job that failed because nobody had said.
            options: all that is said beside the mode; None: as before.
            fresh: the next attempt computes every stage anew.
            requested: the caller runs it himself; no sensor is to ask for a run.

        Returns:
            False where the job had not failed.

        Raises:
            CricksyError: MODE_UNSUPPORTED.
        """
        values = {"status": JobStatus.QUEUED, "stage": "QUEUED", "progress_pct": 0, "request": JOB.c.request + 1}
        values |= dict.fromkeys(("dagster_run_id", "heartbeat_at", "requested_at", *FAILURE))
        if analysis_mode is not None:
            values["analysis_mode"] = require_mode(analysis_mode)
        if options is not None:
            values["analysis_options"] = options or None
        if fresh:
            values["stages"] = None
        if requested:
            values["requested_at"] = NOW
        with transaction(self.engine) as connection:
            failed = (JOB.c.id == job_id, JOB.c.status == JobStatus.FAILED)
            before = connection.execute(select(JOB.c.analysis_mode).where(*failed).with_for_update()).one_or_none()
            if before is not None and analysis_mode not in (None, before.analysis_mode):
                # What was made of it as another kind of cricket must not be read beside the new mode.
                values |= dict.fromkeys((*QUICK_ARTIFACTS, *DEEP_ARTIFACTS, *NO_PDF, "stages"))
            changed = connection.execute(update(JOB).where(*failed).values(values)).rowcount == 1
            if changed:
                set_session(connection, job_id, SessionStatus.PROCESSING)
        return changed

    def ask_again(self, job_id: str, request: int) -> bool:
        """A queued job whose run ended before it began is asked for once more. Returns False where that request no longer waits."""
        waiting = (JOB.c.id == job_id, JOB.c.status == JobStatus.QUEUED, JOB.c.request == request)
        with transaction(self.engine) as connection:
            changed = connection.execute(update(JOB).where(*waiting).values(request=request + 1, requested_at=None))
        return changed.rowcount == 1

    def due_for_retry(self, limit: int = 100) -> list[str]:
        """Failed jobs with a transient error and tries left, whose pause (`RETRY_AFTER_S`, by attempt) is over; oldest first."""
        pause = case(*((JOB.c.attempt <= attempt, seconds) for attempt, seconds in enumerate(RETRY_AFTER_S, start=1)), else_=None)
        rested = JOB.c.updated_at < NOW - func.make_interval(0, 0, 0, 0, 0, 0, pause)
        there = or_(JOB.c.source_etag.is_not(None), JOB.c.started_at.is_not(None))  # or its video was never stored
        # The number of tries is in `pause`, too; said by itself, the index passes over what has used them all.
        tries_left = JOB.c.attempt <= len(RETRY_AFTER_S)
        failed = (JOB.c.status == JobStatus.FAILED, JOB.c.error_code.in_(TRANSIENT), tries_left, rested, there)
        with transaction(self.engine) as connection:
            return list(connection.scalars(select(JOB.c.id).where(*failed).order_by(JOB.c.updated_at).limit(limit)))

    def status_of(self, job_id: str) -> str:
        """The job's status, without its documents. Raises UnknownJob."""
        with transaction(self.engine) as connection:
            found = connection.scalar(select(JOB.c.status).where(JOB.c.id == job_id))
        if found is None:
            raise unknown_job(job_id)
        return found

    def last_attempts(self, job_id: str, limit: int = 10) -> list[Row]:
        """The job's attempts, newest first: columns of `JobAttempt`."""
        query = select(ATTEMPT).where(ATTEMPT.c.job_id == job_id).order_by(ATTEMPT.c.attempt.desc()).limit(limit)
        with transaction(self.engine) as connection:
            return list(connection.execute(query))

    def without_heartbeat(self, older_than_s: float | None = None, *, limit: int | None = None, after: str = "") -> list[JobSummary]:
        """Claimed jobs whose run gave no sign of life for so long (default `stale_after_s`), in the order of their ids, after one."""
        silent = silent_for(self.stale_after_s if older_than_s is None else older_than_s)
        claimed = (JOB.c.dagster_run_id.is_not(None), JOB.c.status.in_(RUNNING), JOB.c.id > after)
        query = select(*SUMMARY_COLUMNS).where(*claimed, silent).order_by(JOB.c.id).limit(limit)
        with transaction(self.engine) as connection:
            return [JobSummary(*row) for row in connection.execute(query)]

    def fail_silent(self, job_id: str, message: str) -> bool:
        """Fail a job with WORKER_LOST whose run has been silent for `stale_after_s`: for a person, where no daemon watches."""
        silent = (JOB.c.id == job_id, JOB.c.status.in_(RUNNING), silent_for(self.stale_after_s))
        return self._end(silent, job_id, ErrorCode.WORKER_LOST, message, None)

    def _publish(
        self,
        job_id: str,
        run_id: str,
        documents: dict[str, Any],
        keys: dict[str, str],
        state: dict[str, Any],
        made: Made | None,
    ) -> None:
        given = {name: checked(document, name) for name, document in documents.items()}
        for name, key in keys.items():
            if not key:
                raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{name} is empty: the object's key is what a reader follows.")
        with transaction(self.engine) as connection:
            recorded = made.merged(self._held_row(connection, job_id, run_id), run_id) if made else {}
            self._write(connection, job_id, run_id, given | keys, {**state, **recorded})

    def _held_row(self, connection: Connection, job_id: str, run_id: str) -> Row:
        row = locked(connection, job_id)
        if not holds(row, run_id):
            raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
        return row

    def _write(self, connection: Connection, job_id: str, run_id: str, given: dict[str, Any], state: dict[str, Any]) -> None:
        """One UPDATE whose RETURNING is compared with what was given; a difference undoes the transaction."""
        statement = update(JOB).where(*held(job_id, run_id)).values(**given, **state, heartbeat_at=NOW)
        written = connection.execute(statement.returning(*(JOB.c[name] for name in given))).one_or_none()
        if written is None:
            lost(connection, job_id, run_id)
        different = [name for name in given if getattr(written, name) != given[name]]
        if different:
            message = f"The row of job {job_id} gives back another {', '.join(different)} than was written."
            raise CricksyError(ErrorCode.GUARDRAIL_FAILED, message)

    def _change(self, job_id: str, run_id: str, **values: Any) -> None:
        with transaction(self.engine) as connection:
            if connection.execute(update(JOB).where(*held(job_id, run_id)).values(values)).rowcount == 0:
                lost(connection, job_id, run_id)

    def _end(
        self,
        where: tuple[Any, ...],
        job_id: str,
        code: ErrorCode | str,
        message: str,
        stage_name: str | None,
        *,
        unclaimed_by: str | None = None,
        discredits: bool = False,
    ) -> bool:
        # PostgreSQL's text cannot hold the NUL character, and a failure must be recordable whatever it says.
        plain = plain_text(message) or ErrorCode(code).value
        why = {
            "error_code": ErrorCode(code).value,
            "error_message": plain if len(plain) <= MAX_MESSAGE else plain[: MAX_MESSAGE - 1] + "…",
            "failed_stage": stage_name,
        }
        progress = func.least(func.coalesce(JOB.c.progress_pct, 0), 99)
        failed = {"status": JobStatus.FAILED, "stage": "FAILED", "progress_pct": progress, **why}
        with transaction(self.engine) as connection:
            row = connection.execute(select(JOB.c.superseded, JOB.c.attempt).where(*where).with_for_update()).one_or_none()
            if row is None or (unclaimed_by and has_held(connection, job_id, unclaimed_by)):
                return False
            restored = row.superseded and not discredits
            values = restored_values(row.superseded) if restored else {**failed, "superseded": None}
            if unclaimed_by is not None:
                begin_attempt(connection, job_id, row.attempt + 1, unclaimed_by)
                values["attempt"] = row.attempt + 1
            connection.execute(update(JOB).where(JOB.c.id == job_id).values(values))
            end_attempt(connection, job_id, "failed", **why)
            set_session(connection, job_id, SessionStatus.READY if restored else SessionStatus.FAILED)
        return True


_LEAVES: dict[str, dict[str, Any]] = {
    "quick_results": {
        "status": JobStatus.QUICK_DONE,
        "stage": "QUICK_DONE",
        "progress_pct": at_least(50),
        "quick_completed_at": NOW,
    },
    "deep_results": {"progress_pct": at_least(95)},
}
"""Where a stage leaves the row: its progress by the protocol above."""
