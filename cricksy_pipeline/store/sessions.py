"""Sessions and jobs as people make, change and list them; no run is involved yet.

Belongs here: creating rows, finding rows, what a coach says of a session later. Does not belong here: what a run does to a row (`jobs`),
how a row is shown (`job_read`), what can be meant of a consent (`consent`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ARRAY, Connection, Engine, String, case, func, literal, select, text, update
from sqlalchemy.orm import Session

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.consent import CONSENT_COLUMNS, demand_meant
from cricksy_pipeline.store.database import session
from cricksy_pipeline.store.models import (
    ANALYSIS_MODES,
    AnalysisContext,
    CameraView,
    JobStatus,
    OwnerType,
    SessionStatus,
    VideoAnalysisJob,
    VideoSession,
)


class UnknownJob(CricksyError, LookupError):
    """There is no job with this id. Code SOURCE_MISSING."""


class UnknownSession(CricksyError, LookupError):
    """There is no session with this id. Code SOURCE_MISSING, as of `UnknownJob`."""


def unknown_job(job_id: str) -> UnknownJob:
    """The error for an id that is not in the table."""
    return UnknownJob(ErrorCode.SOURCE_MISSING, f"There is no job {job_id}.")


def unknown_session(session_id: str) -> UnknownSession:
    """The error for a session id that is not in the table."""
    return UnknownSession(ErrorCode.SOURCE_MISSING, f"There is no session {session_id}.")


@dataclass(frozen=True)
class JobSummary:
    """A job without its documents: what a list needs."""

    id: str
    session_id: str
    status: str
    stage: str | None
    progress_pct: int
    analysis_mode: str | None
    deep_enabled: bool
    attempt: int
    request: int
    dagster_run_id: str | None
    heartbeat_at: datetime | None
    analysis_version: str | None
    source_etag: str | None
    s3_bucket: str | None
    s3_key: str | None
    error_code: str | None
    error_message: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    updated_at: datetime


SUMMARY_COLUMNS = tuple(getattr(VideoAnalysisJob, name) for name in JobSummary.__dataclass_fields__)


def require_mode(analysis_mode: str | None) -> str:
    """The mode, if it is one that can be analysed.

    Raises:
        CricksyError: MODE_MISSING where it is None or empty, MODE_UNSUPPORTED where it is another word.
    """
    if not analysis_mode:
        raise CricksyError(ErrorCode.MODE_MISSING, f"Say what was filmed: {', '.join(ANALYSIS_MODES)}.")
    if analysis_mode not in ANALYSIS_MODES:
        raise CricksyError(ErrorCode.MODE_UNSUPPORTED, f"{analysis_mode!r} cannot be analysed; choose one of {', '.join(ANALYSIS_MODES)}.")
    return str(analysis_mode)


def plain_text(value: str) -> str:
    """The text as PostgreSQL can hold it: without NUL, and with a question mark for each half of a character."""
    return value.replace("\x00", "").encode(errors="replace").decode()


def uploaded(s3_bucket: str, s3_key: str | None, size: int | None) -> dict[str, Any]:
    """What a session says when its video is there. `size` in bytes."""
    return {"s3_bucket": s3_bucket, "s3_key": s3_key, "file_size_bytes": size, "status": SessionStatus.UPLOADED}


def ids_as_stored(connection: Connection | Session, player_ids: Sequence[str]) -> Any:
    """The ids as the column wants them: JSON in our own tables, a text array in some databases of the earlier system."""
    query = text(
        "SELECT data_type FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name = 'video_sessions' AND column_name = 'player_ids'"
    )
    if connection.scalar(query) == "ARRAY":
        return literal(list(player_ids), ARRAY(String))
    return list(player_ids)


def _title(value: str | None) -> str:
    title = plain_text(value or "").strip()[:255]
    if not title:
        raise ValueError("a session has a title")
    return title


_SAID_OF_A_SESSION: dict[str, Callable[[Session, Any], Any]] = {
    "title": lambda _, value: _title(value),
    "notes": lambda _, value: plain_text(value) if value else None,
    "analysis_context": lambda _, value: AnalysisContext(value) if value else None,
    "camera_view": lambda _, value: CameraView(value) if value else None,
    "player_ids": lambda orm, value: ids_as_stored(orm, value or ()),
}
"""What a coach says of a session beside the consent, and how the column takes it."""


def _demand_columns(said: Mapping[str, Any], known: Collection[str]) -> None:
    if others := sorted(set(said) - set(known)):
        raise ValueError(f"not said of a session: {', '.join(others)}")


class SessionStore:
    """Sessions and their jobs. Every method is one transaction; each may raise `CricksyError` DATABASE_UNAVAILABLE."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def create_session(
        self,
        *,
        owner_type: str = OwnerType.COACH,
        owner_id: str,
        title: str,
        notes: str | None = None,
        analysis_context: str | None = None,
        camera_view: str | None = None,
        player_ids: Sequence[str] = (),
        s3_bucket: str | None = None,
        s3_key: str | None = None,
        file_size_bytes: int | None = None,
        session_id: str | None = None,
        awaiting_upload: bool = False,
        **consent: Any,
    ) -> str:
        """Make a session and return its id (a new one, unless given): `uploaded` where a key is given, else `pending`.

        Args:
            awaiting_upload: the key is where the video is to come, so `pending`.
            consent: some of `consent.CONSENT_COLUMNS`.

        Raises:
            CricksyError: OPTIONS_INVALID, for a consent that cannot be meant so.
            ValueError: a word that is not one of the enum's.
        """
        _demand_columns(consent, CONSENT_COLUMNS)
        made = VideoSession(
            id=session_id or uuid4().hex,
            owner_type=OwnerType(owner_type),
            owner_id=owner_id,
            title=plain_text(title)[:255],
            notes=notes,
            analysis_context=AnalysisContext(analysis_context) if analysis_context else None,
            camera_view=CameraView(camera_view) if camera_view else None,
            s3_bucket=s3_bucket,
            s3_key=s3_key,
            file_size_bytes=file_size_bytes,
            status=SessionStatus.UPLOADED if s3_key and not awaiting_upload else SessionStatus.PENDING,
            **demand_meant(consent),
        )
        with session(self.engine) as orm:
            made.player_ids = ids_as_stored(orm, player_ids)
            orm.add(made)
        return made.id

    def attach_upload(
        self, session_id: str, *, s3_bucket: str, s3_key: str, file_size_bytes: int | None, status: str = SessionStatus.UPLOADED
    ) -> None:
        """Say where the session's video lies. `status=pending`: it is being uploaded and not yet there.

        Raises:
            LookupError: no such session.
        """
        values = {"s3_bucket": s3_bucket, "s3_key": s3_key, "file_size_bytes": file_size_bytes, "status": SessionStatus(status)}
        with session(self.engine) as orm:
            if orm.execute(update(VideoSession).where(VideoSession.id == session_id).values(values)).rowcount == 0:
                raise LookupError(f"there is no session {session_id}")

    def change_session(self, session_id: str, **said: Any) -> VideoSession:
        """Write what a coach says of a session, and nothing else of it. Returns the row as it then is, detached.

        Args:
            said: some of title, notes, analysis_context, camera_view, player_ids, and `consent.CONSENT_COLUMNS`; None takes back.

        Raises:
            UnknownSession: no such session.
            CricksyError: OPTIONS_INVALID, for a consent that cannot be meant so, together with what was said before.
            ValueError: a word that is not one of the enum's, an empty title, another column.
        """
        _demand_columns(said, (*_SAID_OF_A_SESSION, *CONSENT_COLUMNS))
        with session(self.engine) as orm:
            row = orm.get(VideoSession, session_id, with_for_update=True)
            if row is None:
                raise unknown_session(session_id)
            before = {name: getattr(row, name) for name in CONSENT_COLUMNS}
            values = {name: change(orm, said[name]) for name, change in _SAID_OF_A_SESSION.items() if name in said}
            values |= demand_meant({name: said[name] for name in CONSENT_COLUMNS if name in said}, before)
            for name, value in values.items():
                setattr(row, name, value)
            orm.flush()
            orm.refresh(row)
        return row

    def get_session(self, session_id: str) -> VideoSession | None:
        """The session, detached, or None."""
        with session(self.engine) as orm:
            return orm.get(VideoSession, session_id)

    def create_job(
        self,
        session_id: str,
        analysis_mode: str | None,
        s3_bucket: str,
        s3_key: str,
        source_etag: str | None = None,
        source_sha256: str | None = None,
        source_size: int | None = None,
        *,
        deep_enabled: bool = True,
        include_frames: bool = False,
        sample_fps: int = 10,
        analysis_options: dict[str, Any] | None = None,
        awaiting_upload: bool = False,
        requested: bool = False,
    ) -> str:
        """Make a job over one upload and return its id: 32 hexadecimal digits, good as a partition key and in an object key, never reused.

        The row starts `queued`, stage QUEUED, 0 % (`awaiting_upload` for a video that is still to come). Bucket and key are a snapshot,
        written here and never again. With `requested` no sensor asks for a run of it: the caller runs it himself.

        Raises:
            CricksyError: MODE_MISSING, MODE_UNSUPPORTED.
        """
        made = VideoAnalysisJob(
            id=uuid4().hex,
            session_id=session_id,
            status=JobStatus.AWAITING_UPLOAD if awaiting_upload else JobStatus.QUEUED,
            stage="AWAITING_UPLOAD" if awaiting_upload else "QUEUED",
            analysis_mode=require_mode(analysis_mode),
            s3_bucket=s3_bucket,
            s3_key=s3_key,
            source_etag=source_etag,
            source_sha256=source_sha256,
            source_size=source_size,
            deep_enabled=deep_enabled,
            include_frames=include_frames,
            sample_fps=sample_fps,
            analysis_options=analysis_options or None,
            requested_at=func.clock_timestamp() if requested else None,
        )
        with session(self.engine) as orm:
            orm.add(made)
        return made.id

    def upload_arrived(self, job_id: str, *, source_etag: str | None, source_sha256: str | None, source_size: int | None) -> bool:
        """awaiting_upload -> queued, with what is known of the object; session `uploaded`. Returns False where it was not waiting."""
        values = {
            "status": JobStatus.QUEUED,
            "stage": "QUEUED",
            "source_etag": source_etag,
            "source_sha256": source_sha256,
            "source_size": source_size,
            # Who runs it himself begins now: a slow upload must not look like a request that was lost.
            "requested_at": case((VideoAnalysisJob.requested_at.is_not(None), func.clock_timestamp())),
        }
        waiting = (VideoAnalysisJob.id == job_id, VideoAnalysisJob.status == JobStatus.AWAITING_UPLOAD)
        source = (VideoAnalysisJob.session_id, VideoAnalysisJob.s3_bucket, VideoAnalysisJob.s3_key)
        with session(self.engine) as orm:
            job = orm.execute(update(VideoAnalysisJob).where(*waiting).values(values).returning(*source)).one_or_none()
            if job is not None:
                orm.execute(
                    update(VideoSession).where(VideoSession.id == job.session_id).values(uploaded(job.s3_bucket, job.s3_key, source_size))
                )
        return job is not None

    def get(self, job_id: str) -> VideoAnalysisJob:
        """The whole row, detached.

        Raises:
            UnknownJob: no such job.
        """
        with session(self.engine) as orm:
            found = orm.get(VideoAnalysisJob, job_id)
        if found is None:
            raise unknown_job(job_id)
        return found

    def progress_of(self, job_id: str) -> tuple[str, int]:
        """Stage and per cent of the job, without its documents: for a progress bar.

        Raises:
            UnknownJob: no such job.
        """
        query = select(VideoAnalysisJob.stage, VideoAnalysisJob.status, VideoAnalysisJob.progress_pct).where(VideoAnalysisJob.id == job_id)
        with session(self.engine) as orm:
            found = orm.execute(query).one_or_none()
        if found is None:
            raise unknown_job(job_id)
        return found.stage or found.status.upper(), found.progress_pct or 0

    def list_jobs(
        self,
        *,
        session_id: str | None = None,
        statuses: Sequence[str] | None = None,
        limit: int = 1000,
        offset: int = 0,
    ) -> list[JobSummary]:
        """Jobs without their documents, newest first."""
        query = select(*SUMMARY_COLUMNS).order_by(VideoAnalysisJob.created_at.desc(), VideoAnalysisJob.id)
        if session_id is not None:
            query = query.where(VideoAnalysisJob.session_id == session_id)
        if statuses is not None:
            query = query.where(VideoAnalysisJob.status.in_([JobStatus(status) for status in statuses]))
        with session(self.engine) as orm:
            return [JobSummary(*row) for row in orm.execute(query.limit(limit).offset(offset))]

    def jobs_over(self, s3_bucket: str, s3_key: str) -> list[JobSummary]:
        """All jobs over one upload, newest first: what a sensor asks before it makes another."""
        query = select(*SUMMARY_COLUMNS).where(VideoAnalysisJob.s3_bucket == s3_bucket, VideoAnalysisJob.s3_key == s3_key)
        with session(self.engine) as orm:
            return [JobSummary(*row) for row in orm.execute(query.order_by(VideoAnalysisJob.created_at.desc(), VideoAnalysisJob.id))]
