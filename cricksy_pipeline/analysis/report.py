"""From findings to the report that a coach reads in half a minute.

Belongs here: the order of the sections and the sentences that join what `findings` and `metrics` already say. Does not belong here:
any judgement, any number that is not in the data (the guardrail `every_number_in_data` holds that), any layout.

The order: what to do first and why, how sure, what to watch, what was measured, what was not and how to film it, what is not offered and
why, a week's plan.
"""

from __future__ import annotations

from collections.abc import Iterable

from cricksy_pipeline.analysis.documents import (
    AnalysisMode,
    Drill,
    Finding,
    Findings,
    Metric,
    MetricsBlock,
    Report,
    ReportSection,
    StyleNote,
)
from cricksy_pipeline.analysis.wording import balls, band_in_words, clock, coaching, interval_in_words, number, quantity

MOST_DRILLS, MOST_ISSUES = 8, 3
_MODE_WORDS = {
    AnalysisMode.BATTING: "batting",
    AnalysisMode.BOWLING: "bowling",
    AnalysisMode.WICKETKEEPING: "wicketkeeping",
    AnalysisMode.FIELDING: "fielding",
}
_LEVEL_WORDS = {
    "high": "Nothing that was judged stands out as a fault.",
    "medium": "One thing is worth working on.",
    "low": "One thing needs work before anything else.",
}


def build_report(findings: Findings, block: MetricsBlock, *, mode: AnalysisMode) -> Report:
    """The report of one pass.

    Args:
        findings: what was found. block: what was measured. mode: what was filmed.
    """
    mode = AnalysisMode(mode)
    technique = [finding for finding in findings.findings if finding.kind == "technique"]
    quality = [finding for finding in findings.findings if finding.kind == "quality"]
    drills = _drills(technique)
    plan = _plan(technique, drills, quality)
    summary = _summary(findings, technique, quality, block, mode)
    warning = _warning(findings)
    bodies = {
        "In short": summary,
        "What to work on": "\n\n".join(_issue(finding, findings) for finding in technique),
        "How sure this is": _how_sure(findings),
        "About the video": _lines(finding.message for finding in quality),
        "What to watch": _lines(_watched(findings)),
        "What was measured": _lines(_measured(block)),
        "Style, not fault": _lines(_style(note) for note in findings.style_notes),
        "What was not measured": _not_measured(findings),
        "Not offered, and why": _lines(f"{item.name}: {item.reason}" for item in block.not_offered),
        "The next seven days": _lines(plan),
    }
    sections = [ReportSection(title=title, body=body) for title, body in bodies.items() if body]
    return Report(
        text="\n\n".join(f"{section.title}\n{section.body}" for section in sections),
        overall_level=findings.overall_level,
        sections=sections,
        summary=summary,
        priority=_priority(findings),
        top_issues=[f"{finding.title}: {finding.cues[0]}" if finding.cues else finding.title for finding in technique][:MOST_ISSUES],
        drills=drills,
        one_week_plan=plan,
        notes=list(findings.confidence_reasons),
        generated_with_llm=False,
        reliability_warning=warning,
        analysis_mode=mode,
    )


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(parts)


def _summary(findings: Findings, technique: list[Finding], quality: list[Finding], block: MetricsBlock, mode: AnalysisMode) -> str:
    word = _MODE_WORDS[mode].capitalize()
    n = len(block.deliveries)
    if quality and not technique and findings.overall_level is None:
        return f"{word}: {_lower(quality[0].title)}. {quality[0].why_it_matters}"
    if findings.overall_level is None:
        return f"{word}: {findings.overall_level_reason}"
    seen = f"{word}, {balls(n)} measured. "
    if not technique:
        watched = " Something to watch is below." if findings.watch else ""
        return seen + _LEVEL_WORDS["high"] + watched
    more = f" {len(technique) - 1} more below." if len(technique) > 1 else ""
    lead = "Small things only." if findings.overall_level == "high" else _LEVEL_WORDS[findings.overall_level]
    cue = f" Say first: {technique[0].cues[0]}" if technique[0].cues else ""
    return f"{seen}{lead} {technique[0].title}.{cue}{more}"


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _priority(findings: Findings) -> str | None:
    """What to do first, and why that."""
    first = findings.priority
    if first is None:
        return None
    return f"{first.title}. " + (f"Say first: {first.cue} " if first.cue and first.metric else "") + first.why_first


