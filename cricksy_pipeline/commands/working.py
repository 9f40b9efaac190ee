"""`cricksy worker`: this machine takes runs.

Belongs here: arguments and words. Does not belong here: the work (`orchestration.workers`).
"""

from __future__ import annotations

import logging
import socket
from typing import Annotated

import typer

from cricksy_pipeline.settings import Settings


def worker(
    slots: Annotated[int, typer.Option(min=1, help="Runs at once. Each has CRICKSY_POSE_WORKERS pose processes.")] = 1,
    name: Annotated[str | None, typer.Option(help="What it is called; unset: the name of this machine.")] = None,
    runs_each: Annotated[int, typer.Option(min=1, help="Runs after which the process of a slot is started anew.")] = 500,
    grace: Annotated[float, typer.Option(min=0, help="Seconds that the runs in hand have after SIGTERM; then they are stopped.")] = 600.0,
) -> None:
    """Take runs from Dagster's queue, on as many machines as you like, until Ctrl-C; docs/workers.md."""
    from cricksy_pipeline.orchestration.workers.host import Orders, serve

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    raise typer.Exit(serve(Settings(), Orders(name or socket.gethostname(), slots, runs_each, grace)))
