"""One process with all that it starts: wall, CPU and memory.

Belongs here: starting, sampling, waiting. Does not belong here: what is run.

CPU is what the kernel counted for the process and every descendant that was waited for. Memory is the sum of proportional set sizes (a page
that two processes share counts once), looked at twice a second or more often. (The kernel's record of the largest process would be
that of whoever started it, from before it became another program.)
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
"""Between two looks: where time is measured, and where memory is. Each look takes a hundredth of a second to sum: five a second took a
sixteenth of a core from what was measured. A short film's peak lasts a third of a second."""


@dataclass
class Watched:
    """What a process cost.

    Attributes:
        began: when it was started, seconds since 1970.
        wall_s, cpu_s: until it ended; its descendants' CPU included.
        peak_mb: most memory of the whole tree at once; largest_mb: of a single process.
        samples: (seconds since 1970, CPU seconds so far, MB, MB of the largest process) of the tree.
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
        root = psutil.Process(process.pid)
        try:
            while True:
                watched.samples.append(_sample(root))
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


def _sample(root: psutil.Process) -> tuple[float, float, float, float]:
    cpu_s, kilobytes, at = 0.0, [0], time.time()
    with contextlib.suppress(psutil.Error):
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.Error, OSError):
                cpu_s += sum(process.cpu_times()[:4])
                kilobytes.append(_pss_kb(process.pid))
    return at, cpu_s, sum(kilobytes) / 1024, max(kilobytes) / 1024


def _pss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
