"""The run launcher that Dagster's daemon asks where runs are taken by `cricksy worker`.

Belongs here: offering a run, stopping one, saying whether it still has a worker. Does not belong here: the statements (`offers`), the
worker's side (`slot`).

Named in dagster.yaml (deploy/workers). Offering is nothing: a run that Dagster calls STARTING is the offer. So no offer can be lost, or
made twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._serdes import ConfigurableClass, ConfigurableClassData

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.workers.offers import NAMED, Offers
from cricksy_pipeline.settings import Settings

AWAY_S = 10.0
"""A run without a worker for so long has lost it. A worker whose session was cut off, as when PostgreSQL was started again, takes its lock
anew within seconds."""
FORGOTTEN_S = 600.0


class WorkerLauncher(RunLauncher[DagsterInstance], ConfigurableClass):
    """Runs are taken by workers, from whichever machine asks first."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        self._without: dict[str, float] = {}
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """How dagster.yaml names this class."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No options: the database is Dagster's own."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: dict[str, Any]) -> WorkerLauncher:
        """As dagster.yaml says."""
        return cls(inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """The run is offered already; its log says so."""
        self._instance.report_engine_event("Offered to the workers.", context.dagster_run, cls=type(self))

    def terminate(self, run_id: str) -> bool:
        """Stop a run: its worker sees it within seconds; where it has none, it ends at once. Returns whether it was there to be stopped."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        with _session() as offers:
            if offers.take_away(run_id):
                self._instance.report_run_canceled(run, "Nobody worked on it.")
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does: Dagster's run monitoring asks."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether a worker has the run. Dagster takes any answer but RUNNING for a dead worker, and fails the run."""
        with _session() as offers:
            holder = offers.holder(run.run_id)
        if holder is not None or run.status != DagsterRunStatus.STARTED:
            self._without.pop(run.run_id, None)
            return CheckRunHealthResult(WorkerStatus.RUNNING, holder)
        now = time.monotonic()
        # A run may end between the question that led here and the look at its lock; nobody will ask for it again.
        self._without = {run_id: since for run_id, since in self._without.items() if now - since < FORGOTTEN_S}
        if now - self._without.setdefault(run.run_id, now) < AWAY_S:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "no worker has it; looked at once more")
        del self._without[run.run_id]
        return CheckRunHealthResult(WorkerStatus.FAILED, "the worker that had it is gone")


@contextmanager
def _session() -> Iterator[Offers]:
    url = Settings().dagster_database_url
    if url is None:
        raise CricksyError(
            ErrorCode.DATABASE_UNAVAILABLE,
            "Workers meet in Dagster's PostgreSQL: set CRICKSY_DAGSTER_DATABASE_URL for the daemon and the UI.",
        )
    with closing(Offers(url.get_secret_value(), f"{NAMED}launcher")) as offers:
        yield offers
