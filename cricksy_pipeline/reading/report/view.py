"""What the report page shows, worked out from the documents: the order, the words beside a number, what is grouped.

Belongs here: documents -> small frozen values that a template can print as they are. Does not belong here: markup of the page
(`templates/report.html`), drawing (`plots`, `range_bar`), any judgement (`analysis.findings` made it already).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cricksy_pipeline.analysis.documents import AnalysisResults, Finding, Findings, Metric, Report, StyleNote, Watch
from cricksy_pipeline.reading.drawing.range_bar import range_bar_svg
from cricksy_pipeline.reading.notation import NBSP, band_limits, band_words, clock, decimals, number, percent, value_with_interval, words

MAX_FINDINGS, MOST_STILLS = 3, 3
_CATALOGUE_NAME = re.compile(r"^[A-Z]\d+[A-Z]?: ")  # "B4: " means nothing to a coach
_DAY_NAME = re.compile(r"^Day \w+: ")  # the page counts the days itself
_STATUS_WORDS = {"published": "published", "coaching": "coaching knowledge", "uncalibrated": "uncalibrated"}


@dataclass(frozen=True)
class Moment:
    """Where in the video: `clock` as m:ss.ss, the frame in presentation order, and the presentation time in seconds."""

    clock: str
    frame: int
    t_s: float


@dataclass(frozen=True)
class StillView:
    """A picture that shows a finding: which ball at which event, as the strip of stills names them, and the words below it."""

    delivery: int
    event: str
    caption: str
    clock: str

    @property
    def key(self) -> tuple[int, str]:
        """By which its picture is found: (ball, event)."""
        return self.delivery, self.event


@dataclass(frozen=True)
class FindingView:
    """One finding, ready to print. Empty strings and None where it has no number, band or bar."""

    title: str
    message: str
    severity: str
    kind: str
    value: str
    band: str
    band_note: str
    bar: Markup | None
    balls: str
    chance_outside: str
    why: str
    cues: tuple[str, ...]
    drills: tuple[tuple[str, str], ...]
    moments: tuple[Moment, ...]
    confirm: str = ""
    stills: tuple[StillView, ...] = ()


@dataclass(frozen=True)
class WatchView:
    """Something that is likely and not sure, ready to print."""

    title: str
    value: str
    bar: Markup | None
    message: str
    chance_outside: str
    confirm: str


@dataclass(frozen=True)
class StyleView:
    """A choice of the player's, ready to print. `value` is a class or a number, empty without either."""

    label: str
    value: str
    message: str
    source: str


@dataclass(frozen=True)
class MetricRow:
    """One measured metric, ready to print. `value` is a class where it has no number."""

    label: str
    value: str
    category: str
    bar: Markup | None
    band: str
    band_note: str
    balls: int
    spread: str
    in_band: str
    definition: str
    not_judged: str


@dataclass(frozen=True)
class Gap:
    """Metrics that are null for the same reason, and the one way to film them."""

    labels: tuple[str, ...]
    reason: str
    how_to_film: str


def band_note(band: Mapping[str, Any] | None) -> str:
    """Where a band comes from and how far to trust it: `house default, uncalibrated`."""
    if not isinstance(band, Mapping):
        return ""
    parts = [str(band.get("applies_to") or ""), str(band.get("source") or ""), _STATUS_WORDS.get(str(band.get("status")), "")]
    return ", ".join(dict.fromkeys(p for p in parts if p))


def chance(share: float) -> str:
    """A probability in whole percent. It was rounded when it was stored, and no measurement makes 0 or 100 % of it."""
    return percent(min(max(share, 1e-6), 1 - 1e-6))


def balls(n: int) -> str:
    """`1 ball`, `3 balls`."""
    return f"{n}{NBSP}ball{'' if n == 1 else 's'}"


