"""The child process: what it dies of is told, what it prints does no harm, nothing of it stays behind, nothing leaves it."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from cricksy_pipeline.analysis.isolation import Children, Worker, missing_library, run_task
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline_tests.analysis.socket_watch import wishes_for_sockets

CHILD = "cricksy_pipeline_tests.analysis.child_tasks"
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and uses seccomp, which only Linux has")


def failure(task: str, **header) -> CricksyError:
    with pytest.raises(CricksyError) as caught, Worker(CHILD) as worker:
        worker.call(task, header)
    return caught.value


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def gone(pid: int, patience_s: float = 20) -> bool:
    until = time.monotonic() + patience_s
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def test_arrays_and_progress_come_through_unchanged_and_a_worker_serves_again():
    arrays = {"a": np.arange(300_000, dtype=np.int64).reshape(300, 1000), "b": np.array([np.nan, 1.5], np.float32)}
    progress = []
    with Worker(CHILD) as worker:
        for _ in range(2):
            answer = worker.call("echo", {"say": "Grüße", "steps": 3}, arrays, lambda said: progress.append(said["done"]))
            assert answer.header["said"] == "Grüße"
            assert all(np.array_equal(answer.arrays[name], arrays[name], equal_nan=True) for name in arrays)
            assert answer.arrays["b"].dtype == np.float32
    assert progress == [1, 2, 3] * 2


def test_what_python_and_c_print_does_not_break_the_answers():
    with Worker(CHILD) as worker:
        assert worker.call("chatter", {}).header["ok"]
        assert worker.call("chatter", {}).header["ok"]
    assert {"python prints", "C prints", "a system call prints"} <= set(worker.stderr_tail)


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT"])
def test_a_death_by_signal_is_a_pose_crash_that_names_the_signal(name):
    error = failure("die", signal=name)
    assert error.code == ErrorCode.POSE_CRASHED
    assert name in error.message
    assert ("memory" in error.message) == (name == "SIGKILL")
    assert "about to die" in error.detail
    assert "about to die" not in error.message


def test_an_exit_is_a_pose_crash_that_names_the_code():
    error = failure("leave")
    assert error.code == ErrorCode.POSE_CRASHED
    assert "exit code 3" in error.message


def test_a_child_that_says_nothing_is_ended():
    with pytest.raises(CricksyError) as caught, Worker(CHILD, silence_s=0.3) as worker:
        worker.call("hang", {})
    assert caught.value.code == ErrorCode.POSE_CRASHED
    assert gone(worker.pid)


def test_a_child_that_cannot_start_is_a_pose_crash_with_its_last_words():
    with pytest.raises(CricksyError) as caught:
        run_task("echo", {"say": ""}, module="cricksy_pipeline_tests.analysis.no_such_module")
    assert caught.value.code == ErrorCode.POSE_CRASHED
    assert "no_such_module" in caught.value.detail


def test_an_error_with_a_code_crosses_the_border_as_it_is():
    error = failure("refuse")
    assert (error.code, error.message) == (ErrorCode.VIDEO_CORRUPT, "this file is broken")


def test_a_fault_in_the_childs_code_is_ours_and_keeps_its_trace():
    error = failure("blunder", zero=0)
    assert error.code == ErrorCode.INTERNAL
    assert "ZeroDivisionError" in error.message
    assert "Traceback" in error.detail


@linux
def test_a_missing_system_library_is_named_with_the_line_that_installs_it():
    error = failure("load")
    assert error.code == ErrorCode.INTERNAL
    assert "libcricksy-absent.so.1 is missing" in error.message
    assert "apt-get install -y libegl1 libgles2 libgl1 libglib2.0-0" in error.message


@pytest.mark.parametrize("name", ["libEGL.so.1", "libGLESv2.so.2", "libGL.so.1", "libglib-2.0.so.0", "libstdc++.so.6"])
def test_a_loaders_complaint_is_translated(name):
    assert name in missing_library(f"ImportError: {name}: cannot open shared object file: No such file or directory").message
    assert missing_library(f"{name} is fine") is None


def test_no_credential_of_the_parent_reaches_the_child(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("CRICKSY_DATABASE_URL", "postgresql://user:password@host/db")
    names = run_task("environment", {}, module=CHILD).header["names"]
    assert "PYTHONPATH" in names
    assert not [name for name in names if name.startswith(("AWS", "CRICKSY"))]


@linux
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_child_outlives_its_parent(ending):
    code = (
        "from cricksy_pipeline.analysis.isolation import Worker\n"
        f"with Worker({CHILD!r}) as worker:\n"
        "    worker.call('hang', {}, on_progress=lambda said: print(said['pid'], flush=True))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as parent:
        try:
            pid = int(parent.stdout.readline())
            assert alive(pid)
            parent.send_signal(ending)
            parent.wait(20)
        finally:
            parent.kill()
    assert gone(pid)


@linux
def test_an_exception_in_the_parent_ends_the_child():
    with pytest.raises(KeyboardInterrupt), Worker(CHILD) as worker:
        worker.call("hang", {}, on_progress=_interrupt)
    assert gone(worker.pid)


def _interrupt(said):
    raise KeyboardInterrupt


def test_a_kept_child_serves_one_task_after_the_other_whatever_thread_asks():
    pids = []

    def ask(children: Children) -> None:
        with children.one() as child:
            assert child.call("echo", {"say": "once more"}).header["said"] == "once more"
            pids.append(child.pid)

    with Children(1, CHILD) as children:
        for _ in range(3):
            asking = threading.Thread(target=ask, args=(children,))
            asking.start()
            asking.join(20)
        assert len(pids) == 3 and len(set(pids)) == 1 and alive(pids[0])
    assert gone(pids[0])


@pytest.mark.parametrize("task", ["die", "refuse"])
def test_a_child_in_which_something_went_wrong_is_not_kept(task):
    with Children(1, CHILD) as children:
        with pytest.raises(CricksyError), children.one() as child:
            first = child.pid
            child.call(task, {"signal": "SIGSEGV"})
        assert gone(first)
        assert children.call("echo", {"say": "alive"}).header["said"] == "alive"


def test_a_kept_child_that_was_killed_while_nobody_used_it_is_replaced():
    with Children(1, CHILD) as children:
        with children.one() as child:
            pass
        os.kill(child.pid, signal.SIGKILL)
        while child.alive:  # its threads may outlive the zombie that `gone` sees
            time.sleep(0.02)
        assert children.call("echo", {"say": "alive"}).header["said"] == "alive"


def test_there_are_never_more_children_than_were_allowed_and_nobody_waits_in_vain():
    pids: set[int] = set()

    def ask() -> None:
        with children.one() as child:
            pids.add(child.pid)
            child.call("echo", {"say": "", "steps": 3})

    with Children(2, CHILD) as children:
        asking = [threading.Thread(target=ask) for _ in range(6)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join(30)
        assert 1 <= len(pids) <= 2
    assert all(gone(pid) for pid in pids)


def test_idle_children_can_be_ended_and_come_again_when_they_are_wanted():
    with Children(2, CHILD) as children:
        with children.one() as one, children.one() as other:
            children.end_idle()
            assert one.call("echo", {"say": "at work"}).header["said"] == "at work"
        children.end_idle()
        assert gone(one.pid) and gone(other.pid)
        assert children.call("echo", {"say": "again"}).header["said"] == "again"


@linux
def test_a_child_does_not_keep_what_its_last_task_needed():
    with Worker(CHILD) as worker:
        held = worker.call("bulge", {}).header["rss"]
        assert held - worker.call("weigh", {}).header["rss"] > 150e6


def test_whoever_is_at_work_when_the_run_ends_hears_of_it():
    ended = []
    children = Children(1, CHILD)

    def ask() -> None:
        try:
            with children.one() as child:
                child.call("hang", {}, on_progress=lambda said: hanging.set())
        except CricksyError as error:
            ended.append(error.code)

    hanging, asking = threading.Event(), [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    assert hanging.wait(20)
    children.close()
    for thread in asking:
        thread.join(20)
    assert ended == [ErrorCode.POSE_CRASHED] * 2


@linux
def test_no_kept_child_outlives_a_killed_parent():
    code = (
        "import time\n"
        "from cricksy_pipeline.analysis.isolation import Children\n"
        f"children = Children(1, {CHILD!r})\n"
        "with children.one() as child:\n"
        "    print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as parent:
        try:
            pid = int(parent.stdout.readline())
            assert alive(pid)
        finally:
            parent.kill()
    assert gone(pid)


@linux
def test_every_way_to_a_network_is_closed_and_local_sockets_are_not():
    ends = run_task("sockets", {}, module=CHILD).header
    ends.pop("kind")
    assert {name: ends.pop(name) for name in ("local", "grandchild")} == {"local": 0, "grandchild": 0}
    assert ends == dict.fromkeys(("inet", "inet6", "packet", "netlink", "io_uring", "python"), errno.EACCES)


@linux
def test_a_local_listener_cannot_be_reached():
    """A database may listen there and trust whoever comes."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:  # the address may not be long
        address = f"{folder}/s"
        listener.bind(address)
        listener.listen()
        with socket.socket(socket.AF_UNIX) as control:
            assert control.connect_ex(address) == 0
        assert run_task("connect", {"address": address}, module=CHILD).header["end"] == errno.EACCES


