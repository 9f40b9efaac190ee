"""Which bands belong on a curve, and at which moments.

Belongs here: that one decision, for the page's drawings and Dagster's picture alike. Does not belong here: drawing.
A band holds for the moment at which its metric is read, the knee at contact and not through the backlift; and only where the metric is the
height of the curve at that moment. A stride length is read from the ankles' distance, yet its band says nothing of that curve.
"""

from __future__ import annotations

from dataclasses import dataclass

from cricksy_pipeline.analysis.documents import Band, MetricsBlock

HEIGHT_OF_CURVE = frozenset(
    {
        ("balance_drift_score", "base_position"),
        ("balance_drift_score", "side_lean_deg"),
        ("elbow_drop_score", "arm_slot_deg"),
        ("elbow_drop_score", "lead_elbow_deg"),
        ("elbow_drop_score", "throwing_elbow_deg"),
        ("front_knee_brace_score", "front_knee_deg"),
        ("hands_gap_at_take", "wrists_apart"),
        ("head_over_front_foot", "head_offset_pct"),
        ("head_stability_score", "head_lateral_pct"),
        ("pick_up_hip_height", "hip_height"),
        ("release_height", "wrist_height"),
        ("trunk_forward_lean", "forward_lean_deg"),
    }
)
"""(metric, series) where the metric is the series at one moment. Not here: movements, medians, lengths of a step, times.

Told and not found out by comparing numbers: a metric is read between the frames, so the two may differ by 3 % of the curve's range (a
bowler's knee), and a movement of the head may by chance be as near.
"""


@dataclass(frozen=True)
class Judged:
    """A band, and the readings that were held against it.

    Attributes:
        band: in the unit of the curve.
        readings: (presentation time in seconds, value), one per ball.
    """

    band: Band
    readings: tuple[tuple[float, float], ...]


def judged_on(block: MetricsBlock, series_name: str) -> tuple[Judged, ...]:
    """The bands to draw on a series, in the order of the metrics; none where no band is for the height of its curve."""
    unit = block.series[series_name].unit
    return tuple(
        Judged(metric.band, tuple((reading.t_s, reading.value) for reading in metric.per_delivery))
        for key, metric in block.metrics.items()
        if metric.series == series_name
        and (key, series_name) in HEIGHT_OF_CURVE
        and metric.unit == unit
        and metric.band is not None
        and metric.per_delivery
    )
