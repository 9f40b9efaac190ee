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
from cricksy_pipeline.sample.faults import Faults, check
from cricksy_pipeline.sample.motion import MOTIONS, MotionName
from cricksy_pipeline.sample.people import Bystander, Occluder

ViewName = Literal["side", "front", "quarter", "behind", "leg"]
FigureName = Literal["real", "game", "drawn", "hands"]
CodecName = Literal["h264", "hevc", "vp9", "av1", "mjpeg"]

EXPLICIT_TIME_BASE = Fraction(1, 90_000)
"""Ticks of explicit timestamps: asked times are rounded to the nearest, 5.6 microseconds at most."""


@dataclass(frozen=True)
class ClipSpec:
    """One clip.

    Attributes:
        motion: "drive" (batting), "bowl", "keep" (wicketkeeping), "throw" or "catch" (fielding); period 4 s, repeated for as long as the
            clip lasts.
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
        variation: 0 is the canonical player; any other number draws another body, tempo and posture of correct technique, always the same.
        yaw_deg: how far the camera walks round the player from the view's place, degrees; + is counter-clockwise seen from above.
        camera_height_m: height of the camera; None: the view's.
        share: the player's stature as a share of the picture's height at the delivery's place, 0.10 to 0.75; then the camera aims there,
            and a run-up may begin outside the picture. None: the whole movement is in the picture.
        start_s: seconds of life, within the first ball, at which the clip starts.
        people: who else is in the picture.
        occluder: what hides a part of the picture.
        empty_s: clip seconds at the start in which the player is not there yet (he appears all at once).
        cut_s: clip seconds at the start that are another shot: another view of the net, without the player.
        figure: "real", or what is not a person in the field: "game" (a flat-shaded figure of blocks), "drawn" (a drawn stick figure),
            "hands" (two gloved hands close up). What is not real has no truth.
        sound: an audio track with noise, and a crack at each contact (batting) as late as the camera is far away.
        slow_motion: how many times slower than life the file plays. Times are presentation times, durations in the metrics are of life.
        capture_tag: write the rate of capture into the file as phones do.
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
    variation: int = 0
    yaw_deg: float = 0.0
    camera_height_m: float | None = None
    share: float | None = None
    start_s: float = 0.0
    people: tuple[Bystander, ...] = ()
    occluder: Occluder | None = None
    empty_s: float = 0.0
    cut_s: float = 0.0
    figure: FigureName = "real"
    sound: bool = False
    slow_motion: float = 1.0
    capture_tag: bool = False

    def __post_init__(self) -> None:
        if self.motion not in MOTIONS or self.view not in VIEWS:
            raise ValueError(f"unknown motion or view: {self.motion!r}, {self.view!r}")
        if self.width % 2 or self.height % 2:
            raise ValueError("width and height must be even: the codecs halve the colour planes")
        if self.rotation not in (0, 90, 180, 270) or self.supersampling not in (1, 2):
            raise ValueError("rotation is one of 0, 90, 180, 270 and supersampling 1 or 2")
        if self.timestamps is not None and self.timestamps[:1] != (0.0,):
            raise ValueError("timestamps start at 0")
        if self.share is not None and not 0.10 <= self.share <= 0.75:
            raise ValueError("share lies between 0.10 and 0.75")
        if self.figure not in ("real", "game", "drawn", "hands"):
            raise ValueError(f"unknown figure: {self.figure!r}")
        if self.slow_motion < 1 or min(self.start_s, self.empty_s, self.cut_s) < 0:
            raise ValueError("slow_motion is 1 or more, and start_s, empty_s and cut_s are not negative")
        check(self.motion, self.faults)
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

    def life_s(self, t_s: np.ndarray) -> np.ndarray:
        """Clip seconds -> seconds of the player's life since the first ball began."""
        return self.start_s + np.asarray(t_s, float) / self.slow_motion

    def clip_s(self, life_s: float) -> float:
        """Seconds of life -> clip seconds; negative before the first frame."""
        return (life_s - self.start_s) * self.slow_motion

    def before_cut(self, t_s: np.ndarray | float) -> np.ndarray | np.bool_:
        """Whether clip times belong to the shot before the cut. Times before the clip never do: its own camera would have seen them."""
        return (np.asarray(t_s) >= 0) & (np.asarray(t_s) < self.cut_s)

    @property
    def there_from_s(self) -> float:
        """Clip seconds from which the player is to be seen."""
        return max(self.empty_s, self.cut_s)

    @property
    def size(self) -> tuple[int, int]:
        """Upright (width, height) in pixels."""
        return self.width, self.height
