"""Server-sent events: how an analysis gets on, as it happens (HTML Living Standard, section 9.2).

Belongs here: the route and the wire format. Does not belong here: the looking (`progress_watch`).

A stream begins with where the job is, so a client that comes late or again needs nothing of what it missed; `Last-Event-ID` is looked at
only to tell one that has heard the end not to come again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import FastAPI, Header, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.reading.api.access import OwnedJobId
from cricksy_pipeline.reading.api.job_paths import JOB_PATH
from cricksy_pipeline.reading.api.problems import problems
from cricksy_pipeline.reading.api.progress_watch import ProgressWatch
from cricksy_pipeline.reading.printing.job_progress import STAGE_WORDS
from cricksy_pipeline.store.job_standing import Standing

HEARTBEAT_S = 15.0
"""Proxies close what is silent for a minute."""
LONGEST_S = 600.0
"""A stream ends after so long and its client comes again, and is asked again who he is."""
RETRY_MS = 2000
DELETED = "deleted"


class ProgressRead(BaseModel):
    """The data of an event."""

    id: str
    status: str = Field(description="As of the job; `deleted` where it is not there any more.")
    stage: str | None
    progress_pct: int = Field(ge=0, le=100)
    message: str = Field(description="For a person.")
    attempt: int
    error_code: str | None
    retryable: bool
    finished: bool = Field(description="Nothing more happens by itself; the stream ends.")


def progress_read(job_id: str, standing: Standing | None) -> ProgressRead:
    """What a reader is told; None: the job is gone."""
    if standing is None:
        gone = "This analysis was deleted."
        return ProgressRead(
            id=job_id, status=DELETED, stage=None, progress_pct=0, message=gone, attempt=0, error_code=None, retryable=False, finished=True
        )
    words = STAGE_WORDS.get(standing.stage or "", standing.status.replace("_", " "))
    code = standing.error_code if standing.error_code in ErrorCode.__members__ else None
    return ProgressRead(
        id=job_id,
        status=standing.status,
        stage=standing.stage,
        progress_pct=min(100, max(0, standing.progress_pct)),
        message=standing.error_message or f"{words[:1].upper()}{words[1:]}.",
        attempt=standing.attempt,
        error_code=standing.error_code,
        retryable=code is not None and CODE_FACTS[ErrorCode(code)].transient,
        finished=standing.ended,
    )


def event_of(read: ProgressRead) -> tuple[str, str]:
    """The event's id and its text. The id is of the content: the same state, the same id."""
    data = read.model_dump_json()
    event_id = hashlib.sha256(data.encode()).hexdigest()[:16]
    name = "finished" if read.finished else "progress"
    return event_id, f"id: {event_id}\nevent: {name}\ndata: {data}\n\n"


async def event_stream(
    watch: ProgressWatch, job_id: str, *, heartbeat_s: float = HEARTBEAT_S, longest_s: float = LONGEST_S
) -> AsyncIterator[str]:
    """Each state once, comments in between where nothing changes for long, and the end."""
    begun = said_at = time.monotonic()
    said = ""
    yield f"retry: {RETRY_MS}\n\n"
    async with aclosing(watch.follow(job_id)) as standings:
        async for standing in standings:
            read = progress_read(job_id, standing)
            event_id, text = event_of(read)
            now = time.monotonic()
            if event_id != said:
                said, said_at = event_id, now
                yield text
            elif now - said_at >= heartbeat_s:
                said_at = now
                yield ": still here\n\n"
            if read.finished or now - begun >= longest_s:
                return


def add_events(app: FastAPI, watch: ProgressWatch) -> None:
    """Register the route."""

    @app.get(
        f"{JOB_PATH}/events",
        response_class=StreamingResponse,
        responses={
            200: {
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
                "description": "Events `progress`, at last `finished`.",
            },
            204: {"description": "The caller has heard the end (`Last-Event-ID`): nothing more will come."},
            **problems(404),
        },
        operation_id="follow_job",
        tags=["analyses"],
    )
    async def events(_request: Request, job_id: OwnedJobId, last_event_id: Annotated[str | None, Header()] = None) -> Response:
        """How the analysis gets on, as server-sent events. The data of each is a `ProgressRead`."""
        if last_event_id:
            read = progress_read(job_id, (await run_in_threadpool(watch.look, [job_id])).get(job_id))
            if read.finished and event_of(read)[0] == last_event_id:
                return Response(status_code=204)
        # A proxy that collects before it passes on would make one event of a whole analysis.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(event_stream(watch, job_id), headers=headers, media_type="text/event-stream")
