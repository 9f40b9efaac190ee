"""Uploads overtake a backfill: Dagster's own queue, with the limits of our dagster.yaml and a launcher that only remembers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.orchestration.backfill import BackfillPlan, PlannedJob
from cricksy_pipeline.orchestration.backfill_runs import launch
from cricksy_pipeline.orchestration.housekeeping import CHORES, build_housekeeping
from cricksy_pipeline.orchestration.jobs import overlay_video
from cricksy_pipeline.orchestration.sensors.uploads import _run_request
from cricksy_pipeline.store.run_queue import WaitingJob
from cricksy_pipeline_tests.orchestration.dagster_runs import made_run

OURS = yaml.safe_load((Path(__file__).resolve().parents[2] / "dagster.yaml").read_text())
SLOTS = OURS["concurrency"]["runs"]["max_concurrent_runs"]
LIMITS = {limit["key"]: limit["limit"] for limit in OURS["concurrency"]["runs"]["tag_concurrency_limits"]}
BACKFILL_LIMIT, OVERLAY_LIMIT = LIMITS["dagster/backfill"], LIMITS["cricksy/overlay"]
QUEUED, STARTED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED
PAGE = 3


@dataclass(frozen=True)
class World:
    """An instance, what its daemon needs, and how the product tags its runs, by kind: live, rules and looks (backfills), chore, overlay."""

    instance: dg.DagsterInstance
    workspace: WorkspaceProcessContext
    tags: dict[str, dict[str, str]]


class Queue:
    """Runs of these kinds, and the daemon that starts them."""

    def __init__(self, world: World) -> None:
        self._world, self._instance = world, world.instance
        for run in self._instance.get_runs():
            self._instance.delete_run(run.run_id)
        # Small pages, so that a handful of runs is a queue of several.
        self._daemon = QueuedRunCoordinatorDaemon(interval_seconds=5, page_size=PAGE)
        self.kinds: dict[str, str] = {}
        self.running: list[str] = []
        self.waiting: list[str] = []

    def add(self, kind: str) -> str:
        """A queued run."""
        run_id = made_run(self._instance, "v", QUEUED, **self._world.tags[kind])
        self.kinds[run_id] = kind
        self.waiting.append(run_id)
        return run_id

    def start(self) -> list[str]:
        """One look of the daemon at its queue. Returns the kinds of the runs that it started, in that order."""
        before = len(self._instance.run_launcher.queue())
        list(self._daemon.run_iteration(self._world.workspace))
        started = [run.run_id for run in self._instance.run_launcher.queue()[before:]]
        for run_id in started:
            self.waiting.remove(run_id)
            self.running.append(run_id)
        return [self.kinds[run_id] for run_id in started]

    def end(self, run_id: str) -> None:
        self._instance.report_run_failed(self._instance.get_run_by_id(run_id))
        self.running.remove(run_id)

    def running_kinds(self) -> list[str]:
        return [self.kinds[run_id] for run_id in self.running]

    def waiting_kinds(self) -> list[str]:
        return [self.kinds[run_id] for run_id in self.waiting]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    remembering = {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"}
    with (
        dg.instance_for_test(overrides={"concurrency": OURS["concurrency"], "run_launcher": remembering}) as instance,
        create_test_daemon_workspace_context(EmptyWorkspaceTarget(), instance) as workspace,
    ):
        (chore, *_), _schedules = build_housekeeping(partition_retention_days=1)
        tags = {
            "live": dict(_run_request(WaitingJob("v", 1, 0, True, "batting", None)).tags),
            "chore": dict(chore.tags),
            "rules": tags_of_a_backfill(instance, looks=False),
            "looks": tags_of_a_backfill(instance, looks=True),
            "overlay": dict(overlay_video.tags),
        }
        yield World(instance, workspace, tags)


def tags_of_a_backfill(instance: dg.DagsterInstance, *, looks: bool) -> dict[str, str]:
    job = PlannedJob("v", looks, datetime(2026, 3, 1, tzinfo=UTC), None)
    (backfill_id,) = launch(instance, BackfillPlan("v2", False, (job,), 0, {}, 0))
    return {**instance.get_backfill(backfill_id).tags, **dg.DagsterRun.tags_for_backfill_id(backfill_id)}


@pytest.fixture
def queue(world) -> Queue:
    return Queue(world)


def is_backfill(kind: str) -> bool:
    return kind in ("rules", "looks")


def test_the_limits_leave_a_slot_to_uploads():
    assert BACKFILL_LIMIT >= 1
    assert OVERLAY_LIMIT == 1
    assert BACKFILL_LIMIT + OVERLAY_LIMIT < SLOTS


def test_uploads_that_come_after_a_backfill_start_before_it_and_the_cheap_part_of_it_before_the_dear(queue):
    for kind in ("looks", "rules", "rules", "live", "live"):
        queue.add(kind)
    order = []
    while queue.waiting:
        order += queue.start()
        queue.end(queue.running[0])

    assert order == ["live", "live", "rules", "rules", "looks"]


def test_a_backfill_alone_leaves_a_slot_free_and_an_upload_has_it_at_once(queue):
    for _ in range(4):
        queue.add("rules")
    assert queue.start() == ["rules"]
    assert queue.start() == []

    queue.add("live")

    assert queue.start() == ["live"]
    assert queue.running_kinds() == ["rules", "live"]


def test_an_upload_behind_many_pages_of_a_backfill_is_the_first(queue):
    for _ in range(3 * PAGE + 1):
        queue.add("rules")
    queue.add("live")

    assert queue.start() == ["live", "rules"]


def test_a_slot_that_a_backfill_leaves_goes_to_the_upload_that_waits(queue):
    queue.add("rules")
    queue.add("rules")
    assert queue.start() == ["rules"]
    for _ in range(SLOTS):
        queue.add("live")
    assert queue.start() == ["live"] * (SLOTS - 1)

    queue.end(queue.running[0])

    assert queue.start() == ["live"]


def test_a_backfill_that_runs_at_somebodys_terminal_is_the_one_backfill(queue, world):
    made_run(world.instance, "v", STARTED, **{"dagster/backfill": "here"})
    queue.add("rules")
    queue.add("live")

    assert queue.start() == ["live"]


def test_chores_come_after_uploads(queue):
    assert CHORES
    for kind in ("chore", *["live"] * SLOTS):
        queue.add(kind)
    assert queue.start() == ["live"] * SLOTS


def test_overlays_come_last_and_one_at_a_time(queue):
    for kind in ("overlay", "overlay", "rules", "chore", *["live"] * (SLOTS - 1)):
        queue.add(kind)
    assert queue.start()[: SLOTS - 1] == ["live"] * (SLOTS - 1)
    while "overlay" not in queue.running_kinds():
        queue.end(queue.running[0])
        queue.start()
    assert set(queue.waiting_kinds()) == {"overlay"}, "an overlay was started before something that somebody waits for"
    queue.start()
    assert queue.running_kinds().count("overlay") == 1


happenings = st.lists(st.one_of(st.sampled_from(["live", "rules", "looks", "chore", "overlay"]), st.integers(0, SLOTS - 1)), max_size=14)


@settings(max_examples=20, deadline=None)
@given(happenings)
def test_whatever_comes_and_ends_no_upload_waits_for_a_backfill(world, happened):
    """Each thing that happens is a run that is queued, or one of the running that ends; after each, the daemon looks at its queue."""
    queue = Queue(world)
    for happening in happened:
        if isinstance(happening, str):
            queue.add(happening)
        elif happening < len(queue.running):
            queue.end(queue.running[happening])

        started = queue.start()

        running, waiting = queue.running_kinds(), queue.waiting_kinds()
        assert len(running) <= SLOTS
        assert sum(map(is_backfill, running)) <= BACKFILL_LIMIT
        assert running.count("overlay") <= OVERLAY_LIMIT
        if "live" in waiting:
            assert len(running) == SLOTS, "an upload waits although a slot is free"
            kept_free = SLOTS - BACKFILL_LIMIT - OVERLAY_LIMIT
            assert sum(not is_backfill(kind) and kind != "overlay" for kind in running) >= kept_free, "an upload's slot is taken"
            assert set(started) <= {"live"}, "something started before an upload that was waiting"
