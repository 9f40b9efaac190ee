"""`cricksy doctor`: whether everything is there that an analysis needs.

Belongs here: arguments and the exit status. Does not belong here: looking (`orchestration.checkup`), the table
(`reading.printing.checkup`).
"""

from __future__ import annotations

from typing import Annotated

import typer

from cricksy_pipeline.commands.terminal import console, steps
from cricksy_pipeline.settings import Settings


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False) -> None:
    """Every prerequisite: ok, or what to do. Changes nothing. Exit status 1 where something is missing."""
    from cricksy_pipeline.orchestration.checkup import examine
    from cricksy_pipeline.reading.printing.checkup import checkup, print_checkup

    if as_json or not console.is_terminal:
        found = checkup(list(examine(Settings())))
    else:
        with steps() as say:
            found = checkup(list(examine(Settings(), say)))
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        print_checkup(found, console)
    raise typer.Exit(0 if found.ok else 1)
