"""What a second worker brings, and what a video costs that goes through warm workers.

    python -m benchmarks.two_workers --videos 6 --rounds 3 --rules-only 100

Belongs here: the two measurements and their table. Does not belong here: the machines (`worker_hosts`).

Throughput: one worker and two, in turns, each on a core of its own with one pose process, analyse the same clips; videos an hour from the
first run's start to the last one's end. On a machine of two cores PostgreSQL, the S3 emulator and Dagster's daemon take theirs from the
same two, so that two workers cannot be twice as fast: the CPU seconds say how much that is.

Rules only: finished jobs, multiplied, made out to be of older rules (`rules_only_backfill`), through the daemon's queue and two workers,
and in turns as `cricksy backfill --here` does it, over the same object store. CPU seconds are those of every process concerned; what they
use when idle is measured and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from benchmarks.cloned_jobs import clone_job
from benchmarks.rules_only_backfill import FINDINGS_AND_REPORT, OLDER, made_older
from benchmarks.worker_hosts import Hosts, until, why_not
from cricksy_pipeline.orchestration.backfill import BackfillPlan, plan_backfill, select
from cricksy_pipeline.orchestration.backfill_runs import launch_backfill, run_backfill_here
from cricksy_pipeline.sample.clip import SAMPLE, ClipSpec, write_clip
from cricksy_pipeline.settings import Settings

WORKERS = {"north": 0, "south": 1}
"""Each host and its core."""
SERVED_BY = ("daemon", "postgres", "s3")
PATIENCE_S = 3600.0
IDLE_S = 40.0


@contextmanager
def used(hosts: Hosts, into: dict[str, float]) -> Iterator[None]:
    """CPU seconds of each host and service within the block."""
    names = (*(set(WORKERS) & hosts.at_work()), *SERVED_BY)
    before = {name: hosts.used_s(name) for name in names}
    yield
    into.update({name: hosts.used_s(name) - before[name] for name in names})


def newest_run(hosts: Hosts) -> int:
    """The number of the newest run."""
    with hosts.dagster.connect() as connection:
        return connection.scalar(text("SELECT coalesce(max(id), 0) FROM runs"))


def until_ended(hosts: Hosts, after: int, count: int) -> float:
    """Until so many analyses have ended. Returns seconds from the first one's start to the last one's end."""
    ended = text("SELECT count(*) FROM runs WHERE pipeline_name = 'analysis' AND id > :after AND status = 'SUCCESS'")
    span = text("SELECT max(end_time) - min(start_time) FROM runs WHERE pipeline_name = 'analysis' AND id > :after")
    with hosts.dagster.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        until(lambda: connection.scalar(ended, {"after": after}) == count, lambda: hosts.log("daemon"), PATIENCE_S)
        return connection.scalar(span, {"after": after})


def throughput(hosts: Hosts, clip: Path, workers: tuple[str, ...], videos: int) -> dict:
    """So many videos by these workers."""
    for name in sorted(set(WORKERS) - set(workers)):
        if name in hosts.at_work():
            hosts.send_home(name)
    for name in sorted(set(workers) - hosts.at_work()):
        hosts.boot(name, core=WORKERS[name])
    hosts.until_at_work(*workers)
    after, load, cpu = newest_run(hosts), os.getloadavg()[0], {}
    with used(hosts, cpu):
        for _ in range(videos):
            hosts.submit(clip)
        took_s = until_ended(hosts, after, videos)
    return {"workers": len(workers), "took_s": took_s, "an_hour": 3600 * videos / took_s, "load": load, "cpu_s": cpu}


def rules_only(hosts: Hosts, job_id: str, count: int) -> dict:
    """So many finished videos get new findings and reports, a quarter at a time: here, by two workers, here, by two workers."""
    ids = list(clone_job(hosts.jobs, hosts.objects, job_id, count // 2, with_source=False))
    idle: dict[str, float] = {}
    with used(hosts, idle):
        time.sleep(IDLE_S)
    ways = {"workers": _through_workers, "here": _here}
    found: dict[str, list[dict]] = {way: [] for way in ways}
    for quarter in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
        for way in ("here", "workers"):
            made_older(hosts.jobs, quarter, FINDINGS_AND_REPORT)
            plan = plan_backfill(hosts.jobs, hosts.settings, select(hosts.settings, outdated=True))
            if [len(plan.of_kind(looks=looks)) for looks in (False, True)] != [len(quarter), 0]:
                raise SystemExit("this is not a rules-only backfill of as many videos as were made older")
            cpu, load, began, own = {}, os.getloadavg()[0], time.monotonic(), time.process_time()
            with used(hosts, cpu):
                took_s = ways[way](hosts, plan)
            wall_s, own_s = time.monotonic() - began, time.process_time() - own
            _demand_done(hosts)
            each = {name: (seconds - idle[name] / IDLE_S * wall_s) / len(quarter) for name, seconds in cpu.items()}
            each["this process"] = own_s / len(quarter)
            found[way].append({"videos": len(quarter), "took_s": took_s, "load": load, "cpu_s": each})
            print(json.dumps({way: found[way][-1]}), flush=True)
    return {**found, "idle_share": {name: seconds / IDLE_S for name, seconds in idle.items()}}


def _through_workers(hosts: Hosts, plan: BackfillPlan) -> float:
    after = newest_run(hosts)
    launch_backfill(hosts.settings, plan)
    return until_ended(hosts, after, len(plan.jobs))


def _here(hosts: Hosts, plan: BackfillPlan) -> float:
    began = time.monotonic()
    run_backfill_here(hosts.settings, hosts.jobs, plan, lambda _: None)
    return time.monotonic() - began


def _demand_done(hosts: Hosts) -> None:
    left = text("SELECT count(*) FROM video_analysis_jobs WHERE status <> 'done' OR analysis_version = :older")
    with hosts.jobs.engine.connect() as connection:
        if number := connection.scalar(left, {"older": OLDER}):
            raise SystemExit(f"{number} videos were not done again")


def rules_table(rules: dict) -> str:
    """What a rules-only video costs, by way, in Markdown."""
    lines = [
        "| rules only | videos | an hour | CPU s per video | the runs' processes | PostgreSQL | S3 emulator | daemon |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for way, names in (("here", ("this process",)), ("workers", tuple(WORKERS))):
        found = rules[way]
        parts = [statistics.mean(sum(one["cpu_s"][name] for name in group) for one in found) for group in (names, *zip(SERVED_BY))]
        videos, took_s = sum(one["videos"] for one in found), sum(one["took_s"] for one in found)
        daemon = f"{parts[1]:.2f}" if way == "workers" else "-"
        whole = parts[0] + parts[2] + parts[3] + (parts[1] if way == "workers" else 0.0)
        figures = " | ".join(f"{value:.2f}" for value in (whole, parts[0], parts[2], parts[3]))
        lines.append(f"| {way} | {videos} | {3600 * videos / took_s:.0f} | {figures} | {daemon} |")
    return "\n".join(lines)


def table(rounds: list[dict]) -> str:
    """Throughput in Markdown."""
    lines = [
        "| workers | videos per hour, median (range) | CPU s per video: workers | PostgreSQL | S3 emulator | daemon |",
        "|---|---|---|---|---|---|",
    ]
    by_count = {count: [one for one in rounds if one["workers"] == count] for count in (1, 2)}
    for count, found in by_count.items():
        an_hour = [one["an_hour"] for one in found]
        videos = [one["an_hour"] * one["took_s"] / 3600 for one in found]
        share = lambda names, found=found, videos=videos: statistics.median(  # noqa: E731
            sum(one["cpu_s"].get(name, 0) for name in names) / number for one, number in zip(found, videos, strict=True)
        )
        cells = [f"{share(names):.2f}" for names in (tuple(WORKERS), ("postgres",), ("s3",), ("daemon",))]
        lines.append(f"| {count} | {statistics.median(an_hour):.0f} ({min(an_hour):.0f} to {max(an_hour):.0f}) | {' | '.join(cells)} |")
    ratios = [two["an_hour"] / one["an_hour"] for one, two in zip(by_count[1], by_count[2], strict=True)]
    lines += [
        "",
        f"Two workers to one, round by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}; median {statistics.median(ratios):.2f}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--videos", type=int, default=6, help="a round")
    asked.add_argument("--rounds", type=int, default=3, help="of one worker and of two; 0: none")
    asked.add_argument("--rules-only", type=int, default=100, help="times that a video gets new rules; 0: none")
    asked.add_argument("--seconds", type=float, default=SAMPLE.seconds, help="length of the clip")
    options = asked.parse_args()
    if reason := why_not():
        raise SystemExit(reason)
    with tempfile.TemporaryDirectory(prefix="cricksy-bench-") as folder, Hosts(models=Settings().models, runs_at_once=8) as hosts:
        clip = Path(folder) / "clip.mp4"
        write_clip(ClipSpec(seconds=options.seconds, width=SAMPLE.width, height=SAMPLE.height, crf=SAMPLE.crf), clip)
        for name, core in WORKERS.items():
            hosts.boot(name, core=core)
        hosts.until_at_work(*WORKERS)
        first = [hosts.submit(clip) for _ in WORKERS]  # whoever comes first pays for what a fresh machine makes once
        hosts.until_done(*first, within_s=PATIENCE_S)
        rules = rules_only(hosts, first[0], options.rules_only) if options.rules_only else None
        rounds = []
        for number in range(options.rounds):
            for workers in (("north",), tuple(WORKERS)) if number % 2 == 0 else (tuple(WORKERS), ("north",)):
                rounds.append(throughput(hosts, clip, workers, options.videos))
                print(json.dumps(rounds[-1]), flush=True)
    for said in (table(rounds) if rounds else "", rules_table(rules) if rules else "", json.dumps({"rounds": rounds, "rules_only": rules})):
        print(f"\n{said}")


if __name__ == "__main__":
    main()
