"""The range bar: one value with its uncertainty against the band that coaching calls sound, as a small inline SVG.

Belongs here: that one drawing. Does not belong here: curves over time (`plots`), rounding (`notation`).
Colours are the page's (classes), with plain fallbacks, so it follows light, dark and print.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cricksy_pipeline.reading.axes import Scale, padded_range
from cricksy_pipeline.reading.notation import band_words, decimals, half_width, number, unit_text, value_with_interval

WIDTH, HEIGHT, HEIGHT_BARE, MARGIN = 320, 56, 22, 8
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


def _band_markup(scale: Scale, low: float | None, high: float | None, axis: float, unit: str, labelled: bool) -> Markup:
    left, right = scale.start if low is None else scale(low), scale.end if high is None else scale(high)
    parts = [Markup('<rect class="band" x="{:.1f}" y="{}" width="{:.1f}" height="12" rx="2" fill="#2f7d55" fill-opacity=".25"/>').format(
        left, axis - 6, right - left)]  # fmt: skip
    ends = [(x, end) for x, end in ((left, low), (right, high)) if end is not None]
    for x, end in ends:
        parts.append(Markup('<path class="band-end" d="M{0:.1f} {1}v12" stroke="#2f7d55" stroke-width="1.5"/>').format(x, axis - 6))
        if labelled:
            anchor = "start" if x < scale.start + 20 else "end" if x > scale.end - 20 else "middle"
            text = f"{end:.4g}".replace("-", "−") + (unit_text(unit) if unit_text(unit) in ("°", "\u00a0%") else "")
            parts.append(Markup('<text class="quiet" x="{:.1f}" y="{}" text-anchor="{}" font-size="11">{}</text>').format(x, axis + 20, anchor, text))
    return Markup("").join(parts)


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
    parts = [
        Markup('<svg class="range-bar {}" viewBox="0 0 {} {}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">').format(
            state, WIDTH, height, spoken),
        Markup('<path class="rail" d="M{} {}H{}" stroke="currentColor" stroke-opacity=".25"/>').format(MARGIN, axis, WIDTH - MARGIN),
    ]  # fmt: skip
    if banded:
        parts.append(_band_markup(scale, low, high, axis, unit, labelled))
    for single in per_delivery:
        parts.append(Markup('<path class="single" d="M{:.1f} {}v6" stroke="currentColor" stroke-opacity=".4"/>').format(scale(single), axis - 3))
    if ci95 is not None:
        parts.append(Markup('<path class="whisker" d="M{:.1f} {}H{:.1f}" stroke="currentColor" stroke-width="3" stroke-linecap="round"/>').format(
            scale(interval[0]), axis, scale(interval[1])))  # fmt: skip
    parts.append(Markup('<circle class="value" cx="{:.1f}" cy="{}" r="{}" fill="currentColor"/>').format(scale(value), axis, 6 if labelled else 4.5))
    if labelled:
        x = scale(value)
        anchor = "start" if x < MARGIN + 30 else "end" if x > WIDTH - MARGIN - 30 else "middle"
        label = number(value, decimals(half_width(ci95), value))
        parts.append(Markup('<text class="value-label" x="{:.1f}" y="14" text-anchor="{}" font-size="12">{}</text>').format(x, anchor, label))
    return Markup("").join(parts) + Markup("</svg>")
