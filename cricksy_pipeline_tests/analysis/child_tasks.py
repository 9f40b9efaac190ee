"""Tasks of a child process for the tests of isolation: each misbehaves in one way. Runs itself by `python -m`, as `pose_process` does."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.messages import Message
from cricksy_pipeline.errors import CricksyError, ErrorCode


def echo(request: Message, say) -> Message:
    for done in range(request.header.get("steps", 0)):
        say({"done": done + 1})
    return Message({"said": request.header["say"]}, request.arrays)


def chatter(request: Message, say) -> Message:
    print("python prints", flush=True)
    ctypes.CDLL(None).puts(b"C prints")
    ctypes.CDLL(None).fflush(None)
    os.write(1, b"a system call prints\n")
    return Message({"ok": True})


def die(request: Message, say) -> Message:
    print("about to die", file=sys.stderr, flush=True)
    os.kill(os.getpid(), getattr(signal, request.header["signal"]))
    time.sleep(60)
    return Message({})


def leave(request: Message, say) -> Message:
    os._exit(3)


def hang(request: Message, say) -> Message:
    say({"pid": os.getpid()})
    time.sleep(600)
    return Message({})


def refuse(request: Message, say) -> Message:
    raise CricksyError(ErrorCode.VIDEO_CORRUPT, "this file is broken")


def blunder(request: Message, say) -> Message:
    return Message({"result": 1 // request.header["zero"]})


def load(request: Message, say) -> Message:
    ctypes.CDLL("libcricksy-absent.so.1")
    return Message({})


def environment(request: Message, say) -> Message:
    return Message({"names": sorted(os.environ)})


def sockets(request: Message, say) -> Message:
    """How each way to a network ends: an errno, or 0 where it opened."""
    libc = ctypes.CDLL(None, use_errno=True)
    ends = {}
    for name, family in (
        ("inet", socket.AF_INET),
        ("inet6", socket.AF_INET6),
        ("packet", socket.AF_PACKET),
        ("netlink", socket.AF_NETLINK),
    ):
        ctypes.set_errno(0)
        ends[name] = 0 if libc.socket(int(family), int(socket.SOCK_DGRAM), 0) >= 0 else ctypes.get_errno()
    ctypes.set_errno(0)
    ends["io_uring"] = 0 if libc.syscall(425, 4, ctypes.create_string_buffer(120)) >= 0 else ctypes.get_errno()
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except OSError as error:
        ends["python"] = error.errno
    child = os.fork()  # what it starts is as cut off as itself
    if child == 0:
        os._exit(0 if libc.socket(int(socket.AF_INET), int(socket.SOCK_STREAM), 0) < 0 else 1)
    ends["grandchild"] = os.waitpid(child, 0)[1]
    local = socket.socketpair()
    ends["local"] = 0 if local[0].fileno() >= 0 else 1
    return Message(ends)


def connect(request: Message, say) -> Message:
    """How a connection to a local socket ends: an errno, or 0 where somebody answered."""
    with socket.socket(socket.AF_UNIX) as local:
        return Message({"end": local.connect_ex(request.header["address"])})


def hoard(request: Message, say) -> Message:
    """Asks for memory, a GiB at a time, and uses none of it."""
    return Message({}, {str(part): np.empty(1, bool) for part in range(len([np.empty(2**30, np.uint8) for _ in range(9)]))})


KEPT = []


def bulge(request: Message, say) -> Message:
    """Uses 200 MB in small pieces and frees all but the last, so that the heap's end stays where it is."""
    pieces = [bytes([number % 251]) * 100_000 for number in range(2_000)]
    KEPT.append(pieces[-1])
    return Message({"rss": _resident()})


def weigh(request: Message, say) -> Message:
    return Message({"rss": _resident()})


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def pose_for(request: Message, say) -> Message:
    """Keeps a landmarker at work and notes every internet socket among its own descriptors."""
    from cricksy_pipeline.analysis.blazepose import BlazePose

    seen = set()
    with BlazePose(Path(request.header["model"]), follow=True) as pose:
        start = time.monotonic()
        while (t := time.monotonic() - start) < request.header["seconds"]:
            pose.estimate(np.zeros((64, 64, 3), np.uint8), t)
            seen |= {link for link in _links() if link.startswith("socket:")}
            say({"t": t})
    tables = [line for name in ("tcp", "tcp6", "udp", "udp6") for line in Path(f"/proc/self/net/{name}").read_text().splitlines()[1:]]
    return Message({"sockets": sorted(seen), "own_table_lines": len(tables)})


def _links() -> list[str]:
    links = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(str(entry.readlink()))
    return links


TASKS = {
    f.__name__: f
    for f in (
        echo, chatter, die, leave, hang, refuse, blunder, load, environment, sockets, connect, hoard, bulge, weigh, pose_for,
    )
}  # fmt: skip

if __name__ == "__main__":
    from cricksy_pipeline.analysis.pose_process import main

    main("cricksy_pipeline_tests.analysis.child_tasks")
