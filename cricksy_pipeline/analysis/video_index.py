"""Every frame of a video by its true timestamp, without decoding the video.

Belongs here: what a video is (`VideoInfo`), when each frame is shown (`FrameIndex`), what is too much (`VideoLimits`), and the reading of
both from the packets. Does not belong here: pictures (`video_frames`), opening and orientation (`video_file`), which frames to analyse
(`sampling`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cricksy_pipeline.analysis.video_file import Orientation, open_video, orientation_of
from cricksy_pipeline.errors import CricksyError, ErrorCode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


@dataclass(frozen=True)
class VideoLimits:
    """What is accepted; house defaults, uncalibrated.

    Attributes:
        max_seconds: 900: a long net session. At 10 fps that is 9,000 frames, some minutes of two cores.
        max_bytes: 4 GiB: fifteen minutes at 38 Mbit/s, more than phones write at 1080p, and below S3's 5 GiB for one PUT.
        max_pixels: of one picture; 36 million is 8K, the most that a phone films.
        max_frames: fifteen minutes at 240 fps.
        min_share_of_declared_frames: below this share of what the container declares, the file counts as cut off.
    """

    max_seconds: float = 900.0
    max_bytes: int = 4 * 1024**3
    max_pixels: int = 36_000_000
    max_frames: int = 216_000
    min_share_of_declared_frames: float = 0.9


@dataclass(frozen=True)
class VideoInfo:
    """What a video is.

    Attributes:
        width, height: pixels of the upright picture, after rotation and with square pixels.
        rotation_deg: the quarter turn counterclockwise, 0, 90, 180 or 270, that makes the stored picture upright.
        mirrored: whether left and right are also exchanged, after the turn (selfie cameras).
        codec, container, pixel_format: ffmpeg's names.
        duration_s: from the first frame's appearance to the last one's disappearance.
        frame_count: frames in the index.
        average_fps: (frame_count - 1) / time between first and last frame; 0 with a single frame.
        variable_rate: more than 1 % of the intervals differ from the median one by more than a quarter.
        size_bytes: of the file.
        declared_frames: what the container's header says; None where it says nothing.
        capture_fps_tag: the rate of capture that a phone wrote into a slow-motion file; None where there is no such tag.
    """

    width: int
    height: int
    rotation_deg: int
    mirrored: bool
    codec: str
    container: str
    pixel_format: str
    duration_s: float
    frame_count: int
    average_fps: float
    variable_rate: bool
    size_bytes: int
    declared_frames: int | None
    capture_fps_tag: float | None


@dataclass(frozen=True)
class FrameIndex:
    """When each frame is shown. Frame k is the k-th shown, from 0.

    Attributes:
        info: what the video is.
        t_s: (n,) float64, seconds after the first shown frame, strictly increasing.
        pts: (n,) int64, the container's own timestamps.
        keyframe: (n,) bool, frames at which decoding can start.
        orientation: how stored pictures become upright.
        timed_by: "pts", or "dts" where the container has no presentation timestamps (AVI, raw MJPEG).
        repeated_timestamps: packets left out because another one has the same timestamp.
    """

    info: VideoInfo
    t_s: np.ndarray
    pts: np.ndarray
    keyframe: np.ndarray
    orientation: Orientation = field(default_factory=Orientation)
    timed_by: str = "pts"
    repeated_timestamps: int = 0

    def __len__(self) -> int:
        return len(self.t_s)

    def header(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON can hold it."""
        return {
            "info": asdict(self.info),
            "orientation": asdict(self.orientation),
            "timed_by": self.timed_by,
            "repeated_timestamps": self.repeated_timestamps,
        }

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], t_s: np.ndarray, pts: np.ndarray, keyframe: np.ndarray) -> FrameIndex:
        """The index whose `header` and arrays these are."""
        info, orientation = VideoInfo(**header["info"]), Orientation(**header["orientation"])
        return cls(info, t_s, pts, keyframe, orientation, header["timed_by"], header["repeated_timestamps"])


@dataclass
class _Packets:
    pts: np.ndarray
    keyframe: np.ndarray
    last_duration: int
    read: int
    all_have_pts: bool


def index_video(path: Path, limits: VideoLimits | None = None) -> FrameIndex:
    """All frames of a file by their presentation timestamps, from the packets; one picture is decoded, to prove that one can be.

    Frames that an edit list hides are left out; a repeated timestamp counts once.

    Raises:
        CricksyError: SOURCE_MISSING, NOT_A_VIDEO, NO_VIDEO_STREAM, VIDEO_CORRUPT, VIDEO_TOO_LONG or VIDEO_TOO_LARGE.
    """
    limits = limits or VideoLimits()
    path = Path(path)
    if path.is_file() and path.stat().st_size > limits.max_bytes:
        raise CricksyError(
            ErrorCode.VIDEO_TOO_LARGE,
            f"the file has {path.stat().st_size / 1e9:.1f} GB; at most {limits.max_bytes / 1e9:.1f} GB are accepted",
        )
    with open_video(path) as (container, stream):
        if stream.width * stream.height > limits.max_pixels:
            raise CricksyError(
                ErrorCode.VIDEO_TOO_LARGE,
                f"the picture has {stream.width} x {stream.height} pixels; at most {limits.max_pixels / 1e6:.0f} million are accepted",
            )
        packets = _read_packets(container, stream, limits)
        picture = _first_picture(container, stream)
        time_base = stream.time_base
        pts, first_of_each = np.unique(packets.pts, return_index=True)
        t_s = (pts - pts[0]) * float(time_base)
        last_s = packets.last_duration * float(time_base) or (float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0)
        orientation = orientation_of(picture)
        info = _describe(path, container, stream, picture, orientation, t_s, t_s[-1] + last_s)
        _refuse_cut_off(container, stream, packets, info, limits)
        timed_by = "pts" if packets.all_have_pts and not _invents_pts(container, stream) else "dts"
        return FrameIndex(info, t_s, pts, packets.keyframe[first_of_each], orientation, timed_by, len(packets.pts) - len(pts))


