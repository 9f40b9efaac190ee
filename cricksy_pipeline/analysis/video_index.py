"""Every frame of a video by its true timestamp, without decoding the video.

Belongs here: what a video is (`VideoInfo`), when each frame is shown (`FrameIndex`), and how both are found. Does not belong here: the
packets (`video_packets`), what is too much (`video_limits`), pictures (`video_frames`), opening and orientation (`video_file`), which
frames to analyse (`sampling`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cricksy_pipeline.analysis.recording import Onsets
from cricksy_pipeline.analysis.video_file import Orientation, open_video, orientation_of, seek_keyframe
from cricksy_pipeline.analysis.video_limits import VideoLimits
from cricksy_pipeline.analysis.video_packets import Packets, invents_pts, read_packets, refuse_cut_off
from cricksy_pipeline.errors import CricksyError, ErrorCode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


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
        onsets: sudden sounds on the same clock (`sound.listen`); None where there is no sound or nobody listened.
    """

    info: VideoInfo
    t_s: np.ndarray
    pts: np.ndarray
    keyframe: np.ndarray
    orientation: Orientation = field(default_factory=Orientation)
    timed_by: str = "pts"
    repeated_timestamps: int = 0
    onsets: Onsets | None = None

    def __len__(self) -> int:
        return len(self.t_s)

    def header(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON can hold it."""
        return {
            "info": asdict(self.info),
            "orientation": asdict(self.orientation),
            "timed_by": self.timed_by,
            "repeated_timestamps": self.repeated_timestamps,
            "onsets": None if self.onsets is None else self.onsets.as_json(),
        }

    @classmethod
    def from_parts(cls, header: Mapping[str, Any], t_s: np.ndarray, pts: np.ndarray, keyframe: np.ndarray) -> FrameIndex:
        """The index whose `header` and arrays these are; a header from before sound was listened to has none."""
        info, orientation = VideoInfo(**header["info"]), Orientation(**header["orientation"])
        onsets = Onsets.from_json(header.get("onsets"))
        return cls(info, t_s, pts, keyframe, orientation, header["timed_by"], header["repeated_timestamps"], onsets)


def index_video(path: Path, limits: VideoLimits | None = None) -> FrameIndex:
    """All frames of a file by their presentation timestamps, from the packets; one picture is decoded, to prove that one can be.

    Frames that an edit list hides are left out; a repeated timestamp counts once.

    Raises:
        CricksyError: SOURCE_MISSING, NOT_A_VIDEO, NO_VIDEO_STREAM, VIDEO_CORRUPT, VIDEO_TOO_LONG or VIDEO_TOO_LARGE.
    """
    limits = limits or VideoLimits()
    path = Path(path)
    if path.is_file():
        limits.refuse_bytes(path.stat().st_size)
    with open_video(path, limits.max_pixels) as (container, stream):
        limits.refuse_pixels(stream.width, stream.height)
        packets = read_packets(container, stream, limits)
        pts, first_of_each = np.unique(packets.pts, return_index=True)
        duration_s = _duration(pts, packets, stream.time_base)
        limits.refuse_length(duration_s, len(pts))
        picture = _first_picture(container, stream)
        orientation = orientation_of(picture)
        t_s = (pts - pts[0]) * float(stream.time_base)
        info = _describe(path, container, stream, picture, orientation, t_s, duration_s)
        limits.refuse_pixels(info.width, info.height)
        limits.refuse_shape(info.width, info.height)
        refuse_cut_off(container, stream, packets, duration_s, limits)
        timed_by = "pts" if packets.all_have_pts and not invents_pts(container, stream) else "dts"
        return FrameIndex(info, t_s, pts, packets.keyframe[first_of_each], orientation, timed_by, len(packets.pts) - len(pts))


def _duration(pts: np.ndarray, packets: Packets, time_base: Fraction) -> float:
    """Seconds from the first frame's appearance to the last one's disappearance; where the file does not say how long the last one stays,
    as long as frames usually do."""
    last = packets.last_duration or (round(float(np.median(np.diff(pts)))) if len(pts) > 1 else 0)
    # Whole numbers of any size: two timestamps of a crafted file may lie further apart than 64 bits can say.
    return float((int(pts[-1]) - int(pts[0]) + last) * time_base)


def _first_picture(container: InputContainer, stream: VideoStream, patience: int = 300) -> VideoFrame:
    """The first frame that decodes among the first `patience` packets."""
    import av

    try:
        seek_keyframe(container, stream, stream.start_time or 0)
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
    raise CricksyError(ErrorCode.VIDEO_CORRUPT, "Not one picture of the video can be decoded.")


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
        duration_s=duration_s,
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
