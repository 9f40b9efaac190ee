"""The true values of the technique metrics at the true event times, from projected truth pixels.

Belongs here: going through the deliveries of a clip and asking the discipline's own module (`true_batting` and its neighbours).
Does not belong here: bands and findings (those are judgements), or the estimation of any of this from a video (`analysis.metrics`).

A true value is what a camera sees that stands still in the view's own place (`filming.from_its_place`): what a walk round the player, a
height, a pan or a shake does to the picture is an error of measurement, not of the player. A value that needs the line of play (or the off
side) to lie across the picture is None where the clip's own camera is more than about 30 degrees off.
"""

from __future__ import annotations

from collections.abc import Callable

from cricksy_pipeline.sample.filming import from_its_place
from cricksy_pipeline.sample.instants import instant
from cricksy_pipeline.sample.spec import ClipSpec
from cricksy_pipeline.sample.true_batting import true_batting
from cricksy_pipeline.sample.true_bowling import true_bowling
from cricksy_pipeline.sample.true_fielding import true_catch, true_throw
from cricksy_pipeline.sample.true_keeping import true_keeping
from cricksy_pipeline.sample.truth import is_somebody, whole_deliveries

_Row = dict[str, float | None]
_OF_MOTION: dict[str, Callable[[ClipSpec, dict[str, float]], _Row]] = {
    "drive": true_batting,
    "bowl": true_bowling,
    "keep": true_keeping,
    "throw": true_throw,
    "catch": true_catch,
}
_ANY_VIEW = frozenset({"B5T", "B8", "W4", "W4B", "K1", "F4"})
"""Durations: true from wherever they are filmed."""


def true_metrics(spec: ClipSpec) -> dict[str, list[float | None]]:
    """Code -> one value per delivery whose events all lie inside the clip. {} where there is none or nobody plays."""
    if not is_somebody(spec):
        return {}
    rows = [_row(spec, at) for at in whole_deliveries(spec)]
    return {code: [row[code] for row in rows] for code in (rows[0] if rows else {})}


def _row(spec: ClipSpec, at: dict[str, float]) -> _Row:
    ideal = from_its_place(spec)
    row = _OF_MOTION[spec.motion](ideal, at)
    as_filmed, as_meant = (instant(s, max(at.values())) for s in (spec, ideal))
    same = (as_filmed.shows_play, as_filmed.shows_off) == (as_meant.shows_play, as_meant.shows_off)
    return row if same else {code: value if code in _ANY_VIEW else None for code, value in row.items()}
