"""Commands that analyse one video: submit it, the demo.

Belongs here: arguments and words. Does not belong here: the work; each command is a few calls into the rooms.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from cricksy_pipeline import stack
from cricksy_pipeline.commands.options import SLOW_MOTION_HELP, SUBJECT_HELP, said
from cricksy_pipeline.commands.terminal import analyse_here, console, open_stores, show_result, steps
from cricksy_pipeline.settings import Settings


def submit(
    video: Annotated[Path, typer.Argument(help="A video file.")],
    mode: Annotated[str, typer.Option(help="What was filmed: batting, bowling, wicketkeeping or fielding.")],
    title: Annotated[str | None, typer.Option(help="Title of the session; the file's name where none is given.")] = None,
    quick_only: Annotated[bool, typer.Option("--quick-only", help="Stop after the quick pass.")] = False,
    include_frames: Annotated[bool, typer.Option("--include-frames", help="Also store the deep landmarks as JSON.")] = False,
    subject: Annotated[int | None, typer.Option(help=SUBJECT_HELP)] = None,
    slow_motion: Annotated[float | None, typer.Option(help=SLOW_MOTION_HELP)] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show Dagster's log instead of a progress bar.")] = False,
) -> None:
    """Store a video, analyse it here and now, and print what was found."""
    from cricksy_pipeline.store.submissions import Submission, submit

    settings, options = Settings(), said(subject, slow_motion)
    jobs, objects = open_stores(settings)
    asked = Submission(video, mode, title or video.stem, deep_enabled=not quick_only, include_frames=include_frames, options=options)
    job_id = submit(asked, jobs, objects)
    console.print(f"job [bold]{job_id}[/bold]")
    analyse_here(settings, jobs, job_id, verbose=verbose)
    raise typer.Exit(show_result(jobs, objects, job_id))


def demo(force: Annotated[bool, typer.Option("--render", help="Render the sample clip again.")] = False) -> None:
    """Render the sample clip, analyse it, print the findings. Everything stays under the data folder."""
    from cricksy_pipeline.store.submissions import Submission, submit

    settings = Settings()
    with steps() as say:
        say("embedded PostgreSQL")
        jobs, objects = open_stores(settings)
        say("pose model")
        stack.open_pose_model(settings, report=say)
    clip = _sample_clip(settings.folder / "sample", force=force)
    job_id = submit(Submission(clip, "batting", "Sample clip: two front-foot drives"), jobs, objects)
    analyse_here(settings, jobs, job_id)
    raise typer.Exit(show_result(jobs, objects, job_id))


def _sample_clip(folder: Path, *, force: bool) -> Path:
    """The sample clip, rendered unless this very specification has been."""
    from rich.progress import Progress

    from cricksy_pipeline.sample.clip import SAMPLE, write_clip

    path = folder / f"sample-{hashlib.sha256(repr(SAMPLE).encode()).hexdigest()[:12]}.mp4"
    if force or not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with Progress(console=console) as bar:
            task = bar.add_task("Rendering the sample clip", total=None)
            write_clip(SAMPLE, path, on_progress=lambda done, of: bar.update(task, completed=done, total=of))
    return path
