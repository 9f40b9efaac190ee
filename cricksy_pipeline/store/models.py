"""The tables: `video_sessions`, `video_analysis_jobs`, `uploads`, `job_attempts`, `guardrail_results`.

Belongs here: columns, types, enums and the constraints that hold whoever writes. Does not belong here: how a row changes
(`sessions`, `jobs`) or how it is read (`job_read`). Names and types of the first two tables are those of the earlier system;
a migrated database and these models are held equal by a test.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from cricksy_pipeline.store.keys import Output, output_key


class JobStatus(StrEnum):
    """`video_analysis_jobs.status`, in the order of the enum type. `processing` and `completed` are the earlier system's."""

    AWAITING_UPLOAD = "awaiting_upload"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    QUICK_RUNNING = "quick_running"
    QUICK_DONE = "quick_done"
    DEEP_RUNNING = "deep_running"
    DONE = "done"


class SessionStatus(StrEnum):
    """`video_sessions.status`."""

    PENDING = "pending"
    UPLOADED = "uploaded"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


class OwnerType(StrEnum):
    """`video_sessions.owner_type`: a single coach, or an organisation."""

    COACH = "coach"
    ORG = "org"


class AnalysisContext(StrEnum):
    """`video_sessions.analysis_context`: what the whole folder is about; a job's mode is never `mixed`."""

    BATTING = "batting"
    BOWLING = "bowling"
    WICKETKEEPING = "wicketkeeping"
    FIELDING = "fielding"
    MIXED = "mixed"


class CameraView(StrEnum):
    """`video_sessions.camera_view`: where the camera stood, as the coach said."""

    SIDE = "side"
    FRONT = "front"
    BEHIND = "behind"
    OTHER = "other"


ANALYSIS_MODES: tuple[str, ...] = ("batting", "bowling", "wicketkeeping", "fielding")
"""The values of `video_analysis_jobs.analysis_mode`. Required for every job made here, never defaulted."""

RUNNING: tuple[str, ...] = (JobStatus.PROCESSING, JobStatus.QUICK_RUNNING, JobStatus.QUICK_DONE, JobStatus.DEEP_RUNNING)
"""The statuses in which a run holds the row."""

FINISHED: tuple[str, ...] = (JobStatus.DONE, JobStatus.COMPLETED)
"""The statuses of an analysis that a reader reads; `completed` is the earlier system's word for it."""

QUICK_ARTIFACTS: tuple[str, ...] = ("quick_results", "quick_findings", "quick_report", "quick_results_s3_key")
DEEP_ARTIFACTS: tuple[str, ...] = ("deep_results", "deep_findings", "deep_report", "deep_results_s3_key")
"""What a row holds before it may be `done`; the deep ones only where `deep_enabled`."""

DONE_IS_WHOLE = "ck_video_analysis_jobs_done_is_whole"
"""Name of the check constraint that refuses a `done` row with something missing."""

# COALESCE, because a check whose expression is NULL passes. The cast admits columns that an adopted table holds as JSONB.
_DOCUMENT = "coalesce(json_typeof({0}::json), '') = 'object'"
_KEY = "coalesce({0}, '') <> ''"
DONE_IS_WHOLE_SQL = (
    "status <> 'done' OR (coalesce(stage, '') = 'DONE' AND coalesce(progress_pct, 0) = 100 AND "
    + " AND ".join((_KEY if name.endswith("_key") else _DOCUMENT).format(name) for name in QUICK_ARTIFACTS)
    + " AND (NOT coalesce(deep_enabled, true) OR ("
    + " AND ".join((_KEY if name.endswith("_key") else _DOCUMENT).format(name) for name in DEEP_ARTIFACTS)
    + ")))"
)


CONSENT_IS_SAID = "ck_video_sessions_consent_is_said"
"""Name of the check constraint that refuses a consent of which nobody said who gave it and when; for a minor, a guardian."""

CONSENT_IS_SAID_SQL = (
    "consent_given IS NOT TRUE OR (coalesce(consent_by, '') <> '' AND consent_at IS NOT NULL"
    " AND (player_is_minor IS NOT TRUE OR consent_by_guardian IS TRUE))"
)

