"""One S3 bucket as an object store.

Belongs here: calls to S3 and what their failures mean. Does not belong here: how the client is made (region, endpoint, profile:
the caller's), the promise itself (`object_contract`).
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cricksy_pipeline.store.keys import checked_key, content_type_of
from cricksy_pipeline.store.object_contract import (
    CHUNK,
    PAGE,
    RANGE_PIECE,
    Listed,
    ObjectHead,
    ObjectMissing,
    compare_read_back,
    missing,
    refused,
    sha256_of,
    sha256_of_file,
    unavailable,
)

_NOT_THERE = {"404", "NoSuchKey", "NotFound"}
_REFUSED = 403
_OUR_METADATA = "sha256"


class S3ObjectStore:
    """One bucket through a boto3 client. Objects written here carry their SHA-256 as metadata `sha256`."""

    settle_s = 0.0

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def put(self, key: str, data: bytes, content_type: str | None = None) -> ObjectHead:
        """Write, read back, compare."""
        sha256 = sha256_of(data)
        with self._failures(checked_key(key)):
            self._client.put_object(
                Bucket=self.bucket, Key=key, Body=data, ContentType=content_type or content_type_of(key), Metadata={_OUR_METADATA: sha256}
            )
        return self._read_back(key, len(data), sha256)

    def put_file(self, key: str, path: Path, content_type: str | None = None) -> ObjectHead:
        """Upload a file (in parts, where it is large), read back, compare."""
        size, sha256 = path.stat().st_size, sha256_of_file(path)
        with self._failures(checked_key(key)):
            extra = {"ContentType": content_type or content_type_of(key), "Metadata": {_OUR_METADATA: sha256}}
            self._client.upload_file(str(path), self.bucket, key, ExtraArgs=extra)
        return self._read_back(key, size, sha256)

    def get(self, key: str) -> bytes:
        """The content. ObjectMissing where there is none."""
        with self._failures(checked_key(key)):
            return self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def read_range(self, key: str, start: int, size: int, *, etag: str | None = None) -> Iterator[bytes]:
        """A part of the content, by one request for just these bytes."""
        if size <= 0:  # no range of S3 is empty
            return iter(())
        same = {"IfMatch": f'"{etag}"'} if etag else {}
        with self._failures(checked_key(key)):
            answer = self._client.get_object(Bucket=self.bucket, Key=key, Range=f"bytes={start}-{start + size - 1}", **same)
        return _pieces(answer["Body"])

    def head(self, key: str) -> ObjectHead | None:
        """The head, or None where there is no object."""
        try:
            with self._failures(checked_key(key)):
                return self._head(key, self._client.head_object(Bucket=self.bucket, Key=key))
        except ObjectMissing:
            return None

    def download(self, key: str, path: Path) -> ObjectHead:
        """Write the content to a file, which appears only when whole. The head is that of the very content that was read."""
        with self._failures(checked_key(key)):
            path.parent.mkdir(parents=True, exist_ok=True)
            answer, content = self._client.get_object(Bucket=self.bucket, Key=key), hashlib.sha256()
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".reading-", delete=False) as target:
                temporary = Path(target.name)
                try:
                    for piece in answer["Body"].iter_chunks(CHUNK):
                        content.update(piece)
                        target.write(piece)
                    target.close()
                    temporary.replace(path)
                except BaseException:
                    temporary.unlink(missing_ok=True)
                    raise
            return replace(self._head(key, answer), sha256=content.hexdigest())

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none."""
        with self._failures(checked_key(key)):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectHead]:
        """Heads of all objects that start with the prefix and come after a key, in key order; without SHA-256, which S3 does not list."""
        pages = self._client.get_paginator("list_objects_v2").paginate(**self._listing(prefix, start_after))
        with self._failures(prefix):
            for page in pages:
                for found in page.get("Contents", ()):
                    etag = found["ETag"].strip('"')
                    yield ObjectHead(found["Key"], found["Size"], etag, None, content_type_of(found["Key"]), found["LastModified"])

    def page(self, prefix: str = "", *, start_after: str = "") -> list[Listed]:
        """The next objects of such a listing: one request. S3 shows an object only when it is whole."""
        with self._failures(prefix):
            answer = self._client.list_objects_v2(**self._listing(prefix, start_after), MaxKeys=PAGE)
        return [
            Listed(found["Key"], found["Size"], found["LastModified"], found["ETag"].strip('"')) for found in answer.get("Contents", ())
        ]

    def presigned_url(self, key: str, expires_s: int = 3600) -> str | None:
        """An address from which anyone can read the object for a while. Signed here, without asking S3."""
        with self._failures(checked_key(key)):
            return self._client.generate_presigned_url("get_object", {"Bucket": self.bucket, "Key": key}, ExpiresIn=expires_s)

    def presigned_upload_url(self, key: str, content_type: str, expires_s: int = 3600, *, size: int | None = None) -> str | None:
        """An address to which anyone can PUT the object for a while, with just this content type, and length, where one is given."""
        length = {} if size is None else {"ContentLength": size}
        fields = {"Bucket": self.bucket, "Key": checked_key(key), "ContentType": content_type, **length}
        with self._failures(key):
            return self._client.generate_presigned_url("put_object", fields, ExpiresIn=expires_s)

    def local_path(self, key: str) -> Path | None:
        """None: the objects lie elsewhere."""
        return None

    def _listing(self, prefix: str, start_after: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Prefix": prefix, **({"StartAfter": start_after} if start_after else {})}

    def _read_back(self, key: str, size: int, sha256: str) -> ObjectHead:
        digest, read = hashlib.sha256(), 0
        with self._failures(key):
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            for piece in answer["Body"].iter_chunks(CHUNK):
                digest.update(piece)
                read += len(piece)
        compare_read_back(self.bucket, key, size=size, sha256=sha256, read_size=read, read_sha256=digest.hexdigest())
        return self._head(key, answer)

    def _head(self, key: str, answer: dict[str, Any]) -> ObjectHead:
        metadata = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
        sha256 = metadata.pop(_OUR_METADATA, "")
        kind = answer.get("ContentType") or content_type_of(key)
        # Anyone may write metadata: what is no hash is not ours.
        known = sha256 if re.fullmatch("[0-9a-f]{64}", sha256) else None
        return ObjectHead(key, answer["ContentLength"], answer["ETag"].strip('"'), known, kind, answer["LastModified"], metadata)

    @contextmanager
    def _failures(self, key: str) -> Iterator[None]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _NOT_THERE:
                raise missing(self.bucket, key) from error
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == _REFUSED:
                raise refused(self.bucket, key, error) from error
            raise unavailable(self.bucket, key, error) from error
        except (BotoCoreError, Boto3Error, OSError) as error:
            raise unavailable(self.bucket, key, error) from error


def _pieces(body: Any) -> Iterator[bytes]:
    # Closed also where the reader goes away in the middle: else the pool would run out of connections.
    with closing(body):
        yield from body.iter_chunks(RANGE_PIECE)
