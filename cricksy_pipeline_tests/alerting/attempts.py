"""A history of attempts, written minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import JobAttempt
from cricksy_pipeline_tests.store.rows import new_job

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def minute(number: float) -> datetime:
    return NOON + timedelta(minutes=number)


def attempt(
    store: JobStore,
    at: float | None,
    outcome: str | None,
    stage: str | None = None,
    code: str | None = None,
    *,
    job_id: str | None = None,
    number: int = 1,
    message: str | None = None,
) -> str:
    """One attempt that ended `at` so many minutes past noon, by default the first of a new job; returns the job."""
    job_id = job_id or new_job(store)
    values = {
        "job_id": job_id,
        "attempt": number,
        "run_id": f"run-{number}",
        "started_at": minute(at or 0) - timedelta(minutes=1),
        "ended_at": None if at is None else minute(at),
        "outcome": outcome,
        "failed_stage": stage,
        "error_code": code,
        "error_message": message,
    }
    with store.engine.begin() as connection:
        connection.execute(insert(JobAttempt).values(values))
    return job_id
