"""`cricksy ...`: the commands of a person at a terminal.

Belongs here: arguments, progress and words. Does not belong here: the work; each command is a few calls into the rooms.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cricksy_pipeline import stack
from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stop_signals import stopped_by_signal

if TYPE_CHECKING:
    from cricksy_pipeline.store.jobs import JobStore

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A coach's phone video of a cricketer, turned into an analysis that can be trusted.",
)
console = Console()

POLL_S = 0.3


@app.command()
def submit(
    video: Annotated[Path, typer.Argument(help="A video file.")],
    mode: Annotated[str, typer.Option(help="What was filmed: batting, bowling, wicketkeeping or fielding.")],
    title: Annotated[str | None, typer.Option(help="Title of the session; the file's name where none is given.")] = None,
    quick_only: Annotated[bool, typer.Option("--quick-only", help="Stop after the quick pass.")] = False,
    include_frames: Annotated[bool, typer.Option("--include-frames", help="Also store the deep landmarks as JSON.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show Dagster's log instead of a progress bar.")] = False,
) -> None:
    """Store a video, analyse it here and now, and print what was found."""
    from cricksy_pipeline.store.submissions import Submission, submit

    settings = Settings()
    jobs, objects = _open(settings)
    asked = Submission(video, mode, title or video.stem, deep_enabled=not quick_only, include_frames=include_frames)
    job_id = submit(asked, jobs, objects)
    console.print(f"job [bold]{job_id}[/bold]")
    _analyse(settings, jobs, job_id, verbose=verbose)
    raise typer.Exit(_show(settings, jobs, objects, job_id))


@app.command()
def status(
    job_id: Annotated[str, typer.Argument(help="The job's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what the API would answer.")] = False,
) -> None:
    """Where a job stands and, when it is done, what was found."""
    settings = Settings()
    jobs, objects = _open(settings)
    if as_json:
        from cricksy_pipeline.store.job_read import read_job

        print(read_job(jobs.get(job_id), objects).model_dump_json(indent=2))
        return
    _show(settings, jobs, objects, job_id)


@app.command()
def retry(
    job_id: Annotated[str, typer.Argument(help="The id of a failed job.")],
    mode: Annotated[str | None, typer.Option(help="What was filmed, where the job failed because nobody had said.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make everything anew, also what still holds.")] = False,
) -> None:
    """Try a failed job again, from the first stage whose result does not hold any more."""
    from cricksy_pipeline.orchestration.local_run import daemon_is_alive

    settings = Settings()
    jobs, objects = _open(settings)
    elsewhere = daemon_is_alive(settings)
    if not jobs.requeue(job_id, analysis_mode=mode, fresh=fresh, requested=not elsewhere):
        console.print(f"Only a failed job can be tried again; this one is {jobs.get(job_id).status}.")
        raise typer.Exit(1)
    if elsewhere:
        console.print("Queued; the running daemon takes it up. Ctrl-C stops only this display.")
        _follow(jobs, job_id)
    else:
        _analyse(settings, jobs, job_id)
    raise typer.Exit(_show(settings, jobs, objects, job_id))


@app.command()
def demo(force: Annotated[bool, typer.Option("--render", help="Render the sample clip again.")] = False) -> None:
    """Render the sample clip, analyse it, print the findings. Everything stays under the data folder."""
    from cricksy_pipeline.store.submissions import Submission, submit

    settings = Settings()
    with _steps() as say:
        say("embedded PostgreSQL")
        jobs, objects = _open(settings)
        say("pose model")
        stack.open_pose_model(settings, report=say)
    clip = _sample_clip(settings.folder / "sample", force=force)
    job_id = submit(Submission(clip, "batting", "Sample clip: two front-foot drives"), jobs, objects)
    _analyse(settings, jobs, job_id)
    raise typer.Exit(_show(settings, jobs, objects, job_id))


@app.command()
def dev(
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
    api_port: Annotated[int, typer.Option(help="Port of the API.")] = 8000,
) -> None:
    """Dagster UI, daemon and API on the embedded stack, until Ctrl-C."""
    from cricksy_pipeline.dev import serve

    raise typer.Exit(serve(Settings(), port=port, api_port=api_port, console=console))


def main() -> None:
    """Entry point: a known error is one line and an advice, not a stack trace."""
    try:
        app()
    except CricksyError as error:
        from cricksy_pipeline.store.sessions import UnknownJob

        advice = "" if isinstance(error, UnknownJob) else f"\n{error.advice}"
        console.print(f"[red bold]{error.code}[/] {error.message}{advice}", highlight=False)
        raise SystemExit(1) from None


def _open(settings: Settings):
    stack.prepare_database(settings)
    return stack.open_job_store(settings), stack.open_object_store(settings)


def _show(settings: Settings, jobs: JobStore, objects, job_id: str) -> int:
    from cricksy_pipeline.reading.terminal import print_result
    from cricksy_pipeline.store.job_read import read_job
    from cricksy_pipeline.store.keys import Output

    row = jobs.get(job_id)
    pages = [objects.local_path(row.shown_key(name)) for name in (Output.REPORT_HTML, Output.QUICK_REPORT_HTML)] if row.s3_key else []
    page = next(filter(None, pages), None)
    print_result(read_job(row, objects), console, report_path=str(page) if page else None)
    return 0 if row.status in ("done", "completed") else 1


def _analyse(settings: Settings, jobs: JobStore, job_id: str, *, verbose: bool = False) -> None:
    from cricksy_pipeline.orchestration.local_run import run_analysis

    with stopped_by_signal(), nullcontext() if verbose else _following(jobs, job_id):
        run_analysis(settings, jobs, job_id, verbose=verbose)


def _follow(jobs: JobStore, job_id: str) -> None:
    """Watch a job that runs elsewhere until it has ended."""
    from cricksy_pipeline.store.models import FINISHED, JobStatus

    with _following(jobs, job_id):
        while jobs.status_of(job_id) not in (*FINISHED, JobStatus.FAILED):
            time.sleep(POLL_S)


@contextmanager
def _following(jobs: JobStore, job_id: str) -> Iterator[None]:
    """A progress bar that shows what the row says: the terminal never knows more than a reader does. In a log file, a line a stage."""
    from cricksy_pipeline.reading.terminal import job_lines, job_progress

    stop = threading.Event()
    with (job_progress if console.is_terminal else job_lines)(console) as show:

        def follow() -> None:
            while True:
                ended = stop.wait(POLL_S)
                show(*jobs.progress_of(job_id))
                if ended:
                    return

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=5)


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    if not console.is_terminal:
        yield lambda text: console.print(text, highlight=False)
        return
    with console.status("") as spinner:
        yield lambda text: spinner.update(text)


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
