"""The JSON of what was measured: the metrics block, its metrics, deliveries, series and evidence.

Belongs here: the shape of that part of a results document, and what every document is made of. Does not belong here: findings, report and
the results document as a whole (`documents`, which gives out all of these names too), how a value is computed (`metrics`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


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
    applies_to: str | None = Field(default=None, description="Of what it holds where not of everything, e.g. 'front-foot shots', 'pace'.")


class DeliveryValue(Document):
    """One metric in one delivery."""

    delivery: int = Field(description="1 for the first ball of the clip.")
    value: float
    sigma: float = Field(
        ge=0, description="One standard deviation of the measurement error of this ball: landmarks, event, view and model; same unit."
    )
    t_s: float = Field(ge=0, description="When it was read: presentation timestamp of the event, seconds.")
    frame: int = Field(ge=0, description="The frame nearest to t_s, presentation order.")
    ci95: tuple[float, float] | None = Field(
        default=None, description="95 % interval of this ball's true value: 1.96 sigma either way, further on the side that the view hides."
    )
    event: str | None = Field(default=None, description="The event it was read at.")
    category: str | None = Field(default=None, description="The class of this ball, where the metric has classes.")


class Metric(Document):
    """One measured quantity, or the reason why it is not there.

    Two different uncertainties: `ci95` is of the mean of the balls that were filmed (measurement alone). `sigma` and `score` are of the
    player's habit, of which those balls are a sample, so they also hold how much he differs from ball to ball.
    """

    label: str = Field(description="What a coach would call it.")
    code: str | None = Field(default=None, description="Its code in the catalogue, e.g. B4; null where nothing is offered under this key.")
    score: float | None = Field(
        ge=0, le=1, description="Probability that the player's habit lies in the band. Null when not measured or without a band."
    )
    value: float | None = Field(description="Robust mean over the deliveries, in `unit`.")
    unit: str
    ci95: tuple[float, float] | None = Field(description="95 % interval of `value`, as the mean of the balls that were filmed.")
    n: int = Field(ge=0, description="Deliveries that gave a value.")
    coverage: float | None = Field(ge=0, le=1, description="Share of the frames in the measured windows in which the player was found.")
    view: str | None = Field(description="Camera view it was measured from: side, front, behind, quarter; null when unknown.")
    definition: str = Field(description="The definition in words, with its name in the catalogue.")
    definition_version: str
    band: Band | None = Field(description="Null: descriptive only, nothing to be inside or outside of.")
    judged: bool = Field(default=False, description="Whether a finding may follow from it.")
    why_not_judged: str | None = Field(default=None, description="For a coach, why it is described only; null when judged.")
    category: str | None = Field(default=None, description="The commonest class over the balls, where the metric has classes.")
    spread: float | None = Field(
        default=None, ge=0, description="Robust standard deviation from ball to ball: consistency. Null with fewer than 3 balls."
    )
    sigma: float | None = Field(
        default=None, ge=0, description="One standard deviation of `value` as the player's habit; `score` follows from it."
    )
    error_status: str | None = Field(
        default=None, description="How the error of the pose model is known: 'calibrated on rendered figures', or 'uncalibrated'."
    )
    detectable_change: float | None = Field(
        default=None, ge=0, description="Smallest difference between two sessions of n balls each that is not chance (MDC95), in `unit`."
    )
    detectable_fault: float | None = Field(
        default=None, ge=0, description="How far outside its band the habit must be for a finding in nine of ten sessions of n balls."
    )
    per_delivery: list[DeliveryValue] = Field(default_factory=list)
    series: str | None = Field(description="Name of the time series it was read from, in metrics.series.")
    on_curve: bool = Field(
        default=False, description="Whether a value is the height of its series at t_s, so that the band fits the curve."
    )
    reason: str | None = Field(description="Why it is null, for a coach; null when measured.")
    reason_code: str | None = Field(
        description="Why it is null, for a program, e.g. RATE_TOO_LOW, VIEW, NO_EVENT, NOT_SEEN, TIME_BASE_UNKNOWN, NOT_OFFERED."
    )
    how_to_film: str | None = Field(default=None, description="What to film to have it; null when measured or where no filming helps.")


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
    evidence: str | None = Field(default=None, description="What it was told from, in words.")


class Delivery(Document):
    """One ball: the unit of analysis."""

    delivery: int = Field(ge=1)
    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    events: list[Event]
    contact_by: str | None = Field(
        default=None, description="What the time of contact was told from: sound or hands; null without contact."
    )
    sound_unused: str | None = Field(
        default=None, description="Why the sound was not used for the contact; null where it was, or there is none."
    )
    kind: str | None = Field(default=None, description="front_foot or back_foot, pace or spin; null where it could not be told.")
    kind_probability: float | None = Field(default=None, ge=0, le=1, description="Of front_foot, of pace; null where nothing told.")


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


class NotOffered(Document):
    """Something a coach may look for here and that is not measured, on purpose."""

    name: str
    reason: str


class MetricsBlock(Document):
    """The `metrics` part of a results document."""

    metrics: dict[str, Metric] = Field(
        description="At least the five legacy keys; every metric of the catalogue's table for the mode once."
    )
    summary: dict[str, Any] = Field(
        description=(
            "Counts: measured, not_measured, deliveries, deliveries_excluded (and excluded_by_reason); view; player's height in pixels; "
            "slow_motion and speed_source; what was repaired."
        )
    )
    not_offered: list[NotOffered] = Field(default_factory=list, description="What one phone cannot tell in this discipline, and why.")
    evidence: dict[str, VideoEvidence] = Field(description="By metric: the moments its value was read from.")
    deliveries: list[Delivery]
    series: dict[str, Series]
