"""What the packets of a file say about its frames, before any of them is decoded.

Belongs here: reading timestamps and keyframes, whether timestamps can be believed, whether a file is cut off. Does not belong here: what
is made of it (`video_index`), pictures (`video_frames`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.analysis.video_limits import VideoLimits
from cricksy_pipeline.errors import CricksyError, ErrorCode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream


@dataclass
class Packets:
    """Of the packets of one picture stream.

    Attributes:
        pts: (n,) int64 timestamps in the stream's time base, in the order of decoding; may repeat.
        keyframe: (n,) bool.
        last_duration: of the packet with the latest timestamp, in the time base; 0 where the file says nothing.
        read: packets read, those that an edit list hides included.
        all_have_pts: whether none had to be timed by its decoding timestamp.
    """

    pts: np.ndarray
    keyframe: np.ndarray
    last_duration: int
    read: int
    all_have_pts: bool


def read_packets(container: InputContainer, stream: VideoStream, limits: VideoLimits) -> Packets:
    """All packets of the stream. Raises CricksyError VIDEO_CORRUPT where there is none, VIDEO_TOO_LONG as soon as it is certain."""
    import av

    pts: list[int] = []
    keyframe: list[bool] = []
    earliest, latest, last_duration, read, all_have_pts = 0, 0, 0, 0, True
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:  # the rest is unreadable; the share that was read decides (`refuse_cut_off`)
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
        if not pts or stamp > latest:
            latest, last_duration = stamp, max(packet.duration or 0, 0)
        # In a sound file the first packet is the earliest; a crafted one may begin with the latest.
        earliest = stamp if not pts else min(earliest, stamp)
        pts.append(stamp)
        keyframe.append(packet.is_keyframe)
        limits.refuse_length(float((latest - earliest) * stream.time_base), len(pts))
    if not pts:
        raise CricksyError(ErrorCode.VIDEO_CORRUPT, "The file names a video but holds not one readable frame.")
    return Packets(np.array(pts, np.int64), np.array(keyframe, bool), last_duration, read, all_have_pts)


def invents_pts(container: InputContainer, stream: VideoStream) -> bool:
    """AVI holds no presentation timestamps, and what ffmpeg makes up for these codecs is wrong where pictures are stored out of order."""
    return container.format.name == "avi" and stream.codec_context.name in ("h264", "hevc")


def refuse_cut_off(container: InputContainer, stream: VideoStream, packets: Packets, duration_s: float, limits: VideoLimits) -> None:
    """Raise CricksyError VIDEO_CORRUPT where much less could be read than the container promises.

    The sample table is the promise of an mp4, not its frame count: an edit list may hide most frames of a sound file. Where there is no
    table, a duration counts only if it is the picture's own: sound may well be longer.
    """
    read, promised = packets.read, len(stream.index_entries)
    if container.format.name == "avi":
        # A length in ticks of the time base: empty chunks count, which stand for a picture that stays, and are never read.
        read, promised = max(read, int(packets.pts.max()) + 1), max(promised, stream.frames)
    share = read / promised if promised else 1.0
    declared_end_s = _declared_end_s(container, stream)
    if declared_end_s:
        starts_s = max(float(int(packets.pts.min()) * stream.time_base), 0.0)
        share = min(share, (starts_s + duration_s) / declared_end_s)
    if share < limits.min_share_of_declared_frames:
        raise CricksyError(ErrorCode.VIDEO_CORRUPT, f"The file is cut off: only {share:.0%} of the frames that it announces can be read.")


def _declared_end_s(container: InputContainer, stream: VideoStream) -> float | None:
    """When the pictures of a Matroska file end, from its own zero and not from the first picture."""
    if "matroska" not in container.format.name:
        return None
    tag = stream.metadata.get("DURATION", "")
    try:
        hours, minutes, seconds = tag.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        alone = len(container.streams) == 1 and container.duration
        return container.duration / 1e6 if alone else None
