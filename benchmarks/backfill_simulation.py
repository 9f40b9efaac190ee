"""How long a backfill takes on so many machines: a small simulation.

Belongs here: runs, slots, and the two things that all machines share: the daemon that creates runs, and PostgreSQL. Does not belong here:
prices and the page (`cost`), the real run that it is checked against (`cost --check`).

What is assumed: a slot does one run after the other; with one pose process per slot and a slot per core a run takes as long as its CPU
seconds, for no core waits for another; runs are taken in the order in which they were created. What is left out: machines that fail,
transfer from the object store (a video of 1080p is read at 15 Mbit/s of its own time, hundreds of times faster than it is analysed), and
everything else that a database does.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Shared:
    """What does not grow with the number of machines.

    Attributes:
        runs_per_s: created by the daemon, at most.
        database_cores: of PostgreSQL.
        database_cpu_s: that a run uses there.
    """

    runs_per_s: float
    database_cores: float
    database_cpu_s: float


@dataclass(frozen=True)
class Told:
    """What came of it.

    Attributes:
        took_s: from the first run's creation to the last one's end.
        busy: share of the slots' time in which they worked.
        bound_by: what it would take longer for with more machines: "workers", "the daemon" or "PostgreSQL".
    """

    took_s: float
    busy: float
    bound_by: str


def simulate(run_s: Sequence[float], slots: int, shared: Shared | None = None) -> Told:
    """A backfill of runs that take so long on one slot, in the order of their creation.

    Args:
        run_s: seconds of each run on one slot.
        slots: on all machines together.
        shared: None: nothing is short.

    Raises ValueError without runs or slots.
    """
    if not len(run_s) or slots < 1:
        raise ValueError("a backfill needs runs, and somebody who does them")
    pace_s = 1 / shared.runs_per_s if shared else 0.0
    free = [0.0] * min(slots, len(run_s))
    end_s = 0.0
    for number, seconds in enumerate(run_s):
        ended = max(heapq.heappop(free), number * pace_s) + seconds
        heapq.heappush(free, ended)
        end_s = max(end_s, ended)
    database_s = len(run_s) * shared.database_cpu_s / shared.database_cores if shared else 0.0
    took_s = max(end_s, database_s)
    limits = {"workers": sum(run_s) / slots, "the daemon": len(run_s) * pace_s, "PostgreSQL": database_s}
    return Told(took_s, sum(run_s) / (took_s * slots), max(limits, key=lambda name: limits[name]))
