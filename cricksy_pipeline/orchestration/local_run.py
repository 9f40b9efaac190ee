"""Running one job in this very process, on the embedded Dagster instance, so that it also stands in Dagster's pages.

Belongs here: what `cricksy submit` needs of Dagster. Does not belong here: daemons and web servers (`cricksy dev`).
"""

from __future__ import annotations

import os

import dagster as dg

from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.instance import prepare_home
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.settings import Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_analysis(settings: Settings, job_id: str, *, verbose: bool = False) -> bool:
    """Add the partition and materialize all six assets of it. Returns whether the run succeeded; the reason is in the row."""
    os.environ.setdefault("DAGSTER_HOME", str(prepare_home(settings)))
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(videos.name, [job_id])
        job = build_definitions(settings).get_job_def(analysis.name)
        result = job.execute_in_process(
            instance=instance, partition_key=job_id, raise_on_error=False, run_config=None if verbose else QUIET
        )
        return result.success
