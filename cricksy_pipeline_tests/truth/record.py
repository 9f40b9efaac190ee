"""What one condition of the corpus gave: every measured number beside the true one, every event, every finding; as JSON.

Belongs here: from truth and landmarks to one record; balls filmed one by one joined into a session.
Does not belong here: filming and looking (`corpus`), statistics over records (`tables`, `fit`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings, MetricsBlock
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.metrics.accuracy import model_error
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.measure import measure
from cricksy_pipeline.analysis.passes import deep_document, findings_of
from cricksy_pipeline.analysis.recording import Recording
from cricksy_pipeline.sample.clip import Truth
from cricksy_pipeline_tests.truth.compare import (
    ANCHOR,
    Comparison,
    TrueDelivery,
    code_of,
    event_comparisons,
    metric_comparisons,
    paired,
    true_deliveries,
)

if TYPE_CHECKING:
    from cricksy_pipeline_tests.truth.conditions import Condition
    from cricksy_pipeline_tests.truth.corpus import Kept

RECORD_FORMAT = 1
BETWEEN_BALLS_S = 8.0
"""A ball filmed by itself starts so long after the one before it, longer than any clip of one ball: nothing is followed across."""


def record(condition: Condition, known: Sequence[Truth], seen: Sequence[Kept]) -> dict[str, Any]:
    """The record of a condition from what is true and what was looked at, ball by ball."""
    documents = [deep_document(one.work, one.look) for one in seen]
    document = documents[0] if len(seen) == 1 else _session(condition, documents, [one.look.landmarks for one in seen])
    true = [d for number, one in enumerate(known) for d in true_deliveries(one, number * BETWEEN_BALLS_S)]
    described = described_against(document.metrics, findings_of(document), true, condition.motion)
    return {**about(condition, known[0]), **described, "found_percent": document.pose_summary.detection_rate_percent}


def about(condition: Condition, known: Truth) -> dict[str, Any]:
    """What a condition is, for the tables."""
    spec = condition.specs()[0]
    return {
        "name": condition.name,
        "group": condition.group,
        "half": condition.half,
        "motion": condition.motion,
        "view": {"leg": "side"}.get(condition.view, condition.view),
        "fps": float(spec.fps),
        "height_px": round(float(np.nanmedian(known.height_px)), 1) if np.isfinite(known.height_px).any() else None,
        "share": round(float(np.nanmedian(known.height_px)) / spec.height, 3) if np.isfinite(known.height_px).any() else None,
        "left_handed": spec.mirror,
        "faults": condition.faults,
        "size": condition.size,
        "balls": condition.balls,
    }


def described_against(block: MetricsBlock, findings: Findings, true: Sequence[TrueDelivery], motion: str) -> dict[str, Any]:
    """Values, events and findings of a document beside the true ones."""
    pairs = paired(block.deliveries, ANCHOR[motion], true)
    view = block.summary.get("view")
    return {
        "true_deliveries": len(true),
        "deliveries": len(block.deliveries),
        "paired": len(pairs),
        "summary": {name: block.summary.get(name) for name in _TOLD},
        "values": [
            {
                "code": c.name,
                "view": view,
                "ball": c.delivery,
                "measured": c.measured,
                "true": round(c.true, 5),
                "sigma": c.sigma,
                "ci95": c.ci95,
                **_parts(c, view),
            }
            for c in metric_comparisons(block, pairs)
        ],
        "metrics": _clip_metrics(block, list(pairs.values())),
        "events": [
            {"event": c.name, "ball": c.delivery, "error_s": round(c.error, 5), "sigma_s": c.sigma} for c in event_comparisons(block, pairs)
        ],
        "findings": [
            {"code": f.code, "metric": _code(block, f.metric), "kind": f.kind, "severity": f.severity, "confidence": f.confidence}
            for f in findings.findings
        ],
        "watched": [_code(block, w.metric) for w in findings.watch],
    }


_TOLD = (
    "view", "view_off_side_deg", "view_confidence", "deliveries_excluded", "front_side", "arm", "effective_fps", "player_height_px",
    "swaps_repaired", "slow_motion", "speed_source",
)  # fmt: skip


def _code(block: MetricsBlock, key: str | None) -> str | None:
    return code_of(block.metrics[key]) if key in block.metrics else key


def _clip_metrics(block: MetricsBlock, true: Sequence[TrueDelivery]) -> list[dict[str, Any]]:
    """Every metric of the clip as a coach sees it, with the mean of the true values of the very balls that were found."""
    found, seen = [], set()
    for metric in block.metrics.values():
        code = code_of(metric)
        if code in seen or code is None:
            continue
        seen.add(code)
        values = [t.metrics[code] for t in true if t.metrics.get(code) is not None]
        found.append(
            {
                "code": code,
                "view": metric.view,
                "value": metric.value,
                "ci95": metric.ci95,
                "n": metric.n,
                "n_true": len(values),
                "reason": metric.reason_code,
                "score": metric.score,
                "true": round(float(np.mean(values)), 5) if values else None,
                "band": None if metric.band is None else [metric.band.low, metric.band.high],
                "judged": metric.judged,
                "sigma": metric.sigma,
                "spread": metric.spread,
                "detectable_fault": metric.detectable_fault,
                "detectable_change": metric.detectable_change,
            }
        )
    return found


def _parts(c: Comparison, view: str | None) -> dict[str, float]:
    """One ball's printed interval taken apart: the sigma beside the model's, and how far a side that the view hides reaches further."""
    entry = catalogue().entries[c.name]
    ends = (0.0 if entry.plausible[0] >= 0 else -np.inf, 180.0 if entry.plausible[1] > 180 else np.inf)
    reach = [abs(end - c.measured) for end in c.ci95]
    uncut = [r for r, end, limit in zip(reach, c.ci95, ends, strict=True) if end != limit]
    base = min([*uncut, 1.96 * c.sigma])
    towards = int(c.true >= c.measured)
    rest = np.sqrt(max((base / 1.96) ** 2 - model_error(entry, view).sigma ** 2, 0.0))
    opens = reach[towards] - base if c.ci95[towards] != ends[towards] else 0.0
    return {"rest": round(float(rest), 5), "opens": round(max(opens, 0.0), 5)}


def _session(condition: Condition, documents: Sequence[AnalysisResults], landmarks: Sequence[Landmarks]) -> AnalysisResults:
    """One document over balls that were filmed one by one, from the same place."""
    duration = (len(landmarks) - 1) * BETWEEN_BALLS_S + documents[-1].pose_summary.duration_s
    block = measure(joined(landmarks), mode=condition.mode, recording=Recording(duration))
    summary = documents[0].pose_summary.model_copy(update={"duration_s": duration})
    return documents[0].model_copy(update={"metrics": block, "pose_summary": summary})


def joined(landmarks: Sequence[Landmarks]) -> Landmarks:
    """One after the other on one clock, each a shot of its own."""
    whole = None
    for number, one in enumerate(landmarks):
        moved = replace(
            one,
            frame=one.frame + 100_000 * number,
            t_s=one.t_s + BETWEEN_BALLS_S * number,
            shot=(one.shot + 1000 * number).astype(np.int32),
        )
        whole = moved if whole is None else whole.merged(moved)
    return whole
