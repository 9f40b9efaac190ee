"""What a reader of a job gets: the documented shape of `GET /api/coaches/plus/analysis-jobs/{job_id}`.

Belongs here: the read model, from rows old and new, and the question whether it can be rendered. Does not belong here: who may read
(`reading.api`), how it looks (`reading.report.html`). The step that completes an analysis proves its row through this very model, so
that what is called done is what a reader can show.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS, JobStatus, VideoAnalysisJob
from cricksy_pipeline.store.object_contract import ObjectStore

URL_LIFETIME_S = 3600

SHOWN_TEXT = ("text", "summary")
"""What a reader shows of a report; the earlier system's have only the second."""


class VideoStream(BaseModel):
    """Where a browser can play the uploaded video from, and for how many seconds."""

    video_url: str
    expires_in: int


class VideoAnalysisJobRead(BaseModel):
    """A job as a coach's reader shows it. Times carry a zone (UTC). Documents are null where they are not there, never empty."""

    model_config = ConfigDict(frozen=True)

    id: str
    session_id: str
    status: JobStatus
    stage: str | None
    progress_pct: int = Field(ge=0, le=100)
    sample_fps: int
    include_frames: bool
    deep_enabled: bool
    analysis_mode: str | None = Field(description="Null only in rows of the earlier system.")
    error_code: str | None
    error_message: str | None
    failed_stage: str | None
    retryable: bool = Field(description="Failed in a way that the same video may not fail again.")
    s3_bucket: str | None
    s3_key: str | None
    results: dict[str, Any] | None = Field(description="Earlier system only: {quick, deep}.")
    quick_results: dict[str, Any] | None
    quick_findings: dict[str, Any] | None
    quick_report: dict[str, Any] | None
    quick_results_s3_key: str | None
    quick_results_url: str | None
    deep_results: dict[str, Any] | None
    deep_findings: dict[str, Any] | None
    deep_report: dict[str, Any] | None
    deep_results_s3_key: str | None
    deep_results_url: str | None
    results_available: bool = Field(description="Results of at least one pass are here.")
    report_available: bool = Field(description="Findings and report of at least one pass are here.")
    missing_artifacts: list[str] = Field(description="What a whole analysis of this kind has and this row has not; also where it is done.")
    pdf_s3_key: str | None
    pdf_generated_at: datetime | None
    video_stream: VideoStream | None
    attempt: int
    dagster_run_id: str | None
    analysis_version: str | None
    heartbeat_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    quick_started_at: datetime | None
    quick_completed_at: datetime | None
    deep_started_at: datetime | None
    deep_completed_at: datetime | None
    updated_at: datetime


def read_job(row: VideoAnalysisJob, objects: ObjectStore, *, unproven: bool = False) -> VideoAnalysisJobRead:
    """The row as a reader sees it.

    While a finished job is analysed anew, a reader is shown the earlier analysis; status and progress are those of the new one. Of a job
    that a guardrail failed, the pass that it refused is not shown.

    Documents come from their columns; where a column is empty (rows of the earlier system), from `quick_results` / `deep_results`, and
    where these are empty, from the legacy `results`. No document is made up.

    Args:
        row: a detached row.
        unproven: show what the present attempt has made so far instead, for the step that proves it.
        objects: gives the presigned addresses; a store without addresses (a folder) gives null. Asked only about its own bucket.

    Raises:
        CricksyError: STORE_UNAVAILABLE, where an address cannot be made.
    """
    shown = _Shown(row, {} if unproven else row.superseded or dict.fromkeys(_columns_of(hidden_passes(row))))
    quick, deep = _documents(shown, "quick"), _documents(shown, "deep")
    taken = {**quick, **deep}
    code = row.error_code if row.error_code in ErrorCode.__members__ else None
    absent = [name for name in _wanted(row) if not (getattr(shown, name) if name.endswith("_key") else taken[name])]
    plain = {name: getattr(shown if name in _OF_THE_ANALYSIS else row, name) for name in _PLAIN}
    return VideoAnalysisJobRead(
        **{name: _in_utc(value) for name, value in plain.items()},
        results=_object(row.results),
        **taken,
        progress_pct=min(100, max(0, row.progress_pct or 0)),
        sample_fps=10 if row.sample_fps is None else row.sample_fps,
        include_frames=bool(row.include_frames),
        deep_enabled=row.deep_enabled is not False,
        attempt=row.attempt or 0,
        retryable=row.status == JobStatus.FAILED and code is not None and CODE_FACTS[ErrorCode(code)].transient,
        results_available=bool(quick["quick_results"] or deep["deep_results"]),
        report_available=any(part["findings"] and part["report"] for part in (_short(quick), _short(deep))),
        missing_artifacts=absent,
        quick_results_url=_address(row, shown.quick_results_s3_key, objects),
        deep_results_url=_address(row, shown.deep_results_s3_key, objects),
        video_stream=_stream(row, objects),
    )


