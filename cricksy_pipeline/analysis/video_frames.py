"""Pictures of chosen frames, upright, at the size asked for.

Belongs here: seeking, decoding, scaling. Does not belong here: which frames to choose (`sampling`), when frames are shown (`video_index`).
Runs in a child process (`pose_process`) wherever the file comes from a stranger.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.analysis.video_file import open_video, seek_keyframe
from cricksy_pipeline.analysis.video_index import FrameIndex
from cricksy_pipeline.analysis.video_limits import VideoLimits
from cricksy_pipeline.errors import CricksyError, ErrorCode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter
    from av.video.stream import VideoStream

MAX_MISSING_SHARE = 0.1
"""Of the wanted frames of one call, how many may fail to decode before the file counts as damaged. House default, uncalibrated."""


_SKIPPING_CODECS = ("h264", "hevc")
"""Decoders that heed, packet by packet, the wish to skip a picture that no other refers to (dav1d does not, and would lose wanted ones).
Measured: 20-30 % of the decoding of real 4K and 1080p clips at 10 fps, the same bits."""


MOST_UNFILTERED_S = 2.1
"""Without the loop filter, what is decoded drifts from one keyframe to the next: 40 dB after a second of grainy 720p (measured). Where
keyframes lie further apart, it is left on. House default, uncalibrated."""


@dataclass(frozen=True)
class Region:
    """A rectangle of the upright picture in full-resolution pixels: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class DecodedFrame:
    """One picture: frame number, seconds after the first frame, (h, w, 3) uint8 RGB, upright."""

    frame: int
    t_s: float
    image: np.ndarray


class _Scalers:
    """ffmpeg's scaler, one for each thing that is made of every picture: it keeps its tables as long as the sizes stay."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self.image, self.grey = VideoReformatter(), VideoReformatter()


@dataclass(frozen=True)
class Picture:
    """One decoded picture, not yet converted: what is wanted of it is made on demand, each as often as it is asked for.

    Attributes:
        frame: frame number.
        t_s: seconds after the first frame.
    """

    frame: int
    t_s: float
    _decoded: VideoFrame
    _index: FrameIndex
    _scalers: _Scalers

    def image(self, short_side: int | None = None, region: Region | None = None, least_side: int | None = None) -> np.ndarray:
        """(h, w, 3) uint8 RGB, upright, contiguous. Arguments as of `read_frames`, and `least_side`: a region whose shorter side is smaller
        is drawn twice as large, where its format allows it."""
        return _convert(self._decoded, self._index, self._scalers.image, short_side, region, least_side)

    def grey(self, long_side: int) -> np.ndarray:
        """(h, w) uint8 brightness of the whole upright picture, its longer side `long_side` pixels; every pixel is an average."""
        info = self._index.info
        scale = long_side / max(info.width, info.height)
        size = (max(1, round(info.width * scale)), max(1, round(info.height * scale)))
        stored = size[::-1] if self._index.orientation.transpose else size
        drawn = self._scalers.grey.reformat(self._decoded, *stored, "gray", interpolation="AREA", threads=1)
        return self._index.orientation.apply(drawn.to_ndarray())


def read_frames(
    path: Path, index: FrameIndex, wanted: np.ndarray, *, short_side: int | None = None, region: Region | None = None, threads: int = 1
) -> Iterator[DecodedFrame]:
    """The wanted frames in presentation order, each once.

    Groups of pictures that hold no wanted frame are skipped by seeking; inside a group, pictures that are neither wanted nor referred to
    are not decoded. Only wanted frames are converted, and scaled in the same step.

    Args:
        path: the file that `index` was made from.
        index: its frames.
        wanted: (k,) frame numbers, any order.
        short_side: pixels of the shorter side of what comes back (of the region, where one is given); never enlarged. None: full size.
        region: part of the upright picture to return; None: all of it.
        threads: decoder threads. One is cheapest in CPU time, and what a worker process should use.

    Raises:
        CricksyError: VIDEO_CORRUPT, after the last frame, where more than `MAX_MISSING_SHARE` of the wanted frames could not be decoded,
            and what `open_video` raises.
        IndexError: where a wanted frame is not in the index.
    """
    for picture in read_pictures(path, index, wanted, threads=threads):
        yield DecodedFrame(picture.frame, picture.t_s, picture.image(short_side, region))


def read_pictures(path: Path, index: FrameIndex, wanted: np.ndarray, *, threads: int = 1, loop_filter: bool = True) -> Iterator[Picture]:
    """As `read_frames`, for callers who want more than one thing of each picture, or another part of each. Raises the same.

    Args:
        loop_filter: False leaves out the smoothing across the edges of blocks, except in keyframes: a fifth of the decoding of H.264 and
            HEVC, and pictures that are near, not equal, to those that were filmed. Heeded where keyframes are at most
            `MOST_UNFILTERED_S` apart.
    """
    wanted = np.unique(np.asarray(wanted, np.int64))
    if not len(wanted):
        return
    if wanted[0] < 0 or wanted[-1] >= len(index):
        raise IndexError(f"frames {wanted[0]} to {wanted[-1]} asked of a video of {len(index)}")
    delivered = 0
    with open_video(path, max(VideoLimits.max_pixels, index.info.width * index.info.height)) as (container, stream):
        stream.codec_context.thread_count = threads
        stream.codec_context.thread_type = "AUTO" if threads != 1 else "NONE"
        if not loop_filter and _often_keyed(index):
            stream.codec_context.options = {"skip_loop_filter": "nokey"}
        decoding, scalers = _Decoding(container, stream, index), _Scalers()
        # In an mp4 a seek is a look into a table: the pictures between the last wanted one of a group and the next group are left out, too.
        cheap = "mp4" in container.format.name and decoding.can_skip
        for run in _runs(index, wanted, least_gap=1 if cheap else 2):
            for number, picture in decoding.pictures(run):
                delivered += 1
                yield Picture(number, float(index.t_s[number]), picture, index, scalers)
    missing = len(wanted) - delivered
    if missing > max(MAX_MISSING_SHARE * len(wanted), 1 if len(wanted) > 1 else 0):
        raise CricksyError(ErrorCode.VIDEO_CORRUPT, f"{missing} of {len(wanted)} frames cannot be decoded; the file is damaged.")


def one_ahead(pictures: Iterator[Picture]) -> Iterator[Picture]:
    """The same pictures; while the caller looks at one, the next is decoded in a thread.

    Decoding and the networks both let go of Python's lock. A core on which one of them waits, or where another process has ended, is used.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="decodes") as decoding:
        coming = decoding.submit(next, pictures, None)
        while (picture := coming.result()) is not None:
            coming = decoding.submit(next, pictures, None)
            yield picture


