"""Putting a video file into the store and making its session and job rows, in an order in which what is half made is never analysed.

Belongs here: what the command line (and any other door that holds the whole file) does to submit a video.
Does not belong here: presigned uploads, running the analysis.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import VIDEO_SUFFIXES, upload_key
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.sessions import require_mode


@dataclass(frozen=True)
class Submission:
    """Who submits what, and for which analysis.

    Attributes:
        mode: batting, bowling, wicketkeeping or fielding; required.
        owner_type, owner_id: whose session it is.
    """

    video: Path
    mode: str
    title: str
    owner_type: str = "coach"
    owner_id: str = "local"
    deep_enabled: bool = True
    include_frames: bool = False


def submit(submission: Submission, jobs: JobStore, objects: ObjectStore) -> str:
    """Store the file, then make the session and a queued job. Returns the job id, which is also the partition key.

    Raises CricksyError: MODE_MISSING or MODE_UNSUPPORTED before anything is written, SOURCE_MISSING where there is no such file,
    NOT_A_VIDEO for a suffix that no video has, STORE_UNAVAILABLE, DATABASE_UNAVAILABLE.
    """
    require_mode(submission.mode)
    suffix = submission.video.suffix.lower()
    if not submission.video.is_file():
        raise CricksyError(ErrorCode.SOURCE_MISSING, f"There is no file {submission.video}.")
    if suffix not in VIDEO_SUFFIXES:
        raise CricksyError(ErrorCode.NOT_A_VIDEO, f"{submission.video.name} does not end in {', '.join(VIDEO_SUFFIXES)}.")
    session_id, video_id = uuid4().hex, uuid4().hex
    key = upload_key(submission.owner_type, submission.owner_id, session_id, video_id, suffix)
    head = objects.put_file(key, submission.video)
    jobs.create_session(
        session_id=session_id,
        owner_type=submission.owner_type,
        owner_id=submission.owner_id,
        title=submission.title.encode(errors="replace").decode(),  # a file's name may not be UTF-8
        analysis_context=submission.mode,
    )
    jobs.attach_upload(session_id, s3_bucket=objects.bucket, s3_key=key, file_size_bytes=head.size)
    return jobs.create_job(
        session_id=session_id,
        analysis_mode=submission.mode,
        s3_bucket=objects.bucket,
        s3_key=key,
        source_etag=head.etag,
        source_sha256=head.sha256,
        source_size=head.size,
        deep_enabled=submission.deep_enabled,
        include_frames=submission.include_frames,
    )
