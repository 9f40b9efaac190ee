"""`cricksy ...`: the door of a person at a terminal.

Belongs here: which commands there are, how a known error is told, what an exit status means. Does not belong here: what they do
(`commands`).
"""

from __future__ import annotations

import sys

import typer

from cricksy_pipeline.commands import analysing, backfilling, comparing, doctoring, operating, overlaying, signing, viewing, working
from cricksy_pipeline.commands.terminal import console
from cricksy_pipeline.errors import CricksyError

EXIT_STATUSES = (
    "Exit status: 0 done as asked; 1 it could not be done, the analysis failed, or doctor misses something; 2 the command line was not "
    "understood; 3 there is nothing to read yet (show); 130 stopped by Ctrl-C."
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A coach's phone video of a cricketer, turned into an analysis that can be trusted.",
    epilog=EXIT_STATUSES,
)

for command in (analysing.submit, viewing.status, viewing.show):
    app.command(rich_help_panel="One video")(command)
app.command("open", rich_help_panel="One video")(viewing.open_page)
for command in (comparing.compare, overlaying.overlay, analysing.demo):
    app.command(rich_help_panel="One video")(command)
for command in (
    operating.dev,
    working.worker,
    doctoring.doctor,
    operating.retry,
    operating.outdated,
    backfilling.backfill,
    operating.housekeeping,
    operating.rehydrate,
    operating.delete_session,
    signing.token,
):
    app.command(rich_help_panel="The pipeline")(command)


def main() -> None:
    """Entry point: a known error is one line and an advice, not a stack trace; with `--json`, it is JSON too."""
    try:
        app()
    except CricksyError as error:
        from cricksy_pipeline.store.sessions import UnknownJob

        advice = "" if isinstance(error, UnknownJob) else error.advice
        if "--json" in sys.argv:
            from cricksy_pipeline.reading.printing.command_error import CommandError

            print(CommandError.of(error, advice or None).model_dump_json(indent=2))
        else:
            console.print(f"[red bold]{error.code}[/] {error.message}" + (f"\n{advice}" if advice else ""), highlight=False)
        raise SystemExit(1) from None
