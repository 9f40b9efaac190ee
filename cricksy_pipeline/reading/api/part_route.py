"""The route that takes a part of an upload into the folder store.

Belongs here: the stream from the request to the file. Does not belong here: who may (`part_links`), the files (`store.folder_parts`). The
request is never in memory whole, and no byte more than announced is written.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.api.job_paths import PART_PATH, JobId
from cricksy_pipeline.reading.api.part_links import demand_signed
from cricksy_pipeline.reading.api.problems import Problem
from cricksy_pipeline.store.direct_uploads import NotWaiting, upload_place
from cricksy_pipeline.store.folder_parts import PartFile, signing_key
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.objects import LocalObjectStore

_WRITTEN_AT_ONCE = 1 << 20


def add_part_route(app: FastAPI, jobs: JobStore, objects: LocalObjectStore) -> None:
    """Register the route; only where the store is a folder."""

    @app.put(
        PART_PATH,
        status_code=204,
        response_class=Response,
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
        },
        responses={status: {"model": Problem} for status in (403, 404, 409, 422, 503)},
        operation_id="put_part",
        tags=["uploads"],
    )
    async def take_part(
        request: Request,
        job_id: JobId,
        number: int,
        size: Annotated[int, Query(ge=1)],
        expires: int,
        signature: Annotated[str, Query(max_length=64)],
    ) -> Response:
        """One part of an upload to the folder store. The address comes from the upload, with its signature; no token is asked for."""
        key = await run_in_threadpool(_key, jobs, objects, job_id, number, size, expires, signature)
        said = request.headers.get("content-length")
        if said is not None and said != str(size):
            raise HTTPException(422, f"This part has {size} bytes, not {said[:20]}.")
        part = await run_in_threadpool(PartFile, objects, key, number)
        try:
            await _take(request, part, size)
            await run_in_threadpool(part.keep)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        finally:
            await run_in_threadpool(part.drop)
        return Response(status_code=204)


def _key(jobs: JobStore, objects: LocalObjectStore, job_id: str, number: int, size: int, expires: int, signature: str) -> str:
    """The key of the object that the part is of. The signature is judged before anything is asked of the database."""
    demand_signed(signing_key(objects), job_id, number, size, expires, signature)
    bucket, key, waiting = upload_place(jobs, job_id)
    if not waiting or bucket != objects.bucket:
        raise NotWaiting(ErrorCode.CONFLICT, "This upload has ended.")
    return key


async def _take(request: Request, part: PartFile, size: int) -> None:
    waiting = bytearray()
    received = 0
    async for piece in request.stream():
        received += len(piece)
        if received > size:
            raise CricksyError(ErrorCode.REQUEST_INVALID, f"This part has {size} bytes, and more came.")
        waiting += piece
        if len(waiting) >= _WRITTEN_AT_ONCE:
            await run_in_threadpool(part.write, bytes(waiting))
            waiting.clear()
    await run_in_threadpool(part.write, bytes(waiting))
    if received != size:
        raise CricksyError(ErrorCode.REQUEST_INVALID, f"This part has {size} bytes, and {received} came.")
