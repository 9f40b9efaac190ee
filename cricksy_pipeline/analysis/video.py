"""The front of everything about video files: index every frame by its true timestamp, decode only what is asked.

Belongs here: the names that other rooms use. What is behind them: `video_file` (opening what nobody vouches for), `video_packets` and
`video_index` (timestamps), `video_limits` (what is too much), `video_frames` (pictures). Code outside the child processes calls
`pose.inspect_video`, `pose.read_stills` and `pose.read_first_still` instead: a hostile file can crash ffmpeg.
"""

from __future__ import annotations

from cricksy_pipeline.analysis.video_file import Orientation
from cricksy_pipeline.analysis.video_frames import DecodedFrame, Region, read_frames, scaled_size
from cricksy_pipeline.analysis.video_index import FrameIndex, VideoInfo, index_video
from cricksy_pipeline.analysis.video_limits import VideoLimits

__all__ = ["DecodedFrame", "FrameIndex", "Orientation", "Region", "VideoInfo", "VideoLimits", "index_video", "read_frames", "scaled_size"]
