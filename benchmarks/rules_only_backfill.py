"""How fast a backfill is that only applies new rules: videos per hour, CPU seconds per video, and whose they are.

    python -m benchmarks.rules_only_backfill --videos 1000 --through-daemon 40

Belongs here: seeding, measuring, the table. A few rendered clips are analysed by the product, their finished jobs copied until there are
enough (`cloned_jobs`; without their videos, so that nothing can be decoded), and the copies made out to be of older rules: the recorded
inputs of some stages and the version are replaced. Then the product's own plan is carried out, by the product's own two ways: in one
process that stays warm, and by the daemon of `cricksy dev`. Does not belong here: any change of the product but clocks around functions.

CPU seconds are those of all processes concerned, PostgreSQL included. Whose they are: Dagster's own is what a run of the same shape costs
in which nothing is done (`echoed_run`); the analysis is clocked around its functions; the rest is reading, proving and writing rows and
objects.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from sqlalchemy import bindparam, text

from benchmarks.cloned_jobs import clone_job
from benchmarks.echoed_run import echoing_job, listen
from benchmarks.own_folder import settings_in
from cricksy_pipeline import stack
from cricksy_pipeline.analysis import guardrails
from cricksy_pipeline.orchestration import persist
from cricksy_pipeline.orchestration.backfill import current_version, plan_backfill, plan_in_words, select
from cricksy_pipeline.orchestration.backfill_runs import launch_backfill, run_here
from cricksy_pipeline.orchestration.instance import daemon_is_alive
from cricksy_pipeline.orchestration.local_run import QUIET, WarmRuns, run_analysis, warm_runs
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.sample.clip import SAMPLE, ClipSpec, write_clip
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.submissions import Submission, submit

CLIPS = {
    "batting": SAMPLE,
    "bowling": ClipSpec(motion="bowl", seconds=8.0, width=960, height=540, crf=24),
}
FINDINGS_AND_REPORT = ("quick_results", "findings", "report")
METRICS = ("quick_results", "deep_results", "findings", "report")
OLDER = "of older rules"

ANALYSIS: dict[str, tuple[tuple[str, str], ...]] = {
    "measuring and wording": (
        ("cricksy_pipeline.orchestration.assets.quick_results", "quick_document"),
        ("cricksy_pipeline.orchestration.assets.deep_results", "deep_document"),
        ("cricksy_pipeline.orchestration.assets.findings", "findings_of"),
        ("cricksy_pipeline.orchestration.assets.report", "report_of"),
    ),
    "pictures and pages": (
        ("cricksy_pipeline.orchestration.assets.quick_results", "illustrate"),
        ("cricksy_pipeline.orchestration.assets.deep_results", "illustrate"),
        ("cricksy_pipeline.orchestration.assets.report", "report_files"),
        (persist.__name__, "quick_page"),
    ),
    "guardrails": tuple((guardrails.__name__, f"evaluate_{asset}") for asset in guardrails.GUARDRAILS if asset != "frames"),
}
"""The functions of the analysis as the orchestration calls them, by what they do."""


@dataclass
class Measured:
    """One measurement: totals in seconds.

    Attributes:
        here_s: CPU of the processes that run the product; postgres_s: of the database server; idle_s: of both, what they use when idle.
        analysis_s: CPU in the functions of the analysis, by kind.
    """

    what: str
    videos: int
    wall_s: float = 0.0
    here_s: float = 0.0
    postgres_s: float = 0.0
    idle_s: float = 0.0
    analysis_s: dict[str, float] = field(default_factory=dict)
    load: tuple[float, ...] = ()
    rss_mb: tuple[float, ...] = ()

    @property
    def cpu_s(self) -> float:
        """CPU per video in all."""
        return (self.here_s + self.postgres_s - self.idle_s) / self.videos


class Machine:
    """The clocks: of this process, of PostgreSQL, of a tree of other processes."""

    def __init__(self, folder: Path) -> None:
        self._postmaster = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))

    def postgres_s(self) -> float:
        """CPU of the server so far; that of its ended connections is the postmaster's children's."""
        return tree_s(self._postmaster)

    @contextlib.contextmanager
    def measure(self, what: str, count: int, clock: Callable[[], float] = time.process_time) -> Iterator[Measured]:
        """Totals of the block."""
        measured = Measured(what, count)
        memory = psutil.Process()
        before = (time.monotonic(), clock(), self.postgres_s(), memory.memory_info().rss)
        load = os.getloadavg()[0]
        yield measured
        after = (time.monotonic(), clock(), self.postgres_s(), memory.memory_info().rss)
        measured.wall_s, measured.here_s, measured.postgres_s = (b - a for a, b in zip(before[:3], after[:3], strict=True))
        measured.load = (round(load, 2), round(os.getloadavg()[0], 2))
        measured.rss_mb = tuple(round(rss / 2**20) for rss in (before[3], after[3]))


def tree_s(root: psutil.Process) -> float:
    """CPU of a process, its living descendants and all that they have waited for."""
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


@contextlib.contextmanager
def clocked(into: dict[str, float]) -> Iterator[None]:
    """CPU spent in the functions of `ANALYSIS`, while the block runs."""
    originals = []
    for kind, places in ANALYSIS.items():
        into.setdefault(kind, 0.0)
        for module, name in places:
            original = getattr(sys.modules[module], name)
            originals.append((module, name, original))
            setattr(sys.modules[module], name, _clock(original, kind, into))
    try:
        yield
    finally:
        for module, name, original in originals:
            setattr(sys.modules[module], name, original)


def _clock(function: Callable, kind: str, into: dict[str, float]) -> Callable:
    def timed(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            into[kind] += time.thread_time() - began

    return timed


def seed(settings: Settings, jobs: JobStore, objects: ObjectStore, count: int) -> list[str]:
    """So many finished jobs, half of them batting, half bowling."""
    ids = []
    for n, (mode, spec) in enumerate(CLIPS.items()):
        clip = settings.folder / f"{mode}.mp4"
        write_clip(spec, clip)
        job_id = submit(Submission(clip, mode, f"a benchmark of {mode}"), jobs, objects)
        if not run_analysis(settings, jobs, job_id):
            raise SystemExit(f"the {mode} clip could not be analysed: {jobs.get(job_id).error_message}")
        wanted = count // len(CLIPS) + (n < count % len(CLIPS))
        ids += clone_job(jobs, objects, job_id, wanted, with_source=False)
    return ids


def made_older(jobs: JobStore, ids: list[str], stages: tuple[str, ...]) -> None:
    """These stages of these jobs were made by older rules, as far as the rows know."""
    records = "stages::jsonb"
    for stage in stages:
        records = f"jsonb_set({records}, '{{{stage},inputs}}', to_jsonb(CAST(:older AS text)))"
    statement = text(f"UPDATE video_analysis_jobs SET stages = {records}, analysis_version = :older WHERE id IN :ids")
    with jobs.engine.begin() as connection:
        connection.execute(statement.bindparams(bindparam("ids", expanding=True)), {"ids": ids, "older": OLDER})


def backfill_here(machine: Machine, runs: WarmRuns, settings: Settings, jobs: JobStore, count: int, what: str) -> Measured:
    """The product's plan for what is outdated, carried out in this process."""
    began = time.monotonic()
    plan = plan_backfill(jobs, settings, select(settings, outdated=True))
    print(f"\n{what}: planned in {time.monotonic() - began:.1f} s", *plan_in_words(plan), sep="\n  ", flush=True)
    if [len(plan.of_kind(looks=looks)) for looks in (False, True)] != [count, 0]:
        raise SystemExit("this is not a rules-only backfill of as many videos as were made older")

    def tell(outcome: Any) -> None:
        if outcome.ended % 100 == 0:
            print(f"  {outcome.ended} of {count}, load {os.getloadavg()[0]:.1f}", flush=True)

    analysis_s: dict[str, float] = defaultdict(float)
    with machine.measure(what, count) as measured, clocked(analysis_s):
        outcome = run_here(runs, jobs, plan, tell)
    if outcome.done != count:
        raise SystemExit(f"{len(outcome.failed)} failed, such as {next(iter(outcome.failed.items()), None)}")
    measured.analysis_s = dict(analysis_s)
    return measured


