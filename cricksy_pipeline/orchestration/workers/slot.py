"""One slot of a worker: a process that stays warm, and does one run after the other.

Belongs here: taking an offered run, executing it on what is open already, watching meanwhile whether it is still wanted, going home.
Does not belong here: how many slots there are, and who starts them anew (`host`).

    python -m cricksy_pipeline.orchestration.workers.slot NAME RUNS

It ends after so many runs, or when its standard input ends: after the run in hand, never in the middle of it. SIGTERM stops the run too, as
it would in a process of the run's own.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import select
import signal
import sys
import threading
import time

import dagster as dg
from dagster import DagsterExecutionInterruptedError, DagsterRunStatus
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._grpc.impl import core_execute_run
from dagster._utils.interrupts import capture_interrupts, pop_captured_interrupt
from sqlalchemy.exc import DBAPIError

from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.instance import point_dagster_to
from cricksy_pipeline.orchestration.workers.offers import NAMED, LostOffer, Offer, Offers
from cricksy_pipeline.settings import Settings

LOOK_S = 0.5
"""How often a slot without a run asks for one: two small statements."""
WATCH_S = 2.0
"""How often it asks whether the run in hand is still wanted. PostgreSQL that was started again finds the lock back within this."""
WORKER_TAG = "cricksy/worker"

_log = logging.getLogger("cricksy.worker")


class Slot:
    """What stays open between runs."""

    def __init__(self, settings: Settings, name: str, instance: dg.DagsterInstance) -> None:
        self._name, self._instance = name, instance
        self._offers = Offers(stack.dagster_database_url(settings), f"{NAMED}{name}"[:63])
        # The module opens rows and objects once, for all runs; Dagster keeps the job that it made of it last.
        self._repository = ReconstructableRepository.for_module("cricksy_pipeline.orchestration.workers.warm_definitions", "defs")
        self._repository.get_definition()

    def work(self, most: int) -> None:
        """Up to so many runs, until told to stop."""
        done, pause_s = 0, 0.0
        with capture_interrupts(), contextlib.closing(self._offers):
            while done < most and not _told_to_go_home(pause_s) and not pop_captured_interrupt():
                offer = self._look()
                pause_s = 0.0 if offer else LOOK_S
                done += offer is not None
                if offer and not self._execute(offer):
                    return

    def _look(self) -> Offer | None:
        try:
            return self._offers.take()
        except DBAPIError as error:
            _log.warning("no answer from Dagster's database: %s", _first_line(error))
            time.sleep(WATCH_S)
            return None

    def _execute(self, offer: Offer) -> bool:
        """One run, whatever comes of it. Returns whether this process may take another: not after a signal that was meant for it."""
        began, cpu = time.monotonic(), time.process_time()
        watch = _Watch(self._offers, offer)
        stopped = False
        try:
            with watch:
                stopped = not self._run(offer) and not watch.interrupted
        except Exception:  # the run has been told already, in its own log
            _log.exception("run %s", offer.run_id)
        stopped |= pop_captured_interrupt() and not watch.interrupted
        status = self._said_how_it_ended(offer)
        used = (time.monotonic() - began, time.process_time() - cpu)
        _log.info("run %s %s after %.1f s, %.2f CPU s here", offer.run_id, status, *used)
        with contextlib.suppress(DBAPIError):
            self._offers.leave(offer)
        return not stopped

    def _run(self, offer: Offer) -> bool:
        """Returns False where the run was interrupted."""
        run = self._instance.get_run_by_id(offer.run_id)
        self._instance.add_run_tags(offer.run_id, {WORKER_TAG: self._name})
        self._instance.report_engine_event(f"Taken by the worker {self._name} (process {os.getpid()}).", run)
        job = self._repository.get_reconstructable_job(run.job_name)
        try:
            for _ in core_execute_run(job, run, self._instance, inject_env_vars=True):
                pass
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            return False
        return True

    def _said_how_it_ended(self, offer: Offer) -> str:
        """Dagster's status of the run; one that was stopped before it began is told here, for nobody else would."""
        with contextlib.suppress(Exception):
            run = self._instance.get_run_by_id(offer.run_id)
            if run.status == DagsterRunStatus.CANCELING:
                self._instance.report_run_canceled(run)
                run = self._instance.get_run_by_id(offer.run_id)
            return run.status.value
        return "of unknown end"


class _Watch:
    """While a run lasts: its lock is kept, and when it is no longer wanted, the main thread is interrupted, as Dagster's own workers do.

    Attributes:
        interrupted: it was.
    """

    def __init__(self, offers: Offers, offer: Offer) -> None:
        self._offers, self._offer = offers, offer
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watch-{offer.number}", daemon=True)
        self.interrupted = False

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(WATCH_S):
            try:
                unwanted = self._offers.keep(self._offer) not in (DagsterRunStatus.STARTING.value, DagsterRunStatus.STARTED.value)
            except LostOffer:
                unwanted = True
            except DBAPIError as error:  # away for a moment: the run itself may not even notice
                _log.warning("the watch over run %s: %s", self._offer.run_id, _first_line(error))
                continue
            if unwanted and not self._over.is_set():
                self.interrupted = True
                os.kill(os.getpid(), signal.SIGINT)
                return


def _told_to_go_home(within_s: float) -> bool:
    """Whether standard input has ended, or ends within this time: it is a pipe that only the worker's first process holds open."""
    readable, _, _ = select.select([sys.stdin], [], [], within_s)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1024)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def main() -> None:
    """The process of one slot."""
    asked = argparse.ArgumentParser()
    asked.add_argument("name")
    asked.add_argument("runs", type=int)
    options = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {options.name} %(message)s")
    settings = Settings()
    point_dagster_to(settings)
    with dg.DagsterInstance.get() as instance:
        Slot(settings, options.name, instance).work(options.runs)


if __name__ == "__main__":
    main()
