"""Rows as the earlier system left them, whole and damaged: written past the ORM, because it would not write most of them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Engine, text

from cricksy_pipeline.store.models import DONE_IS_WHOLE, DONE_IS_WHOLE_SQL

FINDINGS: dict[str, Any] = {
    "overall_level": "low",
    "findings": [{"code": "HEAD_MOVEMENT", "title": "Head moves", "severity": "high", "evidence": {"head_stability_score": 0.41}}],
}
REPORT: dict[str, Any] = {
    "text": "Keep the head still.",
    "summary": "One thing to work on.",
    "top_issues": ["Head moves"],
    "drills": ["Shadow batting before a mirror"],
    "one_week_plan": ["Monday: ten minutes of shadow batting"],
    "notes": "",
    "generated_with_llm": False,
}
JSON_COLUMNS = ("results", "quick_results", "quick_findings", "quick_report", "deep_results", "deep_findings", "deep_report")


def old_results(passname: str, **instead: Any) -> dict[str, Any]:
    """The results of one pass as the earlier system's worker wrote them; its key has no job id in it."""
    return {
        "pose_summary": {"total_frames": 10958, "sampled_frames": 3653, "frames_with_pose": 3600, "detection_rate_percent": 98.5},
        "metrics": {"metrics": {"head_stability_score": {"score": 0.41, "num_frames": 3600}}},
        "findings": {**FINDINGS, "pass": passname},
        "report": {**REPORT, "pass": passname},
        "meta": {"sample_fps": 10.0, "max_seconds": None},
        "outputs": {f"{passname}_results_s3_key": f"coach_plus/coach/c1/s1/v1/analysis/{passname}_results.json"},
        **instead,
    }


def insert_earlier(engine: Engine, job_id: str, **columns: Any) -> str:
    """A row of the earlier system; JSON columns as values, or as text that begins with `raw:`. As `done` as it likes to be."""
    values = {
        "id": job_id,
        "session_id": "s-earlier",
        "status": "done",
        "stage": "DONE",
        "progress_pct": 100,
        "s3_bucket": "local",
        "s3_key": f"coach_plus/coach/c1/s1/{job_id}/original.mp4",
        **columns,
    }
    for name in JSON_COLUMNS:
        if name in values:
            value = values[name]
            raw = isinstance(value, str) and value.startswith("raw:")
            values[name] = value.removeprefix("raw:") if raw else json.dumps(value)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO video_sessions (id, owner_type, owner_id, title, s3_bucket, s3_key)"
                " VALUES ('s-earlier', 'coach', 'c1', 'Nets', 'local', 'coach_plus/coach/c1/s1/v0/original.mp4') ON CONFLICT DO NOTHING"
            )
        )
        # Old rows are older than the constraint, which was added NOT VALID for them.
        connection.execute(text(f"ALTER TABLE video_analysis_jobs DROP CONSTRAINT {DONE_IS_WHOLE}"))
        names = ", ".join(values)
        connection.execute(text(f"INSERT INTO video_analysis_jobs ({names}) VALUES ({', '.join(f':{name}' for name in values)})"), values)
        connection.execute(text(f"ALTER TABLE video_analysis_jobs ADD CONSTRAINT {DONE_IS_WHOLE} CHECK ({DONE_IS_WHOLE_SQL}) NOT VALID"))
    return job_id


def insert_done(engine: Engine, job_id: str, **columns: Any) -> str:
    """The very row that readers called "analysis not working": done, with findings and report only inside the results."""
    documents = {f"{passname}_results": old_results(passname) for passname in ("quick", "deep")}
    legacy = {"quick": documents["quick_results"], "deep": documents["deep_results"]}
    return insert_earlier(engine, job_id, **{**documents, "results": legacy, **columns})


def everything(engine: Engine) -> list[tuple]:
    """All job rows, JSON as the text that it is."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT j::text FROM video_analysis_jobs j ORDER BY id"))]
