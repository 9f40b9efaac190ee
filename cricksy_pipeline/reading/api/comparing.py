"""Two finished jobs compared, as the API gives it.

Belongs here: from two rows to the comparison of their documents, the read model, the route. Does not belong here: what counts as a
change (`analysis.comparison`), the table in the terminal (`comparison_table`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import FastAPI, Response
from pydantic import Field, ValidationError
from starlette.exceptions import HTTPException

from cricksy_pipeline.analysis.comparison import Comparison, compare
from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.reading.api.access import OwnedJobId, SignedIn, demand_job
from cricksy_pipeline.reading.api.conditional import IfNoneMatch, answer_model
from cricksy_pipeline.reading.api.job_paths import JOB_PATH, known_shape
from cricksy_pipeline.reading.api.problems import problems
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead, read_job
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.objects import ObjectStore


class NotComparable(ValueError):
    """A job without results of this system: unfinished, failed, or analysed by the earlier one. The message is for a person."""


class ComparisonRead(Comparison):
    """`GET /api/coaches/plus/analysis-jobs/{earlier}/compare/{later}`."""

    earlier_job: str
    later_job: str
    earlier_created_at: datetime = Field(description="When the earlier job was submitted, UTC. The order is that of the request.")
    later_created_at: datetime


def read_comparison(jobs: JobStore, objects: ObjectStore, earlier: str, later: str) -> ComparisonRead:
    """The comparison of two jobs, the earlier session first.

    Raises:
        UnknownJob: a job that is not there.
        NotComparable: one without results that can be read.
        CricksyError: DATABASE_UNAVAILABLE, STORE_UNAVAILABLE.
    """
    rows = [read_job(jobs.get(job_id), objects) for job_id in (earlier, later)]
    compared = compare(*(_results(row) for row in rows))
    return ComparisonRead(
        **{name: getattr(compared, name) for name in Comparison.model_fields},
        earlier_job=earlier,
        later_job=later,
        earlier_created_at=rows[0].created_at,
        later_created_at=rows[1].created_at,
    )


def _results(row: VideoAnalysisJobRead) -> AnalysisResults:
    """The deep results; a first look measures no technique."""
    if not row.deep_results:
        raise NotComparable(f"Job {row.id} has no results of a whole analysis ({row.status}).")
    # Findings and report play no part, and one that an older version wrote need not be in today's shape.
    plain: dict[str, Any] = {**row.deep_results, "findings": None, "report": None}
    try:
        return AnalysisResults.model_validate(plain)
    except ValidationError as error:
        raise NotComparable(f"Job {row.id} was analysed by another version; analyse it again to compare it.") from error


def add_comparison(app: FastAPI, jobs: JobStore, objects: ObjectStore) -> None:
    """Register the route on the API."""

    @app.get(
        f"{JOB_PATH}/compare/{{other}}",
        response_model=ComparisonRead,
        responses=problems(404, 409),
        operation_id="compare_jobs",
        tags=["analyses"],
    )
    def comparison(job_id: OwnedJobId, other: str, caller: SignedIn, if_none_match: IfNoneMatch = None) -> Response:
        """This job as the earlier session, the other as the later one: what really changed. "No real change" is an answer."""
        later = demand_job(jobs, caller, known_shape(other))
        try:
            return answer_model(read_comparison(jobs, objects, job_id, later), if_none_match)
        except NotComparable as error:
            raise HTTPException(409, str(error)) from error
