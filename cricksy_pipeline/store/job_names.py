"""Which job a person means who types only the beginning of its id, or nothing.

Belongs here: finding that one job. Does not belong here: who may see it (`reading.api`): this is for a terminal at the database itself.
"""

from __future__ import annotations

from sqlalchemy import select

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.store.claims import JOB
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.sessions import UnknownJob, unknown_job

FEWEST_CHARACTERS = 4
"""Of a beginning. House default: one or two characters are a slip, not a name."""

NAMED = 3
"""Jobs that an ambiguous beginning is answered with."""


def find_job(jobs: JobStore, given: str | None) -> str:
    """The id of the job: the given one, the only one that begins so, or without any the newest.

    Raises:
        UnknownJob: there is none, or more than one.
    """
    if given is None:
        return _newest(jobs)
    begins = (JOB.c.id == given) if len(given) < FEWEST_CHARACTERS else JOB.c.id.startswith(given, autoescape=True)
    query = select(JOB.c.id).where(begins).order_by(JOB.c.id).limit(NAMED + 1)
    with transaction(jobs.engine) as connection:
        found = list(connection.scalars(query))
    if given in found:
        return given
    if len(found) > 1:
        more = ", ..." if len(found) > NAMED else ""
        raise UnknownJob(ErrorCode.SOURCE_MISSING, f"More than one job begins with {given}: {', '.join(found[:NAMED])}{more}.")
    if not found:
        raise unknown_job(given)
    return found[0]


def _newest(jobs: JobStore) -> str:
    query = select(JOB.c.id).order_by(JOB.c.created_at.desc(), JOB.c.id.desc()).limit(1)
    with transaction(jobs.engine) as connection:
        found = connection.scalar(query)
    if found is None:
        raise UnknownJob(ErrorCode.SOURCE_MISSING, "There is no job yet: cricksy demo, or cricksy submit VIDEO --mode batting.")
    return found
