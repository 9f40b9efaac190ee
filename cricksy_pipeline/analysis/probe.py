"""A glance over the clip: who is in it, and where.

Belongs here: which pictures to look at, looking at whole pictures and, where nobody large is in them, at overlapping tiles.
Does not belong here: the choice (`subject`). Runs in the child process.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.blazepose import BlazePose
from cricksy_pipeline.analysis.subject import Candidate, Subject, SubjectSettings, choose_subject, large_enough
from cricksy_pipeline.analysis.video_frames import DecodedFrame, read_frames
from cricksy_pipeline.analysis.video_index import FrameIndex

PICTURES = 12
"""Spread over the clip. House default: the tiles of one picture cost about 0.5 CPU s."""

TILE_SHARES = (0.6, 0.34)
"""Side of the square tiles, as shares of the picture's shorter side; half of a tile overlaps the next. The smaller ones find 12 % of the
height."""

MAX_TILES = 72
"""Of one size in one picture: a picture of 16 to 9 has 50 of the smaller ones, one of 21 to 9 has 65."""

_SHORT_SIDE = 1080
_PEOPLE = 3
_SAME_PERSON = 0.3  # intersection over union of two boxes
_AGREEMENT = 0.35  # of the height: how far the boxes of a first and a second look may lie apart


def probe_frames(index: FrameIndex, pictures: int = PICTURES) -> np.ndarray:
    """(k,) int64 frame numbers spread over the clip; a keyframe where one is near, since it costs least to decode."""
    end = float(index.t_s[-1])
    step = end / pictures
    wanted = []
    for t in (np.arange(pictures) + 0.5) * step:
        frame = int(np.argmin(np.abs(index.t_s - t)))
        keys = np.flatnonzero(index.keyframe & (np.abs(index.t_s - t) <= step / 4))
        wanted.append(int(keys[np.argmin(np.abs(index.t_s[keys] - t))]) if len(keys) else frame)
    return np.unique(np.array(wanted, np.int64))


def find_subject(video: Path, index: FrameIndex, model: Path, settings: SubjectSettings | None = None) -> Subject:
    """The player of a clip, from a glance over it. Raises CricksyError VIDEO_CORRUPT."""
    settings = settings or SubjectSettings()
    width, height = index.info.width, index.info.height
    frames = probe_frames(index)
    pictures = list(read_frames(video, index, frames, short_side=_SHORT_SIDE))
    with BlazePose(model, follow=False, people=_PEOPLE) as pose:
        whole = _distinct([c for number, picture in enumerate(pictures) for c in _look(pose, number, picture.image, width)])
    if large_enough(whole, width, height, settings):
        return choose_subject(whole, width, height, len(pictures), settings)
    with BlazePose(model, follow=False) as pose:
        close = [c for number, picture in enumerate(pictures) for c in _look_closely(pose, number, picture, width)]
    return choose_subject(_distinct([*close, *whole]), width, height, len(pictures), settings)


def _look(
    pose: BlazePose, number: int, image: np.ndarray, width: int, x: int = 0, y: int = 0, scale: float | None = None
) -> list[Candidate]:
    """Everyone found in an image that lies at (x, y) of a picture scaled by `scale`; boxes in full-resolution pixels."""
    scale = scale or image.shape[1] / width
    found = []
    for person in pose.estimate(image):
        points = (person[:, :2] * (image.shape[1], image.shape[0]) + (x, y)) / scale
        low, high = points.min(axis=0), points.max(axis=0)
        found.append(Candidate(number, *low.tolist(), *(high - low).tolist(), float(person[:, 3].mean())))
    return found


def _look_closely(pose: BlazePose, number: int, picture: DecodedFrame, width: int) -> Iterator[Candidate]:
    """Everyone found in a tile and found again, in the same place, in a cut-out around that find: a pose returned is not a person."""
    scale = picture.image.shape[1] / width
    seen: list[Candidate] = []
    for x, y, side in tiles(picture.image.shape[1], picture.image.shape[0]):
        tile = np.ascontiguousarray(picture.image[y : y + side, x : x + side])
        for first in _look(pose, number, tile, width, x, y, scale):
            if any(_overlap(first, other) > _SAME_PERSON for other in seen):
                continue
            again = _again(pose, number, picture.image, first, width, scale)
            if again:
                seen.append(again)
                yield again


def _again(pose: BlazePose, number: int, image: np.ndarray, first: Candidate, width: int, scale: float) -> Candidate | None:
    side = int(2 * max(first.width, first.height) * scale)
    x, y = (first.middle * scale - side / 2).astype(int).clip(0)
    cut = np.ascontiguousarray(image[y : y + side, x : x + side])
    if min(cut.shape[:2]) < 16:
        return None
    for second in _look(pose, number, cut, width, int(x), int(y), scale):
        apart = float(np.linalg.norm(second.middle - first.middle))
        if apart <= _AGREEMENT * first.height and abs(second.height - first.height) <= _AGREEMENT * first.height:
            return second
    return None


def tiles(width: int, height: int, shares: tuple[float, ...] = TILE_SHARES) -> Iterator[tuple[int, int, int]]:
    """(x, y, side) of square tiles that cover a picture, each half over the next; in a long narrow picture they are larger than their
    share, so that there are at most `MAX_TILES` of each size."""
    for share in shares:
        side = max(32, round(share * min(width, height)))
        while len(_starts(width, side)) * len(_starts(height, side)) > MAX_TILES:
            side += -(-side // 8)
        for y in _starts(height, side):
            for x in _starts(width, side):
                yield x, y, side


def _starts(length: int, side: int) -> list[int]:
    if side >= length:
        return [0]
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return np.linspace(0, length - side, count).round().astype(int).tolist()


def _distinct(candidates: list[Candidate]) -> list[Candidate]:
    """One sighting per person and picture: of two that overlap, the earlier in the list."""
    kept: list[Candidate] = []
    for c in candidates:
        if not any(k.picture == c.picture and _overlap(k, c) > _SAME_PERSON for k in kept):
            kept.append(c)
    return kept


def _overlap(a: Candidate, b: Candidate) -> float:
    """Intersection over union of two boxes."""
    across = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    down = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    both = max(across, 0.0) * max(down, 0.0)
    return both / max(a.width * a.height + b.width * b.height - both, 1e-9)
