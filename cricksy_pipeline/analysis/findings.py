"""From metrics to the findings document: what a coach can act on, how serious, how sure, and what is only style.

Belongs here: what is said of each metric that `judging` found or watches, the style notes, the overall level. Does not belong here: which
metric is outside its band (`judging`), the video itself (`video_findings`), the confidence (`trust`), bands (metrics/catalogue.toml),
wording (metrics/coaching.toml), the report.

Nothing is found from what was not measured, and style is never a fault: only metrics that are marked as judged can become a technique
finding.
"""

from __future__ import annotations

from typing import Any

from cricksy_pipeline.analysis.confirming import confirming_a_finding, confirming_a_likely_one
from cricksy_pipeline.analysis.documents import (
    AnalysisMode,
    Finding,
    Findings,
    Level,
    Metric,
    MetricsBlock,
    NotMeasured,
    Priority,
    StyleNote,
    VideoEvidence,
    Watch,
)
from cricksy_pipeline.analysis.judging import RANK, Judged, Verdict, Watched, judge, why_first
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.moments import still_of
from cricksy_pipeline.analysis.trust import held_back, trust
from cricksy_pipeline.analysis.video_findings import about_the_video, sparse_grid
from cricksy_pipeline.analysis.wording import balls, band_in_words, coaching, interval_in_words, quantity

STRIP = "moments.png"
"""Name of the output that shows the stills which evidence points at (`store.keys.Output.DEEP_MOMENTS_IMAGE`)."""

_GOODNESS: dict[Level, Level] = {"low": "high", "medium": "medium", "high": "low"}


def build_findings(
    block: MetricsBlock, *, mode: AnalysisMode, detection_rate_percent: float, duration_s: float, subject: dict[str, Any] | None = None
) -> Findings:
    """The findings of one pass.

    `overall_level` is high when something was judged and no finding is worse than low, medium when the worst is medium, low when it
    is high, null when no judged metric was measured or the player was seen too little.

    Args:
        block: what was measured.
        mode: what was filmed.
        detection_rate_percent: percent of the sampled frames in which the player was found.
        duration_s: length of the video.
        subject: how the player was found (`pose_summary.subject`); ambiguity lowers the confidence.
    """
    mode = AnalysisMode(mode)
    seen_enough = detection_rate_percent >= catalogue().gates["coverage_floor_percent"] and not held_back(block)
    verdict = judge(block) if seen_enough else Verdict([], [], [])
    technique = [finding for item in verdict.found if (finding := _technique(item, len(verdict.judged), block, duration_s))]
    video = about_the_video(block, mode, detection_rate_percent)
    level, reason = _overall(verdict, technique, block, seen_enough)
    score, label, reasons = trust(
        verdict.judged, block, detection_rate=detection_rate_percent, subject=subject or {}, seen_enough=seen_enough
    )
    return Findings(
        overall_level=level,
        overall_level_reason=reason,
        priority=_priority(verdict, technique, video),
        findings=technique + video,
        watch=[watch for item in verdict.watched if (watch := _watch(item, len(verdict.judged), block, duration_s))],
        style_notes=_style_notes(block) if seen_enough else [],
        not_measured=_not_measured(block),
        detection_rate=round(detection_rate_percent, 4),
        confidence_score=score,
        confidence_label=label,
        confidence_reasons=reasons,
        analysis_mode=mode,
    )


# ------------------------------------------------------------------------------------------------------------------- technique


def _technique(item: Judged, judged: int, block: MetricsBlock, duration_s: float) -> Finding | None:
    metric, words = item.metric, _words(item)
    evidence = _evidence(item, judged, block, duration_s)
    if item.severity is None or words is None or evidence is None:
        return None
    return Finding(
        metric=item.key,
        level=_GOODNESS[item.severity],
        message=_message(metric),
        evidence=evidence,
        code=words["code"],
        kind="technique",
        title=words["title"],
        severity=item.severity,
        why_it_matters=words["why"],
        cues=list(words["cues"]),
        suggested_drills=[*words["drills"], coaching()["recheck"]],
        video_evidence=block.evidence.get(item.key, VideoEvidence()),
        confidence=round(item.outside, 4),
        what_would_confirm=confirming_a_finding(item),
    )


