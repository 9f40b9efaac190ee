"""One process with all that it starts: wall, CPU and memory.

Belongs here: starting, sampling, waiting. Does not belong here: what is run.

CPU is what the kernel counted for the process and every descendant that was waited for. Memory is the sum of proportional set sizes (a page
that two processes share counts once). To sum them the kernel walks through every page, a hundredth of a second a look: twice a second that
was one or two per cent of a two-core machine, taken from what was measured. So where time is measured they are summed only when the
resident sets, which the kernel knows anyway, have grown, and every few seconds; where memory is measured, at every look. (The kernel's
record of the largest process would be that of whoever started it, from before it became another program.)
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

EVERY_S, CLOSELY_S = 0.5, 0.05
"""Between two looks: where time is measured, and where memory is. A short film's peak lasts a third of a second."""
SUMMED_EVERY_S, GROWN = 5.0, 1.02
"""Where time is measured, so often memory is summed at least, and whenever the resident sets are so much larger than at any sum before."""


@dataclass
class Watched:
    """What a process cost.

    Attributes:
        began: when it was started, seconds since 1970.
        wall_s, cpu_s: until it ended; its descendants' CPU included.
        peak_mb: most memory of the whole tree at once; largest_mb: of a single process.
        samples: (seconds since 1970, CPU seconds so far, MB, MB of the largest process) of the tree; MB as last summed.
        out: standard output.
    """

    began: float
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    largest_mb: float = 0.0
    samples: list[tuple[float, float, float, float]] = field(default_factory=list)
    out: str = ""

    def cpu_until(self, at: float) -> float:
        """CPU seconds used up to a time (seconds since 1970), as near as the samples tell."""
        import numpy as np

        times, used = [self.began, *(s[0] for s in self.samples)], [0.0, *(s[1] for s in self.samples)]
        return float(np.interp(at, [*times, self.began + self.wall_s], [*used, self.cpu_s]))


def watch(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None, every_s: float = EVERY_S) -> Watched:
    """Run it to its end, looking at it every so often.

    Raises:
        RuntimeError: it failed; the message has the end of its standard error.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        began = time.monotonic()
        watched = Watched(time.time())
        process = subprocess.Popen(command, stdout=out, stderr=error, env=env, cwd=cwd, stdin=subprocess.DEVNULL)
        tree = _Tree(psutil.Process(process.pid), closely=every_s <= CLOSELY_S)
        try:
            while True:
                watched.samples.append(tree.sample())
                pid, status, used = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                time.sleep(every_s)
        except BaseException:
            process.terminate()  # the product ends its own children
            process.wait()
            raise
        watched.wall_s = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        error.seek(0)
        watched.out = out.read()
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {error.read()[-2000:]}")
    watched.cpu_s = used.ru_utime + used.ru_stime
    watched.peak_mb, watched.largest_mb = (max(sample[i] for sample in watched.samples) for i in (2, 3))
    return watched


class _Tree:
    """A process and its descendants, looked at again and again."""

    def __init__(self, root: psutil.Process, *, closely: bool) -> None:
        self._root, self._closely = root, closely
        self._summed_at = self._largest_rss = 0.0
        self._mb = (0.0, 0.0)

    def sample(self) -> tuple[float, float, float, float]:
        """See `Watched.samples`."""
        cpu_s, rss, pids, at = 0.0, 0.0, [], time.time()
        with contextlib.suppress(psutil.Error):
            for process in (self._root, *self._root.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    cpu_s += sum(process.cpu_times()[:4])
                    rss += process.memory_info().rss
                    pids.append(process.pid)
        if self._closely or rss > GROWN * self._largest_rss or at - self._summed_at >= SUMMED_EVERY_S:
            kilobytes = [_pss_kb(pid) for pid in pids]
            self._mb = sum(kilobytes) / 1024, max(kilobytes, default=0) / 1024
            self._summed_at, self._largest_rss = at, max(self._largest_rss, rss)
        return at, cpu_s, *self._mb


def _pss_kb(pid: int) -> int:
    """0 where the process has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
