"""The development stack: embedded PostgreSQL, Dagster's UI and daemon, the API, as child processes of one foreground command.

Belongs here: starting, watching and stopping those processes. Does not belong here: what they do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.instance import prepare_home
from cricksy_pipeline.settings import Settings

STOP_AFTER_S = 20.0


def serve(settings: Settings, *, port: int, api_port: int, console: Console) -> int:
    """Run until Ctrl-C or until one of the processes ends. Returns the exit status for the shell."""
    stack.migrate(settings)
    environment = _environment(settings, api_port)
    bin_dir = Path(sys.executable).parent
    commands = {
        "dagster": [str(bin_dir / "dagster"), "dev", "-m", "cricksy_pipeline.definitions", "-h", "127.0.0.1", "-p", str(port)],
        "api": [
            sys.executable,
            "-m",
            "uvicorn",
            "--factory",
            "cricksy_pipeline.serve_api:app",
            "--host",
            "127.0.0.1",
            "--port",
            str(api_port),
        ],
    }
    processes = {name: subprocess.Popen(command, env=environment, start_new_session=True) for name, command in commands.items()}
    console.print(f"Dagster http://127.0.0.1:{port}   API http://127.0.0.1:{api_port}/docs")
    console.print("To analyse a video, in another terminal: [bold]cricksy submit VIDEO --mode batting[/bold]")
    try:
        return _watch(processes, console)
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(processes)


def _environment(settings: Settings, api_port: int) -> dict[str, str]:
    """What the children need to find this stack; one server for both databases, started by this process and held by it."""
    return {
        **os.environ,
        "CRICKSY_DATA_DIR": str(settings.folder),
        "CRICKSY_DATABASE_URL": stack.database_url(settings),
        "CRICKSY_DAGSTER_DATABASE_URL": stack.dagster_database_url(settings),
        "CRICKSY_PUBLIC_URL": f"http://127.0.0.1:{api_port}",
        "DAGSTER_HOME": str(prepare_home(settings)),
    }


def _watch(processes: dict[str, subprocess.Popen], console: Console) -> int:
    while True:
        for name, process in processes.items():
            status = process.poll()
            if status is not None:
                console.print(f"[red]{name} ended with status {status}; stopping the rest[/red]")
                return 1
        time.sleep(0.5)


def _stop(processes: dict[str, subprocess.Popen]) -> None:
    for process in processes.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_AFTER_S
    for process in processes.values():
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
