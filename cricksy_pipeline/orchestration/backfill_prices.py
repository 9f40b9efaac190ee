"""What analysing a job anew will probably cost, from what it and others cost before.

Belongs here: the history of costs, and the price of one job in it. Nothing is guessed: what was never measured here has no price. Does not
belong here: which stages would be made again (`backfill`), how costs are measured (`cost`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.store.selection import PastAttempt

SEEN_IN = {"frames": "frames", "quick_results": "quick_landmarks", "deep_results": "deep_landmarks"}
"""By stage that may look into the video: the step whose record says when it last did so, and at what cost."""

Records = Mapping[str, Any]
"""`VideoAnalysisJob.stages`."""


@dataclass(frozen=True)
class Price:
    """What one job will probably cost, in seconds.

    Attributes:
        cpu_s: of the stages that are made again. What guardrails and Dagster use is not measured per run.
        seconds: from the claim of the row to the end of the attempt, guardrails and proof included; a process's start is not.
    """

    cpu_s: float
    seconds: float


class History:
    """Costs of past attempts: a job's own where it has any of the kind, else the median of all.

    Attributes:
        attempts: from how many attempts it is made.
    """

    def __init__(self, past: list[PastAttempt]) -> None:
        self.attempts = len(past)
        kinds = [(stage, looks) for stage in GUARDRAILS for looks in (True, False)]
        self._usual = {kind: _usual(_cost(attempt.stages, *kind) for attempt in past) for kind in kinds}
        self._besides = {looked: _middle(_besides(attempt) for attempt in past if _looked(attempt) is looked) for looked in (True, False)}

    def price(self, records: Records, again: Mapping[str, bool]) -> Price | None:
        """What a run will cost that makes some stages again.

        Args:
            records: of the job.
            again: by stage that is made again, whether it looks into the video.

        Returns:
            None where nothing like it was ever measured here.
        """
        besides = self._besides[any(again.values())]
        costs = [_cost(records, *kind) or self._usual[kind] for kind in again.items()]
        if besides is None or None in costs:
            return None
        return Price(sum(cost.cpu_s for cost in costs), besides + sum(cost.seconds for cost in costs))


def _cost(records: Records, stage: str, looks: bool) -> Price | None:
    """What the stage cost in this job when it looked into the video, or when it did not; None where it never did."""
    made, seen = records.get(stage), records.get(SEEN_IN.get(stage, ""))
    looked_then = made and seen and made["run_id"] == seen["run_id"]  # the stage was timed as a whole: that is the price of looking
    record = seen if looks else None if looked_then else made
    return Price(record["cpu_s"], record["seconds"]) if record and "cpu_s" in record else None


def _usual(costs: Iterable[Price | None]) -> Price | None:
    known = [cost for cost in costs if cost]
    return Price(median(cost.cpu_s for cost in known), median(cost.seconds for cost in known)) if known else None


def _middle(values: Iterable[float]) -> float | None:
    known = list(values)
    return median(known) if known else None


def _looked(attempt: PastAttempt) -> bool:
    return any(attempt.stages.get(step, {}).get("run_id") == attempt.run_id for step in SEEN_IN.values())


def _besides(attempt: PastAttempt) -> float:
    """What the attempt took beyond the stages that it made: guardrails, proof, what was kept, Dagster's own."""
    made = (attempt.stages.get(stage, {}) for stage in GUARDRAILS)
    return max(0.0, attempt.seconds - sum(record.get("seconds", 0.0) for record in made if record.get("run_id") == attempt.run_id))