SUPERSEDED: tuple[str, ...] = (
    "status",
    "stage",
    "progress_pct",
    *QUICK_ARTIFACTS,
    *DEEP_ARTIFACTS,
    "pdf_s3_key",
    "pdf_generated_at",
    "stored_objects",
    "stages",
    "analysis_version",
    "analysis_options",
    "started_at",
    "completed_at",
    "quick_started_at",
    "quick_completed_at",
    "deep_started_at",
    "deep_completed_at",
)
"""What a finished row keeps aside while it is analysed anew: all that a reader is shown, and what the next attempt may build on."""


class IdList(UserDefinedType[list[str]]):
    """A list of ids in a JSON column. Reads the text array that some databases of the earlier system hold in its place, too."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """The type that a new table gets."""
        return "JSON"

    def bind_processor(self, _dialect):
        """Python list to JSON text."""
        return lambda value: None if value is None else json.dumps(value)

    def result_processor(self, _dialect, _coltype):
        """JSON text, or the list that the driver made of an array, to a Python list."""
        return lambda value: json.loads(value) if isinstance(value, str) else value


# none_as_null: a Python None is SQL NULL, not the JSON text `null`, so that `deep_findings IS NOT NULL` tells the truth.
Document = JSON(none_as_null=True)


def _enum(kind: type[StrEnum], name: str) -> Enum:
    """A PostgreSQL enum that stores the values (not the Python names) and hands back the StrEnum."""
    return Enum(kind, name=name, values_callable=lambda members: [member.value for member in members])


JOB_STATUS = _enum(JobStatus, "video_analysis_job_status")
SESSION_STATUS = _enum(SessionStatus, "video_session_status")
OWNER_TYPE = _enum(OwnerType, "owner_type")
ANALYSIS_CONTEXT = _enum(AnalysisContext, "analysis_context")
CAMERA_VIEW = _enum(CameraView, "camera_view")


class Base(DeclarativeBase):
    """The metadata that migrations are compared with."""

    metadata = MetaData()
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: Document}  # noqa: RUF012 - read by SQLAlchemy


class VideoSession(Base):
    """A coach's titled folder for one uploaded video and its analyses."""

    __tablename__ = "video_sessions"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    owner_type: Mapped[OwnerType] = mapped_column(OWNER_TYPE)
    owner_id: Mapped[str] = mapped_column(String)
    title: Mapped[str] = mapped_column(String(255))
    notes: Mapped[str | None] = mapped_column(Text)
    analysis_context: Mapped[AnalysisContext | None] = mapped_column(ANALYSIS_CONTEXT)
    camera_view: Mapped[CameraView | None] = mapped_column(CAMERA_VIEW)
    player_ids: Mapped[list[str] | None] = mapped_column(IdList(), server_default=text("'[]'"))
    s3_bucket: Mapped[str | None] = mapped_column(String(255))
    s3_key: Mapped[str | None] = mapped_column(String(500))
    file_size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[SessionStatus] = mapped_column(SESSION_STATUS, default=SessionStatus.PENDING, server_default=SessionStatus.PENDING)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    # What is said of filming people (`consent`); null: nobody said. Times with zone.
    consent_given: Mapped[bool | None] = mapped_column(Boolean)
    consent_by: Mapped[str | None] = mapped_column(String(255))
    consent_at: Mapped[datetime | None] = mapped_column()
    consent_by_guardian: Mapped[bool | None] = mapped_column(Boolean)
    player_is_minor: Mapped[bool | None] = mapped_column(Boolean)
    # After it the session is deleted, with all its objects (the chore `end_retention`); null: it is kept until somebody deletes it.
    retention_until: Mapped[datetime | None] = mapped_column()
    blur_faces: Mapped[bool | None] = mapped_column(Boolean)

    __table_args__ = (
        Index("ix_video_sessions_owner", "owner_type", "owner_id"),
        Index("ix_video_sessions_owner_created", "owner_type", "owner_id", "created_at", "id"),
        Index("ix_video_sessions_source", "s3_bucket", "s3_key"),
        Index("ix_video_sessions_retention", "retention_until", postgresql_where=text("retention_until IS NOT NULL")),
        CheckConstraint(CONSENT_IS_SAID_SQL, name=CONSENT_IS_SAID),
    )