def empty_runs(machine: Machine, runs: WarmRuns, job_id: str, like: str, count: int) -> Measured:
    """Runs that Dagster sees as it saw `like`, in which nothing is done."""
    echo = listen(runs.instance, like)
    job = echoing_job(echo)

    def one() -> str:
        run_id = str(uuid4())
        runs.instance.add_dynamic_partitions(videos.name, [job_id])
        job.execute_in_process(instance=runs.instance, partition_key=job_id, run_config=QUIET, run_id=run_id)
        return run_id

    if (events := len(runs.instance.all_logs(one()))) != echo.events:
        raise SystemExit(f"the empty run has {events} events, the real one {echo.events}")
    with machine.measure(f"an empty run of {echo.events} events", count) as measured:
        for _ in range(count):
            one()
    return measured


def backfill_by_daemon(machine: Machine, settings: Settings, jobs: JobStore, ids: list[str], idle_s: float) -> Measured:
    """The product's plan, launched into `cricksy dev`, whose idle use of CPU is measured first and left out."""
    ports = [_free_port(), _free_port()]
    command = [
        sys.executable,
        "-c",
        "from cricksy_pipeline.cli import main; main()",
        "dev",
        "--port",
        str(ports[0]),
        "--api-port",
        str(ports[1]),
    ]
    with (settings.folder / "dev.log").open("w") as log:
        stack_process = psutil.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        _until(lambda: daemon_is_alive(settings), 180)
        time.sleep(30)
        with machine.measure("cricksy dev, idle", 1, lambda: tree_s(stack_process)) as idle:
            time.sleep(idle_s)
        made_older(jobs, ids, FINDINGS_AND_REPORT)
        plan = plan_backfill(jobs, settings, select(settings, outdated=True))
        print("\nthrough the daemon:", *plan_in_words(plan), sep="\n  ", flush=True)
        with machine.measure("through the daemon", len(ids), lambda: tree_s(stack_process)) as measured:
            launch_backfill(settings, plan)
            _until(lambda: not _left(jobs), 60 * len(ids))
        measured.idle_s = (idle.here_s + idle.postgres_s) / idle.wall_s * measured.wall_s
        return measured
    finally:
        stack_process.terminate()
        stack_process.wait(60)