@linux
def test_a_child_that_asks_for_ever_more_memory_is_ended_by_it():
    error = failure("hoard")
    assert error.code == ErrorCode.POSE_CRASHED
    assert "ran out of memory" in error.message


def blocked(*left_out: str) -> subprocess.CompletedProcess:
    """`block_network` in a process of its own, with some of its measures unavailable, then a try at a socket."""
    code = (
        "import ctypes\nfrom cricksy_pipeline.analysis import network\nfrom cricksy_pipeline.errors import CricksyError\n"
        + "".join(f"network.{name} = lambda: False\n" for name in left_out)
        + "try:\n    print(network.block_network(), ctypes.CDLL(None).socket(2, 1, 0))\nexcept CricksyError as error:\n    print(error)\n"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


@linux
def test_without_rights_to_a_namespace_the_filter_alone_holds():
    assert blocked("_leave_network_namespace").stdout.split() == ["('seccomp',)", "-1"]


@linux
def test_where_nothing_can_be_blocked_the_process_refuses_to_work():
    said = blocked("_leave_network_namespace", "_refuse_sockets").stdout
    assert said.startswith("INTERNAL") and "cut off from the network" in said


@linux
def test_the_pose_library_asks_for_an_internet_socket_where_it_may(pose_model):
    """The control: were this to fail, the next test would prove nothing."""
    wishes = wishes_for_sockets(pose_model.path, 8)
    assert [family for _, family in wishes] in (["AF_INET"], ["AF_INET6"])


@linux
def test_nothing_leaves_the_pose_process(pose_model):
    _assert_no_internet_socket(pose_model, seconds=8)


@linux
@pytest.mark.slow
def test_nothing_leaves_the_pose_process_in_a_minute(pose_model):
    _assert_no_internet_socket(pose_model, seconds=65)


def _assert_no_internet_socket(pose_model, seconds: float) -> None:
    seen_from_outside: set[str] = set()
    with Worker(CHILD) as worker:

        def look(said) -> None:
            for link in Path(f"/proc/{worker.pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    seen_from_outside.add(str(link.readlink()))

        answer = worker.call("pose_for", {"model": str(pose_model.path), "seconds": seconds}, on_progress=look)
    assert answer.header["sockets"] == []
    assert any(link.startswith("pipe:") for link in seen_from_outside)  # the look did look
    assert not [link for link in seen_from_outside if link.startswith("socket:")]
