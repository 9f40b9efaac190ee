"""Faults that take a part of the system from everybody: played one after the other, each with runs in several stages.

Belongs here: each such fault from submission to the end, with what must hold on the way. Does not belong here: faults that meet one job
(`scenarios`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from cricksy_pipeline_tests.faults.fault_table import Told
from cricksy_pipeline_tests.faults.live_stack import RUNS_AT_ONCE, LiveStack
from cricksy_pipeline_tests.faults.orders import Moment, Order, Reached
from cricksy_pipeline_tests.faults.scenarios import (
    BY_HAND,
    BY_ITSELF,
    NAMES_THE_DEAD,
    STILL_AT_WORK,
    guardrails_of,
    killed_until_it_fails,
    middle_of,
)
from cricksy_pipeline_tests.faults.watched_job import PATIENCE_S, STAGES, TRUTH_WITHIN_S, WatchedJob


@dataclass(frozen=True)
class Disaster:
    """A fault by its name in the table, and how it is played."""

    name: str
    play: Callable[..., list[Told]] = field(repr=False)
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def run(self, live: LiveStack, clip: Path) -> list[Told]:
        return self.play(self.name, live, clip, **self.options)


@dataclass
class Held:
    """A job whose run stands still at a moment."""

    job: WatchedJob
    moment: Moment
    order: Order
    reached: Reached
    run_id: str

    def works(self) -> bool:
        """Whether the process of its run is alive."""
        with suppress(psutil.Error):
            return psutil.Process(self.reached.pid).status() != psutil.STATUS_ZOMBIE
        return False


def held_at(name: str, live: LiveStack, clip: Path, moments: Iterable[Moment]) -> list[Held]:
    """One job per moment, all of them there at the same time."""
    ordered = []
    for moment in moments:
        job = WatchedJob(live, clip, f"{name}: {moment.step}")
        ordered.append((job, moment, job.hold(moment)))
    reached = [(job, moment, order, job.reaches(order)) for job, moment, order in ordered]
    return [Held(job, moment, order, at, job.row.dagster_run_id) for job, moment, order, at in reached]


def lift(held: Iterable[Held]) -> None:
    for each in held:
        each.order.lift()


def truths(name: str, held: list[Held], at: float) -> list[Told]:
    """What became of each, and that it was said in time."""
    told = [(each, *_truth(each, at)) for each in held]
    lines = []
    for each, row_said, after_s, failed in told:
        by_hand = failed and each.job.row.status == "failed"  # the reconciler tries some failures again by itself, after two minutes
        done = each.job.ends_done(each.job.retry() if by_hand else at)
        again = BY_HAND if by_hand else "nobody" if done.run_id == each.run_id else BY_ITSELF
        lines.append(Told(f"{name}, in {each.moment.step}", row_said, after_s, again, f"done after {done.at - at:.0f} s"))
    return lines


def _truth(held: Held, at: float) -> tuple[str, float, bool]:
    """What the row said of the run, after how many seconds, and whether that was a failure.

    True is: that the job waits, failed, is done or in the hands of another run; or that this run works, where it does.
    """
    try:
        found = held.job.says(lambda said: not (said.alive and said.run_id == held.run_id), at, TRUTH_WITHIN_S, NAMES_THE_DEAD)
    except AssertionError:
        if held.works():
            return STILL_AT_WORK, 0.0, False
        raise
    if found.status == "done" and found.run_id == held.run_id:
        return STILL_AT_WORK, 0.0, False
    return str(found), found.at - at, found.status == "failed"


# ---- machines


def whole_stack_killed(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """The power is cut, PostgreSQL's included, with a run in every stage and one job that just came in. Then everything starts again."""
    held = held_at(name, live, clip, map(middle_of, STAGES))
    waiting = WatchedJob(live, clip, f"{name}: just submitted")
    at = time.time()
    live.kill_everything()
    lift(held)
    live.start_postgres()
    live.start_all()
    lines = truths(name, held, at)
    done = waiting.ends_done(at)
    return [*lines, Told(f"{name}, just submitted", "queued", 0.0, "the sensor", f"done after {done.at - at:.0f} s")]