def _watch(watched: Watched, judged: int, block: MetricsBlock, duration_s: float) -> Watch | None:
    item, words = watched.item, _words(watched.item)
    evidence = _evidence(item, judged, block, duration_s)
    if words is None or evidence is None:
        return None
    return Watch(
        metric=item.key,
        code=words["code"],
        label=item.metric.label,
        title=words["title"],
        message=f"{_message(item.metric)} {coaching()['watch'][watched.kind].format(why=watched.why)}",
        probability_outside=round(item.outside, 4),
        evidence=evidence,
        what_would_confirm=confirming_a_likely_one(item, judged) if watched.kind == "likely" else confirming_a_finding(item),
    )


def _words(item: Judged) -> dict[str, Any] | None:
    return coaching().get(item.code, {}).get(item.side)


def _message(metric: Metric) -> str:
    spread = f", {quantity(metric.spread, metric.unit)} from ball to ball" if metric.spread is not None else ""
    return (
        f"{metric.label}: {quantity(metric.value or 0.0, metric.unit)}, {interval_in_words(metric)}, in {balls(metric.n)}{spread}; "
        f"good is {band_in_words(metric.band, metric.unit) if metric.band else 'any'}."
    )


def _evidence(item: Judged, judged: int, block: MetricsBlock, duration_s: float) -> dict[str, Any] | None:
    """What the metric itself was read from: value, interval, band, the frames of its very series. None where no frame is in the video."""
    metric, band = item.metric, item.metric.band
    read = [ball for ball in metric.per_delivery if 0 <= ball.t_s <= duration_s]
    if not read or band is None or metric.ci95 is None:
        return None
    stills = [still for ball in read if (still := still_of(ball, block.deliveries))]
    return {
        "value": metric.value,
        "unit": metric.unit,
        "ci95": list(metric.ci95),
        "band": band.model_dump(mode="json"),
        "n": metric.n,
        "spread": metric.spread,
        "t_s": [ball.t_s for ball in read],
        "frames": [ball.frame for ball in read],
        "series": metric.series,
        "definition": metric.definition,
        "distance_outside": round(item.distance, 4),
        "probability_outside": round(item.outside, 4),
        "by_chance": round(item.chance, 6),
        "judged_metrics": judged,
        "stills": [
            {"output": STRIP, "delivery": s.delivery, "event": s.event, "frame": s.frame, "t_s": s.t_s} for s in dict.fromkeys(stills)
        ],
    }


def _priority(verdict: Verdict, technique: list[Finding], video: list[Finding]) -> Priority | None:
    """The first thing to do: the first technique finding; without one, and with nothing judged, the film."""
    why = coaching()["first"]
    if technique:
        first = technique[0]
        reason = why[why_first([item for item in verdict.found if item.key in {finding.metric for finding in technique}])]
        return Priority(
            metric=first.metric, code=first.code, title=first.title, cue=first.cues[0] if first.cues else None, why_first=reason
        )
    if video and not verdict.judged:
        first = video[0]
        return Priority(metric=None, code=first.code, title=first.title, cue=first.cues[0] if first.cues else None, why_first=why["video"])
    return None


def _style_notes(block: MetricsBlock) -> list[StyleNote]:
    notes = []
    for key, metric in block.metrics.items():
        words = coaching()["style"].get(metric.code or "")
        if words is None or metric.judged or (metric.value is None and metric.category is None):
            continue
        notes.append(
            StyleNote(
                metric=key,
                label=metric.label,
                value=metric.value,
                unit=metric.unit,
                category=metric.category,
                message=words["text"],
                source=words["source"],
            )
        )
    return notes


# ---------------------------------------------------------------------------------------------------------------- the whole of it


def _overall(verdict: Verdict, technique: list[Finding], block: MetricsBlock, seen_enough: bool) -> tuple[Level | None, str | None]:
    if not seen_enough:
        return None, "The player was not seen well enough in this video to say anything about technique."
    if not verdict.judged:
        if any(metric.value is not None for metric in block.metrics.values()):
            return None, "What was measured here is described, not judged; what would be judged could not be measured."
        return None, "No technique could be measured in this video."
    worst = max((finding.severity for finding in technique), key=RANK.__getitem__, default="low")
    return _GOODNESS[worst], None


def _not_measured(block: MetricsBlock) -> list[NotMeasured]:
    found = []
    for key, metric in block.metrics.items():
        if metric.value is None and metric.category is None:
            # Where the sampling was sparse the video itself may be fast enough: no advice on filming follows from it.
            film = None if sparse_grid(block) and metric.reason_code == "RATE_TOO_LOW" else metric.how_to_film
            found.append(NotMeasured(metric=key, label=metric.label, reason=metric.reason or "", how_to_film=film))
    return found
