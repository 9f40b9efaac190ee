"""Who holds a job row: the fence that every write of a run passes, and what a claim writes.

Belongs here: conditions and values of statements, and the error for a run that lost its row. Does not belong here: the protocol's
methods (`jobs`).
"""

from __future__ import annotations

from typing import Any, NoReturn

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS, RUNNING, JobStatus, SessionStatus, VideoAnalysisJob, VideoSession
from cricksy_pipeline.store.sessions import unknown_job

JOB = VideoAnalysisJob.__table__
SESSION = VideoSession.__table__
# The database's clock: hosts disagree about the time, and transaction time stands still while a statement waits for a lock.
NOW = func.clock_timestamp()


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
    """The state of the job's session follows the job."""
    owner = select(JOB.c.session_id).where(JOB.c.id == job_id).scalar_subquery()
    connection.execute(update(SESSION).where(SESSION.c.id == owner).values(status=status))


def first_values(run_id: str, attempt: int, *, keep: bool) -> dict[str, Any]:
    """What a claim writes: the start of attempt `attempt`. With `keep`, the artifacts stay and the quick pass counts as done."""
    values: dict[str, Any] = {
        "dagster_run_id": run_id,
        "attempt": attempt,
        "status": JobStatus.QUICK_DONE if keep else JobStatus.QUICK_RUNNING,
        "stage": "QUICK_DONE" if keep else "QUICK",
        "progress_pct": 50 if keep else 0,
        "started_at": NOW,
        "heartbeat_at": NOW,
        "completed_at": None,
        "deep_completed_at": None,
        "error_code": None,
        "error_message": None,
        "failed_stage": None,
    }
    if not keep:
        values |= dict.fromkeys((*QUICK_ARTIFACTS, *DEEP_ARTIFACTS, "stored_objects"))
        values |= {"quick_started_at": NOW, "quick_completed_at": None, "deep_started_at": None}
    return values
