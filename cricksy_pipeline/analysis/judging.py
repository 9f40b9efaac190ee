"""Which judged metrics of a clip are surely outside their band, which only likely, and how serious that is.

Belongs here: severity of one metric from probability and distance (cricket-metrics 3.3.10), the family of all judged metrics, two metrics
that see one thing, the order of what was found. Does not belong here: how a finding reads (`findings`), the limits (metrics/coaching.toml,
table severity), bands and distances (metrics/catalogue.toml).

A metric is judged by the player's habit (`Metric.score`, `Metric.sigma`), of which the filmed balls are a sample; never from one frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cricksy_pipeline.analysis.documents import Level, Metric, MetricsBlock
from cricksy_pipeline.analysis.family import surviving, within_by_chance
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.uncertainty import distance_outside
from cricksy_pipeline.analysis.wording import coaching

MOST_FINDINGS = 3
"""Nobody works on four things."""

RANK: dict[Level, int] = {"low": 1, "medium": 2, "high": 3}
OnWatch = Literal["likely", "backs", "later"]
WhyFirst = Literal["only", "serious", "earlier", "surest"]


@dataclass(frozen=True)
class Judged:
    """A measured metric that is held against its band.

    Attributes:
        key: its name in the results document.
        code: its code in the catalogue.
        distance: how far its value lies outside the band, 0 inside; the metric's unit.
        outside: probability that the habit lies outside the band.
        chance: probability of such a value for a habit at the band's end (`family.within_by_chance`).
        severity: None where it is not likely enough outside.
    """

    key: str
    metric: Metric
    code: str
    distance: float
    outside: float
    chance: float
    severity: Level | None

    @property
    def side(self) -> str:
        """ "below" or "above": the side of the band that the value lies on."""
        band = self.metric.band
        return "below" if band is not None and band.low is not None and (self.metric.value or 0.0) < band.low else "above"


@dataclass(frozen=True)
class Watched:
    """A metric that is likely outside its band and no finding: not surely enough, or said by another, or one too many."""

    item: Judged
    kind: OnWatch
    why: str = ""


@dataclass(frozen=True)
class Verdict:
    """What is to be said of a clip.

    Attributes:
        judged: every metric that was held against a band: the family.
        found: at most three, the first to be worked on first.
        watched: what is shown apart.
    """

    judged: list[Judged]
    found: list[Judged]
    watched: list[Watched]


def judge(block: MetricsBlock) -> Verdict:
    """Everything that was measured and has a band, held against it."""
    read = [item for key, metric in block.metrics.items() if (item := _judged(key, metric)) is not None]
    judged = list({item.code: item for item in reversed(read)}.values())[::-1]  # a metric under two keys is one metric
    sure = surviving({item.key: item.chance for item in judged})
    outside = in_order([item for item in judged if item.severity])
    backing = {item.key: why for item in outside if (why := _said_by_another(item, [o for o in outside if o.key in sure]))}
    found = [item for item in outside if item.key in sure and item.key not in backing]
    watched = [
        Watched(item, "backs" if item.key in backing else "later" if item in found else "likely", backing.get(item.key, ""))
        for item in outside
        if item not in found[:MOST_FINDINGS]
    ]
    return Verdict(judged, found[:MOST_FINDINGS], watched)


def _judged(key: str, metric: Metric) -> Judged | None:
    if not metric.judged or metric.code is None or metric.value is None or metric.score is None or metric.band is None:
        return None
    distance = distance_outside(metric.value, metric.band)
    # A band narrower than the error leaves little probability inside it wherever the value lies: the error of the first kind is the larger.
    chance = max(metric.score, within_by_chance(distance, metric.sigma) if metric.sigma else 0.0)
    return Judged(key, metric, metric.code, distance, 1 - metric.score, chance, severity(metric))


def severity(metric: Metric) -> Level | None:
    """How serious one metric is by itself, or None when it is not likely enough outside its band. One or two balls never make it high."""
    if metric.value is None or metric.score is None or metric.band is None or metric.code is None:
        return None
    limits, entry, band = coaching()["severity"], catalogue().entries[metric.code], metric.band
    outside, distance = 1 - metric.score, distance_outside(metric.value, band)
    if outside < limits["likely"] or distance <= 0:
        return None
    share = sum(distance_outside(ball.value, band) > 0 for ball in metric.per_delivery) / max(1, len(metric.per_delivery))
    often = metric.n >= limits["high_balls"] and share >= limits["high_share"]
    if outside >= limits["high"] and distance >= entry.d2 and often:
        return "high"
    return "medium" if outside >= limits["medium"] and distance >= entry.d1 else "low"


def _said_by_another(item: Judged, sure: list[Judged]) -> str | None:
    """Why another finding says what this one would: both see one thing, and the other is nearer its cause."""
    present = {other.code for other in sure}
    for pair in coaching()["same_thing"]:
        cause, effect = pair["metrics"]
        if item.code == effect and cause in present:
            return pair["why"]
    return None


def in_order(items: list[Judged]) -> list[Judged]:
    """The most serious first; of equally serious ones the earlier in the movement, then the surer."""
    return sorted(items, key=lambda item: (-RANK[item.severity or "low"], _place(item.code), item.chance, item.key))


def why_first(found: list[Judged]) -> WhyFirst:
    """Why the first of the findings is the first."""
    if len(found) == 1:
        return "only"
    first, second = found[:2]
    if first.severity != second.severity:
        return "serious"
    return "earlier" if _place(first.code) < _place(second.code) else "surest"


def _place(code: str) -> int:
    order = coaching()["first"]["order"]
    return order.index(code) if code in order else len(order)
