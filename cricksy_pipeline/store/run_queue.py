"""Jobs that wait for a run, and jobs for which one was asked: the queue between the rows and Dagster.

Belongs here: which jobs a sensor asks runs for, and what it remembers of having asked. Does not belong here: Dagster, or what a run does
to its row (`jobs`).

Asking and getting are two things: between them lie a daemon and a queue that may be killed. A row says when a run was asked for; only a
run's claim takes it out of the queue. What was asked for and never came is found by its age, forgotten, and asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select, update

from cricksy_pipeline.store.claims import JOB, NOW
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.models import JobStatus

# What `ix_analysis_jobs_queued` holds: every query here looks at queued rows alone, which are few beside the table.
QUEUED = JOB.c.status == JobStatus.QUEUED


@dataclass(frozen=True)
class WaitingJob:
    """A queued job.

    Attributes:
        request: how many times a run was asked for, counting the one it waits for; part of Dagster's run key.
        attempt: how many attempts began before.
        requested_at: when a run was asked for, by the database's clock; None: not yet.
    """

    id: str
    request: int
    attempt: int
    deep_enabled: bool
    analysis_mode: str | None
    requested_at: datetime | None


COLUMNS = tuple(JOB.c[name] for name in WaitingJob.__dataclass_fields__)


class RunQueue:
    """The queued jobs. Every method is one transaction, and may raise `CricksyError` DATABASE_UNAVAILABLE."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def waiting(self, limit: int) -> list[WaitingJob]:
        """Jobs for which no run was asked yet, oldest first."""
        query = select(*COLUMNS).where(QUEUED, JOB.c.requested_at.is_(None)).order_by(JOB.c.created_at, JOB.c.id).limit(limit)
        with transaction(self.engine) as connection:
            return [WaitingJob(*row) for row in connection.execute(query)]

    def mark_requested(self, ids: Iterable[str]) -> set[str]:
        """Remember that runs are being asked for. Returns the jobs of which that is new: whoever else asked meanwhile has the others."""
        free = (JOB.c.id.in_(list(ids)), QUEUED, JOB.c.requested_at.is_(None))
        with transaction(self.engine) as connection:
            return set(connection.scalars(update(JOB).where(*free).values(requested_at=NOW).returning(JOB.c.id)))

    def forget_request(self, ids: Iterable[str]) -> int:
        """Ask again: for jobs that are still queued and whose run was asked for and does not exist. Returns how many.

        `request` stays, so that a run which comes after all is known to Dagster by the same run key, and is not started twice.
        """
        asked = (JOB.c.id.in_(list(ids)), QUEUED, JOB.c.requested_at.is_not(None))
        with transaction(self.engine) as connection:
            return connection.execute(update(JOB).where(*asked).values(requested_at=None)).rowcount

    def requested_before(self, seconds: float, limit: int, after: str = "") -> list[WaitingJob]:
        """Jobs for which a run was asked longer ago than that, and that no run has claimed; in the order of their ids, after one."""
        long_ago = JOB.c.requested_at < NOW - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        query = select(*COLUMNS).where(QUEUED, long_ago, JOB.c.id > after).order_by(JOB.c.id).limit(limit)
        with transaction(self.engine) as connection:
            return [WaitingJob(*row) for row in connection.execute(query)]

    def requested(self, limit: int) -> int:
        """For how many queued jobs a run was asked, counted up to a limit."""
        some = select(JOB.c.id).where(QUEUED, JOB.c.requested_at.is_not(None)).limit(limit).subquery()
        with transaction(self.engine) as connection:
            return connection.scalar(select(func.count()).select_from(some))
