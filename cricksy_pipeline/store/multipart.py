"""Uploads in parts that nobody completed: S3 keeps and charges their parts for ever, and no listing of objects shows them.

Belongs here: finding and aborting them. Does not belong here: when they are too old (`expiry`), uploads that ended (`s3_objects`).
A folder has no uploads in parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cricksy_pipeline.store.object_contract import ObjectStore
from cricksy_pipeline.store.objects import S3ObjectStore


@dataclass(frozen=True)
class PartUpload:
    """An upload in parts that is neither completed nor aborted. `started` with zone."""

    key: str
    upload_id: str
    started: datetime


def incomplete_uploads(objects: ObjectStore, prefix: str) -> Iterator[PartUpload]:
    """Those whose key starts with the prefix; none in a folder.

    Raises:
        CricksyError: STORE_UNAVAILABLE.
    """
    if isinstance(objects, S3ObjectStore):
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

    assert isinstance(objects, S3ObjectStore)  # no other has uploads in parts
    with objects._failures(upload.key):
        try:
            objects._client.abort_multipart_upload(Bucket=objects.bucket, Key=upload.key, UploadId=upload.upload_id)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "NoSuchUpload":
                raise
