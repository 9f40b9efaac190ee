"""An analysis as a person wants to read it in a terminal.

Belongs here: printing with rich what the read model holds. Does not belong here: reading the row (`store.job_read`), the page
(`report.html`), what of it is shown (`parts`), the bar while it runs (`job_progress`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cricksy_pipeline.reading.notation import (
    band_limits,
    band_words,
    clock,
    decimals,
    number,
    percent,
    plain_number,
    value_with_interval,
    words,
)
from cricksy_pipeline.reading.printing.job_progress import STAGE_WORDS
from cricksy_pipeline.reading.printing.parts import (
    MAX_FINDINGS,
    First,
    as_dict,
    as_list,
    gaps_of,
    has_number,
    metrics_of,
    parts_of,
)
from cricksy_pipeline.reading.report.view import chance

_SEVERITY_STYLE = {"high": "bold red", "medium": "yellow", "low": "cyan"}


def headline(read: Mapping[str, Any]) -> str:
    """One line on where the job stands: mode, status, share done."""
    status, stage = str(read.get("status") or "unknown"), str(read.get("stage") or "")
    mode = str(read.get("analysis_mode") or "cricket").capitalize()
    if status in ("done", "completed"):
        return f"{mode} analysis, done"
    if status == "failed":
        return f"{mode} analysis failed"
    return f"{mode} analysis, {STAGE_WORDS.get(stage, words(status))} ({read.get('progress_pct') or 0} %)"


def _value_text(evidence: Mapping[str, Any]) -> str:
    """`93 ± 6°, good is 100 to 165°`; empty where the evidence has no such value."""
    value, unit = evidence.get("value"), str(evidence.get("unit") or "")
    if not isinstance(value, (int, float)):
        return ""
    ci95 = evidence.get("ci95")
    text = value_with_interval(value, ci95 if isinstance(ci95, (list, tuple)) and len(ci95) == 2 else None, unit)
    band = evidence.get("band")
    limits = band_words(band_limits(band), unit) if isinstance(band, (Mapping, list, tuple)) else ""
    return f"{text}, good is {limits}" if limits else text


def _when(finding: Mapping[str, Any]) -> str:
    moments = [as_dict(m) for m in as_list(as_dict(finding.get("video_evidence")).get("worst_frames"))]
    if moments:
        return ", ".join(f"{m.get('timestamp') or clock(m.get('t_s') or 0.0)} (frame {m.get('frame')})" for m in moments[:4])
    times = [t for t in as_list(as_dict(finding.get("evidence")).get("t_s")) if isinstance(t, (int, float))]
    return ", ".join(clock(t) for t in times[:4])


def _finding(index: int, finding: Mapping[str, Any]) -> RenderableType:
    severity = str(finding.get("severity") or "")
    title = Text.assemble((f"{index}. {finding.get('title') or finding.get('code') or 'Finding'}", "bold"))
    if severity and finding.get("kind", "technique") == "technique":
        title.append(f"  severity {severity}", _SEVERITY_STYLE.get(severity, ""))
    when = _when(finding)
    lines = [
        Text(_value_text(as_dict(finding.get("evidence")))),
        Text(str(finding.get("message") or "")),
        Text(f"See it at {when}" if when else ""),
        *(Text(f"Say: {cue}", "green") for cue in as_list(finding.get("cues"))),
        *(Text(f"Practise: {drill}", "dim") for drill in as_list(finding.get("suggested_drills"))),
        Text(_confirm(finding), "dim"),
    ]
    return Group(title, *(Padding(line, (0, 0, 0, 3), expand=False) for line in lines if line), Text(""))


def _confirm(item: Mapping[str, Any]) -> str:
    text = as_dict(item.get("what_would_confirm")).get("text")
    return f"To confirm: {text}" if text else ""


def _watched(findings: Mapping[str, Any]) -> list[RenderableType]:
    """What is likely and not sure, apart from the findings."""
    parts: list[RenderableType] = []
    for watch in (as_dict(item) for item in as_list(findings.get("watch"))):
        lines = [Text(str(watch.get("message") or "")), Text(_confirm(watch), "dim")]
        parts += [Text(str(watch.get("title") or "?")), *(Padding(line, (0, 0, 0, 3), expand=False) for line in lines if line)]
    return [Text("Worth watching, not sure", "bold"), *parts, Text("")] if parts else []


def _style(findings: Mapping[str, Any]) -> list[RenderableType]:
    """Choices that are no faults."""
    lines = []
    for note in (as_dict(item) for item in as_list(findings.get("style_notes"))):
        shown = note.get("category") or _value_text(note)
        lines.append(Text(f"- {note.get('label')}{f': {shown}' if shown else ''}. {note.get('message') or ''}", "dim"))
    return [Text("Style, not fault", "bold"), *lines, Text("")] if lines else []


def _not_offered(results: Mapping[str, Any]) -> list[RenderableType]:
    """What is not measured on purpose."""
    items = [as_dict(item) for item in as_list(as_dict(results.get("metrics")).get("not_offered"))]
    lines = [Text(f"- {item.get('name')}: {item.get('reason')}", "dim") for item in items]
    return [Text("Not offered, and why", "bold"), *lines, Text("")] if lines else []


def _not_measured(results: Mapping[str, Any], findings: Mapping[str, Any]) -> list[RenderableType]:
    """What could not be measured: measures with the same reason and remedy together."""
    grouped = gaps_of(results, findings)
    if not grouped:
        return []
    listed = Table.grid(padding=(0, 1))
    for (reason, remedy), labels in grouped.items():
        told = Text.assemble((", ".join(labels), "bold"), f": {reason}")
        listed.add_row("-", told.append(f"\nTo measure it: {remedy}", "green") if remedy else told)
    return [Text("What was not measured", "bold"), listed, Text("")]


def _good_range(metric: Mapping[str, Any]) -> str:
    """`100–165`, `≤ 3.5`: the unit stands beside the value."""
    low, high = band_limits(metric["band"]) if isinstance(metric.get("band"), (Mapping, list, tuple)) else (None, None)
    if low is None or high is None:
        return f"≤ {plain_number(high)}" if high is not None else f"≥ {plain_number(low)}" if low is not None else "–"
    # A dash between negative numbers reads as another minus.
    return f"{plain_number(low)} to {plain_number(high)}" if min(low, high) < 0 else f"{plain_number(low)}–{plain_number(high)}"


def metrics_table(results: Mapping[str, Any]) -> Table | None:
    """Every metric that was measured, within 80 columns. None where there are none."""
    measured = {key: metric for key, metric in ((k, as_dict(m)) for k, m in metrics_of(results).items()) if has_number(metric)}
    if not measured:
        return None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Measure", min_width=20)
    table.add_column("Value, 95 %", min_width=16)
    table.add_column("Good", no_wrap=True)
    table.add_column("Balls", justify="right", no_wrap=True)
    table.add_column("Chance\nin range", justify="right", no_wrap=True)
    for key, metric in measured.items():
        # Without the band, the good range has a column of its own. A row of the earlier system has a bare score.
        value = _value_text({name: metric.get(name) for name in ("value", "ci95", "unit")})
        value = ", ".join(part for part in (value, metric.get("category")) if part) or "score only"
        score = metric.get("score")
        likely = chance(score) if isinstance(score, (int, float)) and metric.get("judged", True) else "–"
        label = str(metric.get("label") or words(key))
        table.add_row(escape(label), escape(value), _good_range(metric), _balls(metric), likely)
    return table


def _balls(metric: Mapping[str, Any]) -> str:
    """How many, and how much they differ from each other: `6 ±2.1`; the unit stands beside the value."""
    spread = metric.get("spread")
    return f"{metric.get('n', '')}" + (f" ±{number(spread, decimals(spread))}" if isinstance(spread, (int, float)) else "")


def _how_sure(findings: Mapping[str, Any], results: Mapping[str, Any]) -> Text:
    text = Text()
    label, score = findings.get("confidence_label"), findings.get("confidence_score")
    if label:
        text.append(f"Trust in the measurements: {label}" + (f" ({percent(score)})" if isinstance(score, (int, float)) else ""))
    rate = findings.get("detection_rate", as_dict(results.get("pose_summary")).get("detection_rate_percent"))
    reasons = [str(reason) for reason in as_list(findings.get("confidence_reasons"))]
    if isinstance(rate, (int, float)) and not any("found in" in reason for reason in reasons):
        text.append(f"{chr(10) if text else ''}Player found in {rate:.0f} % of the frames looked at")
    for reason in reasons:
        text.append(f"\n- {reason}", "dim")
    return text


def _priority(first: First) -> Panel:
    title = "Before the next video" if first.kind == "quality" else "Work on this first"
    told = Text(first.say, "bold")
    if first.why:
        told.append(f"\n{first.why}", "not bold")
    return Panel(told, title=title, title_align="left", border_style="green", padding=(1, 2), expand=False)


def _failure(read: Mapping[str, Any]) -> Text:
    text = Text(str(read.get("error_message") or "No reason was recorded."), "red")
    if read.get("error_code"):
        text.append(f"\n{read['error_code']}", "dim")
    if read.get("retryable"):
        text.append("\nIt can be tried again.", "dim")
    return text


def print_result(read: BaseModel | Mapping[str, Any], console: Console, *, report_path: str | None = None) -> None:
    """Print one analysis: headline, one priority, the findings, how sure, what was and was not measured, and where the page is.

    Args:
        read: `VideoAnalysisJobRead`, or the JSON that the API answers. Rows of any age and status.
        console: where to.
        report_path: file or address of the HTML report; None leaves the line out.
    """
    shown = parts_of(read)
    row, results, findings, report = shown.row, shown.results, shown.findings, shown.report

    parts: list[RenderableType] = [Text(headline(row), "bold"), Text(f"Job {row.get('id') or row.get('job_id') or '?'}", "dim"), Text("")]
    if row.get("status") == "failed":
        parts += [_failure(row), Text("")]
        if results:
            parts += [Text("The first look came before that", "bold"), Text("")]
    if shown.first:
        parts += [_priority(shown.first), Text("")]
    if report.get("summary"):
        parts += [Text(str(report["summary"])), Text("")]
    parts += [_finding(i, f) for i, f in enumerate(shown.listed[:MAX_FINDINGS], 1)]
    if sure := _how_sure(findings, results):
        parts += [Text("How sure", "bold"), sure, Text("")]
    parts += _watched(findings)
    if table := metrics_table(results):
        parts += [Text("What was measured", "bold"), table, Text("")]
    parts += _style(findings)
    parts += _not_measured(results, findings)
    parts += _not_offered(results)
    if not results and row.get("status") in ("queued", "awaiting_upload", "quick_running", "processing"):
        parts += [Text("Nothing to read yet."), Text("")]
    console.print(Group(*parts))
    if report_path:
        # Not folded: a terminal that breaks the line itself copies it whole.
        console.print(Text.assemble(("Report: ", "bold"), report_path), soft_wrap=True)
