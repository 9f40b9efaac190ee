"""Finished jobs as a backfill sees them: which it covers, what they were made from, what that cost.

Belongs here: the queries, over small columns alone; the documents of a row, which are a hundred times as large, are never read. Does not
belong here: what would be made anew (`orchestration.backfill`), the counts of all videos (`inventory`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from cricksy_pipeline.store.claims import ATTEMPT, JOB
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import FINISHED

PAGE = 500


@dataclass(frozen=True)
class Selection:
    """Which finished jobs: those to which every condition applies that is given. Without any, all.

    Attributes:
        outdated_for: analysed by another version than this, or by one that nobody wrote down.
        since: made at or after; a time without a zone is UTC.
        mode: what was filmed.
    """

    outdated_for: str | None = None
    since: datetime | None = None
    mode: str | None = None


@dataclass(frozen=True)
class FinishedJob:
    """A finished job without its documents.

    Attributes:
        stages: what each stage was made from and what it cost (`VideoAnalysisJob.stages`); None for a job of the earlier system.
        analysis_options: what was said beside the mode; None: nothing.
    """

    id: str
    created_at: datetime
    analysis_version: str | None
    analysis_mode: str | None
    deep_enabled: bool
    include_frames: bool
    sample_fps: int | None
    s3_bucket: str | None
    s3_key: str | None
    source_sha256: str | None
    stages: dict[str, Any] | None
    analysis_options: dict[str, Any] | None


@dataclass(frozen=True)
class PastAttempt:
    """The last attempt at a finished job: what its stages cost, and how long it took in all, in seconds."""

    stages: dict[str, Any]
    run_id: str
    seconds: float


_JOB_COLUMNS = tuple(JOB.c[name] for name in FinishedJob.__dataclass_fields__)
_IS_FINISHED = JOB.c.status.in_(FINISHED)


def finished_jobs(jobs: JobStore, selection: Selection) -> Iterator[FinishedJob]:
    """The selected jobs in the order of their ids, read page by page: no transaction stays open, and memory holds a page.

    Jobs that are queued, running or failed are never selected. One that ends meanwhile may be in or out.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    query = select(*_JOB_COLUMNS).where(_condition(selection)).order_by(JOB.c.id).limit(PAGE)
    after = ""
    while True:
        with transaction(jobs.engine) as connection:
            page = [FinishedJob(*row) for row in connection.execute(query.where(JOB.c.id > after))]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id


def by_another_version(version: str) -> ColumnElement[bool]:
    """SQL: analysed by another version than this, or by one nobody wrote down. In words that an index answers, unlike IS DISTINCT FROM."""
    recorded = JOB.c.analysis_version
    return or_(recorded.is_(None), recorded < version, recorded > version)


def past_attempts(jobs: JobStore, limit: int = 1000) -> list[PastAttempt]:
    """The last attempts that ended well, of the jobs that ended last. Raises CricksyError DATABASE_UNAVAILABLE."""
    seconds = func.extract("epoch", ATTEMPT.c.ended_at - ATTEMPT.c.started_at)
    query = (
        select(JOB.c.stages, ATTEMPT.c.run_id, seconds)
        .join(ATTEMPT, and_(ATTEMPT.c.job_id == JOB.c.id, ATTEMPT.c.attempt == JOB.c.attempt))
        .where(_IS_FINISHED, ATTEMPT.c.outcome == "done", JOB.c.stages.is_not(None))
        .order_by(ATTEMPT.c.ended_at.desc())
        .limit(limit)
    )
    with transaction(jobs.engine) as connection:
        return [PastAttempt(stages, run_id, float(taken)) for stages, run_id, taken in connection.execute(query)]


def _condition(selection: Selection) -> ColumnElement[bool]:
    conditions = [_IS_FINISHED]
    if selection.outdated_for is not None:
        conditions.append(by_another_version(selection.outdated_for))
    if selection.since is not None:
        since = selection.since if selection.since.tzinfo else selection.since.replace(tzinfo=UTC)
        conditions.append(JOB.c.created_at >= since)
    if selection.mode is not None:
        conditions.append(JOB.c.analysis_mode == selection.mode)
    return and_(*conditions)
