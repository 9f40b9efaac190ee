"""Runs in this very process, one or many, on what is opened once: Dagster's instance, the definitions, the rows, the store.

Belongs here: what makes the second run cheap. Does not belong here: which jobs (`backfill_runs`), daemons and web servers (`cricksy dev`).

Measured on the embedded stack (two cores, the 8 s sample clip, new rules for findings and report): a run in a process of its own takes
4.4 CPU seconds before it begins; here a run takes 0.7 in all.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
from dagster import DagsterExecutionInterruptedError
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.execute_in_process import core_execute_in_process, merge_run_tags
from dagster._core.instance.ref import InstanceRef

from cricksy_pipeline import stack
from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.instance import point_dagster_to
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore

# Captured, the terminal's progress bar would go to a log file.
_UNCAPTURED = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WarmRuns:
    """What stays open between runs."""

    instance: dg.DagsterInstance
    jobs: JobStore
    job: dg.JobDefinition

    def analyse(self, job_id: str, tags: Mapping[str, str] | None = None, *, verbose: bool = False) -> bool:
        """Materialize all six assets of the job's partition. Returns whether the run succeeded; the reason is in the row and the log.

        Raises KeyboardInterrupt where a person stopped it, after the row says so.
        """
        run_id = str(uuid4())
        try:
            self.instance.add_dynamic_partitions(videos.name, [job_id])
            # raise_on_error: without it Dagster swallows an interruption, and a Ctrl-C would stop one run of a thousand.
            self._execute(job_id, run_id, {} if verbose else QUIET, tags or {})
        except DagsterExecutionInterruptedError as stopped:  # what Dagster makes of a signal while a step runs
            raise KeyboardInterrupt from stopped
        except Exception as error:
            _log.debug("run %s of job_id=%s failed", run_id, job_id, exc_info=error)
            return False
        finally:
            # A fault in Dagster itself would leave the row running, or queued. Changes nothing where the row has ended.
            said = "The run ended outside every stage; its log in Dagster says why."
            if not self.jobs.fail(job_id, run_id, ErrorCode.INTERNAL, said):
                self.jobs.fail_unclaimed(job_id, ErrorCode.INTERNAL, said, run_id=run_id)
        return True

    @cached_property
    def _in_process(self) -> InMemoryJob:
        return InMemoryJob(self.job.as_ephemeral_job(resource_defs={}, input_values={}))

    def _execute(self, job_id: str, run_id: str, config: dict[str, Any], tags: Mapping[str, str]) -> None:
        """As `JobDefinition.execute_in_process`, on a job that is made once: made anew for each run, it is an eighth of an empty one."""
        core_execute_in_process(
            run_config=config,
            job=self._in_process,
            instance=self.instance,
            output_capturing_enabled=False,
            raise_on_error=True,
            run_tags=merge_run_tags(self.job, job_id, tags, [], self.instance, config),
            run_id=run_id,
            asset_selection=frozenset(),
        )


def run_analysis(settings: Settings, jobs: JobStore, job_id: str, *, verbose: bool = False) -> bool:
    """One run of one job. As `WarmRuns.analyse`."""
    with warm_runs(settings, jobs) as runs:
        return runs.analyse(job_id, verbose=verbose)


@contextmanager
def warm_runs(settings: Settings, jobs: JobStore) -> Iterator[WarmRuns]:
    """Runs on the instance that the settings name, the one that `cricksy dev` shows."""
    point_dagster_to(settings)
    home = Path(os.environ["DAGSTER_HOME"])
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides={"compute_logs": _UNCAPTURED})) as instance:
        resources = {"jobs": jobs, "objects": stack.open_object_store(settings)}
        yield WarmRuns(instance, jobs, build_definitions(settings, resource_overrides=resources).resolve_job_def(analysis.name))
