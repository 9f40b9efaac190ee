"""The whole system as separate processes on a temporary data folder, each of which can be killed and started again.

Belongs here: PostgreSQL, code server, daemon and web server as production has them; their death; the requests that the UI would send.
Does not belong here: faults inside a run (`orders`), what a row must say (`watched_job`).

What differs from `cricksy dev`: the code location is the sabotaged one; code server, daemon and web server are three commands instead of
one, so that each can die alone; and ten runs may run at once, ten of them in pose estimation, instead of two, so that one outage can meet
a run in every stage. Sensor intervals, heartbeats, retries and run monitoring are the product's own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import yaml
from sqlalchemy import text

from cricksy_pipeline import dev
from cricksy_pipeline.analysis.versions import STAGE_VERSIONS
from cricksy_pipeline.orchestration.instance import project_file
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stack import DAGSTER_DATABASE_NAME, DATABASE_NAME
from cricksy_pipeline.store import embedded, postgres_binaries
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.migrate import migrate
from cricksy_pipeline.store.objects import LocalObjectStore
from cricksy_pipeline_tests.faults.orders import FOLDER_VARIABLE, Orders

ROOT = Path(__file__).resolve().parents[2]
LOCATION = "cricksy_pipeline"
RUNS_AT_ONCE = 10
UP_WITHIN_S = 120.0

# Every change of what a reader is told, with the database's own time: between two looks of a test nothing escapes.
HISTORY = """
CREATE TABLE IF NOT EXISTS told (
    number bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(), job_id text NOT NULL, status text NOT NULL,
    stage text, error_code text, error_message text, failed_stage text, run_id text, attempt int);
CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO told (job_id, status, stage, error_code, error_message, failed_stage, run_id, attempt) VALUES
        (NEW.id, NEW.status, NEW.stage, NEW.error_code, NEW.error_message, NEW.failed_stage, NEW.dagster_run_id, NEW.attempt);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER tell_new AFTER INSERT ON video_analysis_jobs FOR EACH ROW EXECUTE FUNCTION tell();
CREATE OR REPLACE TRIGGER tell_changed AFTER UPDATE ON video_analysis_jobs FOR EACH ROW
    WHEN ((OLD.status, OLD.stage, OLD.error_code, OLD.error_message, OLD.failed_stage, OLD.dagster_run_id, OLD.attempt) IS DISTINCT FROM
          (NEW.status, NEW.stage, NEW.error_code, NEW.error_message, NEW.failed_stage, NEW.dagster_run_id, NEW.attempt))
    EXECUTE FUNCTION tell();
