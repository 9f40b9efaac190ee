"""Where a job lies in the API, and what its id looks like.

Belongs here: the path and the check that every route of a job shares. Does not belong here: the routes (`api`, `comparing`).
"""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Depends
from starlette.exceptions import HTTPException

from cricksy_pipeline.reading.api.problems import NO_SUCH_JOB

JOB_PATH = "/api/coaches/plus/analysis-jobs/{job_id}"

_JOB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+=-]{0,127}")


def known_shape(job_id: str) -> str:
    """The job id, if it can be one; else the same 404 as for a job that is not there, without asking the database."""
    if not _JOB_ID.fullmatch(job_id):
        raise HTTPException(404, NO_SUCH_JOB)
    return job_id


JobId = Annotated[str, Depends(known_shape)]
