"""Who holds a job row: the fence that every write of a run passes, and what a claim writes.

Belongs here: conditions and values of statements, the history of attempts, and the error for a run that lost its row. Does not belong
here: the protocol's methods (`jobs`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from cricksy_pipeline.store.models import (
    DEEP_ARTIFACTS,
    FINISHED,
    QUICK_ARTIFACTS,
    RUNNING,
    SUPERSEDED,
    JobAttempt,
    JobStatus,
    SessionStatus,
    VideoAnalysisJob,
    VideoSession,
)
from cricksy_pipeline.store.sessions import unknown_job

JOB = VideoAnalysisJob.__table__
SESSION = VideoSession.__table__
ATTEMPT = JobAttempt.__table__
FAILURE = ("error_code", "error_message", "failed_stage")
# The database's clock: hosts disagree about the time, and transaction time stands still while a statement waits for a lock.
NOW = func.clock_timestamp()
# The same clock when the statement began: PostgreSQL compares it with an index, and never a clock that moves while it looks.
ASKED_AT = func.statement_timestamp()


class LostClaim(Exception):
    """The run does not hold the row: another does, or the row has ended.

    Attributes:
        owner: run id in the row now, or None.
        status: status of the row now.
    """

    def __init__(self, job_id: str, run_id: str, owner: str | None, status: str) -> None:
        super().__init__(f"run {run_id} does not hold job {job_id}: it is {status}, held by {owner or 'nobody'}")
        self.job_id, self.run_id, self.owner, self.status = job_id, run_id, owner, status

    def __reduce__(self):
        return (type(self), (self.job_id, self.run_id, self.owner, self.status))


def held(job_id: str, run_id: str) -> tuple[ColumnElement[bool], ...]:
    """The fence: this row, this run, and not ended."""
    return (JOB.c.id == job_id, JOB.c.dagster_run_id == run_id, JOB.c.status.in_(RUNNING))


def holds(row: Row, run_id: str) -> bool:
    """The fence, for a row that is locked already."""
    return row.dagster_run_id == run_id and row.status in RUNNING


def silent_for(seconds: float) -> ColumnElement[bool]:
    """The last heartbeat is older than so many seconds; NULL where there never was one."""
    return JOB.c.heartbeat_at < NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def at_least(pct: int) -> ColumnElement[int]:
    """A progress that never goes down."""
    return func.greatest(func.coalesce(JOB.c.progress_pct, 0), pct)


def locked(connection: Connection, job_id: str, stale_after_s: float = 0.0) -> Row:
    """The row, locked until the transaction ends, with `fresh`: whether its heartbeat is younger than `stale_after_s`.

    Raises:
        UnknownJob: no such job.
    """
    fresh = func.coalesce(~silent_for(stale_after_s), False).label("fresh")
    row = connection.execute(select(JOB, fresh).where(JOB.c.id == job_id).with_for_update(of=JOB)).one_or_none()
    if row is None:
        raise unknown_job(job_id)
    return row


def lost(connection: Connection, job_id: str, run_id: str) -> NoReturn:
    """Raise `LostClaim` with the present owner, or `UnknownJob`."""
    row = locked(connection, job_id)
    raise LostClaim(job_id, run_id, row.dagster_run_id, row.status)


def set_session(connection: Connection, job_id: str, status: SessionStatus) -> None:
    """The state of the job's session follows the job; a failure does not hide another analysis that can be read."""
    owner = select(JOB.c.session_id).where(JOB.c.id == job_id).scalar_subquery()
    if status == SessionStatus.FAILED:
        readable = select(JOB.c.id).where(JOB.c.session_id == owner, JOB.c.status.in_(FINISHED)).limit(1)
        status = SessionStatus.READY if connection.scalar(readable) else status
    connection.execute(update(SESSION).where(SESSION.c.id == owner).values(status=status))


