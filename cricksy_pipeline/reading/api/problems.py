"""Errors as the API answers them: `application/problem+json` (RFC 9457), with our error code where there is one.

Belongs here: exception -> status, code and words. Does not belong here: raising them. What a server fault is in detail goes to the log,
never to the caller: host names and statements are nobody's business.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from cricksy_pipeline.errors import CODE_FACTS, CricksyError, ErrorCode
from cricksy_pipeline.store.deletion import SessionBusy
from cricksy_pipeline.store.sessions import UnknownJob, UnknownSession

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
NO_SUCH_JOB = "There is no such analysis job."
NO_SUCH_SESSION = "There is no such session."
_STATUS = {
    ErrorCode.AUTH_REQUIRED: 401,
    ErrorCode.LINK_EXPIRED: 403,
    ErrorCode.SOURCE_MISSING: 404,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.CONFLICT: 409,
    ErrorCode.UPLOAD_INCOMPLETE: 409,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.KEYS_UNAVAILABLE: 503,
    ErrorCode.SOURCE_CHANGED: 409,
    ErrorCode.CANCELED: 409,
    ErrorCode.STORE_UNAVAILABLE: 503,
    ErrorCode.DATABASE_UNAVAILABLE: 503,
    ErrorCode.WORKER_LOST: 503,
    ErrorCode.POSE_CRASHED: 500,
    ErrorCode.GUARDRAIL_FAILED: 500,
    ErrorCode.INTERNAL: 500,
}
"""HTTP status by code; every other code is about what the caller sent: 422."""
_CODE = {404: ErrorCode.NOT_FOUND, 409: ErrorCode.CONFLICT}
"""The code of an answer that a route gives by status alone; every other below 500 is about the request."""


class Problem(BaseModel):
    """The body of every error answer."""

    type: str = Field(description="`about:blank`, or urn:cricksy:error: and the code.")
    title: str
    status: int
    detail: str
    code: str | None = Field(default=None, description="One of our error codes, where the error has one.")
    retryable: bool = Field(default=False, description="Whether the same request may succeed later.")


def problem(
    status: int, detail: str, *, code: ErrorCode | None = None, retryable: bool | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """One error answer. `retryable`, unless it is given, and `Retry-After` follow from the code."""
    transient = (code is not None and CODE_FACTS[code].transient) if retryable is None else retryable
    body = Problem(
        type=f"urn:cricksy:error:{code.value}" if code else "about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code.value if code else None,
        retryable=transient,
    )
    extra = {"Retry-After": str(RETRY_AFTER_S)} if transient and status == 503 else {}
    return JSONResponse(body.model_dump(), status, {**(headers or {}), **extra}, MEDIA_TYPE)


async def _cricksy_error(request: Request, error: CricksyError) -> JSONResponse:
    status = _STATUS.get(error.code, 422)
    if status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error)
    return problem(status, error.advice if status >= 500 else error.message, code=error.code)


async def _unknown_job(_request: Request, _error: UnknownJob) -> JSONResponse:
    return problem(404, NO_SUCH_JOB, code=ErrorCode.NOT_FOUND)


async def _unknown_session(_request: Request, _error: UnknownSession) -> JSONResponse:
    return problem(404, NO_SUCH_SESSION, code=ErrorCode.NOT_FOUND)


async def _session_busy(_request: Request, error: SessionBusy) -> JSONResponse:
    return problem(409, f"{error.message} {error.advice}", code=ErrorCode.CONFLICT, retryable=True)


async def _http_error(_request: Request, error: HTTPException) -> JSONResponse:
    code = _CODE.get(error.status_code, ErrorCode.REQUEST_INVALID) if error.status_code < 500 else None
    return problem(error.status_code, str(error.detail), code=code, headers=dict(error.headers or {}))


async def _bad_request(_request: Request, error: RequestValidationError) -> JSONResponse:
    said = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
    return problem(422, said, code=ErrorCode.REQUEST_INVALID)


async def _fault(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, CODE_FACTS[ErrorCode.INTERNAL].advice, code=ErrorCode.INTERNAL)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's description says of its errors: these, and those that every route has."""
    return {status: {"model": Problem} for status in sorted({401, 429, 503, *statuses})}


def answer_errors_as_problems(app: FastAPI) -> None:
    """Register the handlers: from here on every error of `app` is a `Problem`."""
    handlers: dict[type[Exception], Any] = {
        CricksyError: _cricksy_error,
        UnknownJob: _unknown_job,
        UnknownSession: _unknown_session,
        SessionBusy: _session_busy,
        HTTPException: _http_error,
        RequestValidationError: _bad_request,
        Exception: _fault,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
