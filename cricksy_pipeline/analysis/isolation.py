"""Native code that may crash, in a process of its own.

Belongs here: starting the child, talking to it, telling how it died, and never leaving one behind. Does not belong here: what the child
does (`pose_process`), the form of the messages (`messages`).

Always a new interpreter, never a fork: a forked copy of a process in which native threads run may hang, and the parent may be Dagster's.
The child gets a short environment of its own: no credential of the parent is in the process that opens a stranger's file.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.messages import BrokenMessage, Message, read_message, write_message
from cricksy_pipeline.errors import CricksyError, ErrorCode

log = logging.getLogger(__name__)

CHILD_MODULE = "cricksy_pipeline.analysis.pose_process"
SILENCE_S = 300.0
"""A child that says nothing for so long hangs; decoding one long 4K group of pictures takes some 20 s. House default, uncalibrated."""

INSTALL_LINE = "apt-get install -y libegl1 libgles2 libgl1 libglib2.0-0"
_LOADER_COMPLAINT = re.compile(r"(lib[\w.+-]*\.so[.\d]*): cannot open shared object file")
_STDERR_LINES = 60
_GRACE_S = 2.0


def missing_library(complaint: str) -> CricksyError | None:
    """What a dynamic loader's complaint means in words, with the line that installs what is missing; None where it is not such a
    complaint."""
    found = _LOADER_COMPLAINT.search(complaint)
    if not found:
        return None
    return CricksyError(ErrorCode.INTERNAL, f"the system library {found[1]} is missing; install it: {INSTALL_LINE}")


class Worker:
    """One child process, which does one task after the other. A context manager: the child is gone at its end, whatever happened inside.

    Args:
        module: run by `python -m`; it ends in `task_loop.serve`.
        silence_s: seconds without a word after which the child counts as hanging.
        environment: variables to add to the child's short environment, such as LD_LIBRARY_PATH.
    """

    def __init__(self, module: str = CHILD_MODULE, *, silence_s: float = SILENCE_S, environment: Mapping[str, str] | None = None) -> None:
        self.silence_s = silence_s
        self.stderr_tail: deque[str] = deque(maxlen=_STDERR_LINES)
        self._task = "start"
        # A session of its own: Ctrl-C in a terminal reaches the parent alone, and the parent ends the child.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**_short_environment(), **(environment or {})},
            start_new_session=True,
            bufsize=0,
        )
        self._drain = threading.Thread(target=self._drain_stderr, name=f"stderr of {self._process.pid}", daemon=True)
        self._drain.start()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def call(
        self,
        task: str,
        header: Mapping[str, Any],
        arrays: Mapping[str, np.ndarray] | None = None,
        on_progress: Callable[[dict[str, Any]], None] | None = None,
    ) -> Message:
        """Have the child do `task`, and wait for the result.

        Raises:
            CricksyError: what the child raised; POSE_CRASHED where it died, hung or answered nonsense; INTERNAL where a system library is
                missing or the child's own code is at fault.
                `error.detail` holds the last lines of its standard error and the trace of its own exception.
        """
        self._task = task
        try:
            with os.fdopen(os.dup(self._process.stdin.fileno()), "wb") as pipe:
                write_message(pipe, Message({**header, "kind": "task", "task": task}, dict(arrays or {})))
        except (BrokenPipeError, ValueError):
            raise self._death() from None
        while True:
            try:
                message = read_message(self._read)
            except BrokenMessage:
                raise self._death() from None
            if message is None:
                raise self._death()
            if message.header["kind"] == "progress":
                if on_progress:
                    on_progress(message.header)
            elif message.header["kind"] == "error":
                raise self._with_detail(CricksyError(ErrorCode(message.header["code"]), message.header["message"]), message.header["trace"])
            else:
                return message

    def _read(self, count: int) -> bytes:
        """Exactly `count` bytes from the child, fewer only where it closed its end."""
        parts, missing = [], count
        pipe = self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while missing:
                if not selector.select(self.silence_s):
                    self.kill()
                    raise self._with_detail(
                        CricksyError(
                            ErrorCode.POSE_CRASHED,
                            f"the analysis process said nothing for {self.silence_s:.0f} s (task {self._task}) and was ended",
                        )
                    )
                part = pipe.read(min(missing, 1 << 20))
                if not part:
                    break
                parts.append(part)
                missing -= len(part)
        return b"".join(parts)

    def _death(self) -> CricksyError:
        """How the child ended, in words. Kills it where it has not."""
        try:
            code = self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = None
        self._drain.join(_GRACE_S)
        missing = missing_library("\n".join(self.stderr_tail))
        if missing:
            return self._with_detail(missing)
        if code is None:
            how = "broke off its answer"
        elif code < 0:
            how = f"was killed by {_signal_name(-code)}"
        else:
            how = f"ended with exit code {code}"
        return self._with_detail(CricksyError(ErrorCode.POSE_CRASHED, f"the analysis process {how} (task {self._task})"))

    def _with_detail(self, error: CricksyError, trace: str = "") -> CricksyError:
        error.detail = "\n".join(filter(None, [*self.stderr_tail, trace.rstrip()]))
        return error

    def _drain_stderr(self) -> None:
        with os.fdopen(os.dup(self._process.stderr.fileno()), "r", errors="replace") as lines:
            for line in lines:
                self.stderr_tail.append(line.rstrip())
                log.debug("child %d: %s", self._process.pid, line.rstrip())

    def kill(self) -> None:
        """End the child now."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def close(self) -> None:
        """End the child: it leaves by itself when its input closes, and is killed where it does not."""
        self._process.stdin.close()
        deadline = time.monotonic() + _GRACE_S
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._drain.join(_GRACE_S)
        self._process.stdout.close()
        self._process.stderr.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self.kill()
        self.close()


