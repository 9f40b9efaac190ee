"""The REST API that coaches' readers ask, put together.

Belongs here: the app and its parts, and the sign of life. Does not belong here: routes (their modules), who may see what (`access`), how
errors are worded (`problems`), binding a port (`dev`, `serve_api`).
"""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.reading.api.access import Access, guard_app
from cricksy_pipeline.reading.api.comparing import add_comparison
from cricksy_pipeline.reading.api.events import add_events
from cricksy_pipeline.reading.api.files import add_files
from cricksy_pipeline.reading.api.job_routes import add_jobs
from cricksy_pipeline.reading.api.openapi import describe
from cricksy_pipeline.reading.api.part_route import add_part_route
from cricksy_pipeline.reading.api.problems import answer_errors_as_problems
from cricksy_pipeline.reading.api.progress_watch import ProgressWatch
from cricksy_pipeline.reading.api.session_routes import add_sessions
from cricksy_pipeline.reading.api.upload_routes import add_uploads
from cricksy_pipeline.reading.pages.routes import add_pages
from cricksy_pipeline.store.database import ping
from cricksy_pipeline.store.job_standing import standings
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.objects import LocalObjectStore, ObjectStore

_HEALTH_KEY = "healthz"

MOST_BYTES = 4 * 1024**3
MOST_SECONDS = 900.0
"""As the settings' defaults: `CRICKSY_MAX_VIDEO_BYTES`, `CRICKSY_MAX_VIDEO_SECONDS`."""


def create_app(
    *, jobs: JobStore, objects: ObjectStore, access: Access, most_bytes: int = MOST_BYTES, most_seconds: float = MOST_SECONDS
) -> FastAPI:
    """The API and the pages over one database and one object store. Binds nothing.

    Args:
        jobs: the job rows.
        objects: the bucket that holds the uploads and the outputs.
        access: who is believed to be whom.
        most_bytes, most_seconds: of the largest video that is taken.
    """
    # The page of /docs loads its scripts from elsewhere: for developers only.
    app = FastAPI(title="Cricksy", version="1", docs_url="/docs" if access.embedded else None, redoc_url=None)
    answer_errors_as_problems(app)
    guard_app(app, access, jobs=jobs, objects=objects)
    add_sessions(app, jobs, objects)
    add_uploads(app, jobs, objects, most_bytes=most_bytes)
    if isinstance(objects, LocalObjectStore):
        add_part_route(app, jobs, objects)
    add_jobs(app, jobs, objects)
    add_comparison(app, jobs, objects)
    add_events(app, ProgressWatch(lambda job_ids: standings(jobs.engine, job_ids)))
    add_files(app, jobs, objects)

    @app.get("/healthz", responses={503: {"description": "One of them does not answer; its value is an error code."}}, tags=["service"])
    def healthz() -> JSONResponse:
        """Whether database and store answer: `ok`, or the error code, for each."""
        found = _health(jobs, objects)
        return JSONResponse(found, 200 if set(found.values()) == {"ok"} else 503)

    add_pages(app, jobs=jobs, objects=objects, most_bytes=most_bytes, most_seconds=most_seconds)
    describe(app)
    return app


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
