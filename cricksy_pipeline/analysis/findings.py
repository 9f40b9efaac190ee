"""From metrics to findings: what a coach can act on, how serious, how sure.

Belongs here: severities from the probability of being outside the band and the distance (cricket-metrics 3.3.10), the choice of at
most three, quality findings about the video itself, the overall level and the confidence. Does not belong here: bands
(metrics/catalogue.toml), wording (metrics/coaching.toml), the report.

Nothing is found from what was not measured, and style is never a fault: only metrics that the catalogue marks as judged can become
a technique finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cricksy_pipeline.analysis.documents import AnalysisMode, Finding, Findings, Level, Metric, MetricsBlock, NotMeasured, VideoEvidence
from cricksy_pipeline.analysis.metrics.catalogue import Entry, catalogue, how_to_film
from cricksy_pipeline.analysis.metrics.uncertainty import distance_outside
from cricksy_pipeline.analysis.wording import balls, band_in_words, coaching, number, quantity

MOST_TECHNIQUE_FINDINGS = 3
LOW_FROM, MEDIUM_FROM, HIGH_FROM = 0.80, 0.90, 0.95
"""Probability of being outside the band from which a finding has this severity (cricket-metrics 3.3.10)."""
HIGH_NEEDS_BALLS, HIGH_NEEDS_SHARE = 3, 0.6

_GOODNESS: dict[Level, Level] = {"low": "high", "medium": "medium", "high": "low"}
_RANK = {"low": 1, "medium": 2, "high": 3}


@dataclass(frozen=True)
class _Judged:
    """A measured metric with the catalogue entry that judges it."""

    key: str
    metric: Metric
    entry: Entry


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
        subject: how the player was found (`pose_summary.subject`); a true or high `ambiguity` lowers the confidence.
    """
    mode = AnalysisMode(mode)
    seen_enough = detection_rate_percent >= catalogue().gates["coverage_floor_percent"]
    judged = _judged(block, mode) if seen_enough else []
    technique = _most_important([finding for item in judged if (finding := _technique(item, block, duration_s))])
    quality = _quality(block, mode, detection_rate_percent)
    level, reason = _overall(judged, technique, block, seen_enough)
    score, label, reasons = _confidence(judged, block, detection_rate_percent, subject or {}, seen_enough)
    return Findings(
        overall_level=level,
        overall_level_reason=reason,
        findings=technique + quality,
        not_measured=_not_measured(block, mode),
        detection_rate=round(detection_rate_percent, 4),
        confidence_score=score,
        confidence_label=label,
        confidence_reasons=reasons,
        analysis_mode=mode,
    )


def _judged(block: MetricsBlock, mode: AnalysisMode) -> list[_Judged]:
    found = []
    for key, metric in block.metrics.items():
        entry = catalogue().entry_of(mode, key, metric.definition)
        if metric.value is not None and metric.score is not None and entry is not None and entry.judged:
            found.append(_Judged(key, metric, entry))
    return found


# ------------------------------------------------------------------------------------------------------------------- technique


def severity(metric: Metric, entry: Entry) -> Level | None:
    """How serious, or None when it is not surely enough outside the band. One or two balls never make it high."""
    if metric.value is None or metric.score is None or entry.band is None:
        return None
    outside, distance = 1 - metric.score, distance_outside(metric.value, entry.band)
    if outside < LOW_FROM or distance <= 0:
        return None
    share = sum(distance_outside(ball.value, entry.band) > 0 for ball in metric.per_delivery) / max(1, len(metric.per_delivery))
    if outside >= HIGH_FROM and distance >= entry.d2 and metric.n >= HIGH_NEEDS_BALLS and share >= HIGH_NEEDS_SHARE:
        return "high"
    return "medium" if outside >= MEDIUM_FROM and distance >= entry.d1 else "low"