PREPARED = 2
"""So many children are started before there is work for them: a short clip has work for no more."""


class Children:
    """Child processes that are kept from one task to the next, since a start and its imports take 0.4 CPU seconds. A context manager: all
    are gone at its end.

    For one run, and the one file that it is about: a child that a file broke into is never shown another one. Safe to use from several
    threads.

    Args:
        most: so many at once; who wants another one waits.
        module: as of `Worker`.
    """

    def __init__(self, most: int, module: str = CHILD_MODULE) -> None:
        self._most, self._module = max(1, most), module
        self._changed = threading.Condition()
        self._idle: list[Worker] = []
        self._busy: set[Worker] = set()
        self._starting = 0
        self._prepared = self._closed = False

    @contextlib.contextmanager
    def one(self) -> Iterator[Worker]:
        """A child that nobody else uses meanwhile. One in which something went wrong is ended, not kept."""
        worker, sound = self._taken(), False
        try:
            yield worker
            sound = True
        finally:
            self._given_back(worker, sound)

    def call(self, task: str, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None) -> Message:
        """One task in a child of its own; see `Worker.call`."""
        with self.one() as worker:
            return worker.call(task, header, arrays)

    def prepare(self) -> None:
        """Start the first of them, once, and have each import what it will need while the caller does something else. Returns at once;
        where it fails, the first task says why."""
        with self._changed:
            if self._prepared or self._closed:
                return
            self._prepared = True

        def ready() -> None:
            with contextlib.suppress(CricksyError):
                self.call("prepare", {})

        for _ in range(min(self._most, PREPARED)):
            threading.Thread(target=ready, name="a child gets ready", daemon=True).start()

    def end_idle(self) -> None:
        """End those that nobody uses, for their memory; new ones are started where they are wanted."""
        with self._changed:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()

    def close(self) -> None:
        """End all of them; whoever uses one, or waits for one, hears that it died."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            for worker in self._busy:
                worker.kill()
            self._changed.notify_all()
        for worker in idle:
            worker.close()

    def _taken(self) -> Worker:
        with self._changed:
            while not self._idle and len(self._busy) + self._starting >= self._most and not self._closed:
                self._changed.wait()
            if self._closed:
                raise CricksyError(ErrorCode.POSE_CRASHED, "the run's analysis processes were ended")
            idle = self._idle.pop() if self._idle else None
            if idle is not None and idle.alive:
                self._busy.add(idle)
                return idle
            self._starting += 1
        worker = None
        try:
            if idle is not None:  # it died while nobody used it
                idle.close()
            worker = _STARTER.submit(Worker, self._module).result()
        finally:
            with self._changed:
                self._starting -= 1
                if worker is not None:
                    self._busy.add(worker)
                    if self._closed:
                        worker.kill()
                self._changed.notify()
        return worker

    def _given_back(self, worker: Worker, sound: bool) -> None:
        if not sound:
            worker.kill()
        with self._changed:
            self._busy.discard(worker)
            keep = sound and worker.alive and not self._closed  # one that was killed may count as alive for a moment
            if keep:
                self._idle.append(worker)
            self._changed.notify()
        if not keep:
            worker.close()

    def __enter__(self) -> Children:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


_STARTER = ThreadPoolExecutor(1, thread_name_prefix="starts children")
"""Linux ends a child when the thread that started it ends, so a thread that stays starts those that are kept."""


@contextlib.contextmanager
def kept_or_own(children: Children | None, most: int = 1) -> Iterator[Children]:
    """The caller's children, or where there are none, children for this block alone."""
    if children is not None:
        yield children
        return
    with Children(most) as own:
        yield own


def run_task(
    task: str,
    header: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray] | None = None,
    *,
    on_progress: Callable[[dict[str, Any]], None] | None = None,
    module: str = CHILD_MODULE,
) -> Message:
    """One task in a child of its own; see `Worker.call`."""
    with Worker(module) as worker:
        return worker.call(task, header, arrays, on_progress)


def _short_environment() -> dict[str, str]:
    """The same modules as the parent's, one thread per numeric library, UTF-8 names; nothing else of the parent's."""
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "PYTHONUTF8": "1", "PATH": os.defpath, **one_thread}


def _signal_name(number: int) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    return f"{name} (perhaps for lack of memory)" if name == "SIGKILL" else name
