"""The development stack: embedded PostgreSQL, Dagster's UI and daemon, the API, as child processes of one foreground command.

Belongs here: starting, watching and stopping those processes. Does not belong here: what they do.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.instance import prepare_home, project_file
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stop_signals import STOP_SIGNALS, stopped_by_signal
from cricksy_pipeline.store.models import ANALYSIS_MODES

STOP_AFTER_S = 20.0
STREAMS_END_AFTER_S = 3
HOST = "127.0.0.1"


def serve(settings: Settings, *, port: int, api_port: int, console: Console) -> int:
    """Run until Ctrl-C (or SIGTERM, SIGHUP) or until one of the processes ends. Returns the exit status for the shell.

    Nothing is left behind: the children are stopped with all that they started, then the embedded server, if nobody else uses it.
    """
    with stopped_by_signal():
        for option, wanted in (("--port", port), ("--api-port", api_port)):
            if _taken(wanted):
                console.print(f"[red]Port {wanted} is taken, perhaps by another `cricksy dev`.[/red] Choose one with {option}.")
                return 1
        processes: dict[str, subprocess.Popen] = {}
        try:
            stack.prepare_database(settings)
            environment = _environment(settings, api_port)
            for name, command in _commands(port, api_port).items():
                # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
                processes[name] = subprocess.Popen(command, env=environment, cwd=environment["DAGSTER_HOME"], start_new_session=True)
            console.print(f"Pages http://{HOST}:{api_port}   Dagster http://{HOST}:{port}   API http://{HOST}:{api_port}/docs")
            if settings.bucket is None:
                console.print(f"To analyse a video, drop it into {_drop_folder(settings)}/batting (or bowling, wicketkeeping, fielding)")
            console.print("or, in another terminal: [bold]cricksy submit VIDEO --mode batting[/bold]", highlight=False)
            return _watch(processes, console)
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(processes)


def _commands(port: int, api_port: int) -> dict[str, list[str]]:
    dagster = [sys.executable, "-m", "dagster", "dev", "-h", HOST, "-p", str(port)]
    api = [sys.executable, "-m", "uvicorn", "--factory", "cricksy_pipeline.serve_api:app", "--host", HOST, "--port", str(api_port)]
    # Pages that follow an analysis keep a stream open, and would keep the server from ending.
    api += ["--timeout-graceful-shutdown", str(STREAMS_END_AFTER_S)]
    # The workspace and not `-m`: that would call the code location by its module, and a plain `dagster dev` by its name. Runs, sensors
    # and schedules of the one would be strangers to the other.
    return {"dagster": [*dagster, "-w", str(project_file("workspace.yaml"))], "api": api}


def _environment(settings: Settings, api_port: int) -> dict[str, str]:
    """What the children need to find this stack; one server for both databases, started by this process and held by it.

    They stand in Dagster's home, for in the checkout Dagster warns of the other dagster.yaml; so every path is absolute.
    """
    quiet = "ignore:Function `dev_command` is superseded"
    return {
        **os.environ,
        "CRICKSY_DATA_DIR": str(settings.folder),
        "CRICKSY_MODEL_DIR": str(settings.models),
        "CRICKSY_DATABASE_URL": stack.database_url(settings),
        "CRICKSY_DAGSTER_DATABASE_URL": stack.dagster_database_url(settings),
        "CRICKSY_PUBLIC_URL": f"http://{HOST}:{api_port}",
        "DAGSTER_HOME": str(prepare_home(settings)),
        "MPLCONFIGDIR": str(settings.folder / "matplotlib"),
        # Five a tick by default: after an outage the rows of a hundred failed runs would hear of it one minute late.
        "DAGSTER_RUN_STATUS_SENSOR_PROCESS_LIMIT": "25",
        "DAGSTER_RUN_STATUS_SENSOR_FETCH_LIMIT": "100",
        "PYTHONWARNINGS": ",".join(filter(None, (os.environ.get("PYTHONWARNINGS"), quiet))),
    }


def _drop_folder(settings: Settings) -> Path:
    """Where a laptop's uploads go: a folder of its own for each mode, which says what was filmed."""
    folder = settings.folder / "store" / "uploads"
    for mode in ANALYSIS_MODES:
        (folder / mode).mkdir(parents=True, exist_ok=True)
    return folder


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: the sockets of connections just closed are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _watch(processes: dict[str, subprocess.Popen], console: Console) -> int:
    while True:
        for name, process in processes.items():
            status = process.poll()
            if status is not None:
                console.print(f"[red]{name} ended with status {status}; stopping the rest[/red]")
                return 1
        time.sleep(0.5)


def _stop(processes: dict[str, subprocess.Popen]) -> None:
    """Ask every process group to end, and after `STOP_AFTER_S` end what is left of it. A second Ctrl-C does not cut this short."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    groups = [process.pid for process in processes.values()]
    _signal(groups, signal.SIGTERM)
    deadline = time.monotonic() + STOP_AFTER_S
    while any(_members(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.1)
    _signal(groups, signal.SIGKILL)
    for process in processes.values():
        process.wait()


def _signal(groups: list[int], number: signal.Signals) -> None:
    for group in groups:
        with suppress(ProcessLookupError):
            os.killpg(group, number)


def _members(group: int) -> list[int]:
    """Living processes of a group. A run's worker may outlive the one that started it; a zombie is not alive, nor one being reaped."""
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getpgid(process.pid) == group and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
                found.append(process.pid)
    return found
