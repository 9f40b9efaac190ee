"""Measured values against true ones: pairing by time, errors, and the table that shows them.

Belongs here: what every truth test needs, whether its landmarks are the truth itself or what BlazePose saw in rendered pictures.
Does not belong here: making clips, expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.documents import Delivery, Metric, MetricsBlock
from cricksy_pipeline.sample.clip import Truth
from cricksy_pipeline.sample.truth import whole_deliveries

ANCHOR = {"drive": "contact", "bowl": "release", "keep": "take", "throw": "release", "catch": "take"}
"""The event by which a delivery of a motion is known."""

SAME_DELIVERY_S = 0.6
"""A found delivery whose anchor is farther than this from every true one is not one of them: an invention."""


@dataclass(frozen=True)
class TrueDelivery:
    """One delivery as it really was: its events in seconds on the clip's clock, its metrics by the catalogue's code."""

    anchor_s: float
    events: dict[str, float]
    metrics: dict[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """One quantity in one delivery: what was measured, what is true, and the stated standard deviation and 95 % interval.

    `name` is a metric's code or an event.
    """

    name: str
    delivery: int
    measured: float
    true: float
    sigma: float
    ci95: tuple[float, float]

    @property
    def error(self) -> float:
        """Measured minus true."""
        return self.measured - self.true

    @property
    def inside(self) -> bool:
        """Whether the truth lies in the 95 % interval, to the four decimals that documents have."""
        return self.ci95[0] - 1e-4 <= self.true <= self.ci95[1] + 1e-4


def code_of(metric: Metric) -> str | None:
    """The catalogue's code; None where nothing is offered under the metric's key."""
    return metric.code


def around(value: float, sigma: float) -> tuple[float, float]:
    """1.96 sigma either way."""
    return value - 1.96 * sigma, value + 1.96 * sigma


def true_deliveries(known: Truth, offset_s: float = 0.0) -> list[TrueDelivery]:
    """The deliveries of a clip that lie in it with all their events. `offset_s` is added to every time."""
    found = []
    for number, events in enumerate(whole_deliveries(known.spec)):
        moved = {name: t + offset_s for name, t in events.items()}
        metrics = {code: _number(values[number]) for code, values in known.metrics.items()}
        found.append(TrueDelivery(moved[ANCHOR[known.spec.motion]], moved, metrics))
    return found


def _number(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def paired(found_deliveries: Sequence[Delivery], anchor: str, true: Sequence[TrueDelivery]) -> dict[int, TrueDelivery]:
    """Found delivery's number -> the true one nearest in time, each true one at most once, none farther than `SAME_DELIVERY_S`."""
    found = [(d.delivery, e.t_s) for d in found_deliveries for e in d.events if e.name == anchor]
    near = sorted((abs(t - one.anchor_s), number, k) for number, t in found for k, one in enumerate(true))
    pairs: dict[int, TrueDelivery] = {}
    taken: set[int] = set()
    for apart, number, k in near:
        if apart <= SAME_DELIVERY_S and number not in pairs and k not in taken:
            pairs[number] = true[k]
            taken.add(k)
    return pairs


def compare_metrics(block: MetricsBlock, known: Truth) -> list[Comparison]:
    """Every measured value that has a true one, delivery by delivery."""
    return metric_comparisons(block, paired(block.deliveries, ANCHOR[known.spec.motion], true_deliveries(known)))


def metric_comparisons(block: MetricsBlock, pairs: dict[int, TrueDelivery]) -> list[Comparison]:
    """The same for deliveries that are paired already. A code that stands under two keys is compared once."""
    found, seen = [], set()
    for metric in block.metrics.values():
        code = code_of(metric)
        for read in metric.per_delivery:
            true = pairs[read.delivery].metrics.get(code) if read.delivery in pairs else None
            if true is not None and (code, read.delivery) not in seen:
                seen.add((code, read.delivery))
                interval = read.ci95 or around(read.value, read.sigma)
                found.append(Comparison(code, read.delivery, read.value, true, read.sigma, interval))
    return found


def compare_events(block: MetricsBlock, known: Truth) -> list[Comparison]:
    """Every found event of a true delivery against the true one of that name, in seconds."""
    return event_comparisons(block, paired(block.deliveries, ANCHOR[known.spec.motion], true_deliveries(known)))


def event_comparisons(block: MetricsBlock, pairs: dict[int, TrueDelivery]) -> list[Comparison]:
    """The same for deliveries that are paired already."""
    return [
        Comparison(
            event.name, ball.delivery, event.t_s, pairs[ball.delivery].events[event.name], event.sigma_s, around(event.t_s, event.sigma_s)
        )
        for ball in block.deliveries
        if ball.delivery in pairs
        for event in ball.events
        if event.name in pairs[ball.delivery].events
    ]


def error_table(rows: dict[str, list[Comparison]]) -> str:
    """A table of all comparisons by clip: mean measured, mean true, mean error, and the largest error in standard deviations."""
    lines = [f"{'clip':34s} {'quantity':20s} {'measured':>9s} {'true':>9s} {'error':>8s} {'sigma':>7s} {'max z':>6s}"]
    for clip, comparisons in rows.items():
        for name in dict.fromkeys(c.name for c in comparisons):
            same = [c for c in comparisons if c.name == name]
            measured, true, sigma = (float(np.mean([getattr(c, part) for c in same])) for part in ("measured", "true", "sigma"))
            worst = max(abs(c.error) / max(c.sigma, 1e-9) for c in same)
            lines.append(f"{clip:34s} {name:20s} {measured:9.3f} {true:9.3f} {measured - true:+8.3f} {sigma:7.3f} {worst:6.2f}")
    return "\n".join(lines)
