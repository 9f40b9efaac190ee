"""Answers that say which version they are, so that a reader who has it is not sent it again (RFC 9110, section 13).

Belongs here: ETags, `If-None-Match`, and the answer of a model. Does not belong here: byte ranges (`ranges`).
"""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Header, Response
from pydantic import BaseModel

IfNoneMatch = Annotated[str | None, Header(description="ETags of the versions that the caller has: 304 where one is the present one.")]

REVALIDATE = "private, no-cache"
"""May be kept by the one reader, and must be asked about each time."""


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller holds this version already (weak comparison, RFC 9110 section 13.1.2)."""
    if not if_none_match:
        return False
    held = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in held or etag.removeprefix("W/") in held


def not_modified(etag: str) -> Response:
    """304: the caller has it."""
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": REVALIDATE})


def answer_model(model: BaseModel, if_none_match: str | None) -> Response:
    """The model as JSON, or 304. The ETag is of the very bytes, so it needs no column that somebody may forget to set."""
    body = model.model_dump_json().encode()
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if etag_matches(if_none_match, etag):
        return not_modified(etag)
    return Response(body, headers={"ETag": etag, "Cache-Control": REVALIDATE}, media_type="application/json")
