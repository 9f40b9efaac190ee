"""The product, driven from outside: one video from object to `done`, and what its reader sees meanwhile.

    python benchmarks/product_run.py prepare
    python benchmarks/product_run.py submit VIDEO MODE
    python benchmarks/product_run.py watch JOB
    python benchmarks/product_run.py run JOB
    python benchmarks/product_run.py story JOB

Belongs here: calls of the product's own functions, each in a process of its own, on the stack that the environment names; so that the
product of another working tree can be measured too (`PYTHONPATH`). Does not belong here: clocks around them (`speed`).
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path

LOOK_EVERY_S = 0.1


def prepare() -> None:
    """Database and model weights, as a deployment has them before the first video."""
    from cricksy_pipeline import stack
    from cricksy_pipeline.settings import Settings

    stack.prepare_database(Settings())
    stack.open_pose_model(Settings())
    if hasattr(stack, "open_pose_finder"):  # an earlier tree looked with one model
        stack.open_pose_finder(Settings())


def submit(video: str, mode: str) -> None:
    """Upload and row, as `cricksy submit` makes them; prints the job's id."""
    from cricksy_pipeline import stack
    from cricksy_pipeline.settings import Settings
    from cricksy_pipeline.store.submissions import Submission, submit

    settings = Settings()
    asked = Submission(Path(video), mode, "A benchmark")
    print(submit(asked, stack.open_job_store(settings), stack.open_object_store(settings)))


def run(job_id: str) -> None:
    """One run of all six assets in this process, loaded as `cricksy analyze` and the code location load it. Fails where it fails."""
    try:
        from cricksy_pipeline.loading import without_collecting
    except ImportError:  # an earlier tree
        without_collecting = nullcontext
    with without_collecting():
        from cricksy_pipeline import stack
        from cricksy_pipeline.orchestration.local_run import run_analysis
        from cricksy_pipeline.settings import Settings

    settings = Settings()
    jobs = stack.open_job_store(settings)
    if not run_analysis(settings, jobs, job_id):
        row = jobs.get(job_id)
        sys.exit(f"{row.error_code}: {row.error_message}")


def watch(job_id: str) -> None:
    """A reader who asks ten times a second: a line of JSON for each change he sees, until the job has ended.

    `readable` means that he opened the row through the API's read model and found quick results, findings and a report in it.
    """
    from sqlalchemy import text

    from cricksy_pipeline import stack
    from cricksy_pipeline.settings import Settings
    from cricksy_pipeline.store.job_read import read_job

    settings = Settings()
    jobs, objects = stack.open_job_store(settings), stack.open_object_store(settings)
    query = text("SELECT status, stage, progress_pct, quick_completed_at IS NOT NULL FROM video_analysis_jobs WHERE id = :id")
    seen, readable = None, False
    with jobs.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while seen is None or seen[0] not in ("done", "failed"):
            row = tuple(connection.execute(query, {"id": job_id}).one())
            if row[3] and not readable:
                document = read_job(jobs.get(job_id), objects)
                readable = bool(document.quick_results and document.quick_findings and document.quick_report)
            if (*row, readable) != seen:
                seen = (*row, readable)
                line = {"at": time.time(), "status": row[0], "stage": row[1], "progress": row[2], "readable": readable}
                print(json.dumps(line), flush=True)
            time.sleep(LOOK_EVERY_S)


def story(job_id: str) -> None:
    """What the run says of itself: when its steps began and ended, when it said how far it had looked, how many frames it looked at."""
    import os

    import dagster as dg
    from dagster._core.instance.ref import InstanceRef

    from cricksy_pipeline import stack
    from cricksy_pipeline.orchestration.instance import point_dagster_to
    from cricksy_pipeline.settings import Settings

    settings = Settings()
    row = stack.open_job_store(settings).get(job_id)
    point_dagster_to(settings)
    steps: dict[str, dict] = {}
    started = None
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(os.environ["DAGSTER_HOME"])) as instance:
        for entry in instance.all_logs(row.dagster_run_id):
            kind = entry.dagster_event.event_type_value if entry.dagster_event else None
            step = steps.setdefault(entry.step_key, {"looks": []}) if entry.step_key else {}
            if kind == dg.DagsterEventType.RUN_START.value:
                started = entry.timestamp
            elif kind == dg.DagsterEventType.STEP_START.value:
                step["began"] = entry.timestamp
            elif kind == dg.DagsterEventType.STEP_SUCCESS.value:
                step["ended"] = entry.timestamp
            elif kind is None and " frames (" in entry.user_message and step:
                step["looks"].append(entry.timestamp)
    summary = row.deep_results["pose_summary"]
    names = ("total_frames", "sampled_frames", "burst_frames", "frames_with_pose", "duration_s")
    frames = {name: summary[name] for name in names}
    print(json.dumps({"run_id": row.dagster_run_id, "started": started, "steps": steps, "frames": frames}))


if __name__ == "__main__":
    {"prepare": prepare, "submit": submit, "watch": watch, "run": run, "story": story}[sys.argv[1]](*sys.argv[2:])