def claim_values(row: Row, run_id: str, *, fresh: bool) -> dict[str, Any]:
    """What a claim writes: the start of the next attempt.

    What earlier attempts made stays: each stage keeps of it what still holds and replaces the rest. A finished analysis is set aside
    first, whole, so that readers keep it until the new one is proven and get it back if that fails.

    Args:
        fresh: nothing that earlier attempts made counts.
    """
    values: dict[str, Any] = {
        "dagster_run_id": run_id,
        # A row of the earlier system had its first attempt there: what is stored of it stays where it is.
        "attempt": (row.attempt or (1 if row.status in FINISHED else 0)) + 1,
        "status": JobStatus.QUICK_RUNNING,
        "stage": "QUICK",
        "progress_pct": 0,
        "started_at": NOW,
        "quick_started_at": NOW,
        "heartbeat_at": NOW,
        **dict.fromkeys(("completed_at", "quick_completed_at", "deep_started_at", "deep_completed_at", *FAILURE)),
    }
    if row.status in FINISHED:
        values["superseded"] = set_aside(row)
    if fresh:
        values["stages"] = None
    return values


def set_aside(row: Row) -> dict[str, Any]:
    """A finished analysis as the column `superseded` keeps it while another is made."""
    kept = {name: _plain(getattr(row, name)) for name in SUPERSEDED}
    # The earlier system called rows done that lack something: the database would not take such a row back as `done`.
    return kept if _is_whole(row) else {**kept, "status": JobStatus.COMPLETED}


def restored_values(superseded: dict[str, Any]) -> dict[str, Any]:
    """The columns of a finished analysis as they were before it was claimed again."""
    times = {name for name in SUPERSEDED if name.endswith("_at")}
    values = {name: datetime.fromisoformat(value) if name in times and value else value for name, value in superseded.items()}
    return {**values, "superseded": None, "dagster_run_id": None, **dict.fromkeys(FAILURE)}


def as_it_was(row: VideoAnalysisJob) -> VideoAnalysisJob:
    """A detached copy of a row whose analysis is being replaced, with the earlier analysis in its columns."""
    columns = {column.name: getattr(row, column.name) for column in JOB.columns}
    return VideoAnalysisJob(**{**columns, **restored_values(row.superseded)})


def begin_attempt(connection: Connection, job_id: str, attempt: int, run_id: str) -> None:
    """Write the attempt into the history, and end those before it that nobody ended."""
    running = (ATTEMPT.c.job_id == job_id, ATTEMPT.c.ended_at.is_(None))
    connection.execute(update(ATTEMPT).where(*running).values(ended_at=NOW, outcome="lost"))
    connection.execute(insert(ATTEMPT).values(job_id=job_id, attempt=attempt, run_id=run_id, started_at=NOW))


def end_attempt(connection: Connection, job_id: str, outcome: str, **why: Any) -> None:
    """Write how the running attempt ended, if one runs."""
    version = select(JOB.c.analysis_version).where(JOB.c.id == job_id).scalar_subquery()
    running = (ATTEMPT.c.job_id == job_id, ATTEMPT.c.ended_at.is_(None))
    connection.execute(update(ATTEMPT).where(*running).values(ended_at=NOW, outcome=outcome, analysis_version=version, **why))


def has_held(connection: Connection, job_id: str, run_id: str) -> bool:
    """Whether this run ever held the row."""
    return connection.scalar(select(ATTEMPT.c.attempt).where(ATTEMPT.c.job_id == job_id, ATTEMPT.c.run_id == run_id).limit(1)) is not None


def _is_whole(row: Row) -> bool:
    """What the constraint `DONE_IS_WHOLE` demands."""
    names = QUICK_ARTIFACTS + (DEEP_ARTIFACTS if row.deep_enabled is not False else ())
    kinds = [getattr(row, name) if name.endswith("_key") else isinstance(getattr(row, name), dict) for name in names]
    return row.stage == "DONE" and row.progress_pct == 100 and all(kinds)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
