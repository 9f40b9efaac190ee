"""Where jobs stand: the documents behind `cricksy status`, as JSON and as tables in a terminal.

Belongs here: the shapes, which a script may rely on (docs/schemas), and their printing. Does not belong here: asking the rows (`commands`),
the result of an analysis (`terminal`, `shown`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.reading.printing.job_progress import stage_words
from cricksy_pipeline.store.models import FINISHED, RUNNING, JobStatus
from cricksy_pipeline.store.sessions import JobSummary

State = Literal["waiting", "running", "done", "failed"]

SHORT_ID = 10
"""Digits of a job id in a table: every command takes a beginning of it. With 16^10 of them, two of a million jobs share one once in two
installations."""

NARROW, WIDE = 72, 110
"""Columns of a terminal below which the list leaves out the title, and from which on it has the attempt and the time taken."""

STYLES: dict[str, str] = {"waiting": "dim", "running": "cyan", "done": "green", "failed": "red"}


class Standing(BaseModel):
    """Where one job stands. Times carry a zone (UTC)."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str | None = Field(description="Of its session.")
    state: State = Field(description="`status` in four words: what a person wants to know.")
    status: str
    stage: str | None
    progress_pct: int = Field(ge=0, le=100)
    analysis_mode: str | None
    attempt: int
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    seconds: float | None = Field(description="From the start of the last attempt to its end, so far where it runs; null: not begun.")
    error_code: str | None
    error_message: str | None
    advice: str | None = Field(description="What to do about the error.")


class StatusList(BaseModel):
    """The newest jobs, newest first."""

    schema_version: Literal["1"] = "1"
    jobs: list[Standing]
    more: bool = Field(description="There are older ones that are not listed.")


def standing(job: JobSummary, title: str | None, now: datetime) -> Standing:
    """Where a job stands at a time."""
    state = state_of(job.status)
    ended = job.completed_at if state == "done" else job.updated_at if state == "failed" else now
    known = job.error_code in ErrorCode.__members__
    return Standing(
        id=job.id,
        title=_printable(title),
        state=state,
        status=str(job.status),
        stage=job.stage,
        progress_pct=min(100, max(0, job.progress_pct or 0)),
        analysis_mode=job.analysis_mode,
        attempt=job.attempt or 0,
        created_at=_utc(job.created_at),
        started_at=_utc(job.started_at),
        completed_at=_utc(job.completed_at),
        seconds=round((_utc(ended) - _utc(job.started_at)).total_seconds(), 1) if job.started_at and ended and state != "waiting" else None,
        error_code=job.error_code,
        error_message=job.error_message,
        advice=CODE_FACTS[ErrorCode(job.error_code)].advice if known else None,
    )


def state_of(status: str) -> State:
    """The four states of a person's interest."""
    if status in FINISHED:
        return "done"
    if status == JobStatus.FAILED:
        return "failed"
    return "running" if status in RUNNING else "waiting"


def print_list(listed: StatusList, console: Console, now: datetime) -> None:
    """The list as a table that fits the terminal."""
    if not listed.jobs:
        console.print("There is no job yet: cricksy demo, or cricksy submit VIDEO --mode batting.", highlight=False)
        return
    wide, narrow = console.width >= WIDE, console.width < NARROW
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("job", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("mode", no_wrap=True)
    if not narrow:
        # The only column that may be folded, so the only one that gives way; its cells are cut instead.
        table.add_column("title")
    table.add_column("submitted", no_wrap=True, justify="right")
    if wide:
        table.add_column("took", justify="right", no_wrap=True)
        table.add_column("attempt", justify="right", no_wrap=True)
    for job in listed.jobs:
        cells = [Text(job.id[:SHORT_ID]), _state(job), Text(job.analysis_mode or "–")]
        cells += [] if narrow else [Text(job.title or "–", no_wrap=True, overflow="ellipsis")]
        cells += [Text(ago(job.created_at, now), "dim")]
        cells += [Text(lasted(job.seconds)), Text(str(job.attempt or "–"))] if wide else []
        table.add_row(*cells)
    console.print(table)
    if listed.more:
        console.print("and older ones: --limit", style="dim", highlight=False)


def print_standing(job: Standing, console: Console, now: datetime) -> None:
    """One job: what it is, how far, and what went wrong."""
    console.print(Text.assemble((job.title or "Untitled", "bold"), (f"  {job.analysis_mode or 'mode unknown'}", "dim")))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("job", job.id)
    grid.add_row("state", _state(job))
    if job.state == "running":
        grid.add_row("", ProgressBar(total=100, completed=job.progress_pct, width=min(40, console.width - 14)))
    grid.add_row("submitted", f"{job.created_at:%Y-%m-%d %H:%M} UTC, {ago(job.created_at, now)}")
    if job.seconds is not None:
        grid.add_row("took" if job.state in ("done", "failed") else "so far", lasted(job.seconds))
    grid.add_row("attempt", str(job.attempt or "not begun"))
    if job.error_code:
        grid.add_row("error", Text.assemble((job.error_code, "red"), f" {job.error_message or ''}"))
        grid.add_row("advice", escape(job.advice or "docs/runbook.md"))
    console.print(grid)


def print_stages(rows: Sequence[tuple[str, str, str, str]], console: Console) -> None:
    """What each stage cost, and whether it was made or kept. `rows`: stage, seconds, CPU seconds, what."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name, justify in (("stage", "left"), ("s", "right"), ("CPU s", "right"), ("this attempt", "left")):
        table.add_column(name, justify=justify, no_wrap=name != "this attempt")
    for row in rows:
        table.add_row(*map(escape, row))
    console.print()
    console.print(table)


def _state(job: Standing) -> Text:
    words = {"failed": job.error_code or "failed", "running": f"{stage_words(job.stage or job.status.upper())} {job.progress_pct} %"}
    return Text(words.get(job.state, stage_words(job.stage) if job.state == "waiting" else job.state), STYLES[job.state])


def ago(then: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `3 h ago`, `12 d ago`."""
    seconds = max(0.0, (now - then).total_seconds())
    for most, size, unit in ((60, 1, ""), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < most:
            return f"{seconds // size:.0f} {unit} ago" if unit else "just now"
    return f"{seconds // 86400:.0f} d ago"


def lasted(seconds: float | None) -> str:
    """`12.3 s`, `4 min 10 s`, or a dash."""
    if seconds is None:
        return "–"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _printable(title: str | None) -> str | None:
    """A title is text from outside, the name of a file perhaps: nothing in it may steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in title) if title is not None else None


def _utc(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value
