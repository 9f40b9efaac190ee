"""A finished or failed job analysed anew because a person said more about it: which player, how slow the recording plays.

Belongs here: queueing such a job, with what was said, so that readers keep the earlier analysis until the new one is proven. Does not
belong here: retries after a failure without a word (`jobs.requeue`), what the options mean (`analysis.options`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.claims import FAILURE, JOB, NOW, set_aside, set_session
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import FINISHED, JobStatus, SessionStatus


def analyse_anew(
    jobs: JobStore,
    job_id: str,
    options: dict[str, Any],
    *,
    analysis_mode: str | None = None,
    fresh: bool = False,
    requested: bool = False,
) -> bool:
    """done, completed or failed -> queued, with other options. Stages that do not depend on them are kept.

    Args:
        options: all that is said beside the mode, as `AnalysisOptions.as_json` writes it; empty: nothing is said any more.
        analysis_mode: what was filmed, for a job that failed because nobody had said.
        fresh: the next attempt computes every stage anew.
        requested: the caller runs it himself; no sensor is to ask for a run.

    Returns:
        False where the job is on its way: another attempt can be asked for when that has ended.

    Raises:
        CricksyError: OPTIONS_INVALID where the row lists the people it saw and the one asked for is not among them; MODE_UNSUPPORTED.
        UnknownJob: no such job.
    """
    row = jobs.get(job_id)
    _require_listed(row.quick_results, options)
    if row.status == JobStatus.FAILED:
        return jobs.requeue(job_id, analysis_mode=analysis_mode, options=options, fresh=fresh, requested=requested)
    with transaction(jobs.engine) as connection:
        found = connection.execute(select(JOB).where(JOB.c.id == job_id, JOB.c.status.in_(FINISHED)).with_for_update()).one_or_none()
        if found is None:
            return False
        values: dict[str, Any] = {
            "status": JobStatus.QUEUED,
            "stage": "QUEUED",
            "progress_pct": 0,
            "request": JOB.c.request + 1,
            "superseded": set_aside(found),
            "analysis_options": options or None,
            # A row of the earlier system had its first attempt there.
            "attempt": found.attempt or 1,
            **dict.fromkeys(("dagster_run_id", "heartbeat_at", *FAILURE)),
            "requested_at": NOW if requested else None,
        }
        if fresh:
            values["stages"] = None
        connection.execute(update(JOB).where(JOB.c.id == job_id).values(values))
        set_session(connection, job_id, SessionStatus.PROCESSING)
    return True


def _require_listed(quick_results: dict[str, Any] | None, options: dict[str, Any]) -> None:
    """Refuse a person whom the analysis did not list, as long as it has listed anybody: the same bytes give the same list."""
    wanted = options.get("subject")
    people = (((quick_results or {}).get("pose_summary") or {}).get("subject") or {}).get("people")
    if wanted is None or not isinstance(people, list) or wanted <= len(people):
        return
    there = f"the analysis saw {len(people)}: 1" + (f" to {len(people)}" if len(people) > 1 else "") if people else "it saw nobody"
    raise CricksyError(ErrorCode.OPTIONS_INVALID, f"There is no person {wanted}; {there}.")