class VideoAnalysisJob(Base):
    """One analysis of one upload: the row that a coach's reader shows. `id` is the partition key of every asset."""

    __tablename__ = "video_analysis_jobs"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("video_sessions.id", ondelete="CASCADE"))
    status: Mapped[JobStatus] = mapped_column(JOB_STATUS, default=JobStatus.QUEUED, server_default=JobStatus.QUEUED)
    stage: Mapped[str | None] = mapped_column(String(50))
    progress_pct: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    sample_fps: Mapped[int] = mapped_column(Integer, default=10, server_default="10")
    include_frames: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    deep_enabled: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    analysis_mode: Mapped[str | None] = mapped_column(String(20))
    error_message: Mapped[str | None] = mapped_column(Text)
    s3_bucket: Mapped[str | None] = mapped_column(String(255))
    s3_key: Mapped[str | None] = mapped_column(String(500))
    results: Mapped[dict[str, Any] | None] = mapped_column()
    quick_results: Mapped[dict[str, Any] | None] = mapped_column()
    deep_results: Mapped[dict[str, Any] | None] = mapped_column()
    pdf_s3_key: Mapped[str | None] = mapped_column(String(500))
    pdf_generated_at: Mapped[datetime | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column()
    completed_at: Mapped[datetime | None] = mapped_column()
    quick_started_at: Mapped[datetime | None] = mapped_column()
    quick_completed_at: Mapped[datetime | None] = mapped_column()
    deep_started_at: Mapped[datetime | None] = mapped_column()
    deep_completed_at: Mapped[datetime | None] = mapped_column()
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    # Revision h3i4j5k6l7m8: what the reader reads, each in a field of its own.
    quick_findings: Mapped[dict[str, Any] | None] = mapped_column()
    quick_report: Mapped[dict[str, Any] | None] = mapped_column()
    deep_findings: Mapped[dict[str, Any] | None] = mapped_column()
    deep_report: Mapped[dict[str, Any] | None] = mapped_column()
    quick_results_s3_key: Mapped[str | None] = mapped_column(String(500))
    deep_results_s3_key: Mapped[str | None] = mapped_column(String(500))

    # What the pipeline adds: who holds the row, what was analysed, and how it failed.
    dagster_run_id: Mapped[str | None] = mapped_column(String(64))
    attempt: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    heartbeat_at: Mapped[datetime | None] = mapped_column()
    analysis_version: Mapped[str | None] = mapped_column(String(64))
    source_etag: Mapped[str | None] = mapped_column(String(255))
    source_sha256: Mapped[str | None] = mapped_column(String(64))
    source_size: Mapped[int | None] = mapped_column(BigInteger)
    error_code: Mapped[str | None] = mapped_column(String(50))
    failed_stage: Mapped[str | None] = mapped_column(String(50))
    # {output: {"key", "sha256"}}: where each output lies, which may be the folder of an earlier attempt whose work still holds.
    stored_objects: Mapped[dict[str, Any] | None] = mapped_column()

    # What operations add: what still holds of earlier attempts, the analysis that a new one replaces, and who asked for a run when.
    # {stage: {"inputs", "run_id", "attempt", "seconds", "cpu_s"}}: what each stage was made from, by whom, at what cost.
    stages: Mapped[dict[str, Any] | None] = mapped_column()
    # The columns of `SUPERSEDED` as they were when a finished job was claimed, or asked for, again; null while nothing is being replaced.
    superseded: Mapped[dict[str, Any] | None] = mapped_column()
    # How many times a run was asked for; part of the run key, because Dagster remembers a run key for ever, failed runs included.
    request: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    requested_at: Mapped[datetime | None] = mapped_column()
    # What was said beside the mode (`analysis.options`), only what was said; null: nothing.
    analysis_options: Mapped[dict[str, Any] | None] = mapped_column()

    def output_key(self, output: Output) -> str:
        """Where this row's attempt writes an output. Raises ValueError for a source key that no store of ours accepts."""
        return output_key(self.s3_key or "", self.id, output, self.attempt or 1)

    def stored_key(self, output: Output) -> str:
        """Where an output lies that this attempt made or keeps: as recorded when it was stored, else where this attempt would write it.

        Raises ValueError for a source key that no store of ours accepts.
        """
        entry = (self.stored_objects or {}).get(str(output))
        return entry["key"] if isinstance(entry, dict) else self.output_key(output)

    def shown_key(self, output: Output) -> str | None:
        """Where an output lies that a reader is shown: while a finished analysis is being replaced, the earlier's. None: there is none.

        What no stage recorded is not shown, whatever lies there: nobody has proven it. The earlier system recorded nothing; what was
        stored of its analyses lies where a first attempt's lies, and its PDF where the row says.

        Raises ValueError for a source key that no store of ours accepts.
        """
        stored = (self.superseded or {}).get("stored_objects") if self.superseded else self.stored_objects
        if stored:
            return stored.get(str(output), {}).get("key")
        first = self.superseded or self.status in FINISHED or (self.attempt or 0) <= 1
        if first and output is Output.REPORT_PDF and (key := (self.superseded or {}).get("pdf_s3_key", self.pdf_s3_key)):
            return key
        return output_key(self.s3_key or "", self.id, output) if first else None

    __table_args__ = (
        Index("ix_analysis_jobs_session_id", "session_id"),
        Index("ix_analysis_jobs_status", "status"),
        Index("ix_analysis_jobs_source", "s3_bucket", "s3_key"),
        # What is left to do is always few; the table is not.
        Index("ix_analysis_jobs_queued", "created_at", postgresql_where=text("status = 'queued'")),
        Index("ix_analysis_jobs_created", "created_at", "id"),
        Index("ix_analysis_jobs_version", "analysis_version", "status"),
        Index(
            "ix_analysis_jobs_finished", text("completed_at NULLS FIRST"), "id", postgresql_where=text("status IN ('done', 'completed')")
        ),
        Index("ix_analysis_jobs_failed", "error_code", "attempt", postgresql_where=text("status = 'failed'")),
        # NOT VALID: rows that the earlier system called done without these columns stay as they are until they are next written.
        CheckConstraint(DONE_IS_WHOLE_SQL, name=DONE_IS_WHOLE, postgresql_not_valid=True),
    )


class Upload(Base):
    """One version of one object that was seen in the store: the memory of the uploads sensor. Never deleted but with its object."""

    __tablename__ = "uploads"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    bucket: Mapped[str] = mapped_column(String(255))
    # Any length and any character: a key that no row of ours can hold is remembered too, or it would be new at every look.
    key: Mapped[str] = mapped_column(Text)
    etag: Mapped[str] = mapped_column(String(255))
    size: Mapped[int | None] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    job_id: Mapped[str | None] = mapped_column(ForeignKey("video_analysis_jobs.id", ondelete="SET NULL"))

    __table_args__ = (UniqueConstraint("bucket", "key", "etag", name="uq_uploads_version"), Index("ix_uploads_job_id", "job_id"))


class JobAttempt(Base):
    """One attempt at one job, from claim to end: what the row itself forgets when the next attempt begins."""

    __tablename__ = "job_attempts"

    job_id: Mapped[str] = mapped_column(ForeignKey("video_analysis_jobs.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    run_id: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column()
    # done, failed, or lost (another attempt began before this one ended); null while it runs.
    outcome: Mapped[str | None] = mapped_column(String(20))
    error_code: Mapped[str | None] = mapped_column(String(50))
    error_message: Mapped[str | None] = mapped_column(Text)
    failed_stage: Mapped[str | None] = mapped_column(String(50))
    analysis_version: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index("ix_job_attempts_ended_at", "ended_at"),)


class GuardrailResult(Base):
    """The outcome of one guardrail in one run of one job; a guardrail that is evaluated again replaces its outcome."""

    __tablename__ = "guardrail_results"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("video_analysis_jobs.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(String(64))
    attempt: Mapped[int] = mapped_column(Integer)
    asset: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    passed: Mapped[bool] = mapped_column(Boolean)
    severity: Mapped[str] = mapped_column(String(10))
    actual: Mapped[Any | None] = mapped_column(Document)
    expected: Mapped[Any | None] = mapped_column(Document)
    message: Mapped[str | None] = mapped_column(Text)
    evaluated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (UniqueConstraint("job_id", "run_id", "asset", "name", name="uq_guardrail_results_outcome"),)
