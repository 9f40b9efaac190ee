"""`cricksy compare`: what changed between two sessions.

Belongs here: arguments and words. Does not belong here: the comparison (`analysis.comparison`), its table (`reading.printing`).
"""

from __future__ import annotations

from typing import Annotated

import typer

from cricksy_pipeline.commands.terminal import console, open_stores
from cricksy_pipeline.settings import Settings


def compare(
    earlier: Annotated[str, typer.Argument(metavar="JOB", help="The job of the earlier session, or how its id begins.")],
    later: Annotated[str, typer.Argument(metavar="JOB", help="The job of the later session.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what the API would answer.")] = False,
) -> None:
    """What really changed between two sessions of one player, the earlier one first; "no real change" is an answer."""
    from cricksy_pipeline.reading.api.comparing import NotComparable, read_comparison
    from cricksy_pipeline.reading.printing.comparison_table import print_comparison
    from cricksy_pipeline.store.job_names import find_job

    jobs, objects = open_stores(Settings())
    try:
        read = read_comparison(jobs, objects, find_job(jobs, earlier), find_job(jobs, later))
    except NotComparable as error:
        raise typer.BadParameter(str(error)) from error
    if as_json:
        print(read.model_dump_json(indent=2))
    else:
        print_comparison(read, console)
