"""From findings to the report that a coach reads in half a minute.

Belongs here: the order of the sections and the sentences that join what `findings` and `metrics` already say. Does not belong here:
any judgement, any number that is not in the data (the guardrail `every_number_in_data` holds that), any layout.
"""

from __future__ import annotations

from cricksy_pipeline.analysis.documents import AnalysisMode, Drill, Finding, Findings, Metric, MetricsBlock, Report, ReportSection
from cricksy_pipeline.analysis.wording import balls, band_in_words, clock, coaching, number, quantity

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
    """The report of one pass: summary, what to work on, what was measured, how to film the rest, a week's plan.

    Args:
        findings: what was found. block: what was measured. mode: what was filmed.
    """
    mode = AnalysisMode(mode)
    technique = [finding for finding in findings.findings if finding.kind == "technique"]
    quality = [finding for finding in findings.findings if finding.kind == "quality"]
    drills = _drills(technique)
    plan = _plan(technique, drills, quality)
    summary = _summary(findings, technique, quality, block, mode)
    warning = _warning(findings, block)
    sections = [ReportSection(title="In short", body=summary)]
    if technique:
        sections.append(ReportSection(title="What to work on", body="\n\n".join(_issue(finding) for finding in technique)))
    if quality:
        sections.append(ReportSection(title="About the video", body="\n".join(finding.message for finding in quality)))
    measured = [line for metric in block.metrics.values() if (line := _measured(metric))]
    if measured:
        sections.append(ReportSection(title="What was measured", body="\n".join(measured)))
    if findings.not_measured:
        sections.append(ReportSection(title="What was not measured", body=_not_measured(findings)))
    sections.append(ReportSection(title="The next seven days", body="\n".join(plan)))
    if warning:
        sections.append(ReportSection(title="How far to trust this", body=warning))
    return Report(
        text="\n\n".join(f"{section.title}\n{section.body}" for section in sections),
        overall_level=findings.overall_level,
        sections=sections,
        summary=summary,
        top_issues=[f"{finding.title}: {finding.cues[0]}" if finding.cues else finding.title for finding in technique][:MOST_ISSUES],
        drills=drills,
        one_week_plan=plan,
        notes=list(findings.confidence_reasons),
        generated_with_llm=False,
        reliability_warning=warning,
        analysis_mode=mode,
    )


def _summary(findings: Findings, technique: list[Finding], quality: list[Finding], block: MetricsBlock, mode: AnalysisMode) -> str:
    word = _MODE_WORDS[mode].capitalize()
    n = len(block.deliveries)
    if quality and not technique and findings.overall_level is None:
        return f"{word}: {_lower(quality[0].title)}. {quality[0].why_it_matters}"
    if findings.overall_level is None:
        return f"{word}: {findings.overall_level_reason}"
    seen = f"{word}, {balls(n)} measured. "
    if not technique:
        return seen + _LEVEL_WORDS["high"]
    first = technique[0]
    cue = f" Say first: {first.cues[0]}" if first.cues else ""
    more = f" {len(technique) - 1} more below." if len(technique) > 1 else ""
    lead = "Small things only." if findings.overall_level == "high" else _LEVEL_WORDS[findings.overall_level]
    return f"{seen}{lead} {first.title}.{cue}{more}"


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _issue(finding: Finding) -> str:
    moments = [clock(t) for t in finding.evidence.get("t_s", [])][:3]
    seen = f" See {', '.join(moments)}." if moments else ""
    cue = f" Cue: {finding.cues[0]}" if finding.cues else ""
    drills = "\n".join(f"- {drill}" for drill in finding.suggested_drills)
    return f"{finding.title}. {finding.message}{seen} {finding.why_it_matters}{cue}\n{drills}"


def _measured(metric: Metric) -> str | None:
    if metric.value is None or metric.ci95 is None:
        return None
    low, high = metric.ci95
    line = (
        f"{metric.label}: {quantity(metric.value, metric.unit)}, likely between {number(low, metric.unit)} and {number(high, metric.unit)}"
    )
    band = f"; reference {band_in_words(metric.band, metric.unit)}" if metric.band else ""
    return f"{line}, {balls(metric.n)}{band}."


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


def _warning(findings: Findings, block: MetricsBlock) -> str | None:
    if findings.confidence_score is None:
        return (
            "Nothing was judged: read this report as advice on filming only."
            if any(f.kind == "quality" for f in findings.findings)
            else None
        )
    if findings.confidence_label == "high":
        return None
    return "Read the values with care. " + " ".join(findings.confidence_reasons)
