"""Faults that meet one job and leave the others alone: they are played side by side.

Belongs here: each such fault from submission to the end, with what must hold on the way. Does not belong here: faults that take a part of
the system from everybody (`disasters`).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil

from cricksy_pipeline.store.keys import Output
from cricksy_pipeline_tests.faults.fault_table import Told
from cricksy_pipeline_tests.faults.live_stack import LiveStack
from cricksy_pipeline_tests.faults.orders import Moment
from cricksy_pipeline_tests.faults.watched_job import PATIENCE_S, STAGES, TRUTH_WITHIN_S, Said, WatchedJob

MAIN_OUTPUT = {
    "frames": Output.FRAMES,
    "quick_results": Output.QUICK_RESULTS,
    "deep_results": Output.DEEP_RESULTS,
    "findings": Output.FINDINGS,
    "report": Output.REPORT,
}
GUARDED = tuple(MAIN_OUTPUT)
BY_HAND = "`cricksy retry`"
BY_ITSELF = "by itself"
STILL_AT_WORK = "running, and it is"


@dataclass(frozen=True)
class Scenario:
    """A fault by its name in the table, and how it is played."""

    name: str
    play: Callable[..., Told] = field(repr=False)
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def run(self, live: LiveStack, clip: Path) -> Told:
        return self.play(self.name, live, WatchedJob(live, clip, self.name), **self.options)


def middle_of(stage: str) -> Moment:
    """The work of the stage is done, nothing of it is stored; for the last stage: before anything is proven."""
    return Moment(stage, "put", MAIN_OUTPUT[stage]) if stage in MAIN_OUTPUT else Moment(stage)


def beginning_of(step: str) -> Moment:
    """The first time that the step touches the object store."""
    return Moment(step)


def guardrails_of(stage: str) -> str:
    """The Dagster step that checks the stage."""
    return f"{stage}_guardrails"


# ---- exceptions and failing checks


def exception(name: str, live: LiveStack, job: WatchedJob, *, moment: Moment) -> Told:
    """Something that nobody thought of is raised."""
    order = job.crash(moment, f"sabotage in {moment.step}")
    at = job.reaches(order).at
    said = job.fails(at, "INTERNAL")
    assert f"sabotage in {moment.step}" in said.error_message and "RuntimeError" in said.error_message
    assert said.failed_stage and said.failed_stage.startswith(moment.step.removesuffix("_guardrails"))
    order.lift()
    return _retried_by_hand(name, job, said, at, redone_from=moment.step)


def damaged_output(name: str, live: LiveStack, job: WatchedJob, *, stage: str) -> Told:
    """What a stage stored is cut off just before its guardrails look at it."""
    order = job.hold(beginning_of(guardrails_of(stage)))
    job.reaches(order)
    at = job.damage(MAIN_OUTPUT[stage])
    order.lift()
    said = job.fails(at, "GUARDRAIL_FAILED")
    assert said.failed_stage.startswith(stage) and stage in said.error_message
    return _retried_by_hand(name, job, said, at, redone_from=stage)


# ---- the native process


def pose_dies_once(name: str, live: LiveStack, job: WatchedJob, *, step: str, number: signal.Signals) -> Told:
    """The process that decodes and infers dies; the step tries again inside the run, and the row goes on saying that the run is at work."""
    order = job.hold(beginning_of(step))
    reached = job.reaches(order)
    killer = PoseKiller(reached.pid, number, once=True)
    order.lift()
    at = killer.first()
    run_id = job.row.dagster_run_id
    done = job.ends_done(at, run_id)
    assert all(said.run_id == run_id and said.status != "failed" for said in job.history(at))
    return Told(name, STILL_AT_WORK, 0.0, "the step, in the same run", f"done after {done.at - at:.0f} s")


def pose_dies_always(name: str, live: LiveStack, job: WatchedJob, *, step: str, number: signal.Signals) -> Told:
    """It dies however often it is tried: a video that the decoder cannot survive, or no memory."""
    order = job.hold(beginning_of(step))
    reached = job.reaches(order)
    killer = PoseKiller(reached.pid, number, once=False)
    try:
        order.lift()
        at = killer.first()
        said = job.fails(at, "POSE_CRASHED")
    finally:
        killer.stop()
    assert number.name in said.error_message and said.failed_stage == step.replace("_guardrails", " guardrails")
    return _retried_by_hand(name, job, said, at, redone_from=step)


class PoseKiller:
    """Sends a signal to the pose processes of one run as they appear. A thread."""

    def __init__(self, run_pid: int, number: signal.Signals, *, once: bool) -> None:
        self._run, self._number, self._once = psutil.Process(run_pid), number, once
        self._killed_at: float | None = None
        self._killed, self._stopped = Event(), Event()
        self._thread = Thread(target=self._kill, daemon=True)
        self._thread.start()

    def first(self) -> float:
        """When the first was killed, in seconds since the epoch."""
        assert self._killed.wait(PATIENCE_S), "the run never started a pose process"
        assert self._killed_at is not None
        return self._killed_at

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _kill(self) -> None:
        while not self._stopped.wait(0.005):
            children = []
            with suppress(psutil.Error):
                children = self._run.children()
            for child in children:
                with suppress(psutil.Error):  # one that is dead and not yet buried hides no other: the run keeps idle ones
                    if "cricksy_pipeline.analysis.pose_process" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE:
                        at = time.time()
                        child.send_signal(self._number)
                        if self._killed_at is None:
                            self._killed_at = at
                            self._killed.set()
                        if self._once:
                            return
            if not self._run.is_running():
                return


# ---- the run's own process


def worker_killed(name: str, live: LiveStack, job: WatchedJob, *, moment: Moment) -> Told:
    """SIGKILL to the process of the run. Dagster starts the run again; until then the row does not claim that anybody works."""
    order = job.hold(moment)
    reached = job.reaches(order)
    first = job.row.dagster_run_id
    at = job.run_dies(reached)
    order.lift()
    said = job.says(lambda entry: not (entry.alive and entry.run_id == first), at, TRUTH_WITHIN_S, NAMES_THE_DEAD)
    done = job.ends_done(at)
    assert done.run_id != first and done.attempt == 2
    _assert_kept(job, {first}, redone_from=moment.step)
    return Told(name, str(said), said.at - at, BY_ITSELF, "done")


def worker_killed_always(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """The run dies, and so does each that Dagster starts in its place, until a person has to decide."""
    said, at = killed_until_it_fails(job)
    return _retried_by_hand(name, job, said, at, redone_from="deep_results")


def killed_until_it_fails(job: WatchedJob) -> tuple[Said, float]:
    """SIGKILL to every run of the job in `deep_results`, until the row says `failed`. Returns that, and when the last one was killed."""
    while True:
        order = job.hold(middle_of("deep_results"))
        reached = job.reaches(order)
        dead = job.row.dagster_run_id
        at = job.run_dies(reached)
        order.lift()
        said = job.says(lambda entry, dead=dead: not (entry.alive and entry.run_id == dead), at, TRUTH_WITHIN_S, NAMES_THE_DEAD)
        if said.status == "failed":
            assert said.error_code == "WORKER_LOST"
            return said, at


NAMES_THE_DEAD = "it went on naming a dead run"


def worker_of_asset_page_killed(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """SIGKILL to a run that somebody started from the assets' page: Dagster starts it again from the middle, where no run may begin."""
    order = job.crash(beginning_of("quick_results"), "sabotage")
    job.fails(job.reaches(order).at)
    order.lift()
    order = job.hold(middle_of("deep_results"))
    run_id = live.launch(job.id, asset_page=True)
    at = job.run_dies(job.reaches(order))
    order.lift()
    assert job.row.dagster_run_id == run_id
    said = job.fails(at, "WORKER_LOST")
    job.wait_for(
        lambda: [status for _, status in live.runs_of(job.id)][-1] == "FAILURE", PATIENCE_S, "the run from the middle did not fail"
    )
    assert job.history()[-1] == said
    return _retried_by_hand(name, job, said, at, redone_from="deep_results")


