"""What a sample clip is: every choice that changes a picture or a time, in one immutable value.

Belongs here: `ClipSpec`, its checks, its presentation times.
Does not belong here: truth, pictures, files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np

from cricksy_pipeline.sample.camera import VIEWS, Movement
from cricksy_pipeline.sample.motion import MOTIONS, Faults, MotionName

ViewName = Literal["side", "front", "quarter", "behind", "leg"]
CodecName = Literal["h264", "hevc", "vp9", "av1", "mjpeg"]

EXPLICIT_TIME_BASE = Fraction(1, 90_000)
"""Ticks of explicit timestamps: asked times are rounded to the nearest, 5.6 microseconds at most."""


@dataclass(frozen=True)
class ClipSpec:
    """One clip.

    Attributes:
        motion: "drive" (batting) or "bowl"; period 4 s, repeated for as long as the clip lasts.
        view: where the camera stands (`camera.VIEWS`).
        fps: frames per second, an int or a Fraction such as 30000/1001; not used where `timestamps` is given.
        seconds: length; the clip has round(seconds * fps) frames.
        width, height: upright picture in pixels, even; portrait is height > width.
        supersampling: 1, or 2 to render at twice the size and shrink (edges are antialiased either way).
        faults: what is wrong with the technique.
        mirror: the whole world, camera included, in a mirror: a left-hander. Left and right names change places.
        movement: what the camera does.
        seed: of grain and shake.
        timestamps: presentation times in seconds, from 0, strictly increasing; None = a constant rate.
        rotation: 0, 90, 180 or 270: the stored picture is turned, and a display matrix tells the player to turn it clockwise by this much.
        codec, crf: how the file is written.
        player: False leaves the net empty: nobody in it, no ball.
    """

    motion: MotionName = "drive"
    view: ViewName = "side"
    fps: Fraction | int = 30
    seconds: float = 4.0
    width: int = 640
    height: int = 360
    supersampling: int = 1
    faults: Faults = field(default_factory=Faults)
    mirror: bool = False
    movement: Movement = field(default_factory=Movement)
    seed: int = 0
    timestamps: tuple[float, ...] | None = None
    rotation: Literal[0, 90, 180, 270] = 0
    codec: CodecName = "h264"
    crf: int = 23
    player: bool = True

    def __post_init__(self) -> None:
        if self.motion not in MOTIONS or self.view not in VIEWS:
            raise ValueError(f"unknown motion or view: {self.motion!r}, {self.view!r}")
        if self.width % 2 or self.height % 2:
            raise ValueError("width and height must be even: the codecs halve the colour planes")
        if self.rotation not in (0, 90, 180, 270) or self.supersampling not in (1, 2):
            raise ValueError("rotation is one of 0, 90, 180, 270 and supersampling 1 or 2")
        if self.timestamps is not None and self.timestamps[:1] != (0.0,):
            raise ValueError("timestamps start at 0")
        ticks = self.ticks
        if len(ticks) == 0 or (np.diff(ticks) <= 0).any():
            raise ValueError("a clip needs at least one frame, and its timestamps must strictly increase")

    @property
    def time_base(self) -> Fraction:
        """Seconds per tick."""
        return Fraction(1, Fraction(self.fps).numerator) if self.timestamps is None else EXPLICIT_TIME_BASE

    @property
    def ticks(self) -> np.ndarray:
        """(n,) int64 presentation timestamps in ticks."""
        if self.timestamps is None:
            rate = Fraction(self.fps)
            return np.arange(round(self.seconds * rate), dtype=np.int64) * rate.denominator
        return np.round(np.array(self.timestamps) / float(EXPLICIT_TIME_BASE)).astype(np.int64)

    @property
    def t_s(self) -> np.ndarray:
        """(n,) presentation timestamps in seconds, exactly those that the file carries."""
        base = self.time_base
        return self.ticks * base.numerator / base.denominator

    @property
    def size(self) -> tuple[int, int]:
        """Upright (width, height) in pixels."""
        return self.width, self.height
