"""A worker: the slots of one machine, started, started anew, sent home.

Belongs here: the life of the slots' processes. Does not belong here: what a slot does (`slot`).
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.instance import point_dagster_to
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stop_signals import STOP_SIGNALS, stopped_by_signal

LOOK_S = 0.5
AGAIN_AFTER_S = 5.0
"""A slot that ended in an error is started anew after this: a database that is away must not make a machine spin."""
INTERRUPTED_S = 30.0
"""How long a run that is stopped may take to tell its row."""

_log = logging.getLogger("cricksy.worker")


@dataclass(frozen=True)
class Orders:
    """How a worker works.

    Attributes:
        name: what it is called in Dagster's pages, in PostgreSQL, in its own lines.
        slots: runs at once.
        runs_each: after so many runs a slot's process is started anew, so that memory cannot creep.
        grace_s: how long the runs in hand may go on after the worker was told to stop.
    """

    name: str
    slots: int = 1
    runs_each: int = 500
    grace_s: float = 600.0


def serve(settings: Settings, orders: Orders) -> int:
    """Work until SIGTERM or Ctrl-C, finish the runs in hand, and go. Returns the exit status: 1 where a run had to be stopped.

    A second signal, or the end of the grace period, stops them: their rows say so, and another run follows (`sensors.reconcile`). If this
    process is killed, its slots see that, finish what they have, and end.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE, where the database does not answer or is not at the revision of this code.
    """
    point_dagster_to(settings)
    with stopped_by_signal():
        stack.prepare_database(settings)
        if settings.database_url is None:
            os.environ["CRICKSY_DATABASE_URL"] = stack.database_url(settings)  # one server, held by this process for all slots
        slots = [_Slot(f"{orders.name}/{number + 1}", orders.runs_each) for number in range(orders.slots)]
        _log.info("worker %s: %d slots", orders.name, orders.slots)
        try:
            while True:
                for slot in slots:
                    slot.keep_up()
                time.sleep(LOOK_S)
        except KeyboardInterrupt:
            _log.info("worker %s: finishing the runs in hand, for %.0f s at most", orders.name, orders.grace_s)
        stopped = False
        try:
            for slot in slots:
                slot.send_home()
            stopped = not _all_ended(slots, orders.grace_s)
        except KeyboardInterrupt:
            stopped = True
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        for slot in slots:
            slot.signal(signal.SIGTERM)
        _all_ended(slots, INTERRUPTED_S)
        for slot in slots:
            slot.signal(signal.SIGKILL)
        return int(stopped)


class _Slot:
    """The process of one slot, whichever it is at the moment."""

    def __init__(self, name: str, runs: int) -> None:
        self._command = [sys.executable, "-m", "cricksy_pipeline.orchestration.workers.slot", name, str(runs)]
        self._name = name
        self._not_before = 0.0
        self._process: subprocess.Popen | None = None

    def keep_up(self) -> None:
        """Start it, or start it anew."""
        status = self._process.poll() if self._process else 0
        if status is None:
            return
        if status:
            _log.warning("slot %s ended with status %d", self._name, status)
            self._not_before = time.monotonic() + AGAIN_AFTER_S
        self._process = None
        if time.monotonic() >= self._not_before:
            # A session of its own: Ctrl-C reaches the worker alone. Its standard input is how it knows that the worker lives.
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)

    def send_home(self) -> None:
        """After the run in hand."""
        if self._process:
            self._process.stdin.close()

    def ended(self) -> bool:
        """Whether nothing of it runs."""
        return self._process is None or self._process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """To it and, for SIGKILL, to all that it started."""
        if self.ended():
            return
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)


def _all_ended(slots: list[_Slot], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not all(slot.ended() for slot in slots):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
