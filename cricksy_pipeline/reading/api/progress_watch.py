"""One look a second at all jobs that anybody follows, shared by all who follow.

Belongs here: the polling and handing out. Does not belong here: the query (`store.job_standing`), the wire format (`events`). A hundred
open pages cost the database what one costs; with nobody following nothing is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection

from starlette.concurrency import run_in_threadpool

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.store.job_standing import Standing

log = logging.getLogger(__name__)

Look = Callable[[Collection[str]], dict[str, Standing]]


class ProgressWatch:
    """Follows jobs for the requests of one process.

    Args:
        look: how far each of these jobs is; those that are gone are left out. May raise CricksyError, and is then asked again.
        every_s: seconds from one look to the next.
    """

    def __init__(self, look: Look, *, every_s: float = 1.0) -> None:
        self.look, self.every_s = look, every_s
        self._followed: Counter[str] = Counter()
        self._seen: dict[str, Standing | None] = {}
        self._looked = asyncio.Event()
        self._task: asyncio.Task | None = None

    async def follow(self, job_id: str) -> AsyncIterator[Standing | None]:
        """Where the job is now, and then once after every look. None: it is not there (any more), and the end.

        Raises:
            CricksyError: where the first look fails.
        """
        first = (await run_in_threadpool(self.look, [job_id])).get(job_id)
        yield first
        if first is None:
            return
        self._followed[job_id] += 1
        try:
            while True:
                await self._next_look()
                if job_id in self._seen:  # else that look began before this one followed
                    yield self._seen[job_id]
                    if self._seen[job_id] is None:
                        return
        finally:
            self._followed[job_id] -= 1
            self._followed += Counter()  # those that nobody follows any more go

    async def _next_look(self) -> None:
        # A task belongs to the loop that it was made in; an app may outlive that.
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._looked = asyncio.Event()
            self._task = asyncio.create_task(self._keep_looking())
        await self._looked.wait()

    async def _keep_looking(self) -> None:
        while self._followed:
            await asyncio.sleep(self.every_s)
            followed = list(self._followed)
            try:
                self._seen = {**dict.fromkeys(followed), **await run_in_threadpool(self.look, followed)}
            except CricksyError as error:
                log.warning("the progress of %d jobs could not be read: %s", len(followed), error)
            except Exception:  # a fault of ours: whoever waits must hear of the next look, and not hang for ever
                log.exception("the progress of %d jobs could not be read", len(followed))
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
