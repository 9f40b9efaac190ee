"""Pages of sessions and jobs as a list shows them: whose they are, how far they are, never what is in them.

Belongs here: the listing queries. Does not belong here: who asks (`reading.api.access`), how a position is written into an address
(`reading.api.cursors`), a whole row (`sessions`).

The documents of one job are megabytes, so no query here names a column that holds one; a test watches the statements. A page is bounded by
a position, not by an offset: what is made or deleted between two pages neither repeats a row nor skips one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Engine, Row, Select, and_, false, func, or_, select, true, tuple_, union_all

from cricksy_pipeline.store.claims import JOB, SESSION
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.models import JobStatus, OwnerType

MOST_ROWS = 200
"""The longest page. House default."""

T = TypeVar("T")


@dataclass(frozen=True)
class Position:
    """The last row of a page. `created_at` with zone, as the database has it."""

    created_at: datetime
    id: str


@dataclass(frozen=True)
class JobLine:
    """A job in a list."""

    id: str
    session_id: str
    session_title: str
    status: str
    stage: str | None
    progress_pct: int
    analysis_mode: str | None
    deep_enabled: bool
    attempt: int
    error_code: str | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True)
class SessionLine:
    """A session in a list, with its newest job. `file_size_bytes` is None where no upload was begun; consent and retention: `consent`."""

    id: str
    owner_type: str
    owner_id: str
    title: str
    notes: str | None
    analysis_context: str | None
    camera_view: str | None
    player_ids: list[str]
    status: str
    file_size_bytes: int | None
    consent_given: bool | None
    consent_by: str | None
    consent_at: datetime | None
    consent_by_guardian: bool | None
    player_is_minor: bool | None
    retention_until: datetime | None
    blur_faces: bool | None
    created_at: datetime
    updated_at: datetime
    latest_job: JobLine | None


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, newest first. `next`: ask again after it; None: there are no more."""

    items: list[T]
    next: Position | None


# Rows of the earlier system may lack these.
_WHERE_EMPTY: dict[str, Any] = {"progress_pct": 0, "deep_enabled": True, "attempt": 0}
_JOB_COLUMNS = tuple(
    func.coalesce(JOB.c[name], _WHERE_EMPTY[name]).label(name) if name in _WHERE_EMPTY else JOB.c[name]
    for name in JobLine.__dataclass_fields__
    if name != "session_title"
)
_SESSION_COLUMNS = tuple(SESSION.c[name] for name in SessionLine.__dataclass_fields__ if name != "latest_job")


def job_page(
    engine: Engine,
    owners: Collection[tuple[str, str]],
    *,
    session_id: str | None = None,
    statuses: Sequence[str] | None = None,
    analysis_mode: str | None = None,
    after: Position | None = None,
    limit: int = 50,
) -> Page[JobLine]:
    """Jobs of these owners' sessions, newest first.

    Args:
        owners: (type, id) of each; none of them, no jobs.
        limit: 1 to `MOST_ROWS`.

    Raises:
        ValueError: a status that there is not.
        CricksyError: DATABASE_UNAVAILABLE.
    """
    query = select(*_JOB_COLUMNS, SESSION.c.title.label("session_title")).join(SESSION, SESSION.c.id == JOB.c.session_id)
    query = query.where(_owned_by(owners))
    if session_id is not None:
        query = query.where(JOB.c.session_id == session_id)
    if statuses is not None:
        query = query.where(JOB.c.status.in_([JobStatus(status) for status in statuses]))
    if analysis_mode is not None:
        query = query.where(JOB.c.analysis_mode == analysis_mode)
    return _page(engine, _after(query, JOB, after), limit, _job_line)


def session_page(
    engine: Engine, owners: Collection[tuple[str, str]], *, after: Position | None = None, limit: int = 50
) -> Page[SessionLine]:
    """Sessions of these owners, newest first, each with its newest job. Arguments and errors as of `job_page`."""
    # Each owner's newest by themselves, in the order of the index; sorted together, all of an academy's would be read for one page.
    of_each = (_after(select(SESSION.c.id).where(_owned_by([owner])), SESSION, after).limit(_most(limit) + 1) for owner in sorted(owners))
    newest = [select(page.subquery().c.id) for page in of_each]
    query = _sessions().where(SESSION.c.id.in_(union_all(*newest)) if newest else false())
    return _page(engine, _after(query, SESSION, None), limit, _session_line)


def session_line(engine: Engine, session_id: str) -> SessionLine | None:
    """One session as in a list, or None where there is none. Raises CricksyError DATABASE_UNAVAILABLE."""
    with transaction(engine) as connection:
        found = connection.execute(_sessions().where(SESSION.c.id == session_id)).one_or_none()
    return _session_line(found) if found else None


def job_line(engine: Engine, job_id: str) -> JobLine | None:
    """One job as in a list, or None where there is none. Raises CricksyError DATABASE_UNAVAILABLE."""
    query = select(*_JOB_COLUMNS, SESSION.c.title.label("session_title")).join(SESSION, SESSION.c.id == JOB.c.session_id)
    with transaction(engine) as connection:
        found = connection.execute(query.where(JOB.c.id == job_id)).one_or_none()
    return _job_line(found) if found else None


def _sessions() -> Select:
    of_session = select(*_JOB_COLUMNS).where(JOB.c.session_id == SESSION.c.id)
    newest = of_session.order_by(JOB.c.created_at.desc(), JOB.c.id.desc()).limit(1).lateral("newest")
    columns = (newest.c[column.name].label(f"job_{column.name}") for column in _JOB_COLUMNS)
    return select(*_SESSION_COLUMNS, *columns).select_from(SESSION.outerjoin(newest, true()))


def _owned_by(owners: Collection[tuple[str, str]]) -> ColumnElement[bool]:
    # Each owner by himself, for the index; a person belongs to few organisations.
    mine = [and_(SESSION.c.owner_type == OwnerType(kind), SESSION.c.owner_id == owner) for kind, owner in sorted(owners)]
    return or_(*mine) if mine else false()


def _after(query: Select, table: Any, after: Position | None) -> Select:
    if after is not None:
        query = query.where(tuple_(table.c.created_at, table.c.id) < tuple_(after.created_at, after.id))
    return query.order_by(table.c.created_at.desc(), table.c.id.desc())


def _page(engine: Engine, query: Select, limit: int, line: Any) -> Page:
    most = _most(limit)
    with transaction(engine) as connection:
        rows = connection.execute(query.limit(most + 1)).all()
    items = [line(row) for row in rows[:most]]
    return Page(items, Position(items[-1].created_at, items[-1].id) if len(rows) > most else None)


def _most(limit: int) -> int:
    return max(1, min(limit, MOST_ROWS))


def _job_line(row: Row) -> JobLine:
    return JobLine(**row._mapping)


def _session_line(row: Row) -> SessionLine:
    found = dict(row._mapping)
    job = {name.removeprefix("job_"): found.pop(name) for name in list(found) if name.startswith("job_")}
    found["player_ids"] = found["player_ids"] or []
    return SessionLine(**found, latest_job=JobLine(**job, session_title=found["title"]) if job["id"] else None)