def host_killed(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """The code server and the runs on its machine are gone at once, one of them before it claimed its row; database and daemon live."""
    young = WatchedJob(live, clip, f"{name}: before its claim")
    unclaimed = young.hold(Moment("start"))
    held = held_at(name, live, clip, map(middle_of, ("quick_results", "report")))
    young.reaches(unclaimed)
    at = time.time()
    live.kill_host()
    unclaimed.lift()
    lift(held)
    live.start("code_server")
    lines = truths(name, held, at)
    done = young.ends_done(at)
    assert done.attempt == 1
    return [*lines, Told(f"{name}, before its claim", "queued", 0.0, BY_ITSELF, f"done after {done.at - at:.0f} s")]


def servers_killed(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """Code server and daemon die and are started again; the runs, processes of their own, work on."""
    held = held_at(name, live, clip, map(middle_of, ("frames", "findings")))
    at = time.time()
    live.kill("code_server")
    live.kill("daemon")
    lift(held)
    live.start_all()
    lines = truths(name, held, at)
    assert all(each.job.row.dagster_run_id == each.run_id for each in held)
    return lines


def retry_lost(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """A run's process dies, Dagster says that it will start the run again, and cannot: the code server is away just then."""
    (held,) = held_at(name, live, clip, [middle_of("deep_results")])
    at = held.job.run_dies(held.reached)
    held.order.lift()
    held.job.wait_for(lambda: live.run_status(held.run_id) == "FAILURE", PATIENCE_S, "Dagster did not notice the death")
    live.kill("code_server")
    time.sleep(DAEMONS_HAVE_LOOKED_S)
    live.start("code_server")
    return truths(name, [held], at)


DAEMONS_HAVE_LOOKED_S = 12.0
"""So long, and Dagster's daemon has tried to start failed runs again: it looks every 5 s."""


# ---- PostgreSQL


def postgres_restarted(name: str, live: LiveStack, clip: Path, *, mode: str, away_s: float, stages: tuple[str, ...]) -> list[Told]:
    """The one server of all rows, Dagster's own included, is away while the runs go on."""
    held = held_at(name, live, clip, map(middle_of, stages))
    at = time.time()
    with live.postgres_away(mode):
        lift(held)
        time.sleep(away_s)
    live.start_all()
    return truths(name, held, at)


def worker_killed_while_postgres_is_away(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """Nobody can write down the death: the code server that should loses the thread that does. Later deaths must still be noticed."""
    first, second = held_at(name, live, clip, map(middle_of, ("quick_results", "findings")))
    at = time.time()
    with live.postgres_away("fast"):
        first.job.run_dies(first.reached)
        first.order.lift()
        time.sleep(10)
    live.start_all()
    lines = truths(f"{name}: that one", [first], at)
    later = second.job.run_dies(second.reached)
    second.order.lift()
    return lines + truths(f"{name}: one that dies later", [second], later)


def job_database_away(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """The rows' database alone refuses everybody for a minute, while Dagster's own, beside it, serves on.

    Runs wait for it. A stage that fails meanwhile can tell nobody, for longer than it tries: a sensor keeps the event until the row can be
    told.
    """
    failing = WatchedJob(live, clip, f"{name}: exception in findings")
    hold, crash = failing.hold(middle_of("findings")), failing.crash(middle_of("findings"), "sabotage while the rows are away")
    held = held_at(name, live, clip, map(middle_of, ("quick_results", "findings", "completed_analysis")))
    failing.reaches(hold)
    at = time.time()
    with live.job_database_away():
        hold.lift()
        lift(held)
        time.sleep(60)
    said = failing.fails(at, "INTERNAL")
    assert "sabotage while the rows are away" in said.error_message
    lines = truths(name, held, at)
    crash.lift()
    done = failing.ends_done(failing.retry())
    return [*lines, Told(f"{name}, exception in findings", str(said), said.at - at, BY_HAND, f"done after {done.at - at:.0f} s")]


# ---- the object store


def store_away(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """The object store fails for 60 s, for everybody: the runs wait, and nobody has to do anything."""
    checks = [Moment(guardrails_of(stage)) for stage in ("frames", "findings")]
    held = held_at(name, live, clip, [*map(middle_of, ("quick_results", "deep_results", "report", "completed_analysis")), *checks])
    at = time.time()
    live.orders.take_store_down()
    try:
        lift(held)
        time.sleep(60)
    finally:
        live.orders.bring_store_up()
    lines = []
    for each in held:
        done = each.job.ends_done(at, each.run_id)
        assert all(said.status != "failed" for said in each.job.history(at))
        result = f"done after {done.at - at:.0f} s"
        lines.append(Told(f"{name}, in {each.moment.step}", STILL_AT_WORK, 0.0, "the step, in the same run", result))
    return lines


# ---- the queue


def canceled_in_the_queue(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """ "Terminate" before the run began: no stage ever knew of it."""
    with _queue_stopped(live):
        job = WatchedJob(live, clip, name)
        run_id = _queued_run(live, job)
        at = time.time()
        live.cancel(run_id)
        said = job.fails(at, "CANCELED")
    job.ends_done(job.retry())
    return [Told(name, str(said), said.at - at, BY_HAND, "done")]


def code_server_away_at_dequeue(name: str, live: LiveStack, clip: Path) -> list[Told]:
    """Dagster takes the run from the queue, cannot start it, and drops it as failed: no stage ever knew of it."""
    with _queue_stopped(live):
        job = WatchedJob(live, clip, name)
        run_id = _queued_run(live, job)
        live.kill("code_server")
    job.wait_for(lambda: live.run_status(run_id) == "FAILURE", PATIENCE_S, "Dagster did not drop the run")
    at = time.time()
    live.start("code_server")
    said = job.says(lambda entry: entry.status != "queued", at, TRUTH_WITHIN_S, "the row waits for a run that never comes")
    if said.status == "failed":
        job.retry()
    job.ends_done(at)
    return [Told(name, str(said), said.at - at, BY_HAND if said.status == "failed" else BY_ITSELF, "done")]


@contextmanager
def _queue_stopped(live: LiveStack):
    live.most_runs_at_once(0)
    try:
        yield
    finally:
        live.most_runs_at_once(RUNS_AT_ONCE)


def _queued_run(live: LiveStack, job: WatchedJob) -> str:
    def look() -> str | None:
        return next((run_id for run_id, status in live.runs_of(job.id) if status == "QUEUED"), None)

    return job.wait_for(look, PATIENCE_S, "no run was asked for")


# ---- each layer alone


def without_sensors(name: str, live: LiveStack, clip: Path, *, off: tuple[str, ...]) -> list[Told]:
    """A run and its successor are killed while some of the sensors are switched off: the others suffice."""
    assert set(off) <= set(live.sensors())
    with live.sensor_off(*off):
        job = WatchedJob(live, clip, name)
        said, at = killed_until_it_fails(job)
        job.ends_done(job.retry())
    return [Told(name, str(said), said.at - at, BY_HAND, "done")]


ONE_BY_ONE = [
    Disaster("host of the runs killed", host_killed),
    Disaster("code server and daemon killed", servers_killed),
    Disaster("the automatic retry is lost with the code server", retry_lost),
    Disaster("canceled in the UI while queued", canceled_in_the_queue),
    Disaster("code server away when the run is dequeued", code_server_away_at_dequeue),
    Disaster("object store away for 60 s", store_away),
    Disaster("job database away for 60 s", job_database_away),
    Disaster("kill -9 of every run of a job, outcome sensors off", without_sensors, {"off": ("failed_runs", "stopped_runs")}),
    Disaster("kill -9 of every run of a job, reconciler off", without_sensors, {"off": ("reconcile",)}),
    Disaster("PostgreSQL restarted", postgres_restarted, {"mode": "fast", "away_s": 2.0, "stages": STAGES}),
    Disaster(
        "PostgreSQL crashed, away for 20 s",
        postgres_restarted,
        {"mode": "kill", "away_s": 20.0, "stages": ("frames", "deep_results", "report")},
    ),
    Disaster("kill -9 of a run's process while PostgreSQL is away", worker_killed_while_postgres_is_away),
    Disaster("whole stack killed and started again", whole_stack_killed),
]
