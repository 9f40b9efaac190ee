"""Findings about the video itself: what was missing, which metrics that removed, and the one change in filming that would restore most.

Belongs here: at most one such finding for a clip. Does not belong here: technique (`findings`), the reasons of single metrics (`metrics`).
"""

from __future__ import annotations

from cricksy_pipeline.analysis.documents import AnalysisMode, Finding, Level, Metric, MetricsBlock, VideoEvidence
from cricksy_pipeline.analysis.metrics.catalogue import catalogue, how_to_film
from cricksy_pipeline.analysis.trust import held_back, in_words
from cricksy_pipeline.analysis.wording import coaching


def about_the_video(block: MetricsBlock, mode: AnalysisMode, detection_rate: float) -> list[Finding]:
    """At most one finding about the video.

    Args:
        detection_rate: percent of the sampled frames in which the player was found.
    """
    gates = catalogue().gates
    missing = {key: metric for key, metric in block.metrics.items() if metric.value is None and metric.reason_code != "NOT_OFFERED"}
    if detection_rate < gates["coverage_floor_percent"]:
        removed = {key: metric for key, metric in block.metrics.items() if metric.reason_code != "NOT_OFFERED"}
        seen = f"The player was found in only {detection_rate:.0f} % of the pictures" if detection_rate else "Nobody was found in the video"
        text = f"{seen}; {_removed(removed)}."
        return [_finding("INSUFFICIENT_POSE_VISIBILITY", text, removed, "high", detection_rate, "NOT_SEEN", mode)]
    if grave := held_back(block):
        text = " ".join(in_words(problem) for problem in grave)
        return [_finding("NOT_A_BODY", text, block.metrics, "high", detection_rate, "IMPLAUSIBLE", mode)]
    if not any(metric.value is not None for metric in block.metrics.values()) and not _sparse_only(block):
        reason = _commonest_reason(missing)
        stated = (metric.reason for metric in missing.values() if metric.reason_code == reason and metric.reason)
        text = next(stated, "Nothing was offered for this discipline.")
        return [_finding("NOTHING_MEASURED", text, missing, "medium", detection_rate, reason, mode)]
    if detection_rate < gates["coverage_good_percent"]:
        text = f"The player was found in {detection_rate:.0f} % of the pictures; deliveries in the rest are missing."
        return [_finding("LIMITED_POSE_VISIBILITY", text, missing, "low", detection_rate, "NOT_SEEN", mode)]
    return []


def sparse_grid(block: MetricsBlock) -> bool:
    """Whether the pictures were sampled so sparsely that a delivery need not show: what is missing then says nothing of the video."""
    return block.summary.get("grid_fps", 0) < catalogue().gates["sparse_grid_hz"]


def _sparse_only(block: MetricsBlock) -> bool:
    codes = {metric.reason_code for metric in block.metrics.values() if metric.value is None}
    return codes <= {"RATE_TOO_LOW", "NOT_OFFERED"} and sparse_grid(block)


def _commonest_reason(missing: dict[str, Metric]) -> str:
    codes = [metric.reason_code for metric in missing.values() if metric.reason_code]
    return max(sorted(set(codes)), key=codes.count) if codes else "NOT_OFFERED"


def _removed(missing: dict[str, Metric]) -> str:
    labels = list(dict.fromkeys(metric.label.lower() for metric in missing.values()))
    return "so these could not be read: " + ", ".join(labels) if labels else "so nothing could be read"


def _finding(code: str, message: str, missing: dict[str, Metric], how_bad: Level, rate: float, reason: str, mode: AnalysisMode) -> Finding:
    words = coaching()["quality"][code]
    stated = [metric.how_to_film for metric in missing.values() if metric.reason_code == reason and metric.how_to_film]
    film = stated[0] if stated else how_to_film(reason, None) or how_to_film("NO_EVENT", None)
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
