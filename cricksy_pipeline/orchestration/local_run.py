"""Running one job in this very process, on the embedded Dagster instance, so that it also stands in Dagster's pages.

Belongs here: what the command line needs of Dagster to analyse by itself. Does not belong here: daemons and web servers (`cricksy dev`).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4

import dagster as dg
from dagster import DagsterInstance

from cricksy_pipeline import stack
from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.instance import prepare_home
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore

ALIVE_S = 90.0
"""A daemon beats every 30 s."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def daemon_is_alive(settings: Settings) -> bool:
    """Whether a Dagster daemon watches this instance, so that a queued job is taken up by itself."""
    from dagster._daemon.daemon import SensorDaemon

    kind = SensorDaemon.daemon_type()
    with open_instance(settings) as instance:
        last = instance.get_daemon_statuses([kind])[kind].last_heartbeat
    # Dagster itself calls a daemon healthy for half an hour after its last heartbeat.
    return last is not None and time.time() - last.timestamp < ALIVE_S


def point_dagster_to(settings: Settings) -> None:
    """Dagster finds its instance by environment: the same storage as `cricksy dev`, so that what is done here stands in its pages."""
    os.environ.setdefault("DAGSTER_HOME", str(prepare_home(settings)))
    os.environ.setdefault("CRICKSY_DAGSTER_DATABASE_URL", stack.dagster_database_url(settings))
    os.environ.setdefault("MPLCONFIGDIR", str(settings.folder / "matplotlib"))


def open_instance(settings: Settings) -> DagsterInstance:
    """The Dagster instance, as `cricksy dev` has it. A context manager."""
    point_dagster_to(settings)
    return DagsterInstance.from_config(os.environ["DAGSTER_HOME"])


def run_analysis(settings: Settings, jobs: JobStore, job_id: str, *, verbose: bool = False) -> bool:
    """Add the partition and materialize all six assets of it. Returns whether the run succeeded; the reason is in the row.

    Raises KeyboardInterrupt where a person stopped it, after the row says so.
    """
    point_dagster_to(settings)
    with _instance(Path(os.environ["DAGSTER_HOME"])) as instance:
        run_id = str(uuid4())
        try:
            instance.add_dynamic_partitions(videos.name, [job_id])
            job = build_definitions(settings).resolve_job_def(analysis.name)
            result = job.execute_in_process(
                instance=instance, partition_key=job_id, raise_on_error=False, run_id=run_id, run_config=None if verbose else QUIET
            )
        finally:
            # A fault in Dagster itself would leave the row running, or queued. Changes nothing where the row has ended.
            said = "The run ended outside every stage; its log in Dagster says why."
            if not jobs.fail(job_id, run_id, ErrorCode.INTERNAL, said):
                jobs.fail_unclaimed(job_id, ErrorCode.INTERNAL, said, run_id=run_id)
        return result.success


def _instance(home: Path) -> dg.DagsterInstance:
    """The instance of that home, without capture of standard output: captured, the terminal's progress bar would go to a log file."""
    from dagster._core.instance.ref import InstanceRef

    uncaptured = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides={"compute_logs": uncaptured}))
