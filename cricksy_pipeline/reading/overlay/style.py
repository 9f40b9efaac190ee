"""How an overlay video looks: sizes, colours, durations, as data.

Belongs here: every number that is a choice of looks, and the layout that follows from them. Does not belong here: drawing, and what is
shown (`script`).
"""

from __future__ import annotations

from dataclasses import dataclass

from cricksy_pipeline.analysis.video_frames import scaled_size

RGB = tuple[int, int, int]

LOOK_VERSION = "1"
"""Part of what an overlay is known by: raised whenever the same analysis would be drawn otherwise."""


@dataclass(frozen=True)
class Style:
    """House defaults. Pixels are of the finished video; seconds of the video that is shown.

    Attributes:
        long_side: of the finished video, at most.
        least_height: smaller pictures are enlarged, so that the panel can be read, by `most_enlarged` at most.
        panel, foot: width of the panel beside the picture, height of the time line under it.
        bridge_s: between two sampled frames that lie no further apart the landmarks are interpolated by time; further, nothing is drawn.
        sure: joints of this visibility are full, and lines join them. BlazePose's own convention, as for the stills; not accuracy.
        seen: joints of less visibility are not drawn at all.
        lit_s: an event's name stays for so long after the end of its interval.
        before_s, after_s: of a ball's clip, before and after the ball, as far as no other ball lies there.
        replay_before_s, replay_after_s: of the stretch around the key moment that a clip repeats.
        replay_speed: of that repeat.
        hold_s: the last picture of a clip stays for so long.
        crf, preset, most_bits_s: of libx264; the last bounds a noisy video's size, bits a second.
        nice: by which the drawing steps back behind an analysis that runs on the same machine.
    """

    long_side: int = 1280
    least_height: int = 480
    most_enlarged: float = 3.0
    panel: int = 312
    foot: int = 64
    bridge_s: float = 0.15
    sure: float = 0.5
    seen: float = 0.2
    lit_s: float = 0.35
    before_s: float = 0.4
    after_s: float = 0.6
    replay_before_s: float = 0.7
    replay_after_s: float = 0.5
    replay_speed: float = 0.5
    hold_s: float = 1.5
    crf: int = 22
    preset: str = "veryfast"
    most_bits_s: int = 6_000_000
    nice: int = 10


@dataclass(frozen=True)
class Palette:
    """RGB. The report's dark palette (`reading/report/templates/palette.css`), the ring's yellow from the stills."""

    ground: RGB = (18, 24, 21)
    raised: RGB = (30, 39, 34)
    line: RGB = (49, 60, 54)
    ink: RGB = (232, 238, 234)
    quiet: RGB = (163, 177, 168)
    field: RGB = (99, 192, 143)
    ball: RGB = (242, 139, 136)
    willow: RGB = (224, 187, 109)
    mark: RGB = (255, 225, 77)


STYLE, PALETTE = Style(), Palette()


@dataclass(frozen=True)
class Layout:
    """Where things lie in the finished video, pixels; all sizes are even, as H.264 wants them.

    Attributes:
        width, height: of the finished video.
        picture_width, picture_height: of the source's picture in it; it begins at (0, `top`).
        top: of the picture.
        short_side: of the picture as it is asked of the decoder (never enlarged there).
        scale: finished pixels per pixel of the upright source.
    """

    width: int
    height: int
    picture_width: int
    picture_height: int
    top: int
    short_side: int
    scale: float

    @property
    def foot_top(self) -> int:
        """Where the time line begins."""
        return self.height - STYLE.foot


def layout_of(width: int, height: int, style: Style = STYLE) -> Layout:
    """The layout for an upright source of that size, square pixels."""
    fits = min((style.long_side - style.panel) / width, (style.long_side - style.foot) / height)
    wanted = max(1.0, (style.least_height - style.foot) / height)
    scale = min(fits, wanted, style.most_enlarged)
    short_side = max(2, round(min(width, height) * min(scale, 1.0)))
    shown_width, shown_height = scaled_size(width, height, short_side)
    if scale > 1:
        shown_width, shown_height = round(width * scale), round(height * scale)
    picture_width, picture_height = max(2, shown_width // 2 * 2), max(2, shown_height // 2 * 2)
    # The shorter side rounds, and the longer follows it: one pixel more would be one too many.
    picture_width = min(picture_width, (style.long_side - style.panel) // 2 * 2)
    picture_height = min(picture_height, (style.long_side - style.foot) // 2 * 2)
    inner = max(picture_height, (style.least_height - style.foot) // 2 * 2)
    return Layout(
        width=picture_width + style.panel,
        height=inner + style.foot,
        picture_width=picture_width,
        picture_height=picture_height,
        top=(inner - picture_height) // 2,
        short_side=short_side,
        scale=shown_width / width,
    )
