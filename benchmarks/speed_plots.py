"""What `speed` measured, as two pictures: against what it is compared with, and where a run's time goes, before and now.

Belongs here: drawing. Does not belong here: figures and their meaning (`speed_page`).
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed_page import DECODE, INFERENCE, LENGTHS, PRODUCT, SEED, STRAIGHTFORWARD, Figures, cpu, wall

BEFORE = "before"
INK, BLUE, ORANGE, GREEN, GREY = "#222222", "#2b6cb0", "#dd8452", "#55a868", "#8c8c8c"
COLOURS = (
    ("quick_results: before looking", ORANGE, "who is the player"),
    ("quick_results: grid", GREEN, "quick grid"),
    ("deep_results: grid", BLUE, "deep grid"),
    ("deep_results: bursts", "#5b9bd5", "every frame around deliveries"),
    ("describing", "#c9a227", "measuring, pictures, storing"),
    ("start", GREY, "start and end of the process"),
    ("end", GREY, None),
    ("", "#4a4a4a", "index, guardrails, findings, report, completion"),
)
"""What a phase's name has in it, its colour, its name in the picture; the first that fits counts."""


def draw(record: dict[str, Any], before: Path, folder: Path) -> None:
    """Write speed.png and speed_stages.png into `folder`.

    Args:
        before: an earlier record to hold against this one, unless this one holds the product of an earlier tree itself, named "before".
    """
    import matplotlib

    matplotlib.use("Agg")
    figures = Figures(record)
    earlier = figures, BEFORE
    if not any(run["part"] == BEFORE for run in record["runs"]) and before.exists():
        earlier = Figures(json.loads(before.read_text())), PRODUCT
    _comparison(figures, *earlier, folder / "speed.png")
    _stages(figures, *earlier, folder / "speed_stages.png")


def _comparison(figures: Figures, earlier: Figures, earlier_part: str, path: Path) -> None:
    from matplotlib import pyplot

    films = [film for film in figures.films if figures.runs(film, STRAIGHTFORWARD)]
    lengths = [film for film in LENGTHS if figures.runs(film, PRODUCT)]
    figure, axes = pyplot.subplots(1, 3, figsize=(13, 4.2), width_ratios=(2, 2, 1.3), layout="constrained")
    for axis, value, title, target, share in (
        (axes[0], wall, "wall, against a straightforward worker", 0.45, figures.cores),
        (axes[1], cpu, "CPU, against a straightforward worker", 0.65, 1),
    ):
        for at, film in enumerate(films):
            base = median(figures.of(film, STRAIGHTFORWARD, value))
            was = earlier.ratio(film, earlier_part, value)
            _bar(axis, at - 0.22, [(figures.ratio(film, PRODUCT, value), BLUE, "the product")], at == 0)
            floors = [
                (median(figures.of(film, part, cpu)) / share / base, colour, label)
                for part, colour, label in ((DECODE, ORANGE, "decoding alone"), (INFERENCE, GREEN, "inference alone"))
                if figures.runs(film, part)
            ]
            _bar(axis, at + 0.22, floors, at == 0)
            if was:
                axis.plot([at - 0.42, at - 0.02], [was, was], color=INK, lw=1.5, ls=":", label=None if at else "the product before")
        axis.axhline(1, color=GREY, lw=1)
        axis.axhline(target, color="#c0392b", lw=1, ls="--", label=f"target for 720p: {target:g}")
        axis.set_xticks(range(len(films)), films)
        axis.set_title(title + (f"\n(floors: their CPU over {share} cores)" if share > 1 else ""), fontsize=10)
        axis.set_ylim(0, 1.45 * axis.get_ylim()[1])
        axis.legend(fontsize=7.5, frameon=False, ncols=2, loc="upper center")
    minutes = [figures.record["films"][film]["frames"] / 30 / 60 for film in lengths]
    axes[2].plot(minutes, [max(figures.of(film, PRODUCT, lambda run: run["peak_mb"])) for film in lengths], "o-", color=BLUE)
    axes[2].axhline(1200, color="#c0392b", lw=1, ls="--")
    axes[2].set(xlabel="minutes of 720p film", ylabel="MB", ylim=(0, 1300), xlim=(0, None))
    axes[2].set_title("peak memory of the whole run", fontsize=10)
    _finish(figure, axes, path)


def _bar(axis: Any, at: float, parts: list[tuple[float | None, str, str]], named: bool) -> None:
    base = 0.0
    for height, colour, label in parts:
        if height is not None:
            axis.bar(at, height, 0.4, bottom=base, color=colour, label=label if named else None)
            base += height
    if base:
        axis.text(at, 0.02, f"{base:.2f}", ha="center", va="bottom", fontsize=8, color="white")


def _stages(figures: Figures, earlier: Figures, earlier_part: str, path: Path) -> None:
    from matplotlib import pyplot
    from matplotlib.patches import Patch

    film = SEED if figures.runs(SEED, PRODUCT) else figures.films[0]
    runs = [("now", figures.runs(film, PRODUCT)), ("before", earlier.runs(film, earlier_part))]
    shown = [(label, each[-1]["phases"]) for label, each in runs if each]
    figure, axes = pyplot.subplots(len(shown), 1, figsize=(13, 1.1 + 2.3 * len(shown)), layout="constrained", squeeze=False)
    right = 1.08 * max(sum(phase[key] for phase in phases) for _, phases in shown for key in ("wall_s", "cpu_s"))
    for axis, (label, phases) in zip(axes[:, 0], reversed(shown), strict=True):
        for row, key in enumerate(("wall_s", "cpu_s")):
            at = 0.0
            for phase in phases:
                axis.barh(row, phase[key], left=at, color=_colour(phase["name"]), edgecolor="white", lw=0.4)
                if phase[key] > 0.045 * right:
                    name = phase["name"].replace("_results: ", "\n").replace("before looking", "player")
                    axis.text(at + phase[key] / 2, row, f"{name}\n{phase[key]:.1f}", ha="center", va="center", fontsize=7, color="white")
                at += phase[key]
            axis.text(at, row, f"  {at:.1f} s", va="center", fontsize=9)
        axis.set_yticks([0, 1], ["wall", "CPU"])
        axis.invert_yaxis()
        axis.set_xlim(0, right)
        axis.set_title(f"{film}, {label}: seconds from the start of the process to its end", fontsize=10, loc="left")
    named = [Patch(color=colour, label=label) for _, colour, label in COLOURS if label]
    figure.legend(handles=named, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    _finish(figure, axes[:, 0], path)


def _colour(name: str) -> str:
    return next(colour for part, colour, _ in COLOURS if part in name)


def _finish(figure: Any, axes: Any, path: Path) -> None:
    from matplotlib import pyplot

    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
