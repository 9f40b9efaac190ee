"""The heartbeat of the row that a run holds, from its claim to the end of the run.

Belongs here: the thread that says "alive". It beats between the stages too, while a step waits for a slot or for its next try: a run that
only waits must not look dead. Does not belong here: what follows from a heartbeat that stops (`sensors.reconcile`).
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from cricksy_pipeline.store.jobs import JobStore, LostClaim

HEARTBEAT_S = 5.0


@dataclass
class Beat:
    """The heartbeat of one row. `lost` is set as soon as the run is known not to hold the row any more; the beat has then ended."""

    lost: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Pulse:
    """The heartbeats of one process, one per job and run."""

    def __init__(self, jobs: JobStore) -> None:
        self._jobs = jobs
        self._beats: dict[tuple[str, str], Beat] = {}

    def begin(self, job_id: str, run_id: str, log: logging.Logger) -> Beat:
        """Beat for this row until `stop`, or until the run no longer holds it. Begun already, it goes on."""
        beat = self._beats.get((job_id, run_id))
        if beat is None or beat.lost.is_set():
            beat = self._beats[job_id, run_id] = Beat()
            arguments = (beat, job_id, run_id, log)
            beat.thread = threading.Thread(target=self._beat, args=arguments, name=f"heartbeat-{job_id}", daemon=True)
            beat.thread.start()
        return beat

    def stop(self) -> None:
        """End every beat."""
        for beat in self._beats.values():
            beat.stopped.set()
        for beat in self._beats.values():
            beat.thread.join(timeout=HEARTBEAT_S)

    def _beat(self, beat: Beat, job_id: str, run_id: str, log: logging.Logger) -> None:
        while not beat.stopped.wait(HEARTBEAT_S):
            try:
                self._jobs.heartbeat(job_id, run_id)
            except LostClaim:
                beat.lost.set()
                return
            except Exception as error:  # whatever it is, a run that lives must not look dead: the next beat tries again
                log.warning("heartbeat of job_id=%s failed: %s", job_id, error)