def evidence_of(finding: Finding, metric: Metric | None) -> tuple[float | None, tuple[float, float] | None, Any, str, int]:
    """Value, 95 % interval, band, unit and count of a finding: its own evidence first, its metric where the evidence is silent."""
    own = finding.evidence
    value = own.get("value", metric.value if metric else None)
    ci95 = own.get("ci95") or (metric.ci95 if metric else None)
    band = own.get("band") or (metric.band.model_dump() if metric and metric.band else None)
    unit = own.get("unit") or (metric.unit if metric else "")
    return value, tuple(ci95) if ci95 else None, band, unit, own.get("n", metric.n if metric else 0)


def moments_of(finding: Finding) -> tuple[Moment, ...]:
    """When a finding is to be seen: its worst frames, else the times of its evidence."""
    worst = finding.video_evidence.worst_frames
    if worst:
        return tuple(Moment(m.timestamp, m.frame, m.t_s) for m in worst)
    pairs = zip(finding.evidence.get("t_s") or [], finding.evidence.get("frames") or [], strict=False)
    return tuple(Moment(clock(t), frame, t) for t, frame in pairs)


def stills_of(finding: Finding) -> tuple[StillView, ...]:
    """The pictures that its evidence names, the first few, in the order of the balls."""
    named = [still for still in finding.evidence.get("stills") or [] if isinstance(still, Mapping)]
    return tuple(
        StillView(still["delivery"], still["event"], f"Ball{NBSP}{still['delivery']}, {words(still['event'])}", clock(still["t_s"]))
        for still in named[:MOST_STILLS]
    )


def named_drill(text: str, how_by_drill: Mapping[str, str]) -> tuple[str, str]:
    """(name, how) of a drill given as its name alone, or as `Name: how it goes.`; how is empty where nothing says it."""
    name, colon, how = text.partition(": ")
    if text in how_by_drill or not colon:
        name, how = text, how_by_drill.get(text, "")
    how = how.removeprefix(f"{name}: ").strip()
    return name, how[:1].upper() + how[1:]


def finding_view(finding: Finding, metric: Metric | None, how_by_drill: Mapping[str, str]) -> FindingView:
    """One finding with everything the page says of it. `how_by_drill` explains a drill by its name."""
    value, ci95, band, unit, n = evidence_of(finding, metric)
    singles = [d.value for d in metric.per_delivery] if metric else []
    return FindingView(
        title=finding.title,
        message=finding.message,
        severity=finding.severity,
        kind=finding.kind,
        value=value_with_interval(value, ci95, unit) if value is not None else "",
        band=band_words(band, unit),
        band_note=band_note(band),
        bar=range_bar_svg(value, ci95, band_limits(band), unit, per_delivery=singles) if value is not None else None,
        balls=balls(n) if value is not None else "",
        chance_outside=chance(finding.confidence) if finding.confidence is not None and finding.kind == "technique" else "",
        why=finding.why_it_matters,
        cues=tuple(finding.cues),
        drills=tuple(named_drill(text, how_by_drill) for text in finding.suggested_drills),
        moments=moments_of(finding),
        confirm=finding.what_would_confirm.text if finding.what_would_confirm else "",
        stills=stills_of(finding),
    )


def watch_view(watch: Watch, metric: Metric | None) -> WatchView:
    """Something to watch with its figure."""
    own = watch.evidence
    value, unit = own.get("value"), str(own.get("unit") or "")
    ci95 = tuple(own["ci95"]) if own.get("ci95") else None
    singles = [d.value for d in metric.per_delivery] if metric else []
    return WatchView(
        title=watch.title,
        value=value_with_interval(value, ci95, unit) if value is not None else "",
        bar=range_bar_svg(value, ci95, band_limits(own.get("band")), unit, per_delivery=singles) if value is not None else None,
        message=watch.message,
        chance_outside=chance(watch.probability_outside),
        confirm=watch.what_would_confirm.text if watch.what_would_confirm else "",
    )


def style_view(note: StyleNote) -> StyleView:
    """A style note with its class or its number."""
    figure = value_with_interval(note.value, None, note.unit) if note.value is not None else ""
    return StyleView(note.label, note.category or figure, note.message, note.source)


