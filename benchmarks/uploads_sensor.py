"""What a tick of the uploads sensor costs: for few and for many new objects, and for many that are known already.

    .venv/bin/python -m benchmarks.uploads_sensor                        # a folder; 1, 100 and 20,000 objects; some minutes
    .venv/bin/python -m benchmarks.uploads_sensor --store s3             # S3 over HTTP (moto in a process of its own)
    .venv/bin/python -m benchmarks.uploads_sensor --objects 1 100        # fewer

Everything is made in a temporary folder and removed: an embedded PostgreSQL for the rows and for Dagster's instance, the store, the
objects (a few bytes each: what is measured is the work per object, not the reading of films). A tick is the sensor's evaluation as
Dagster's code server does it, resources opened anew each time, and the adding of the partitions; the creation of the runs, which the
daemon does, is not in it. CPU is that of this process, without PostgreSQL's and moto's. The table that is printed is Markdown.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.execution.resources_init import get_transitive_required_resource_keys
from sqlalchemy import text

from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.instance import prepare_home
from cricksy_pipeline.settings import Settings

BUCKET = "benchmark"


@dataclass
class Tick:
    """One tick: seconds of wall and of this process's CPU, and what came of it."""

    wall_s: float
    cpu_s: float
    runs: int
    more: bool


class Location:
    """The code location, and the instance that it belongs to."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._repository = build_definitions(settings).get_repository_def()
        self._cursors: dict[str, str | None] = {}

    def tick(self, name: str = "uploads") -> Tick:
        """Evaluate a sensor and add the partitions that it asks for."""
        wall, cpu = time.monotonic(), time.process_time()
        sensor = self._repository.get_sensor_def(name)
        resources = self._repository.get_top_level_resources()
        with dg.SensorEvaluationContext(
            instance_ref=self._instance.get_ref(),
            last_tick_completion_time=None,
            last_run_key=None,
            cursor=self._cursors.get(name),
            repository_name=self._repository.name,
            repository_def=self._repository,
            sensor_name=name,
            resources={key: resources[key] for key in get_transitive_required_resource_keys(sensor.required_resource_keys, resources)},
        ) as context:
            result = sensor.evaluate_tick(context)
        for request in result.dynamic_partitions_requests or ():
            self._instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        self._cursors[name], more = result.cursor, False
        if name == "uploads":
            # Without the rest that follows a look: every tick looks.
            hint = json.loads(result.cursor)
            self._cursors[name], more = json.dumps({**hint, "rest_until": 0.0}), bool(hint["after"])
        return Tick(time.monotonic() - wall, time.process_time() - cpu, len(result.run_requests or ()), more)

    def start_anew(self, name: str = "uploads") -> None:
        """The next tick knows nothing of those before."""
        self._cursors.pop(name, None)

    def look(self) -> list[Tick]:
        """Ticks until the whole store was looked at."""
        ticks = [self.tick()]
        while ticks[-1].more:
            ticks.append(self.tick())
        return ticks


def measure(settings: Settings, put: Callable[[list[str]], None], counts: list[int]) -> None:
    """Print, for each count: the ticks that find them, the next ones, which ask for the runs that still wait, and idle ones."""
    jobs = stack.open_job_store(settings)
    with dg.DagsterInstance.from_ref(instance_ref(settings)) as instance:
        location = Location(settings, instance)
        location.tick()  # imports, first connections

        known = 0
        for count in counts:
            put([f"uploads/batting/{known + number:06}.mp4" for number in range(count)])
            known += count
            _row(f"{count:,} new", location.look())
            _row(f"{known:,} known, runs wait", [tick for _ in range(2) for tick in location.look()])
            with jobs.engine.begin() as connection:
                connection.execute(text("UPDATE video_analysis_jobs SET status = 'failed' WHERE status = 'queued'"))
            _row(f"{known:,} known, idle", [tick for _ in range(3) for tick in location.look()])


def _row(what: str, ticks: list[Tick]) -> None:
    wall, cpu = sorted(tick.wall_s for tick in ticks), sum(tick.cpu_s for tick in ticks)
    middle, worst, runs = wall[len(wall) // 2], wall[-1], sum(tick.runs for tick in ticks)
    print(f"| {what} | {len(ticks)} | {runs:,} | {middle:.2f} | {worst:.2f} | {cpu / len(ticks):.2f} | {cpu:.1f} |", flush=True)


def instance_ref(settings: Settings):
    """The embedded instance of a data folder, on its PostgreSQL."""
    from dagster._core.instance.ref import InstanceRef

    os.environ["CRICKSY_DAGSTER_DATABASE_URL"] = stack.dagster_database_url(settings)
    return InstanceRef.from_dir(str(prepare_home(settings)))


def _folder(settings: Settings) -> Callable[[list[str]], None]:
    def put(keys: list[str]) -> None:
        for key in keys:
            path = settings.folder / "store" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(key)
        time.sleep(10.5)  # a file that was just written counts as still being copied

    return put


@contextlib.contextmanager
def _s3_server() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


def _s3(settings: Settings) -> Callable[[list[str]], None]:
    client = stack.open_object_store(settings)._client
    client.create_bucket(Bucket=BUCKET)

    def put(keys: list[str]) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda key: client.put_object(Bucket=BUCKET, Key=key, Body=key.encode()), keys))

    return put


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description="What a tick of the uploads sensor costs.")
    parser.add_argument("--store", choices=["folder", "s3"], default="folder")
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 100, 20_000])
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cricksy-bench-"))
    with contextlib.ExitStack() as clean:
        clean.callback(shutil.rmtree, folder, ignore_errors=True)
        options: dict[str, object] = {"data_dir": folder}
        if asked.store == "s3":
            os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
            options |= {"bucket": BUCKET, "s3_region": "us-east-1", "s3_endpoint": clean.enter_context(_s3_server())}
        settings = Settings(**options)
        stack.prepare_database(settings)
        # As `cricksy dev` does: the address is known, and no tick looks for the server.
        settings = Settings(**options, database_url=stack.database_url(settings))
        put = _s3(settings) if asked.store == "s3" else _folder(settings)
        print(f"| {asked.store} | ticks | runs asked for | wall s, median | wall s, worst | CPU s, mean | CPU s, all |")
        print("|---|---|---|---|---|---|---|", flush=True)
        measure(settings, put, asked.objects)


if __name__ == "__main__":
    main()
