"""The sound of the source, block by block, on the clock of its pictures.

Belongs here: decoding what nobody vouches for, in order, with silence wherever there is nothing. Does not belong here: encoding (`film`),
hearing what it means (`analysis.sound`). Runs in the child process. Sound is a help, never a condition: whatever is wrong with it, the
pictures count.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.analysis.video_file import open_container, picture_stream, read_only
from cricksy_pipeline.errors import CricksyError

if TYPE_CHECKING:
    from av.container import InputContainer

    from cricksy_pipeline.analysis.video_index import FrameIndex

RATE_HZ = 48_000
BLOCK = 1024
"""Samples of one AAC frame."""
AHEAD_S = 1.0
"""Sought so far before the wanted beginning: containers find sound only roughly."""


class Soundtrack:
    """Stereo at `RATE_HZ` from a moment of the video on, without end: after the sound, or where it is broken, silence.

    Args:
        path: the file.
        index: its pictures.
        from_s: seconds after the first picture.
        until_s: silence from here on.
    """

    def __init__(self, path: Path, index: FrameIndex, from_s: float = 0.0, until_s: float = np.inf) -> None:
        self._open = ExitStack()
        container = self._open.enter_context(open_container(path))
        origin_s = float(picture_stream(container).time_base * int(index.pts[0])) + from_s
        self._pieces = _pieces(container, origin_s, from_s > AHEAD_S)
        self._at, self._end = 0, (until_s - from_s) * RATE_HZ
        self._waiting: tuple[int, np.ndarray] | None = None

    @classmethod
    def of(cls, path: Path, index: FrameIndex, from_s: float = 0.0, until_s: float = np.inf) -> Soundtrack | None:
        """The soundtrack; None where the file has no sound that can be opened."""
        try:
            with open_container(path) as container:
                if not container.streams.audio or container.streams.audio[0].codec_context is None:
                    return None
            return cls(path, index, from_s, until_s)
        except CricksyError:
            return None

    def next_block(self) -> np.ndarray:
        """(2, BLOCK) float32 in [-1, 1], the next one in time."""
        block = np.zeros((2, BLOCK), np.float32)
        while (piece := self._waiting or next(self._pieces, None)) is not None:
            first, samples = piece
            self._waiting = piece
            if first >= self._at + BLOCK:
                break  # its time has not come
            begin, skip = max(first - self._at, 0), max(self._at - first, 0)
            part = samples[:, skip : skip + BLOCK - begin]
            block[:, begin : begin + part.shape[1]] = part
            if first + samples.shape[1] > self._at + BLOCK:
                break  # the rest of it is the next block's
            self._waiting = None
        self._at += BLOCK
        if self._at > self._end:
            block[:, max(0, BLOCK - int(self._at - self._end)) :] = 0
        return block

    def close(self) -> None:
        """Close the file."""
        self._pieces.close()
        self._open.close()


def _pieces(container: InputContainer, origin_s: float, seek: bool) -> Iterator[tuple[int, np.ndarray]]:
    """(number of the first sample after the origin, (2, n) samples), in the file's order; what does not decode is left out."""
    import av

    stream = container.streams.audio[0]
    read_only(container, stream)
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE_HZ)
    try:
        if seek:
            container.seek(int((origin_s - AHEAD_S) / stream.time_base), stream=stream)
        packets = container.demux(stream)
        while (packet := next(packets, None)) is not None:
            try:
                decoded = packet.decode()
                made = [out for frame in decoded if frame.pts is not None for out in resampler.resample(frame)]
            except (av.error.FFmpegError, ValueError):
                continue
            for out in made:
                if out.pts is not None and out.samples:
                    samples = np.clip(np.nan_to_num(out.to_ndarray()), -1.0, 1.0).astype(np.float32)
                    yield round((float(out.pts * out.time_base) - origin_s) * RATE_HZ), samples
    except (av.error.FFmpegError, OverflowError):
        return
