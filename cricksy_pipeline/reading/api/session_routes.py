"""Sessions: the list, one, a new one, changed, deleted.

Belongs here: these routes. Does not belong here: a session's jobs (`job_routes`), its upload (`upload_routes`), what can be said of consent
(`consent`).
"""

from __future__ import annotations

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException

from cricksy_pipeline.reading.api.access import Caller, OwnedSession, SignedIn
from cricksy_pipeline.reading.api.conditional import IfNoneMatch, answer_model
from cricksy_pipeline.reading.api.cursors import After, cursor_text
from cricksy_pipeline.reading.api.job_paths import SESSION_PATH, SESSIONS_PATH
from cricksy_pipeline.reading.api.job_routes import Limit
from cricksy_pipeline.reading.api.problems import problems
from cricksy_pipeline.reading.api.read_models import NewSession, SessionChange, SessionPageRead, SessionRead
from cricksy_pipeline.store.deletion import delete_session
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import OwnerType
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.row_pages import session_line, session_page
from cricksy_pipeline.store.sessions import unknown_session


def owner_for(caller: Caller, owner_type: OwnerType, owner_id: str | None) -> tuple[str, str]:
    """Whose a session will be that the caller makes: his own, or one of his organisations'.

    Raises:
        HTTPException: 422, of anybody else's; whether there is such an organisation is not said.
    """
    owner = (owner_type.value, caller.coach_id if owner_type == OwnerType.COACH and owner_id is None else owner_id or "")
    if not caller.may_see(*owner):
        raise HTTPException(422, "A session is the caller's own, or of an organisation that the caller belongs to.")
    return owner


def add_sessions(app: FastAPI, jobs: JobStore, objects: ObjectStore) -> None:
    """Register the routes."""

    def read(session_id: str) -> SessionRead:
        found = session_line(jobs.engine, session_id)
        if found is None:
            raise unknown_session(session_id)
        return SessionRead.model_validate(found)

    @app.get(SESSIONS_PATH, response_model=SessionPageRead, responses=problems(422), operation_id="list_sessions", tags=["sessions"])
    def sessions(caller: SignedIn, after: After, limit: Limit = 50, if_none_match: IfNoneMatch = None) -> Response:
        """The caller's sessions and those of his organisations, newest first, each with its newest job."""
        page = session_page(jobs.engine, caller.owners, after=after, limit=limit)
        items = [SessionRead.model_validate(item) for item in page.items]
        return answer_model(SessionPageRead(items=items, next_cursor=cursor_text(page.next)), if_none_match)

    @app.post(
        SESSIONS_PATH, status_code=201, response_model=SessionRead, responses=problems(422), operation_id="make_session", tags=["sessions"]
    )
    def new_session(caller: SignedIn, asked: NewSession) -> SessionRead:
        """Make a session, for a video that is to be uploaded."""
        owner_type, owner_id = owner_for(caller, asked.owner_type, asked.owner_id)
        said = asked.model_dump(exclude={"owner_type", "owner_id"}, exclude_none=True)
        return read(jobs.create_session(owner_type=owner_type, owner_id=owner_id, **said))

    @app.get(SESSION_PATH, response_model=SessionRead, responses=problems(404), operation_id="get_session", tags=["sessions"])
    def session(found: OwnedSession, if_none_match: IfNoneMatch = None) -> Response:
        """One session."""
        return answer_model(read(found.id), if_none_match)

    @app.patch(SESSION_PATH, response_model=SessionRead, responses=problems(404, 422), tags=["sessions"])
    def change_session(found: OwnedSession, asked: SessionChange) -> SessionRead:
        """Say something anew of a session: what is left out stays."""
        said = asked.model_dump(exclude_unset=True)
        if said.get("title", "") is None:
            raise HTTPException(422, "body.title: a session has a title.")
        if said:
            jobs.change_session(found.id, **said)
        return read(found.id)

    @app.delete(
        SESSION_PATH,
        status_code=204,
        response_class=Response,
        responses=problems(404, 409),
        operation_id="delete_session",
        tags=["sessions"],
    )
    def remove_session(found: OwnedSession) -> Response:
        """Delete the session with its video, its analyses and all that was made of them. Not while an analysis is under way (409)."""
        delete_session(jobs, objects, found.id)
        return Response(status_code=204)
