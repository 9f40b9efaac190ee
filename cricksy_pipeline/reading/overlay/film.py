"""Writing a finished video: H.264 that every browser plays, each picture at its own time, sound beside it.

Belongs here: encoder, container, time base. Does not belong here: what the pictures show (`scene`), where sound comes from (`soundtrack`).
Runs in the child process. The same pictures give the same bytes.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.reading.overlay.soundtrack import BLOCK, RATE_HZ, Soundtrack
from cricksy_pipeline.reading.overlay.style import STYLE, Layout

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.video.frame import VideoFrame

TICKS_S = 90_000
"""Ticks a second: those of MPEG, in which 24, 25, 29.97, 30, 60 and 240 pictures a second are whole or nearly so."""
KEYFRAME_S = 2.0
"""A player that seeks decodes from the keyframe before."""


class Film:
    """One video file, written picture by picture. A context manager; what was not closed in peace is no whole file.

    Args:
        path: of an .mp4.
        fps: about how many pictures a second, for the encoder's own estimates.
        sound: where sound comes from; None: the film is silent.
    """

    def __init__(self, path: Path, layout: Layout, fps: float, sound: Soundtrack | None = None) -> None:
        import av

        # faststart: the index before the pictures, so that a browser begins before it has everything.
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        rate = Fraction(max(fps, 1.0)).limit_denominator(1001)
        stream = self._container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = layout.width, layout.height, "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = Fraction(1, TICKS_S)
        context.color_primaries = context.color_trc = context.colorspace = 1  # ITU-T H.273: BT.709, which players assume of such sizes
        context.color_range = 1  # limited
        stream.options = {
            "crf": str(STYLE.crf),
            "preset": STYLE.preset,
            "profile": "high",
            "g": str(max(1, round(KEYFRAME_S * fps))),
            "maxrate": str(STYLE.most_bits_s),
            "bufsize": str(2 * STYLE.most_bits_s),
            "threads": "1",
            # Without pictures that refer to later ones, decoding order is showing order: with them, at an uneven rate, the container's own
            # account of the length was short by the last long steps (seen: 1.27 s of 2.03), and players stop there.
            "bf": "0",
            # The macroblock tree reads memory that nobody wrote: the same pictures would give other bytes (see sample.video_file).
            "x264-params": "mbtree=0",
        }
        self._stream, self._tick = stream, -1
        self._lengths: dict[int, int] = {}
        self._sound = None if sound is None else _Sound(self._container, sound)

    def show(self, picture: np.ndarray, t_s: float, length_s: float) -> None:
        """Show a picture, (height, width, 3) uint8 RGB, from `t_s` on, later than the one before; for `length_s`, if it is the last."""
        import av
        from av.video.reformatter import Colorspace

        tick = round(t_s * TICKS_S)
        if tick <= self._tick:  # two pictures in 11 microseconds: nobody would see the first
            return
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, threads=1)
        frame.pts, frame.time_base = tick, Fraction(1, TICKS_S)
        self._lengths[tick] = max(1, round(length_s * TICKS_S))
        self._mux(frame)
        if self._sound is not None:
            self._sound.write_until(t_s)
        self._tick = tick

    def _mux(self, frame: VideoFrame | None) -> None:
        """Encode, and write what the encoder gives back. It forgets how long a picture stays, which counts for the last one."""
        for packet in self._stream.encode(frame):
            packet.duration = self._lengths.pop(packet.pts, packet.duration)
            self._container.mux(packet)

    def end(self, t_s: float) -> None:
        """The film lasts until `t_s`."""
        self._mux(None)
        if self._sound is not None:
            self._sound.write_until(t_s)
            self._sound.finish()

    def __enter__(self) -> Film:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._container.close()
        if self._sound is not None:
            self._sound.source.close()


class _Sound:
    """AAC beside the pictures, written along with them so that both lie side by side in the file."""

    def __init__(self, container, source: Soundtrack) -> None:
        self._container, self.source, self._written = container, source, 0
        self._stream: AudioStream = container.add_stream("aac", rate=RATE_HZ, layout="stereo")
        self._stream.codec_context.bit_rate = 128_000

    def write_until(self, t_s: float) -> None:
        while (self._written + BLOCK) <= t_s * RATE_HZ:
            self._write(self.source.next_block())

    def finish(self) -> None:
        self._container.mux(self._stream.encode(None))

    def _write(self, samples: np.ndarray) -> None:
        import av

        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="stereo")
        block.sample_rate, block.pts, block.time_base = RATE_HZ, self._written, Fraction(1, RATE_HZ)
        self._container.mux(self._stream.encode(block))
        self._written += samples.shape[1]
