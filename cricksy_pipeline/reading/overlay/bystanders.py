"""Everyone in the video, looked for before faces are blurred: some pictures a second, and who of one picture is who in the next.

Belongs here: looking, with BlazePose, in the child process; where people are between two looks. Does not belong here: what is blurred
(`faces`). The analysis itself follows one player and sees the others about once a second: too seldom to hide a face between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.sampling import grid_frames
from cricksy_pipeline.analysis.tiling import tiles
from cricksy_pipeline.analysis.video_frames import read_pictures
from cricksy_pipeline.analysis.video_index import FrameIndex


@dataclass(frozen=True)
class LookSettings:
    """House defaults, uncalibrated.

    Attributes:
        fps: pictures a second that are looked at.
        people: found in one part of a picture at most.
        short_side: of the picture that is looked at, pixels.
        near: somebody may be the one of the picture before if he is no more body sizes away than this,
        alike: and no more than so many times as large or small.
    """

    fps: float = 4.0
    people: int = 5
    short_side: int = 720
    near: float = 0.9
    alike: float = 1.7


LOOK = LookSettings()
LONGEST_S = 1.5 / LOOK.fps
"""Where a frame is missing, the next look is a little later; where it is much later, it says nothing of now."""


@dataclass(frozen=True)
class Glimpse:
    """Somebody in one picture: its time, (33, 2) pixels of the upright source, (33,) visibilities."""

    t_s: float
    xy: np.ndarray
    visibility: np.ndarray

    @property
    def size(self) -> float:
        """Longer side of his box, pixels."""
        return max(float(np.ptp(self.xy, axis=0).max()), 1.0)


@dataclass(frozen=True)
class Whereabouts:
    """Somebody between two looks: (33, 2) pixels, and the seconds to the nearest look in which he was; 0 where he was in both."""

    xy: np.ndarray
    away_s: float


def between(glimpses: Sequence[Glimpse], t_s: float) -> list[Whereabouts]:
    """Everyone who was seen in the last look before a moment or in the first after it.

    Who is in both is where he must be between; who is in one alone is where he was seen, so many seconds away.
    """
    past, future = [g for g in glimpses if g.t_s <= t_s], [g for g in glimpses if g.t_s > t_s]
    last_s, next_s = max((g.t_s for g in past), default=-np.inf), min((g.t_s for g in future), default=np.inf)
    # A look in which nobody was found leaves no glimpse: who was seen before it is not looked for after it.
    before = [g for g in past if g.t_s == last_s and t_s - last_s < LONGEST_S]
    after = [g for g in future if g.t_s == next_s and next_s - t_s < LONGEST_S]
    pairs = _pairs(before, after)
    there = []
    for one, other in pairs:
        share = (t_s - one.t_s) / (other.t_s - one.t_s)
        there.append(Whereabouts((1 - share) * one.xy + share * other.xy, 0.0))
    alone = [g for g in (*before, *after) if all(g is not one and g is not other for one, other in pairs)]
    return there + [Whereabouts(g.xy, abs(g.t_s - t_s)) for g in alone]


def _pairs(before: Sequence[Glimpse], after: Sequence[Glimpse]) -> list[tuple[Glimpse, Glimpse]]:
    """Who of one look is who in the next, the nearest first; each is in one pair at most."""
    costs = []
    for i, one in enumerate(before):
        for k, other in enumerate(after):
            size = max(one.size, other.size)
            far = float(np.linalg.norm(one.xy[0] - other.xy[0])) / size
            if far <= LOOK.near and size <= LOOK.alike * min(one.size, other.size):
                costs.append((far, i, k))
    pairs, taken, given = [], set(), set()
    for _, i, k in sorted(costs):
        if i not in taken and k not in given:
            taken.add(i)
            given.add(k)
            pairs.append((before[i], after[k]))
    return pairs


def look_for_people(video: Path, index: FrameIndex, model: Path, on_picture: Callable[[int], None]) -> list[Glimpse]:
    """Everyone who is found in the whole picture or in its overlapping squares; somebody may be listed twice.

    Args:
        on_picture: told the number of each frame that was looked at.

    Raises CricksyError VIDEO_CORRUPT.
    """
    from cricksy_pipeline.analysis.blazepose import BlazePose

    found: list[Glimpse] = []
    with BlazePose(model, follow=False, people=LOOK.people) as pose:
        for picture in read_pictures(video, index, grid_frames(index.t_s, LOOK.fps)):
            image = picture.image(LOOK.short_side)
            height, width = image.shape[:2]
            parts = [(0, 0, image)]
            parts += [(x, y, image[y : y + side, x : x + side]) for x, y, side in tiles(width, height, (1.0,)) if side < max(width, height)]
            for x, y, part in parts:
                for person in pose.estimate(np.ascontiguousarray(part)):
                    xy = (person[:, :2] * part.shape[1::-1] + (x, y)) * (index.info.width / width)
                    found.append(Glimpse(picture.t_s, xy, person[:, 3]))
            on_picture(picture.frame)
    return found
