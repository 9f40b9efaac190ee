"""Metrics blocks with chosen values, for the tests of what is said of a measurement.

Belongs here: making blocks whose numbers hang together (score, interval and detectable change follow from value and sigma). Does not
belong here: any expectation.
"""

from __future__ import annotations

from dataclasses import dataclass

from cricksy_pipeline.analysis.documents import AnalysisMode, Band, Delivery, DeliveryValue, Event, Metric, MetricsBlock, Series
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.uncertainty import probability_in_band

FPS = 60


@dataclass(frozen=True)
class Read:
    """One metric as it is to be: `sigma` of the habit, of which `fixed` does not shrink with balls."""

    code: str
    value: float
    sigma: float
    n: int = 6
    fixed: float = 0.0
    band: Band | None = None
    judged: bool = True
    category: str | None = None


def metric(read: Read) -> Metric:
    """The metric of a results document."""
    entry = catalogue().entries[read.code]
    band = read.band or entry.band
    times = [contact_s(ball) for ball in range(1, read.n + 1)]
    random = max(read.sigma**2 - read.fixed**2, 0.0) ** 0.5
    return Metric(
        label=entry.label,
        code=read.code,
        score=None if band is None else probability_in_band(read.value, read.sigma, band),
        value=read.value,
        unit=entry.unit,
        ci95=(read.value - 1.96 * read.sigma, read.value + 1.96 * read.sigma),
        n=read.n,
        coverage=1.0,
        view="side",
        definition=f"{read.code}: {entry.definition}",
        definition_version="2",
        band=band,
        judged=read.judged,
        category=read.category,
        sigma=read.sigma,
        detectable_change=1.96 * 2**0.5 * (random**2 + entry.sigma_view**2) ** 0.5,
        per_delivery=[
            DeliveryValue(delivery=i + 1, value=read.value, sigma=read.sigma, t_s=t, frame=frame_at(t), event=entry.event)
            for i, t in enumerate(times)
        ],
        series=entry.series,
        reason=None,
        reason_code=None,
    )  # fmt: skip


def block(*reads: Read, **summary: object) -> MetricsBlock:
    """The reads as a metrics block; each under its code as key, with six balls or as many as are read."""
    balls = range(1, max([read.n for read in reads], default=0) + 1)
    frames = sorted({frame_at(contact_s(ball)) for ball in balls})
    series = {
        catalogue().entries[read.code].series: Series(
            label="x", unit="x", t_s=[frame / FPS for frame in frames], frame=frames, value=[None] * len(frames)
        )
        for read in reads
    }
    events = sorted({catalogue().entries[read.code].event for read in reads})
    return MetricsBlock(
        metrics={read.code: metric(read) for read in reads},
        summary={"grid_fps": 10.0, **summary},
        evidence={},
        deliveries=[
            Delivery(
                delivery=ball,
                start_s=contact_s(ball) - 1,
                end_s=contact_s(ball) + 0.5,
                events=[Event(name=name, t_s=contact_s(ball), sigma_s=0.01, frame=frame_at(contact_s(ball))) for name in events],
            )
            for ball in balls
        ],
        series=series,
    )


def contact_s(ball: int) -> float:
    """When the events of a ball are, seconds."""
    return 2.0 * ball


def frame_at(t_s: float) -> int:
    """The frame of a time."""
    return round(t_s * FPS)


MODE_OF = {"B": AnalysisMode.BATTING, "W": AnalysisMode.BOWLING, "K": AnalysisMode.WICKETKEEPING, "F": AnalysisMode.FIELDING}
