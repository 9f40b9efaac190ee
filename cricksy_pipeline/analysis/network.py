"""Cutting this process off from every network, for good.

Belongs here: the block and the proof that it holds. Does not belong here: who needs it (`pose_process`). Only the standard library is
imported, and nothing that starts threads: the block must stand before any other code runs.

MediaPipe 1.2.2 was seen to open TLS connections to its maker some seconds after a landmarker was made, and asks for an internet socket as
soon as it is loaded; none of its Python options turns that off. The footage shows children. So the process that sees it has no network: on
Linux a seccomp filter refuses every socket but local ones, connecting those to anything (a database may listen on a local socket and
trust whoever comes; pairs of sockets remain), and io_uring, through which all of that could be had as well; where the process is allowed
to (root, containers with CAP_SYS_ADMIN), it also moves into an empty network namespace. On macOS the system's sandbox
profile "no-network" does the same (sandbox_init(3); written from its manual page, not tested here). Where nothing can be put in place,
the process refuses to work.
"""

from __future__ import annotations

import ctypes
import platform
import socket
import struct
import sys

from cricksy_pipeline.errors import CricksyError, ErrorCode

_CLONE_NEWNET = 0x40000000
_PR_SET_NO_NEW_PRIVS = 38
_SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC = 1, 1
_EACCES = 13
_IO_URING_SETUP = 425
_MACHINES = {"x86_64": (0xC000003E, 317, 41, 42), "aarch64": (0xC00000B7, 277, 198, 203)}
"""Machine: its AUDIT_ARCH, and its numbers for seccomp(2), socket(2) and connect(2)."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGE|K, BPF_RET|K
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, little-endian
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | _EACCES


def block_network() -> tuple[str, ...]:
    """Take the network from this process and everything it starts; returns what was put in place.

    Call it before any thread exists: the namespace is the calling thread's and of those it starts.

    Raises:
        CricksyError: INTERNAL, where the block cannot be put in place or does not hold.
    """
    if sys.platform == "linux":
        measures = tuple(name for name, works in (("namespace", _leave_network_namespace()), ("seccomp", _refuse_sockets())) if works)
    elif sys.platform == "darwin":
        measures = ("sandbox",) if _enter_sandbox() else ()
    else:
        measures = ()
    if not measures or (measures != ("namespace",) and _can_make_socket()):
        raise CricksyError(
            ErrorCode.INTERNAL,
            "the pose process cannot be cut off from the network on this machine, and will not look at footage without that; "
            "run it on Linux (x86_64 or aarch64) where seccomp filters are allowed, or as root",
        )
    return measures


def _leave_network_namespace() -> bool:
    return ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) == 0


def _refuse_sockets() -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.maxsize < 2**32:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    # The kernel demands it of unprivileged processes: nothing this one executes may gain rights and so escape the filter.
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    program = _filter(machine[0], machine[2], machine[3])
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):  # struct sock_fprog
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    described = Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    libc.syscall.restype = ctypes.c_long
    return libc.syscall(machine[1], _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC, ctypes.byref(described)) == 0


def _filter(arch: int, socket_number: int, connect_number: int) -> bytes:
    """Classic BPF over struct seccomp_data: socket(2) only for AF_UNIX; connect(2), io_uring and calls of a foreign architecture not at
    all."""
    lines = (
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 0, 8, arch),  # a foreign architecture numbers its calls otherwise: refuse
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 6, 0, 0x40000000),  # x32 numbers its calls otherwise, too
        (_EQUAL, 5, 0, _IO_URING_SETUP),
        (_EQUAL, 4, 0, connect_number),
        (_EQUAL, 0, 2, socket_number),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUAL, 0, 1, socket.AF_UNIX),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    )
    return b"".join(struct.pack("<HBBI", *line) for line in lines)


def _enter_sandbox() -> bool:
    try:
        system = ctypes.CDLL("/usr/lib/libSystem.dylib")
        error = ctypes.c_char_p()
        return system.sandbox_init(b"no-network", ctypes.c_uint64(1), ctypes.byref(error)) == 0
    except (OSError, AttributeError):
        return False


def _can_make_socket() -> bool:
    """Whether an internet socket can still be had, the way a library would ask for it."""
    descriptor = ctypes.CDLL(None, use_errno=True).socket(int(socket.AF_INET), int(socket.SOCK_STREAM), 0)
    if descriptor < 0:
        return False
    socket.socket(fileno=descriptor).close()
    if sys.platform == "darwin":  # there the sandbox refuses the connection, not the socket
        return False
    return True
