"""How far a job is, in a terminal: a bar where somebody watches, a line a stage in a log file.

Belongs here: printing with rich. Does not belong here: asking the row (`commands.terminal`), the result (`terminal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from cricksy_pipeline.reading.notation import words

STAGE_WORDS = {
    "AWAITING_UPLOAD": "waiting for the video",
    "QUEUED": "waiting for a worker",
    "QUICK": "first look",
    "QUICK_DONE": "first look done",
    "DEEP": "every ball",
    "DONE": "done",
    "FAILED": "failed",
}


@contextmanager
def job_progress(console: Console, description: str = "Analysing") -> Iterator[Callable[[str | None, float], None]]:
    """A progress bar for one job; yields `update(stage, pct)`, stage as in the row (`DEEP`), pct in 0 to 100.

    The bar never runs backwards: what comes late from another process is shown at the furthest point reached.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TextColumn("[dim]{task.fields[stage]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=False) as progress:
        task = progress.add_task(escape(description), total=100, stage="")
        furthest = 0.0

        def update(stage: str | None, pct: float) -> None:
            nonlocal furthest
            furthest = max(furthest, min(float(pct), 100.0))
            progress.update(task, completed=furthest, stage=escape(stage_words(stage)))

        yield update


@contextmanager
def job_lines(console: Console, description: str = "Analysing") -> Iterator[Callable[[str | None, float], None]]:
    """`job_progress` for a log file: one line whenever the stage changes."""
    said: str | None = None

    def update(stage: str | None, pct: float) -> None:
        nonlocal said
        if stage != said:
            said = stage
            console.print(f"{description}: {stage_words(stage)} ({pct:.0f} %)", highlight=False, markup=False)

    yield update


def stage_words(stage: str | None) -> str:
    """A stage of the row (`DEEP`) in words for a person."""
    return STAGE_WORDS.get(stage or "", words((stage or "").lower()))
