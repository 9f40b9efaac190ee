"""Machines for trials with several workers, made of network namespaces on one machine: a hub, and hosts that can lose their power.

Belongs here: the network, what runs on the hub (PostgreSQL over TCP with a password, an S3 emulator over HTTP, Dagster's daemon), hosts and
their end. Does not belong here: what is tried with them (`two_workers`, the tests).

A host sees the hub's addresses and nothing else: its own network, its own processes, its own /tmp and /srv (Dagster's home, its data
folder), and of the rest of the disk the programs. So whatever two hosts share went through PostgreSQL or the object store.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from sqlalchemy import text

from benchmarks.rules_only_backfill import tree_s
from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.instance import project_file
from cricksy_pipeline.orchestration.workers.offers import NAMED
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store import postgres_binaries
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.migrate import migrate
from cricksy_pipeline.store.submissions import announce

HUB, PORT_POSTGRES, PORT_S3 = "10.119.0.1", 5432, 5580
BUCKET = "cricksy"
UP_WITHIN_S = 180.0
_CLONE_NEWNET = 0x40000000

# What a host does first: its own folders over everybody's. The disk is otherwise the hub's, as if the same image had been installed.
_OWN_DISK = "mount --bind {folder} /srv && mount -t tmpfs none {lab} && mount -t tmpfs none /tmp && exec {command}"


def why_not() -> str | None:
    """Why machines cannot be made here; None where they can."""
    if missing := [name for name in ("ip", "unshare", "mount") if shutil.which(name) is None]:
        return f"no command {missing[0]} here"
    name = f"crk{secrets.token_hex(3)}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no network namespaces here: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", name], check=False)
    isolated = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False)
    return "no mount and process namespaces here" if isolated.returncode else None


class Hosts:
    """A context manager: hub and network within, and this very thread on the hub, so that it reaches what the hosts reach.

    Attributes:
        folder: everything that the hub keeps, and a folder for each host. Short, for the path of PostgreSQL's socket.
        settings: how the hub's own processes, and this one, find rows and objects.
        jobs, objects: the rows and the objects.
    """

    def __init__(self, *, models: Path, runs_at_once: int = 6) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="crk-"))
        self._models, self._runs_at_once = models, runs_at_once
        self._tag = f"crk{secrets.token_hex(2)}"
        self._processes: dict[str, subprocess.Popen] = {}
        self._hosts: list[str] = []
        self._here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._before = dict(os.environ)

    def __enter__(self) -> Hosts:
        try:
            self._make_network()
            self._start_postgres()
            os.environ |= self._environment(self.folder / "hub")
            self.settings = Settings()
            migrate(stack.database_url(self.settings))
            self.jobs = stack.open_job_store(self.settings)
            self._start_s3()
            self.objects = stack.open_object_store(self.settings)
            self._start_daemon()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._hosts:
            self.power_off(name)
        for name in ("daemon", "s3"):
            if process := self._processes.get(name):
                _end(process)
        with contextlib.suppress(AttributeError):
            self.jobs.engine.dispose()
        with contextlib.suppress(AttributeError):
            self._installed.run("pg_ctl", "-D", str(self.folder / "postgres"), "-m", "immediate", "-w", "stop", check=False)
        _enter(self._here)
        os.close(self._here)
        for namespace in (self._tag, *(self._namespace(name) for name in self._hosts)):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, check=False)
        for name in set(os.environ) - set(self._before):
            del os.environ[name]
        os.environ.update(self._before)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- hosts

    def boot(self, name: str, *command: str, core: int | None = None) -> None:
        """A host of this name with one worker, or the given command; on one core of the machine, where one is named."""
        if name not in self._hosts:
            self._hosts.append(name)
            self._lay_cable(name, len(self._hosts) + 1)
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        home = folder / "home"
        home.mkdir(exist_ok=True)
        shutil.copy(self.folder / "hub" / "home" / "dagster.yaml", home)
        worker = command or (sys.executable, "-c", "from cricksy_pipeline.cli import main; main()", "worker", "--name", name)
        pinned = ("taskset", "-c", str(core)) if core is not None else ()
        first = _OWN_DISK.format(folder=folder, lab=self.folder, command=" ".join(_quoted(word) for word in (*pinned, *worker)))
        own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", first]
        with (self.folder / f"{name}.log").open("a") as log:
            self._processes[name] = subprocess.Popen(
                ["ip", "netns", "exec", self._namespace(name), *own],
                env={**os.environ, **self._environment(Path("/srv"), temporary="/tmp")},
                cwd="/",
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def until_at_work(self, *names: str) -> None:
        """Until these hosts' workers ask for runs."""
        until(lambda: set(names) <= self.at_work(), lambda: f"at work: {self.at_work()}\n" + "\n".join(self.log(name) for name in names))

    def at_work(self) -> set[str]:
        """Names of hosts with a worker that is connected to PostgreSQL."""
        sessions = text("SELECT substr(application_name, :after) FROM pg_stat_activity WHERE starts_with(application_name, :named)")
        with self.dagster.connect() as connection:
            found = connection.scalars(sessions, {"named": NAMED, "after": len(NAMED) + 1}).all()
        return {name.partition("/")[0] for name in found} - {"launcher"}

    def send_home(self, name: str) -> None:
        """SIGTERM to the host's worker, until it has gone."""
        process = self._processes.pop(name)
        for worker in psutil.Process(process.pid).children(recursive=True):
            if worker.name().startswith("python"):
                worker.send_signal(signal.SIGTERM)
                break
        process.wait(UP_WITHIN_S)

    def pull_the_plug(self, name: str) -> None:
        """The host's cable, then its power: no process of it says goodbye, and no packet tells of its end."""
        self.unplug(name)
        self.power_off(name)

    def unplug(self, name: str) -> None:
        """The host's cable is out; it works on, alone."""
        _ip("-n", self._tag, "link", "set", f"to-{name}", "down")

    def plug_in(self, name: str) -> None:
        """The host's cable is there again."""
        _ip("-n", self._tag, "link", "set", f"to-{name}", "up")

    def power_off(self, name: str) -> None:
        """Every process of the host is killed at once."""
        if (process := self._processes.pop(name, None)) is not None:
            _end(process)

    def used_s(self, name: str) -> float:
        """CPU so far of a host, of `daemon`, `s3` or `postgres`, with all that its processes have started."""
        pid = self._postmaster if name == "postgres" else self._processes[name].pid
        return tree_s(psutil.Process(pid))

    def log(self, name: str, lines: int = 40) -> str:
        """The end of what it printed."""
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-lines:])

    def restart_postgres(self) -> None:
        """Every session is cut off; a second later the server answers again."""
        self._control_postgres("restart")

    # ---- work

    def submit(self, video: Path, mode: str = "batting") -> str:
        """A job, as the web page makes one: announced, then the file comes, and a sensor asks for the run. Returns its id."""
        announced = announce(
            self.jobs, bucket=self.objects.bucket, suffix=video.suffix, mode=mode, title="a trial", owner_type="coach", owner_id="trial"
        )
        head = self.objects.put_file(announced.key, video)
        self.jobs.upload_arrived(announced.job_id, source_etag=head.etag, source_sha256=head.sha256, source_size=head.size)
        return announced.job_id

    def until_done(self, *job_ids: str, within_s: float = UP_WITHIN_S) -> None:
        """Until all of them are."""

        def account() -> str:
            rows = [self.jobs.get(job_id) for job_id in job_ids]
            return "\n".join([*(f"{row.id} {row.status} {row.stage} {row.error_message}" for row in rows), self.log("daemon")])

        until(lambda: all(self.jobs.status_of(job_id) == "done" for job_id in job_ids), account, within_s)

    # ---- how it is set up

    def _namespace(self, name: str) -> str:
        return f"{self._tag}-{name}"

    def _make_network(self) -> None:
        _ip("netns", "add", self._tag)
        inside = ("-n", self._tag)
        _ip(*inside, "link", "set", "lo", "up")
        _ip(*inside, "link", "add", "bridge", "type", "bridge")
        _ip(*inside, "addr", "add", f"{HUB}/24", "dev", "bridge")
        _ip(*inside, "link", "set", "bridge", "up")
        namespace = os.open(f"/run/netns/{self._tag}", os.O_RDONLY | os.O_CLOEXEC)
        _enter(namespace)
        os.close(namespace)

    def _lay_cable(self, name: str, number: int) -> None:
        there = self._namespace(name)
        _ip("netns", "add", there)
        _ip("-n", self._tag, "link", "add", f"to-{name}", "type", "veth", "peer", "name", "cable", "netns", there)
        _ip("-n", self._tag, "link", "set", f"to-{name}", "master", "bridge", "up")
        _ip("-n", there, "addr", "add", f"{HUB.rpartition('.')[0]}.{number}/24", "dev", "cable")
        _ip("-n", there, "link", "set", "cable", "up")
        _ip("-n", there, "link", "set", "lo", "up")

    def _start_postgres(self) -> None:
        self._installed = postgres_binaries.installation()
        data, secret = self.folder / "postgres", self.folder / "secret"
        self._installed.prepare(data)
        self._password = secrets.token_hex(16)
        secret.write_text(self._password)
        secret.chmod(0o644)
        run = self._installed.run
        run("initdb", "-D", str(data), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--no-locale")
        secret.unlink()
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.119.0.0/24 scram-sha-256\n")
        self._control_postgres("start")
        with contextlib.closing(make_engine(self._address("postgres")).raw_connection()) as connection:
            connection.driver_connection.autocommit = True
            for database in (stack.DATABASE_NAME, stack.DAGSTER_DATABASE_NAME):
                connection.cursor().execute(f"CREATE DATABASE {database}")
        self.dagster = make_engine(self._address(stack.DAGSTER_DATABASE_NAME))

    def _control_postgres(self, action: str) -> None:
        data = self.folder / "postgres"
        options = f"-c listen_addresses={HUB} -p {PORT_POSTGRES} -k {data} -c max_connections=200 -c log_min_messages=warning"
        self._installed.run(
            "pg_ctl", "-D", str(data), "-l", str(data / "server.log"), "-o", options, "-m", "fast", "-w", "-t", "60", action
        )
        self._postmaster = int((data / "postmaster.pid").read_text().split()[0])

    def _address(self, database: str) -> str:
        return f"postgresql://postgres:{self._password}@{HUB}:{PORT_POSTGRES}/{database}"

    def _start_s3(self) -> None:
        self._start("s3", str(Path(sys.executable).with_name("moto_server")), "-H", HUB, "-p", str(PORT_S3))
        import boto3
        from botocore.exceptions import BotoCoreError

        client = boto3.client("s3", endpoint_url=os.environ["CRICKSY_S3_ENDPOINT"])

        def answers() -> bool:
            with contextlib.suppress(BotoCoreError):
                client.create_bucket(Bucket=BUCKET)
                return True
            return False

        until(answers, lambda: self.log("s3"))

    def _start_daemon(self) -> None:
        home = self.folder / "hub" / "home"
        home.mkdir(parents=True)
        said = (project_file("deploy/workers/dagster.yaml")).read_text()
        (home / "dagster.yaml").write_text(re.sub(r"(max_concurrent_runs:) \d+", rf"\1 {self._runs_at_once}", said))
        self._start("daemon", sys.executable, "-m", "dagster._daemon", "run", "-w", str(project_file("workspace.yaml")))

    def _start(self, name: str, *command: str) -> None:
        (self.folder / "hub").mkdir(exist_ok=True)
        with (self.folder / f"{name}.log").open("a") as log:
            self._processes[name] = subprocess.Popen(
                command, cwd=self.folder / "hub", stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def _environment(self, folder: Path, temporary: str | None = None) -> dict[str, str]:
        temporaries = {"TMPDIR": temporary} if temporary else {}
        return {
            **temporaries,
            "CRICKSY_DATA_DIR": str(folder / "data"),
            "DAGSTER_HOME": str(folder / "home"),
            "MPLCONFIGDIR": str(folder / "data"),
            "CRICKSY_MODEL_DIR": str(self._models),
            "CRICKSY_DATABASE_URL": self._address(stack.DATABASE_NAME),
            "CRICKSY_DAGSTER_DATABASE_URL": self._address(stack.DAGSTER_DATABASE_NAME),
            "CRICKSY_BUCKET": BUCKET,
            "CRICKSY_S3_ENDPOINT": f"http://{HUB}:{PORT_S3}",
            "CRICKSY_S3_REGION": "us-east-1",
            "CRICKSY_POSE_WORKERS": "1",
            "CRICKSY_OVERLAYS": "false",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }


def until(true: Callable[[], bool], otherwise: Callable[[], str], within_s: float = UP_WITHIN_S) -> None:
    """Wait for it. Raises AssertionError with what `otherwise` says."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise())
        time.sleep(0.3)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _enter(namespace: int) -> None:
    """This thread's network is that one from now on, and that of the processes which it starts."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


def _end(process: subprocess.Popen) -> None:
    with contextlib.suppress(psutil.Error):
        for one in (*psutil.Process(process.pid).children(recursive=True), process):
            with contextlib.suppress(psutil.Error):
                one.kill()
    process.wait()
