"""The report as one self-contained HTML file: works from a mail attachment, asks the network for nothing.

Belongs here: documents and pictures -> one string. Does not belong here: what is shown (`view`), how it looks (`templates/`).
Everything from data is escaped; only drawings made in this room (`Markup`) enter as they are. A content security policy in the page
itself forbids scripts and every request, so that a mistake here cannot become one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from typing import Any

from markupsafe import Markup

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings, Report
from cricksy_pipeline.reading.drawing.plots import series_svg
from cricksy_pipeline.reading.drawing.strips import as_jpeg
from cricksy_pipeline.reading.report import view as report_view
from cricksy_pipeline.reading.report.judged import judged_on

_SIGNATURES = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


@cache
def _template():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("cricksy_pipeline.reading.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def picture_data_uri(picture: bytes) -> str:
    """The picture as a data address. Raises ValueError for anything but PNG or JPEG."""
    for signature, kind in _SIGNATURES:
        if picture.startswith(signature):
            return f"data:{kind};base64,{base64.b64encode(picture).decode()}"
    raise ValueError("the player picture is neither PNG nor JPEG")


def default_plots(results: AnalysisResults) -> dict[str, Markup]:
    """Every series that was read, drawn with the bands that are for it and the events of all deliveries."""
    block = results.metrics
    events = [event for delivery in block.deliveries for event in delivery.events]
    drawn = {name: s for name, s in block.series.items() if any(v is not None for v in s.value)}
    return {name: series_svg(s, events, judged_on(block, name)) for name, s in drawn.items()}


def _plot_views(results: AnalysisResults, plots: Mapping[str, str] | None) -> list[tuple[str, Markup]]:
    """(label, drawing) per plot. Raises TypeError for a string that was not made by this room: it cannot be trusted unescaped."""
    drawings = default_plots(results) if plots is None else plots
    for name, drawing in drawings.items():
        if not isinstance(drawing, Markup):
            raise TypeError(f"plot {name!r} must be the Markup that series_svg returns, not {type(drawing).__name__}")
    labels = {name: series.label for name, series in results.metrics.series.items()}
    return [(labels.get(name, name), drawing) for name, drawing in drawings.items()]


def render_report_html(
    *,
    results: AnalysisResults | Mapping[str, Any],
    findings: Findings | Mapping[str, Any] | None,
    report: Report | Mapping[str, Any] | None,
    player_png: bytes | None,
    strip_png: bytes | None = None,
    plots: Mapping[str, str] | None = None,
    title: str,
    job_id: str,
) -> str:
    """The whole page.

    Args:
        results: of the deep pass, or of the quick pass where that is all there is.
        findings: None: the page says that they are not there.
        report: None: no plan and no summary.
        player_png: PNG or JPEG of the player, e.g. from `pictures.player_picture`; None leaves it out.
        strip_png: the stills of each ball, from `strips.strip_png`; None, or no ball in the results, leaves it out.
        plots: by series name, from `plots.series_svg`; None draws every series of `results`.
        title: the session's title, as the coach wrote it.
        job_id: printed at the foot.

    Raises:
        pydantic.ValidationError: a document does not have its shape.
        ValueError: a picture is none.
        TypeError: a plot is a plain string.
    """
    results = AnalysisResults.model_validate(results)
    findings = None if findings is None else Findings.model_validate(findings)
    report = None if report is None else Report.model_validate(report)

    leading, filming = report_view.chosen_findings(findings)
    how_by_drill = {drill.name: drill.how for drill in report.drills} if report else {}
    metrics = results.metrics.metrics
    first = findings.priority if findings else None
    views = [report_view.finding_view(f, metrics.get(f.metric or ""), how_by_drill) for f in leading]
    filming_views = [report_view.finding_view(f, metrics.get(f.metric or ""), how_by_drill) for f in filming]
    return _template().render(
        title=title,
        job_id=job_id,
        mode=results.meta.analysis_mode.value,
        pass_name=results.meta.pass_name,
        facts=report_view.facts(results, findings),
        findings=views,
        why_first=first.why_first if first and leading and leading[0].code == first.code else "",
        watched=[report_view.watch_view(w, metrics.get(w.metric)) for w in findings.watch] if findings else [],
        style_notes=[report_view.style_view(note) for note in findings.style_notes] if findings else [],
        not_offered=results.metrics.not_offered,
        strip=picture_data_uri(as_jpeg(strip_png)) if strip_png and results.metrics.deliveries else None,
        filming=filming_views,
        has_findings=findings is not None,
        how_sure=report_view.how_sure(findings, report),
        rows=[row for row in map(report_view.metric_row, metrics.values()) if row],
        gaps=report_view.gaps(results, findings),
        plots=_plot_views(results, plots),
        report=report,
        week=report_view.week(report),
        other_drills=report_view.other_drills(report, views),
        picture=picture_data_uri(player_png) if player_png else None,
        pose=results.pose_summary,
        meta=results.meta,
    )
