"""Documents and whole rows for the tests of this room."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from cricksy_pipeline.store.jobs import JobStore

SOURCE_KEY = "coach_plus/coach/c1/s1/v1/original.mp4"
FINDINGS: dict[str, Any] = {"overall_level": "medium", "findings": [{"code": "HEAD_MOVES", "evidence": {"t_s": 1.25}}]}
REPORT: dict[str, Any] = {"text": "Keep the head still.", "sections": [{"title": "Summary", "body": "One thing to work on."}]}
RESULTS: dict[str, Any] = {"pose_summary": {"sampled_frames": 151}, "metrics": {"metrics": {}}, "findings": None, "report": None}


def new_job(store: JobStore, mode: str = "batting", **options: Any) -> str:
    session_id = store.create_session(owner_id="c1", title="Nets", s3_bucket="local", s3_key=SOURCE_KEY)
    return store.create_job(session_id, mode, "local", SOURCE_KEY, "etag", "0" * 64, 1000, **options)


def publish_quick(store: JobStore, job_id: str, run_id: str) -> None:
    results = {**RESULTS, "findings": FINDINGS, "report": REPORT}
    store.publish_quick(job_id, run_id, results, FINDINGS, REPORT, "analysis/quick_results.json")


def publish_all(store: JobStore, job_id: str, run_id: str) -> None:
    """Everything a deep job holds before it is completed."""
    publish_quick(store, job_id, run_id)
    store.start_deep(job_id, run_id)
    store.publish_deep_results(job_id, run_id, RESULTS, "analysis/deep_results.json")
    with_findings = {**RESULTS, "findings": FINDINGS}
    store.publish_findings(job_id, run_id, FINDINGS, with_findings, "analysis/deep_results.json")
    store.publish_report(job_id, run_id, REPORT, {**with_findings, "report": REPORT}, "analysis/deep_results.json", "analysis/report.pdf")


def done_job(store: JobStore, run_id: str = "run-1", **options: Any) -> str:
    job_id = new_job(store, **options)
    store.claim(job_id, run_id)
    publish_all(store, job_id, run_id)
    store.complete(job_id, run_id)
    return job_id


def lose_session(store: JobStore, session_id: str) -> None:
    """The session's rows go, and with them its jobs and what hangs on these, as `store.deletion` leaves the database."""
    with store.engine.begin() as connection:
        connection.execute(text("DELETE FROM video_sessions WHERE id = :id"), {"id": session_id})
