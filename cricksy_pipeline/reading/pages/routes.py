"""The pages that coaches open in a browser, and the playback document that a page draws from.

Belongs here: addresses, who may see them, which view and template answer. Does not belong here: what is shown (the view modules), how it
looks (`templates/`, `static/`), changing anything: pages read, and their scripts ask the API like everybody else.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from cricksy_pipeline.reading.api.access import Caller, OwnedJobId, SignedIn, demand_job, demand_session
from cricksy_pipeline.reading.api.comparing import NotComparable, read_comparison
from cricksy_pipeline.reading.api.conditional import REVALIDATE, IfNoneMatch, etag_matches, not_modified
from cricksy_pipeline.reading.api.cursors import cursor_text, position_of
from cricksy_pipeline.reading.api.job_paths import JOB_PATH, known_session_shape, known_shape
from cricksy_pipeline.reading.api.problems import problems
from cricksy_pipeline.reading.api.signing_in import local_path
from cricksy_pipeline.reading.pages.analysis_view import AnalysisPage, analysis_page
from cricksy_pipeline.reading.pages.comparison_view import ComparisonView, choices_of
from cricksy_pipeline.reading.pages.playback_source import NoPlayback, PlaybackSource
from cricksy_pipeline.reading.pages.problem_pages import problem_page
from cricksy_pipeline.reading.pages.rendering import page
from cricksy_pipeline.reading.pages.sessions_view import session_page as view_of_session
from cricksy_pipeline.reading.pages.sessions_view import session_row
from cricksy_pipeline.reading.pages.standing import MODES
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import VIDEO_SUFFIXES
from cricksy_pipeline.store.models import JobStatus, VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.row_pages import job_page, session_page
from cricksy_pipeline.store.sessions import unknown_job

SESSIONS_A_PAGE = 30
CHOICES = 50
"""Earlier analyses offered for a comparison, the newest."""

_HERE = Path(__file__).parent
_REPORT_STYLES = _HERE.parent / "report" / "templates"
_SHARED_STYLES = ("palette.css", "report.css")
"""The report's own files: page and report look alike because they are the same."""


def add_pages(app: FastAPI, *, jobs: JobStore, objects: ObjectStore, most_bytes: int, most_seconds: float) -> None:
    """Register pages, their files, and the playback document on the API's app, which is guarded by `api.access`.

    Args:
        jobs, objects: where rows and outputs are.
        most_bytes, most_seconds: what is accepted as an upload, for the words of the upload page.
    """
    _add_files(app)
    _add_lists(app, jobs, most_bytes, most_seconds)
    _add_analysis(app, jobs, objects)
    _add_playback(app, jobs, objects)


def _add_files(app: FastAPI) -> None:
    @app.get("/static/{name}.css", include_in_schema=False)
    def style(name: str) -> FileResponse:
        """A style sheet, ours or the report's."""
        if not name.replace("-", "").isalnum():
            raise HTTPException(404, "There is no such file.")
        folder = _REPORT_STYLES if f"{name}.css" in _SHARED_STYLES else _HERE / "static"
        if not (folder / f"{name}.css").is_file():
            raise HTTPException(404, "There is no such file.")
        return FileResponse(folder / f"{name}.css", headers=_FRESH)

    app.mount("/static", _Static(directory=_HERE / "static"), name="static")

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> FileResponse:
        """The ball, for browsers that ask without being told."""
        return FileResponse(_HERE / "static" / "ball.svg", media_type="image/svg+xml", headers=_FRESH)


_FRESH = {"Cache-Control": "no-cache"}
"""Kept by the browser, and asked for by ETag each time: after an update no page runs with the scripts of the one before."""