def _left(jobs: JobStore) -> int:
    """Videos that wait, or are at work: a run names its version when it begins."""
    with jobs.engine.connect() as connection:
        query = text("SELECT count(*) FROM video_analysis_jobs WHERE status <> 'done' OR analysis_version = :older")
        return connection.scalar(query, {"older": OLDER})


HEADER = ("backfill", "videos", "videos per hour", "CPU s per video", "analysis", "rows and objects", "Dagster's own", "its share", "load")


def table(results: list[Measured], empty: Measured) -> str:
    """The results in Markdown. Whose the CPU is, is known where every run was made as the empty ones were."""
    rows = [HEADER, ["---"] * len(HEADER)]
    for one in results:
        row = [one.what, f"{one.videos:,}", f"{one.videos / one.wall_s * 3600:,.0f}", f"{one.cpu_s:.2f}"]
        if one.analysis_s:
            analysis_s = sum(one.analysis_s.values()) / one.videos
            rest_s = one.cpu_s - analysis_s - empty.cpu_s
            row += [f"{analysis_s:.2f}", f"{rest_s:.2f}", f"{empty.cpu_s:.2f}", f"{empty.cpu_s / one.cpu_s:.0%}"]
        else:
            row += ["-"] * 4
        rows.append([*row, " to ".join(f"{value:.1f}" for value in one.load)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Seed, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--videos", type=int, default=1000, help="finished videos, all backfilled after new findings and report")
    asked.add_argument("--metrics", type=int, default=200, help="how many of them are backfilled after new metrics too")
    asked.add_argument("--through-daemon", type=int, default=40, help="how many of them are backfilled through `cricksy dev` too; 0: none")
    asked.add_argument("--empty", type=int, default=100, help="runs in which nothing is done")
    asked.add_argument("--folder", type=Path, help="data folder; a temporary one, removed at the end, where none is given")
    options = asked.parse_args()
    with settings_in(options.folder) as settings:
        stack.prepare_database(settings)
        jobs, objects = stack.open_job_store(settings), stack.open_object_store(settings)
        began = time.monotonic()
        ids = seed(settings, jobs, objects, options.videos)
        print(f"{len(ids)} finished videos in {time.monotonic() - began:.0f} s; version {current_version(settings)}", flush=True)
        machine, results = Machine(settings.folder), []
        with warm_runs(settings, jobs) as runs:
            made_older(jobs, ids, FINDINGS_AND_REPORT)
            results.append(backfill_here(machine, runs, settings, jobs, len(ids), "here: findings and report"))
            like = jobs.get(ids[0]).dagster_run_id
            if some := ids[: options.metrics]:
                made_older(jobs, some, METRICS)
                results.append(backfill_here(machine, runs, settings, jobs, len(some), "here: metrics, findings and report"))
            empty = empty_runs(machine, runs, ids[0], like, options.empty)
        if some := ids[: options.through_daemon]:
            results.append(backfill_by_daemon(machine, settings, jobs, some, idle_s=60))
        print(f"\n{table(results, empty)}\n\n{json.dumps([asdict(one) for one in (*results, empty)], indent=1)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _until(true: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit("it took too long")
        time.sleep(1)


if __name__ == "__main__":
    main()
