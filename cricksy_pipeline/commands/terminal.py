"""What several commands need: the console, the opened stores, a job that is analysed or watched with a progress bar.

Belongs here: output and waiting. Does not belong here: arguments (the commands), how a result is printed (`reading.printing.terminal`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from cricksy_pipeline import stack
from cricksy_pipeline.loading import without_collecting
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stop_signals import stopped_by_signal

if TYPE_CHECKING:
    from cricksy_pipeline.store.jobs import JobStore
    from cricksy_pipeline.store.models import VideoAnalysisJob
    from cricksy_pipeline.store.objects import ObjectStore

console = Console()

POLL_S = 0.3


def open_stores(settings: Settings) -> tuple[JobStore, ObjectStore]:
    """The job rows and the object store, with the database ready. Raises CricksyError."""
    stack.prepare_database(settings)
    return stack.open_job_store(settings), stack.open_object_store(settings)


def show_result(jobs: JobStore, objects: ObjectStore, job_id: str) -> int:
    """Print the job as a reader sees it. Returns the exit status for the shell."""
    from cricksy_pipeline.reading.printing.terminal import print_result
    from cricksy_pipeline.store.job_read import read_job

    row = jobs.get(job_id)
    page = page_file(row, objects)
    print_result(read_job(row, objects), console, report_path=str(page) if page else None)
    return 0 if row.status in ("done", "completed") else 1


def page_file(row: VideoAnalysisJob, objects: ObjectStore) -> Path | None:
    """The report's file, the first look's where there is no other; None where the store is no folder of this machine, or has none."""
    from cricksy_pipeline.store.job_read import hidden_passes
    from cricksy_pipeline.store.keys import Output

    keys = [row.shown_key(name) for name in (Output.REPORT_HTML, Output.QUICK_REPORT_HTML) if row.s3_key and not hidden_passes(row)]
    return next((path for key in keys if key and (path := objects.local_path(key))), None)


def analyse_here(settings: Settings, jobs: JobStore, job_id: str, *, verbose: bool = False) -> None:
    """Analyse the job in this process, with a progress bar or Dagster's log."""
    with without_collecting():
        from cricksy_pipeline.orchestration.local_run import run_analysis

    with stopped_by_signal(), nullcontext() if verbose else following(jobs, job_id):
        run_analysis(settings, jobs, job_id, verbose=verbose)


def follow(jobs: JobStore, job_id: str) -> None:
    """Watch a job that runs elsewhere until it has ended."""
    from cricksy_pipeline.store.models import FINISHED, JobStatus

    with following(jobs, job_id):
        while jobs.status_of(job_id) not in (*FINISHED, JobStatus.FAILED):
            time.sleep(POLL_S)


@contextmanager
def following(jobs: JobStore, job_id: str) -> Iterator[None]:
    """A progress bar that shows what the row says: the terminal never knows more than a reader does. In a log file, a line a stage."""
    from cricksy_pipeline.reading.printing.job_progress import job_lines, job_progress

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
def steps() -> Iterator[Callable[[str], None]]:
    """A way to say what is going on: a spinner, or a line a step where nobody watches."""
    if not console.is_terminal:
        yield lambda text: console.print(text, highlight=False)
        return
    with console.status("") as spinner:
        yield lambda text: spinner.update(text)
