"""How far jobs are and what of them is shown, asked without their documents.

Belongs here: the small questions that are asked often: by a page that follows a job, by a player that fetches its video piece by piece.
Does not belong here: lists (`row_pages`), whole rows (`sessions`), what a run writes (`jobs`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, literal_column, select

from cricksy_pipeline.store.claims import JOB
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.models import FINISHED, JobStatus, VideoAnalysisJob
from cricksy_pipeline.store.sessions import unknown_job

ENDED: tuple[str, ...] = (*FINISHED, JobStatus.FAILED)
"""The statuses in which nothing more happens by itself."""


@dataclass(frozen=True)
class Standing:
    """How far a job is. `error_code` and `error_message` are null but where it failed, or waits to be tried again."""

    id: str
    status: str
    stage: str | None
    progress_pct: int
    attempt: int
    error_code: str | None
    error_message: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.status in ENDED


_COLUMNS = tuple(
    func.coalesce(JOB.c[name], 0).label(name) if name in ("progress_pct", "attempt") else JOB.c[name]
    for name in Standing.__dataclass_fields__
)
_SHOWN = (
    "id",
    "status",
    "s3_bucket",
    "s3_key",
    "attempt",
    "stored_objects",
    "error_code",
    "failed_stage",
    "deep_enabled",
    "pdf_s3_key",
    "session_id",
    "stages",
)
_SHOWN_OF_EARLIER = ("stored_objects", "stages", "pdf_s3_key")


def standings(engine: Engine, job_ids: Collection[str]) -> dict[str, Standing]:
    """How far each of these jobs is, in one query; those that are not there are left out. Raises CricksyError DATABASE_UNAVAILABLE."""
    with transaction(engine) as connection:
        return {row.id: Standing(**row._mapping) for row in connection.execute(select(*_COLUMNS).where(JOB.c.id.in_(list(job_ids))))}


def row_version(engine: Engine, job_id: str) -> str:
    """A text that changes whenever anybody writes the row, whatever of it, and however.

    Raises:
        UnknownJob: no such job.
        CricksyError: DATABASE_UNAVAILABLE.
    """
    # The transaction that wrote the row, and its place: `updated_at` is only as good as everybody who writes.
    version = literal_column("video_analysis_jobs.xmin::text || '-' || video_analysis_jobs.ctid::text")
    with transaction(engine) as connection:
        found = connection.scalar(select(version).select_from(JOB).where(JOB.c.id == job_id))
    if found is None:
        raise unknown_job(job_id)
    return found


def shown_row(engine: Engine, job_id: str) -> VideoAnalysisJob:
    """The row with no more in it than what `shown_key`, `job_read.hidden_passes` and `overlays.shown_overlay` need: for serving files.

    Raises:
        UnknownJob: no such job.
        CricksyError: DATABASE_UNAVAILABLE.
    """
    # An earlier analysis that is still shown lies in one column, documents and all; of that only where its objects are.
    earlier = [JOB.c.superseded[name].label(f"earlier_{name}") for name in _SHOWN_OF_EARLIER]
    has_pdf = func.json_typeof(JOB.c.superseded["pdf_s3_key"]).is_not(None).label("earlier_has_pdf_key")
    columns = (*(JOB.c[name] for name in _SHOWN), JOB.c.superseded.is_not(None).label("is_superseded"), has_pdf, *earlier)
    with transaction(engine) as connection:
        found = connection.execute(select(*columns).where(JOB.c.id == job_id)).one_or_none()
    if found is None:
        raise unknown_job(job_id)
    earlier_objects = {"stored_objects": found.earlier_stored_objects, "stages": found.earlier_stages}
    superseded: dict[str, Any] | None = earlier_objects if found.is_superseded else None
    if superseded and found.earlier_has_pdf_key:
        superseded["pdf_s3_key"] = found.earlier_pdf_s3_key
    return VideoAnalysisJob(**{name: getattr(found, name) for name in _SHOWN}, superseded=superseded)
