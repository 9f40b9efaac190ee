"""When the log hears of progress, and in which words.

Belongs here: the throttle and the line. Does not belong here: the row's progress, which is written oftener (`stage`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

EVERY_S = 5.0
"""Between two lines of one stage. Each line is a row of Dagster's event log, for ever: a video of 15 minutes is some 60 lines."""


@dataclass
class ProgressLog:
    """The lines of one pass. The first count and the last always have one.

    Attributes:
        clock: monotonic seconds.
    """

    clock: Callable[[], float] = time.monotonic
    _began: tuple[float, int] | None = None
    _said_at: float = 0.0
    _last: int = field(default=-1)
    _wanted: int | None = None

    def line(self, done: int, wanted: int) -> str | None:
        """`812 of 3653 frames (22 %), 41.0 a second, about 69 s left`, or None where it is too early for another line.

        The rate is over all that was counted towards this `wanted`; nothing is said of the time left before there is a rate.
        """
        now = self.clock()
        ended = done >= wanted and self._last != done
        if self._began is not None and not ended and now - self._said_at < EVERY_S:
            return None
        if self._began is None or wanted != self._wanted:  # another count: a rate over both would be of neither
            self._began, self._wanted = (now, done), wanted
        self._said_at, self._last = now, done
        counted = f"{done} of {wanted} frames ({100 * done // wanted if wanted else 100} %)"
        seconds, frames = now - self._began[0], done - self._began[1]
        if seconds <= 0 or frames <= 0:
            return counted
        rate = frames / seconds
        left = f", about {(wanted - done) / rate:.0f} s left" if done < wanted else ""
        return f"{counted}, {rate:.1f} a second{left}"