def unreadable(read: VideoAnalysisJobRead) -> list[str]:
    """Why a reader could not render this as a finished analysis; empty: it can. Asked just before the row is called done, and after.

    The object keys and the quick pass do not count for rows that the earlier system ended `completed`: these render from what is in the
    row. A row still on its way is judged by what it holds.
    """
    passname = "deep" if read.deep_enabled else "quick"
    shown = {part: getattr(read, f"{passname}_{part}") for part in ("results", "findings", "report")}
    if read.status == JobStatus.COMPLETED:
        reasons = [f"{passname}_{part} is missing" for part, document in shown.items() if not document]
    else:
        reasons = [f"{name} is missing" for name in read.missing_artifacts]
    if read.status == JobStatus.FAILED:
        reasons.insert(0, f"the analysis failed: {read.error_code}")
    if read.status == JobStatus.DONE and (read.stage != "DONE" or read.progress_pct != 100):
        reasons.append(f"the row is done, but at stage {read.stage}, {read.progress_pct} %")
    if shown["findings"] and not isinstance(shown["findings"].get("findings"), list):
        reasons.append(f"{passname}_findings has no list of findings")
    if shown["findings"] and not (shown["findings"].get("overall_level") or shown["findings"].get("overall_level_reason")):
        reasons.append(f"{passname}_findings has neither an overall_level nor a reason why there is none")
    # The earlier system's reports have a summary instead, which is what its readers show.
    if shown["report"] and not any(str(shown["report"].get(name) or "").strip() for name in SHOWN_TEXT):
        reasons.append(f"{passname}_report has no text")
    return reasons


_PLAIN = (
    "id",
    "session_id",
    "status",
    "stage",
    "analysis_mode",
    "error_code",
    "error_message",
    "failed_stage",
    "s3_bucket",
    "s3_key",
    "quick_results_s3_key",
    "deep_results_s3_key",
    "pdf_s3_key",
    "pdf_generated_at",
    "dagster_run_id",
    "analysis_version",
    "heartbeat_at",
    "created_at",
    "started_at",
    "completed_at",
    "quick_started_at",
    "quick_completed_at",
    "deep_started_at",
    "deep_completed_at",
    "updated_at",
)


def hidden_passes(row: VideoAnalysisJob) -> tuple[str, ...]:
    """The passes of which nothing is shown, because a guardrail refused what they made: `quick`, `deep`, both or none."""
    if row.status != JobStatus.FAILED or row.error_code != ErrorCode.GUARDRAIL_FAILED:
        return ()
    stage = (row.failed_stage or "").partition(" ")[0]  # of a check that broke, the name is "<asset> guardrails"
    return ("quick", "deep") if stage in ("frames", "quick_results") else ("deep",) if row.deep_enabled is not False else ("quick",)


def _columns_of(passes: tuple[str, ...]) -> tuple[str, ...]:
    if not passes:
        return ()
    return tuple(name for name in (*QUICK_ARTIFACTS, *DEEP_ARTIFACTS) if name.startswith(passes)) + (_PDF if "deep" in passes else ())


_PDF = ("pdf_s3_key", "pdf_generated_at")
_OF_THE_ANALYSIS = ("quick_results_s3_key", "deep_results_s3_key", "analysis_version", *_PDF)


class _Shown:
    """The row, with the columns of the analysis that a reader still sees in place of those that a new attempt is filling."""

    def __init__(self, row: VideoAnalysisJob, superseded: dict[str, Any]) -> None:
        self._row, self._superseded = row, superseded

    def __getattr__(self, name: str) -> Any:
        return self._superseded[name] if name in self._superseded else getattr(self._row, name)


def _documents(row: _Shown, passname: str) -> dict[str, dict[str, Any] | None]:
    """Results, findings and report of one pass, from the newest place that has each."""
    legacy = row.results if isinstance(row.results, dict) else {}
    results = _object(getattr(row, f"{passname}_results")) or _object(legacy.get(passname))
    inside = results or {}
    return {
        f"{passname}_results": results,
        f"{passname}_findings": _object(getattr(row, f"{passname}_findings")) or _object(inside.get("findings")),
        f"{passname}_report": _object(getattr(row, f"{passname}_report")) or _object(inside.get("report")),
    }


def _wanted(row: VideoAnalysisJob) -> tuple[str, ...]:
    """The artifacts of a whole analysis of this kind."""
    return QUICK_ARTIFACTS + (DEEP_ARTIFACTS if row.deep_enabled is not False else ())


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) and value else None


def _short(documents: dict[str, Any]) -> dict[str, Any]:
    return {name.partition("_")[2]: value for name, value in documents.items()}


def _in_utc(value: Any) -> Any:
    """A time of an adopted table without zones is UTC: the engine asks the server for that."""
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _address(row: VideoAnalysisJob, key: str | None, objects: ObjectStore) -> str | None:
    return objects.presigned_url(key, URL_LIFETIME_S) if key and row.s3_bucket == objects.bucket else None


def _stream(row: VideoAnalysisJob, objects: ObjectStore) -> VideoStream | None:
    url = _address(row, row.s3_key, objects)
    return VideoStream(video_url=url, expires_in=URL_LIFETIME_S) if url else None
