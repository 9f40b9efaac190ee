"""Two sessions compared, in a terminal.

Belongs here: printing with rich. Does not belong here: the comparison (`comparing`, `analysis.comparison`).
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from cricksy_pipeline.reading.api.comparing import ComparisonRead
from cricksy_pipeline.reading.notation import decimals, number, unit_text

_STYLES = {"better": "green", "worse": "bold red", "changed": "yellow", "no real change": "dim"}


def print_comparison(read: ComparisonRead, console: Console) -> None:
    """The summary, the table of what was compared, what was not and why."""
    console.print(f"[bold]{read.analysis_mode.value.capitalize()}, two sessions[/bold]", highlight=False)
    console.print(read.summary, highlight=False, markup=False)
    if read.compared:
        console.print(_table(read), highlight=False)
    for item in read.compared:
        if item.cue:
            console.print(f"{item.label}: {item.cue}", style="green", highlight=False, markup=False)
    for reason, labels in _by_reason(read).items():
        console.print(f"- {', '.join(labels)}: {reason}", style="dim", highlight=False, markup=False)
    for note in read.notes:
        console.print(note, style="dim", highlight=False, markup=False)


def _table(read: ComparisonRead) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Measure", min_width=18)
    table.add_column("Then", justify="right", no_wrap=True)
    table.add_column("Now", justify="right", no_wrap=True)
    table.add_column("Change, 95 %", justify="right", no_wrap=True)
    table.add_column("Balls", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for item in read.compared:
        places = decimals(item.detectable_change)
        sign = "+" if item.change > 0 else ""
        change = f"{sign}{number(item.change, places)} ± {number(item.detectable_change, places)}{unit_text(item.unit)}"
        table.add_row(
            item.label,
            number(item.earlier, places),
            number(item.later, places),
            change,
            f"{item.earlier_n}, {item.later_n}",
            item.verdict,
            style=_STYLES[item.verdict],
        )
    return table


def _by_reason(read: ComparisonRead) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for item in read.not_compared:
        grouped.setdefault(item.reason, []).append(item.label)
    return grouped
