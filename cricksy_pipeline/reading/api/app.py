"""The REST API that coaches' readers ask: one analysis job, its report, its files, another attempt.

Belongs here: routes and headers. Does not belong here: what a job looks like to a reader (`store.job_read`), how errors are worded
(`problems`), binding a port (`dev`).

There is no authentication yet. Whoever can reach the port can read every job whose id he knows, so the command line binds this
app to 127.0.0.1 only; do not put it behind a public address.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.options import MOST_PEOPLE, MOST_SLOW_MOTION, AnalysisOptions
from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.reading.api.comparing import add_comparison
from cricksy_pipeline.reading.api.job_paths import JOB_PATH, JobId
from cricksy_pipeline.reading.api.problems import Problem, answer_errors_as_problems
from cricksy_pipeline.store.database import ping
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead, hidden_passes, read_job
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output, pass_of
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.reanalysis import analyse_anew

SERVED: dict[str, Output] = {name.value: name for name in Output if name.value.endswith((".png", ".html", ".json", ".parquet"))}
"""File names that can be asked for. Films and print files are left out: they want range requests, which a plain answer cannot give."""

REPORT_PAGES = (Output.REPORT_HTML, Output.QUICK_REPORT_HTML)

# The report carries its own policy; the header holds also where a browser opens another file of ours as a page.
_CONTENT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
_HEALTH_KEY = "healthz"


class Retry(BaseModel):
    """What may be said with a retry."""

    analysis_mode: AnalysisMode | None = Field(None, description="What was filmed, where the job failed because nobody had said.")


class Said(BaseModel):
    """What is said beside the mode. All of it: what is left out is not said any more."""

    model_config = ConfigDict(extra="forbid")

    subject: int | None = Field(
        None, ge=1, le=MOST_PEOPLE, strict=True, description="Which of the people that the analysis lists is the player, 1 for the first."
    )
    slow_motion: float | None = Field(
        None, ge=1, le=MOST_SLOW_MOTION, allow_inf_nan=False, description="How many times slower than life the video plays; 1 is life."
    )


IfNoneMatch = Annotated[str | None, Header()]


def _etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller holds this version already (weak comparison, RFC 9110 section 13.1.2)."""
    if not if_none_match:
        return False
    held = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in held or etag in held


def _stored_file(jobs: JobStore, objects: ObjectStore, job_id: str, names: tuple[Output, ...], if_none_match: str | None) -> Response:
    """The first of these outputs that one job has. Its key comes from the row and the enum alone; nothing of the request is in it."""
    row = jobs.get(job_id)
    try:
        hidden = hidden_passes(row)
        keys = ((name, row.shown_key(name)) for name in names if pass_of(name) not in hidden)
        found = ((name, key, objects.head(key)) for name, key in keys if key)
        name, key, head = next((each for each in found if each[2] is not None), (names[0], "", None))
    except ValueError as error:  # rows of the earlier system may hold a key that no store of ours accepts
        raise HTTPException(404, f"This job has no {names[0].value}.") from error
    if head is None:
        raise HTTPException(404, f"This job has no {name.value} yet.")
    etag = '"' + head.etag.strip('"') + '"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _CONTENT_POLICY,
        "Content-Disposition": f'{"attachment" if name.value.endswith(".parquet") else "inline"}; filename="{name.value}"',
    }
    if _etag_matches(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    return Response(objects.get(key), headers=headers, media_type=name.content_type)


def _health(jobs: JobStore, objects: ObjectStore) -> dict[str, str]:
    """`ok` or the error code, for the database and for the store."""

    found = {}
    for name, ask in (("database", lambda: ping(jobs.engine)), ("store", lambda: objects.head(_HEALTH_KEY))):
        try:
            ask()
            found[name] = "ok"
        except CricksyError as error:
            found[name] = error.code.value
    return found


def create_app(*, jobs: JobStore, objects: ObjectStore) -> FastAPI:
    """The API over one database and one object store. Binds nothing; without authentication, see the module.

    Args:
        jobs: the job rows.
        objects: the bucket that holds the uploads and the outputs.
    """
    app = FastAPI(
        title="Cricksy analyses", version="1", summary="Analysis jobs: read, and try again. Not authenticated: for 127.0.0.1 only."
    )
    answer_errors_as_problems(app)
    not_found: dict[int | str, dict[str, Any]] = {404: {"model": Problem}, 503: {"model": Problem}}

    @app.get(JOB_PATH, response_model=VideoAnalysisJobRead, responses=not_found)
    def analysis_job(job_id: JobId) -> VideoAnalysisJobRead:
        """One job as its reader shows it, of any age and status."""
        return read_job(jobs.get(job_id), objects)

    @app.post(f"{JOB_PATH}/retry", status_code=202, response_model=VideoAnalysisJobRead, responses={**not_found, 409: {"model": Problem}})
    def retry(job_id: JobId, asked: Retry | None = None) -> VideoAnalysisJobRead:
        """Queue a failed job for another attempt, from the first stage whose result does not hold any more."""
        if not jobs.requeue(job_id, analysis_mode=asked and asked.analysis_mode):
            raise HTTPException(409, f"Only a failed job can be tried again; this one is {jobs.status_of(job_id)}.")
        return read_job(jobs.get(job_id), objects)

    @app.post(
        f"{JOB_PATH}/analyses",
        status_code=202,
        response_model=VideoAnalysisJobRead,
        responses={**not_found, 409: {"model": Problem}, 422: {"model": Problem}},
    )
    def analyse_again(job_id: JobId, said: Said) -> VideoAnalysisJobRead:
        """Queue a finished or failed job again with other options: another player of those listed, another speed.

        Readers keep the earlier analysis until the new one is proven.
        """
        options = AnalysisOptions(said.subject, said.slow_motion)
        if not analyse_anew(jobs, job_id, options.as_json()):
            raise HTTPException(409, f"Only a finished or failed job can be analysed again; this one is {jobs.status_of(job_id)}.")
        return read_job(jobs.get(job_id), objects)

    @app.get(f"{JOB_PATH}/report.html", responses=not_found)
    def report_html(job_id: JobId, if_none_match: IfNoneMatch = None) -> Response:
        """The stored report page; the quick pass's, as long as there is no other."""
        return _stored_file(jobs, objects, job_id, REPORT_PAGES, if_none_match)

    @app.get(f"{JOB_PATH}/files/{{name}}", responses=not_found)
    def stored_file(job_id: JobId, name: str, if_none_match: IfNoneMatch = None) -> Response:
        """One named output of the job: pictures, pages, JSON documents, tables."""
        if name not in SERVED:
            raise HTTPException(404, "There is no file of that name; files are: " + ", ".join(sorted(SERVED)))
        return _stored_file(jobs, objects, job_id, (SERVED[name],), if_none_match)

    add_comparison(app, jobs, objects)

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        """Whether database and store answer: 200, else 503."""
        found = _health(jobs, objects)
        return JSONResponse(found, 200 if set(found.values()) == {"ok"} else 503)

    return app
