"""`cricksy ...`: the door of a person at a terminal.

Belongs here: which commands there are, and how a known error is told. Does not belong here: what they do (`commands`).
"""

from __future__ import annotations

import typer

from cricksy_pipeline.commands import analysing, backfilling, comparing, operating
from cricksy_pipeline.commands.terminal import console
from cricksy_pipeline.errors import CricksyError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A coach's phone video of a cricketer, turned into an analysis that can be trusted.",
)

for command in (analysing.submit, analysing.status, comparing.compare, analysing.demo):
    app.command(rich_help_panel="One video")(command)
for command in (
    operating.dev,
    operating.retry,
    operating.outdated,
    backfilling.backfill,
    operating.housekeeping,
    operating.rehydrate,
    operating.delete_session,
):
    app.command(rich_help_panel="The pipeline")(command)


def main() -> None:
    """Entry point: a known error is one line and an advice, not a stack trace."""
    try:
        app()
    except CricksyError as error:
        from cricksy_pipeline.store.sessions import UnknownJob

        advice = "" if isinstance(error, UnknownJob) else f"\n{error.advice}"
        console.print(f"[red bold]{error.code}[/] {error.message}{advice}", highlight=False)
        raise SystemExit(1) from None
