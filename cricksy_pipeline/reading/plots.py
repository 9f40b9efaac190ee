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
from cricksy_pipeline.reading.broken_time import BrokenTime, stretches
from cricksy_pipeline.reading.notation import clock, number, plain_number, unit_name, words
from cricksy_pipeline.reading.svg import NAMESPACE, drawing, element

WIDTH, HEIGHT = 440, 216
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 52, 34
GREEN, INK, RED = "#2f7d55", "#1c2a23", "#a8323a"
"""Fallbacks where no page gives its own colours."""
MAX_POINTS = 600
LABEL_ROWS = 3
_CHAR_WIDTH = 5.6  # of the 11-unit label font: measured on the widest of the usual system fonts, a little generous
_SPARK_POINTS = 36


def parted(t_s: Sequence[float], value: Sequence[float | None]) -> list[tuple[float, float | None]]:
    """The readings in time order, with a None between two stretches of time, so that no line is drawn from one to the next.

    Args:
        t_s: seconds, increasing, shape (n,).
        value: shape (n,), None where unread.
    """
    points: list[tuple[float, float | None]] = []
    for first, last in stretches(t_s):
        points.extend(zip(t_s[first : last + 1], value[first : last + 1], strict=True))
        points.append((t_s[last], None))
    return points[:-1]


