"""Everything that a report says, in the order in which it is read: the one view behind the HTML page, the PDF and the pages.

Belongs here: putting the parts of `view`, `balls` and the drawings together. Does not belong here: how a part is worded (`view`, `balls`),
markup (`templates/`), any judgement (`analysis.findings` made it already).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from markupsafe import Markup

from cricksy_pipeline.analysis.documents import AnalysisResults, Finding, Findings, PoseSummary, Report, ResultsMeta
from cricksy_pipeline.reading.drawing.plots import series_svg
from cricksy_pipeline.reading.report import view
from cricksy_pipeline.reading.report.balls import BallTable, ball_table
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline.reading.report.judged import judged_on

NO_FACES = "Without pictures, because this session asks that no face is shown in what is handed on."


def shows_no_faces(page: bytes) -> bool:
    """Whether a stored report page, and the PDF made with it, was made without pictures because faces are not to be shown."""
    return NO_FACES.encode() in page


@dataclass(frozen=True)
class Lead:
    """What is read first. `cue` in large letters; the others may be empty."""

    eyebrow: str
    cue: str
    title: str
    why_first: str


@dataclass(frozen=True)
class Plot:
    """A curve through the video: its label and its drawing."""

    label: str
    drawing: Markup


@dataclass(frozen=True)
class ReportView:
    """A whole report, ready to print. Tuples are empty where there is nothing to say.

    Attributes:
        kind: e.g. `Batting analysis`, `Batting analysis, first look`.
        picture_note: why there are no pictures; empty where nothing forbids them.
        player_found: whether anybody was found; without, the picture is of nobody.
        facts: (name, value, remark).
        findings: at most three, the most important first. filming: what to do better with the camera, apart.
        has_findings: False where findings are not there yet, which is not the same as nothing to change.
        not_offered: (name, reason). week: seven lines. other_drills: (name, how) of drills that no finding names.
        sections: (title, body) of the report in words.
        footage: what was looked at, one sentence. provenance: (name, value).
    """

    heading: Heading
    kind: str
    mode: str
    pass_name: str
    lead: Lead
    summary: str
    warning: str
    picture_note: str
    player_found: bool
    facts: tuple[tuple[str, str, str], ...]
    findings: tuple[view.FindingView, ...]
    filming: tuple[view.FindingView, ...]
    has_findings: bool
    watched: tuple[view.WatchView, ...]
    balls: BallTable
    rows: tuple[view.MetricRow, ...]
    style_notes: tuple[view.StyleView, ...]
    gaps: tuple[view.Gap, ...]
    not_offered: tuple[tuple[str, str], ...]
    plots: tuple[Plot, ...]
    week: tuple[str, ...]
    other_drills: tuple[tuple[str, str], ...]
    how_sure: tuple[str, ...]
    sections: tuple[tuple[str, str], ...]
    footage: str
    provenance: tuple[tuple[str, str], ...]


def report_view(
    results: AnalysisResults | Mapping[str, Any],
    findings: Findings | Mapping[str, Any] | None,
    report: Report | Mapping[str, Any] | None,
    heading: Heading,
    *,
    plots: Mapping[str, str] | None = None,
) -> ReportView:
    """The view of one pass.

    Args:
        results: of the deep pass, or of the quick pass where that is all there is.
        findings, report: None where they are not there.
        heading: whose, and of when.
        plots: drawings by series name, from `series_svg`; None draws every series of `results`, {} none.

    Raises:
        pydantic.ValidationError: a document does not have its shape.
        TypeError: a plot is a plain string.
    """
    results = AnalysisResults.model_validate(results)
    findings = None if findings is None else Findings.model_validate(findings)
    report = None if report is None else Report.model_validate(report)
    metrics, meta = results.metrics.metrics, results.meta
    how_by_drill = {drill.name: drill.how for drill in report.drills} if report else {}
    chosen = view.chosen_findings(findings)
    shown, filming = (tuple(view.finding_view(f, metrics.get(f.metric or ""), how_by_drill) for f in part) for part in chosen)
    mode = meta.analysis_mode.value
    return ReportView(
        heading=heading,
        kind=f"{mode.capitalize()} analysis" + (", first look" if meta.pass_name == "quick" else ""),
        mode=mode,
        pass_name=meta.pass_name,
        lead=_lead(findings, chosen[0], meta.pass_name),
        summary=report.summary if report else "",
        warning=(report.reliability_warning or "") if report else "",
        picture_note=NO_FACES if heading.faces_blurred else "",
        player_found=results.pose_summary.frames_with_pose > 0,
        facts=tuple(view.facts(results, findings)),
        findings=shown,
        filming=filming,
        has_findings=findings is not None,
        watched=tuple(view.watch_view(w, metrics.get(w.metric)) for w in findings.watch) if findings else (),
        balls=ball_table(results),
        rows=tuple(row for row in map(view.metric_row, metrics.values()) if row),
        style_notes=tuple(view.style_view(note) for note in findings.style_notes) if findings else (),
        gaps=view.gaps(results, findings),
        not_offered=tuple((item.name, item.reason) for item in results.metrics.not_offered),
        plots=_plots(results, plots),
        week=tuple(view.week(report)),
        other_drills=tuple(view.other_drills(report, list(shown))),
        how_sure=tuple(view.how_sure(findings, report)),
        sections=tuple((section.title, section.body) for section in report.sections) if report else (),
        footage=_footage(results.pose_summary, meta),
        provenance=_provenance(results.pose_summary, meta, heading),
    )


def default_plots(results: AnalysisResults) -> dict[str, Markup]:
    """Every series that was read, drawn with the bands that are for it and the events of all deliveries."""
    block = results.metrics
    events = [event for delivery in block.deliveries for event in delivery.events]
    drawn = {name: s for name, s in block.series.items() if any(v is not None for v in s.value)}
    return {name: series_svg(s, events, judged_on(block, name)) for name, s in drawn.items()}


def _plots(results: AnalysisResults, plots: Mapping[str, str] | None) -> tuple[Plot, ...]:
    """Raises TypeError for a string that was not made by the drawing room: it cannot be trusted unescaped."""
    drawings = default_plots(results) if plots is None else plots
    for name, drawing in drawings.items():
        if not isinstance(drawing, Markup):
            raise TypeError(f"plot {name!r} must be the Markup that series_svg returns, not {type(drawing).__name__}")
    labels = {name: series.label for name, series in results.metrics.series.items()}
    return tuple(Plot(labels.get(name, name), drawing) for name, drawing in drawings.items())


def _lead(findings: Findings | None, leading: list[Finding], pass_name: str) -> Lead:
    if findings is None:
        return Lead("Measurements only", "The findings are not there yet.", "", "")
    if not leading and findings.overall_level is None:
        # Where nothing was judged, as in a first look, "nothing stood out" would be more than is known.
        cue = "Too early to say what to work on." if pass_name == "quick" else "Nothing could be judged in this video."
        return Lead("Not judged", cue, findings.overall_level_reason or "", "")
    if not leading:
        return Lead("Nothing to change", "Nothing stood out that needs work.", "", "")
    first, priority = leading[0], findings.priority
    technique = first.kind == "technique"
    why = priority.why_first if priority and technique and priority.code == first.code else ""
    eyebrow = "Work on this first" if technique else "Before the next video"
    if not first.cues:
        return Lead(eyebrow, first.title, "", why)
    return Lead(eyebrow, first.cues[0], first.title + ("" if first.title[-1:] in ".!?" else "."), why)


def _footage(pose: PoseSummary, meta: ResultsMeta) -> str:
    rate = f"{pose.video_fps:.2f} frames a second{', variable rate' if pose.variable_rate else ''}; " if pose.video_fps else ""
    more = f" and {pose.burst_frames} more around the balls" if pose.burst_frames else ""
    looked = f"{pose.total_frames} frames, of which {pose.sampled_frames} were looked at at {meta.sample_fps:g} a second{more}"
    return f"{pose.width} × {pose.height} pixels, {rate}{looked}."


def _provenance(pose: PoseSummary, meta: ResultsMeta, heading: Heading) -> tuple[tuple[str, str], ...]:
    when = heading.analysed_at.astimezone(UTC).isoformat(timespec="seconds") if heading.analysed_at else ""
    told = (
        ("Job", heading.job_id),
        ("Analysed", when),
        ("Pose model", f"{pose.model} {pose.model_sha256[:12]}"),
        ("Deliveries sought with", f"{pose.finder} {pose.finder_sha256[:12]}" if pose.finder and pose.finder_sha256 else ""),
        ("Analysis version", meta.analysis_version),
        ("Code", meta.code_version),
        ("Video SHA-256", meta.source_sha256),
    )
    return tuple((name, value) for name, value in told if value)
