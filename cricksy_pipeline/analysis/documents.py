"""The JSON documents that readers rely on: results, metrics, findings, report.

Belongs here: the shape of each document, the direction of every scale, and nothing else. Their JSON Schemas in docs/schemas/ are
generated from these models. Does not belong here: how a value is computed (`metrics`), judged (`findings`) or worded (`report`).

Two scales run in opposite directions, for the readers that exist: `overall_level` and `level` say how good (high is good),
`severity` says how bad (high is bad). What could not be measured is null and carries a reason; no default looks like a measurement.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA_VERSION = "1"


class AnalysisMode(StrEnum):
    """What was filmed. Always given by whoever asks for the analysis, never guessed."""

    BATTING = "batting"
    BOWLING = "bowling"
    WICKETKEEPING = "wicketkeeping"
    FIELDING = "fielding"


LEGACY_METRICS: tuple[str, ...] = (
    "head_stability_score",
    "balance_drift_score",
    "front_knee_brace_score",
    "hip_shoulder_separation_timing",
    "elbow_drop_score",
)
"""The five keys that every results document carries, measured or null with a reason."""

Level = Literal["low", "medium", "high"]


class Document(BaseModel):
    """Base of every document: unknown keys are an error, NaN and infinity are errors."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants")


class Band(Document):
    """The range of values that coaching calls sound, with where that opinion comes from."""

    low: float | None = Field(description="Lower end in the metric's unit; null: no lower limit.")
    high: float | None = Field(description="Upper end in the metric's unit; null: no upper limit.")
    source: str = Field(description="Paper, coaching text or 'house default'.")
    status: Literal["published", "coaching", "uncalibrated"] = Field(description="uncalibrated: a house default, not yet checked.")


class DeliveryValue(Document):
    """One metric in one delivery."""

    delivery: int = Field(description="1 for the first ball of the clip.")
    value: float
    sigma: float = Field(ge=0, description="One standard deviation of the measurement error, same unit.")
    t_s: float = Field(ge=0, description="When it was read: presentation timestamp of the event, seconds.")
    frame: int = Field(ge=0, description="The frame nearest to t_s, presentation order.")


class Metric(Document):
    """One measured quantity, or the reason why it is not there."""

    label: str = Field(description="What a coach would call it.")
    score: float | None = Field(ge=0, le=1, description="Probability that the true value lies in the band. Null when not measured.")
    value: float | None = Field(description="Robust mean over the deliveries, in `unit`.")
    unit: str
    ci95: tuple[float, float] | None = Field(description="95 % interval of `value`.")
    n: int = Field(ge=0, description="Deliveries that gave a value.")
    coverage: float | None = Field(ge=0, le=1, description="Share of the frames in the measured windows in which the player was found.")
    view: str | None = Field(description="Camera view it was measured from: side, front, behind, quarter; null when unknown.")
    definition: str = Field(description="The definition in words, with its name in the catalogue.")
    definition_version: str
    band: Band | None = Field(description="Null: descriptive only, nothing to be inside or outside of.")
    per_delivery: list[DeliveryValue] = Field(default_factory=list)
    series: str | None = Field(description="Name of the time series it was read from, in metrics.series.")
    reason: str | None = Field(description="Why it is null, for a coach; null when measured.")
    reason_code: str | None = Field(description="Why it is null, for a program, e.g. RATE_TOO_LOW, VIEW, NO_EVENT, NOT_SEEN, NOT_OFFERED.")


class Series(Document):
    """A quantity over time, for plots and for evidence. Null where it could not be read."""

    label: str
    unit: str
    t_s: list[float]
    frame: list[int]
    value: list[float | None]


class Event(Document):
    """A named moment of a delivery."""

    name: str = Field(description="e.g. top_of_backlift, front_foot_down, contact; back_foot_contact, front_foot_contact, release.")
    t_s: float = Field(ge=0)
    sigma_s: float = Field(ge=0, description="One standard deviation of its time, seconds.")
    frame: int = Field(ge=0)


class Delivery(Document):
    """One ball: the unit of analysis."""

    delivery: int = Field(ge=1)
    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    events: list[Event]


class VideoMoment(Document):
    """A frame worth looking at."""

    frame: int = Field(ge=0)
    t_s: float = Field(ge=0, description="Presentation timestamp, seconds.")
    timestamp: str = Field(description="m:ss.ss, for people.")
    score: float | None = Field(description="The metric's score or series value there; null where there is none.")


class VideoSegment(Document):
    """A stretch of the video worth looking at."""

    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    start: str = Field(description="m:ss.ss, for people.")
    end: str = Field(description="m:ss.ss, for people.")
    min_score: float | None


class VideoEvidence(Document):
    """Where in the video a finding can be seen."""

    worst_frames: list[VideoMoment] = Field(default_factory=list)
    bad_segments: list[VideoSegment] = Field(default_factory=list)


