"""The range bar: one value with its uncertainty against the band that coaching calls sound, as a small inline SVG.

Belongs here: that one drawing. Does not belong here: curves over time (`plots`), rounding (`notation`).
Colours are the page's (classes), with plain fallbacks, so it follows light, dark and print.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cricksy_pipeline.reading.drawing.axes import Scale, padded_range
from cricksy_pipeline.reading.drawing.svg import drawing, element
from cricksy_pipeline.reading.notation import NBSP, band_words, decimals, half_width, number, plain_number, unit_text, value_with_interval

WIDTH, HEIGHT, HEIGHT_BARE, MARGIN = 320, 56, 22, 8
GREEN = "#2f7d55"
_SHORT_SIGNS = ("°", f"{NBSP}%")  # longer units stand in the words below the bar
_OUTSIDE, _ACROSS, _INSIDE = "outside", "across", "inside"


def standing(ci95: Sequence[float], low: float | None, high: float | None) -> str:
    """Where the 95 % interval lies: `inside` the band, `outside` it, or `across` one of its ends (cannot be told)."""
    lower, upper = float("-inf") if low is None else low, float("inf") if high is None else high
    if ci95[1] < lower or ci95[0] > upper:
        return _OUTSIDE
    return _INSIDE if lower <= ci95[0] and ci95[1] <= upper else _ACROSS


def _domain(value: float, ci95: Sequence[float], low: float | None, high: float | None, singles: Sequence[float]) -> tuple[float, float]:
    """What the bar spans: everything drawn, and beyond a one-sided band enough room to show that it goes on."""
    known = [value, *ci95, *singles, *(end for end in (low, high) if end is not None)]
    bottom, top = padded_range(known, 0.10)
    room = 0.25 * (top - bottom)
    return (bottom - room if low is None else bottom), (top + room if high is None else top)


def _anchor(x: float, room: float) -> str:
    """Where a label at `x` must be held so that it does not leave the frame."""
    return "start" if x < MARGIN + room else "end" if x > WIDTH - MARGIN - room else "middle"


def _band_parts(scale: Scale, low: float | None, high: float | None, axis: float, unit: str, labelled: bool) -> list[Markup]:
    left, right = scale.start if low is None else scale(low), scale.end if high is None else scale(high)
    parts = [element("rect", cls="band", x=left, y=axis - 6, width=right - left, height=12, rx=2, fill=GREEN, fill_opacity=0.25)]
    sign = unit_text(unit) if unit_text(unit) in _SHORT_SIGNS else ""
    for x, end in ((left, low), (right, high)):
        if end is None:
            continue
        parts.append(element("path", cls="band-end", d=f"M{x:.1f} {axis - 6}v12", stroke=GREEN, stroke_width=1.5))
        if labelled:
            text = plain_number(end) + sign
            parts.append(element("text", text, cls="quiet", x=x, y=axis + 20, text_anchor=_anchor(x, 12), font_size=11))
    return parts


def range_bar_svg(
    value: float,
    ci95: Sequence[float] | None,
    band: tuple[float | None, float | None],
    unit: str,
    *,
    per_delivery: Sequence[float] = (),
    labelled: bool = True,
) -> Markup:
    """The bar: the band as a green strip, the 95 % interval as a whisker, the value as a dot, single deliveries as faint ticks.

    Args:
        value: in `unit`.
        ci95: 95 % interval of `value`; None draws no whisker.
        band: lower and upper end in `unit`; None on a side: no limit there; (None, None): no band is drawn.
        unit: as in the metric.
        per_delivery: single values, same unit.
        labelled: with the numbers below and above it; without, a bare strip for a table cell.

    Returns:
        Safe inline SVG, 320 units wide, with a text alternative.
    """
    low, high = band
    interval = tuple(ci95) if ci95 is not None else (value, value)
    bottom, top = _domain(value, interval, low, high, per_delivery)
    scale = Scale(bottom, top, MARGIN, WIDTH - MARGIN)
    height, axis = (HEIGHT, 29) if labelled else (HEIGHT_BARE, 11)
    banded = low is not None or high is not None
    state = standing(interval, low, high) if banded else _INSIDE

    spoken = value_with_interval(value, ci95, unit) + (f"; good range {band_words(band, unit)}" if banded else "")
    parts = [element("path", cls="rail", d=f"M{MARGIN} {axis}H{WIDTH - MARGIN}", stroke="currentColor", stroke_opacity=0.25)]
    if banded:
        parts += _band_parts(scale, low, high, axis, unit, labelled)
    for single in per_delivery:
        parts.append(element("path", cls="single", d=f"M{scale(single):.1f} {axis - 3}v6", stroke="currentColor", stroke_opacity=0.4))
    if ci95 is not None:
        whisker = f"M{scale(interval[0]):.1f} {axis}H{scale(interval[1]):.1f}"
        parts.append(element("path", cls="whisker", d=whisker, stroke="currentColor", stroke_width=3, stroke_linecap="round"))
    x = scale(value)
    parts.append(element("circle", cls="value", cx=x, cy=axis, r=6 if labelled else 4.5, fill="currentColor"))
    if labelled:
        label = number(value, decimals(half_width(ci95), value))
        parts.append(element("text", label, cls="value-label", x=x, y=14, text_anchor=_anchor(x, 22), font_size=12))
    return drawing(WIDTH, height, spoken, parts, cls=f"range-bar {state}")
