"""An upload as the API leads it: begun, looked at, completed, given up. Its id is that of the job that waits for it.

Belongs here: what of the job's row and of the store makes an upload, and what its end does to the row. Does not belong here: how a store
takes parts (`multipart`), what the first bytes of a video are (`reading.api.first_bytes`), objects that nobody announced (`uploads`).

The row says where the file is to come and how long it is to be; all else is asked of the store. The uploads sensor may see the whole object
before its end was said here: then the job is queued already, and that is what its end says, too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Row, select

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.claims import JOB
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import content_type_of
from cricksy_pipeline.store.models import JobStatus
from cricksy_pipeline.store.multipart import (
    Part,
    abort_upload,
    begin_parts,
    finish_parts,
    goes_whole,
    incomplete,
    incomplete_uploads,
    part_addresses,
    parts_of,
    received_parts,
)
from cricksy_pipeline.store.object_contract import ObjectHead, ObjectStore
from cricksy_pipeline.store.sessions import unknown_job

GIVEN_UP = "The upload was given up."


class NotWaiting(CricksyError):
    """The job does not wait for a video (any more). Code CONFLICT."""


@dataclass(frozen=True)
class Upload:
    """What is known of an upload.

    Attributes:
        size: bytes that were announced.
        whole: it is one PUT to the object's own key.
        received: numbers of the parts that are there, as long as they should be.
    """

    job_id: str
    session_id: str
    status: str
    key: str
    size: int
    whole: bool
    parts: tuple[Part, ...]
    received: frozenset[int]

    @property
    def waiting(self) -> bool:
        """Whether more of it can come."""
        return self.status == JobStatus.AWAITING_UPLOAD

    @property
    def content_type(self) -> str:
        """Of the video, by its name."""
        return content_type_of(self.key)


def upload_of(jobs: JobStore, objects: ObjectStore, job_id: str) -> Upload:
    """The upload that a job waits for, or waited for.

    Raises:
        UnknownJob: no such job.
        NotWaiting: the job was not made for an upload of this API to this store.
        CricksyError: STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    row = _row(jobs, job_id)
    if row.s3_bucket != objects.bucket or not row.s3_key or not row.source_size:
        raise NotWaiting(ErrorCode.CONFLICT, f"This job is {row.status}; it waits for no upload.")
    whole = goes_whole(objects, row.source_size)
    parts = tuple(parts_of(row.source_size, whole=whole))
    there: dict[int, int] = {}
    if row.status != JobStatus.AWAITING_UPLOAD:
        received = frozenset(part.number for part in parts) if row.source_etag else frozenset()
    else:
        if whole:
            head = objects.head(row.s3_key)
            there = {1: head.size} if head else {}
        else:
            there = received_parts(objects, row.s3_key)
        received = frozenset(part.number for part in parts if there.get(part.number) == part.size)
    return Upload(row.id, row.session_id, row.status, row.s3_key, row.source_size, whole, parts, received)


def upload_place(jobs: JobStore, job_id: str) -> tuple[str | None, str, bool]:
    """Bucket and key of what a job waits for, and whether it still waits. Raises UnknownJob, CricksyError DATABASE_UNAVAILABLE."""
    row = _row(jobs, job_id)
    return row.s3_bucket, row.s3_key or "", row.status == JobStatus.AWAITING_UPLOAD


def open_upload(objects: ObjectStore, upload: Upload) -> None:
    """Make the store ready for its parts. Again is harmless. Raises CricksyError STORE_UNAVAILABLE."""
    if not upload.whole:
        begin_parts(objects, upload.key)


def addresses(objects: ObjectStore, upload: Upload, expires_s: int) -> list[str] | None:
    """Where to PUT each part, in order; None where the store has no addresses. Raises CricksyError STORE_UNAVAILABLE."""
    if upload.whole:
        address = objects.presigned_upload_url(upload.key, upload.content_type, expires_s, size=upload.size)
        return [address] if address else None
    return part_addresses(objects, upload.key, list(upload.parts), expires_s)


def complete_upload(jobs: JobStore, objects: ObjectStore, job_id: str, look: Callable[[ObjectHead], None]) -> None:
    """All of it was sent: the object is made, looked at, and its job queued. Again is harmless.

    Args:
        look: raises a CricksyError where the object cannot be what was announced. It is deleted then, and its job fails with that code.

    Raises:
        UnknownJob, NotWaiting: as `upload_of`.
        Incomplete: not all of it is there; nothing has changed.
        CricksyError: what `look` raised; STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    upload = upload_of(jobs, objects, job_id)
    if not upload.waiting:
        if upload.received:
            return
        raise NotWaiting(ErrorCode.CONFLICT, f"This job is {upload.status}; it waits for no upload.")
    head = _made(objects, upload)
    try:
        look(head)
    except CricksyError as error:
        if jobs.fail_unclaimed(job_id, error.code, error.message):
            objects.delete(upload.key)
        raise
    jobs.upload_arrived(job_id, source_etag=head.etag, source_sha256=head.sha256, source_size=head.size)


def give_up_upload(jobs: JobStore, objects: ObjectStore, job_id: str) -> None:
    """Nothing more will come: the job fails with CANCELED, so that what comes late wakes nobody, and what came is deleted.

    Raises:
        UnknownJob: no such job.
        NotWaiting: it does not wait for an upload.
        CricksyError: STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    row = _row(jobs, job_id)
    if row.status != JobStatus.AWAITING_UPLOAD or not jobs.fail_unclaimed(job_id, ErrorCode.CANCELED, GIVEN_UP):
        raise NotWaiting(ErrorCode.CONFLICT, f"This job is {row.status}; its upload cannot be given up.")
    if row.s3_bucket == objects.bucket and row.s3_key:
        for begun in list(incomplete_uploads(objects, row.s3_key)):
            if begun.key == row.s3_key:
                abort_upload(objects, begun)
        objects.delete(row.s3_key)


def _row(jobs: JobStore, job_id: str) -> Row:
    columns = (JOB.c[name] for name in ("id", "session_id", "status", "s3_bucket", "s3_key", "source_size", "source_etag"))
    with transaction(jobs.engine) as connection:
        found = connection.execute(select(*columns).where(JOB.c.id == job_id)).one_or_none()
    if found is None:
        raise unknown_job(job_id)
    return found


def _made(objects: ObjectStore, upload: Upload) -> ObjectHead:
    """The object, as long as was announced. What is not is of no use to anybody, and deleted: it has to be sent again."""
    if upload.whole:
        head = objects.head(upload.key)
        if head is None:
            raise incomplete([1], 1)
    else:
        head = finish_parts(objects, upload.key, list(upload.parts))
    if head.size != upload.size:
        with suppress(CricksyError):
            objects.delete(upload.key)
        raise incomplete([part.number for part in upload.parts], len(upload.parts))
    return head
