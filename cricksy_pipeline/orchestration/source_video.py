"""A local copy of the uploaded video, as it was when the job was made.

Belongs here: fetching once per run and proving that the bytes are the ones the row names. Does not belong here: looking inside the file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cricksy_pipeline.analysis.isolation import Children
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.objects import ObjectStore


@dataclass(frozen=True)
class SourceVideo:
    """The file and its identity, and the processes in which this run dares to open it."""

    path: Path
    sha256: str
    size_bytes: int
    children: Children


class SourceVideos:
    """Local copies, one per object key, kept for as long as the run lives."""

    def __init__(self, objects: ObjectStore, folder: Path, children: Children) -> None:
        self._objects = objects
        self._folder = folder
        self.children = children
        self._fetched: dict[str, SourceVideo] = {}

    def fetch(self, bucket: str, key: str, *, expected_sha256: str | None, expected_etag: str | None, max_bytes: int) -> SourceVideo:
        """The video under `key`, on this machine's disk.

        Raises CricksyError: SOURCE_MISSING where the object is gone or lies in another bucket, VIDEO_TOO_LARGE before anything is fetched,
        SOURCE_CHANGED where its hash is not the row's; as long as the row has none, where its ETag is not.
        """
        if bucket != self._objects.bucket:
            raise CricksyError(
                ErrorCode.SOURCE_MISSING, f"The video lies in the bucket {bucket}; this pipeline reads {self._objects.bucket}."
            )
        if key not in self._fetched:
            self._fetched[key] = self._fetch(key, max_bytes, expected_etag if expected_sha256 is None else None)
        video = self._fetched[key]
        if expected_sha256 is not None and video.sha256 != expected_sha256:
            raise _changed(key, "SHA-256")
        return video

    def _fetch(self, key: str, max_bytes: int, etag: str | None) -> SourceVideo:
        size = self._size_of(key)
        if size is None:
            raise CricksyError(ErrorCode.SOURCE_MISSING, f"The uploaded video is no longer in the store: {key}")
        if size > max_bytes:
            raise CricksyError(ErrorCode.VIDEO_TOO_LARGE, f"The file has {size:,} bytes; {max_bytes:,} are allowed.")
        path = self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}{Path(key).suffix.lower()}"
        downloaded = self._objects.download(key, path)
        if etag is not None and downloaded.etag != etag:
            raise _changed(key, "ETag")
        return SourceVideo(path, downloaded.sha256, downloaded.size, self.children)

    def _size_of(self, key: str) -> int | None:
        """Bytes; None where there is no such object. A folder would read the whole file for its head, which is read while it is copied."""
        path = self._objects.local_path(key)
        if path is not None:
            return path.stat().st_size
        head = self._objects.head(key)
        return None if head is None else head.size


def _changed(key: str, what: str) -> CricksyError:
    return CricksyError(ErrorCode.SOURCE_CHANGED, f"The object {key} is not the file that this job was made for (its {what} differs).")