def _technique(item: _Judged, block: MetricsBlock, duration_s: float) -> Finding | None:
    metric, band = item.metric, item.entry.band
    how_bad = severity(metric, item.entry)
    if how_bad is None or band is None or metric.value is None or metric.ci95 is None:
        return None
    below = band.low is not None and metric.value < band.low
    words = coaching().get(item.entry.code, {}).get("below" if below else "above")
    if words is None:
        return None
    read = [ball for ball in metric.per_delivery if 0 <= ball.t_s <= duration_s]
    if not read:
        return None
    low, high = metric.ci95
    return Finding(
        metric=item.key,
        level=_GOODNESS[how_bad],
        message=(
            f"{metric.label}: {quantity(metric.value, metric.unit)}, likely between {number(low, metric.unit)} and "
            f"{number(high, metric.unit)}, in {balls(metric.n)}; good is {band_in_words(band, metric.unit)}."
        ),
        evidence={
            "value": metric.value,
            "unit": metric.unit,
            "ci95": [low, high],
            "band": band.model_dump(mode="json"),
            "n": metric.n,
            "t_s": [ball.t_s for ball in read],
            "frames": [ball.frame for ball in read],
            "series": metric.series,
            "definition": metric.definition,
        },
        code=words["code"],
        kind="technique",
        title=words["title"],
        severity=how_bad,
        why_it_matters=words["why"],
        cues=list(words["cues"]),
        suggested_drills=[*words["drills"], coaching()["recheck"]],
        video_evidence=block.evidence.get(item.key, VideoEvidence()),
        confidence=round(1 - (metric.score or 0.0), 4),
    )


def _most_important(found: list[Finding]) -> list[Finding]:
    """The most serious first, then the surest; at most three, for nobody works on four things."""
    return sorted(found, key=lambda finding: (-_RANK[finding.severity], -(finding.confidence or 0)))[:MOST_TECHNIQUE_FINDINGS]


# --------------------------------------------------------------------------------------------------------------------- quality


def _quality(block: MetricsBlock, mode: AnalysisMode, detection_rate: float) -> list[Finding]:
    """At most one finding about the video."""
    gates = catalogue().gates
    missing = {key: metric for key, metric in block.metrics.items() if metric.value is None and metric.reason_code != "NOT_OFFERED"}
    if detection_rate < gates["coverage_floor_percent"]:
        removed = {key: metric for key, metric in block.metrics.items() if metric.reason_code != "NOT_OFFERED"}
        seen = (
            "Nobody was found in the video"
            if detection_rate == 0
            else f"The player was found in only {detection_rate:.0f} % of the pictures"
        )
        return [
            _quality_finding(
                "INSUFFICIENT_POSE_VISIBILITY", f"{seen}; {_removed(removed)}.", removed, "high", detection_rate, "NOT_SEEN", mode
            )
        ]
    measured = any(metric.value is not None for metric in block.metrics.values())
    if not measured and not _sparse_only(block):
        reason = _commonest_reason(missing)
        text = next(
            (metric.reason for metric in missing.values() if metric.reason_code == reason and metric.reason),
            "Nothing was offered for this discipline.",
        )
        return [_quality_finding("NOTHING_MEASURED", text, missing, "medium", detection_rate, reason, mode)]
    if detection_rate < gates["coverage_good_percent"]:
        text = f"The player was found in {detection_rate:.0f} % of the pictures; deliveries in the rest are missing."
        return [_quality_finding("LIMITED_POSE_VISIBILITY", text, missing, "low", detection_rate, "NOT_SEEN", mode)]
    return []  # fmt: skip


def _sparse_only(block: MetricsBlock) -> bool:
    """Whether nothing was measured only because the pictures were sampled sparsely: that says nothing of the video."""
    codes = {metric.reason_code for metric in block.metrics.values() if metric.value is None}
    return codes <= {"RATE_TOO_LOW", "NOT_OFFERED"} and block.summary.get("grid_fps", 0) < catalogue().gates["sparse_grid_hz"]


def _commonest_reason(missing: dict[str, Metric]) -> str:
    codes = [metric.reason_code for metric in missing.values() if metric.reason_code]
    return max(sorted(set(codes)), key=codes.count) if codes else "NOT_OFFERED"


def _removed(missing: dict[str, Metric]) -> str:
    labels = list(dict.fromkeys(metric.label.lower() for metric in missing.values()))
    return "so these could not be read: " + ", ".join(labels) if labels else "so nothing could be read"


