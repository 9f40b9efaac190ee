"""How the whole stands: how many videos in which state, what failed, what waits, what was analysed with older rules.

Belongs here: these questions in SQL, none of which touches a document. Does not belong here: whether a finished row can be read
(`readability`), which numbers are too high and how they are shown (`orchestration.inventory`).

A video that is analysed anew and fails is `done` as before; so what the last day was like is told from the history of attempts, not from
the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Select, func, select

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.store.claims import ASKED_AT, ATTEMPT, JOB, NOW
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import FINISHED, JobStatus
from cricksy_pipeline.store.run_queue import QUEUED
from cricksy_pipeline.store.selection import by_another_version
from cricksy_pipeline.store.sessions import SUMMARY_COLUMNS, JobSummary

HOUR_H, DAY_H = 1.0, 24.0


@dataclass(frozen=True)
class Ended:
    """Attempts that ended within the last `hours`: `lost` ones were still running for the row when the next began."""

    hours: float
    done: int
    failed: int
    lost: int

    @property
    def attempts(self) -> int:
        """All that ended."""
        return self.done + self.failed + self.lost

    @property
    def done_per_hour(self) -> float:
        """Throughput."""
        return self.done / self.hours

    @property
    def failed_per_hour(self) -> float:
        """Failed and lost ones."""
        return (self.failed + self.lost) / self.hours

    @property
    def failure_share(self) -> float | None:
        """Failed and lost ones of all, 0 to 1; None where none ended."""
        return (self.failed + self.lost) / self.attempts if self.attempts else None


@dataclass(frozen=True)
class Inventory:
    """The table at one moment.

    Attributes:
        by_status: rows by status; every status is there.
        failed_by_code: attempts of the last 24 hours that failed, by error code, most first; a lost one is WORKER_LOST.
        stale: rows that a run holds which gave no sign of life for `stale_after_s`, the longest silent first.
        oldest_queued_s: how long the longest waiting queued job waits, in seconds; None where none waits. A job that is tried again waits
            since its last attempt ended.
        last_hour, last_day: attempts that ended.
        by_version: finished rows by analysis version; None is the earlier system's.
    """

    by_status: dict[str, int]
    failed_by_code: dict[str, int]
    stale: list[JobSummary]
    oldest_queued_s: float | None
    last_hour: Ended
    last_day: Ended
    by_version: dict[str | None, int]

    def outdated(self, current_version: str) -> int:
        """How many finished rows were analysed with other rules than those of this version."""
        return sum(count for version, count in self.by_version.items() if version != current_version)


def read_inventory(jobs: JobStore, *, stale_after_s: float) -> Inventory:
    """Count everything, now.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    stale = jobs.without_heartbeat(stale_after_s)
    with transaction(jobs.engine) as connection:
        counted = _counts(connection, select(JOB.c.status, func.count()).group_by(JOB.c.status))
        version = JOB.c.analysis_version
        versions = select(version, func.count()).where(JOB.c.status.in_(FINISHED)).group_by(version).order_by(func.count().desc(), version)
        return Inventory(
            by_status={str(status): counted.get(status, 0) for status in JobStatus},
            failed_by_code=_failed_by_code(connection),
            stale=stale,
            oldest_queued_s=_oldest_queued_s(connection),
            last_hour=_ended(connection, HOUR_H),
            last_day=_ended(connection, DAY_H),
            by_version=_counts(connection, versions),
        )


def outdated(jobs: JobStore, current_version: str, *, limit: int | None = None) -> list[JobSummary]:
    """The finished videos that were analysed with other rules than those of this version, the oldest analysis first.

    Rows of the earlier system have no version and belong to them.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    older = (JOB.c.status.in_(FINISHED), by_another_version(current_version))
    query = select(*SUMMARY_COLUMNS).where(*older).order_by(JOB.c.completed_at.asc().nulls_first(), JOB.c.id).limit(limit)
    with transaction(jobs.engine) as connection:
        return [JobSummary(*row) for row in connection.execute(query)]


def _counts(connection: Connection, query: Select) -> dict:
    return {kind: count for kind, count in connection.execute(query)}


def _within(hours: float) -> ColumnElement[bool]:
    return ATTEMPT.c.ended_at > ASKED_AT - func.make_interval(0, 0, 0, 0, 0, 0, hours * 3600)


def _ended(connection: Connection, hours: float) -> Ended:
    query = select(ATTEMPT.c.outcome, func.count()).where(_within(hours)).group_by(ATTEMPT.c.outcome)
    counted = _counts(connection, query)
    return Ended(hours, *(counted.get(outcome, 0) for outcome in ("done", "failed", "lost")))


def _failed_by_code(connection: Connection) -> dict[str, int]:
    code = func.coalesce(ATTEMPT.c.error_code, ErrorCode.WORKER_LOST.value)
    failed = (_within(DAY_H), ATTEMPT.c.outcome.in_(("failed", "lost")))
    query = select(code, func.count()).where(*failed).group_by(code).order_by(func.count().desc(), code)
    return _counts(connection, query)


def _oldest_queued_s(connection: Connection) -> float | None:
    tried = select(func.max(ATTEMPT.c.ended_at)).where(ATTEMPT.c.job_id == JOB.c.id).scalar_subquery()
    waits_since = func.greatest(JOB.c.created_at, tried)  # GREATEST passes over NULL
    seconds = connection.scalar(select(func.extract("epoch", NOW - func.min(waits_since))).where(QUEUED))
    return None if seconds is None else max(0.0, float(seconds))
