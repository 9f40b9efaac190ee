"""A stored object as an answer: whole, a range of its bytes, nothing but its head, or "you have it" (RFC 9110, sections 13 and 14).

Belongs here: reading `Range`, `If-Range` and `If-None-Match`, and the status and headers that follow. Does not belong here: which object
(`files`). The bytes come from the store piece by piece; no object is in memory whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.reading.api.conditional import REVALIDATE, etag_matches
from cricksy_pipeline.reading.api.problems import problem
from cricksy_pipeline.store.object_contract import ObjectHead, ObjectStore

_ONE_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE)
_LONGEST_HEADER = 100


class Unsatisfiable(ValueError):
    """The range begins after the end of the object, or asks for its last 0 bytes."""


@dataclass(frozen=True)
class Span:
    """`size` bytes from `start` on; at least one."""

    start: int
    size: int

    @property
    def last(self) -> int:
        """Offset of the last byte."""
        return self.start + self.size - 1


def span_of(header: str | None, size: int) -> Span | None:
    """The one range that is asked for of an object of so many bytes. None: all of it.

    What is not one range of bytes (another unit, several ranges, nonsense) is answered whole, as a server may: an answer in several parts
    would let a short request ask for a very long answer, and no player needs it.

    Raises:
        Unsatisfiable: see there.
    """
    found = _ONE_RANGE.fullmatch(header) if header and len(header) <= _LONGEST_HEADER else None
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if not first:  # the last so many bytes
        count = min(int(last), size)
        if count == 0:
            raise Unsatisfiable(header)
        return Span(size - count, count)
    start, end = int(first), int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise Unsatisfiable(header)
    return Span(start, min(end, size - 1) - start + 1)


def answer_object(request: Request, objects: ObjectStore, head: ObjectHead, *, media_type: str, headers: dict[str, str]) -> Response:
    """The object, as the request's headers want it.

    Args:
        head: of the object, as the store has it now.
        headers: of every answer with content, beside those that this module sets.

    Raises:
        CricksyError: SOURCE_MISSING, STORE_UNAVAILABLE.
    """
    etag = '"' + head.etag.strip('"') + '"'
    known = {
        **headers,
        "ETag": etag,
        "Last-Modified": format_datetime(head.last_modified.astimezone(UTC), usegmt=True),
        "Accept-Ranges": "bytes",
        "Cache-Control": REVALIDATE,
    }
    if etag_matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=known)
    wanted = request.headers.get("range") if _same_version(request.headers.get("if-range"), etag, head) else None
    try:
        # A range is defined for GET alone; HEAD tells of the whole.
        span = span_of(wanted, head.size) if request.method == "GET" else None
    except Unsatisfiable:
        said = f"The object has {head.size} bytes; the range lies outside of it."
        return problem(416, said, code=ErrorCode.REQUEST_INVALID, headers={"Content-Range": f"bytes */{head.size}"})
    part = span or Span(0, head.size)
    known["Content-Length"] = str(part.size)
    if span:
        known["Content-Range"] = f"bytes {part.start}-{part.last}/{head.size}"
    if request.method == "HEAD":
        return Response(headers=known, media_type=media_type)
    pieces: Iterator[bytes] = objects.read_range(head.key, part.start, part.size, etag=head.etag)
    return StreamingResponse(pieces, 206 if span else 200, known, media_type)


def _same_version(if_range: str | None, etag: str, head: ObjectHead) -> bool:
    """Whether a range may be answered: the caller has the rest of this very version (strong comparison), or did not ask."""
    if if_range is None:
        return True
    if if_range.strip().startswith(('"', "W/")):
        return if_range.strip() == etag
    try:
        return parsedate_to_datetime(if_range) == head.last_modified.replace(microsecond=0)
    except (ValueError, TypeError):
        return False