def _quality_finding(
    code: str, message: str, missing: dict[str, Metric], how_bad: Level, rate: float, reason: str, mode: AnalysisMode
) -> Finding:
    words = coaching()["quality"][code]
    entries = [catalogue().entry_of(mode, key, metric.definition) for key, metric in missing.items()]
    film = how_to_film(reason, next((entry for entry in entries if entry), None)) or how_to_film("NO_EVENT", None)
    return Finding(
        metric=None,
        level=None,
        message=f"{message} How to film it: {film}",
        evidence={
            "detection_rate_percent": round(rate, 4),
            "metrics_removed": list(missing),
            "reason_code": reason,
            "t_s": [],
            "frames": [],
            "series": None,
        },
        code=code,
        kind="quality",
        title=words["title"],
        severity=how_bad,
        why_it_matters=words["why"],
        cues=list(words["cues"]),
        suggested_drills=[],
        video_evidence=VideoEvidence(),
        confidence=None,
    )


# ---------------------------------------------------------------------------------------------------------------- the whole of it


def _overall(judged: list[_Judged], technique: list[Finding], block: MetricsBlock, seen_enough: bool) -> tuple[Level | None, str | None]:
    if not seen_enough:
        return None, "The player was seen in too little of the video to say anything about technique."
    if not judged:
        if any(metric.value is not None for metric in block.metrics.values()):
            return None, "What was measured here is described, not judged; what would be judged could not be measured."
        return None, "No technique could be measured in this video."
    worst = max((finding.severity for finding in technique), key=_RANK.__getitem__, default="low")
    return _GOODNESS[worst], None


def _confidence(
    judged: list[_Judged], block: MetricsBlock, detection_rate: float, subject: dict[str, Any], seen_enough: bool
) -> tuple[float | None, Level | None, list[str]]:
    """Geometric mean of three shares: pictures in which the player was found (full at 90 %), balls (half at 2, seven eighths at 6),
    and how narrow the intervals are against their bands. Halved when the player could have been mixed up with another."""
    measured = [metric for metric in block.metrics.values() if metric.value is not None]
    if not seen_enough or not measured:
        return None, None, ["Nothing was measured."]
    n = max(metric.n for metric in measured)
    sharp = [_sharpness(item) for item in judged]
    shares = [min(1.0, detection_rate / 90), 1 - 0.5 ** (n / 2), *([sum(sharp) / len(sharp)] if sharp else [])]
    score = 1.0
    for share in shares:
        score *= max(share, 1e-6) ** (1 / len(shares))
    more = "" if n >= 6 else "; 6 or more would be better"
    reasons = [f"{balls(n).capitalize()} measured{more}."]
    if detection_rate < 90:
        reasons.insert(0, f"The player was found in only {detection_rate:.0f} % of the pictures.")
    if sharp and min(sharp) < 0.7:
        reasons.append("At least one interval is as wide as the band it is held against.")
    if _ambiguous(subject):
        score *= 0.5
        reasons.append("More than one person was in the picture; the player may have been mixed up.")
    label: Level = "high" if score >= 0.9 else "medium" if score >= 0.7 else "low"
    return round(score, 4), label, reasons


def _sharpness(item: _Judged) -> float:
    band, ci95 = item.entry.band, item.metric.ci95
    if band is None or ci95 is None:
        return 0.0
    width = 2 * item.entry.d2 if band.low is None or band.high is None else band.high - band.low
    return min(1.0, width / max(ci95[1] - ci95[0], 1e-9))


def _ambiguous(subject: dict[str, Any]) -> bool:
    sign = subject.get("ambiguous", subject.get("ambiguity"))
    return sign is True or (isinstance(sign, (int, float)) and not isinstance(sign, bool) and sign >= 0.5)


def _not_measured(block: MetricsBlock, mode: AnalysisMode) -> list[NotMeasured]:
    sparse = block.summary.get("grid_fps", 0) < catalogue().gates["sparse_grid_hz"]
    found = []
    for key, metric in block.metrics.items():
        if metric.value is None:
            code = metric.reason_code or ""
            entry = catalogue().entry_of(mode, key, metric.definition)
            # Where the sampling was sparse the video itself may be fast enough: no advice on filming follows from it.
            film = None if sparse and code == "RATE_TOO_LOW" else how_to_film(code, entry)
            found.append(NotMeasured(metric=key, label=metric.label, reason=metric.reason or "", how_to_film=film))
    return found
