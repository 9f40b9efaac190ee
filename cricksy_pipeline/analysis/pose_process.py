"""What runs in the child process: native code over files that nobody vouches for.

Belongs here: the child's side of `isolation` (cut off the network, keep standard output clean, die with the parent, limit its memory).
Does not belong here: the tasks (`pose_tasks`), anything that the parent does. Run by `python -m`, never imported by the parent.

The order of the first lines matters: the network is blocked while this is still a process of one thread that has loaded nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

from cricksy_pipeline.analysis.network import block_network
from cricksy_pipeline.errors import CricksyError

TASK_MODULE = "cricksy_pipeline.analysis.pose_tasks"

MAX_MEMORY = 8 * 1024**3
"""Bytes of private memory. A landmarker takes 0.15 GB (measured), an 8K decoder some 2 GB. House default, uncalibrated."""


def main(task_module: str = TASK_MODULE) -> None:
    """Serve the tasks of `task_module` (a module with a mapping `TASKS`) until the parent goes away."""
    answers = _keep_standard_output()
    _die_with_parent(int(sys.argv[1]))
    _leave_no_core()
    _limit_memory()
    refusal = None
    try:
        block_network()
    except CricksyError as error:
        refusal = error

    from cricksy_pipeline.analysis.task_loop import serve

    serve(answers, task_module, refusal)


def _keep_standard_output() -> int:
    """A private copy of standard output for the answers; what native libraries print goes to standard error instead."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _die_with_parent(parent: int) -> None:
    """Have the kernel end this process when its parent dies. Elsewhere than on Linux the end of standard input does it (`task_loop`)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


def _leave_no_core() -> None:
    """A core dump would hold pictures of the players."""
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_memory() -> None:
    """A file that makes a decoder ask for ever more ends this process, not the run or its neighbours.

    Private memory rather than address space: allocators of many threads reserve far more addresses than they use. Elsewhere than on Linux
    the limit binds little or nothing.
    """
    import resource

    with contextlib.suppress(ValueError, OSError):  # a tighter limit is there already
        resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))


if __name__ == "__main__":
    main()
