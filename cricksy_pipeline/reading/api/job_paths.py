"""Where jobs, sessions and uploads lie in the API, and what their ids look like.

Belongs here: the paths and the checks that every route of a job or a session shares. Does not belong here: the routes (`job_routes`,
`session_routes`, `upload_routes`, `files`, `events`, `comparing`).
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends
from starlette.exceptions import HTTPException

from cricksy_pipeline.reading.api.problems import NO_SUCH_JOB, NO_SUCH_SESSION

ROOT = "/api/coaches/plus"
JOBS_PATH = f"{ROOT}/analysis-jobs"
JOB_PATH = f"{JOBS_PATH}/{{job_id}}"
SESSIONS_PATH = f"{ROOT}/sessions"
SESSION_PATH = f"{SESSIONS_PATH}/{{session_id}}"
UPLOADS_PATH = f"{ROOT}/videos/upload"
UPLOAD_PATH = f"{UPLOADS_PATH}/{{job_id}}"
"""An upload has the id of the job that waits for it, so whoever may see the job may see the upload."""
PART_PATH = f"{ROOT}/signed/uploads/{{job_id}}/parts/{{number}}"
"""Where the folder store takes a part: from whoever holds a signed address, as a bucket does. No token is asked for below `signed/`."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+=-]{0,127}")


def known_shape(job_id: str) -> str:
    """The job id, if it can be one; else the same 404 as for a job that is not there, without asking the database."""
    if not _ID.fullmatch(job_id):
        raise HTTPException(404, NO_SUCH_JOB)
    return job_id


def known_session_shape(session_id: str) -> str:
    """As `known_shape`, for a session."""
    if not _ID.fullmatch(session_id):
        raise HTTPException(404, NO_SUCH_SESSION)
    return session_id


JobId = Annotated[str, Depends(known_shape)]
SessionId = Annotated[str, Depends(known_session_shape)]


def video_address(job_id: str) -> str:
    """Where a browser plays the source video of a job from, relative to the API's own origin."""
    return f"{JOB_PATH.format(job_id=job_id)}/video"
