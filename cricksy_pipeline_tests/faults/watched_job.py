"""One submitted video, and all that its row said from the beginning.

Belongs here: submitting, waiting for what the row says, the statements that hold after every fault. Does not belong here: faults
(`scenarios`, `disasters`), processes (`live_stack`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
from sqlalchemy import text

from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import RUNNING, VideoAnalysisJob
from cricksy_pipeline.store.objects import sha256_of
from cricksy_pipeline.store.submissions import announce
from cricksy_pipeline_tests.faults.live_stack import LiveStack
from cricksy_pipeline_tests.faults.orders import Moment, Order, Reached

T = TypeVar("T")

TRUTH_WITHIN_S = 120.0
"""The product's promise: so long after a fault, at most, the row tells the truth."""

PATIENCE_S = 400.0
"""For what no promise bounds, such as a whole analysis beside five others on a loaded machine."""

STAGES = ("frames", "quick_results", "deep_results", "findings", "report", "completed_analysis")


@dataclass(frozen=True)
class Said:
    """What the row said from one moment on. `at` is in seconds since the epoch."""

    at: float
    status: str
    stage: str | None
    error_code: str | None
    error_message: str | None
    failed_stage: str | None
    run_id: str | None
    attempt: int

    @property
    def alive(self) -> bool:
        """Whether it says that a run is at work."""
        return self.status in RUNNING

    def __str__(self) -> str:
        words = [self.status, self.error_code, f"in {self.failed_stage}" if self.failed_stage else None]
        return " ".join(filter(None, words)) + (f": {self.error_message}" if self.error_message else "")


