"""Orders that a test gives to the running system, as files in a folder: hold still here, break there.

Belongs here: both ends of that folder, so that a fault happens at a moment of the test's choosing, in whatever process is there then.
Does not belong here: what obeys (`sabotaged_location`), killing processes (`live_stack`).

A moment is the first operation on the object store that fits: in which Dagster step, which operation, on which output.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from cricksy_pipeline.errors import CricksyError, ErrorCode

FOLDER_VARIABLE = "CRICKSY_FAULT_ORDERS"
"""The environment variable by which the system is told the folder."""

POLL_S = 0.05
ANY = "*"
STORE_IS_DOWN = "store_is_down"


@dataclass(frozen=True)
class Moment:
    """A point of a run.

    Attributes:
        step: key of the Dagster step: an asset, or its `..._guardrails`; `*`: any of the run.
        operation: method of the object store.
        output: name of the output, such as `findings.json`.
    """

    step: str
    operation: str = ANY
    output: str = ANY

    def fits(self, step: str | None, operation: str, output: str) -> bool:
        """Whether an operation happens at this moment."""
        return self.step in (ANY, step) and self.operation in (ANY, operation) and self.output in (ANY, output)


@dataclass(frozen=True)
class Reached:
    """A run came to the moment: its process id, and the time (seconds since the epoch)."""

    pid: int
    at: float


class Order:
    """One order, as the test holds it. `given_at` is in seconds since the epoch."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.given_at = time.time()

    def reached(self) -> Reached | None:
        """Who came to the moment first, or None."""
        try:
            return Reached(**json.loads(self._path.with_suffix(".reached").read_text()))
        except FileNotFoundError:
            return None

    def lift(self) -> None:
        """Let whoever is held go on; nobody is held or broken by this order any more."""
        self._path.unlink(missing_ok=True)


class Orders:
    """The folder. Test and system make one each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, job_id: str, moment: Moment, *, deaf: bool = False) -> Order:
        """The job's run stands still at that moment until the order is lifted. What interrupts the run interrupts this, too.

        Args:
            deaf: no signal that a process can ignore interrupts it, as while a native library works.
        """
        return self._give(job_id, "hold deaf" if deaf else "hold", moment, "")

    def crash(self, job_id: str, moment: Moment, words: str) -> Order:
        """The job's run gets an exception that nobody thought of."""
        return self._give(job_id, "crash", moment, words)

    def no_store(self, job_id: str, moment: Moment) -> Order:
        """The object store does not answer the job's run, from that moment on in its step, until the order is lifted."""
        return self._give(job_id, "no store", moment, "")

    def no_resources(self, job_id: str) -> Order:
        """A resource of the job's run cannot be made: no step begins."""
        return self._give(job_id, "no resources", Moment("start"), "the resource is sabotaged")

    def take_store_down(self) -> None:
        """Every operation of every process on the object store fails with STORE_UNAVAILABLE."""
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / STORE_IS_DOWN).touch()

    def bring_store_up(self) -> None:
        (self._folder / STORE_IS_DOWN).unlink(missing_ok=True)

    def obey(self, job_id: str | None, step: str | None, operation: str, output: str) -> None:
        """What the system calls at every operation; raises or waits where an order says so."""
        if (self._folder / STORE_IS_DOWN).exists():
            raise _no_answer()
        for path in sorted((self._folder / job_id).glob("*.json")) if job_id else ():
            try:
                order = json.loads(path.read_text())
            except FileNotFoundError:  # lifted at this moment
                continue
            if Moment(**order["moment"]).fits(step, operation, output):
                self._obey(path, order)

    def _obey(self, path: Path, order: dict) -> None:
        reached = path.with_suffix(".reached")
        if not reached.exists():
            _write(reached, asdict(Reached(os.getpid(), time.time())))
        if order["verb"] == "no store":
            raise _no_answer()
        if not order["verb"].startswith("hold"):
            raise RuntimeError(order["words"])
        while path.exists():
            try:
                time.sleep(POLL_S)
            except BaseException:
                if order["verb"] != "hold deaf":
                    raise

    def _give(self, job_id: str, verb: str, moment: Moment, words: str) -> Order:
        folder = self._folder / job_id
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{time.monotonic_ns()}-{moment.step}.json"
        _write(path, {"verb": verb, "moment": asdict(moment), "words": words})
        return Order(path)


def _no_answer() -> CricksyError:
    return CricksyError(ErrorCode.STORE_UNAVAILABLE, "The object store does not answer: sabotaged.")


def _write(path: Path, content: dict) -> None:
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps(content))
    new.replace(path)
