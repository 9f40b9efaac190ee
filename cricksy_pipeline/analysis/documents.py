"""The JSON documents that readers rely on: results, metrics, findings, report.

Belongs here: the shape of each document and the direction of every scale, and nothing else; the measured part is in
`measurement_documents`. The JSON Schemas in docs/schemas/ are generated from these models. Does not belong here: how a value is computed
(`metrics`), judged (`findings`) or worded (`report`).

Two scales run in opposite directions, for the readers that exist: `overall_level` and `level` say how good (high is good),
`severity` says how bad (high is bad). What could not be measured is null and carries a reason; no default looks like a measurement.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cricksy_pipeline.analysis.measurement_documents import (
    LEGACY_METRICS,
    AnalysisMode,
    Band,
    Delivery,
    DeliveryValue,
    Document,
    Event,
    Level,
    Metric,
    MetricsBlock,
    NotOffered,
    Series,
    VideoEvidence,
    VideoMoment,
    VideoSegment,
)

__all__ = [
    "LEGACY_METRICS",
    "SCHEMA_VERSION",
    "AnalysisMode",
    "AnalysisResults",
    "Band",
    "Confirmation",
    "Delivery",
    "DeliveryValue",
    "Document",
    "Drill",
    "Event",
    "Finding",
    "Findings",
    "Level",
    "Metric",
    "MetricsBlock",
    "NotMeasured",
    "NotOffered",
    "PoseSummary",
    "Priority",
    "Report",
    "ReportSection",
    "ResultsMeta",
    "Series",
    "StyleNote",
    "VideoEvidence",
    "VideoMoment",
    "VideoSegment",
    "Watch",
    "as_json",
]

SCHEMA_VERSION = "2"


class Drill(Document):
    """Something to practise."""

    name: str
    how: str


class Confirmation(Document):
    """What would make a finding, or something on the watch list, sure or settle it."""

    balls_more: int | None = Field(ge=0, description="Balls to add at the same set-up; null: more balls would not do it.")
    view: str | None = Field(description="Where to stand, in words.")
    detectable_change: float | None = Field(ge=0, description="In `unit`: a smaller change between two sessions is level.")
    unit: str | None
    text: str = Field(description="The sentence.")


class Watch(Document):
    """Likely outside the band, not surely enough to be a finding."""

    metric: str
    code: str
    label: str
    title: str
    message: str
    probability_outside: float = Field(ge=0, le=1)
    evidence: dict[str, Any] = Field(description="As a finding's.")
    what_would_confirm: Confirmation | None = None


class StyleNote(Document):
    """A choice, not a fault."""

    metric: str
    label: str
    value: float | None
    unit: str
    category: str | None
    message: str
    source: str


class Priority(Document):
    """The one thing to do first."""

    metric: str | None
    code: str
    title: str
    cue: str | None
    why_first: str


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
    what_would_confirm: Confirmation | None = None


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
    priority: Priority | None = Field(
        default=None, description="The first finding and why it comes first; null without a technique finding."
    )
    findings: list[Finding] = Field(description="Most important first; at most three technique findings.")
    watch: list[Watch] = Field(default_factory=list)
    style_notes: list[StyleNote] = Field(default_factory=list)
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
    priority: str | None = Field(default=None, description="One or two sentences: what to do first, and why.")
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
    model: str = Field(description="e.g. blazepose-full: saw the quick pass, and every frame around a delivery.")
    model_sha256: str
    finder: str | None = Field(None, description="e.g. blazepose-lite: saw the grid after the quick pass; null: `model` saw all.")
    finder_sha256: str | None = None
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