def _often_keyed(index: FrameIndex) -> bool:
    """Whether no two keyframes lie further apart than a drift may last."""
    ends = np.concatenate([index.t_s[index.keyframe], index.t_s[-1:]])
    return index.info.codec in _SKIPPING_CODECS and bool(index.keyframe[0]) and float(np.diff(ends).max(initial=0.0)) <= MOST_UNFILTERED_S


def _runs(index: FrameIndex, wanted: np.ndarray, least_gap: int) -> list[np.ndarray]:
    """Wanted frames cut wherever so many keyframes or more lie after one of them, up to the next: 1 at each group of pictures, 2 where a
    whole group lies between the two."""
    if index.timed_by != "pts":
        return [wanted]  # frames are told apart by counting from the first one: no seeking
    group = np.searchsorted(np.flatnonzero(index.keyframe), wanted, side="right")
    return np.split(wanted, np.flatnonzero(np.diff(group) >= least_gap) + 1)


class _Decoding:
    """Decodes runs of wanted frames from one open container."""

    def __init__(self, container: InputContainer, stream: VideoStream, index: FrameIndex) -> None:
        self.container, self.stream, self.index = container, stream, index
        self.keyframes = np.flatnonzero(index.keyframe)
        self.can_skip = index.info.codec in _SKIPPING_CODECS
        self.counting = index.timed_by != "pts"
        self.first_countable = int(self.keyframes[0]) if self.counting and len(self.keyframes) else 0
        self.untouched = True

    def pictures(self, run: np.ndarray) -> Iterator[tuple[int, VideoFrame]]:
        """(frame number, decoded picture) of the wanted frames in `run` that decode, in order."""
        if self.counting:
            yield from self._filter(run, enumerate(self._decode(run, None), self.first_countable))
            return
        # A keyframe's packet may lie after the decoding time that a seek looks for, and a damaged table may lie about both: where the first
        # picture after a seek is already past the wanted one, start earlier, at last from the beginning.
        group = int(np.searchsorted(self.keyframes, run[0], side="right")) - 1
        for start in sorted({group, max(group - 2, 0), 0}, reverse=True):
            numbered = self._numbered(run, start)
            first = next(numbered, None)
            if first is not None and (first[0] <= run[0] or start <= 0):
                yield from self._filter(run, _chain(first, numbered))
                return

    def _numbered(self, run: np.ndarray, group: int) -> Iterator[tuple[int, VideoFrame]]:
        start = int(self.index.pts[self.keyframes[group]]) if group > 0 else None
        pts = self.index.pts
        for picture in self._decode(run, start):
            if picture.pts is None:
                continue
            number = int(np.searchsorted(pts, picture.pts))  # they increase; a mapping would hold 12 MB for an hour
            if number < len(pts) and pts[number] == picture.pts:
                yield number, picture

    @staticmethod
    def _filter(run: np.ndarray, numbered: Iterator[tuple[int, VideoFrame]]) -> Iterator[tuple[int, VideoFrame]]:
        pending, last = set(run.tolist()), -1
        for number, picture in numbered:
            if number in pending and number > last:  # damaged data may shuffle pictures: time never runs backwards here
                pending.remove(number)
                last = number
                yield number, picture
            if not pending or number > run[-1]:
                return

    def _decode(self, run: np.ndarray, start_pts: int | None) -> Iterator[VideoFrame]:
        import av

        if start_pts is None and not self.untouched:
            start_pts = min(int(self.index.pts[0]), self.stream.start_time or 0)
        self.untouched = False
        if start_pts is not None:
            try:
                seek_keyframe(self.container, self.stream, start_pts)
            except av.error.FFmpegError:
                return  # what is missing counts as undecodable
        wanted_pts = None if self.counting else set(self.index.pts[run].tolist())
        packets = self.container.demux(self.stream)
        # Before the first keyframe decoders drop pictures without a word: those must not be counted.
        packets = itertools.islice(packets, self.first_countable, None)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                yield from self._pictures_of(packet, wanted_pts)
                if wanted_pts and packet.pts in wanted_pts:
                    wanted_pts.remove(packet.pts)
                    if not wanted_pts:
                        # Decoders hold pictures back to put them in order. Nothing after this is wanted: have them now, rather than
                        # push them out with more packets (of single pictures, two of three were decoded only for that).
                        yield from self.stream.codec_context.decode(None)
                        return
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                # A damaged packet; its frame stays missing, and the share of those decides. Where frames are told apart by counting,
                # every later one would get a wrong number: they are missing, too.
                if self.counting:
                    return

    def _pictures_of(self, packet: Packet, wanted_pts: set[int] | None) -> list[VideoFrame]:
        if wanted_pts is not None and packet.size and self.can_skip:
            self.stream.codec_context.skip_frame = "DEFAULT" if packet.pts in wanted_pts else "NONREF"
        return packet.decode()


