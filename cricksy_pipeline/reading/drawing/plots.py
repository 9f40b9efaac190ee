"""Quantities over time as pictures: an inline SVG for the report, a PNG of small multiples and a sparkline for the Dagster UI.

Belongs here: drawing what the documents hold. Does not belong here: any computation on it beyond thinning what cannot be seen.
The SVG is written by hand so that it takes its colours from the page (light, dark, print) and stays a few kilobytes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from cricksy_pipeline.analysis.documents import Event, MetricsBlock, Series
from cricksy_pipeline.reading.drawing.axes import Scale, padded_range, ticks
from cricksy_pipeline.reading.drawing.broken_time import BrokenTime, stretches
from cricksy_pipeline.reading.drawing.svg import NAMESPACE, drawing, element
from cricksy_pipeline.reading.notation import clock, number, plain_number, unit_name, words
from cricksy_pipeline.reading.report.judged import Judged, judged_on

WIDTH, HEIGHT = 440, 216
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 52, 34
GREEN, INK = "#2f7d55", "#1c2a23"
"""Fallbacks where no page gives its own colours."""
STRIP = 16
"""Width of a band's strip in drawing units: it stands for a moment, not for a stretch of time."""
MAX_POINTS = 600
LABEL_ROWS = 3
_CHAR_WIDTH = 5.6  # of the 11-unit label font: measured on the widest of the usual system fonts, a little generous
_SPARK_POINTS = 36
EVENT_MARKS = (("#a8323a", (0, (4, 2))), ("#2a5d9c", (0, (1, 1.5))), ("#b36b00", "-"), ("#6b3fa0", (0, (6, 2, 1, 2))))
"""Colour and dashes by turns, so that neither alone has to tell two events apart."""


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
    y_ticks, places = ticks(y.low, y.high, 5)
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


def _good_range(judged: Sequence[Judged], x: BrokenTime, y: Scale) -> tuple[list[Markup], list[Markup]]:
    """The bands as green strips at the moments they are for, and the readings as dots."""
    strips: list[Markup] = []
    dots: list[Markup] = []
    for one in judged:
        top = y.end if one.band.high is None else y.inside(one.band.high)
        bottom = y.start if one.band.low is None else y.inside(one.band.low)
        for t_s, value in one.readings:
            at = x(t_s)
            if at is None:
                continue
            place = {"x": at - STRIP / 2, "y": top, "width": STRIP, "height": max(bottom - top, 0.0)}
            strips.append(element("rect", cls="band", **place, fill=GREEN, fill_opacity=0.3))
            dots.append(element("circle", cls="reading", cx=at, cy=y(value), r=3.5, fill="currentColor"))
    return strips, dots


def _limits(judged: Sequence[Judged]) -> list[float]:
    """Every end of the bands, and every reading: what the value axis must reach."""
    ends = [end for one in judged for end in (one.band.low, one.band.high) if end is not None]
    return [*ends, *(value for one in judged for _, value in one.readings)]


def series_svg(series: Series, events: Sequence[Event] = (), judged: Sequence[Judged] = ()) -> Markup:
    """One series over time as safe inline SVG: axes in seconds and in the series' unit, events marked and named.

    Long stretches without samples are left out of the time axis, which then shows when each stretch begins.

    Args:
        series: drawn with gaps where it is null.
        events: only those within the series' time are drawn.
        judged: bands in the series' unit, drawn at the moments they are for, with the readings.

    Returns:
        Markup of a few kilobytes, 440 by 216 units, coloured by `currentColor` and the page's classes, with a text alternative.
        A series with nothing read in it gives a short note instead of an empty frame.
    """
    read = [v for v in series.value if v is not None]
    if not read:
        return Markup('<p class="empty-plot">{}: nothing could be read over time.</p>').format(series.label)
    x = BrokenTime.over(series.t_s, LEFT + 4, WIDTH - RIGHT - 4)
    y = Scale(*padded_range([*read, *_limits(judged)]), HEIGHT - BOTTOM, TOP)
    span = f"{series.label} from {clock(series.t_s[0])} to {clock(series.t_s[-1])}"
    spoken = f"{span}, between {plain_number(min(read))} and {plain_number(max(read))} {unit_name(series.unit)}".strip()
    curve = _line_path(thinned(parted(series.t_s, series.value)), x, y)
    style = {"fill": "none", "stroke": "currentColor", "stroke_width": 2, "stroke_linejoin": "round", "stroke_linecap": "round"}
    strips, dots = _good_range(judged, x, y)
    parts = [
        *strips,
        *_grid(x, y, series.unit),
        *_event_marks(events, x),
        element("path", cls="line", d=curve, **style),
        *dots,
    ]
    return drawing(WIDTH, HEIGHT, spoken, parts, cls="series", font_size=11)


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


