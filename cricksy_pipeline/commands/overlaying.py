"""`cricksy overlay`: the overlay video and the clips of one finished job.

Belongs here: arguments and words. Does not belong here: the run (`orchestration.overlay_runs`), drawing (`reading.overlay`).
"""

from __future__ import annotations

from typing import Annotated

import typer

from cricksy_pipeline.commands.terminal import console, open_stores, steps
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stop_signals import stopped_by_signal


def overlay(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The id of a finished job.")],
    here: Annotated[bool, typer.Option("--here", help="Draw in this process, also where a daemon runs.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show Dagster's log.")] = False,
) -> None:
    """Draw the video with skeleton, events and readings, and a clip of each ball; say where they lie.

    What is stored and still shows the same is not drawn again. The daemon draws it where one runs; without one, this process does.
    """
    from cricksy_pipeline.orchestration.instance import daemon_is_alive
    from cricksy_pipeline.orchestration.overlay_runs import ask_for_run, draw_here

    settings = Settings()
    jobs, objects = open_stores(settings)
    status = jobs.status_of(job_id)
    if status != "done":
        console.print(f"Only a finished analysis has an overlay; this job is {status}.", highlight=False)
        raise typer.Exit(1)
    if not here and daemon_is_alive(settings):
        console.print(f"Asked for: {ask_for_run(settings, job_id)}. The page Backfills of Dagster's UI shows it.", highlight=False)
        return
    with stopped_by_signal(), steps() as say:
        say("drawing")
        drawn = draw_here(settings, jobs, job_id, verbose=verbose)
    raise typer.Exit(_show(jobs, objects, job_id) if drawn else _tell_failure(jobs, job_id))


def _show(jobs, objects, job_id: str) -> int:
    """Where the films lie: the file, where the store is a folder, else the key."""
    from cricksy_pipeline.store.overlays import shown_overlay

    row = jobs.get(job_id)
    shown = shown_overlay(row, jobs.get_session(row.session_id).blur_faces)
    if shown.state != "made":
        console.print("The analysis changed while its overlay was drawn. Ask again.", highlight=False)
        return 1
    for name, key in {"Overlay": shown.key, **{f"Ball {ball}": key for ball, key in sorted(shown.clips.items())}}.items():
        console.print(f"{name}: {objects.local_path(key) or key}", highlight=False, soft_wrap=True)
    if shown.blurred:
        console.print("Faces are blurred.", highlight=False)
    return 0


def _tell_failure(jobs, job_id: str) -> int:
    from cricksy_pipeline.store.overlays import STEP

    failed = ((jobs.get(job_id).stages or {}).get(STEP) or {}).get("failed") or {}
    why = failed.get("message", "The run's log in Dagster says why.")
    console.print(f"[red]The overlay could not be drawn; the analysis stays as it is.[/red] {why}", highlight=False)
    return 1
