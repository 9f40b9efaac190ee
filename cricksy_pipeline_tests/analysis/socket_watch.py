"""A landmarker in a process that is not cut off, in which every wish for an internet socket is noted.

The positive control of the network tests: without it, "nothing left the process" could mean that the library never tries.
Linux on x86_64 or aarch64: a seccomp filter asks this process about every socket(2) of the other one (seccomp_unotify(2)).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

_MACHINES = {"x86_64": (317, 41), "aarch64": (277, 198)}
_PIDFD_OPEN, _PIDFD_GETFD = 434, 438
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND
_CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE


def wishes_for_sockets(model: Path, seconds: float, *, stop_at_first: bool = True) -> list[tuple[float, str]]:
    """Seconds after the start and address family of every internet socket that a process with a landmarker asks for."""
    command = [sys.executable, "-m", __spec__.name, str(model), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        try:
            descriptor = _fetch_descriptor(child.pid, int(child.stdout.readline()))
            child.stdin.write(b"\n")
            child.stdin.flush()
            return list(_answer(child, descriptor, stop_at_first))
        finally:
            child.kill()


def _fetch_descriptor(pid: int, number: int) -> int:
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    descriptor = syscall(_PIDFD_GETFD, syscall(_PIDFD_OPEN, pid, 0), number, 0)
    assert descriptor >= 0, f"cannot fetch the listener: {os.strerror(ctypes.get_errno())}"
    return descriptor


def _answer(child: subprocess.Popen, descriptor: int, stop_at_first: bool):
    """Let the child have its sockets, and yield those of the internet."""
    start = time.monotonic()
    while child.poll() is None:
        if not select.select([descriptor], [], [], 0.1)[0]:
            continue
        wish = bytearray(80)
        try:
            fcntl.ioctl(descriptor, _RECEIVE, wish)
            fcntl.ioctl(descriptor, _ANSWER, struct.pack("<QqiI", struct.unpack_from("<Q", wish)[0], 0, 0, _CONTINUE))
        except OSError:  # the one who asked is gone
            continue
        family = struct.unpack_from("<Q", wish, 32)[0] & 0xFFFFFFFF
        if family in (socket.AF_INET, socket.AF_INET6):
            yield time.monotonic() - start, socket.AddressFamily(family).name
            if stop_at_first:
                return


def _listener() -> int:
    """Install a filter that asks about every socket(2); the descriptor on which it asks."""
    seccomp, socket_number = _MACHINES[platform.machine()]
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0
    lines = ((0x20, 0, 0, 0), (0x15, 0, 1, socket_number), (0x06, 0, 0, 0x7FC00000), (0x06, 0, 0, 0x7FFF0000))  # RET_USER_NOTIF, RET_ALLOW
    program = b"".join(struct.pack("<HBBI", *line) for line in lines)
    code = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("<HxxxxxxQ", len(lines), ctypes.addressof(code))
    descriptor = libc.syscall(seccomp, 1, 8, ctypes.create_string_buffer(described, len(described)))  # FLAG_NEW_LISTENER
    assert descriptor >= 0, f"no listener: {os.strerror(ctypes.get_errno())}"
    return descriptor


def _child() -> None:
    # Once it waits for an answer to its wish for a socket, nothing but SIGKILL ends it: it must not outlive who would answer.
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL
    print(_listener(), flush=True)
    sys.stdin.readline()

    import numpy as np

    from cricksy_pipeline.analysis.blazepose import BlazePose

    with BlazePose(Path(sys.argv[1]), follow=True) as pose:
        start = time.monotonic()
        while time.monotonic() - start < float(sys.argv[2]):
            pose.estimate(np.zeros((64, 64, 3), np.uint8), time.monotonic() - start)
            time.sleep(0.05)


if __name__ == "__main__":
    _child()