def _place_events(axis: Any, events: Sequence[Event], x: BrokenTime, marks: dict[str, tuple[str, Any]]) -> None:
    # One artist per kind of mark: each costs matplotlib a millisecond, and a session of 24 balls has 72 events in each panel.
    for name, (color, dashes) in marks.items():
        at = [place for event in events if event.name == name and (place := x(event.t_s)) is not None]
        axis.vlines(at, 0, 1, transform=axis.get_xaxis_transform(), color=color, lw=1.1, ls=dashes, zorder=2)


def _place_bands(axis: Any, judged: Sequence[Judged], x: BrokenTime, y: tuple[float, float]) -> None:
    from matplotlib.collections import PolyCollection

    for one in judged:
        low, high = (inner if end is None else end for inner, end in zip(y, (one.band.low, one.band.high), strict=True))
        read = [(place, value) for t_s, value in one.readings if (place := x(t_s)) is not None]
        strips = [[(at - STRIP / 2, low), (at + STRIP / 2, low), (at + STRIP / 2, high), (at - STRIP / 2, high)] for at, _ in read]
        axis.add_collection(PolyCollection(strips, color=GREEN, alpha=0.3, lw=0))
        axis.plot([at for at, _ in read], [value for _, value in read], "o", color=INK, ms=4, zorder=3)


def _draw_panel(axis: Any, series: Series, judged: Sequence[Judged], events: Sequence[Event], marks: dict[str, tuple[str, Any]]) -> None:
    x = BrokenTime.over(series.t_s, 0, WIDTH)
    y = padded_range([*(v for v in series.value if v is not None), *_limits(judged)])
    _place_bands(axis, judged, x, y)
    _place_events(axis, events, x, marks)
    nowhere = float("nan")
    at, values = [], []
    for part, (first, last) in zip(x.parts, stretches(series.t_s), strict=True):
        at += [*(part(t) for t in series.t_s[first : last + 1]), nowhere]
        values += [*(nowhere if v is None else v for v in series.value[first : last + 1]), nowhere]
    axis.plot(at, values, color=INK, lw=1.4)
    axis.hlines([y[0]] * len(x.parts), [part.start for part in x.parts], [part.end for part in x.parts], color=INK, lw=1.6)
    axis.set_ylim(*y)
    axis.set_xticks(*zip(*_time_ticks(x), strict=True))
    axis.set_title(f"{series.label} ({unit_name(series.unit)})" if unit_name(series.unit) else series.label, fontsize=9, loc="left")
    axis.set_xlabel("seconds", fontsize=7, loc="right", labelpad=1)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right", "bottom"]].set_visible(False)
    axis.margins(x=0.01)


def _legend(figure: Any, marks: dict[str, tuple[str, Any]], judging: bool) -> None:
    """What the lines mean, once for all panels: written at every line, the names of events a tenth of a second apart cover each other."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [Line2D([], [], color=color, ls=dashes, lw=1.4, label=words(name)) for name, (color, dashes) in marks.items()]
    if judging:
        handles.append(Patch(color=GREEN, alpha=0.3, lw=0, label="good range, at the moment it is for"))
        handles.append(Line2D([], [], marker="o", ls="", ms=4, color=INK, label="reading"))
    if handles:
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles), fontsize=8, frameon=False, handlelength=2.6)


def metrics_png(block: MetricsBlock) -> bytes:
    """All series of a results document as small multiples, one PNG 1000 pixels wide, for the Dagster UI.

    Where nothing was read over time, the picture says so and gives the reasons.
    """
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [(s, judged_on(block, name)) for name, s in block.series.items() if any(v is not None for v in s.value)]
    rows = max(1, (len(shown) + 1) // 2)
    figure = Figure(figsize=(10, 0.35 + 2.1 * rows if shown else 1.6), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    events = [event for delivery in block.deliveries for event in delivery.events]
    names = dict.fromkeys(event.name for event in events)
    marks = {name: EVENT_MARKS[i % len(EVENT_MARKS)] for i, name in enumerate(names)}
    for i, (series, judged) in enumerate(shown):
        _draw_panel(figure.add_subplot(rows, 2, i + 1), series, judged, events, marks)
    if shown:
        _legend(figure, marks, any(judged for _, judged in shown))
        # Laid out once and for all: a figure that still has its layout before it is drawn twice, the first time for nothing.
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine(None)
    else:
        reasons = list(dict.fromkeys(m.reason for m in block.metrics.values() if m.reason))[:4]
        figure.text(0.02, 0.9, "\n".join(["Nothing could be read over time.", *reasons]), va="top", fontsize=10, color=INK, wrap=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
