"""Measured values against true ones: pairing, errors, and the table that shows them.

Belongs here: what every truth test needs, whether its landmarks are the truth itself or what BlazePose saw in rendered pictures.
Does not belong here: making clips, expectations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.documents import MetricsBlock
from cricksy_pipeline.sample.clip import Truth

TRUE_NAME = {
    ("drive", "front_knee_brace_score"): ("front_knee_at_contact_deg", 1.0),
    ("drive", "head_stability_score"): ("head_stillness_pct", 1.0),
    ("drive", "elbow_drop_score"): ("lead_elbow_elevation_deg", 1.0),
    ("drive", "head_over_front_foot"): ("head_behind_front_foot_pct", 1.0),
    ("drive", "stride_length"): ("stride_length_pct", 0.01),
    ("drive", "foot_down_to_contact"): ("foot_down_to_contact_s", 1.0),
    ("bowl", "front_knee_brace_score"): ("front_knee_at_release_deg", 1.0),
    ("bowl", "trunk_forward_lean"): ("trunk_flexion_at_release_deg", 1.0),
    ("bowl", "balance_drift_score"): ("trunk_side_lean_at_release_deg", 1.0),
    ("bowl", "stride_length"): ("stride_length_pct", 0.01),
    ("bowl", "back_foot_to_front_foot"): ("back_to_front_foot_s", 1.0),
    ("bowl", "front_foot_to_release"): ("front_foot_to_release_s", 1.0),
}
"""(motion, metric key) -> name of the true metric, and the factor from its unit to the measured one."""

TRUE_EVENT = {"front_foot_down": "front_foot_contact"}
"""Measured event -> true event, where the names differ."""


@dataclass(frozen=True)
class Comparison:
    """One quantity in one delivery: what was measured, what is true, and the stated standard deviation."""

    name: str
    delivery: int
    measured: float
    true: float
    sigma: float

    @property
    def error(self) -> float:
        """Measured minus true."""
        return self.measured - self.true


def compare_metrics(block: MetricsBlock, known: Truth) -> list[Comparison]:
    """Every measured value that has a true one, delivery by delivery (the k-th found against the k-th true)."""
    found = []
    for key, metric in block.metrics.items():
        name, factor = _true_name(known.spec.motion, key, metric.definition)
        values = known.metrics.get(name, [])
        for read in metric.per_delivery:
            true = values[read.delivery - 1] if read.delivery <= len(values) else None
            if true is not None:
                found.append(Comparison(key, read.delivery, read.value, true * factor, read.sigma))
    return found


def _true_name(motion: str, key: str, definition: str) -> tuple[str, float]:
    if (motion, key) == ("drive", "balance_drift_score"):
        return ("trunk_side_lean_at_contact_deg", 1.0) if definition.startswith("B6") else ("base_position", 1.0)
    return TRUE_NAME.get((motion, key), ("", 1.0))


def compare_events(block: MetricsBlock, known: Truth) -> list[Comparison]:
    """Every found event against the true one nearest to it, in seconds."""
    found = []
    for ball in block.deliveries:
        for event in ball.events:
            times = np.array(known.events.get(TRUE_EVENT.get(event.name, event.name), []))
            if len(times):
                nearest = float(times[np.argmin(np.abs(times - event.t_s))])
                found.append(Comparison(f"t({event.name})", ball.delivery, event.t_s, nearest, event.sigma_s))
    return found


def error_table(rows: dict[str, list[Comparison]]) -> str:
    """A table of all comparisons by clip: mean measured, mean true, mean error, and the largest error in standard deviations."""
    lines = [f"{'clip':34s} {'quantity':32s} {'measured':>9s} {'true':>9s} {'error':>8s} {'sigma':>7s} {'max z':>6s}"]
    for clip, comparisons in rows.items():
        for name in dict.fromkeys(c.name for c in comparisons):
            same = [c for c in comparisons if c.name == name]
            measured, true, sigma = (float(np.mean([getattr(c, part) for c in same])) for part in ("measured", "true", "sigma"))
            worst = max(abs(c.error) / c.sigma for c in same)
            lines.append(f"{clip:34s} {name:32s} {measured:9.3f} {true:9.3f} {measured - true:+8.3f} {sigma:7.3f} {worst:6.2f}")
    return "\n".join(lines)