def worker_terminated(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """SIGTERM to the process of the run, as a machine does that is taken away. Nobody canceled anything: the work is done elsewhere."""
    order = job.hold(middle_of("findings"))
    reached = job.reaches(order)
    first = job.row.dagster_run_id
    at = time.time()
    psutil.Process(reached.pid).terminate()
    said = job.says(lambda entry: not (entry.alive and entry.run_id == first), at, TRUTH_WITHIN_S, NAMES_THE_DEAD)
    order.lift()
    assert said.error_code != "CANCELED", said
    if said.status == "failed":
        assert said.error_code == "WORKER_LOST"
        return _retried_by_hand(name, job, said, at, redone_from="findings")
    job.ends_done(at)
    return Told(name, str(said), said.at - at, BY_ITSELF, "done")


def worker_frozen(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """SIGSTOP: the run gives no sign of life, is given up, and another does its work. Then it wakes, and may change nothing."""
    order = job.hold(middle_of("deep_results"))
    reached = job.reaches(order)
    first = job.row.dagster_run_id
    frozen = psutil.Process(reached.pid)
    at = time.time()
    frozen.suspend()
    try:
        order.lift()
        said = job.says(lambda entry: not (entry.alive and entry.run_id == first), at, TRUTH_WITHIN_S, NAMES_THE_DEAD)
        if said.status == "failed":
            assert said.error_code == "WORKER_LOST"
            job.retry()
        job.ends_done(at)
        job.overlay_comes()
        before = job.snapshot()
        assert before["dagster_run_id"] != first
    finally:
        with suppress(psutil.NoSuchProcess):
            frozen.resume()
    with suppress(psutil.NoSuchProcess):
        frozen.wait(PATIENCE_S)  # what it still had to say it has said
    time.sleep(SENSORS_HAVE_LOOKED_S)
    assert job.snapshot() == before
    job.assert_whole()
    return Told(name, str(said), said.at - at, BY_HAND if said.status == "failed" else BY_ITSELF, "done; waking, it changed nothing")


SENSORS_HAVE_LOOKED_S = 40.0
"""So long after an event every sensor has had a tick: the longest interval is 30 s."""


# ---- people


def canceled(name: str, live: LiveStack, job: WatchedJob, *, stage: str) -> Told:
    """ "Terminate" in the UI while a stage works."""
    order = job.hold(middle_of(stage))
    job.reaches(order)
    at = time.time()
    live.cancel(job.row.dagster_run_id)
    said = job.fails(at, "CANCELED")
    order.lift()
    return _retried_by_hand(name, job, said, at, redone_from=stage)


def canceled_by_force(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """ "Force termination immediately" of a run that heeds no request: Dagster forgets it, and it works on. That changes nothing."""
    order = job.hold(middle_of("report"), deaf=True)
    worker = psutil.Process(job.reaches(order).pid)
    at = time.time()
    live.cancel(job.row.dagster_run_id, force=True)
    said = job.fails(at, "CANCELED")
    before = job.snapshot()
    order.lift()
    with suppress(psutil.NoSuchProcess):
        worker.wait(PATIENCE_S)
    assert job.snapshot() == before
    return _retried_by_hand(name, job, said, at, redone_from="report")


def canceled_while_waiting(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """ "Terminate" while a step waits for its next try, outside every stage."""
    order = job.hold(beginning_of("quick_results"))
    reached = job.reaches(order)
    killer = PoseKiller(reached.pid, signal.SIGKILL, once=False)
    try:
        order.lift()
        killer.first()
        run_id = job.row.dagster_run_id
        at = time.time()
        live.cancel(run_id)
        said = job.fails(at)
    finally:
        killer.stop()
    assert said.error_code == "CANCELED", said
    return _retried_by_hand(name, job, said, at, redone_from="quick_results")


def second_run(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """Somebody materializes the partition in the UI while its run is at work: the second run fails, the row does not notice."""
    order = job.hold(middle_of("quick_results"))
    job.reaches(order)
    first = job.row.dagster_run_id
    at = time.time()
    second = live.launch(job.id)
    job.wait_for(lambda: live.run_status(second) == "FAILURE", PATIENCE_S, "the second run did not fail")
    time.sleep(SENSORS_HAVE_LOOKED_S)
    assert all(said.run_id == first and said.alive for said in job.history(at))
    order.lift()
    done = job.ends_done(at, first)
    assert done.attempt == 1
    return Told(name, STILL_AT_WORK, 0.0, "nobody", "done by the first run")


# ---- the object store


def store_gone(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """The object store does not come back: the row says so, and a retry succeeds once it has."""
    order = live.orders.no_store(job.id, middle_of("report"))
    at = job.reaches(order).at
    said = job.fails(at, "STORE_UNAVAILABLE")
    assert said.failed_stage == "report"
    order.lift()
    return _retried_by_hand(name, job, said, at, redone_from="report")


# ---- before any stage


def resource_fails(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """A resource cannot be made: no step begins, no wrapper runs, the row was never claimed."""
    order = live.orders.no_resources(job.id)
    at = job.reaches(order).at
    said = job.fails(at, "INTERNAL")
    assert "the resource is sabotaged" in said.error_message
    order.lift()
    return _retried_by_hand(name, job, said, at)


# ---- a finished job


def analysed_anew(name: str, live: LiveStack, job: WatchedJob) -> Told:
    """A finished job is analysed again, and that fails: readers keep what they had."""
    job.ends_done(0.0)
    job.overlay_comes()
    before = job.snapshot()
    order = job.crash(beginning_of("findings"), "sabotage")
    live.launch(job.id)
    at = job.reaches(order).at
    said = job.says(lambda entry: not entry.alive, at, TRUTH_WITHIN_S, "it went on saying that a run is at work")
    order.lift()
    after = job.snapshot()
    assert said.status == "done"
    changed = {name for name in before if before[name] != after[name]}
    assert not changed & {"status", "stage", "progress_pct", "deep_results", "deep_findings", "deep_report", "objects", "completed_at"}
    assert live.jobs.last_attempts(job.id)[0].error_code == "INTERNAL"
    live.launch(job.id)
    job.says(lambda entry: entry.alive, at + 0.1, PATIENCE_S, "no further run began")
    job.ends_done(time.time())
    return Told(name, str(said), said.at - at, "by hand, in the UI", "done: the earlier analysis meanwhile, the new one in the end")


# ---- what all have in common


def _retried_by_hand(name: str, job: WatchedJob, said: Said, at: float, redone_from: str | None = None) -> Told:
    runs_before = {entry.run_id for entry in job.history() if entry.run_id}
    retried = job.retry()
    job.ends_done(retried)
    if redone_from:
        _assert_kept(job, runs_before, redone_from=redone_from)
    return Told(name, str(said), said.at - at, BY_HAND, "done")


def _assert_kept(job: WatchedJob, runs_before: set[str], *, redone_from: str) -> None:
    """Stages before the one that failed are as the earlier run left them; those after it are the last run's."""
    last, made_by = job.row.dagster_run_id, job.made_by()
    stage, is_check = redone_from.removesuffix("_guardrails"), redone_from.endswith("_guardrails")
    place = STAGES.index(stage)
    for name in STAGES[:place]:
        if name in made_by:
            assert made_by[name] in runs_before and made_by[name] != last, f"{name} was made again"
    for name in STAGES[place + is_check :]:
        if name in made_by:
            assert made_by[name] == last, f"{name} was not made again"


SIDE_BY_SIDE = [
    Scenario("SIGSTOP of the run's process", worker_frozen),
    *(Scenario(f"exception in {stage}", exception, {"moment": middle_of(stage)}) for stage in STAGES),
    *(Scenario(f"exception in the guardrails of {stage}", exception, {"moment": beginning_of(guardrails_of(stage))}) for stage in GUARDED),
    *(Scenario(f"{MAIN_OUTPUT[stage]} cut off, seen by its guardrails", damaged_output, {"stage": stage}) for stage in GUARDED),
    Scenario("SIGSEGV of the pose process, once, in quick_results", pose_dies_once, {"step": "quick_results", "number": signal.SIGSEGV}),
    Scenario("SIGKILL of the pose process, once, in deep_results", pose_dies_once, {"step": "deep_results", "number": signal.SIGKILL}),
    Scenario("SIGSEGV of the pose process, always, in deep_results", pose_dies_always, {"step": "deep_results", "number": signal.SIGSEGV}),
    Scenario("SIGKILL of the pose process, always, in frames", pose_dies_always, {"step": "frames", "number": signal.SIGKILL}),
    Scenario(
        "SIGKILL of the pose process, always, in the guardrails of frames",
        pose_dies_always,
        {"step": guardrails_of("frames"), "number": signal.SIGKILL},
    ),
    *(Scenario(f"kill -9 of the run's process in {stage}", worker_killed, {"moment": middle_of(stage)}) for stage in STAGES),
    Scenario("kill -9 of the run's process in the guardrails of findings", worker_killed, {"moment": Moment("findings_guardrails")}),
    Scenario("kill -9 of the run's process, and of its successor's", worker_killed_always),
    Scenario("kill -9 of a run from the assets' page", worker_of_asset_page_killed),
    Scenario("SIGTERM of the run's process in findings", worker_terminated),
    *(Scenario(f"canceled in the UI in {stage}", canceled, {"stage": stage}) for stage in ("frames", "deep_results")),
    Scenario("canceled by force in the UI in report", canceled_by_force),
    Scenario("canceled in the UI while a step waits for its next try", canceled_while_waiting),
    Scenario("a second run of the same job, by hand", second_run),
    Scenario("a resource of the run cannot be made", resource_fails),
    Scenario("object store gone, in report", store_gone),
    Scenario("a finished job analysed anew, exception in findings", analysed_anew),
]
