"""A folder as an object store: the laptop's twin of S3.

Belongs here: files, atomic replacement, and keeping keys inside the folder. Does not belong here: the promise itself (`object_contract`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from cricksy_pipeline.store.keys import checked_key, content_type_of
from cricksy_pipeline.store.object_contract import (
    CHUNK,
    ObjectHead,
    compare_read_back,
    missing,
    sha256_of,
    sha256_of_file,
    unavailable,
)

_TEMPORARY = ".writing-"


class LocalObjectStore:
    """One folder; a key is the path below it. The ETag is the SHA-256 of the content, so it survives copying the folder.

    The content type is not kept: it follows from the key's suffix.
    """

    bucket = "local"

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        # Hashing a large upload at every look of a sensor would cost seconds; a file that keeps size, time and inode is the same file.
        self._hashes: dict[tuple[str, int, int, int], str] = {}

    def put(self, key: str, data: bytes, content_type: str | None = None) -> ObjectHead:
        """Write, read back, compare. Readers see the old content or the new, never a part."""
        return self._write(key, lambda target: target.write(data), len(data), sha256_of(data))

    def put_file(self, key: str, path: Path, content_type: str | None = None) -> ObjectHead:
        """Copy a file in, read back, compare."""

        def copy(target: BinaryIO) -> None:
            with path.open("rb") as source:
                shutil.copyfileobj(source, target, CHUNK)

        return self._write(key, copy, path.stat().st_size, sha256_of_file(path))

    def get(self, key: str) -> bytes:
        """The content. ObjectMissing where there is none."""
        with self._failures(key):
            return self._path(key).read_bytes()

    def head(self, key: str) -> ObjectHead | None:
        """The head, or None where there is no object."""
        path = self._path(key)
        with self._failures(key):
            return self._head(key, path) if path.is_file() else None

    def download(self, key: str, path: Path) -> ObjectHead:
        """Copy the content to a file, which appears only when whole."""
        source = self._path(key)
        with self._failures(key):
            head = self._head(key, source)
            path.parent.mkdir(parents=True, exist_ok=True)
            with _replacing(path) as target, source.open("rb") as opened:
                shutil.copyfileobj(opened, target, CHUNK)
        return head

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none. Folders that become empty stay."""
        with self._failures(key):
            self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "") -> Iterator[ObjectHead]:
        """Heads of all objects whose key starts with the prefix, in key order. A file that vanishes meanwhile is left out."""
        with self._failures(prefix):
            keys = sorted(key for key in self._walk() if key.startswith(prefix))
        for key in keys:
            head = self.head(key)
            if head is not None:
                yield head

    def presigned_url(self, key: str, expires_s: int = 3600) -> str | None:
        """None: a folder has no addresses; the API streams the file itself."""
        return None

    def presigned_upload_url(self, key: str, content_type: str, expires_s: int = 3600) -> str | None:
        """None: a folder has no addresses; the API takes the upload itself."""
        return None

    def local_path(self, key: str) -> Path | None:
        """Where the object lies on this machine, or None where there is none. For reading; write through the store."""
        path = self._path(key)
        return path if path.is_file() else None

    def _path(self, key: str) -> Path:
        path = self.root / checked_key(key)
        # A link inside the folder must not lead a key out of it.
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(f"the object key {key!r} leads out of the store")
        return path

    def _walk(self) -> Iterator[str]:
        for place, folders, files in os.walk(self.root, onerror=_raise):
            folders.sort()
            for name in files:
                if not name.startswith("."):
                    yield (Path(place) / name).relative_to(self.root).as_posix()

    def _write(self, key: str, fill: Callable[[BinaryIO], object], size: int, sha256: str) -> ObjectHead:
        path = self._path(key)
        with self._failures(key):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _replacing(path) as target:
                fill(target)
            compare_read_back(self.bucket, key, size=size, sha256=sha256, read_size=path.stat().st_size, read_sha256=sha256_of_file(path))
            return self._head(key, path)

    def _head(self, key: str, path: Path) -> ObjectHead:
        found = path.stat()
        identity = (key, found.st_size, found.st_mtime_ns, found.st_ino)
        sha256 = self._hashes.get(identity)
        if sha256 is None:
            sha256 = sha256_of_file(path)
            self._hashes[identity] = sha256
        modified = datetime.fromtimestamp(found.st_mtime, UTC)
        return ObjectHead(key, found.st_size, sha256, sha256, content_type_of(key), modified)

    @contextmanager
    def _failures(self, key: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise missing(self.bucket, key) from error
        except OSError as error:
            raise unavailable(self.bucket, key, error) from error


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file beside the path, which takes its place when the block ends well and vanishes when it does not."""
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        # mkstemp makes 0600, which would hide the object from a web server of another user.
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _raise(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
