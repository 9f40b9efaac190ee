"""The drawings of the accuracy page.

Belongs here: one function per picture, from the measured tables to an SVG file. Does not belong here: statistics, words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from cricksy_pipeline_tests.truth.tables import proportion_interval

GREEN, RED, BLUE, GREY = "#2f7d55", "#a8323a", "#2a5d9c", "#888888"
Draw = Callable[[dict[str, Any], list[dict[str, str]], Path], None]


def _figure(width: float, height: float) -> Any:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    """The same data give the same file."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "cricksy", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(path, format="svg", metadata={"Date": None})


def coverage(told: dict[str, Any], values: list[dict[str, str]], path: Path) -> None:
    """Share of truths inside the printed interval with its own 95 % interval; between the lines is what is promised."""
    rows = [a for a in told["accuracy"] if a["n"] >= 8][::-1]
    figure = _figure(8, 1.2 + 0.2 * len(rows))
    axes = figure.add_subplot()
    axes.axvspan(93, 97, color=GREEN, alpha=0.18, lw=0)
    for y, a in enumerate(rows):
        low, high = proportion_interval(a["inside"], a["n"])
        colour = RED if high < 0.93 else BLUE if low > 0.97 else GREEN
        axes.plot([100 * low, 100 * high], [y, y], color=colour, lw=1.5)
        axes.plot(100 * a["coverage"], y, "o", color=colour, ms=4)
    axes.set_yticks(range(len(rows)), [f"{a['code']} {a['view']} (n {a['n']})" for a in rows], fontsize=8)
    axes.set_xlabel(
        "held-out truths inside the printed 95 % interval, % (bar: exact 95 % interval of that share; band: 93 to 97 %)", fontsize=8
    )
    axes.set_xlim(40, 101)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.grid(axis="x", alpha=0.3)
    _save(figure, path)


def errors(told: dict[str, Any], values: list[dict[str, str]], path: Path) -> None:
    """Every held-out error over the half width of its printed interval: between -1 and 1 the interval held the truth."""
    grouped: dict[tuple[str, str], list[float]] = defaultdict(list)
    for v in values:
        half = (float(v["high"]) - float(v["low"])) / 2
        if v["half"] == "held out" and half > 0:
            grouped[v["code"], v["view"]].append((float(v["measured"]) - float(v["true"])) / half)
    keys = sorted(key for key, found in grouped.items() if len(found) >= 8)[::-1]
    figure = _figure(8, 1.2 + 0.2 * len(keys))
    axes = figure.add_subplot()
    axes.axvspan(-1, 1, color=GREEN, alpha=0.12, lw=0)
    for y, key in enumerate(keys):
        found = np.clip(grouped[key], -3, 3)
        axes.plot(found, y + np.linspace(-0.25, 0.25, len(found)), ".", color=BLUE, ms=3, alpha=0.6)
        axes.plot(np.mean(grouped[key]), y, "|", color=RED, ms=12, mew=2)
    axes.set_yticks(range(len(keys)), [f"{code} {view}" for code, view in keys], fontsize=8)
    axes.set_xlabel("error over the half width of the printed 95 % interval (red: mean; beyond 3 drawn at 3)", fontsize=8)
    axes.set_xlim(-3.1, 3.1)
    axes.set_ylim(-0.8, len(keys) - 0.2)
    axes.grid(axis="x", alpha=0.3)
    _save(figure, path)


def scatter(told: dict[str, Any], values: list[dict[str, str]], path: Path) -> None:
    """Measured against true, held out, for every metric that was judged in any clip."""
    judged = sorted({r["code"] for r in told["detectable"] if r["fault"] is not None})
    shown = [code for code in judged if sum(v["code"] == code and v["half"] == "held out" for v in values) >= 8]
    columns = 4
    lines = max(1, -(-len(shown) // columns))
    figure = _figure(9, 2.3 * lines)
    for number, code in enumerate(shown):
        axes = figure.add_subplot(lines, columns, number + 1)
        for group, colour in (("correct", BLUE), ("fault", RED)):
            held = [v for v in values if v["code"] == code and v["half"] == "held out"]
            mine = [v for v in held if (v["group"] == "fault") == (group == "fault")]
            axes.plot([float(v["true"]) for v in mine], [float(v["measured"]) for v in mine], ".", color=colour, ms=4, alpha=0.7)
        ends = [*axes.get_xlim(), *axes.get_ylim()]
        axes.plot([min(ends), max(ends)], [min(ends), max(ends)], color=GREY, lw=0.8)
        axes.set_title(code, fontsize=9)
        axes.tick_params(labelsize=7)
    figure.supxlabel("true (red: with a fault)", fontsize=8)
    figure.supylabel("measured", fontsize=8)
    _save(figure, path)


def events(told: dict[str, Any], values: list[dict[str, str]], path: Path) -> None:
    """Mean error of each event with its spread, by rate."""
    rows = [e for e in told["events"] if e["n"] >= 5][::-1]
    figure = _figure(8, 1.2 + 0.22 * len(rows))
    axes = figure.add_subplot()
    axes.axvline(0, color=GREY, lw=0.8)
    for y, e in enumerate(rows):
        colour = BLUE if e["rate"].startswith("50") else RED
        axes.plot([-1.96 * e["sigma_ms"], 1.96 * e["sigma_ms"]], [y, y], color=GREEN, alpha=0.25, lw=6, solid_capstyle="butt")
        axes.errorbar(e["bias_ms"], y, xerr=e["spread_ms"] or 0, fmt="o", color=colour, ms=4, lw=1.5)
    axes.set_yticks(range(len(rows)), [f"{e['motion']} {e['event']}, {e['rate']}/s (n {e['n']})" for e in rows], fontsize=8)
    axes.set_xlabel("found minus true, ms: mean and spread (green: 1.96 printed sigma either way)", fontsize=8)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.grid(axis="x", alpha=0.3)
    _save(figure, path)


def sensitivity(told: dict[str, Any], values: list[dict[str, str]], path: Path) -> None:
    """Share of faults found by true size, in printed detectable sizes."""
    rows = [r for r in told["sensitivity"] if r["sizes"] is not None]
    edges = (0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 99)
    figure = _figure(7, 3.2)
    axes = figure.add_subplot()
    axes.axhline(90, color=GREEN, lw=1, ls="--")
    axes.axvline(1, color=GREEN, lw=1, ls="--")
    for low, high in pairwise(edges):
        mine = [r for r in rows if low <= r["sizes"] < high]
        if mine:
            at, found = float(np.mean([r["sizes"] for r in mine])), sum(r["found"] for r in mine)
            ends = proportion_interval(found, len(mine))
            axes.plot([at, at], [100 * ends[0], 100 * ends[1]], color=BLUE, lw=1.5)
            axes.plot(at, 100 * found / len(mine), "o", color=BLUE, ms=5)
            axes.annotate(f"n {len(mine)}", (at, 100 * found / len(mine)), textcoords="offset points", xytext=(6, 2), fontsize=7)
    axes.set_xlabel("true distance outside the band, in printed detectable sizes", fontsize=8)
    axes.set_ylabel("became a finding, %", fontsize=8)
    axes.set_ylim(-3, 103)
    axes.grid(alpha=0.3)
    _save(figure, path)


PLOTS: dict[str, Draw] = {
    "coverage": coverage,
    "errors": errors,
    "scatter": scatter,
    "events": events,
    "sensitivity": sensitivity,
}
"""File name -> how it is drawn."""
