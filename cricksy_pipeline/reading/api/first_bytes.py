"""Whether a file begins as a video does: the look that an upload gets before its analysis is queued.

Belongs here: the marks of the containers that the analysis opens. Does not belong here: opening one (`analysis.video_file`, in a process
of its own): what comes from outside is decoded nowhere near this API. So this look lets damaged videos pass; it turns away what is no
video at all, at once and not minutes later.
"""

from __future__ import annotations

from cricksy_pipeline.errors import CricksyError, ErrorCode

ENOUGH = 1024
"""Bytes that the look needs."""

_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"uuid")
"""Types of the first box of an ISO base media or QuickTime file, at offset 4."""
_OTHERS = (b"\x1aE\xdf\xa3", b"\x00\x00\x01\xba", b"OggS")
"""Matroska and WebM, MPEG program stream, Ogg."""
_PACKETS = ((0, 188), (4, 192))
"""MPEG transport streams: where the first packet's mark is, and how far the next; 192 with a camera's time stamps."""


def begins_as_a_video(head: bytes) -> bool:
    """Whether these first bytes are those of a container that the analysis opens. `head`: `ENOUGH` bytes, or all there are."""
    return (
        head[4:8] in _BOXES
        or head.startswith(_OTHERS)
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or any(len(head) > at + 2 * step and all(head[at + step * packet] == 0x47 for packet in range(3)) for at, step in _PACKETS)
    )


def demand_video(head: bytes) -> None:
    """Raises CricksyError NOT_A_VIDEO where it does not begin as one."""
    if not begins_as_a_video(head):
        raise CricksyError(ErrorCode.NOT_A_VIDEO, "The file is not a video, whatever its name says.")
