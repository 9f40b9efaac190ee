"""The strip of stills of a deep pass: what it shows, which pictures are read for it, and when a stored one still shows the same.

Belongs here: from landmarks, events and the video to one PNG. Does not belong here: which moments (`analysis.moments`), drawing
(`reading.drawing.strips`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from math import ceil

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.moments import Moment, moments_of, shown_deliveries
from cricksy_pipeline.analysis.passes import Footage, Look, Work
from cricksy_pipeline.analysis.pose import read_stills
from cricksy_pipeline.analysis.swaps import repaired, swapped_landmarks
from cricksy_pipeline.reading.drawing.strips import TILE_HEIGHT, Row, Still, mark, mark_of, strip_png

MOST_PIXELS = 20_000_000
"""So many pixels of stills are read in one go, unless those of one ball are more: thirty pictures of a 4K file would be three quarters of a
gigabyte."""
READINGS = 2
"""So many readings go on side by side: a strip is waited for, and nearly all of that is decoding."""
MOST_SHORT_SIDE = 2160
NEAREST_S = 0.06
"""A still is drawn with the landmarks of the frame it shows; where he was not found in it, with none."""


@dataclass(frozen=True)
class PlannedStrip:
    """What a strip shows, before any picture is read.

    Attributes:
        shown: the moments of each ball.
        drawn: landmarks and visibility of each moment (`_landmarks_at`).
        told: says which moments of which body these are (`strips.mark`).
        balls: of the clip; not all of them are shown.
    """

    shown: Sequence[Sequence[Moment]]
    drawn: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]]
    told: str
    balls: int


def planned_strip(look: Look, document: AnalysisResults) -> PlannedStrip:
    """The strip of a deep pass, as far as the landmarks and the events tell."""
    marks = look.landmarks
    seen = np.flatnonzero(marks.found)
    frame, t_s = marks.frame[seen], marks.t_s[seen]
    shown = [moments_of(ball, frame, t_s) for ball in shown_deliveries(document.metrics.deliveries)] if len(seen) else []
    shown = [moments for moments in shown if moments]
    exchanged = swapped_landmarks(marks) if shown else None
    drawn = [[_landmarks_at(marks, exchanged, seen, moment) for moment in moments] for moments in shown]
    told = mark(
        [
            (moment.delivery, moment.event, moment.frame, xy)
            for moments, bodies in zip(shown, drawn, strict=True)
            for moment, (xy, _) in zip(moments, bodies, strict=True)
        ]
    )
    return PlannedStrip(shown, drawn, told, len(document.metrics.deliveries))


def moments_strip(work: Work, planned: PlannedStrip, footage: Footage | None, stored: bytes | None = None) -> bytes:
    """The strip of a deep pass as PNG.

    Args:
        planned: `planned_strip`.
        footage: None where nothing is decoded, after a change of rules: then the stored strip is given back if it shows the same moments
            of the same body, else the figures are drawn on a plain ground, for a picture must not claim to show another moment.
        stored: the strip of the attempt that looked.

    Raises CricksyError as `pose.read_stills`.
    """
    if footage is None and stored is not None and mark_of(stored) == planned.told:
        return stored
    return strip_png(_rows(work, footage, planned), planned.told)


def _rows(work: Work, footage: Footage | None, planned: PlannedStrip) -> list[Row]:
    info = work.index.info
    short = _short_side(min(info.width, info.height), [xy for bodies in planned.drawn for xy, _ in bodies])
    scale = short / min(info.width, info.height)
    pixels = info.width * info.height * scale**2
    images = _images(work, footage, planned.shown, short, int(MOST_PIXELS / pixels))
    rows = []
    for moments, bodies in zip(planned.shown, planned.drawn, strict=True):
        stills = [
            Still(moment.event, moment.t_s, moment.sigma_s, next(images), xy * (scale if footage else 1.0), visibility)
            for moment, (xy, visibility) in zip(moments, bodies, strict=True)
        ]
        rows.append(Row(f"Ball {moments[0].delivery} of {planned.balls}", tuple(stills)))
    return rows


def _images(
    work: Work, footage: Footage | None, shown: Sequence[Sequence[Moment]], short_side: int, at_once: int
) -> Iterator[np.ndarray | None]:
    """The pictures one after the other; whole balls are read together, since their stills lie in one or two groups of pictures."""
    balls = [np.array([moment.frame for moment in moments]) for moments in shown]
    if footage is None or not balls:
        return iter([None] * sum(map(len, balls)))
    together = max(1, min(ceil(len(balls) / READINGS), at_once // max(map(len, balls))))
    parts = [np.concatenate(balls[start : start + together]) for start in range(0, len(balls), together)]

    def read(frames: np.ndarray) -> list[np.ndarray]:
        return read_stills(footage.video, work.index, frames, short_side=short_side, children=footage.children)

    with ThreadPoolExecutor(READINGS, thread_name_prefix="stills") as beside:
        return chain.from_iterable(beside.map(read, parts))


def _short_side(native: int, bodies: Sequence[np.ndarray]) -> int:
    """As many pixels as the stills need, no more: the player is drawn about as tall as a still."""
    tall = [np.nanmax(xy[:, 1]) - np.nanmin(xy[:, 1]) for xy in bodies if np.isfinite(xy).any()]
    wanted = native * TILE_HEIGHT / max(float(np.median(tall)), 1.0) if tall else native
    return int(min(native, MOST_SHORT_SIDE, max(wanted, 64)))


def _landmarks_at(marks: Landmarks, exchanged: np.ndarray, seen: np.ndarray, moment: Moment) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks and visibility of the frame that a still shows, sides put back; NaN where the player was not found in it or near it.

    Args:
        exchanged: `swapped_landmarks` of all of them: one frame alone does not tell.
        seen: (k,) rows in which he was found.
    """
    at = seen[np.argmin(np.abs(marks.frame[seen] - moment.frame))]
    if marks.frame[at] != moment.frame and abs(float(marks.t_s[at]) - moment.t_s) > NEAREST_S:
        return np.full((33, 2), np.nan), np.full(33, np.nan)
    body = repaired(marks.select(np.array([at])), exchanged=exchanged[[at]])
    return body.xy[0].astype(np.float64), body.visibility[0]
