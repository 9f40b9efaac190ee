"""How a parent and its child process talk: one frame after the other over a pipe.

Belongs here: the framing. Does not belong here: what is said (`pose_process`), starting and ending the child (`isolation`).

A frame is 4 bytes of mark, the lengths of two parts (uint32, uint64, little-endian), a JSON object, and an npz archive (absent when there
are no arrays). Nothing is ever unpickled: the child handles files of strangers.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

_MARK = b"CKY1"
_HEAD = struct.Struct("<4sIQ")
_LARGEST = 4 * 1024**3


@dataclass(frozen=True)
class Message:
    """A JSON object and named arrays. `header["kind"]` is what it is."""

    header: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


class BrokenMessage(Exception):
    """What came over the pipe is not a message."""


def write_message(file: BinaryIO, message: Message) -> None:
    """Write one message and flush. Raises BrokenPipeError where nobody reads any more."""
    text = json.dumps(message.header, allow_nan=False).encode()
    packed = io.BytesIO()
    if message.arrays:
        np.savez(packed, allow_pickle=False, **message.arrays)
    file.write(_HEAD.pack(_MARK, len(text), packed.tell()))
    file.write(text)
    file.write(packed.getbuffer())
    file.flush()


def read_message(read: Callable[[int], bytes]) -> Message | None:
    """The next message, or None at the end of the stream.

    Args:
        read: returns exactly as many bytes as asked for, fewer only at the end of the stream.

    Raises:
        BrokenMessage: the stream ends inside a message, or holds something else.
    """
    head = read(_HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise BrokenMessage("the stream ends inside a message")
    mark, text_length, array_length = _HEAD.unpack(head)
    if mark != _MARK or max(text_length, array_length) > _LARGEST:
        raise BrokenMessage("the stream holds something that is not a message")
    text, packed = read(text_length), read(array_length) if array_length else b""
    if len(text) < text_length or len(packed) < array_length:
        raise BrokenMessage("the stream ends inside a message")
    arrays = {}
    if packed:
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    return Message(json.loads(text), arrays)
