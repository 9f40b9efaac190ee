"""Whose a session is, and whose a job: the one question behind everything that is shown.

Belongs here: reading the owner, without anything else of a row. Does not belong here: who may see it (`reading.api.access`).
"""

from __future__ import annotations

from sqlalchemy import select

from cricksy_pipeline.store.claims import JOB, SESSION
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.sessions import SessionStore

Owner = tuple[str, str]
"""Owner type (`coach` or `org`) and owner id."""


def owner_of_session(sessions: SessionStore, session_id: str) -> Owner | None:
    """The session's owner; None where there is no such session. Raises CricksyError DATABASE_UNAVAILABLE."""
    return _owner(sessions, select(SESSION.c.owner_type, SESSION.c.owner_id).where(SESSION.c.id == session_id))


def owner_of_job(sessions: SessionStore, job_id: str) -> Owner | None:
    """The owner of the job's session; None where there is no such job, or (in an adopted table) no session to it.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    query = select(SESSION.c.owner_type, SESSION.c.owner_id).join(JOB, JOB.c.session_id == SESSION.c.id)
    return _owner(sessions, query.where(JOB.c.id == job_id))


def _owner(sessions: SessionStore, query) -> Owner | None:
    with transaction(sessions.engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else (str(row.owner_type), row.owner_id)
