"""Why a metric is null, the most fundamental reason first, and what to film to have it.

Belongs here: the order of the reasons and their values. Does not belong here: the words (catalogue.toml).
"""

from __future__ import annotations

from cricksy_pipeline.analysis.documents import AnalysisMode, Metric
from cricksy_pipeline.analysis.metrics.ball import NotRead
from cricksy_pipeline.analysis.metrics.catalogue import Entry, catalogue, how_to_film, reason_text, wanted_view
from cricksy_pipeline.analysis.metrics.clip import Clip
from cricksy_pipeline.analysis.metrics.legacy import Slot
from cricksy_pipeline.analysis.metrics.session import ReadBall, rounded, says_nothing
from cricksy_pipeline.analysis.metrics.uncertainty import Z95
from cricksy_pipeline.analysis.metrics.view_gate import off_axis_deg
from cricksy_pipeline.analysis.recording import Recording
from cricksy_pipeline.analysis.slow_motion import speed_words

_DEED_OF = {"take": "take", "pick_up": "release", "front_foot_contact": "release", "release": "release"}
"""Event of a fielder's metric -> the event that every ball of its kind has: a catch or a throw."""

Refusal = tuple[str, str]
"""Reason code, and the reason in words."""


def of_the_clip(clip: Clip) -> Refusal | None:
    """Why nothing can be read in the whole clip; None when there are balls to read."""
    gates = catalogue().gates
    if not clip.coverage or clip.height_px is None:
        return "NOT_SEEN", reason_text("NOT_SEEN", coverage=_percent(clip))
    if not clip.balls:
        return _no_ball(clip)
    if clip.height_px < gates["min_height_px"]:
        return "TOO_SMALL", reason_text("TOO_SMALL", height=round(clip.height_px), least=round(gates["min_height_px"]))
    return None


def of_the_metric(entry: Entry, clip: Clip, recording: Recording) -> Refusal | None:
    """Why a metric can be read in no ball of a clip that has some; None when the balls are to be asked."""
    if entry.of_time and not recording.timed:
        return "TIME_BASE_UNKNOWN", speed_words(recording) or reason_text("TIME_BASE_UNKNOWN")
    deed = _DEED_OF.get(entry.event) if clip.mode is AnalysisMode.FIELDING else None
    if deed and all(ball.event(deed) is None for ball in clip.balls):  # no view of a throw shows a catch
        return of_the_balls([NotRead("NO_EVENT", deed)])
    if all(off_axis_deg(entry, ball.view) is None for ball in clip.balls):
        # A camera in the right place by name, of which too little is known, stood where we could not tell.
        known = None if entry.allows(clip.view.name) else clip.view.name
        stood = catalogue().words["view_words"][known or "unknown"]
        return "VIEW", reason_text("VIEW", view=stood, wanted=wanted_view(entry))
    return None


def of_the_balls(answers: list[NotRead]) -> Refusal:
    """The commonest reason over the balls; at least one."""
    codes = [answer.code for answer in answers]
    code = max(sorted(set(codes)), key=codes.count)
    if code != "NO_EVENT":
        return code, reason_text(code)
    missing = next(answer.missing for answer in answers if answer.code == code) or ""
    return code, reason_text(code, missing=f"It could not be told: {catalogue().words['event_words'].get(missing, missing)}.")


def too_few(n: int) -> Refusal:
    """A scatter over too few balls."""
    return "FEW_BALLS", reason_text("FEW_BALLS", n=n)


def unsure(entry: Entry, read: list[ReadBall]) -> Refusal:
    """A value that may be nearly anything: because of this clip, or because the pose model alone is that far off."""
    model_alone = all(says_nothing((-Z95 * one.model.sigma, Z95 * one.model.sigma), entry) for one in read)
    code = "POSE_MODEL" if model_alone else "UNSURE"
    return code, reason_text(code)


def null(slot: Slot, clip: Clip, refusal: Refusal) -> Metric:
    """The metric that is not there, with the reason."""
    entry, (code, text) = slot.entry, refusal
    return Metric(
        label=slot.label,
        code=entry.code if entry else None,
        score=None,
        value=None,
        unit=slot.unit,
        ci95=None,
        n=0,
        coverage=None if clip.coverage is None else rounded(clip.coverage),
        view=clip.view.name,
        definition=f"{entry.code}: {entry.definition}" if entry else slot.not_offered or "",
        definition_version=catalogue().version,
        band=entry.band if entry else None,
        judged=False,
        why_not_judged=entry.why_not_judged if entry else None,
        series=None,
        reason=text,
        reason_code=code,
        how_to_film=how_to_film(code, entry),
    )


def _no_ball(clip: Clip) -> Refusal:
    gates = catalogue().gates
    if clip.excluded:
        return "IMPLAUSIBLE", reason_text("IMPLAUSIBLE")
    # On a grid of 8 Hz or more a delivery leaves a mark; where there is none, more pictures would not help.
    if clip.rate_hz < gates["min_rate_hz"] and (clip.moved or clip.grid_hz < gates["sparse_grid_hz"]):
        return "RATE_TOO_LOW", reason_text("RATE_TOO_LOW", rate=f"{float(f'{clip.rate_hz:.3g}'):g}")
    if 100 * (clip.coverage or 0) < gates["coverage_floor_percent"]:
        return "NOT_SEEN", reason_text("NOT_SEEN", coverage=_percent(clip))
    return "NO_EVENT", reason_text("NO_EVENT", missing=catalogue().words["no_delivery"][clip.mode])


def _percent(clip: Clip) -> int:
    return round(100 * (clip.coverage or 0))