class _Static(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        answer = super().file_response(*args, **kwargs)
        answer.headers.update(_FRESH)
        return answer


def _as_page(view: Callable[..., HTMLResponse]) -> Callable[..., HTMLResponse]:
    """What goes wrong in a page is told by a page."""

    @wraps(view)
    def told(*args: Any, **kwargs: Any) -> HTMLResponse:
        try:
            return view(*args, **kwargs)
        except Exception as error:  # the last word to the reader; programs get theirs from the API's own handlers
            return problem_page(kwargs["request"], error)

    return told


def _add_lists(app: FastAPI, jobs: JobStore, most_bytes: int, most_seconds: float) -> None:
    @app.get("/", include_in_schema=False)
    @_as_page
    def sessions(request: Request, caller: SignedIn, after: str | None = None) -> HTMLResponse:
        """The caller's sessions, newest first."""
        position = position_of(after) if after else None
        found = session_page(jobs.engine, caller.owners, after=position, limit=SESSIONS_A_PAGE)
        older = cursor_text(found.next) if found.next else ""
        rows = [session_row(line) for line in found.items]
        return page(request, "sessions.html", here="sessions", sessions=rows, older=older, later=bool(after))

    @app.get("/sessions/{session_id}", include_in_schema=False)
    @_as_page
    def one_session(request: Request, caller: SignedIn, session_id: str) -> HTMLResponse:
        """One session: what is known of it, its analyses, deleting it."""
        session = jobs.get_session(demand_session(jobs, caller, known_session_shape(session_id)))
        if session is None:  # deleted between the two looks
            raise HTTPException(404)
        lines = job_page(jobs.engine, caller.owners, session_id=session_id).items
        return page(request, "session.html", session=view_of_session(session, lines))

    @app.get("/upload", include_in_schema=False)
    @_as_page
    def upload(request: Request, caller: SignedIn) -> HTMLResponse:
        """The form for a new video. Its script sends the file straight to the store."""
        words = f"{most_bytes / 1024**3:.0f} GB" if most_bytes >= 1024**3 else f"{most_bytes / 1024**2:.0f} MB"
        limits = {"most_bytes": most_bytes, "most_words": words, "most_minutes": f"{most_seconds / 60:.0f}"}
        return page(request, "upload.html", here="upload", modes=MODES, suffixes=VIDEO_SUFFIXES, **limits)

    @app.get("/sign-in", include_in_schema=False)
    @_as_page
    def sign_in(request: Request, next: str = "/") -> HTMLResponse:
        """The field for a token."""
        return page(request, "sign_in.html", next_path=local_path(next))


def _add_analysis(app: FastAPI, jobs: JobStore, objects: ObjectStore) -> None:
    @app.get("/analyses/{job_id}", include_in_schema=False)
    @_as_page
    def analysis(request: Request, caller: SignedIn, job_id: str, compare: str | None = None) -> HTMLResponse:
        """One analysis in any standing; with `compare`, beside an earlier one."""
        row = jobs.get(demand_job(jobs, caller, known_shape(job_id)))
        session = jobs.get_session(row.session_id)
        if session is None:
            raise unknown_job(job_id)
        shown = analysis_page(row, session, objects)
        return page(request, "analysis.html", page=_with_comparison(shown, row, caller, compare))

    def _with_comparison(shown: AnalysisPage, row: VideoAnalysisJob, caller: Caller, compare: str | None) -> AnalysisPage:
        if shown.view is None or shown.view.pass_name != "deep" or not shown.view.balls.balls:
            return shown
        lines = job_page(jobs.engine, caller.owners, statuses=[JobStatus.DONE], analysis_mode=row.analysis_mode, limit=CHOICES).items
        section = choices_of(row, lines)
        return replace(shown, comparison=_compared(section, row.id, caller, compare) if compare else section)

    def _compared(section: ComparisonView, job_id: str, caller: Caller, compare: str) -> ComparisonView:
        earlier = demand_job(jobs, caller, known_shape(compare))
        try:
            return section.with_told(earlier, read_comparison(jobs, objects, earlier, job_id))
        except NotComparable as refusal:
            return replace(section, chosen=earlier, refusal=str(refusal))


def _add_playback(app: FastAPI, jobs: JobStore, objects: ObjectStore) -> None:
    source = PlaybackSource(jobs, objects)

    @app.get(f"{JOB_PATH}/playback", tags=["analyses"], responses={304: {"description": "Unchanged."}, **problems(404)})
    def playback(
        job_id: OwnedJobId,
        if_none_match: IfNoneMatch = None,
        accept_encoding: Annotated[str, Header()] = "",
    ) -> Response:
        """What to draw over the video: frame times, the chosen player's landmarks (sides repaired), events, curves. See docs/pages.md."""
        try:
            asked = source.ask(job_id)
        except NoPlayback as nothing:
            raise HTTPException(404, str(nothing)) from nothing
        headers = {"ETag": asked.etag, "Cache-Control": REVALIDATE, "Vary": "Accept-Encoding"}
        if etag_matches(if_none_match, asked.etag):
            return not_modified(asked.etag)
        body = source.gzipped(asked)
        if "gzip" in accept_encoding:
            return Response(body, headers={**headers, "Content-Encoding": "gzip"}, media_type="application/json")
        return Response(gzip.decompress(body), headers=headers, media_type="application/json")