def metric_row(metric: Metric) -> MetricRow | None:
    """The table row of a metric, or None when it was not measured."""
    if metric.value is None and metric.category is None:
        return None
    band = metric.band.model_dump() if metric.band else None
    singles = [d.value for d in metric.per_delivery]
    value, bar = metric.category or "", None
    if metric.value is not None:
        value = value_with_interval(metric.value, metric.ci95, metric.unit).replace(" to ", f"{NBSP}to{NBSP}")
        bar = range_bar_svg(metric.value, metric.ci95, band_limits(band), metric.unit, per_delivery=singles, labelled=False)
    return MetricRow(
        label=metric.label,
        value=value,
        category=metric.category or "" if metric.value is not None else "",
        bar=bar,
        band=band_words(band, metric.unit),
        band_note=band_note(band),
        balls=metric.n,
        spread=f"±{NBSP}{number(metric.spread, decimals(metric.spread))}" if metric.spread is not None else "",
        in_band=chance(metric.score) if metric.score is not None and band and metric.judged else "",
        definition=_CATALOGUE_NAME.sub("", metric.definition),
        not_judged=metric.why_not_judged or "" if band and not metric.judged else "",
    )


def gaps(results: AnalysisResults, findings: Findings | None) -> tuple[Gap, ...]:
    """What could not be measured, metrics with the same reason and remedy together, each metric once."""
    stated = [(m.label, m.reason, m.how_to_film or "") for m in findings.not_measured] if findings else []
    named = {m.metric for m in findings.not_measured} if findings else set()
    stated += [
        (m.label, m.reason or "No reason was given.", "")
        for key, m in results.metrics.metrics.items()
        if m.value is None and m.category is None and key not in named
    ]
    grouped: dict[tuple[str, str], list[str]] = {}
    for label, reason, how in stated:
        grouped.setdefault((reason, how), []).append(label)
    return tuple(Gap(tuple(labels), reason, how) for (reason, how), labels in grouped.items())


def chosen_findings(findings: Findings | None) -> tuple[list[Finding], list[Finding]]:
    """(what the page leads with, filming notes): at most three technique findings, and quality findings apart; these lead if alone."""
    if findings is None:
        return [], []
    technique = [f for f in findings.findings if f.kind == "technique"][:MAX_FINDINGS]
    quality = [f for f in findings.findings if f.kind == "quality"]
    return (technique, quality) if technique else (quality[:MAX_FINDINGS], [])


def facts(results: AnalysisResults, findings: Findings | None) -> list[tuple[str, str, str]]:
    """The few figures at the top of the page: (name, value, remark)."""
    pose = results.pose_summary
    told = [
        ("Player found", f"{pose.detection_rate_percent:.0f}{NBSP}%", f"of {pose.sampled_frames} frames looked at"),
        ("Balls", str(len(results.metrics.deliveries)), f"in {clock(pose.duration_s)} of video"),
    ]
    if findings and findings.confidence_label is not None:
        score = percent(findings.confidence_score) if findings.confidence_score is not None else ""
        told.insert(0, ("Trust in the measurements", findings.confidence_label, score))
    if findings and findings.overall_level is not None:
        told.insert(0, ("Overall", findings.overall_level, "high is good"))
    return told


def other_drills(report: Report | None, shown: list[FindingView]) -> list[tuple[str, str]]:
    """Drills of the report that no shown finding names."""
    named = {name for view in shown for name, _ in view.drills}
    listed = [named_drill(d.name, {d.name: d.how}) for d in report.drills] if report else []
    return [drill for drill in listed if drill[0] not in named]


def week(report: Report | None) -> list[str]:
    """What to do on each day of the plan."""
    plain = [_DAY_NAME.sub("", line) for line in report.one_week_plan] if report else []
    return [line[:1].upper() + line[1:] for line in plain]


def how_sure(findings: Findings | None, report: Report | None) -> list[str]:
    """Every remark on how far to trust the page. The report's notes are left out where they are the findings' reasons over again."""
    overall = [findings.overall_level_reason] if findings and findings.overall_level_reason else []
    reasons = findings.confidence_reasons if findings else []
    notes = report.notes if report and report.notes != reasons else []
    return [*overall, *reasons, *notes]
