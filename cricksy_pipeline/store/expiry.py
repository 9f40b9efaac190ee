"""What is long gone, was never completed, or is to be kept no longer: jobs, uploads, half-written files, sessions.

Belongs here: finding and removing it. Does not belong here: when this runs and what Dagster must know of it
(`orchestration.housekeeping`), objects that no row names (`orphans`), a deletion that a person asked for (`deletion`).

A function that changes something is an iterator: it does one thing, then says it, so that what was done is told even where the next
thing fails. Nothing happens unless it is read. With `dry_run` it says the same and changes nothing. Ages of rows are judged by the
database's clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from sqlalchemy import ColumnElement, Row, Select, exists, func, select, update

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.claims import ASKED_AT, JOB, SESSION
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.deletion import BUSY
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.local_objects import _TEMPORARY
from cricksy_pipeline.store.models import FINISHED, JobStatus, SessionStatus
from cricksy_pipeline.store.multipart import abort_upload, incomplete_uploads
from cricksy_pipeline.store.object_contract import ObjectStore
from cricksy_pipeline.store.objects import LocalObjectStore

NEVER_COMPLETED = "The upload was never completed."
BATCH = 500
"""Rows that are looked up at once."""

T = TypeVar("T")
_HOUR_S, _DAY_S = 3600.0, 86400.0


def forgettable(jobs: JobStore, job_ids: Sequence[str], retention_days: float) -> dict[str, str]:
    """Of these jobs, those whose row is gone or that ended longer ago than the retention, each with the reason. In the given order.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE, also where there is no job at all: a database just made, or another one, says nothing about
            what is gone.
    """
    ended: dict[str, bool] = {}
    with transaction(jobs.engine) as connection:
        if connection.scalar(select(JOB.c.id).limit(1)) is None:
            raise CricksyError(
                ErrorCode.DATABASE_UNAVAILABLE,
                f"The job table is empty, but there are {len(job_ids)} partitions: nothing was forgotten, this may be another database. "
                "Where it is empty on purpose, delete the partitions by hand.",
            )
        for batch in batches(job_ids):
            query = select(JOB.c.id, _ended_before(retention_days)).where(JOB.c.id.in_(batch))
            ended |= {row[0]: bool(row[1]) for row in connection.execute(query)}
    reasons = {True: f"it ended more than {retention_days:g} days ago", None: "its row is gone"}
    return {job_id: reasons[ended.get(job_id)] for job_id in job_ids if ended.get(job_id) is not False}


def retention_ended(jobs: JobStore, *, limit: int) -> list[tuple[str, datetime]]:
    """Sessions whose `retention_until` has passed, each with that time, the longest overdue first; not those whose analysis is at work.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    at_work = exists().where(JOB.c.session_id == SESSION.c.id, JOB.c.status.in_(BUSY))
    overdue = select(SESSION.c.id, SESSION.c.retention_until).where(SESSION.c.retention_until <= ASKED_AT, ~at_work)
    query = overdue.order_by(SESSION.c.retention_until, SESSION.c.id).limit(limit)
    return [(row.id, row.retention_until) for row in _read(jobs, query)]


@contextmanager
def undisturbed(jobs: JobStore, job_id: str, retention_days: float) -> Iterator[bool]:
    """Whether the job is still one of the `forgettable`. While the block runs its row is locked: nobody can claim or queue it."""
    with transaction(jobs.engine) as connection:
        query = select(_ended_before(retention_days)).where(JOB.c.id == job_id).with_for_update()
        row = connection.execute(query).one_or_none()
        yield row is None or bool(row[0])


def _ended_before(days: float) -> ColumnElement[bool]:
    # No column tells when a job failed. A row is not written after its end but by people, and then it is of interest again.
    last_written = func.coalesce(JOB.c.updated_at, JOB.c.completed_at, JOB.c.created_at)
    return JOB.c.status.in_((*FINISHED, JobStatus.FAILED)) & (last_written < ago(days * _DAY_S))


def expire_uploads(
    jobs: JobStore, objects: ObjectStore, *, prefixes: Iterable[str], after_hours: float = 24.0, dry_run: bool = False
) -> Iterator[str]:
    """Fail the jobs and sessions that wait for their upload for so long; drop the parts of uploads that were begun so long ago.

    An upload that did arrive is left to the uploads sensor, which makes a job of it as soon as it runs again. A session without any
    upload is a folder that its coach has not used yet, and stays.

    Args:
        prefixes: where uploads lie in the bucket.
    """
    waiting = select(JOB.c.id, JOB.c.s3_bucket, JOB.c.s3_key).where(
        JOB.c.status == JobStatus.AWAITING_UPLOAD, func.coalesce(JOB.c.updated_at, JOB.c.created_at) < ago(after_hours * _HOUR_S)
    )
    for row in _read(jobs, waiting):
        if _absent(objects, row) and (dry_run or jobs.fail_unclaimed(row.id, ErrorCode.SOURCE_MISSING, NEVER_COMPLETED)):
            yield f"fail job {row.id}: its upload was never completed"

    pending = (
        SESSION.c.status == SessionStatus.PENDING,
        SESSION.c.s3_key.is_not(None),
        func.coalesce(SESSION.c.updated_at, SESSION.c.created_at) < ago(after_hours * _HOUR_S),
    )
    for row in _read(jobs, select(SESSION.c.id, SESSION.c.s3_bucket, SESSION.c.s3_key).where(*pending)):
        if _absent(objects, row) and (dry_run or _fail_session(jobs, row.id, pending)):
            yield f"fail session {row.id}: its upload was never completed"

    begun_before = datetime.now(UTC) - timedelta(hours=after_hours)
    for prefix in prefixes:
        for half_sent in list(incomplete_uploads(objects, prefix)):
            if half_sent.started < begun_before:
                if not dry_run:
                    abort_upload(objects, half_sent)
                yield f"abort the upload in parts of {half_sent.key}, begun {half_sent.started:%Y-%m-%d %H:%M}"


def _absent(objects: ObjectStore, row: Row) -> bool:
    """Whether the row's upload is certainly not there: of another bucket this store knows nothing."""
    return row.s3_bucket in (None, objects.bucket) and not (row.s3_key and objects.head(row.s3_key))


def _fail_session(jobs: JobStore, session_id: str, pending: tuple[ColumnElement[bool], ...]) -> bool:
    statement = update(SESSION).where(SESSION.c.id == session_id, *pending).values(status=SessionStatus.FAILED)
    with transaction(jobs.engine) as connection:
        return connection.execute(statement).rowcount == 1


def sweep_half_written(objects: ObjectStore, *, after_hours: float = 24.0, dry_run: bool = False) -> Iterator[str]:
    """Remove what writers that were killed left in a folder that is an object store. S3 shows no object before it is whole."""
    if not isinstance(objects, LocalObjectStore):
        return
    written_before = time.time() - after_hours * _HOUR_S
    for path in sorted(objects.root.rglob(f"{_TEMPORARY}*")):
        try:
            if path.is_file() and path.stat().st_mtime < written_before:
                if not dry_run:
                    path.unlink()
                yield f"remove the half-written file {path.relative_to(objects.root)}"
        except FileNotFoundError:  # its writer finished after all
            continue


def ago(seconds: float) -> ColumnElement[datetime]:
    """So many seconds before now, by the database's clock."""
    return ASKED_AT - func.make_interval(0, 0, 0, 0, 0, 0, seconds)


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """The items in lists of at most `BATCH`."""
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def _read(jobs: JobStore, query: Select) -> list[Row]:
    with transaction(jobs.engine) as connection:
        return list(connection.execute(query))