def thinned(points: Sequence[tuple[float, float | None]], most: int = MAX_POINTS) -> list[tuple[float, float | None]]:
    """At most about `most` of the (seconds, value) points that draw the same line: by turns the lowest and highest, and the gaps."""
    if len(points) <= most:
        return list(points)
    kept: list[tuple[float, float | None]] = []
    buckets = max(1, most // 3)
    for i in range(buckets):
        part = range(i * len(points) // buckets, (i + 1) * len(points) // buckets)
        read = [j for j in part if points[j][1] is not None]
        chosen = {min(read, key=lambda j: points[j][1]), max(read, key=lambda j: points[j][1])} if read else set()
        gap = next((j for j in part if points[j][1] is None), None)
        kept.extend(points[j] for j in sorted(chosen if gap is None else chosen | {gap}))
    return kept


def _line_path(points: Sequence[tuple[float, float | None]], x: BrokenTime, y: Scale) -> str:
    """SVG path data; a gap ends the line, a lonely point becomes a dot (round caps on a line of no length)."""
    parts: list[str] = []
    pen_down = False
    for t, v in points:
        at = x(t)
        if v is None or at is None:
            pen_down = False
            continue
        parts.append(f"{'L' if pen_down else 'M'}{at:.1f} {y(v):.1f}{'' if pen_down else 'h0'}")
        pen_down = True
    return "".join(parts)


def _time_ticks(x: BrokenTime) -> list[tuple[float, str]]:
    """(drawing position, seconds as text). One stretch: round numbers; several: the start of each, where its label has room."""
    if len(x.parts) == 1:
        found, places = ticks(x.parts[0].low, x.parts[0].high, 6)
        return [(x.parts[0](v), number(v, places)) for v in found]
    shown: list[tuple[float, str]] = []
    for part in x.parts:
        if not shown or part.start > shown[-1][0] + 34:
            shown.append((part.start, number(part.low, 1)))
    return shown


def _grid(x: BrokenTime, y: Scale, unit: str) -> list[Markup]:
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts: list[Markup] = []
    y_ticks, places = ticks(y.low, y.high, 4)
    for v in y_ticks:
        parts.append(element("path", cls="grid", d=f"M{LEFT} {y(v):.1f}H{right}", stroke="currentColor", stroke_opacity=0.12))
        parts.append(element("text", number(v, places), cls="quiet", x=LEFT - 6, y=y(v) + 4, text_anchor="end"))
    for at, text in _time_ticks(x):
        parts.append(element("path", cls="tick", d=f"M{at:.1f} {floor}v4", stroke="currentColor", stroke_opacity=0.5))
        parts.append(element("text", text, cls="quiet", x=at, y=floor + 17, text_anchor="middle"))
    way = "".join(f"M{part.start:.1f} {floor}H{part.end:.1f}" for part in x.parts)
    parts.append(element("path", cls="axis", d=way, stroke="currentColor", stroke_opacity=0.5))
    parts.append(element("text", "seconds", cls="quiet", x=right, y=HEIGHT - 3, text_anchor="end"))
    if unit_name(unit):
        parts.append(element("text", unit_name(unit), cls="quiet", x=2, y=TOP - 10))
    return parts


def _event_marks(events: Sequence[Event], x: BrokenTime) -> list[Markup]:
    """A dashed line per event; its name above the plot, in the first of three rows with room, else only on hover."""
    lines: list[Markup] = []
    labels: list[Markup] = []
    row_ends = [float("-inf")] * LABEL_ROWS
    for event in sorted(events, key=lambda e: e.t_s):
        at, name, top = x(event.t_s), words(event.name), TOP
        if at is None:
            continue
        width = len(name) * _CHAR_WIDTH
        left = min(max(at - width / 2, LEFT + 4), WIDTH - RIGHT - width)
        row = next((i for i, end in enumerate(row_ends) if left > end + 8), None)
        if row is not None:
            row_ends[row] = left + width
            top = 14 + row * 13
            labels.append(element("text", name, cls="event-label", x=left, y=top - 3))
        spoken = element("title", f"{name} at {clock(event.t_s)}")
        way = f"M{at:.1f} {top}V{HEIGHT - BOTTOM}"
        lines.append(element("path", [spoken], cls="event", d=way, stroke="currentColor", stroke_opacity=0.55, stroke_dasharray="3 3"))
    # Labels last: the page gives them a halo, so that no line runs through a word.
    return [*lines, *labels]


def _band_rect(band: Band, y: Scale) -> Markup:
    top = y.end if band.high is None else y.inside(band.high)
    bottom = y.start if band.low is None else y.inside(band.low)
    width, height = WIDTH - LEFT - RIGHT, max(bottom - top, 0.0)
    return element("rect", cls="band", x=LEFT, y=top, width=width, height=height, fill=GREEN, fill_opacity=0.16)


def series_svg(series: Series, events: Sequence[Event] = (), band: Band | None = None) -> Markup:
    """One series over time as safe inline SVG: axes in seconds and in the series' unit, the band shaded, events marked and named.

    Long stretches without samples are left out of the time axis, which then shows when each stretch begins.

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
    x = BrokenTime.over(series.t_s, LEFT + 4, WIDTH - RIGHT - 4)
    y = Scale(*padded_range([*read, *limits]), HEIGHT - BOTTOM, TOP)
    span = f"{series.label} from {clock(series.t_s[0])} to {clock(series.t_s[-1])}"
    spoken = f"{span}, between {plain_number(min(read))} and {plain_number(max(read))} {unit_name(series.unit)}".strip()
    curve = _line_path(thinned(parted(series.t_s, series.value)), x, y)
    style = {"fill": "none", "stroke": "currentColor", "stroke_width": 2, "stroke_linejoin": "round", "stroke_linecap": "round"}
    parts = [
        *([_band_rect(band, y)] if band is not None else []),
        *_grid(x, y, series.unit),
        *_event_marks(events, x),
        element("path", cls="line", d=curve, **style),
    ]
    return drawing(WIDTH, HEIGHT, spoken, parts, cls="series", font_size=11)


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
    svg = f'<svg xmlns="{NAMESPACE}" viewBox="0 0 100 20"><path fill="none" stroke="{GREEN}" d="{path}"/></svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _draw_panel(axis: Any, series: Series, band: Band | None, events: Sequence[Event]) -> None:
    if band is not None:
        bottom, top = padded_range([v for v in [*series.value, band.low, band.high] if v is not None])
        axis.set_ylim(bottom, top)
        axis.axhspan(bottom if band.low is None else band.low, top if band.high is None else band.high, color=GREEN, alpha=0.15, lw=0)
    times, values = zip(*parted(series.t_s, series.value), strict=True)
    axis.plot(times, [float("nan") if v is None else v for v in values], color=INK, lw=1.3)
    for event in events:
        axis.axvline(event.t_s, color=RED, lw=0.8, ls=(0, (3, 3)))
        if len(events) <= 8:
            axis.annotate(words(event.name), (event.t_s, 1), xycoords=("data", "axes fraction"), xytext=(2, -2),
                          textcoords="offset points", rotation=90, va="top", fontsize=6.5, color=RED)  # fmt: skip
    axis.set_title(f"{series.label} ({unit_name(series.unit)})" if unit_name(series.unit) else series.label, fontsize=9, loc="left")
    axis.set_xlabel("seconds", fontsize=7, loc="right", labelpad=1)
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
        figure.text(0.02, 0.9, "\n".join(["Nothing could be read over time.", *reasons]), va="top", fontsize=10, color=INK, wrap=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
