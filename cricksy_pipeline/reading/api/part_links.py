"""Links into the folder store: signed by this API for one part of one upload and a short while, as a bucket signs its own.

Belongs here: making such a link and judging it. Does not belong here: taking the part (`part_route`), the key that signs
(`store.folder_parts`).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import urlencode

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.api.job_paths import PART_PATH
from cricksy_pipeline.store.multipart import Part


class BadLink(CricksyError):
    """The link is too old, or is not as it was made. Code LINK_EXPIRED."""


def signed_link(key: bytes, job_id: str, part: Part, expires_at: int) -> str:
    """Where to PUT a part, relative to the API's own origin. `expires_at` in seconds since 1970."""
    said = urlencode({"size": part.size, "expires": expires_at, "signature": _signature(key, job_id, part.number, part.size, expires_at)})
    return f"{PART_PATH.format(job_id=job_id, number=part.number)}?{said}"


def demand_signed(key: bytes, job_id: str, number: int, size: int, expires_at: int, signature: str) -> None:
    """Raises BadLink where this is no link that `signed_link` made, or where its time is over."""
    expected = _signature(key, job_id, number, size, expires_at)
    if not hmac.compare_digest(expected.encode(), signature.encode()) or time.time() > expires_at:
        raise BadLink(ErrorCode.LINK_EXPIRED, "This link does not hold (any more). Ask for the upload again: it comes with fresh links.")


def _signature(key: bytes, job_id: str, number: int, size: int, expires_at: int) -> str:
    return hmac.new(key, f"PUT\n{job_id}\n{number}\n{size}\n{expires_at}".encode(), hashlib.sha256).hexdigest()
