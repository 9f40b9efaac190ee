"""Uploads that go straight to the store, from whoever holds an address: in one piece, or in parts that can be taken up again.

Belongs here: how a size is cut into parts, what a bucket and a folder do to take them, finding and aborting what nobody completed (S3 keeps
and charges such parts for ever, and no listing of objects shows them). Does not belong here: the rows (`direct_uploads`), when an
upload is too old (`expiry`), the folder's files (`folder_parts`).

Nothing about an upload is remembered beside the store: which parts are there is asked of it each time. So an upload goes on after any
crash, on another machine, and from another process of the API.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store import folder_parts
from cricksy_pipeline.store.keys import content_type_of
from cricksy_pipeline.store.object_contract import ObjectHead, ObjectStore, missing
from cricksy_pipeline.store.objects import LocalObjectStore, S3ObjectStore

MIB = 1 << 20
LEAST_PART = 8 * MIB
"""S3 takes no part below 5 MiB but the last."""
MOST_PARTS = 200
"""S3 takes 10,000; their addresses are all in one answer. House default."""
WHOLE_UP_TO = 16 * MIB
"""What is no larger goes to a bucket as one PUT: there is little to take up again. House default."""


@dataclass(frozen=True)
class Part:
    """A piece of a file: `number` from 1 on; `offset` and `size` in bytes."""

    number: int
    offset: int
    size: int


@dataclass(frozen=True)
class PartUpload:
    """An upload in parts that is neither completed nor aborted. `started` with zone; in a folder, when it last got a part."""

    key: str
    upload_id: str
    started: datetime


class Incomplete(CricksyError):
    """Parts are missing, or are not as long as announced. Code UPLOAD_INCOMPLETE."""


def part_size(size: int) -> int:
    """How long each part of a file is, in bytes; the last may be shorter. Whole MiB, so that there are at most `MOST_PARTS`."""
    return max(LEAST_PART, -(-size // (MOST_PARTS * MIB)) * MIB)


def parts_of(size: int, *, whole: bool = False) -> list[Part]:
    """The parts that a file of so many bytes is sent in; with `whole`, the one."""
    each = size if whole else part_size(size)
    return [Part(number, offset, min(each, size - offset)) for number, offset in enumerate(range(0, size, each), start=1)]


def goes_whole(objects: ObjectStore, size: int) -> bool:
    """Whether a file of so many bytes is one PUT to its own key. Never in a folder, where even one part is taken in by completing it."""
    return isinstance(objects, S3ObjectStore) and size <= WHOLE_UP_TO


def begin_parts(objects: ObjectStore, key: str) -> None:
    """Make the store ready for parts of this object. Again is harmless: parts that are there stay.

    Raises:
        CricksyError: STORE_UNAVAILABLE.
    """
    if isinstance(objects, LocalObjectStore):
        folder_parts.begin(objects, key)
    elif _upload_id(objects, key) is None:
        with objects._failures(key):
            objects._client.create_multipart_upload(Bucket=objects.bucket, Key=key, ContentType=content_type_of(key))


def received_parts(objects: ObjectStore, key: str) -> dict[int, int]:
    """The size in bytes of each part that is there, by its number; empty where no upload in parts is under way.

    Raises:
        CricksyError: STORE_UNAVAILABLE.
    """
    if isinstance(objects, LocalObjectStore):
        return folder_parts.received(objects, key)
    upload_id = _upload_id(objects, key)
    return {part["PartNumber"]: part["Size"] for part in _listed_parts(objects, key, upload_id)} if upload_id else {}


def part_addresses(objects: ObjectStore, key: str, parts: list[Part], expires_s: int) -> list[str] | None:
    """An address to which anyone can PUT each part for a while, with just its length. None where the store has none: a folder.

    Raises:
        CricksyError: STORE_UNAVAILABLE.
    """
    if isinstance(objects, LocalObjectStore):
        return None
    fields = {"Bucket": objects.bucket, "Key": key, "UploadId": _upload_id(objects, key) or ""}
    with objects._failures(key):
        return [
            objects._client.generate_presigned_url(
                "upload_part", {**fields, "PartNumber": part.number, "ContentLength": part.size}, ExpiresIn=expires_s
            )
            for part in parts
        ]


def finish_parts(objects: ObjectStore, key: str, parts: list[Part]) -> ObjectHead:
    """Make the object of its parts. Again is harmless: where it was made already, its head.

    Raises:
        Incomplete: a part is missing, or is not as long as it should be.
        CricksyError: STORE_UNAVAILABLE.
    """
    there = received_parts(objects, key)
    lacking = [part.number for part in parts if there.get(part.number) != part.size]
    if lacking:
        # Parts go once the object is there: some may be left of a completion that runs beside this one, or that was killed.
        if (head := objects.head(key)) is not None:
            return head
        raise incomplete(lacking, len(parts))
    if isinstance(objects, LocalObjectStore):
        return folder_parts.assemble(objects, key, [part.number for part in parts])
    return _complete(objects, key, {part.number for part in parts})


def incomplete(lacking: list[int], of: int) -> Incomplete:
    """The error for parts that are not there."""
    named = ", ".join(map(str, lacking[:10])) + (" ..." if len(lacking) > 10 else "")
    return Incomplete(ErrorCode.UPLOAD_INCOMPLETE, f"{len(lacking)} of {of} parts are not there: {named}. Send them, then complete again.")


def incomplete_uploads(objects: ObjectStore, prefix: str) -> Iterator[PartUpload]:
    """Those whose key starts with the prefix.

    Raises:
        CricksyError: STORE_UNAVAILABLE.
    """
    if isinstance(objects, LocalObjectStore):
        for key, last in folder_parts.begun(objects, prefix):
            yield PartUpload(key, key, last)
    elif isinstance(objects, S3ObjectStore):
        pages = objects._client.get_paginator("list_multipart_uploads").paginate(Bucket=objects.bucket, Prefix=prefix)
        with objects._failures(prefix):
            for page in pages:
                for found in page.get("Uploads", ()):
                    yield PartUpload(found["Key"], found["UploadId"], found["Initiated"])


def abort_upload(objects: ObjectStore, upload: PartUpload) -> None:
    """Drop its parts; nothing happens where it has ended meanwhile.

    Raises:
        CricksyError: STORE_UNAVAILABLE.
    """
    from botocore.exceptions import ClientError

    if isinstance(objects, LocalObjectStore):
        folder_parts.discard(objects, upload.key)
        return
    with objects._failures(upload.key):
        try:
            objects._client.abort_multipart_upload(Bucket=objects.bucket, Key=upload.key, UploadId=upload.upload_id)
        except ClientError as error:
            if not _no_such_upload(error):
                raise


def _upload_id(objects: Any, key: str) -> str | None:
    """The id that S3 gave the upload under this key; of several, the one with the smallest, which every process finds."""
    return min((found.upload_id for found in incomplete_uploads(objects, key) if found.key == key), default=None)


def _listed_parts(objects: Any, key: str, upload_id: str) -> list[dict[str, Any]]:
    from botocore.exceptions import ClientError

    pages = objects._client.get_paginator("list_parts").paginate(Bucket=objects.bucket, Key=key, UploadId=upload_id)
    with objects._failures(key):
        try:
            return [part for page in pages for part in page.get("Parts", ())]
        except ClientError as error:
            if _no_such_upload(error):
                return []
            raise


def _complete(objects: Any, key: str, numbers: set[int]) -> ObjectHead:
    from botocore.exceptions import ClientError

    upload_id = _upload_id(objects, key)
    made = (
        [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in _listed_parts(objects, key, upload_id)] if upload_id else []
    )
    with objects._failures(key):
        try:
            if made:  # else somebody else completed it since its parts were counted
                objects._client.complete_multipart_upload(
                    Bucket=objects.bucket,
                    Key=key,
                    UploadId=upload_id,
                    MultipartUpload={"Parts": [part for part in made if part["PartNumber"] in numbers]},
                )
        except ClientError as error:  # somebody else completed it at the same time
            if not _no_such_upload(error):
                raise
    head = objects.head(key)
    if head is None:
        raise missing(objects.bucket, key)
    return head


def _no_such_upload(error: Any) -> bool:
    return error.response.get("Error", {}).get("Code") == "NoSuchUpload"
