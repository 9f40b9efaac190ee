"""The object store: one interface over one bucket of S3 or over one folder.

Belongs here: what a store promises, and what an object's head is. Does not belong here: which keys there are (`keys`), the two
implementations (`local_objects`, `s3_objects`).

Every write is read back and compared by size and SHA-256 before `put` returns. A missing object raises `ObjectMissing`, which is a
`CricksyError` with SOURCE_MISSING; a store that does not answer, refuses, or gives back something else than was written raises
STORE_UNAVAILABLE with bucket and key in the message; where it is this one object that may not be read, as `ObjectRefused`. A failed
listing raises; it is never an empty listing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from cricksy_pipeline.errors import CricksyError, ErrorCode

CHUNK = 1 << 17
"""Bytes of a content in memory at once while it is copied or hashed. Python takes a new block for each piece, and the kernel clears anew
each one that the heap does not keep: in pieces of 4 MiB, copying and hashing took three times as long."""
RANGE_PIECE = 1 << 18
"""Most bytes of a range in memory at once: a player seeks often, and throws away what it no longer wants."""
PAGE = 1000
"""Most keys of one page: what S3 lists in one request."""


class ObjectMissing(CricksyError):
    """There is no object under the key. Code SOURCE_MISSING."""


class ObjectRefused(CricksyError):
    """The store is there, and refuses access to what was asked for. Code STORE_UNAVAILABLE."""


@dataclass(frozen=True)
class ObjectHead:
    """What is known of an object without its content.

    Attributes:
        size: bytes.
        etag: changes whenever the content does; compare it, do not interpret it.
        sha256: of the content, lower-case hex; None where the store does not know it (an S3 object that someone else wrote).
        last_modified: with zone. No proof of anything: S3 gives a multipart upload the time at which it began.
        metadata: what the uploader wrote beside the content, by lower-case name; empty in a folder, and in a listing.
    """

    key: str
    size: int
    etag: str
    sha256: str | None
    content_type: str
    last_modified: datetime
    metadata: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Listed:
    """What a page of a listing tells of an object, without anything of it being read.

    Attributes:
        size: bytes.
        last_modified: as in its head.
        etag: as in its head; None in a folder, which would have to read the content to know.
        complete: False while a file is as young as one that is still being copied. Always True in S3, where what is visible is whole.
    """

    key: str
    size: int
    last_modified: datetime
    etag: str | None
    complete: bool = True


@runtime_checkable
class ObjectStore(Protocol):
    """One bucket. Keys are relative, checked by `keys.checked_key` (ValueError). Errors: see the module.

    A content type that is not given follows from the key's suffix.

    Attributes:
        settle_s: how long an object must have been left alone, in seconds, to count as complete; 0 where it appears only when whole.
    """

    bucket: str
    settle_s: float

    def put(self, key: str, data: bytes, content_type: str | None = None) -> ObjectHead:
        """Write, read back, compare."""

    def put_file(self, key: str, path: Path, content_type: str | None = None) -> ObjectHead:
        """Write a file's content, read back, compare. Never holds the whole file in memory."""

    def get(self, key: str) -> bytes:
        """The content. ObjectMissing where there is none."""

    def head(self, key: str) -> ObjectHead | None:
        """The head, or None where there is no object."""

    def download(self, key: str, path: Path) -> ObjectHead:
        """Write the content to a file, which appears only when whole. ObjectMissing where there is none.

        The head is that of the very content that was written, its `sha256` taken on the way.
        """

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none."""

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectHead]:
        """Heads of all objects whose key starts with the prefix and comes after `start_after`, in key order."""

    def page(self, prefix: str = "", *, start_after: str = "") -> list[Listed]:
        """The next objects of such a listing, at most `PAGE`; empty where there are no more. One request, and no content is read."""

    def read_range(self, key: str, start: int, size: int, *, etag: str | None = None) -> Iterator[bytes]:
        """`size` bytes from `start` on, in pieces; opened at once, read as they are asked for. Both lie within the object.

        With an ETag, of that version only: STORE_UNAVAILABLE where S3 has another by now.
        """

    def presigned_url(self, key: str, expires_s: int = 3600) -> str | None:
        """An address from which anyone can read the object for a while; None where the store has no addresses."""

    def local_path(self, key: str) -> Path | None:
        """The file behind the object, for reading; None where there is no object or the objects lie elsewhere."""

    def presigned_upload_url(self, key: str, content_type: str, expires_s: int = 3600, *, size: int | None = None) -> str | None:
        """An address to which anyone can PUT the object for a while; None where the store has no addresses.

        With a size, just so many bytes.
        """


def sha256_of(data: bytes) -> str:
    """SHA-256 as lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's content as lower-case hex, without all of it in memory."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def missing(bucket: str, key: str) -> ObjectMissing:
    """The error for an object that is not there."""
    return ObjectMissing(ErrorCode.SOURCE_MISSING, f"There is no object {key} in {bucket}.")


def refused(bucket: str, key: str, reason: object) -> ObjectRefused:
    """The error for an object that may not be read."""
    return ObjectRefused(ErrorCode.STORE_UNAVAILABLE, f"Object store {bucket} refuses access to {key}: {reason}")


def unavailable(bucket: str, key: str, reason: object) -> CricksyError:
    """The error for a store that did not do what it was asked."""
    return CricksyError(ErrorCode.STORE_UNAVAILABLE, f"Object store {bucket}, key {key}: {reason}")


def compare_read_back(bucket: str, key: str, *, size: int, sha256: str, read_size: int, read_sha256: str) -> None:
    """Raise STORE_UNAVAILABLE where what was read back is not what was written."""
    if (read_size, read_sha256) != (size, sha256):
        raise unavailable(bucket, key, f"wrote {size} bytes with SHA-256 {sha256[:12]}, read back {read_size} with {read_sha256[:12]}")
