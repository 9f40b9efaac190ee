"""The development stack stops with everything it started, however it is told to."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from cricksy_pipeline import dev
from cricksy_pipeline.settings import Settings

PARENT_THAT_LEAVES_A_CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


@pytest.fixture
def signals_kept():
    before = {number: signal.getsignal(number) for number in dev.STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_what_a_process_left_behind_in_its_group_is_stopped_too(signals_kept):
    leader = subprocess.Popen([sys.executable, "-c", PARENT_THAT_LEAVES_A_CHILD], start_new_session=True)
    leader.wait()
    assert len(dev._members(leader.pid)) == 1
    dev._stop({"leader": leader})
    assert not dev._members(leader.pid)


def test_a_process_that_does_not_heed_the_signal_is_killed(signals_kept, monkeypatch):
    monkeypatch.setattr(dev, "STOP_AFTER_S", 0.2)
    deaf = subprocess.Popen([sys.executable, "-c", DEAF], start_new_session=True, stdout=subprocess.PIPE)
    deaf.stdout.readline()
    dev._stop({"deaf": deaf})
    deaf.stdout.close()
    assert deaf.returncode == -signal.SIGKILL


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path):
    console = Console(file=io.StringIO(), width=200)
    with socket.socket() as other:
        other.bind((dev.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        assert dev.serve(Settings(data_dir=tmp_path / "data"), port=port, api_port=port, console=console) == 1
    assert f"Port {port} is taken" in console.file.getvalue() and not (tmp_path / "data").exists()


def test_the_code_location_has_the_name_that_a_plain_dagster_dev_gives_it():
    command = dev._commands(1, 2)["dagster"]
    workspace = Path(command[command.index("-w") + 1])
    assert workspace.name == "workspace.yaml" and workspace.is_absolute() and "-m" not in command[3:]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_stops_ui_daemon_api_and_database(tmp_path, number):
    port, api_port = _free_port(), _free_port()
    environment = {**os.environ, "CRICKSY_DATA_DIR": str(tmp_path / "data")}
    cli = "from cricksy_pipeline.cli import main; main()"
    command = [sys.executable, "-c", cli, "dev", "--port", str(port), "--api-port", str(api_port)]
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        _until(lambda: _answers(port, "/server_info") and _answers(api_port, "/healthz"))
        assert _of(tmp_path), "nothing was started"
        running.send_signal(number)
        assert running.wait(60) == 0
        # PostgreSQL counts as stopped when it has removed its pid file; its last process leaves a moment later.
        deadline = time.monotonic() + 10
        while (left := _of(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left
    finally:
        for process in [*_of(tmp_path), *([psutil.Process(running.pid)] if running.poll() is None else [])]:
            with contextlib.suppress(psutil.Error):
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((dev.HOST, 0))
        return probe.getsockname()[1]


def _answers(port: int, path: str) -> bool:
    try:
        return urllib.request.urlopen(f"http://{dev.HOST}:{port}{path}", timeout=5).status == 200
    except OSError:
        return False


def _until(true) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline, "it never came up"
        time.sleep(0.5)


def _of(folder: Path) -> list[psutil.Process]:
    """Living processes that stand in the folder or name it: children of the stack, and the database server."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            named = str(folder) in " ".join(process.cmdline()) or str(folder) in process.environ().get("CRICKSY_DATA_DIR", "")
            if named and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found
