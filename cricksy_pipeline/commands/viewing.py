"""Commands that look: where jobs stand, what was found, the page in a browser.

Belongs here: arguments, which document is printed how, the exit status. Does not belong here: the documents (`reading.printing`).
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cricksy_pipeline.commands.terminal import console, follow, open_stores, page_file
from cricksy_pipeline.settings import Settings

if TYPE_CHECKING:
    from cricksy_pipeline.store.jobs import JobStore
    from cricksy_pipeline.store.sessions import JobSummary

NOT_YET = 3
"""Exit status where there is nothing to read because the job waits or runs."""

JOB_HELP = "The job's id, or how it begins; without it the newest job."
JobArgument = Annotated[str | None, typer.Argument(metavar="[JOB]", help=JOB_HELP)]


def status(
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="The job's id, or how it begins; without it all recent jobs.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many jobs the list has.")] = 20,
    watch: Annotated[bool, typer.Option("--watch", help="Of a job: wait, with a progress bar, until it has ended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the list, or of a job what the API would answer.")] = False,
) -> None:
    """Where the recent jobs stand, or one of them: stage, progress, what it cost, what went wrong."""
    jobs, objects = open_stores(Settings())
    if job is None:
        _list(jobs, limit, as_json=as_json)
        return
    from cricksy_pipeline.store.job_names import find_job
    from cricksy_pipeline.store.job_read import read_job

    job_id = find_job(jobs, job)
    if watch:
        follow(jobs, job_id)
    if as_json:
        print(read_job(jobs.get(job_id), objects).model_dump_json(indent=2))
    else:
        _one(jobs, job_id)


def show(
    job: JobArgument = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is shown as JSON.")] = False,
) -> None:
    """What was found, as the coach reads it: first the one thing to work on. Exit status 3 where the analysis has not got that far."""
    from cricksy_pipeline.orchestration.links import page_url
    from cricksy_pipeline.reading.printing.shown import shown_analysis
    from cricksy_pipeline.reading.printing.terminal import print_result
    from cricksy_pipeline.store.job_names import find_job
    from cricksy_pipeline.store.job_read import read_job

    settings = Settings()
    jobs, objects = open_stores(settings)
    row = jobs.get(find_job(jobs, job))
    read, report = read_job(row, objects), page_file(row, objects)
    shown = shown_analysis(read, page=page_url(settings, row.id), report=str(report) if report else None)
    if as_json:
        print(shown.model_dump_json(indent=2))
    else:
        print_result(read, console, report_path=shown.report)
    if shown.error is not None:
        raise typer.Exit(1)
    if shown.shown_pass is None:
        raise typer.Exit(NOT_YET)


def open_page(
    job: JobArgument = None,
    only_print: Annotated[bool, typer.Option("--print", help="Only print the address.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the addresses as JSON; opens nothing.")] = False,
) -> None:
    """The analysis in a browser; its address where there is no display. Without a server, the report's file."""
    from cricksy_pipeline.orchestration.links import page_url
    from cricksy_pipeline.reading.printing.places import Places, answers
    from cricksy_pipeline.store.job_names import find_job

    settings = Settings()
    jobs, objects = open_stores(settings)
    row = jobs.get(find_job(jobs, job))
    file = page_file(row, objects)
    places = Places(
        id=row.id,
        page=page_url(settings, row.id),
        page_answers=answers(settings.public_url),
        report=file.as_uri() if file else None,
    )
    if as_json:
        print(places.model_dump_json(indent=2))
        return
    place = places.best
    opened = not only_print and _has_display() and _open(place)
    # Not folded and without colour: an address is copied, or piped on.
    console.print(f"Opened {place}" if opened else place, soft_wrap=True, highlight=False, markup=False)
    if not places.page_answers:
        said = "that is the report's file" if place == places.report else "start it with cricksy dev"
        typer.echo(f"Nothing answers at {settings.public_url}: {said}.", err=True)


def _list(jobs: JobStore, limit: int, *, as_json: bool) -> None:
    from cricksy_pipeline.reading.printing.standing import StatusList, print_list, standing

    now = datetime.now(UTC)
    found = jobs.list_jobs(limit=limit + 1)
    titles = _titles(jobs, found[:limit])
    listed = StatusList(jobs=[standing(job, titles.get(job.session_id), now) for job in found[:limit]], more=len(found) > limit)
    if as_json:
        print(listed.model_dump_json(indent=2))
    else:
        print_list(listed, console, now)


def _one(jobs: JobStore, job_id: str) -> None:
    from cricksy_pipeline.orchestration.story import chapters
    from cricksy_pipeline.reading.printing.standing import print_stages, print_standing, standing
    from cricksy_pipeline.store.sessions import JobSummary

    row, now = jobs.get(job_id), datetime.now(UTC)
    summary = JobSummary(**{name: getattr(row, name) for name in JobSummary.__dataclass_fields__})
    stands = standing(summary, _titles(jobs, [summary]).get(row.session_id), now)
    print_standing(stands, console, now)
    told = [each for each in chapters(row.stages, row.attempt) if each.made_in is not None]
    if told:
        print_stages([(each.stage, _number(each.seconds), _number(each.cpu_s), each.words) for each in told], console)
    short = job_id[:10]
    then = {"done": f"cricksy show {short}    cricksy open {short}", "failed": f"cricksy retry {job_id}"}
    if stands.state in then:
        console.print(f"\n{then[stands.state]}", style="dim", highlight=False)


def _titles(jobs: JobStore, listed: list[JobSummary]) -> dict[str, str | None]:
    sessions = {session_id: jobs.get_session(session_id) for session_id in {job.session_id for job in listed}}
    return {session_id: found.title if found else None for session_id, found in sessions.items()}


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _has_display() -> bool:
    """Whether a browser could show itself. Without a display, Python would start a text browser in this very terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(address: str) -> bool:
    import webbrowser

    return webbrowser.open(address)
