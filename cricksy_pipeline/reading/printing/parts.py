"""What of a row is shown in a terminal: the documents of the newest pass, the findings in order, the gaps by reason.

Belongs here: taking a read model apart, of a row of any age, for those who print it (`terminal`) or tell it as JSON (`shown`). Reads plain
JSON and asks little of it, for rows of the earlier system lack most of the documents' fields. Does not belong here: printing; judging.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from cricksy_pipeline.analysis.documents import LEGACY_METRICS
from cricksy_pipeline.reading.notation import words

MAX_FINDINGS = 3


def as_mapping(read: BaseModel | Mapping[str, Any]) -> Mapping[str, Any]:
    """The read model as JSON-ready values, whichever of the two it came as."""
    return read.model_dump(mode="json") if isinstance(read, BaseModel) else read


def as_dict(value: Any) -> dict[str, Any]:
    """The value where it is an object, else an empty one."""
    return dict(value) if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return list(value) if isinstance(value, (list, tuple)) else []


def _first(read: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The first of the named documents that is there."""
    return next((as_dict(read.get(name)) for name in names if read.get(name)), {})


@dataclass(frozen=True)
class First:
    """The one thing to do first, as it is said."""

    say: str
    title: str | None
    why: str | None
    kind: Literal["technique", "quality"]


@dataclass(frozen=True)
class Parts:
    """What a reader is shown of a row, from the newest place that has each.

    Attributes:
        shown_pass: of which pass; None where there is nothing to read.
        listed: findings, those about the video itself last.
        first: None where nothing was found.
    """

    row: Mapping[str, Any]
    shown_pass: Literal["deep", "quick"] | None
    results: dict[str, Any]
    findings: dict[str, Any]
    report: dict[str, Any]
    listed: list[dict[str, Any]]
    first: First | None


def parts_of(read: BaseModel | Mapping[str, Any]) -> Parts:
    """The documents of a row of any age and status."""
    row = as_mapping(read)
    legacy = as_dict(row.get("results"))
    results = _first(row, "deep_results", "quick_results") or _first(legacy, "deep", "quick")
    findings = _first(row, "deep_findings", "quick_findings") or as_dict(results.get("findings"))
    report = _first(row, "deep_report", "quick_report") or as_dict(results.get("report"))
    listed = sorted((as_dict(f) for f in as_list(findings.get("findings"))), key=lambda f: f.get("kind") == "quality")
    deep = row.get("deep_results") or row.get("deep_findings") or (legacy.get("deep") and not row.get("quick_results"))
    shown = "deep" if deep else "quick" if results or findings else None
    return Parts(row, shown, results, findings, report, listed, _first_of(listed, as_dict(findings.get("priority"))))


def _first_of(listed: list[dict[str, Any]], stated: Mapping[str, Any]) -> First | None:
    """`stated`: the document's own priority, which says why; rows of the earlier system have none."""
    first = listed[0] if listed else {}
    cues = as_list(first.get("cues"))
    say = cues[0] if cues else first.get("title")
    if not say:
        return None
    why = stated.get("why_first") if stated.get("code") == first.get("code") else None
    return First(str(say), first.get("title"), why or None, "quality" if first.get("kind") == "quality" else "technique")


def gaps_of(results: Mapping[str, Any], findings: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """What could not be measured, by (reason, how to film it): the measures by name, each once."""
    stated = [as_dict(gap) for gap in as_list(findings.get("not_measured"))]
    named = {gap.get("metric") for gap in stated}
    metrics = {key: as_dict(metric) for key, metric in metrics_of(results).items()}
    stated += [{"metric": key, **metric} for key, metric in metrics.items() if key not in named and not has_number(metric)]
    grouped: dict[tuple[str, str], list[str]] = {}
    for gap in stated:
        why = (str(gap.get("reason") or "no reason was given"), str(gap.get("how_to_film") or ""))
        grouped.setdefault(why, []).append(str(gap.get("label") or words(str(gap.get("metric") or "?"))))
    return grouped


def metrics_of(results: Mapping[str, Any]) -> dict[str, Any]:
    """All metrics, the five that every document carries first; a row of the earlier system may hold fewer."""
    metrics = as_dict(as_dict(results.get("metrics")).get("metrics"))
    first = [key for key in LEGACY_METRICS if key in metrics]
    return {key: metrics[key] for key in dict.fromkeys([*first, *metrics])}


def has_number(metric: Mapping[str, Any]) -> bool:
    """Whether there is something to show: a value, a class, or the bare score of a row of the earlier system."""
    return any(isinstance(metric.get(name), (int, float)) for name in ("value", "score")) or bool(metric.get("category"))
