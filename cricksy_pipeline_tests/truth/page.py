"""docs/accuracy.md and its plots, from the measured tables alone.

    python -m cricksy_pipeline_tests.truth.page            # writes; --check only compares

Belongs here: words, tables and drawings. Does not belong here: any number that is not in measured/ or the catalogue.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline_tests.truth.plots import PLOTS
from cricksy_pipeline_tests.truth.publish import MEASURED
from cricksy_pipeline_tests.truth.tables import proportion_interval
from cricksy_pipeline_tests.truth.words import AFTER, BEFORE, CAMERAS, EVENTS, FINDINGS, INVARIANCE, METRICS, REAL, SCENES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "accuracy.md"
PICTURES = ROOT / "docs" / "accuracy"

LEAST = 8
"""With fewer held-out balls a row says so instead of a coverage."""


def measured() -> tuple[dict[str, Any], list[dict[str, str]], dict[str, Any]]:
    """The committed tables, the committed values, and what the real clips gave."""
    with (MEASURED / "values.csv").open(newline="") as file:
        values = list(csv.DictReader(file))
    return json.loads((MEASURED / "tables.json").read_text()), values, json.loads((MEASURED / "real.json").read_text())


def page(told: dict[str, Any], real: dict[str, Any]) -> str:
    """The whole page."""
    parts = [
        BEFORE.format(date=told["date"], command=told["command"], version=told["definition_version"], clips=_clips(told["clips"])),
        METRICS,
        _picture("coverage", "How often the printed 95 % interval held the truth, by metric and view"),
        _picture("errors", "Errors by metric and view, in half widths of the printed interval"),
        _metric_table(told),
        _picture("scatter", "Measured against true values of judged metrics"),
        *_one_by_one(told),
        EVENTS,
        _event_table(told["events"]),
        _picture("events", "Bias and spread of events"),
        _delivery_table(told["deliveries"]),
        FINDINGS,
        _specificity_table(told["specificity"]),
        _sensitivity_table(told["sensitivity"]),
        _picture("sensitivity", "Share of faults found, by size in printed detectable sizes"),
        _strangers_table(told["strangers"]),
        INVARIANCE,
        _recordings_table(told["recordings"]),
        SCENES,
        _scene_table(told["scenes"]),
        REAL.format(date=real["date"]),
        _real_table(real["clips"]),
        CAMERAS.format(**{name: _cell(value) for name, value in real["two_cameras"].items()}),
        AFTER,
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _clips(counts: dict[str, int]) -> str:
    return "; ".join(f"{name}: {n}" for name, n in sorted(counts.items()))


def _picture(name: str, alt: str) -> str:
    return f"![{alt}](accuracy/{name}.svg)"


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(_cell(value) for value in row)} |" for row in rows)])


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def _share(hits: int, n: int) -> str:
    """A percentage with its exact 95 % interval."""
    if not n:
        return "-"
    low, high = proportion_interval(hits, n)
    return f"{100 * hits / n:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def _metric_table(told: dict[str, Any]) -> str:
    sizes = {(d["code"], d["view"], d["balls"]): d for d in told["detectable"]}
    rows = []
    for a in told["accuracy"]:
        entry = catalogue().entries[a["code"]]
        fault = [sizes.get((a["code"], a["view"], n), {}).get("fault") for n in (1, 3, 6)]
        rows.append(
            [
                f"**{a['code']}** {entry.label.lower()}",
                a["view"],
                entry.unit,
                a["n"],
                a["bias"],
                a["spread"],
                f"±{_cell(a['half_width'])}",
                _share(a["inside"], a["n"]) if a["n"] >= LEAST else f"{a['inside']} of {a['n']}",
                " / ".join(_cell(f) for f in fault) if any(f is not None for f in fault) else "not judged",
            ]
        )
    head = ["metric", "view", "unit", "balls", "bias", "spread", "printed 95 %", "held the truth", "detectable fault at 1 / 3 / 6 balls"]
    return _table(head, rows)


def _one_by_one(told: dict[str, Any]) -> list[str]:
    """For each metric of the catalogue its definition, its views, and where it was null although it could have been read."""
    by_code: dict[str, list[str]] = {}
    for row in told["refused"]:
        reasons, n = dict(row["reasons"]), sum(row["reasons"].values())
        read = reasons.pop("", 0)
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1]))
        by_code.setdefault(row["code"], []).append(f"{row['view']}: read in {read} of {n} clips" + (f" ({why})" if why else ""))
    lines = ["### Each metric: definition, and how often it was read", ""]
    for code, entry in catalogue().entries.items():
        status = f"band {entry.band.status}" if entry.band else "no band"
        lines.append(f"- **{code} {entry.label}** ({entry.unit}; from {' or '.join(entry.views)}; {status}). {entry.definition}")
        lines.append(f"  Corpus: {'; '.join(by_code.get(code, ['not in it: no rendered motion has a true value for it']))}.")
    return ["\n".join(lines)]


def _event_table(rows: list[dict[str, Any]]) -> str:
    return _table(
        ["motion", "event", "pictures a second", "n", "found", "bias, ms", "spread, ms", "printed sigma, ms", "inside 1.96 sigma"],
        [
            [
                *(r[name] for name in ("motion", "event", "rate", "n")),
                f"{100 * r['found']:.0f} %",
                *(r[name] for name in ("bias_ms", "spread_ms", "sigma_ms")),
                _share(r["inside"], r["n"]),
            ]
            for r in rows
        ],
    )


def _delivery_table(rows: list[dict[str, Any]]) -> str:
    body = [[r["motion"], r["view"], r["true"], r["found"], r["invented"], _f1(r)] for r in rows]
    return _table(["motion", "view", "balls", "found", "invented", "F1"], body)


def _f1(row: dict[str, Any]) -> float:
    return 2 * row["found"] / max(row["true"] + row["found"] + row["invented"], 1)


def _specificity_table(rows: list[dict[str, Any]]) -> str:
    n, wrong = sum(r["n"] for r in rows), sum(r["with_finding"] for r in rows)
    body = [[r["motion"], r["view"], r["n"], r["with_finding"], ", ".join(r["which"]) or "-", r["watched"]] for r in rows]
    said = f"Of {n} clips of correct technique {n - wrong} gave no technique finding: {_share(n - wrong, n)}."
    return said + "\n\n" + _table(["motion", "view", "clips of correct technique", "with a finding", "of", "with something to watch"], body)


def _sensitivity_table(rows: list[dict[str, Any]]) -> str:
    body = []
    for code, view in sorted({(r["code"], r["view"]) for r in rows}):
        mine = [r for r in rows if (r["code"], r["view"]) == (code, view)]
        sized = [r for r in mine if r["sizes"] is not None]
        above = [r for r in sized if r["sizes"] >= 1]
        largest = max((r["sizes"] for r in sized), default=None)
        body.append([code, view, len(mine), len(above), _share(sum(r["found"] for r in above), len(above)), largest])
    above = [r for r in rows if r["sizes"] is not None and r["sizes"] >= 1]
    said = (
        f"Of {len(above)} true values outside their band by at least the printed detectable size {sum(r['found'] for r in above)} became a "
    )
    said += f"finding: {_share(sum(r['found'] for r in above), len(above))}."
    head = [
        "metric",
        "view",
        "true values outside the band",
        "by the printed detectable size or more",
        "of these found",
        "largest, in sizes",
    ]
    return said + "\n\n" + _table(head, body)


def _strangers_table(rows: list[dict[str, Any]]) -> str:
    body = [[r["clip"], r["deliveries"], ", ".join(r["technique"]) or "none"] for r in rows]
    return _table(["what was shown", "deliveries found", "technique findings"], body)


def _recordings_table(rows: list[dict[str, Any]]) -> str:
    body = [[r["clip"], r["metrics"], r["largest"], r["which"], ", ".join(r["lost"]) or "-"] for r in rows]
    return _table(["recording", "metrics in both", "largest difference, in printed half widths", "of", "no longer read"], body)


def _scene_table(rows: list[dict[str, Any]]) -> str:
    body = [[r["clip"], f"{r['found']} of {r['true']}", r["invented"], f"{r['inside']} of {r['values']}"] for r in rows]
    return _table(["scene", "balls found", "invented", "values inside their interval"], body)


def _real_table(clips: list[dict[str, Any]]) -> str:
    rows = []
    for clip in clips:
        for e in clip["events"]:
            off = "not found" if e["off_frames"] is None else f"{e['off_frames']:+.1f}"
            rows.append([clip["clip"], clip["deliveries"], e["event"], f"{e['label']} ± {e['tolerance']}", off, e["sigma_frames"]])
    return _table(["clip", "deliveries found", "event", "frame by eye", "found, frames off", "printed sigma, frames"], rows)


def main() -> int:
    """Write, or with --check report what is out of date."""
    told, values, real = measured()
    text = page(told, real)
    if "--check" in sys.argv:
        stale = not PAGE.exists() or PAGE.read_text() != text
        print(f"{PAGE.relative_to(ROOT)} is out of date: run `make accuracy`" if stale else "up to date")
        return int(stale)
    PAGE.write_text(text)
    PICTURES.mkdir(exist_ok=True)
    for name, draw in PLOTS.items():
        draw(told, values, PICTURES / f"{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
