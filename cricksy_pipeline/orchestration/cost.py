"""What a stage cost, for the estimates of a backfill.

Belongs here: wall and CPU time of this process and of the children it has waited for. Does not belong here: where it is kept.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, field


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


@dataclass
class Cost:
    """Time since it was made, in seconds."""

    _wall: float = field(default_factory=time.monotonic)
    _cpu: float = field(default_factory=_cpu_s)

    def so_far(self) -> dict[str, float]:
        """{"seconds": wall, "cpu_s": CPU of this process and its ended children}."""
        return {"seconds": round(time.monotonic() - self._wall, 3), "cpu_s": round(_cpu_s() - self._cpu, 3)}
