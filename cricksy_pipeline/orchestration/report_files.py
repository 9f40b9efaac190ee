"""The report as files: the page, the PDF, the table of measures, the landmarks for biomechanists.

Belongs here: gathering what each of them is made of, and telling whether what is stored is one. Does not belong here: how they are made
(`reading.report`, `reading.exports`), where they go (`persist`).
"""

from __future__ import annotations

from collections.abc import Callable

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings, Report
from cricksy_pipeline.analysis.landmark_table import from_parquet
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.orchestration.work import stored_output
from cricksy_pipeline.reading.exports.landmarks_trc import landmarks_trc, landmarks_trc_problem
from cricksy_pipeline.reading.exports.metrics_csv import metrics_csv, metrics_csv_problem
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline.reading.report.html import render_report_html, report_html_problem
from cricksy_pipeline.reading.report.pdf import render_report_pdf, report_pdf_problem
from cricksy_pipeline.reading.report.report_view import default_plots, report_view
from cricksy_pipeline.reading.report.stills import cut_stills
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import ObjectMissing, ObjectStore

REPORT_FILES: tuple[Output, ...] = (Output.REPORT_HTML, Output.REPORT_PDF, Output.METRICS_CSV, Output.LANDMARKS_TRC)


def report_files(now: Stage, objects: ObjectStore, document: AnalysisResults, found: Findings, written: Report) -> dict[Output, bytes]:
    """Every file of the report, by output. Raises CricksyError GUARDRAIL_FAILED where what the deep pass stored is gone or damaged."""
    heading, landmarks = heading_of(now), stored_output(now.row, objects, Output.DEEP_FRAMES, from_parquet)
    player = strip = None
    if not heading.faces_blurred:
        player = stored_output(now.row, objects, Output.PLAYER_IMAGE, bytes)
        strip = stored_output(now.row, objects, Output.DEEP_MOMENTS_IMAGE, bytes)
    stills = cut_stills(strip, landmarks, document)
    plots = default_plots(document)
    page = render_report_html(
        results=document,
        findings=found,
        report=written,
        heading=heading,
        player_png=player,
        strip_png=strip,
        stills=stills.pictures,
        plots=plots,
    )
    view = report_view(document, found, written, heading, plots=plots)
    return {
        Output.REPORT_HTML: page.encode(),
        Output.REPORT_PDF: render_report_pdf(view, player_png=player, stills=stills),
        Output.METRICS_CSV: metrics_csv(document),
        Output.LANDMARKS_TRC: landmarks_trc(landmarks, rate=_rate(document), frames=document.pose_summary.total_frames),
    }


def quick_page(now: Stage, document: AnalysisResults, player: bytes) -> bytes:
    """The first look as a page, readable at QUICK_DONE. `player`: the picture of him."""
    heading = heading_of(now)
    return render_report_html(
        results=document,
        findings=document.findings,
        report=document.report,
        heading=heading,
        player_png=None if heading.faces_blurred else player,
    ).encode()


def heading_of(now: Stage) -> Heading:
    """Whose report it is: as the session says now; as of when this attempt began."""
    session = now.jobs.get_session(now.row.session_id)
    return Heading(session.title, now.job_id, tuple(session.player_ids or ()), now.row.started_at, bool(session.blur_faces))


def file_problems(now: Stage, objects: ObjectStore) -> dict[str, str | None]:
    """By file of the report, why what is stored is not it; None: it is. A store that is away is no answer, and raises."""
    document = AnalysisResults.model_validate(now.row.deep_results)
    says: dict[Output, Callable[[bytes], str | None]] = {
        Output.REPORT_HTML: lambda data: report_html_problem(data, now.job_id),
        Output.REPORT_PDF: lambda data: report_pdf_problem(data, now.job_id),
        Output.METRICS_CSV: lambda data: metrics_csv_problem(data, document),
        Output.LANDMARKS_TRC: lambda data: landmarks_trc_problem(data, document.pose_summary.total_frames),
    }
    return {str(output): _problem(now, objects, output, says[output]) for output in REPORT_FILES}


def _problem(now: Stage, objects: ObjectStore, output: Output, says: Callable[[bytes], str | None]) -> str | None:
    try:
        return says(objects.get(now.row.stored_key(output)))
    except ObjectMissing as error:
        return error.message


def _rate(document: AnalysisResults) -> float:
    """Frames a second of the video; of the grid, for a video of a single frame, which has none."""
    return document.pose_summary.video_fps or document.meta.sample_fps