class WatchedJob:
    """A job of the live stack."""

    def __init__(self, live: LiveStack, clip: Path, title: str) -> None:
        self.live = live
        # As the web page does it: the job is announced, the file comes, and a sensor asks for the run.
        announced = announce(
            live.jobs, bucket=live.objects.bucket, suffix=clip.suffix, mode="batting", title=title, owner_type="coach", owner_id="test"
        )
        self.id = announced.job_id
        head = live.objects.put_file(announced.key, clip)
        live.jobs.upload_arrived(self.id, source_etag=head.etag, source_sha256=head.sha256, source_size=head.size)

    # ---- orders

    def hold(self, moment: Moment, *, deaf: bool = False) -> Order:
        return self.live.orders.hold(self.id, moment, deaf=deaf)

    def crash(self, moment: Moment, words: str) -> Order:
        return self.live.orders.crash(self.id, moment, words)

    def reaches(self, order: Order) -> Reached:
        """Wait until the job's run comes to the moment of the order."""

        def look() -> Reached | None:
            failed = any(said.status == "failed" and said.at > order.given_at for said in self.history())
            found = order.reached()
            assert found or not failed, f"it failed before the moment\n{self.account()}"
            return found

        return self.wait_for(look, PATIENCE_S, "its run never came to the moment")

    # ---- what the row says

    @property
    def row(self) -> VideoAnalysisJob:
        return self.live.jobs.get(self.id)

    def history(self, since: float = 0.0) -> list[Said]:
        """Everything it said from then on; first what it said at that moment."""
        query = """SELECT extract(epoch FROM at), status, stage, error_code, error_message, failed_stage, run_id, attempt
                   FROM told WHERE job_id = :job ORDER BY number"""
        with self.live.jobs.engine.connect() as connection:
            said = [Said(float(at), *rest) for at, *rest in connection.execute(text(query), {"job": self.id})]
        before = [entry for entry in said if entry.at < since]
        return before[-1:] + [entry for entry in said if entry.at >= since]

    def says(self, true: Callable[[Said], bool], since: float, within_s: float, what: str) -> Said:
        """Wait for the first thing said after `since` of which it is true."""

        def look() -> Said | None:
            return next((entry for entry in self.history(since) if entry.at >= since and true(entry)), None)

        return self.wait_for(look, (since or time.time()) + within_s - time.time(), what)

    def fails(self, since: float, code: str | None = None, within_s: float = TRUTH_WITHIN_S) -> Said:
        """It says `failed`, in time, and in the meantime never said `done`."""
        said = self.says(lambda entry: entry.status == "failed", since, within_s, f"it did not fail within {within_s:.0f} s")
        assert code is None or said.error_code == code, said
        assert said.error_message, "failed, but in no words"
        assert not self.said_done(since)
        return said

    def ends_done(self, since: float, run_id: str | None = None) -> Said:
        """It says `done`, once, by proof, and a reader can read all of it."""
        said = self.says(lambda entry: entry.status == "done", since, PATIENCE_S, "it never was done")
        assert run_id is None or said.run_id == run_id, said
        self.assert_whole()
        assert len(self.said_done(since)) == 1
        return said

    def overlay_comes(self) -> None:
        """The overlay is drawn, which follows `done` by itself: from now on nothing changes the row any more."""
        self.wait_for(lambda: Output.OVERLAY in (self.row.stored_objects or {}), PATIENCE_S, "no overlay was drawn")

    def said_done(self, since: float) -> list[Said]:
        return [entry for entry in self.history(since) if entry.at >= since and entry.status == "done"]

    def assert_whole(self) -> None:
        """The row is done, by every guardrail of the run that says so; a reader can render it; every object is what was recorded."""
        row, objects = self.row, self.live.objects
        read = read_job(row, objects)
        assert (row.status, row.stage, row.progress_pct) == ("done", "DONE", 100), self.history()
        assert not unreadable(read)
        assert (row.error_code, row.error_message, row.failed_stage) == (None, None, None)
        assert self.live.jobs.get_session(row.session_id).status == "ready"
        passed = {(o.asset, o.name) for o in self.live.jobs.guardrails.results_of(row.id, row.dagster_run_id) if o.passed}
        wanted = {(asset, rail.name) for asset, rails in GUARDRAILS.items() for rail in rails if rail.severity == "ERROR"}
        assert wanted <= passed
        for name, entry in row.stored_objects.items():
            assert sha256_of(objects.get(row.stored_key(Output(name)))) == entry["sha256"], name
        for name, document in (
            (Output.QUICK_RESULTS, row.quick_results),
            (Output.DEEP_RESULTS, row.deep_results),
            (Output.FINDINGS, row.deep_findings),
            (Output.REPORT, row.deep_report),
        ):
            assert json.loads(objects.get(row.stored_key(name))) == document, name

    def snapshot(self) -> dict:
        """Every column of the row, and the content of every object of the job that the row names."""
        row = self.row
        columns = {column.name: getattr(row, column.name) for column in VideoAnalysisJob.__table__.columns}
        return {**columns, "objects": {name: sha256_of(self.live.objects.get(row.stored_key(Output(name)))) for name in row.stored_objects}}

    def made_by(self) -> dict[str, str]:
        """Stage by stage, the run that made what the row now holds."""
        return {stage: made["run_id"] for stage, made in (self.row.stages or {}).items()}

    # ---- acting

    def retry(self) -> float:
        """`cricksy retry JOB`. Returns when, in seconds since the epoch."""
        at = time.time()
        self.live.cricksy("retry", self.id)
        return at

    def run_dies(self, reached: Reached) -> float:
        """SIGKILL to the process that the moment was reached in. Returns when."""
        at = time.time()
        psutil.Process(reached.pid).kill()
        return at

    def damage(self, output: Output) -> float:
        """Cut the stored object off in the middle, as a full disk or a careless hand does. Returns when."""
        path = self.live.objects.local_path(self.row.stored_key(output))
        assert path is not None, output
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return time.time()

    def wait_for(self, look: Callable[[], T | None], within_s: float, what: str) -> T:
        """Look again and again, at least once, until there is something to see; `what` is the complaint where there never is."""
        deadline = time.monotonic() + within_s
        while True:
            with suppress(CricksyError, OSError, *_database_errors()):  # whatever is away for the moment belongs to the fault
                if found := look():
                    return found
            if time.monotonic() > deadline or self.live.closing:
                raise AssertionError(f"{what}\n{self.account()}")
            time.sleep(0.3)

    def account(self) -> str:
        """What is known of the job, for a failed test."""
        lines = [f"job {self.id}"]
        with suppress(Exception):
            start = self.history()[0].at
            lines += [f"  +{said.at - start:6.1f} s  run {said.run_id} attempt {said.attempt}  {said}" for said in self.history()]
            lines.append(f"  now +{time.time() - start:.1f} s; heartbeat at {self.row.heartbeat_at}")
        with suppress(Exception):
            lines += [f"  Dagster: {run_id} {status}" for run_id, status in self.live.runs_of(self.id)]
        lines += [f"{name}:\n{self.live.log(name)}" for name in ("code_server", "daemon")]
        return "\n".join(lines)


def _database_errors() -> tuple[type[Exception], ...]:
    from sqlalchemy.exc import DBAPIError

    return (DBAPIError,)
