"""Commands about the pipeline: start it, try again, run history again, keep it clean.

Belongs here: arguments and words. Does not belong here: the work; each command is a few calls into the rooms.
"""

from __future__ import annotations

from typing import Annotated

import typer

from cricksy_pipeline.commands.options import SLOW_MOTION_HELP, SUBJECT_HELP, said
from cricksy_pipeline.commands.terminal import analyse_here, console, follow, open_stores, show_result, steps
from cricksy_pipeline.settings import Settings


def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    api_port: Annotated[int, typer.Option(help="Port of the API.")] = 8000,
) -> None:
    """Dagster UI, daemon and API on the embedded stack, until Ctrl-C."""
    from cricksy_pipeline.dev import serve

    raise typer.Exit(serve(Settings(), port=port, api_port=api_port, console=console))


def retry(
    job: Annotated[str, typer.Argument(help="A failed job's id, or how it begins; with options, also a finished one's.")],
    mode: Annotated[str | None, typer.Option(help="What was filmed, where the job failed because nobody had said.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make everything anew, also what still holds.")] = False,
    subject: Annotated[int | None, typer.Option(help=SUBJECT_HELP)] = None,
    slow_motion: Annotated[float | None, typer.Option(help=SLOW_MOTION_HELP)] = None,
    as_found: Annotated[bool, typer.Option("--as-found", help="Forget the player and the speed that were said earlier.")] = False,
) -> None:
    """Try a failed job again, from the first stage whose result does not hold any more; or analyse a finished one with other options."""
    from cricksy_pipeline.orchestration.instance import daemon_is_alive
    from cricksy_pipeline.store.job_names import find_job
    from cricksy_pipeline.store.reanalysis import analyse_anew

    settings, options = Settings(), said(subject, slow_motion)
    jobs, objects = open_stores(settings)
    job_id = find_job(jobs, job)
    elsewhere = daemon_is_alive(settings)
    if not elsewhere:  # nobody else would notice that the process of its last attempt is gone
        jobs.fail_silent(job_id, "The process that ran the analysis gave no sign of life.")
    if options or as_found:
        queued = analyse_anew(jobs, job_id, options, analysis_mode=mode, fresh=fresh, requested=not elsewhere)
    else:
        queued = jobs.requeue(job_id, analysis_mode=mode, fresh=fresh, requested=not elsewhere)
    if not queued:
        console.print(f"Only a failed job can be tried again, or a finished one with options; this one is {jobs.get(job_id).status}.")
        raise typer.Exit(1)
    if elsewhere:
        console.print("Queued; the running daemon takes it up. Ctrl-C stops only this display.")
        follow(jobs, job_id)
    else:
        analyse_here(settings, jobs, job_id)
    raise typer.Exit(show_result(jobs, objects, job_id))


def outdated(limit: Annotated[int, typer.Option(min=1, help="How many to list.")] = 50) -> None:
    """Which videos were analysed with older rules than these."""
    from rich.table import Table

    from cricksy_pipeline.analysis.model import networks_identity
    from cricksy_pipeline.analysis.versions import analysis_version
    from cricksy_pipeline.store import inventory

    settings = Settings()
    jobs, _ = open_stores(settings)
    version = analysis_version(networks=networks_identity(settings.pose_model, settings.pose_finder))
    found = inventory.outdated(jobs, version, limit=limit + 1)
    if not found:
        console.print(f"Every finished analysis was made with the present version, {version}.", highlight=False)
        return
    table = Table("job", "mode", "version", "analysed")
    for job in found[:limit]:
        when = job.completed_at.strftime("%Y-%m-%d %H:%M") if job.completed_at else "-"
        table.add_row(job.id, job.analysis_mode or "-", job.analysis_version or "the earlier system's", when)
    console.print(table)
    more = "More than these were" if len(found) > limit else f"{len(found)} {'was' if len(found) == 1 else 'were'}"
    console.print(f"{more} not made with the present version, {version}: cricksy backfill --outdated", highlight=False)


def housekeeping(
    names: Annotated[list[str] | None, typer.Argument(help="Which chores; all where none is named.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Forget old partitions and runs, end uploads that never came, sweep what killed runs left. Done by schedule, too."""
    from cricksy_pipeline.orchestration.housekeeping import CHORES, Household, run_chores
    from cricksy_pipeline.orchestration.instance import open_instance

    if unknown := set(names or ()) - {chore.name for chore in CHORES}:
        raise typer.BadParameter(f"there is no chore {', '.join(sorted(unknown))}; there are {', '.join(chore.name for chore in CHORES)}")
    settings = Settings()
    jobs, objects = open_stores(settings)
    with open_instance(settings) as instance:
        household = Household(instance, jobs, objects, partition_retention_days=settings.partition_retention_days)
        done = run_chores(household, names or (), dry_run=dry_run, say=lambda phrase: console.print(phrase, highlight=False))
    for name, phrases in done.items():
        console.print(f"{name}: {len(phrases)}{' to do' if dry_run else ''}", highlight=False)


def delete_session(
    session_id: Annotated[str, typer.Argument(help="The session's id.")],
    cancel: Annotated[bool, typer.Option("--cancel", help="Stop what runs first; without it, a session at work is not deleted.")] = False,
) -> None:
    """Delete a session with its videos, analyses and partitions. What is gone cannot be brought back."""
    from cricksy_pipeline.orchestration import session_deletion
    from cricksy_pipeline.orchestration.instance import open_instance

    settings = Settings()
    jobs, objects = open_stores(settings)
    with open_instance(settings) as instance:
        deleted = session_deletion.delete_session(instance, jobs, objects, session_id, cancel=cancel)
    console.print(f"Deleted {len(deleted.jobs)} jobs and {deleted.objects} objects, {deleted.bytes:,} bytes.", highlight=False)
    for key in deleted.kept:
        console.print(f"Kept {key}, which another session's job needs.", highlight=False)


def rehydrate(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, write nothing.")] = False,
    batch: Annotated[int, typer.Option(min=1, help="Rows in one transaction.")] = 200,
    after: Annotated[str, typer.Option(help="Begin behind this job id.")] = "",
) -> None:
    """Fill findings and report of rows that the earlier system wrote, from their own results. May be stopped and run again."""
    from cricksy_pipeline.store import rehydration

    settings = Settings()
    jobs, objects = open_stores(settings)
    with steps() as say:
        done = rehydration.rehydrate(
            jobs, objects, dry_run=dry_run, batch=batch, after=after, on_progress=lambda d: say(f"{d.looked_at} rows, up to {d.after}")
        )
    would = "would be " if dry_run else ""
    console.print(f"{done.looked_at} rows looked at: {done.already_whole} already whole, {done.rows_filled} {would}filled", highlight=False)
    for column, count in sorted(done.filled.items()):
        console.print(f"  {column}: {count}", highlight=False)
    for title, reasons in (("not filled", done.not_filled), ("filled, and still not readable", done.still_unreadable)):
        for reason, rows in reasons.items():
            console.print(f"  {title}: {rows.count}, {reason} (for example {', '.join(rows.examples[:3])})", highlight=False)
