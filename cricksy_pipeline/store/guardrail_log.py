"""The table `guardrail_results`: what each guardrail said, per job and run.

Belongs here: writing and reading outcomes. Does not belong here: what a guardrail demands (`analysis.guardrails`), or what follows from
a failed one (`orchestration`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Engine, func, select
from sqlalchemy.dialects.postgresql import insert

from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.documents import lenient
from cricksy_pipeline.store.models import GuardrailResult
from cricksy_pipeline.store.sessions import plain_text


class Outcome(Protocol):
    """What is recorded of a guardrail; any object with these attributes will do.

    `severity` is ERROR or WARN. `actual` and `expected` are shown to people: what JSON cannot say (a NaN) becomes text.
    """

    name: str
    passed: bool
    severity: str
    actual: Any
    expected: Any
    message: str | None


@dataclass(frozen=True)
class RecordedOutcome:
    """One row of the table."""

    job_id: str
    run_id: str
    attempt: int
    asset: str
    name: str
    passed: bool
    severity: str
    actual: Any
    expected: Any
    message: str | None
    evaluated_at: datetime


class GuardrailLog:
    """The outcomes. Not fenced: every run writes under its own id, so a late run cannot change another's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, job_id: str, run_id: str, attempt: int, asset: str, results: Iterable[Outcome]) -> int:
        """Write the outcomes of one asset's guardrails; an outcome of the same job, run, asset and name is replaced. Returns how many."""
        rows = {
            result.name: {
                "job_id": job_id,
                "run_id": run_id,
                "attempt": attempt,
                "asset": asset,
                "name": result.name,
                "passed": bool(result.passed),
                "severity": str(getattr(result.severity, "value", result.severity)),
                "actual": lenient(result.actual),
                "expected": lenient(result.expected),
                "message": result.message and plain_text(result.message),
            }
            for result in results
        }
        if not rows:
            return 0
        statement = insert(GuardrailResult)
        replaced = {name: statement.excluded[name] for name in ("attempt", "passed", "severity", "actual", "expected", "message")}
        statement = statement.on_conflict_do_update(
            constraint="uq_guardrail_results_outcome",
            set_={**replaced, "evaluated_at": func.clock_timestamp()},
        )
        with transaction(self._engine) as connection:
            connection.execute(statement, list(rows.values()))
        return len(rows)

    def results_of(self, job_id: str, run_id: str) -> list[RecordedOutcome]:
        """The outcomes of one run, in the order of asset and name."""
        return self._read(GuardrailResult.job_id == job_id, GuardrailResult.run_id == run_id)

    def latest_of(self, job_id: str, asset: str) -> list[RecordedOutcome]:
        """The outcomes of one asset's guardrails in the last run that evaluated them; empty where none did."""
        of_asset = (GuardrailResult.job_id == job_id, GuardrailResult.asset == asset)
        last = select(GuardrailResult.run_id).where(*of_asset).order_by(GuardrailResult.attempt.desc(), GuardrailResult.id.desc()).limit(1)
        return self._read(*of_asset, GuardrailResult.run_id == last.scalar_subquery())

    def _read(self, *where: ColumnElement[bool]) -> list[RecordedOutcome]:
        columns = [getattr(GuardrailResult, name) for name in RecordedOutcome.__dataclass_fields__]
        query = select(*columns).where(*where).order_by(GuardrailResult.asset, GuardrailResult.name)
        with transaction(self._engine) as connection:
            return [RecordedOutcome(*row) for row in connection.execute(query)]
