"""Jobs: the list, one as its reader shows it, another attempt, another analysis.

Belongs here: these routes. Does not belong here: what a job looks like to a reader (`store.job_read`), its files (`files`), its progress
(`events`).
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import Annotated

from fastapi import FastAPI, Query, Response
from starlette.exceptions import HTTPException

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.reading.api.access import OwnedJobId, OwnedSession, SignedIn
from cricksy_pipeline.reading.api.conditional import REVALIDATE, IfNoneMatch, answer_model, etag_matches, not_modified
from cricksy_pipeline.reading.api.cursors import After, cursor_text
from cricksy_pipeline.reading.api.job_paths import JOB_PATH, JOBS_PATH, SESSION_PATH, video_address
from cricksy_pipeline.reading.api.problems import problems
from cricksy_pipeline.reading.api.read_models import JobLineRead, JobPageRead, NewAnalysis, Retry, Said
from cricksy_pipeline.store.job_read import URL_LIFETIME_S, VideoAnalysisJobRead, VideoStream, read_job
from cricksy_pipeline.store.job_standing import row_version
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import ANALYSIS_MODES, JobStatus, VideoSession
from cricksy_pipeline.store.objects import ObjectHead, ObjectStore
from cricksy_pipeline.store.reanalysis import analyse_anew
from cricksy_pipeline.store.row_pages import MOST_ROWS, JobLine, Page, job_page

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows of one page.")]

_SHAPE = hashlib.sha256(json.dumps(VideoAnalysisJobRead.model_json_schema()).encode()).hexdigest()[:8]
"""A new version of this API may show an old row otherwise."""


def read_for_api(jobs: JobStore, objects: ObjectStore, job_id: str) -> VideoAnalysisJobRead:
    """The job with an address for its video also where the store has none: then this API streams it."""
    row = jobs.get(job_id)
    read = read_job(row, objects)
    if read.video_stream is None and row.s3_key and row.s3_bucket == objects.bucket:
        stream = VideoStream(video_url=video_address(job_id), expires_in=URL_LIFETIME_S)
        return read.model_copy(update={"video_stream": stream})
    return read


def _etag(jobs: JobStore, job_id: str) -> str:
    """Of the row as it was written last. The signed addresses in it are made anew every half hour: what is kept never holds a dead one."""
    version = f"{row_version(jobs.engine, job_id)} {int(time.time() // (URL_LIFETIME_S / 2))} {_SHAPE}"
    return f'W/"{hashlib.sha256(version.encode()).hexdigest()[:32]}"'


def page_read(page: Page[JobLine]) -> JobPageRead:
    """The page as the API gives it."""
    return JobPageRead(items=[JobLineRead.model_validate(item) for item in page.items], next_cursor=cursor_text(page.next))


def add_jobs(app: FastAPI, jobs: JobStore, objects: ObjectStore) -> None:
    """Register the routes."""

    @app.get(JOBS_PATH, response_model=JobPageRead, responses=problems(422), operation_id="list_jobs", tags=["analyses"])
    def analysis_jobs(
        caller: SignedIn,
        after: After,
        limit: Limit = 50,
        status: Annotated[list[JobStatus] | None, Query(description="Only these; may be said several times.")] = None,
        analysis_mode: AnalysisMode | None = None,
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """The jobs of all sessions that the caller may see, newest first, without their documents."""
        page = job_page(jobs.engine, caller.owners, statuses=status, analysis_mode=analysis_mode, after=after, limit=limit)
        return answer_model(page_read(page), if_none_match)

    @app.get(JOB_PATH, response_model=VideoAnalysisJobRead, responses=problems(404), operation_id="get_job", tags=["analyses"])
    def analysis_job(job_id: OwnedJobId, response: Response, if_none_match: IfNoneMatch = None) -> VideoAnalysisJobRead | Response:
        """One job as its reader shows it, of any age and status."""
        etag = _etag(jobs, job_id)
        if etag_matches(if_none_match, etag):
            return not_modified(etag)
        response.headers.update({"ETag": etag, "Cache-Control": REVALIDATE})
        return read_for_api(jobs, objects, job_id)

    @app.post(
        f"{JOB_PATH}/retry",
        status_code=202,
        response_model=VideoAnalysisJobRead,
        responses=problems(404, 409, 422),
        operation_id="retry_job",
        tags=["analyses"],
    )
    def retry(job_id: OwnedJobId, asked: Retry | None = None) -> VideoAnalysisJobRead:
        """Queue a failed job for another attempt, from the first stage whose result does not hold any more."""
        _demand_video(jobs, objects, job_id)
        if not jobs.requeue(job_id, analysis_mode=asked and asked.analysis_mode):
            raise HTTPException(409, f"Only a failed job can be tried again; this one is {jobs.status_of(job_id)}.")
        return read_for_api(jobs, objects, job_id)

    @app.post(
        f"{JOB_PATH}/analyses", status_code=202, response_model=VideoAnalysisJobRead, responses=problems(404, 409, 422), tags=["analyses"]
    )
    def analyse_again(job_id: OwnedJobId, said: Said) -> VideoAnalysisJobRead:
        """Queue a finished or failed job again with other options: another player of those listed, another speed.

        Readers keep the earlier analysis until the new one is proven.
        """
        _demand_video(jobs, objects, job_id)
        options = AnalysisOptions(said.subject, said.slow_motion)
        if not analyse_anew(jobs, job_id, options.as_json()):
            raise HTTPException(409, f"Only a finished or failed job can be analysed again; this one is {jobs.status_of(job_id)}.")
        return read_for_api(jobs, objects, job_id)

    @app.get(
        f"{SESSION_PATH}/analysis-jobs",
        response_model=JobPageRead,
        responses=problems(404, 422),
        operation_id="list_session_jobs",
        tags=["sessions"],
    )
    def jobs_of_session(
        session: OwnedSession, caller: SignedIn, after: After, limit: Limit = 50, if_none_match: IfNoneMatch = None
    ) -> Response:
        """The session's jobs, newest first, without their documents."""
        page = job_page(jobs.engine, caller.owners, session_id=session.id, after=after, limit=limit)
        return answer_model(page_read(page), if_none_match)

    @app.post(
        f"{SESSION_PATH}/analysis-jobs",
        status_code=202,
        response_model=VideoAnalysisJobRead,
        responses=problems(404, 409, 422),
        tags=["sessions"],
    )
    def analyse_session(session: OwnedSession, caller: SignedIn, asked: NewAnalysis) -> VideoAnalysisJobRead:
        """Analyse the session's video, beside the analyses that there are: as another kind of cricket, for instance."""
        head = _source(session, objects)
        mode = asked.analysis_mode or (session.analysis_context if session.analysis_context in ANALYSIS_MODES else None)
        page = job_page(jobs.engine, caller.owners, session_id=session.id, limit=MOST_ROWS)
        if under_way := [job.id for job in page.items if job.status == JobStatus.QUEUED and job.analysis_mode == mode]:
            raise HTTPException(409, f"An analysis of this video as {mode} waits already: {under_way[0]}.")
        job_id = jobs.create_job(
            session.id,
            mode,
            objects.bucket,
            head.key,
            head.etag,
            head.sha256,
            head.size,
            deep_enabled=asked.deep_enabled,
            include_frames=asked.include_frames,
            analysis_options=AnalysisOptions(asked.subject, asked.slow_motion).as_json(),
        )
        return read_for_api(jobs, objects, job_id)


def _demand_video(jobs: JobStore, objects: ObjectStore, job_id: str) -> None:
    """Refuse to queue a job whose upload was given up or turned away: it could only fail, and its session would then take no other."""
    row = jobs.get(job_id)
    announced = row.status == JobStatus.FAILED and row.started_at is None and row.source_etag is None and row.source_size is not None
    if announced and row.s3_bucket == objects.bucket and (not row.s3_key or objects.head(row.s3_key) is None):
        raise HTTPException(409, "The video of this job never came. Upload one, to the same session if you like.")


def _source(session: VideoSession, objects: ObjectStore) -> ObjectHead:
    """The session's video as it lies in the store now."""
    head = objects.head(session.s3_key) if session.s3_key and session.s3_bucket == objects.bucket else None
    if head is None:
        raise HTTPException(409, "This session has no video yet.")
    return head
