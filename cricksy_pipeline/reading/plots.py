"""Quantities over time as pictures: an inline SVG for the report, a PNG of small multiples and a sparkline for the Dagster UI.

Belongs here: drawing what the documents hold. Does not belong here: any computation on it beyond thinning what cannot be seen.
The SVG is written by hand so that it takes its colours from the page (light, dark, print) and stays a few kilobytes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from cricksy_pipeline.analysis.documents import Band, Event, MetricsBlock, Series
from cricksy_pipeline.reading.axes import Scale, padded_range, ticks
from cricksy_pipeline.reading.notation import clock, number, unit_name, words

WIDTH, HEIGHT = 440, 216
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 52, 34
MAX_POINTS = 600
LABEL_ROWS = 3
_CHAR_WIDTH = 5.6  # of the 11-unit label font: measured on the widest of the usual system fonts, a little generous
_SPARK_POINTS = 36


def thinned(t_s: Sequence[float], value: Sequence[float | None], most: int = MAX_POINTS) -> list[tuple[float, float | None]]:
    """At most about `most` points that draw the same line: per stretch of time its lowest and highest, and its gaps.

    Args:
        t_s: seconds, increasing, shape (n,).
        value: shape (n,), None where unread.
    """
    points = list(zip(t_s, value, strict=True))
    if len(points) <= most:
        return points
    kept: list[tuple[float, float | None]] = []
    buckets = max(1, most // 3)
    for i in range(buckets):
        part = points[i * len(points) // buckets : (i + 1) * len(points) // buckets]
        read = [p for p in part if p[1] is not None]
        chosen = {min(read, key=lambda p: p[1]), max(read, key=lambda p: p[1])} if read else set()
        gap = next((p for p in part if p[1] is None), None)
        kept.extend(sorted(chosen | ({gap} if gap else set()), key=lambda p: p[0]))
    return kept


def _line_path(points: Sequence[tuple[float, float | None]], x: Scale, y: Scale) -> str:
    """SVG path data; a gap ends the line, a lonely point becomes a dot (round caps on a line of no length)."""
    parts: list[str] = []
    pen_down = False
    for t, v in points:
        if v is None:
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{x(t):.1f} {y(v):.1f}{'' if pen_down else 'h0'}")
        pen_down = True
    return "".join(parts)


def _grid(x: Scale, y: Scale, unit: str) -> Markup:
    parts: list[Markup] = []
    y_ticks, places = ticks(y.low, y.high, 4)
    for v in y_ticks:
        parts.append(Markup('<path class="grid" d="M{} {:.1f}H{}" stroke="currentColor" stroke-opacity=".12"/>').format(LEFT, y(v), WIDTH - RIGHT))
        parts.append(Markup('<text class="quiet" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(LEFT - 6, y(v) + 4, number(v, places)))
    x_ticks, places = ticks(x.low, x.high, 6)
    for v in x_ticks:
        parts.append(Markup('<path class="tick" d="M{:.1f} {}v4" stroke="currentColor" stroke-opacity=".5"/>').format(x(v), HEIGHT - BOTTOM))
        parts.append(Markup('<text class="quiet" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(x(v), HEIGHT - BOTTOM + 17, number(v, places)))
    parts.append(Markup('<path class="axis" d="M{} {}H{}" stroke="currentColor" stroke-opacity=".5"/>').format(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT))
    parts.append(Markup('<text class="quiet" x="{}" y="{}" text-anchor="end">seconds</text>').format(WIDTH - RIGHT, HEIGHT - 3))
    if unit_name(unit):
        parts.append(Markup('<text class="quiet" x="2" y="{}">{}</text>').format(TOP - 10, unit_name(unit)))
    return Markup("").join(parts)


def _event_marks(events: Sequence[Event], x: Scale) -> Markup:
    """A dashed line per event; its name above the plot, in the first of three rows with room, else only on hover."""
    lines: list[Markup] = []
    labels: list[Markup] = []
    row_ends = [float("-inf")] * LABEL_ROWS
    for event in sorted(events, key=lambda e: e.t_s):
        if not x.low <= event.t_s <= x.high:
            continue
        at, name, top = x(event.t_s), words(event.name), TOP
        width = len(name) * _CHAR_WIDTH
        left = min(max(at - width / 2, LEFT + 4), WIDTH - RIGHT - width)
        row = next((i for i, end in enumerate(row_ends) if left > end + 8), None)
        if row is not None:
            row_ends[row] = left + width
            top = 14 + row * 13
            labels.append(Markup('<text class="event-label" x="{:.1f}" y="{}">{}</text>').format(left, top - 3, name))
        lines.append(Markup('<path class="event" d="M{:.1f} {}V{}" stroke="currentColor" stroke-opacity=".55" stroke-dasharray="3 3"><title>{} at {}</title></path>').format(
            at, top, HEIGHT - BOTTOM, name, clock(event.t_s)))  # fmt: skip
    # Labels last: the page gives them a halo, so that no line runs through a word.
    return Markup("").join([*lines, *labels])


def _band_rect(band: Band, y: Scale) -> Markup:
    top = y.end if band.high is None else y.inside(band.high)
    bottom = y.start if band.low is None else y.inside(band.low)
    return Markup('<rect class="band" x="{}" y="{:.1f}" width="{}" height="{:.1f}" fill="#2f7d55" fill-opacity=".16"/>').format(
        LEFT, top, WIDTH - LEFT - RIGHT, max(bottom - top, 0)
    )


def series_svg(series: Series, events: Sequence[Event] = (), band: Band | None = None) -> Markup:
    """One series over time as safe inline SVG: axes in seconds and in the series' unit, the band shaded, events marked and named.

    Args:
        series: drawn with gaps where it is null.
        events: only those within the series' time are drawn.
        band: in the series' unit; the caller leaves it out where the metric's unit is another.

    Returns:
        Markup of a few kilobytes, 440 by 216 units, coloured by `currentColor` and the page's classes, with a text alternative.
        A series with nothing read in it gives a short note instead of an empty frame.
    """
    read = [v for v in series.value if v is not None]
    if not read:
        return Markup('<p class="empty-plot">{}: nothing could be read over time.</p>').format(series.label)
    limits = [] if band is None else [end for end in (band.low, band.high) if end is not None]
    x = Scale(*padded_range(series.t_s, 0.01), LEFT, WIDTH - RIGHT)
    y = Scale(*padded_range([*read, *limits]), HEIGHT - BOTTOM, TOP)
    spoken = f"{series.label} from {clock(series.t_s[0])} to {clock(series.t_s[-1])}, between {min(read):.4g} and {max(read):.4g} {unit_name(series.unit)}"
    return Markup("").join(
        [
            Markup('<svg class="series" viewBox="0 0 {} {}" role="img" aria-label="{}" font-size="11" xmlns="http://www.w3.org/2000/svg">').format(
                WIDTH, HEIGHT, spoken.strip()),
            _band_rect(band, y) if band is not None else Markup(""),
            _grid(x, y, series.unit),
            _event_marks(events, x),
            Markup('<path class="line" d="{}" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/>').format(
                _line_path(thinned(series.t_s, series.value), x, y)),
            Markup("</svg>"),
        ]
    )  # fmt: skip


def band_of(block: MetricsBlock, series_name: str) -> Band | None:
    """The band to shade behind a series: that of the first metric read from it, if both are in the same unit."""
    unit = block.series[series_name].unit
    return next((m.band for m in block.metrics.values() if m.series == series_name and m.band is not None and m.unit == unit), None)


def sparkline_svg_data_uri(values: Sequence[float | None]) -> str:
    """A line of at most 36 points as a data address under 600 bytes, for markdown in Dagster metadata; gaps where a value is None."""
    n = len(values)
    count = min(n, _SPARK_POINTS)
    chosen = [values[i * (n - 1) // max(count - 1, 1)] for i in range(count)]
    read = [v for v in chosen if v is not None]
    path = ""
    if read:
        x = Scale(0, max(count - 1, 1), 1, 99)
        y = Scale(*padded_range(read), 19, 1)
        pen_down = False
        for i, v in enumerate(chosen):
            if v is not None:
                path += f"{'L' if pen_down else 'M'}{x(i):.0f} {y(v):.0f}"
            pen_down = v is not None
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 20"><path fill="none" stroke="#2f7d55" d="{path}"/></svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _draw_panel(axis: Any, series: Series, band: Band | None, events: Sequence[Event]) -> None:
    if band is not None:
        bottom, top = padded_range([v for v in [*series.value, band.low, band.high] if v is not None])
        axis.set_ylim(bottom, top)
        axis.axhspan(bottom if band.low is None else band.low, top if band.high is None else band.high, color="#2f7d55", alpha=0.15, lw=0)
    axis.plot(series.t_s, [float("nan") if v is None else v for v in series.value], color="#1c2a23", lw=1.3)
    for event in events:
        axis.axvline(event.t_s, color="#a8323a", lw=0.8, ls=(0, (3, 3)))
        if len(events) <= 8:
            axis.annotate(words(event.name), (event.t_s, 1), xycoords=("data", "axes fraction"), xytext=(2, -2),
                          textcoords="offset points", rotation=90, va="top", fontsize=6.5, color="#a8323a")  # fmt: skip
    axis.set_title(f"{series.label} ({unit_name(series.unit)})" if unit_name(series.unit) else series.label, fontsize=9, loc="left")
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)
    axis.margins(x=0.01)


def metrics_png(block: MetricsBlock) -> bytes:
    """All series of a results document as small multiples, one PNG 1000 pixels wide, for the Dagster UI.

    Where nothing was read over time, the picture says so and gives the reasons.
    """
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [(name, s) for name, s in block.series.items() if any(v is not None for v in s.value)]
    rows = max(1, (len(shown) + 1) // 2)
    figure = Figure(figsize=(10, 2.3 * rows if shown else 1.6), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    events = [event for delivery in block.deliveries for event in delivery.events]
    for i, (name, series) in enumerate(shown):
        _draw_panel(figure.add_subplot(rows, 2, i + 1), series, band_of(block, name), events)
    if not shown:
        reasons = list(dict.fromkeys(m.reason for m in block.metrics.values() if m.reason))[:4]
        figure.text(0.02, 0.9, "\n".join(["Nothing could be read over time.", *reasons]), va="top", fontsize=10, color="#1c2a23", wrap=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
