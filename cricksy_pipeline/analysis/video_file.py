"""Opening a video file that nobody vouches for.

Belongs here: opening a container so that it can reach nothing but itself, choosing the picture stream, the way up of its pictures, and
turning ffmpeg's errors into ours. Does not belong here: the timestamps (`video_index`), the decoding (`video_frames`), the isolation
(`isolation`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.errors import CricksyError, ErrorCode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mjpeg,ogg"
"""What ffmpeg may take the file for. Playlists (hls, concat, dash) are left out: they read other files and addresses, whatever their name
says."""

_SIGNATURES = ((4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (0, b"\x1aE\xdf\xa3"), (0, b"RIFF"), (0, b"\x00\x00\x01\xba"))
"""(offset, bytes) at the head of the usual containers: a file that has one and does not open is damaged rather than something else."""


@dataclass(frozen=True)
class Orientation:
    """How stored pictures become upright ones: a transpose first, then flips.

    Attributes:
        transpose: rows become columns.
        flip_x, flip_y: mirror left-right, top-bottom (after the transpose).
    """

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @classmethod
    def of_display_matrix(cls, matrix: bytes) -> Orientation:
        """The nearest of the eight upright placements of a display matrix (nine 32-bit integers, as in the mp4 track header).

        The matrix maps a row vector: x' = a x + c y, y' = b x + d y (ISO/IEC 14496-12, 6.2.2). Phones only write quarter turns and mirrors.
        """
        a, b, _, c, d = struct.unpack("<5i", matrix[:20])
        if abs(a) >= abs(b):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    @property
    def rotation_deg(self) -> int:
        """The quarter turn, counterclockwise, in [0, 360); a mirror (left-right), if any, comes after it."""
        if self.transpose:
            return 90 if self.flip_y else 270
        return 180 if self.flip_y else 0

    @property
    def mirrored(self) -> bool:
        """Whether left and right are exchanged (selfie cameras)."""
        return self.transpose ^ self.flip_x ^ self.flip_y

    def apply(self, image: np.ndarray) -> np.ndarray:
        """The upright picture, contiguous; `image` (h, w, 3)."""
        if self.transpose:
            image = image.swapaxes(0, 1)
        if self.flip_x:
            image = image[:, ::-1]
        if self.flip_y:
            image = image[::-1]
        return np.ascontiguousarray(image)


def orientation_of(frame: VideoFrame) -> Orientation:
    """The way up of a decoded frame; upright where the file says nothing."""
    for entry in frame.side_data:
        if entry.type.name == "DISPLAYMATRIX":
            return Orientation.of_display_matrix(bytes(entry))
    return Orientation()


@contextmanager
def open_container(path: Path) -> Iterator[InputContainer]:
    """The container, which can reach nothing but the file itself.

    Raises:
        CricksyError: SOURCE_MISSING, NOT_A_VIDEO or VIDEO_CORRUPT.
    """
    import av

    av.logging.set_level(av.logging.PANIC)  # ffmpeg's complaints about broken input are numerous; ours carry the meaning
    # Absolute, because "concat:a|b" and "http://" are names of things that are not files.
    path = Path(path).absolute()
    if not path.is_file():
        raise CricksyError(ErrorCode.SOURCE_MISSING, "There is no such video file.")
    try:
        container = av.open(str(path), mode="r", options={"protocol_whitelist": "file", "format_whitelist": FORMATS})
    except (av.error.FFmpegError, ValueError, UnicodeError) as error:
        raise _unreadable(path, error) from error
    try:
        yield container
    finally:
        container.close()


@contextmanager
def open_video(path: Path, max_pixels: int) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its picture stream; every other stream is discarded unread.

    Args:
        path: the file.
        max_pixels: of a picture; larger ones fail to decode, whatever the header says, for a stream may change its size.

    Raises:
        CricksyError: SOURCE_MISSING, NOT_A_VIDEO, NO_VIDEO_STREAM or VIDEO_CORRUPT.
    """
    with open_container(path) as container:
        stream = picture_stream(container)
        # ffmpeg counts the padding of each row and block, too: a picture of just `max_pixels` must pass.
        stream.codec_context.options = {"max_pixels": str(max_pixels + max_pixels // 4 + 2**16)}
        read_only(container, stream)
        yield container, stream


def read_only(container: InputContainer, stream: Stream) -> None:
    """Discard every other stream unread."""
    from av.stream import Discard

    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all


def seek_keyframe(container: InputContainer, stream: VideoStream, timestamp: int) -> None:
    """Go to the last keyframe at or before a timestamp, or to the timestamp itself where no keyframe is before it (a clip cut between
    keyframes; AVI refuses to go anywhere then). Raises av.error.FFmpegError where that cannot be done either."""
    import av

    try:
        container.seek(timestamp, stream=stream, backward=True)
    except av.error.FFmpegError:
        container.seek(timestamp, stream=stream, any_frame=True)


def picture_stream(container: InputContainer) -> VideoStream:
    """The moving picture that the file means to show. Raises CricksyError NO_VIDEO_STREAM or VIDEO_CORRUPT."""
    from av.stream import Disposition

    moving = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not moving:
        raise CricksyError(ErrorCode.NO_VIDEO_STREAM, "The file holds no moving picture.")
    readable = [s for s in moving if s.codec_context is not None]
    if not readable:
        raise CricksyError(ErrorCode.VIDEO_CORRUPT, "The pictures of the file are in a form that cannot be read here.")
    stream = max(readable, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height))
    return stream


def _unreadable(path: Path, error: Exception) -> CricksyError:
    with path.open("rb") as file:
        head = file.read(16)
    if any(head[at : at + len(mark)] == mark for at, mark in _SIGNATURES):
        return CricksyError(ErrorCode.VIDEO_CORRUPT, "The file starts like a video but cannot be opened: it is damaged or incomplete.")
    return CricksyError(ErrorCode.NOT_A_VIDEO, "The file is not a video.")
