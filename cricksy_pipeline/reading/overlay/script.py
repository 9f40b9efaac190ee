"""What an overlay says and when: balls, their events with their uncertainty, the readings of each moment, in words ready to draw.

Belongs here: the choice and the wording, from a results document alone, so that the video says the very numbers of the report. Does not
belong here: drawing (`panel`, `timeline`), landmarks (`body`). Times are presentation timestamps in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cricksy_pipeline.analysis.documents import AnalysisResults, Delivery, DeliveryValue, Event, Findings, Metric
from cricksy_pipeline.analysis.metrics.uncertainty import Z95
from cricksy_pipeline.reading.notation import band_limits, band_words, clock, decimals, number, time_with_interval, unit_text, words
from cricksy_pipeline.reading.report.balls import interval_of

KEY_EVENTS = ("contact", "release", "take")
"""The moment that a clip repeats; the ball's last event where it has none of these."""


@dataclass(frozen=True)
class Mark:
    """One event of a ball.

    Attributes:
        name: in words.
        t_s, half_s: its time, and half of its 95 % interval.
        told: `0:01.68 ± 0.04 s`.
    """

    name: str
    t_s: float
    half_s: float
    told: str


@dataclass(frozen=True)
class Reading:
    """One metric of one ball.

    Attributes:
        label: what a coach calls it.
        figure, unit: the number and what follows it.
        interval: `95 %: 56 to 93`, in the same unit; empty without one.
        category: its class, where the metric has classes.
        sound: the sound range in words; empty where nothing is judged.
        value, low, high: for the bar.
        band: ends of the sound range; None: no limit on that side, or nothing is judged.
    """

    label: str
    figure: str
    unit: str
    interval: str
    category: str
    sound: str
    value: float
    low: float | None
    high: float | None
    band: tuple[float | None, float | None]


@dataclass(frozen=True)
class Moment:
    """What was read at one time of a ball, the most important first."""

    t_s: float
    heading: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class Ball:
    """One delivery. `key_s` is the moment that a clip repeats; None where the ball has no event."""

    number: int
    start_s: float
    end_s: float
    key_s: float | None
    marks: tuple[Mark, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class Script:
    """All balls of a video, in time order, and how long it lasts."""

    balls: tuple[Ball, ...]
    duration_s: float

    def as_json(self) -> dict[str, Any]:
        """For the message to the process that draws; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Script:
        """The script that `as_json` wrote."""
        return cls(tuple(_ball_from_json(ball) for ball in data["balls"]), data["duration_s"])


def script_of(document: AnalysisResults, findings: Findings | None, duration_s: float) -> Script:
    """The script of a deep pass."""
    order = _importance(document, findings)
    balls = sorted(document.metrics.deliveries, key=lambda ball: (ball.start_s, ball.delivery))
    return Script(tuple(_ball(ball, document, order) for ball in balls), duration_s)


def _importance(document: AnalysisResults, findings: Findings | None) -> list[str]:
    """Metric names: what a finding is about, what is watched, what is judged, then the rest as the catalogue has them."""
    told = [each.metric for each in (*findings.findings, *findings.watch)] if findings else []
    judged = [name for name, metric in document.metrics.metrics.items() if metric.judged]
    return list(dict.fromkeys([*filter(None, told), *judged, *document.metrics.metrics]))


def _ball(ball: Delivery, document: AnalysisResults, order: list[str]) -> Ball:
    events = sorted(ball.events, key=lambda event: event.t_s)
    marks = tuple(_mark(event) for event in events)
    key = next((event.t_s for event in events if event.name in KEY_EVENTS), events[-1].t_s if events else None)
    return Ball(ball.delivery, ball.start_s, ball.end_s, key, marks, _moments(ball, document, order))


def _mark(event: Event) -> Mark:
    half_s = Z95 * event.sigma_s
    return Mark(words(event.name), event.t_s, half_s, time_with_interval(event.t_s, half_s))


def _moments(ball: Delivery, document: AnalysisResults, order: list[str]) -> tuple[Moment, ...]:
    at: dict[tuple[float, str], list[Reading]] = {}
    for name in order:
        metric = document.metrics.metrics.get(name)
        for read in metric.per_delivery if metric else ():
            if read.delivery == ball.delivery:
                at.setdefault((read.t_s, read.event or ""), []).append(_reading(metric, read))
    return tuple(
        Moment(t_s, f"at {words(event)}" if event else f"at {clock(t_s)}", tuple(readings))
        for (t_s, event), readings in sorted(at.items(), key=lambda item: item[0])
    )


def _reading(metric: Metric, read: DeliveryValue) -> Reading:
    low, high = interval_of(read)
    places = decimals((high - low) / 2, read.value)
    exact = high <= low
    band = metric.band.model_dump() if metric.band and metric.judged else None
    return Reading(
        label=metric.label,
        figure=number(read.value, places),
        unit=unit_text(metric.unit),
        interval="" if exact else f"95 %: {number(low, places)} to {number(high, places)}",
        category=read.category or "",
        sound=band_words(band, metric.unit) if band else "",
        value=read.value,
        low=None if exact else low,
        high=None if exact else high,
        band=band_limits(band),
    )


def _ball_from_json(data: Mapping[str, Any]) -> Ball:
    moments = tuple(
        Moment(m["t_s"], m["heading"], tuple(Reading(**{**r, "band": tuple(r["band"])}) for r in m["readings"])) for m in data["moments"]
    )
    return Ball(**{**data, "marks": tuple(Mark(**mark) for mark in data["marks"]), "moments": moments})
