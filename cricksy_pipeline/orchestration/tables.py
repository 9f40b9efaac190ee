"""Tables and small plots of values for Dagster's pages: metrics, findings, guardrails with what was found and what was expected.

Belongs here: which columns, and how a value is written in a cell. Does not belong here: which page shows which (`describe`, `checks`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings, Metric
from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.store.guardrail_log import RecordedOutcome

MOST_SPARKLINES = 6
"""Series drawn as a line in a cell: half a kilobyte each, which is kept for ever."""

CELL_CHARACTERS = 90
"""Longer values are cut in a table; the check has them whole as well. A SHA-256 fits."""

SUMMARY_CHARACTERS = 17
"""The same in the table of all guardrails, which is to be seen without scrolling."""


def metric_table(document: AnalysisResults) -> dg.MetadataValue:
    """Every metric that was measured, with its interval."""
    measured = {name: metric for name, metric in document.metrics.metrics.items() if metric.value is not None}
    records = [_metric(name, metric) for name, metric in measured.items()]
    return dg.MetadataValue.table(records) if records else dg.MetadataValue.text("Nothing was measured.")


def _metric(name: str, metric: Metric) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "metric": name,
            "value": f"{metric.value:.3g}",
            # One word to a browser, or it breaks the interval into three lines.
            "95 %": f"{metric.ci95[0]:.3g}…{metric.ci95[1]:.3g}" if metric.ci95 else "-",
            "unit": metric.unit,
            "n": metric.n,
            "spread": f"{metric.spread:.3g}" if metric.spread is not None else "-",
        }
    )


def not_measured(document: AnalysisResults) -> dict[str, dg.MetadataValue]:
    """Why the other metrics are null, those with one reason together; nothing where all were measured."""
    reasons: dict[str, list[str]] = {}
    for name, metric in document.metrics.metrics.items():
        if metric.value is None:
            reasons.setdefault(metric.reason or "no reason was given", []).append(name)
    lines = [f"- {', '.join(f'`{name}`' for name in names)}: {reason}" for reason, names in reasons.items()]
    return {"not_measured": dg.MetadataValue.md("\n".join(lines))} if lines else {}


def sparklines(document: AnalysisResults) -> dict[str, dg.MetadataValue]:
    """The first series as lines that need neither the API nor the store: `series/NAME` -> a small picture with its range and unit."""
    from cricksy_pipeline.reading.drawing.plots import sparkline_svg_data_uri

    shown = {}
    for name, series in document.metrics.series.items():
        read = [value for value in series.value if value is not None]
        if read and len(shown) < MOST_SPARKLINES:
            said = f"{min(read):.3g} to {max(read):.3g} {series.unit}, {series.t_s[0]:.1f} to {series.t_s[-1]:.1f} s"
            shown[f"series/{name}"] = dg.MetadataValue.md(f"![{series.label}]({sparkline_svg_data_uri(series.value)}) {said}")
    return shown


def findings_table(found: Findings) -> dg.MetadataValue:
    """What was found, with the value that triggered it."""
    records = [
        dg.TableRecord(
            {
                "code": f.code,
                "severity": f.severity,
                "title": f.title,
                "value": _measured(f.evidence),
                "sure": f"{f.confidence:.0%}" if f.confidence is not None else "-",
                "message": f.message,
            }
        )
        for f in found.findings
    ]
    return dg.MetadataValue.table(records)


def _measured(evidence: Mapping[str, Any]) -> str:
    value = evidence.get("value")
    return f"{value:.3g} {evidence.get('unit') or ''}".strip() if isinstance(value, (int, float)) else "-"


def guardrail_table(outcomes: Sequence[RecordedOutcome]) -> dg.MetadataValue:
    """All guardrails of a run in the order of the stages, those that did not pass first."""
    order = list(GUARDRAILS)
    ordered = sorted(outcomes, key=lambda each: (each.passed, order.index(each.asset) if each.asset in order else len(order)))
    records = [
        dg.TableRecord(
            {
                "holds": "yes" if each.passed else "NO" if each.severity == "ERROR" else "no, warns",
                # Two words, so that the column may be narrow.
                "guardrail": f"{each.asset} {each.name}",
                "actual": cell(each.actual, SUMMARY_CHARACTERS),
                "expected": cell(each.expected, SUMMARY_CHARACTERS),
            }
        )
        for each in ordered
    ]
    return dg.MetadataValue.table(records) if records else dg.MetadataValue.text("None was evaluated.")


def compared(actual: Any, expected: Any) -> dg.MetadataValue:
    """What a guardrail found beside what it expected, as a table; one line a part where either has parts."""
    pairs = _pairs(actual, expected)
    # Dagster wants the same columns in every record.
    named = any(name for name, _, _ in pairs)
    rows = [{**({"part": name} if named else {}), "actual": cell(found), "expected": cell(wanted)} for name, found, wanted in pairs]
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows])


def _pairs(actual: Any, expected: Any) -> list[tuple[str, Any, Any]]:
    """The parts of both by name. Parts of which none is named alike are meant in their order: a duration, and the most that it may be."""
    if (
        isinstance(actual, dict)
        and isinstance(expected, dict)
        and actual
        and len(actual) == len(expected)
        and not actual.keys() & expected.keys()
    ):
        together = zip(actual.items(), expected.items(), strict=True)
        return [(f"{name}, {limit}", found, wanted) for (name, found), (limit, wanted) in together]
    names = dict.fromkeys([*(actual if isinstance(actual, dict) else ()), *(expected if isinstance(expected, dict) else ())]) or [""]
    return [(name, _part(actual, name), _part(expected, name)) for name in names]


def _part(value: Any, name: str) -> Any:
    """A part of a value; a value without parts is meant for each of them."""
    return value.get(name) if isinstance(value, dict) else value


def cell(value: Any, characters: int = CELL_CHARACTERS) -> str:
    """A value as a person reads it in a cell. An empty list is where faults would be listed."""
    if value is None:
        return "–"
    if value == [] or value == {}:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= characters else text[: characters - 1] + "…"
