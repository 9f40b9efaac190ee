"""The child's loop: read a task, do it, answer.

Belongs here: reading requests, calling tasks, turning every error into an answer. Does not belong here: what a task does (`pose_tasks`),
how the process is prepared (`pose_process`).
"""

from __future__ import annotations

import importlib
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from cricksy_pipeline.analysis.isolation import missing_library
from cricksy_pipeline.analysis.messages import BrokenMessage, Message, read_message, write_message
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.loading import return_large_blocks, trim_heap

Say = Callable[[Mapping[str, Any]], None]
"""Called by a task with its progress, a JSON object."""

Task = Callable[[Message, Say], Message]


def serve(answers: int, task_module: str, refusal: CricksyError | None = None) -> None:
    """Do tasks until standard input ends; never returns.

    Args:
        answers: file descriptor that the parent reads.
        task_module: name of the module whose mapping `TASKS` holds the tasks; imported with the first task, so that a failing import is
            an answer.
        refusal: where given, every task is answered with it.
    """
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    # The main thread is busy with the task: another one notices that the parent is gone.
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    with os.fdopen(answers, "wb") as pipe:
        while True:
            request = requests.get()
            return_large_blocks()  # the pictures in which the player is chosen: 0.1 GB less at the most
            write_message(pipe, _answer(request, pipe, task_module, refusal))
            trim_heap()  # what else he was chosen in: another 0.1 GB, which a kept child would hold while it follows him


def _listen(requests: queue.SimpleQueue[Message]) -> None:
    try:
        while (message := read_message(sys.stdin.buffer.read)) is not None:
            requests.put(message)
    except BrokenMessage:
        pass
    finally:
        os._exit(0)


def _answer(request: Message, pipe: Any, task_module: str, refusal: CricksyError | None) -> Message:
    name = request.header["task"]
    try:
        if refusal:
            raise refusal
        tasks: Mapping[str, Task] = importlib.import_module(task_module).TASKS
        result = tasks[name](request, lambda progress: write_message(pipe, Message({**progress, "kind": "progress"})))
        return Message({**result.header, "kind": "result"}, result.arrays)
    except CricksyError as error:
        return _error(error)
    except MemoryError:
        return _error(CricksyError(ErrorCode.POSE_CRASHED, f"the analysis process ran out of memory (task {name})"))
    except Exception as error:
        known = missing_library(str(error))
        return _error(
            known or CricksyError(ErrorCode.INTERNAL, f"the analysis process failed: {type(error).__name__}: {error} (task {name})"),
            # In the answer, not on standard error: that is another pipe, and may be read later.
            trace=traceback.format_exc(),
        )


def _error(error: CricksyError, trace: str = "") -> Message:
    return Message({"kind": "error", "code": str(error.code), "message": error.message, "trace": trace})
