"""Which bands belong on a curve, and at which moments.

Belongs here: that one decision, for the page's drawings and Dagster's picture alike. Does not belong here: drawing, or whether a metric is
the height of its curve at the moment it is read (`Metric.on_curve`, told by the catalogue: a movement, a median, a length, a time are not).
A band holds for the moment at which its metric is read, the knee at contact and not through the backlift; and only where the metric is the
height of the curve at that moment. A stride length is read from the ankles' distance, yet its band says nothing of that curve.
"""

from __future__ import annotations

from dataclasses import dataclass

from cricksy_pipeline.analysis.documents import Band, MetricsBlock


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
        for metric in block.metrics.values()
        if metric.series == series_name
        and metric.on_curve
        and metric.judged
        and metric.unit == unit
        and metric.band is not None
        and metric.per_delivery
    )
