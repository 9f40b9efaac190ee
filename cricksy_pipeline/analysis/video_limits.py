"""How much of a video is accepted.

Belongs here: the limits and the refusals in words. Does not belong here: how length and size are found out (`video_packets`,
`video_index`).
"""

from __future__ import annotations

from dataclasses import dataclass

from cricksy_pipeline.errors import CricksyError, ErrorCode


@dataclass(frozen=True)
class VideoLimits:
    """What is accepted; house defaults, uncalibrated.

    Attributes:
        max_seconds: 900: a long net session. At 10 fps that is 9,000 frames, some minutes of two cores.
        max_bytes: 4 GiB: fifteen minutes at 38 Mbit/s, more than phones write at 1080p, and below S3's 5 GiB for one PUT.
        max_pixels: of one picture, as stored and with square pixels; 36 million is 8K, the most that a phone films.
        max_frames: fifteen minutes at 240 fps.
        min_side: pixels of the shorter side of the upright picture; below, no limb is wider than a pixel.
        max_ratio: of the longer to the shorter side; the widest cinema picture has 2.8, two monitors side by side 3.6.
        min_share_of_declared_frames: below this share of what the container declares, the file counts as cut off.
    """

    max_seconds: float = 900.0
    max_bytes: int = 4 * 1024**3
    max_pixels: int = 36_000_000
    max_frames: int = 216_000
    min_side: int = 32
    max_ratio: float = 5.0
    min_share_of_declared_frames: float = 0.9

    def refuse_bytes(self, size: int) -> None:
        """Raise CricksyError VIDEO_TOO_LARGE for a file of `size` bytes that is too large."""
        if size > self.max_bytes:
            raise CricksyError(
                ErrorCode.VIDEO_TOO_LARGE, f"The file has {size / 1e9:.1f} GB; at most {self.max_bytes / 1e9:.1f} GB are accepted."
            )

    def refuse_length(self, seconds: float, frames: int) -> None:
        """Raise CricksyError VIDEO_TOO_LONG for too many seconds or frames."""
        if seconds > self.max_seconds or frames > self.max_frames:
            raise CricksyError(
                ErrorCode.VIDEO_TOO_LONG, f"The video is longer than {self.max_seconds / 60:.0f} minutes or {self.max_frames} frames."
            )

    def refuse_pixels(self, width: int, height: int) -> None:
        """Raise CricksyError VIDEO_TOO_LARGE for a picture of too many pixels."""
        if width * height > self.max_pixels:
            raise CricksyError(
                ErrorCode.VIDEO_TOO_LARGE,
                f"The picture is {width} x {height} pixels; at most {self.max_pixels / 1e6:.0f} million are accepted.",
            )

    def refuse_shape(self, width: int, height: int) -> None:
        """Raise CricksyError for a picture, upright and with square pixels, in which no player can be: VIDEO_TOO_LARGE for one far longer
        than it is wide (looking over it piece by piece would cost a minute and more), VIDEO_CORRUPT for a tiny one."""
        shorter, longer = sorted((width, height))
        if longer > self.max_ratio * shorter:
            raise CricksyError(
                ErrorCode.VIDEO_TOO_LARGE,
                f"The picture is {width} x {height} pixels: narrower than 1 to {self.max_ratio:g}, which no camera films.",
            )
        if shorter < self.min_side:
            raise CricksyError(
                ErrorCode.VIDEO_CORRUPT,
                f"The picture is {width} x {height} pixels: smaller than {self.min_side} pixels across, so nobody can be seen in it.",
            )
