"""A folder as an object store: the laptop's twin of S3.

Belongs here: files, atomic replacement, and keeping keys inside the folder. Does not belong here: the promise itself (`object_contract`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from cricksy_pipeline.store.keys import checked_key, content_type_of
from cricksy_pipeline.store.object_contract import (
    CHUNK,
    PAGE,
    RANGE_PIECE,
    Listed,
    ObjectHead,
    compare_read_back,
    missing,
    refused,
    sha256_of,
    sha256_of_file,
    unavailable,
)

SETTLE_S = 10.0
"""How long a file must have been left alone before it counts as complete. House default: a copy over a slow network pauses for less."""

_TEMPORARY = ".writing-"


class LocalObjectStore:
    """One folder; a key is the path below it. The ETag is the SHA-256 of the content, so it survives copying the folder.

    The content type is not kept: it follows from the key's suffix. Files whose name starts with a dot are no objects.
    """

    bucket = "local"

    def __init__(self, root: Path, *, settle_s: float = SETTLE_S) -> None:
        self.root = root.expanduser().absolute()
        self.settle_s = settle_s

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

    def read_range(self, key: str, start: int, size: int, *, etag: str | None = None) -> Iterator[bytes]:
        """A part of the content. A file that is replaced meanwhile is read to its end as it was: its replacement is another file."""
        with self._failures(key):
            source = self._path(key).open("rb")
            source.seek(start)
        return _pieces(source, size)

    def head(self, key: str) -> ObjectHead | None:
        """The head, or None where there is no object."""
        path = self._path(key)
        with self._failures(key):
            return self._head(key, path) if path.is_file() else None

    def download(self, key: str, path: Path) -> ObjectHead:
        """Copy the content to a file, which appears only when whole. The head is that of the very content that was copied."""
        source, content = self._path(key), hashlib.sha256()
        with self._failures(key):
            path.parent.mkdir(parents=True, exist_ok=True)
            # A scratch copy need not survive a power cut: no waiting for the disk.
            with _replacing(path, durable=False) as target, source.open("rb") as opened:
                for piece in iter(lambda: opened.read(CHUNK), b""):
                    content.update(piece)
                    target.write(piece)
                found = os.fstat(opened.fileno())
            sha256 = content.hexdigest()
            return ObjectHead(key, path.stat().st_size, sha256, sha256, content_type_of(key), _modified(found))

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens where there is none. Folders that become empty stay."""
        with self._failures(key):
            self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectHead]:
        """Heads of all objects that start with the prefix and come after a key, in key order; a file that vanishes meanwhile is not."""
        with self._failures(prefix):
            for key in self._keys(prefix, start_after):
                head = self.head(key)
                if head is not None:
                    yield head

    def page(self, prefix: str = "", *, start_after: str = "") -> list[Listed]:
        """The next objects of such a listing. Their ETags are not known before somebody asks for the heads: that reads the files."""
        listed = []
        with self._failures(prefix):
            for key in islice(self._keys(prefix, start_after), PAGE):
                try:
                    found = (self.root / key).stat()
                except FileNotFoundError:
                    continue
                # By the time of change, which the kernel sets: many copying tools give a file the old time of modification of its source.
                complete = time.time() - found.st_ctime >= self.settle_s
                listed.append(Listed(key, found.st_size, _modified(found), None, complete))
        return listed

    def presigned_url(self, key: str, expires_s: int = 3600) -> str | None:
        """None: a folder has no addresses; the API streams the file itself."""
        return None

    def presigned_upload_url(self, key: str, content_type: str, expires_s: int = 3600, *, size: int | None = None) -> str | None:
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

    def _keys(self, prefix: str, start_after: str, folder: str = "") -> Iterator[str]:
        """Keys below a folder in key order. Only folders that can hold one that is asked for are opened."""
        try:
            with os.scandir(self.root / folder) as entries:
                found = {entry.name + "/" * entry.is_dir(follow_symlinks=False): entry for entry in entries}
        except FileNotFoundError:
            return
        for name in sorted(found):
            key = folder + name
            if name.endswith("/"):
                # After a key come a folder that is greater than it, and the one that it lies in.
                if (key.startswith(prefix) or prefix.startswith(key)) and (key > start_after or start_after.startswith(key)):
                    yield from self._keys(prefix, start_after, key)
            # A pipe or a device would be read for ever.
            elif key.startswith(prefix) and key > start_after and not name.startswith(".") and found[name].is_file():
                yield key

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
        sha256 = _content_hash(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        return ObjectHead(key, found.st_size, sha256, sha256, content_type_of(key), _modified(found))

    @contextmanager
    def _failures(self, key: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise missing(self.bucket, key) from error
        except PermissionError as error:
            raise refused(self.bucket, key, error) from error
        except OSError as error:
            raise unavailable(self.bucket, key, error) from error


@contextmanager
def _replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """A new file beside the path, which takes its place when the block ends well and vanishes when it does not."""
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            yield target
            target.flush()
            if durable:
                os.fsync(target.fileno())
        # mkstemp makes 0600, which would hide the object from a web server of another user.
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _pieces(source: BinaryIO, size: int) -> Iterator[bytes]:
    with source:
        while size > 0 and (piece := source.read(min(size, RANGE_PIECE))):
            size -= len(piece)
            yield piece


def _modified(found: os.stat_result) -> datetime:
    return datetime.fromtimestamp(found.st_mtime, UTC)


@lru_cache(maxsize=50_000)
def _content_hash(path: Path, _size: int, _modified_ns: int, _changed_ns: int, _inode: int) -> str:
    """Hashing every upload at every look of a sensor would take minutes; a file that keeps size, times and inode is the same file.

    Kept by the process, not by a store: a sensor opens its store anew at every tick. An entry takes about half a kilobyte.
    """
    return sha256_of_file(path)