def _read_packets(container: InputContainer, stream: VideoStream, limits: VideoLimits) -> _Packets:
    import av

    pts: list[int] = []
    keyframe: list[bool] = []
    longest = int(limits.max_seconds / stream.time_base)
    read, last, last_duration, all_have_pts = 0, None, 0, True
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:  # the rest is unreadable; the share that was read decides below
            break
        if packet is None:
            break
        if packet.size == 0:
            continue
        read += 1
        stamp = packet.pts if packet.pts is not None else packet.dts
        all_have_pts &= packet.pts is not None
        if packet.is_discard or stamp is None:
            continue
        pts.append(stamp)
        keyframe.append(packet.is_keyframe)
        if last is None or stamp > last:
            last, last_duration = stamp, packet.duration or 0
        if stamp - pts[0] > longest or len(pts) > limits.max_frames:
            raise CricksyError(
                ErrorCode.VIDEO_TOO_LONG, f"the video is longer than {limits.max_seconds / 60:.0f} minutes or {limits.max_frames} frames"
            )
    if not pts:
        raise CricksyError(ErrorCode.VIDEO_CORRUPT, "the file names a video but holds not one readable frame")
    return _Packets(np.array(pts, np.int64), np.array(keyframe, bool), last_duration, read, all_have_pts)


def _invents_pts(container: InputContainer, stream: VideoStream) -> bool:
    """AVI holds no presentation timestamps, and what ffmpeg makes up for these codecs is wrong where pictures are stored out of order."""
    return container.format.name == "avi" and stream.codec_context.name in ("h264", "hevc")


def _first_picture(container: InputContainer, stream: VideoStream, patience: int = 300) -> VideoFrame:
    """The first frame that decodes among the first `patience` packets."""
    import av

    try:
        container.seek(stream.start_time or 0, stream=stream)
        for number, packet in enumerate(container.demux(stream)):
            try:
                for frame in packet.decode():
                    return frame
            except av.error.FFmpegError:
                pass
            if number > patience:
                break
    except av.error.FFmpegError:
        pass
    raise CricksyError(ErrorCode.VIDEO_CORRUPT, "not one picture of the video can be decoded")


def _refuse_cut_off(container: InputContainer, stream: VideoStream, packets: _Packets, info: VideoInfo, limits: VideoLimits) -> None:
    """Raise VIDEO_CORRUPT where much less could be read than the container promises.

    The sample table is the promise of an mp4, not its frame count: an edit list may hide most frames of a sound file. Where there is no
    table, a duration counts only if it is the picture's own: sound may well be longer.
    """
    promised = len(stream.index_entries)
    if info.container == "avi":
        promised = max(promised, stream.frames)
    share = packets.read / promised if promised else 1.0
    declared_s = _declared_seconds(container, stream)
    if declared_s:
        share = min(share, info.duration_s / declared_s)
    if share < limits.min_share_of_declared_frames:
        raise CricksyError(ErrorCode.VIDEO_CORRUPT, f"the file is cut off: only {share:.0%} of the frames that it announces can be read")


def _declared_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    if "matroska" not in container.format.name:
        return None
    tag = stream.metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        alone = len(container.streams) == 1 and container.duration
        return container.duration / 1e6 if alone else None


def _describe(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    picture: VideoFrame,
    orientation: Orientation,
    t_s: np.ndarray,
    duration_s: float,
) -> VideoInfo:
    width, height = _square_pixels(picture.width, picture.height, stream.sample_aspect_ratio)
    if orientation.transpose:
        width, height = height, width
    intervals = np.diff(t_s)
    usual = float(np.median(intervals)) if len(intervals) else 0.0
    return VideoInfo(
        width=width,
        height=height,
        rotation_deg=orientation.rotation_deg,
        mirrored=orientation.mirrored,
        codec=stream.codec_context.name,
        container=container.format.name,
        pixel_format=picture.format.name,
        duration_s=float(duration_s),
        frame_count=len(t_s),
        average_fps=len(intervals) / float(t_s[-1]) if len(intervals) else 0.0,
        variable_rate=bool(len(intervals) and np.mean(np.abs(intervals - usual) > 0.25 * usual) > 0.01),
        size_bytes=path.stat().st_size,
        declared_frames=stream.frames if 0 < stream.frames < 2**31 else None,
        capture_fps_tag=_capture_fps(container, stream),
    )


def _square_pixels(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """The size with square pixels: the shorter direction of a pixel is stretched, so that nothing is thrown away."""
    if not aspect or aspect == 1 or not 0.1 < aspect < 10:
        return width, height
    return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))


def _capture_fps(container: InputContainer, stream: VideoStream) -> float | None:
    for tags in (container.metadata, stream.metadata):
        try:  # Matroska writes tags in capitals
            rate = float({name.lower(): value for name, value in tags.items()}["com.android.capture.fps"])
        except (KeyError, ValueError):
            continue
        if 0 < rate < 10_000:
            return rate
    return None
