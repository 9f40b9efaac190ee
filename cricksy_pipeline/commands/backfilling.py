"""`cricksy backfill`: finished videos analysed anew, with a dry run that says what it would cost.

Belongs here: arguments, the question before it begins, progress and words. Does not belong here: the plan and the runs
(`orchestration.backfill`, `orchestration.backfill_runs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cricksy_pipeline.commands.terminal import console, open_stores
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stop_signals import stopped_by_signal

if TYPE_CHECKING:
    from cricksy_pipeline.orchestration.backfill import BackfillPlan
    from cricksy_pipeline.orchestration.backfill_runs import Outcome
    from cricksy_pipeline.store.jobs import JobStore

SHOWN = 20
"""Failed jobs that are named."""


def backfill(
    outdated: Annotated[bool, typer.Option("--outdated", help="Videos that were analysed with other rules than these.")] = False,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Videos submitted at or after this time (UTC).")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="Videos of batting, bowling, wicketkeeping or fielding.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All finished videos.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="No more than so many, the youngest.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make everything anew, also what still holds.")] = False,
    here: Annotated[bool, typer.Option("--here", help="In this process, one after the other, without a daemon.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many and at what cost.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it begins.")] = False,
) -> None:
    """Analyse finished videos anew; of each, what still holds is kept. Conditions add up.

    Where only rules changed, stored landmarks are used and no video is decoded. Readers keep the earlier analysis until the new one is
    proven.
    """
    from cricksy_pipeline.orchestration.backfill import plan_backfill, plan_in_words, select

    settings = Settings()
    try:
        selection = select(settings, outdated=outdated, since=since, mode=mode, everything=everything)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    jobs, _ = open_stores(settings)
    plan = plan_backfill(jobs, settings, selection, fresh=fresh, limit=limit)
    console.print(*plan_in_words(plan), sep="\n", highlight=False)
    if dry_run or not plan.jobs:
        return
    if not yes:
        typer.confirm("Begin?", abort=True)
    if here:
        raise typer.Exit(_here(settings, jobs, plan))
    _through_the_daemon(settings, plan)


def _through_the_daemon(settings: Settings, plan: BackfillPlan) -> None:
    from cricksy_pipeline.orchestration.backfill_runs import launch_backfill
    from cricksy_pipeline.orchestration.instance import daemon_is_alive

    ids = launch_backfill(settings, plan)
    console.print(f"Launched: {', '.join(ids)}. The page Backfills of Dagster's UI shows and stops them.", highlight=False)
    if not daemon_is_alive(settings):
        console.print("[yellow]No daemon is running: nothing begins before one does[/yellow] (cricksy dev).", highlight=False)


def _here(settings: Settings, jobs: JobStore, plan: BackfillPlan) -> int:
    from cricksy_pipeline.orchestration.backfill_runs import run_backfill_here

    with stopped_by_signal(), _progress(len(plan.jobs)) as show:
        outcome = run_backfill_here(settings, jobs, plan, show)
    not_begun = len(plan.jobs) - outcome.ended
    console.print(
        f"{outcome.done:,} analysed, {len(outcome.failed):,} failed, {len(outcome.passed_over):,} at work elsewhere or gone, "
        f"{not_begun:,} not done{': stopped' if outcome.stopped else ''}",
        highlight=False,
    )
    for job_id, why in list(outcome.failed.items())[:SHOWN]:
        console.print(f"  {job_id}: {why}", highlight=False, markup=False)
    if len(outcome.failed) > SHOWN:
        console.print(f"  ... and {len(outcome.failed) - SHOWN:,} more: backfill {outcome.backfill_id} in Dagster's UI", highlight=False)
    return 1 if outcome.failed or outcome.stopped else 0


@contextmanager
def _progress(of: int) -> Iterator[Callable[[Outcome], None]]:
    """A bar that moves with each video; in a log file, a line for every tenth of the way."""
    if not console.is_terminal:
        step = max(1, of // 10)

        def say(so_far: Outcome) -> None:
            if so_far.ended % step == 0:
                console.print(f"{so_far.ended:,} of {of:,}, {len(so_far.failed):,} failed", highlight=False)

        yield say
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task("analysing", total=of)
        yield lambda so_far: bar.update(task, completed=so_far.ended, description=f"analysing, {len(so_far.failed):,} failed")