def _issue(finding: Finding, findings: Findings) -> str:
    moments = [clock(t) for t in finding.evidence.get("t_s", [])][:3]
    seen = f" See {', '.join(moments)}." if moments else ""
    cue = f" Cue: {finding.cues[0]}" if finding.cues else ""
    first = findings.priority
    why = f" {first.why_first}" if first is not None and first.code == finding.code else ""
    confirm = f"\nTo confirm: {finding.what_would_confirm.text}" if finding.what_would_confirm else ""
    drills = "\n".join(f"- {drill}" for drill in finding.suggested_drills)
    return f"{finding.title}.{why} {finding.message}{seen} {finding.why_it_matters}{cue}\n{drills}{confirm}"


def _how_sure(findings: Findings) -> str:
    if findings.confidence_score is None:
        return ""
    return _lines([f"Trust in the measurements: {findings.confidence_label}.", *findings.confidence_reasons])


def _watched(findings: Findings) -> Iterable[str]:
    for watch in findings.watch:
        confirm = f" {watch.what_would_confirm.text}" if watch.what_would_confirm else ""
        yield f"{watch.title}. {watch.message}{confirm}"


def _measured(block: MetricsBlock) -> Iterable[str]:
    """Each metric over the session, then ball by ball."""
    for metric in block.metrics.values():
        if metric.value is None:
            if metric.category is not None:
                yield f"{metric.label}: {metric.category}, {balls(metric.n)}."
            continue
        spread = f", {quantity(metric.spread, metric.unit)} from ball to ball" if metric.spread is not None else ""
        band = f"; reference {band_in_words(metric.band, metric.unit)}" if metric.band else ""
        head = f"{metric.label}{_class(metric.category)}: {quantity(metric.value, metric.unit)}, {interval_in_words(metric)}"
        yield f"{head}, {balls(metric.n)}{spread}{band}.{_ball_by_ball(metric)}"


def _ball_by_ball(metric: Metric) -> str:
    if len(metric.per_delivery) < 2:
        return ""
    return " Ball by ball: " + ", ".join(number(ball.value, metric.unit) for ball in metric.per_delivery) + "."


def _style(note: StyleNote) -> str:
    value = f", {quantity(note.value, note.unit)}" if note.value is not None else ""
    return f"{note.label}{_class(note.category)}{value}: {note.message} ({note.source})"


def _class(category: str | None) -> str:
    return f", {category}" if category else ""


def _not_measured(findings: Findings) -> str:
    """Reasons and filming advice, each said once for all metrics that share it."""
    grouped: dict[tuple[str, str | None], list[str]] = {}
    for item in findings.not_measured:
        grouped.setdefault((item.reason, item.how_to_film), []).append(item.label)
    lines = []
    for (reason, film), labels in grouped.items():
        lines.append(f"{', '.join(dict.fromkeys(labels))}: {reason}" + (f" {film}" if film else ""))
    return "\n".join(lines)


def _drills(technique: list[Finding]) -> list[Drill]:
    """The findings' drills, the most important finding's first, none twice; the re-film check closes the list."""
    recheck = coaching()["recheck"]
    wanted = [drill for finding in technique for drill in finding.suggested_drills if drill != recheck]
    chosen = list(dict.fromkeys(wanted))[: MOST_DRILLS - 1] + ([recheck] if technique else [])
    return [Drill(name=drill.partition(":")[0] if ":" in drill else drill.partition(",")[0], how=drill) for drill in chosen]


def _plan(technique: list[Finding], drills: list[Drill], quality: list[Finding]) -> list[str]:
    plans = coaching()["plan"]
    if technique:
        practice = [drill.how for drill in drills[:-1]] or [coaching()["recheck"]]
        cue = technique[0].cues[0] if technique[0].cues else technique[0].title
        lines, used = [], 0
        for line in plans["found"]["lines"]:
            lines.append(line.format(cue=cue, drill=practice[used % len(practice)]))
            used += "{drill}" in line
        return lines
    return list(plans["film" if quality else "sound"]["lines"])


def _warning(findings: Findings) -> str | None:
    if findings.confidence_score is None:
        return (
            "Nothing was judged: read this report as advice on filming only."
            if any(f.kind == "quality" for f in findings.findings)
            else None
        )
    if findings.confidence_label == "high":
        return None
    return "Read the values with care. " + " ".join(findings.confidence_reasons)
