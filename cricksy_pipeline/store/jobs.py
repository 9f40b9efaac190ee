"""The run protocol of a job row: claim, heartbeat, progress, publish, complete, fail.

Belongs here: every change that a run makes to its row. Each is one `UPDATE ... WHERE id = :job AND dagster_run_id = :run`, so a run that
lost its claim, or was declared dead and woke again, changes nothing. Does not belong here: making rows (`sessions`), the fence
itself (`claims`), deciding what to publish (`orchestration`).

    queued/QUEUED 0 -> quick_running/QUICK 0..45 -> quick_done/QUICK_DONE 50 -> deep_running/DEEP 50..95 -> done/DONE 100
    failed/FAILED keeps its progress (at most 99). Quick-only jobs go quick_done -> done.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Engine, case, func, or_, select, update

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.claims import JOB, NOW, LostClaim, at_least, first_values, held, holds, locked, lost, set_session, silent_for
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.documents import checked
from cricksy_pipeline.store.guardrail_log import GuardrailLog
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS, RUNNING, JobStatus, SessionStatus, VideoAnalysisJob
from cricksy_pipeline.store.sessions import SUMMARY_COLUMNS, JobSummary, SessionStore

__all__ = ["STALE_AFTER_S", "JobStore", "LostClaim"]

STALE_AFTER_S = 120.0
"""A claim whose heartbeat is older than this may be taken over. House default: twelve missed heartbeats."""

MAX_MESSAGE = 2000


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

    def claim(self, job_id: str, run_id: str, *, resume: bool = False) -> VideoAnalysisJob:
        """Start an attempt: the row is this run's from here on, and returned.

        What earlier attempts left in the row (artifacts, error, times) is cleared; a `done` row is analysed anew just because someone
        claims it, so callers ask first. Claiming again in the same run changes nothing, unless the run had been declared failed: that
        starts the next attempt.

        Args:
            resume: keep the artifacts that are there; for a run that repeats only the later part of a failed one. Where the quick pass
                is not whole, this is a plain claim.

        Raises:
            LostClaim: another run holds the row, and its heartbeat is younger than `stale_after_s`.
        """
        with transaction(self.engine) as connection:
            row = locked(connection, job_id, self.stale_after_s)
            if row.dagster_run_id != run_id or row.status not in (*RUNNING, JobStatus.DONE):
                if row.status in RUNNING and row.dagster_run_id not in (None, run_id) and row.fresh:
                    raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
                keep = resume and all(getattr(row, name) for name in QUICK_ARTIFACTS)
                values = first_values(run_id, row.attempt + 1, keep=keep)
                connection.execute(update(JOB).where(JOB.c.id == job_id).values(values))
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

    def record_objects(self, job_id: str, run_id: str, sha256_by_name: dict[str, str]) -> None:
        """Which outputs this attempt has stored, with the hash of each: what `done` is proven against. Those recorded before stay."""
        with transaction(self.engine) as connection:
            row = locked(connection, job_id)
            if not holds(row, run_id):
                raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
            merged = checked({**(row.stored_objects or {}), **sha256_by_name}, "stored_objects")
            connection.execute(update(JOB).where(*held(job_id, run_id)).values(stored_objects=merged, heartbeat_at=NOW))

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
    ) -> None:
        """The quick pass is readable: quick_done, QUICK_DONE, 50 %. The row is read back and compared.

        Raises:
            CricksyError: GUARDRAIL_FAILED, where a document is empty or not finite JSON, or the row gives back something else.
        """
        documents = {"quick_results": results, "quick_findings": findings, "quick_report": report}
        state = {"status": JobStatus.QUICK_DONE, "stage": "QUICK_DONE", "progress_pct": at_least(50), "quick_completed_at": NOW}
        self._publish(job_id, run_id, documents, {"quick_results_s3_key": results_s3_key}, state)

    def start_deep(self, job_id: str, run_id: str) -> None:
        """The deep pass begins: deep_running, DEEP, at least 50 %."""
        state = {"status": JobStatus.DEEP_RUNNING, "stage": "DEEP", "progress_pct": at_least(50), "deep_started_at": NOW}
        self._change(job_id, run_id, heartbeat_at=NOW, **state)

    def publish_deep_results(self, job_id: str, run_id: str, results: dict[str, Any], results_s3_key: str) -> None:
        """The deep pass's results; read back and compared. Raises as `publish_quick`."""
        self._publish(job_id, run_id, {"deep_results": results}, {"deep_results_s3_key": results_s3_key}, {"progress_pct": at_least(95)})

    def publish_findings(self, job_id: str, run_id: str, findings: dict[str, Any]) -> None:
        """The final findings: in a field of their own and, in the same UPDATE, under `findings` in the results.

        They are the deep pass's; of a quick-only job, the quick pass's. Read back and compared. Raises as `publish_quick`, and
        GUARDRAIL_FAILED where the results are not there yet.
        """
        self._publish_part(job_id, run_id, "findings", findings)

    def publish_report(self, job_id: str, run_id: str, report: dict[str, Any]) -> None:
        """The final report: as `publish_findings`, under `report`."""
        self._publish_part(job_id, run_id, "report", report)

    def complete(self, job_id: str, run_id: str) -> None:
        """done, DONE, 100 %, session ready: one UPDATE that itself demands every artifact of the job's kind. A second call changes nothing.

        Raises:
            CricksyError: GUARDRAIL_FAILED, naming what is missing.
        """
        quick = [JOB.c[name].is_not(None) for name in QUICK_ARTIFACTS]
        deep = [or_(JOB.c.deep_enabled.is_(False), JOB.c[name].is_not(None)) for name in DEEP_ARTIFACTS]
        values = {
            "status": JobStatus.DONE,
            "stage": "DONE",
            "progress_pct": 100,
            "completed_at": NOW,
            "deep_completed_at": case((JOB.c.deep_enabled, NOW)),
            "heartbeat_at": NOW,
        }
        with transaction(self.engine) as connection:
            if connection.execute(update(JOB).where(*held(job_id, run_id), *quick, *deep).values(values)).rowcount == 1:
                set_session(connection, job_id, SessionStatus.READY)
                return
            row = locked(connection, job_id)
            if row.dagster_run_id == run_id and row.status == JobStatus.DONE:
                return
            if not holds(row, run_id):
                raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
            names = QUICK_ARTIFACTS + (DEEP_ARTIFACTS if row.deep_enabled else ())
            lacking = ", ".join(name for name in names if getattr(row, name) is None)
            raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"The analysis is not whole: {lacking} missing in the row.")

    def fail(self, job_id: str, run_id: str, code: ErrorCode | str, message: str, stage_name: str | None = None) -> bool:
        """failed, FAILED, session failed; progress and artifacts stay. Never raises `LostClaim`: a late or dead run changes nothing.

        Args:
            code: what went wrong, an `ErrorCode`.
            message: for a person; cut at 2000 characters.
            stage_name: the asset in which it happened, kept as `failed_stage`.

        Returns:
            Whether the row changed. False for a row that another run holds, or that is done or failed already.
        """
        return self._end(held(job_id, run_id), job_id, code, message, stage_name)

    def fail_unclaimed(self, job_id: str, code: ErrorCode | str, message: str) -> bool:
        """Fail a job whose run never got to claim it, or whose upload is no video. Returns False where a run holds it or held it."""
        waiting = (JOB.c.id == job_id, JOB.c.status.in_([JobStatus.AWAITING_UPLOAD, JobStatus.QUEUED]))
        return self._end(waiting, job_id, code, message, None)

    def requeue(self, job_id: str) -> bool:
        """failed -> queued for another attempt; artifacts stay readable until the claim. Returns False where the job had not failed."""
        values = {"status": JobStatus.QUEUED, "stage": "QUEUED", "progress_pct": 0}
        values |= dict.fromkeys(("dagster_run_id", "heartbeat_at", "error_code", "error_message", "failed_stage"))
        with transaction(self.engine) as connection:
            failed = (JOB.c.id == job_id, JOB.c.status == JobStatus.FAILED)
            changed = connection.execute(update(JOB).where(*failed).values(values)).rowcount == 1
            if changed:
                set_session(connection, job_id, SessionStatus.PROCESSING)
        return changed

    def without_heartbeat(self, older_than_s: float | None = None) -> list[JobSummary]:
        """Claimed jobs whose run gave no sign of life for so long (default `stale_after_s`): what a reconciler fails with WORKER_LOST."""
        silent = silent_for(self.stale_after_s if older_than_s is None else older_than_s)
        claimed = (JOB.c.dagster_run_id.is_not(None), JOB.c.status.in_(RUNNING))
        query = select(*SUMMARY_COLUMNS).where(*claimed, silent).order_by(JOB.c.heartbeat_at)
        with transaction(self.engine) as connection:
            return [JobSummary(*row) for row in connection.execute(query)]

    def _publish(self, job_id: str, run_id: str, documents: dict[str, Any], keys: dict[str, str], state: dict[str, Any]) -> None:
        given = {name: checked(document, name) for name, document in documents.items()}
        for name, key in keys.items():
            if not key:
                raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{name} is empty: the object's key is what a reader follows.")
        with transaction(self.engine) as connection:
            self._write(connection, job_id, run_id, given | keys, state)

    def _publish_part(self, job_id: str, run_id: str, part: str, document: dict[str, Any]) -> None:
        given = checked(document, part)
        with transaction(self.engine) as connection:
            row = locked(connection, job_id)
            if not holds(row, run_id):
                raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)
            passname = "deep" if row.deep_enabled else "quick"
            results = getattr(row, f"{passname}_results")
            if not results:
                raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{passname}_results must be published before the {part}.")
            values = {f"{passname}_{part}": given, f"{passname}_results": {**results, part: given}}
            self._write(connection, job_id, run_id, values, {})

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

    def _end(self, where: tuple[Any, ...], job_id: str, code: ErrorCode | str, message: str, stage_name: str | None) -> bool:
        # PostgreSQL's text cannot hold the NUL character, and a failure must be recordable whatever it says.
        plain = message.replace("\x00", "").encode(errors="replace").decode() or ErrorCode(code).value
        values = {
            "status": JobStatus.FAILED,
            "stage": "FAILED",
            "progress_pct": func.least(func.coalesce(JOB.c.progress_pct, 0), 99),
            "error_code": ErrorCode(code).value,
            "error_message": plain if len(plain) <= MAX_MESSAGE else plain[: MAX_MESSAGE - 1] + "…",
            "failed_stage": stage_name,
        }
        with transaction(self.engine) as connection:
            changed = connection.execute(update(JOB).where(*where).values(values)).rowcount == 1
            if changed:
                set_session(connection, job_id, SessionStatus.FAILED)
        return changed