class MetricsBlock(Document):
    """The `metrics` part of a results document."""

    metrics: dict[str, Metric] = Field(description="At least the five legacy keys.")
    summary: dict[str, Any] = Field(description="Counts: measured, not_measured, deliveries; view; player's height in pixels.")
    evidence: dict[str, VideoEvidence] = Field(description="By metric: the moments its value was read from.")
    deliveries: list[Delivery]
    series: dict[str, Series]


class Drill(Document):
    """Something to practise."""

    name: str
    how: str


class Finding(Document):
    """Something a coach can act on, with the evidence that triggered it."""

    metric: str | None = Field(description="The metric that triggered it; null for a quality finding.")
    level: Level | None = Field(description="How good: high is good. Null for a quality finding, which says nothing of the player.")
    message: str
    evidence: dict[str, Any] = Field(description="value, unit, ci95, band, n, t_s (list of seconds), frames, series.")
    code: str
    kind: Literal["technique", "quality"]
    title: str
    severity: Level = Field(description="How bad: high is bad.")
    why_it_matters: str
    cues: list[str]
    suggested_drills: list[str]
    video_evidence: VideoEvidence
    confidence: float | None = Field(ge=0, le=1, description="Probability that the true value is outside the band; null for quality.")


class NotMeasured(Document):
    """A metric that is null, and what to film to have it."""

    metric: str
    label: str
    reason: str
    how_to_film: str | None


class Findings(Document):
    """`deep_findings`, `quick_findings`."""

    overall_level: Level | None = Field(description="How good overall: high is good. Null when nothing could be judged.")
    overall_level_reason: str | None = Field(description="Why overall_level is null; null when it is not.")
    findings: list[Finding] = Field(description="Most important first; at most three technique findings.")
    not_measured: list[NotMeasured]
    detection_rate: float = Field(ge=0, le=100, description="Percent of sampled frames in which the player was found.")
    confidence_score: float | None = Field(ge=0, le=1, description="Trust in the measurements as a whole; null when nothing was measured.")
    confidence_label: Level | None
    confidence_reasons: list[str]
    analysis_mode: AnalysisMode
    analysis_version: str | None = Field(default=None, description="The version that made it; null in documents of the earlier system.")


class ReportSection(Document):
    """One titled part of the report."""

    title: str
    body: str


class Report(Document):
    """`deep_report`, `quick_report`."""

    text: str = Field(min_length=1)
    overall_level: Level | None
    sections: list[ReportSection] = Field(min_length=1)
    summary: str
    top_issues: list[str] = Field(max_length=3)
    drills: list[Drill] = Field(max_length=8)
    one_week_plan: list[str] = Field(min_length=7, max_length=7, description="One line a day.")
    notes: list[str]
    generated_with_llm: Literal[False]
    reliability_warning: str | None
    analysis_mode: AnalysisMode
    analysis_version: str | None = Field(default=None, description="The version that made it; null in documents of the earlier system.")


class PoseSummary(Document):
    """What was looked at, and in how much of it the player was found."""

    total_frames: int = Field(ge=1, description="Frames in the file.")
    sampled_frames: int = Field(ge=0, description="Frames of the sampling grid.")
    burst_frames: int = Field(ge=0, description="Further frames, sampled at the native rate around deliveries.")
    frames_with_pose: int = Field(ge=0, description="Grid frames in which a body was found.")
    detection_rate_percent: float = Field(ge=0, le=100)
    video_fps: float | None = Field(gt=0, description="(frames - 1) / (last - first timestamp); null for a single frame.")
    variable_rate: bool
    width: int
    height: int
    rotation_deg: int
    duration_s: float
    model: str = Field(description="e.g. blazepose-full.")
    model_sha256: str
    subject: dict[str, Any] = Field(description="How the player was found: region, share of frame height, ambiguity.")


class ResultsMeta(Document):
    """How the analysis was made."""

    schema_version: str = SCHEMA_VERSION
    job_id: str
    pass_name: Literal["quick", "deep"]
    sample_fps: float
    max_seconds: float | None = Field(description="30 for the quick pass; null: everything.")
    analysis_mode: AnalysisMode
    analysis_mode_used: AnalysisMode = Field(description="The same as analysis_mode: a mode is never substituted.")
    analysis_version: str
    code_version: str
    source_sha256: str


class AnalysisResults(Document):
    """`quick_results`, `deep_results`. `findings` and `report` are null until their own stage has run."""

    pose_summary: PoseSummary
    metrics: MetricsBlock
    findings: Findings | None
    report: Report | None
    meta: ResultsMeta
    outputs: dict[str, str] = Field(description="Object key of each stored output, by name.")


def as_json(document: Document) -> dict[str, Any]:
    """The document as JSON-ready Python values. Numbers are finite by construction."""
    return document.model_dump(mode="json")
