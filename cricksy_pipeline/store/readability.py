"""Which finished rows a reader could not render: the question that the scheduled check asks of the whole table. Zero is the goal.

Belongs here: finding in SQL the rows that are worth a close look, and looking at them. Does not belong here: what readable means; the one
judge is `job_read.unreadable`.

The documents of one row are megabytes and the table is long, so the database itself passes over every row in which all that a reader
needs plainly is there, and only the others are loaded and judged. That loses nothing, because `plainly_readable` is stricter than the
judge in every point: whatever it does not understand (another layout of the JSON, an escaped character, a column that is empty because
the document lies in the results) it leaves to the judge. A test holds that. Rows of the earlier system are plain once they are rehydrated.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import Column, ColumnElement, Index, Text, and_, case, cast, false, func, not_, or_, select, true, union
from sqlalchemy.dialects.postgresql import JSON

from cricksy_pipeline.store.claims import JOB
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.job_read import SHOWN_TEXT, read_job, unreadable
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, FINISHED, QUICK_ARTIFACTS, JobStatus, VideoAnalysisJob
from cricksy_pipeline.store.object_contract import ObjectStore
from cricksy_pipeline.store.sessions import UnknownJob

UNOPENED = (ValueError, RecursionError)
"""What a row raises whose JSON cannot be taken in: of a wrong type, nested too deep, with a number of thousands of digits."""

_DEEP = func.coalesce(JOB.c.deep_enabled, true())


@dataclass(frozen=True)
class Unreadable:
    """A finished row that a reader could not render, and why, each reason for a person."""

    id: str
    status: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ReadabilityPage:
    """A part of the table, in the order of ids.

    Attributes:
        found: the unreadable rows in it.
        looked_at: how many rows needed the close look.
        after: where the next page begins; None: the table ends here.
    """

    found: list[Unreadable]
    looked_at: int
    after: str | None


def unreadable_done(jobs: JobStore, objects: ObjectStore, *, after: str = "", limit: int = 1000) -> ReadabilityPage:
    """The finished rows (`done`, `completed`) that a reader could not render, from the first `limit` rows that need a close look.

    Args:
        after: look only at rows with a larger id.
        limit: most rows to load; those that plainly are readable cost nothing of it.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE, STORE_UNAVAILABLE.
    """
    # Asked for apart, each in the order of ids: the first are in an index, so the documents of all others are not even opened.
    not_plain = (select(JOB.c.id).where(kind, JOB.c.id > after).order_by(JOB.c.id).limit(limit) for kind in (_TO_LOOK_AT, _BEFORE_ITS_END))
    either = union(*(select(some.subquery().c.id) for some in not_plain)).subquery()
    with transaction(jobs.engine) as connection:
        ids = list(connection.scalars(select(either.c.id).order_by(either.c.id).limit(limit)))
    judged = [_judged(jobs, objects, job_id) for job_id in ids]
    return ReadabilityPage([row for row in judged if row is not None and row.reasons], len(ids), ids[-1] if len(ids) == limit else None)


def why_unreadable(row: VideoAnalysisJob, objects: ObjectStore) -> list[str]:
    """As `job_read.unreadable`, for a row of which not even that is known whether it can be opened."""
    try:
        return unreadable(read_job(row, objects))
    except UNOPENED as error:
        return [not_opened(error)]


def not_opened(error: Exception) -> str:
    """For a person, why a row could not be opened."""
    if isinstance(error, ValidationError):
        what = "; ".join(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}" for wrong in error.errors())
    else:
        what = f"{type(error).__name__}, {str(error).splitlines()[0] if str(error) else 'no details'}"
    return f"a reader cannot open the row: {what}"


def filled() -> ColumnElement[bool]:
    """SQL: every artifact that a row of its kind has is in its column, and a `done` row is at DONE, 100 %. Never NULL."""
    return and_(not_(_BEFORE_ITS_END), _whole())


def plainly_readable() -> ColumnElement[bool]:
    """SQL: a finished row that `job_read.unreadable` has nothing against. Not the other way round. Never NULL."""
    return and_(_shows_all(), not_(_BEFORE_ITS_END))


def _shows_all() -> ColumnElement[bool]:
    """SQL: as `plainly_readable`, of the documents alone."""
    complete = or_(JOB.c.status == JobStatus.COMPLETED, and_(JOB.c.status == JobStatus.DONE, _whole()))
    shown = case((_DEEP, _renders("deep")), else_=_renders("quick"))
    legacy = or_(JOB.c.results.is_(None), func.left(cast(JOB.c.results, Text), 40).regexp_match(r"^\s*(\{|null)"))
    return func.coalesce(and_(complete, legacy, JOB.c.superseded.is_(None), shown), false())


def holds_an_object(column: Column) -> ColumnElement[bool]:
    """SQL: the JSON column holds an object with something in it; told from its first characters, without reading megabytes."""
    # A column of type JSON holds valid JSON, so what begins with a brace and a quote is an object that has a key.
    return func.left(cast(column, Text), 40).regexp_match(r'^\s*\{\s*"')


def _judged(jobs: JobStore, objects: ObjectStore, job_id: str) -> Unreadable | None:
    """The row with what a reader has against it; None where it is gone, or being analysed anew, since the list was made."""
    try:
        row = jobs.get(job_id)
    except UnknownJob:
        return None
    except UNOPENED as error:
        return Unreadable(job_id, "unknown", (not_opened(error),))
    return Unreadable(job_id, str(row.status), tuple(why_unreadable(row, objects))) if row.status in FINISHED else None


def _whole() -> ColumnElement[bool]:
    deep = or_(not_(_DEEP), and_(*(_is_there(JOB.c[name]) for name in DEEP_ARTIFACTS)))
    return func.coalesce(and_(*(_is_there(JOB.c[name]) for name in QUICK_ARTIFACTS), deep), false())


def _is_there(column: Column) -> ColumnElement[bool]:
    return column != "" if column.name.endswith("_key") else holds_an_object(column)


def _renders(passname: str) -> ColumnElement[bool]:
    results, findings, report = (JOB.c[f"{passname}_{part}"] for part in ("results", "findings", "report"))
    found, written = cast(findings, JSON), cast(report, JSON)
    level = or_(_is_text(found["overall_level"]), _is_text(found["overall_level_reason"]))
    content = and_(
        func.json_typeof(found["findings"]) == "array",
        level,
        or_(*(and_(func.json_typeof(written[name]) == "string", written[name].astext.regexp_match("[[:alnum:]]")) for name in SHOWN_TEXT)),
    )
    # PostgreSQL refuses to look into JSON text that holds an escaped NUL or half a surrogate pair, and would fail the whole query.
    escaped = or_(*(func.strpos(cast(column, Text), r"\u") > 0 for column in (findings, report)))
    return and_(*(holds_an_object(column) for column in (results, findings, report)), case((escaped, false()), else_=content))


def _is_text(value: ColumnElement) -> ColumnElement[bool]:
    return and_(func.json_typeof(value) == "string", cast(value, Text) != '""')


_AT_ITS_END = and_(JOB.c.stage == "DONE", JOB.c.progress_pct == 100)
_BEFORE_ITS_END = and_(JOB.c.status == JobStatus.DONE, not_(func.coalesce(_AT_ITS_END, false())))
_TO_LOOK_AT = and_(JOB.c.status.in_(FINISHED), not_(_shows_all()))

# PostgreSQL judges a row when it is written, and keeps the few that it is not sure of: to ask it anew of all of them is to unpack every
# document of the table. The condition names no column that a running analysis writes again and again (its progress, its heartbeat), so
# that these writes touch no index. The query has to say the very same for the index to be used; a test holds that it is.
Index("ix_analysis_jobs_to_look_at", JOB.c.id, postgresql_where=_TO_LOOK_AT)