def _chain(first: tuple[int, VideoFrame], rest: Iterator[tuple[int, VideoFrame]]) -> Iterator[tuple[int, VideoFrame]]:
    yield first
    yield from rest


def scaled_size(width: int, height: int, short_side: int | None) -> tuple[int, int]:
    """The size at which the shorter side is at most `short_side` pixels; never enlarged."""
    if short_side is None or min(width, height) <= short_side:
        return width, height
    scale = short_side / min(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


_PLANES_CUT = {"yuv420p": 2, "yuvj420p": 2}
"""Formats of which a part is cut out before it is converted, with the side of the square of pixels that share a colour. 8-bit 4:2:0, which
is what phones write; measured on 4K: 1.5 ms a picture instead of 6.5."""


def _cut_out(picture: VideoFrame, region: Region, grain: int) -> VideoFrame:
    """The part of a stored picture, its corner and size multiples of `grain`."""
    import av

    part = av.VideoFrame(region.width, region.height, picture.format.name)
    for number, (whole, cut) in enumerate(zip(picture.planes, part.planes, strict=True)):
        step = grain if number else 1
        rows, columns = (slice(at // step, (at + length) // step) for at, length in ((region.y, region.height), (region.x, region.width)))
        lines = np.frombuffer(cut, np.uint8).reshape(-1, cut.line_size)  # the plane itself: what is written here is in the picture
        lines[:, : cut.width] = np.frombuffer(whole, np.uint8).reshape(-1, whole.line_size)[rows, columns]
    part.colorspace, part.color_range = picture.colorspace, picture.color_range
    return part


def _stored_region(region: Region, index: FrameIndex) -> Region:
    """Where a part of the upright picture lies in the stored one."""
    turn, width, height = index.orientation, index.info.width, index.info.height
    x = width - region.x - region.width if turn.flip_x else region.x
    y = height - region.y - region.height if turn.flip_y else region.y
    return Region(y, x, region.height, region.width) if turn.transpose else Region(x, y, region.width, region.height)


def _convert(
    picture: VideoFrame,
    index: FrameIndex,
    scaler: VideoReformatter,
    short_side: int | None,
    region: Region | None,
    least_side: int | None = None,
) -> np.ndarray:
    """RGB, upright, scaled; one pass of ffmpeg's scaler does colour and size."""
    info = index.info
    grain = _PLANES_CUT.get(picture.format.name)
    square = info.width * info.height == picture.width * picture.height
    if region is not None and grain and square:
        stored = _stored_region(region, index)
        if not any(value % grain for value in (stored.x, stored.y, stored.width, stored.height)):
            size = scaled_size(stored.width, stored.height, short_side)
            if least_side and min(size) < least_side:
                size = (2 * size[0], 2 * size[1])
            smaller = size[0] * size[1] < stored.width * stored.height
            part = _cut_out(picture, stored, grain)
            drawn = scaler.reformat(part, *size, "rgb24", interpolation="AREA" if smaller else "BICUBIC", threads=1)
            return index.orientation.apply(drawn.to_ndarray())
    if region is None:
        width, height = scaled_size(info.width, info.height, short_side)
    else:
        scale = scaled_size(region.width, region.height, short_side)[0] / region.width
        width, height = max(1, round(info.width * scale)), max(1, round(info.height * scale))
    stored = (height, width) if index.orientation.transpose else (width, height)
    smaller = stored[0] * stored[1] < picture.width * picture.height
    image = scaler.reformat(picture, *stored, "rgb24", interpolation="AREA" if smaller else "BICUBIC", threads=1).to_ndarray()
    image = index.orientation.apply(image)
    if region is not None:
        x, y = round(region.x * scale), round(region.y * scale)
        image = np.ascontiguousarray(image[y : y + max(1, round(region.height * scale)), x : x + max(1, round(region.width * scale))])
    return image
