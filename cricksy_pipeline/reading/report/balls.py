"""The table of single balls: when each event was, and what each measure was, with its interval.

Belongs here: documents -> small frozen values that a template can print as they are. Does not belong here: markup, the mean over the
balls (`view.metric_row`), any judgement.
"""

from __future__ import annotations

from dataclasses import dataclass

from cricksy_pipeline.analysis.documents import AnalysisResults, Delivery, DeliveryValue, Event, Metric
from cricksy_pipeline.analysis.metrics.uncertainty import Z95
from cricksy_pipeline.reading.notation import NBSP, time_with_interval, unit_name, value_with_interval, words


@dataclass(frozen=True)
class BallCell:
    """What one row says of one ball. Empty text: nothing was read. `t_s`: the presentation time in seconds at which it is to be seen."""

    text: str
    t_s: float | None = None


@dataclass(frozen=True)
class BallRow:
    """One event, or one measure, over all balls; a cell per column. `unit` in words, empty for a bare number or a time in the video."""

    label: str
    unit: str
    cells: tuple[BallCell, ...]


@dataclass(frozen=True)
class BallTable:
    """Every ball as a column. Both groups of rows are empty where there was no ball.

    Attributes:
        balls: the numbers of the balls, 1 for the first of the clip.
        kinds: per ball, what it was played or bowled as, in words; empty where it could not be told.
        events: in the order of their first appearance in a ball.
        measures: every measure that was read in at least one ball.
    """

    balls: tuple[int, ...]
    kinds: tuple[str, ...]
    events: tuple[BallRow, ...]
    measures: tuple[BallRow, ...]


def ball_table(results: AnalysisResults) -> BallTable:
    """The table of a pass."""
    deliveries = results.metrics.deliveries
    numbers = [ball.delivery for ball in deliveries]
    measures = [_measure(metric, numbers) for metric in results.metrics.metrics.values() if metric.per_delivery]
    names = dict.fromkeys(event.name for ball in deliveries for event in sorted(ball.events, key=lambda event: event.t_s))
    return BallTable(
        balls=tuple(numbers),
        kinds=tuple(words(ball.kind) if ball.kind else "" for ball in deliveries),
        events=tuple(_event(name, deliveries) for name in names),
        measures=tuple(row for row in measures if any(cell.text for cell in row.cells)),
    )


def interval_of(value: DeliveryValue) -> tuple[float, float]:
    """The 95 % interval of one ball: as stored, else 1.96 standard deviations either way (documents of before it was stored)."""
    return value.ci95 or (value.value - Z95 * value.sigma, value.value + Z95 * value.sigma)


def _measure(metric: Metric, numbers: list[int]) -> BallRow:
    by_ball = {value.delivery: value for value in metric.per_delivery}
    cells = [_cell(by_ball[n], metric) if n in by_ball else BallCell("") for n in numbers]
    return BallRow(metric.label, unit_name(metric.unit), tuple(cells))


def _cell(value: DeliveryValue, metric: Metric) -> BallCell:
    # A class says more than the number that it was told from.
    text = value.category if value.category and metric.category else value_with_interval(value.value, interval_of(value), "")
    return BallCell(text.replace(" to ", f"{NBSP}to{NBSP}"), value.t_s)


def _event(name: str, deliveries: list[Delivery]) -> BallRow:
    found = [next((event for event in ball.events if event.name == name), None) for ball in deliveries]
    return BallRow(_sentence(words(name)), "", tuple(_when(event) if event else BallCell("") for event in found))


def _when(event: Event) -> BallCell:
    return BallCell(time_with_interval(event.t_s, Z95 * event.sigma_s), event.t_s)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
