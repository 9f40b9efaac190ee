"""Parts of uploads to a folder: what S3 does for a bucket, done with files.

Belongs here: taking a part in, telling which are there, putting them together. Does not belong here: how a file is cut (`multipart`), whose
link holds (`reading.api.part_links`).

The parts of an object lie in `.incoming/<key>/` of the folder, one file each, named as what a killed writer leaves, so that the chore that
sweeps such files away sweeps these, too. A part appears when it is whole and on the disk; the object appears when all of it is. Parts
are copied and not written into the place of the object: a late PUT must not change what was looked at already.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from cricksy_pipeline.store.keys import checked_key, is_video_key
from cricksy_pipeline.store.local_objects import _TEMPORARY, LocalObjectStore
from cricksy_pipeline.store.object_contract import CHUNK, ObjectHead

FOLDER = ".incoming"
_PART = f"{_TEMPORARY}part-"
_LOCK = f"{_TEMPORARY}lock"
_KEY_FILE = ".upload-key"


def signing_key(objects: LocalObjectStore) -> bytes:
    """What links into this folder are signed with: 32 bytes, made once, the same for every process over the folder."""
    path = objects.root / _KEY_FILE
    with objects._failures(_KEY_FILE):
        if not path.exists():
            objects.root.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=objects.root)  # readable by its owner alone
            with os.fdopen(handle, "wb") as target:
                target.write(secrets.token_bytes(32))
                target.flush()
                os.fsync(target.fileno())
            with suppress(FileExistsError):
                os.link(name, path)  # of two who make it, the first
            Path(name).unlink()
        return path.read_bytes()


def begin(objects: LocalObjectStore, key: str) -> None:
    """Make the place for the parts."""
    with objects._failures(key):
        _place(objects, key).mkdir(parents=True, exist_ok=True)


def received(objects: LocalObjectStore, key: str) -> dict[int, int]:
    """Size in bytes by number of each part that is there."""
    there = {}
    with objects._failures(key):
        for path in _parts(_place(objects, key)):
            with suppress(FileNotFoundError):  # a completion that runs beside this look removes them
                there[int(path.name.removeprefix(_PART))] = path.stat().st_size
    return there


class PartFile:
    """One part on its way in. It counts when `keep` was called, and then takes the place of an earlier one of its number.

    `write`, `keep` and `drop` raise CricksyError STORE_UNAVAILABLE (SOURCE_MISSING, where the upload was given up meanwhile).
    """

    def __init__(self, objects: LocalObjectStore, key: str, number: int) -> None:
        self._objects, self._key = objects, key
        self._path = _place(objects, key) / f"{_PART}{number:05d}"
        with objects._failures(key):
            handle, name = tempfile.mkstemp(prefix=f"{_TEMPORARY}half-", dir=self._path.parent)
        self._temporary = Path(name)
        self._target = os.fdopen(handle, "wb")
        self.size = 0

    def write(self, piece: bytes) -> None:
        """The next bytes."""
        with self._objects._failures(self._key):
            self._target.write(piece)
        self.size += len(piece)

    def keep(self) -> None:
        """All of it was written: on the disk, and then in its place."""
        with self._objects._failures(self._key):
            self._target.flush()
            os.fsync(self._target.fileno())
            self._target.close()
            self._temporary.replace(self._path)

    def drop(self) -> None:
        """Forget it. Nothing happens after `keep`."""
        with suppress(OSError):
            self._target.close()
        self._temporary.unlink(missing_ok=True)


def assemble(objects: LocalObjectStore, key: str, numbers: list[int]) -> ObjectHead:
    """The object, of these parts in this order; then the parts are gone. Where somebody else did it meanwhile, what he made."""
    place = _place(objects, key)
    with objects._failures(key), _alone(place):
        paths = [place / f"{_PART}{number:05d}" for number in numbers]
        if not all(path.exists() for path in paths) and (head := objects.head(key)) is not None:
            return head
        digest, size = hashlib.sha256(), 0
        for path in paths:
            with path.open("rb") as source:
                while piece := source.read(CHUNK):
                    digest.update(piece)
                    size += len(piece)

        def fill(target: BinaryIO) -> None:
            for path in paths:
                with path.open("rb") as source:
                    shutil.copyfileobj(source, target, CHUNK)

        head = objects._write(key, fill, size, digest.hexdigest())
        discard(objects, key)
        return head


def discard(objects: LocalObjectStore, key: str) -> None:
    """Forget the parts; nothing happens where there are none."""
    with objects._failures(key):
        shutil.rmtree(_place(objects, key), ignore_errors=True)


def begun(objects: LocalObjectStore, prefix: str) -> Iterator[tuple[str, datetime]]:
    """Keys of uploads that are under way and start with the prefix, each with when it last got a part; with zone."""
    root = objects.root / FOLDER
    for folder, folders, _ in os.walk(root):
        folders.sort()
        key = Path(folder).relative_to(root).as_posix()
        if is_video_key(key) and key.startswith(prefix):
            with suppress(FileNotFoundError):
                yield key, datetime.fromtimestamp(Path(folder).stat().st_mtime, UTC)


def _place(objects: LocalObjectStore, key: str) -> Path:
    return objects.root / FOLDER / checked_key(key)


def _parts(place: Path) -> list[Path]:
    return sorted(place.glob(f"{_PART}*"))


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Only one process puts an object together. Where the place is gone somebody has done it, and there is nothing to wait for."""
    try:
        lock = (place / _LOCK).open("wb")
    except FileNotFoundError:
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
