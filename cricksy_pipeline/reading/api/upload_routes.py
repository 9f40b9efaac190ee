"""Uploads that go straight to the store: begun, taken up again, completed, given up.

Belongs here: these routes. Does not belong here: what an upload is and how it ends (`store.direct_uploads`), taking the bytes: that a
bucket does, or, for a folder, `part_route`.

Size and type are looked at twice: when it is begun, as the caller says them, and when it is complete, as they are.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import PurePosixPath

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException

from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.api.access import Caller, OwnedJobId, SignedIn, demand_session
from cricksy_pipeline.reading.api.first_bytes import ENOUGH, demand_video
from cricksy_pipeline.reading.api.job_paths import UPLOAD_PATH, UPLOADS_PATH, known_session_shape
from cricksy_pipeline.reading.api.part_links import signed_link
from cricksy_pipeline.reading.api.problems import problems
from cricksy_pipeline.reading.api.read_models import JobLineRead, NewUpload, PartRead, UploadCompleted, UploadRead
from cricksy_pipeline.reading.api.session_routes import owner_for
from cricksy_pipeline.store import direct_uploads
from cricksy_pipeline.store.direct_uploads import Upload
from cricksy_pipeline.store.folder_parts import signing_key
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import VIDEO_SUFFIXES
from cricksy_pipeline.store.models import JobStatus
from cricksy_pipeline.store.objects import LocalObjectStore, ObjectHead, ObjectStore
from cricksy_pipeline.store.row_pages import MOST_ROWS, job_line, job_page
from cricksy_pipeline.store.sessions import plain_text, unknown_job, unknown_session
from cricksy_pipeline.store.submissions import announce

LINK_LIFETIME_S = 3600
_ANY_TYPE = ("", "application/octet-stream")
"""What browsers say of a file that they do not know."""


def add_uploads(app: FastAPI, jobs: JobStore, objects: ObjectStore, *, most_bytes: int) -> None:
    """Register the routes. `most_bytes`: of the largest video that is taken."""

    def read(job_id: str) -> UploadRead:
        return _read(objects, direct_uploads.upload_of(jobs, objects, job_id))

    @app.post(
        f"{UPLOADS_PATH}/initiate",
        status_code=201,
        response_model=UploadRead,
        responses=problems(404, 409, 422),
        operation_id="begin_upload",
        tags=["uploads"],
    )
    def initiate(caller: SignedIn, asked: NewUpload) -> UploadRead:
        """Begin an upload: where to PUT the parts of the file. Nothing is sent through this address.

        A part that was sent again takes the place of the first. After a break, ask for the upload: it says which parts are there.
        """
        suffix = _suffix(asked)
        _demand_size(asked.size_bytes, most_bytes)
        owner_type, owner_id = _owner(jobs, caller, asked)
        made = announce(
            jobs,
            bucket=objects.bucket,
            suffix=suffix,
            mode=asked.analysis_mode,
            title=asked.title or plain_text(PurePosixPath(asked.file_name).stem).strip() or "Video",
            owner_type=owner_type,
            owner_id=owner_id,
            deep_enabled=asked.deep_enabled,
            include_frames=asked.include_frames,
            options=AnalysisOptions(asked.subject, asked.slow_motion).as_json(),
            session_id=asked.session_id,
            size=asked.size_bytes,
        )
        upload = direct_uploads.upload_of(jobs, objects, made.job_id)
        direct_uploads.open_upload(objects, upload)
        return _read(objects, upload)

    @app.get(UPLOAD_PATH, response_model=UploadRead, responses=problems(404, 409), operation_id="get_upload", tags=["uploads"])
    def upload(job_id: OwnedJobId) -> UploadRead:
        """What of the file is there, and fresh addresses for the rest."""
        return read(job_id)

    @app.post(
        f"{UPLOAD_PATH}/complete",
        status_code=202,
        response_model=UploadCompleted,
        responses=problems(404, 409, 422),
        operation_id="complete_upload",
        tags=["uploads"],
    )
    def complete(job_id: OwnedJobId) -> UploadCompleted:
        """All parts were sent: the file is put together, looked at, and its analysis queued. Asked again, it says the same."""

        def look(head: ObjectHead) -> None:
            _demand_size(head.size, most_bytes)
            demand_video(b"".join(objects.read_range(head.key, 0, min(ENOUGH, head.size), etag=head.etag)))

        direct_uploads.complete_upload(jobs, objects, job_id, look)
        found = job_line(jobs.engine, job_id)
        if found is None:
            raise unknown_job(job_id)
        return UploadCompleted(job=JobLineRead.model_validate(found))

    @app.delete(
        UPLOAD_PATH, status_code=204, response_class=Response, responses=problems(404, 409), operation_id="give_up_upload", tags=["uploads"]
    )
    def give_up(job_id: OwnedJobId) -> Response:
        """Give the upload up: what was sent of it is deleted, and its job is not to be. The session can be uploaded to again."""
        direct_uploads.give_up_upload(jobs, objects, job_id)
        return Response(status_code=204)


def _suffix(asked: NewUpload) -> str:
    suffix = PurePosixPath(asked.file_name).suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        raise CricksyError(ErrorCode.NOT_A_VIDEO, f"The name of a video ends in one of {', '.join(VIDEO_SUFFIXES)}.")
    said = (asked.content_type or "").partition(";")[0].strip().lower()
    if said not in _ANY_TYPE and not said.startswith("video/"):
        raise CricksyError(ErrorCode.NOT_A_VIDEO, f"A file of type {said} is not a video.")
    return suffix


def _demand_size(size: int, most_bytes: int) -> None:
    if size > most_bytes:
        raise CricksyError(ErrorCode.VIDEO_TOO_LARGE, f"The video has {size:,} bytes; at most {most_bytes:,} are taken.")


def _owner(jobs: JobStore, caller: Caller, asked: NewUpload) -> tuple[str, str]:
    """Whose the upload is. Of a session that is there, its owner, where the session may get a video."""
    if asked.session_id is None:
        return owner_for(caller, asked.owner_type, asked.owner_id)
    session = jobs.get_session(demand_session(jobs, caller, known_session_shape(asked.session_id)))
    if session is None:  # deleted between the two looks
        raise unknown_session(asked.session_id)
    for job in job_page(jobs.engine, caller.owners, session_id=session.id, limit=MOST_ROWS).items:
        if job.status == JobStatus.AWAITING_UPLOAD:
            raise HTTPException(409, f"An upload to this session was begun: {job.id}. Go on with it, or give it up first.")
        if not (job.status == JobStatus.FAILED and job.started_at is None and _never_came(jobs, job.id)):
            raise HTTPException(409, "This session has a video already. Make another session for another one.")
    return session.owner_type.value, session.owner_id


def _never_came(jobs: JobStore, job_id: str) -> bool:
    return jobs.get(job_id).source_etag is None


def _read(objects: ObjectStore, upload: Upload) -> UploadRead:
    expires_at = int(time.time()) + LINK_LIFETIME_S
    links = _links(objects, upload, expires_at) if upload.waiting else [None] * len(upload.parts)
    parts = [
        PartRead(
            number=part.number,
            offset=part.offset,
            size=part.size,
            received=part.number in upload.received,
            url=None if part.number in upload.received else link,
        )
        for part, link in zip(upload.parts, links, strict=True)
    ]
    return UploadRead(
        id=upload.job_id,
        job_id=upload.job_id,
        session_id=upload.session_id,
        status=JobStatus(upload.status),
        size_bytes=upload.size,
        part_size=upload.parts[0].size,
        parts=parts,
        headers={"Content-Type": upload.content_type} if upload.whole else {},
        expires_at=datetime.fromtimestamp(expires_at, UTC) if upload.waiting else None,
    )


def _links(objects: ObjectStore, upload: Upload, expires_at: int) -> list[str] | list[None]:
    if isinstance(objects, LocalObjectStore):
        key = signing_key(objects)
        return [signed_link(key, upload.job_id, part, expires_at) for part in upload.parts]
    return direct_uploads.addresses(objects, upload, LINK_LIFETIME_S) or [None] * len(upload.parts)
