"""Writing pictures into a video file with exact presentation timestamps and, if asked, a display matrix.

Belongs here: codecs, time base, rotation, atomic write. Shared by the sample clips and the test patterns.
Does not belong here: what the pictures show.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Encoding:
    """How a file is written.

    Attributes:
        encoder: ffmpeg's name of it.
        pixel_format: what it is fed.
        options: its options; one thread each, so that the same pictures give the same bytes.
        quick: options for test patterns, where only speed counts.
    """

    encoder: str
    pixel_format: str
    options: dict[str, str]
    quick: dict[str, str]


ENCODINGS: dict[str, Encoding] = {
    # With B-frames, the vector code of libx264's macroblock tree reads memory that nobody wrote: the same pictures gave other bytes on
    # each call (seen with 480 x 270). Ultrafast has neither.
    "h264": Encoding(
        "libx264", "yuv420p", {"preset": "medium", "threads": "1", "x264-params": "mbtree=0"}, {"preset": "ultrafast", "threads": "1"}
    ),
    "hevc": Encoding(
        "libx265",
        "yuv420p",
        {"preset": "fast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
        {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    ),
    "vp9": Encoding(
        "libvpx-vp9",
        "yuv420p",
        {"b": "0", "threads": "1", "deadline": "good", "cpu-used": "4"},
        {"b": "0", "threads": "1", "deadline": "realtime", "cpu-used": "8"},
    ),
    # Preset 12 of libsvtav1 writes streams of pictures below 128 x 128 that no decoder reads ("Invalid data found"); 8 does not.
    "av1": Encoding("libsvtav1", "yuv420p", {"preset": "8", "svtav1-params": "lp=1"}, {"preset": "8", "svtav1-params": "lp=1"}),
    "mjpeg": Encoding("mjpeg", "yuvj420p", {"threads": "1"}, {"threads": "1"}),
}


AUDIO_RATE_HZ = 44_100


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    ticks: np.ndarray,
    time_base: Fraction,
    *,
    codec: str = "h264",
    crf: int = 23,
    rotation: int = 0,
    quick: bool = False,
    sound: np.ndarray | None = None,
    capture_fps: float | None = None,
) -> None:
    """Write an MP4, whole or not at all: it is made beside `path` and renamed.

    Args:
        path: the file to make or replace.
        frames: n upright pictures, (h, w, 3) uint8 RGB or (h, w) uint8 grey, even sizes.
        ticks: (n,) int64 presentation timestamps, strictly increasing, in units of `time_base` seconds.
        time_base: seconds per tick.
        codec: a key of `ENCODINGS`.
        crf: constant quality, lower is better (for mjpeg: the quantiser, 2..31).
        rotation: degrees clockwise by which a player must turn the stored picture; the stored picture is turned the other way.
        quick: for speed alone.
        sound: (m,) float32 in -1..1 at 44,100 a second from the first frame on, written as one AAC channel.
        capture_fps: the rate of capture, written as phones tag their slow-motion files.

    Raises:
        ValueError: the number of frames differs from the number of ticks.
    """
    partial = path.with_name(f".{path.name}.part")
    try:
        _encode(partial, frames, ticks, time_base, ENCODINGS[codec], crf, rotation, quick, sound, capture_fps)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def same_scheduling() -> Iterator[None]:
    """Encode within: this thread is scheduled afterwards as it was before.

    SVT-AV1 under root gives whoever opens it the highest real-time priority, and so everything that he starts from then on: two browser
    processes that inherited it once kept two cores from everybody else for a quarter of an hour.
    """
    if not hasattr(os, "sched_getscheduler"):  # not Linux
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, parameters)


def _encode(
    path: Path,
    frames: Iterable[np.ndarray],
    ticks: np.ndarray,
    time_base: Fraction,
    encoding: Encoding,
    crf: int,
    rotation: int,
    quick: bool,
    sound: np.ndarray | None,
    capture_fps: float | None,
) -> None:
    import av

    gaps = np.diff(ticks, append=ticks[-1] + (ticks[-1] - ticks[-2] if len(ticks) > 1 else 1))
    rate = Fraction(1) / (time_base * Fraction(float(np.median(gaps))).limit_denominator(1000))
    options = {"movflags": "use_metadata_tags"} if capture_fps else {}
    with same_scheduling(), av.open(str(path), "w", format="mp4", options=options) as container:
        if capture_fps:
            container.metadata["com.android.capture.fps"] = f"{capture_fps:.6f}"
        stream, audio = None, None
        for frame, tick, gap in zip(frames, ticks.tolist(), gaps.tolist(), strict=True):
            turned = np.rot90(frame, rotation // 90)  # counter-clockwise, so that turning clockwise shows it upright
            if stream is None:
                stream = container.add_stream(encoding.encoder, rate=rate.limit_denominator(1_000_000))
                stream.height, stream.width = turned.shape[:2]
                stream.pix_fmt = encoding.pixel_format
                stream.options = _options(encoding, crf, quick)
                stream.codec_context.time_base = time_base
                stream.time_base = time_base
                if rotation:
                    stream.set_display_rotation(-rotation)
                audio = _Audio(container, sound) if sound is not None else None
            picture = _picture(turned, encoding.pixel_format)
            picture.pts, picture.time_base, picture.duration = tick, time_base, gap
            container.mux(stream.encode(picture))
            if audio is not None:
                audio.write_until(float((tick + gap) * time_base))
        if stream is not None:
            container.mux(stream.encode())
        if audio is not None:
            audio.finish()


class _Audio:
    """One AAC channel, written along with the pictures so that both lie side by side in the file."""

    _BLOCK = 1024

    def __init__(self, container, sound: np.ndarray) -> None:
        self._container, self._sound, self._written = container, sound, 0
        self._stream = container.add_stream("aac", rate=AUDIO_RATE_HZ, layout="mono")

    def write_until(self, seconds: float) -> None:
        while self._written + self._BLOCK <= min(seconds * AUDIO_RATE_HZ, len(self._sound)):
            self._write(self._BLOCK)

    def finish(self) -> None:
        while self._written < len(self._sound):
            self._write(min(self._BLOCK, len(self._sound) - self._written))
        self._container.mux(self._stream.encode())

    def _write(self, n: int) -> None:
        import av

        block = np.ascontiguousarray(self._sound[None, self._written : self._written + n])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = AUDIO_RATE_HZ, self._written, Fraction(1, AUDIO_RATE_HZ)
        self._container.mux(self._stream.encode(frame))
        self._written += n


def _options(encoding: Encoding, crf: int, quick: bool) -> dict[str, str]:
    options = dict(encoding.quick if quick else encoding.options)
    if encoding.encoder == "mjpeg":
        return options | {"qmin": str(min(crf, 31)), "qmax": str(min(crf, 31))}
    return options | {"crf": str(crf)}


def _picture(image: np.ndarray, pixel_format: str):
    """An `av.VideoFrame` in the encoder's pixel format; grey skips the colour conversion."""
    import av

    if image.ndim == 3:
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    height, width = image.shape
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    planes[:height] = image
    return av.VideoFrame.from_ndarray(planes, format=pixel_format)
