"""Small videos whose pictures say their own number, in any codec, turned and timed as a test wants.

The upright picture: an upper half of sixteen columns, black or white, the frame's number in binary (leftmost: lowest bit); a lower half
that is red on its left third and blue elsewhere. A turn or a mirror gone wrong shows in both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.sample.video_file import same_scheduling

if TYPE_CHECKING:
    from av.packet import Packet

BITS = 16
FAST = {
    "libx264": {"preset": "ultrafast", "crf": "20"},
    "libx265": {"preset": "ultrafast", "crf": "20", "x265-params": "log-level=none:pools=1:frame-threads=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"},
    "libsvtav1": {"preset": "12", "crf": "20", "svtav1-params": "lp=1"},
    "mjpeg": {"qscale": "2"},
    "mpeg4": {"qscale": "2"},
}


def draw(number: int, width: int, height: int) -> np.ndarray:
    """The upright picture of a frame, (height, width, 3) uint8 RGB."""
    image = np.zeros((height, width, 3), np.uint8)
    column = np.arange(width) * BITS // width
    image[: height // 2] = np.where((number >> column & 1)[None, :, None] > 0, 235, 20)
    image[height // 2 :] = (20, 20, 200)
    image[height // 2 :, : width // 3] = (200, 20, 20)
    return image


def read_number(image: np.ndarray) -> int | None:
    """The number that an upright picture says; None where the picture is not upright."""
    height, width = image.shape[:2]
    below = image[int(height * 0.7) : int(height * 0.9)].astype(float).mean(axis=0)
    if not (below[: width // 4, 0].mean() > 120 > below[width // 2 :, 0].mean()):
        return None
    above = image[int(height * 0.15) : int(height * 0.35)].mean(axis=(0, 2))
    cells = [above[int((i + 0.3) * width / BITS) : int((i + 0.7) * width / BITS) + 1].mean() for i in range(BITS)]
    return sum((cell > 128) << i for i, cell in enumerate(cells))


def write_pattern(
    path: Path,
    frames: int | Sequence[float],
    *,
    fps: float | Fraction = 30,
    codec: str = "libx264",
    size: tuple[int, int] = (128, 96),
    turn: int = 0,
    mirror: bool = False,
    pixel_format: str = "yuv420p",
    gop: int = 12,
    b_frames: int = 0,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    format: str | None = None,
) -> Path:
    """Write a video; returns `path`.

    Args:
        path: the suffix chooses the container, unless `format` does.
        frames: how many, `fps` per second; or the time of each in seconds.
        size: width and height of the upright picture (before the stretch by `aspect`).
        turn: the quarter turn counterclockwise, in degrees, by which a player must turn the stored picture.
        mirror: whether a player must also mirror it, after the turn.
        aspect: of a stored pixel, width over height.
    """
    import av

    times = (
        [Fraction(i) / Fraction(fps).limit_denominator(100_000) for i in range(frames)]
        if isinstance(frames, int)
        else [Fraction(t) for t in frames]
    )
    base = 1 / Fraction(fps).limit_denominator(100_000) if isinstance(frames, int) else Fraction(1, 90_000)
    with same_scheduling(), av.open(str(path), "w", format=format) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(
            codec, rate=Fraction(fps).limit_denominator(100_000), options={**FAST.get(codec, {}), **(options or {})}
        )
        stream.width, stream.height = size if turn % 180 == 0 else size[::-1]
        stream.pix_fmt, stream.gop_size, stream.max_b_frames = pixel_format, gop, b_frames
        stream.codec_context.time_base = base
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        if turn or mirror:
            stream.set_display_rotation(turn, hflip=mirror)
        for number, t in enumerate(times):
            shown = draw(number, *size)
            stored = np.rot90(shown[:, ::-1] if mirror else shown, k=-turn // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="rgb24")
            frame.pts, frame.time_base = round(t / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def remux(source: Path, target: Path, change: Callable[[int, Packet], Packet | None] | None = None, format: str | None = None) -> Path:
    """The same packets in another file, each as `change(number, packet)` leaves it; None leaves it out. Returns `target`."""
    import av

    with av.open(str(source)) as old, av.open(str(target), "w", format=format) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for number, packet in enumerate(p for p in old.demux(old.streams.video[0]) if p.size):
            packet = change(number, packet) if change else packet
            if packet is not None:
                packet.stream = stream
                new.mux(packet)
    return target