"""


class LiveStack:
    """A context manager: the system runs inside, and nothing of it is left at the end.

    Attributes:
        folder: everything it keeps. Short, because the path of PostgreSQL's socket has a limit.
        jobs, objects: the same rows and objects, as the test sees them: not sabotaged.
        orders: what makes runs stumble.
        closing: set when the session ends early; those who wait give up.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cricksy-live-"))
        self.closing = False
        self.orders = Orders(self.folder / "orders")
        self._settings = Settings(data_dir=self.folder / "data")
        self.objects = LocalObjectStore(self._settings.folder / "store")
        # Not the home inside the data folder: the product's own commands copy the project's dagster.yaml there.
        self._home = self.folder / "home"
        self._processes: dict[str, subprocess.Popen] = {}
        self._grpc_port, self._web_port = _free_port(), _free_port()

    def __enter__(self) -> LiveStack:
        try:
            self.start_postgres()
            url = self._server.url(DATABASE_NAME)
            migrate(url)
            self.jobs = JobStore(make_engine(url, pool_size=10))
            with self.jobs.engine.begin() as connection:
                connection.execute(text(HISTORY))
            self._environment = self._make_environment(url, self._server.url(DAGSTER_DATABASE_NAME))
            self.start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.closing = True
        self.kill_all_but_postgres()
        with contextlib.suppress(AttributeError):
            self.jobs.engine.dispose()
        with contextlib.suppress(AttributeError):
            self._server.stop()
        if keep := os.environ.get("CRICKSY_FAULT_KEEP"):
            print(f"kept in {self.folder}: {keep}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- processes

    def start_all(self) -> None:
        """Everything that is not running, and wait until it answers."""
        for name in ("code_server", "daemon", "web_server"):
            if name not in self._processes or self._processes[name].poll() is not None:
                self.start(name)
        self._until(self._is_up, "the stack")

    def start(self, name: str) -> None:
        """One of code_server, daemon, web_server."""
        with (self.folder / f"{name}.log").open("a") as log:
            self._processes[name] = subprocess.Popen(
                self._commands()[name], env=self._environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        if name == "code_server":
            self._until(lambda: _listens(self._grpc_port), name)

    def kill(self, name: str) -> None:
        """SIGKILL to that process alone; what it started lives on."""
        self._processes[name].kill()
        self._processes[name].wait()

    def most_runs_at_once(self, number: int) -> None:
        """The daemon starts at most so many runs (0: they stay queued); it is started anew with that."""
        self.kill("daemon")
        self._write_instance(number)
        self.start("daemon")

    def kill_host(self) -> None:
        """SIGKILL to the code server and everything it started: the machine that runs analyses is gone."""
        os.killpg(self._processes["code_server"].pid, signal.SIGKILL)
        self._processes["code_server"].wait()

    def kill_everything(self) -> None:
        """SIGKILL to every process, PostgreSQL included, as near to at once as a loop allows."""
        self.kill_all_but_postgres()
        self._kill_postgres()

    def kill_all_but_postgres(self) -> None:
        """SIGKILL to every process that was started from here, and to what those started."""
        mine = str(self.folder)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and mine in process.environ().get("CRICKSY_DATA_DIR", ""):
                    process.kill()
        for process in self._processes.values():
            process.wait()

    def environment(self) -> dict[str, str]:
        """The environment of the system's commands."""
        return dict(self._environment)

    def cricksy(self, *arguments: str) -> str:
        """A command of the product, as an operator types it. Returns what it printed; fails the test where it fails."""
        command = [sys.executable, "-c", "from cricksy_pipeline.cli import main; main()", *arguments]
        done = subprocess.run(command, env=self._environment, cwd=self.folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"cricksy {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def log(self, name: str, lines: int = 40) -> str:
        """The end of a process's log, without Dagster's account of every event and of every look of a sensor."""
        with contextlib.suppress(FileNotFoundError):
            said = (self.folder / f"{name}.log").read_text(errors="replace").splitlines()
            return "\n".join([line for line in said if " - DEBUG - " not in line and "SensorDaemon" not in line][-lines:])
        return ""

    # ---- PostgreSQL

    @contextlib.contextmanager
    def postgres_away(self, mode: str) -> Iterator[None]:
        """The server is stopped (`fast`; `immediate`, as a crash leaves it; `kill`, by SIGKILL) and started again afterwards."""
        if mode == "kill":
            self._kill_postgres()
        else:
            data = str(self._server.folder)
            postgres_binaries.installation().run("pg_ctl", "-D", data, "-m", mode, "-w", "-t", "60", "stop")
        try:
            yield
        finally:
            self.start_postgres()

    def start_postgres(self) -> None:
        """Start the server, or adopt the one that runs."""
        # Durable, as the product starts it: without synchronous commit a killed server would forget what it had confirmed.
        self._server = embedded.start(self._settings.folder / "pg")

    @contextlib.contextmanager
    def job_database_away(self) -> Iterator[None]:
        """The database of the job rows refuses everybody, while Dagster's own, beside it, serves on."""
        name = DATABASE_NAME
        self._administer(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        self._administer(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        try:
            yield
        finally:
            self._administer(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

    def _kill_postgres(self) -> None:
        postmaster = psutil.Process(int((self._server.folder / "postmaster.pid").read_text().splitlines()[0]))
        for process in (postmaster, *postmaster.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _administer(self, statement: str) -> None:
        import psycopg2

        with contextlib.closing(psycopg2.connect(host=str(self._server.socket_dir), user="postgres", dbname="postgres")) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)

    # ---- what the UI does

    def launch(self, job_id: str, *, asset_page: bool = False) -> str:
        """Materialize all of one partition, as a person does from the job's page. Returns the run's id.

        Args:
            asset_page: as from the page of the assets, which runs them in a job that Dagster hides, without the real job's tags.
        """
        selector: dict[str, Any] = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", "jobName": analysis.name}
        if asset_page:
            selector |= {"jobName": "__ASSET_JOB", "assetSelection": [{"path": [name]} for name in STAGE_VERSIONS]}
        run = self._graphql(
            """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
                 ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }""",
            p={"selector": selector, "executionMetadata": {"tags": [{"key": "dagster/partition", "value": job_id}]}},
        )["launchRun"]
        assert run["__typename"] == "LaunchRunSuccess", run
        return run["run"]["runId"]

    def add_partition(self, job_id: str) -> None:
        """Add the key by hand, for a run that no sensor asked for."""
        added = self._graphql(
            """mutation($r: RepositorySelector!, $n: String!, $k: String!) {
                 addDynamicPartition(repositorySelector: $r, partitionsDefName: $n, partitionKey: $k) { __typename } }""",
            r={"repositoryLocationName": LOCATION, "repositoryName": "__repository__"},
            n=videos.name,
            k=job_id,
        )["addDynamicPartition"]
        assert added["__typename"] in ("AddDynamicPartitionSuccess", "DuplicateDynamicPartitionError"), added

    def cancel(self, run_id: str, *, force: bool = False) -> None:
        """The UI's "Terminate"; `force`: its "Force termination immediately"."""
        ended = self._graphql(
            """mutation($r: String!, $p: TerminateRunPolicy) { terminateRun(runId: $r, terminatePolicy: $p) { __typename
                 ... on TerminateRunFailure { message } ... on PythonError { message } } }""",
            r=run_id,
            p="MARK_AS_CANCELED_IMMEDIATELY" if force else "SAFE_TERMINATE",
        )["terminateRun"]
        assert ended["__typename"] == "TerminateRunSuccess", ended

    def run_status(self, run_id: str) -> str:
        """Dagster's own word for the run, such as STARTED."""
        return self._graphql("query($r: ID!) { runOrError(runId: $r) { ... on Run { status } } }", r=run_id)["runOrError"]["status"]

    def runs_of(self, job_id: str) -> list[tuple[str, str]]:
        """(run id, status) of every run of the job's partition, oldest first."""
        found = self._graphql(
            """query($f: RunsFilter!) { runsOrError(filter: $f) { ... on Runs { results { runId status } } } }""",
            f={"tags": [{"key": "dagster/partition", "value": job_id}]},
        )["runsOrError"]["results"]
        return [(run["runId"], run["status"]) for run in reversed(found)]

    def sensors(self) -> list[str]:
        """Names of the running sensors."""
        found = self._graphql(
            """query($r: RepositorySelector!) { sensorsOrError(repositorySelector: $r) {
                 ... on Sensors { results { name sensorState { status } } } } }""",
            r={"repositoryLocationName": LOCATION, "repositoryName": "__repository__"},
        )["sensorsOrError"]["results"]
        return [sensor["name"] for sensor in found if sensor["sensorState"]["status"] == "RUNNING"]

    @contextlib.contextmanager
    def sensor_off(self, *names: str) -> Iterator[None]:
        """Those sensors are switched off in the UI meanwhile."""
        for name in names:
            self._switch_sensor(name, "stopSensor")
        try:
            yield
        finally:
            for name in names:
                self._switch_sensor(name, "startSensor")

    def _switch_sensor(self, name: str, to: str) -> None:
        selector = {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", "sensorName": name}
        if to == "startSensor":
            query = "mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename ... on PythonError { message } } }"
            said = self._graphql(query, s=selector)["startSensor"]
        else:
            state = self._graphql("query($s: SensorSelector!) { sensorOrError(sensorSelector: $s) { ... on Sensor { id } } }", s=selector)
            query = "mutation($i: String!) { stopSensor(id: $i) { __typename ... on PythonError { message } } }"
            said = self._graphql(query, i=state["sensorOrError"]["id"])["stopSensor"]
        assert said["__typename"] in ("Sensor", "StopSensorMutationResult"), said

    def _graphql(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://{dev.HOST}:{self._web_port}/graphql", data=body, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.loads(answer.read())
        assert not said.get("errors"), said["errors"]
        return said["data"]

    # ---- how it is set up

    def _commands(self) -> dict[str, list[str]]:
        workspace = str(self.folder / "workspace.yaml")
        module = "cricksy_pipeline_tests.faults.sabotaged_location"
        serve = [sys.executable, "-m", "dagster", "api", "grpc", "-h", dev.HOST, "-p", str(self._grpc_port)]
        return {
            "code_server": [*serve, "-m", module, "--location-name", LOCATION],
            "daemon": [sys.executable, "-m", "dagster._daemon", "run", "-w", workspace],
            "web_server": [sys.executable, "-m", "dagster_webserver", "-h", dev.HOST, "-p", str(self._web_port), "-w", workspace],
        }

    def _make_environment(self, url: str, dagster_url: str) -> dict[str, str]:
        self._home.mkdir()
        self._write_instance(RUNS_AT_ONCE)
        server = {"grpc_server": {"host": dev.HOST, "port": self._grpc_port, "location_name": LOCATION}}
        (self.folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [server]}))
        plain = {name: value for name, value in os.environ.items() if not re.match("CRICKSY_|DAGSTER_", name)}
        return {
            **plain,
            "CRICKSY_DATA_DIR": str(self._settings.folder),
            "CRICKSY_MODEL_DIR": os.environ.get("CRICKSY_MODEL_DIR", str(ROOT / ".cricksy" / "models")),
            "CRICKSY_DATABASE_URL": url,
            "CRICKSY_DAGSTER_DATABASE_URL": dagster_url,
            FOLDER_VARIABLE: str(self.folder / "orders"),
            "DAGSTER_HOME": str(self._home),
            "MPLCONFIGDIR": str(ROOT / ".cricksy" / "matplotlib"),
            # The tests are not installed; the sabotaged location is one of them.
            "PYTHONPATH": str(ROOT),
        }

    def _write_instance(self, runs_at_once: int) -> None:
        instance = yaml.safe_load(project_file("dagster.yaml").read_text())
        instance["concurrency"]["runs"]["max_concurrent_runs"] = runs_at_once
        instance["concurrency"]["pools"]["default_limit"] = RUNS_AT_ONCE
        (self._home / "dagster.yaml").write_text(yaml.safe_dump(instance))

    def _is_up(self) -> bool:
        for name, process in self._processes.items():
            assert process.poll() is None, f"{name} ended with status {process.returncode}:\n{self.log(name)}"
        try:
            said = self._graphql(
                """{ workspaceOrError { ... on Workspace { locationEntries { locationOrLoadError { __typename } } } }
                     instance { daemonHealth { allDaemonStatuses { required healthy } } } }"""
            )
        except (OSError, urllib.error.URLError):
            return False
        locations = [entry["locationOrLoadError"] for entry in said["workspaceOrError"]["locationEntries"]]
        daemons = [daemon["healthy"] for daemon in said["instance"]["daemonHealth"]["allDaemonStatuses"] if daemon["required"]]
        return all(daemons) and all(location and location["__typename"] == "RepositoryLocation" for location in locations)

    def _until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + UP_WITHIN_S
        while not true():
            assert time.monotonic() < deadline, f"{what} never came up:\n" + "\n".join(self.log(name) for name in self._processes)
            time.sleep(0.3)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((dev.HOST, 0))
        return probe.getsockname()[1]


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((dev.HOST, port), timeout=1):
        return True
    return False
