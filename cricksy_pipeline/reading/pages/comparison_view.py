"""An earlier session beside this one, ready to print.

Belongs here: which earlier analyses can be chosen, numbers as text. Does not belong here: what counts as a change (`analysis.comparison`),
who may see them (`routes`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cricksy_pipeline.analysis.comparison import ComparedMetric
from cricksy_pipeline.reading.api.comparing import ComparisonRead
from cricksy_pipeline.reading.notation import NBSP, decimals, number, unit_text
from cricksy_pipeline.reading.pages.sessions_view import day
from cricksy_pipeline.store.models import VideoAnalysisJob
from cricksy_pipeline.store.row_pages import JobLine

_TONES = {"better": "better", "worse": "worse", "changed": "changed", "no real change": "level"}


@dataclass(frozen=True)
class Choice:
    """An earlier analysis in the menu."""

    id: str
    label: str


@dataclass(frozen=True)
class ComparedRow:
    """One measure then and now."""

    label: str
    earlier: str
    later: str
    change: str
    verdict: str
    tone: str


@dataclass(frozen=True)
class Told:
    """What the comparison says. `not_compared`: (measures, reason)."""

    summary: str
    rows: tuple[ComparedRow, ...]
    not_compared: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ComparisonView:
    """The section. `chosen` is empty before anything is chosen; `refusal` says why what was chosen cannot be compared."""

    choices: tuple[Choice, ...]
    chosen: str = ""
    told: Told | None = None
    refusal: str = ""

    def with_told(self, chosen: str, read: ComparisonRead) -> ComparisonView:
        """The section with the comparison that was asked for."""
        return replace(self, chosen=chosen, told=told_of(read))


def choices_of(row: VideoAnalysisJob, lines: Iterable[JobLine]) -> ComparisonView:
    """The menu: finished analyses of the same mode from before this one, newest first."""
    earlier = [line for line in lines if line.id != row.id and line.created_at < row.created_at]
    return ComparisonView(tuple(Choice(line.id, f"{day(line.created_at)}, {line.session_title or 'without a title'}") for line in earlier))


def told_of(read: ComparisonRead) -> Told:
    """The comparison in text."""
    grouped: dict[str, list[str]] = {}
    for item in read.not_compared:
        grouped.setdefault(item.reason, []).append(item.label)
    return Told(
        summary=read.summary,
        rows=tuple(_row(item) for item in read.compared),
        not_compared=tuple((", ".join(labels), reason) for reason, labels in grouped.items()),
        notes=tuple(read.notes),
    )


def _row(item: ComparedMetric) -> ComparedRow:
    places, unit = decimals(item.detectable_change), unit_text(item.unit)
    sign = "+" if item.change > 0 else ""
    change = f"{sign}{number(item.change, places)}{NBSP}±{NBSP}{number(item.detectable_change, places)}{unit}"
    cue = f": {item.cue}" if item.cue else ""
    return ComparedRow(
        label=item.label,
        earlier=number(item.earlier, places) + unit,
        later=number(item.later, places) + unit,
        change=change,
        verdict=item.verdict[:1].upper() + item.verdict[1:] + cue,
        tone=_TONES[item.verdict],
    )
