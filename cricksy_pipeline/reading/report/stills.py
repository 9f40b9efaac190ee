"""The single stills of each ball, with the words for them, out of the strip that the deep pass stored.

Belongs here: which still of the strip shows which event. Does not belong here: which moments a strip shows (`analysis.moments`), its
drawing and its shape (`drawing.strips`), the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.metrics.uncertainty import Z95
from cricksy_pipeline.analysis.moments import Moment, moments_of, shown_deliveries
from cricksy_pipeline.reading.drawing.strips import cut_tiles
from cricksy_pipeline.reading.notation import time_with_interval, words

Key = tuple[int, str]
"""A ball, 1 for the first, and the name of an event of it, or `before`, `after`."""


@dataclass(frozen=True)
class Caption:
    """The words for one still: what, and when with its 95 % interval; empty for before and after."""

    key: Key
    name: str
    when: str


@dataclass(frozen=True)
class Stills:
    """The stills of a clip.

    Attributes:
        rows: per ball, its number and its captions in time order.
        pictures: JPEG by key.
    """

    rows: tuple[tuple[int, tuple[Caption, ...]], ...] = ()
    pictures: Mapping[Key, bytes] = field(default_factory=dict)


def cut_stills(strip_png: bytes | None, landmarks: Landmarks, results: AnalysisResults) -> Stills:
    """The stills that a stored strip holds. None at all where there is no strip, or one of other moments than these documents'.

    Args:
        landmarks: of the deep pass, as stored: the frames that were looked at decide which is shown before and after a ball.
    """
    seen = landmarks.found
    if strip_png is None or not seen.any():
        return Stills()
    shown = [moments_of(ball, landmarks.frame[seen], landmarks.t_s[seen]) for ball in shown_deliveries(results.metrics.deliveries)]
    shown = [moments for moments in shown if moments]
    tiles = cut_tiles(strip_png, [len(moments) for moments in shown])
    if tiles is None:
        return Stills()
    return Stills(
        rows=tuple((moments[0].delivery, tuple(_caption(moment) for moment in moments)) for moments in shown),
        pictures={
            (moment.delivery, moment.event): tile
            for moments, cut in zip(shown, tiles, strict=True)
            for moment, tile in zip(moments, cut, strict=True)
        },
    )


def _caption(moment: Moment) -> Caption:
    # Before and after are frames that happen to have been looked at: their times are in no document, and a report says none such.
    when = "" if moment.sigma_s is None else time_with_interval(moment.t_s, Z95 * moment.sigma_s)
    return Caption((moment.delivery, moment.event), words(moment.event), when)
