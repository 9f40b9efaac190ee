"""What the API takes and gives beside the documents of an analysis: sessions, lists, uploads.

Belongs here: shapes and their descriptions. Does not belong here: a job as its reader shows it (`store.job_read`), the documents
(`analysis.documents`), where the values come from (the modules of routes).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.options import MOST_PEOPLE, MOST_SLOW_MOTION
from cricksy_pipeline.reading.api.consent import ConsentAndRetention
from cricksy_pipeline.store.models import AnalysisContext, CameraView, JobStatus, OwnerType, SessionStatus

_NO_NUL = r"^[^\x00]*$"  # PostgreSQL cannot hold it
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=_NO_NUL)]
Notes = Annotated[str, StringConstraints(max_length=10_000, pattern=_NO_NUL)]
PlayerIds = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NO_NUL)]], Field(max_length=50)]


class _Asked(BaseModel):
    """What is said by a caller: a word that means nothing is refused, not passed over."""

    model_config = ConfigDict(extra="forbid")


class Retry(BaseModel):
    """What may be said with a retry."""

    analysis_mode: AnalysisMode | None = Field(None, description="What was filmed, where the job failed because nobody had said.")


class Said(_Asked):
    """What is said beside the mode. All of it: what is left out is not said any more."""

    subject: int | None = Field(
        None, ge=1, le=MOST_PEOPLE, strict=True, description="Which of the people that the analysis lists is the player, 1 for the first."
    )
    slow_motion: float | None = Field(
        None, ge=1, le=MOST_SLOW_MOTION, allow_inf_nan=False, description="How many times slower than life the video plays; 1 is life."
    )


class NewAnalysis(Said):
    """Another analysis of a session's video, beside those that there are."""

    analysis_mode: AnalysisMode | None = Field(None, description="What was filmed; left out: what the session is about.")
    deep_enabled: bool = Field(True, description="False: only the first look at the first half minute.")
    include_frames: bool = Field(False, description="Keep the landmarks as JSON, too.")


class JobLineRead(BaseModel):
    """A job in a list: how far it is, and nothing of what is in it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    session_id: str
    session_title: str
    status: JobStatus
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


class JobPageRead(BaseModel):
    """Jobs, newest first."""

    items: list[JobLineRead]
    next_cursor: str | None = Field(description="Ask again with it; null: there are no more.")


class NewSession(ConsentAndRetention, _Asked):
    """A session that a coach makes before he uploads."""

    title: Title
    notes: Notes | None = None
    analysis_context: AnalysisContext | None = Field(None, description="What it is about.")
    camera_view: CameraView | None = Field(None, description="Where the camera stood.")
    player_ids: PlayerIds = []
    owner_type: OwnerType = Field(OwnerType.COACH, description="`org`: the session is the organisation's, and all its coaches see it.")
    owner_id: str | None = Field(None, description="Of the organisation; left out for a coach's own session.")


class SessionChange(ConsentAndRetention, _Asked):
    """What is said anew of a session: what is left out stays, null takes back (a title cannot be taken back)."""

    title: Title | None = None
    notes: Notes | None = None
    analysis_context: AnalysisContext | None = None
    camera_view: CameraView | None = None
    player_ids: PlayerIds | None = None


class SessionRead(ConsentAndRetention):
    """A session and its newest job."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    owner_type: OwnerType
    owner_id: str
    title: str
    notes: str | None
    analysis_context: AnalysisContext | None
    camera_view: CameraView | None
    player_ids: list[str]
    status: SessionStatus
    file_size_bytes: int | None
    created_at: datetime
    updated_at: datetime
    latest_job: JobLineRead | None


class SessionPageRead(BaseModel):
    """Sessions, newest first."""

    items: list[SessionRead]
    next_cursor: str | None = Field(description="Ask again with it; null: there are no more.")


class NewUpload(Said):
    """A video that is to come: for a session that has none yet, or for a new one."""

    file_name: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        description="Only its ending counts: it says what it is."
    )
    size_bytes: int = Field(ge=1, strict=True, description="Of the whole file. Just so many bytes are taken.")
    content_type: str | None = Field(None, max_length=100, description="As the browser has it. `video/*`, or left out.")
    analysis_mode: AnalysisMode = Field(description="What was filmed. Never guessed.")
    session_id: str | None = Field(None, max_length=128, description="Left out: a session is made.")
    title: Title | None = Field(None, description="Of the session that is made; left out: the file's name.")
    owner_type: OwnerType = OwnerType.COACH
    owner_id: str | None = None
    deep_enabled: bool = True
    include_frames: bool = False


class PartRead(BaseModel):
    """A piece of the file: PUT the bytes from `offset` on, `size` of them, to `url`."""

    number: int
    offset: int
    size: int
    received: bool
    url: str | None = Field(
        description="Absolute, or relative to the API's address. Null where the part is there, and once the upload has ended."
    )


class UploadRead(BaseModel):
    """An upload on its way. It has the id of the job that waits for it."""

    id: str
    job_id: str
    session_id: str
    status: JobStatus
    size_bytes: int
    part_size: int
    parts: list[PartRead]
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str] = Field(description="To be sent with each PUT, and no `Authorization`.")
    expires_at: datetime | None = Field(description="Until when the addresses hold; ask for the upload again for fresh ones.")


class UploadCompleted(BaseModel):
    """All of it is there, and its analysis is queued."""

    job: JobLineRead
