"""Announcing a video, and submitting one: rows first, then the object, in an order in which what is half made is never analysed.

Belongs here: what the command line (and any other door that holds the whole file) does to submit a video; what a door does whose video
comes later, through an address of the store. Does not belong here: making such addresses, objects that nobody announced (`uploads`),
running the analysis.

The rows come first because a sensor looks at the store: an object without a row would be an upload of somebody's, and get a job of its own.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import VIDEO_SUFFIXES, owner_part, upload_key
from cricksy_pipeline.store.models import SessionStatus
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.sessions import require_mode


@dataclass(frozen=True)
class Announcement:
    """A job that waits for its video: under which key it is to come."""

    job_id: str
    session_id: str
    key: str


@dataclass(frozen=True)
class Submission:
    """Who submits what, and for which analysis.

    Attributes:
        mode: batting, bowling, wicketkeeping or fielding; required.
        owner_type, owner_id: whose session it is.
        options: what was said beside the mode, as `AnalysisOptions.as_json` writes it.
    """

    video: Path
    mode: str
    title: str
    owner_type: str = "coach"
    owner_id: str = "local"
    deep_enabled: bool = True
    include_frames: bool = False
    options: dict[str, Any] = field(default_factory=dict)


def announce(
    jobs: JobStore,
    *,
    bucket: str,
    suffix: str,
    mode: str,
    title: str,
    owner_type: str,
    owner_id: str,
    deep_enabled: bool = True,
    include_frames: bool = False,
    options: dict[str, Any] | None = None,
    requested: bool = False,
    session_id: str | None = None,
    size: int | None = None,
) -> Announcement:
    """Make a session and a job, `awaiting_upload`, for a video that is to come.

    Args:
        suffix: of the file, in either case, with its dot.
        title: of the session, where one is made.
        requested: the caller runs the job himself, once `JobStore.upload_arrived` has been said.
        session_id: of the owner's session that the video is for; None: a new one.
        size: how many bytes are to come, where that is known.

    Raises:
        CricksyError: MODE_MISSING, MODE_UNSUPPORTED, DATABASE_UNAVAILABLE.
        ValueError: an owner type or a suffix that cannot be part of a key.
    """
    require_mode(mode)
    made_id = session_id or uuid4().hex
    key = upload_key(owner_type, owner_part(owner_id), made_id, uuid4().hex, suffix)
    if session_id:
        jobs.attach_upload(session_id, s3_bucket=bucket, s3_key=key, file_size_bytes=size, status=SessionStatus.PENDING)
    else:
        jobs.create_session(
            session_id=made_id,
            owner_type=owner_type,
            owner_id=owner_id,
            title=title,
            analysis_context=mode,
            s3_bucket=bucket,
            s3_key=key,
            file_size_bytes=size,
            awaiting_upload=True,
        )
    job_id = jobs.create_job(
        session_id=made_id,
        analysis_mode=mode,
        s3_bucket=bucket,
        s3_key=key,
        source_size=size,
        deep_enabled=deep_enabled,
        include_frames=include_frames,
        analysis_options=options,
        awaiting_upload=True,
        requested=requested,
    )
    return Announcement(job_id, made_id, key)


def submit(submission: Submission, jobs: JobStore, objects: ObjectStore) -> str:
    """Announce the video, store it, and queue its job, which the caller runs. Returns the job id, which is also the partition key.

    Raises CricksyError: MODE_MISSING or MODE_UNSUPPORTED before anything is written, SOURCE_MISSING where there is no such file,
    NOT_A_VIDEO for a suffix that no video has, STORE_UNAVAILABLE, DATABASE_UNAVAILABLE. Whatever stops the storing stands in the row, too.
    """
    require_mode(submission.mode)
    suffix = submission.video.suffix.lower()
    if not submission.video.is_file():
        raise CricksyError(ErrorCode.SOURCE_MISSING, f"There is no file {submission.video}.")
    if suffix not in VIDEO_SUFFIXES:
        raise CricksyError(ErrorCode.NOT_A_VIDEO, f"{submission.video.name} does not end in {', '.join(VIDEO_SUFFIXES)}.")
    made = announce(
        jobs,
        bucket=objects.bucket,
        suffix=suffix,
        mode=submission.mode,
        title=submission.title,
        owner_type=submission.owner_type,
        owner_id=submission.owner_id,
        deep_enabled=submission.deep_enabled,
        include_frames=submission.include_frames,
        options=submission.options,
        requested=True,
    )
    try:
        head = objects.put_file(made.key, submission.video)
    except BaseException as error:
        with suppress(CricksyError):  # the first error is the one to raise
            jobs.fail_unclaimed(made.job_id, *_why(error))
        raise
    jobs.upload_arrived(made.job_id, source_etag=head.etag, source_sha256=head.sha256, source_size=head.size)
    return made.job_id


def _why(error: BaseException) -> tuple[ErrorCode, str]:
    if isinstance(error, CricksyError):
        return error.code, error.message
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        return ErrorCode.CANCELED, "The upload was stopped."
    return ErrorCode.INTERNAL, f"The file could not be stored ({type(error).__name__}: {str(error)[:300]})."
