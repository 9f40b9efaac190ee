"""Whole sessions, rows and objects, for the tests of what removes them; and ageing, because nobody waits for 180 days."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output, output_key, upload_key
from cricksy_pipeline.store.objects import LocalObjectStore, ObjectStore

DAY_S = 86400.0
OUTPUTS = (Output.FRAMES, Output.QUICK_RESULTS, Output.DEEP_RESULTS, Output.REPORT_HTML)


@dataclass(frozen=True)
class Made:
    session_id: str
    job_id: str
    source: str
    keys: frozenset[str]


def made_session(
    jobs: JobStore, objects: ObjectStore, *, source: str | None = None, session_id: str | None = None, attempts: tuple[int, ...] = (1, 2)
) -> Made:
    """A session with an upload, a ledger entry and one failed job with outputs of these attempts, a guardrail and a history."""
    session_id = session_id or uuid4().hex
    key = source or upload_key("coach", "c1", session_id, "v1", "mp4")
    head = objects.put(key, b"video")
    jobs.create_session(session_id=session_id, owner_id="c1", title="Nets", s3_bucket=objects.bucket, s3_key=key)
    job_id = jobs.create_job(session_id, "batting", objects.bucket, key)
    remember_upload(jobs, objects, key, job_id, head.etag)
    outputs = {output_key(key, job_id, name, attempt) for attempt in attempts for name in OUTPUTS}
    for output in outputs:
        objects.put(output, output.encode())
    with jobs.engine.begin() as connection:
        for number in attempts:
            values = {"job": job_id, "number": number}
            connection.execute(
                text("INSERT INTO job_attempts (job_id, attempt, run_id, ended_at) VALUES (:job, :number, 'r', now())"), values
            )
            connection.execute(
                text(
                    "INSERT INTO guardrail_results (job_id, run_id, attempt, asset, name, passed, severity)"
                    " VALUES (:job, 'r' || :number, :number, 'frames', 'readable', true, 'ERROR')"
                ),
                values,
            )
    change(jobs, "video_analysis_jobs", job_id, status="failed", stage="FAILED", attempt=max(attempts, default=0))
    return Made(session_id, job_id, key, frozenset(outputs | {key}))


def remember_upload(jobs: JobStore, objects: ObjectStore, key: str, job_id: str | None, etag: str = "e") -> None:
    with jobs.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO uploads (bucket, key, etag, job_id) VALUES (:bucket, :key, :etag, :job) ON CONFLICT DO NOTHING"),
            {"bucket": objects.bucket, "key": key, "etag": etag, "job": job_id},
        )


def change(jobs: JobStore, table: str, row_id: str, **columns: object) -> None:
    """Set columns of one row, past every protocol."""
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    with jobs.engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {assignments} WHERE id = :row_id"), {**columns, "row_id": row_id})


def age_row(jobs: JobStore, table: str, row_id: str, days: float) -> None:
    """The row was made, and last written, so many days ago."""
    with jobs.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE {table} SET created_at = now() - :age, updated_at = now() - :age WHERE id = :id"),
            {"age": timedelta(days=days), "id": row_id},
        )


def age_files(objects: LocalObjectStore, prefix: str, days: float) -> None:
    """Every object under the prefix was last written so many days ago."""
    then = time.time() - days * DAY_S
    for path in objects.root.rglob("*"):
        if path.is_file() and path.relative_to(objects.root).as_posix().startswith(prefix):
            os.utime(path, (then, then))


def keys_of(objects: ObjectStore) -> set[str]:
    return {head.key for head in objects.list()}


def counted(jobs: JobStore) -> dict[str, int]:
    """How many rows each table has."""
    tables = ("video_sessions", "video_analysis_jobs", "uploads", "job_attempts", "guardrail_results")
    with jobs.engine.begin() as connection:
        return {table: connection.scalar(text(f"SELECT count(*) FROM {table}")) for table in tables}
