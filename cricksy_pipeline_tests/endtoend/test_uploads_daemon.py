"""Dagster's own processes over one folder of uploads, killed in the middle of what they do: each object still gets one job and one run.

The runs are created and queued, and none is launched: what is tested is that there is one for each, not what it does.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text

from cricksy_pipeline import dev
from cricksy_pipeline.orchestration.instance import prepare_home
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.sensors.uploads import MOST_RUNS
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.database import make_engine

pytestmark = pytest.mark.slow

OBJECTS = 300
WITHIN_S = 600.0


class Stack:
    """Code server and daemon of the product, and what stands in both databases."""

    def __init__(self, folder: Path, url: str, dagster_url: str) -> None:
        self._folder, self._port = folder, _free_port()
        self._rows, self._dagster = make_engine(url), make_engine(dagster_url)
        settings = Settings(data_dir=folder / "data")
        self.uploads = settings.folder / "store" / "uploads" / "batting"
        home = prepare_home(settings)
        instance = yaml.safe_load((home / "dagster.yaml").read_text())
        instance["concurrency"]["runs"]["max_concurrent_runs"] = 0
        (home / "dagster.yaml").write_text(yaml.safe_dump(instance))
        server = {"grpc_server": {"host": dev.HOST, "port": self._port, "location_name": "cricksy_pipeline"}}
        (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [server]}))
        plain = {name: value for name, value in os.environ.items() if not re.match("CRICKSY_|DAGSTER_", name)}
        own = {"CRICKSY_DATA_DIR": str(settings.folder), "DAGSTER_HOME": str(home)}
        self._environment = {**plain, **own, "CRICKSY_DATABASE_URL": url, "CRICKSY_DAGSTER_DATABASE_URL": dagster_url}
        serve = ["-m", "dagster", "api", "grpc", "-h", dev.HOST, "-p", str(self._port), "-m", "cricksy_pipeline.definitions"]
        self._commands = {
            "code_server": [*serve, "--location-name", "cricksy_pipeline"],
            "daemon": ["-m", "dagster._daemon", "run", "-w", str(folder / "workspace.yaml")],
        }
        self._processes: dict[str, subprocess.Popen] = {}

    def start(self, name: str) -> None:
        with (self._folder / f"{name}.log").open("a") as log:
            command = [sys.executable, *self._commands[name]]
            self._processes[name] = subprocess.Popen(command, env=self._environment, cwd=self._folder, stdout=log, stderr=log)
        if name == "code_server":
            self.until(lambda: _listens(self._port), "the code server listens")

    def kill(self, name: str) -> None:
        self._processes[name].kill()
        self._processes[name].wait()

    def close(self) -> None:
        for name in self._processes:
            self.kill(name)
        self._rows.dispose()
        self._dagster.dispose()

    def until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not true():
            logs = (self._folder / f"{name}.log" for name in self._processes)
            assert time.monotonic() < deadline, f"{what}: never\n" + "\n".join(log.read_text()[-3000:] for log in logs)
            time.sleep(0.05)

    def jobs(self) -> int:
        return self._rows_of("SELECT count(*) FROM video_analysis_jobs")[0][0]

    def asked_for(self) -> int:
        return self._rows_of("SELECT count(*) FROM video_analysis_jobs WHERE requested_at IS NOT NULL")[0][0]

    def runs(self) -> int:
        return self._of_dagster("SELECT count(*) FROM runs WHERE pipeline_name = :job", job=analysis.name)[0][0]

    def finished_ticks(self) -> int:
        query = "SELECT count(*) FROM job_ticks WHERE status IN ('SKIPPED', 'SUCCESS') AND tick_body::json->>'job_name' = 'uploads'"
        return self._of_dagster(query)[0][0]

    def values_of(self, tag: str) -> list[str]:
        query = "SELECT t.value FROM runs r JOIN run_tags t ON t.run_id = r.run_id AND t.key = :tag WHERE r.pipeline_name = :job"
        return [row[0] for row in self._of_dagster(query, tag=tag, job=analysis.name)]

    def states(self) -> list[tuple]:
        """(status, entries in the ledger) of each job."""
        query = "SELECT j.status::text, count(u.id) FROM video_analysis_jobs j LEFT JOIN uploads u ON u.job_id = j.id GROUP BY j.id"
        return [tuple(row) for row in self._rows_of(query)]

    def job_ids(self) -> list[str]:
        return [row[0] for row in self._rows_of("SELECT id FROM video_analysis_jobs")]

    def _rows_of(self, query: str) -> list:
        with self._rows.connect() as connection:
            return connection.execute(text(query)).all()

    def _of_dagster(self, query: str, **values) -> list:
        with self._dagster.connect() as connection:
            if connection.scalar(text("SELECT to_regclass('job_ticks')")) is None:
                return [(0,)]  # the first process makes the tables
            return connection.execute(text(query), values).all()


@pytest.fixture
def live(tmp_path, database_url, empty_database) -> Iterator[Stack]:
    with empty_database() as dagster_url:
        stack = Stack(tmp_path, database_url, dagster_url)
        try:
            yield stack
        finally:
            stack.close()


def test_each_object_gets_one_job_and_one_run_whoever_is_killed_in_between(live):
    live.uploads.mkdir(parents=True)
    for number in range(OBJECTS):
        (live.uploads / f"{number:03}.mp4").write_text(f"no film {number}")
    live.start("code_server")
    live.start("daemon")

    live.until(lambda: live.jobs() > 0, "objects become jobs")
    live.kill("code_server")
    assert 0 < live.jobs() < OBJECTS, "the look was to be cut short"
    live.start("code_server")

    live.until(lambda: live.asked_for() > live.runs(), "runs are asked for")
    live.kill("daemon")
    live.start("daemon")

    while True:  # between two runs of one tick
        live.until(lambda: live.runs() % MOST_RUNS > MOST_RUNS // 5, "runs are created")
        live.kill("daemon")
        created = live.runs()
        live.start("daemon")
        if created % MOST_RUNS:
            break
    assert created < OBJECTS

    live.until(lambda: live.runs() >= OBJECTS and live.jobs() == OBJECTS, "every object has its run")
    ticks = live.finished_ticks()
    live.until(lambda: live.finished_ticks() >= ticks + 3, "three more ticks, in which nothing more comes")
    assert live.states() == [("queued", 1)] * OBJECTS
    assert sorted(live.values_of("dagster/partition")) == sorted(live.job_ids())
    assert sorted(live.values_of("dagster/run_key")) == sorted(f"{job_id}:1" for job_id in live.job_ids())
    assert live.runs() == OBJECTS


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((dev.HOST, 0))
        return probe.getsockname()[1]


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((dev.HOST, port), timeout=1):
        return True
    return False
