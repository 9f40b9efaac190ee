"""The page of one analysis: the notice above it, the report's view, the video, the plots, what can be taken away.

Belongs here: one row -> what the template prints. Does not belong here: what a report says (`reading.report.report_view`, the same for
page, HTML and PDF), the words of a standing (`standing`), the earlier system's documents (`legacy_view`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pydantic import ValidationError

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.reading.api.job_paths import JOB_PATH
from cricksy_pipeline.reading.pages.comparison_view import ComparisonView
from cricksy_pipeline.reading.pages.legacy_view import LegacyView, legacy_view
from cricksy_pipeline.reading.pages.sessions_view import day
from cricksy_pipeline.reading.pages.standing import Notice, State, notice_of, state_of
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline.reading.report.report_view import ReportView, default_plots, report_view
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead, hidden_passes, read_job
from cricksy_pipeline.store.keys import Output, pass_of
from cricksy_pipeline.store.models import VideoAnalysisJob, VideoSession
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.overlays import ShownOverlay, is_overlay, shown_overlay


@dataclass(frozen=True)
class NamedPlot:
    """A curve with the name of its series, by which the page finds its readings in the playback document."""

    name: str
    label: str
    drawing: Markup


@dataclass(frozen=True)
class Download:
    """Something to take away. `download`: save it instead of opening it."""

    href: str
    label: str
    about: str
    download: bool


@dataclass(frozen=True)
class AnalysisPage:
    """Everything that the page prints.

    Attributes:
        facts: one line below the title.
        notice: None above a finished analysis.
        view: the report; None where there is nothing to read yet, and for the earlier system's.
        legacy: the earlier system's words.
        video: address of the uploaded video; None where it is not kept, or there is nothing to draw over it.
        width, height: of the upright picture, pixels.
        picture: address of the still of the player. strip: of the stills of each ball.
        plots: the curves; `first_plot` is shown first, the one that the first finding was read from.
    """

    job_id: str
    session_id: str
    title: str
    facts: str
    state: State
    notice: Notice | None
    view: ReportView | None
    legacy: LegacyView | None
    video: str | None
    width: int
    height: int
    picture: str | None
    strip: str | None
    plots: tuple[NamedPlot, ...]
    first_plot: str
    downloads: tuple[Download, ...]
    comparison: ComparisonView | None = None


def analysis_page(row: VideoAnalysisJob, session: VideoSession, objects: ObjectStore) -> AnalysisPage:
    """The page of one job.

    Raises:
        CricksyError: STORE_UNAVAILABLE.
    """
    read = read_job(row, objects)
    heading = Heading(session.title or "Without a title", row.id, tuple(session.player_ids or ()), read.started_at)
    passname, results = _readable(read)
    view, plots = _view(read, passname, results, heading) if results else (None, ())
    old = legacy_view(read) if results is None else None
    api = JOB_PATH.format(job_id=row.id)
    notice = notice_of(
        row,
        api=api,
        first_look=passname == "quick" and read.deep_enabled,
        replaced=bool(row.superseded) and results is not None,
        readable=results is not None,
    )
    shown = results is not None and passname is not None
    return AnalysisPage(
        job_id=row.id,
        session_id=row.session_id,
        title=heading.title,
        facts=" · ".join(part for part in (_kind(view, read), heading.player, day(read.created_at)) if part),
        state=state_of(row),
        notice=notice,
        view=view,
        legacy=old,
        video=_video(read, row, objects) if shown and has_output(row, FRAMES_OF_PASS[passname]) else None,
        width=results.pose_summary.width if results else 16,
        height=results.pose_summary.height if results else 9,
        picture=_file(row, api, Output.PLAYER_IMAGE if passname == "deep" else Output.QUICK_PLAYER_IMAGE) if shown else None,
        strip=_file(row, api, Output.DEEP_MOMENTS_IMAGE) if view and passname == "deep" and view.balls.balls else None,
        plots=plots,
        first_plot=_first_plot(results, getattr(read, f"{passname}_findings") if results else None, plots),
        downloads=downloads_of(row, api, view.balls.balls if view else (), session.blur_faces) if shown else (),
    )


FRAMES_OF_PASS = {"deep": Output.DEEP_FRAMES, "quick": Output.QUICK_FRAMES}


def shown_pass(read: VideoAnalysisJobRead) -> str | None:
    """`deep` where its findings are here, else `quick`, as far as there are results; None where there are none."""
    if read.deep_results and read.deep_findings:
        return "deep"
    return "quick" if read.quick_results else "deep" if read.deep_results else None


def has_output(row: VideoAnalysisJob, output: Output) -> bool:
    """Whether a reader may be shown this output of the job. Nothing is asked of the store."""
    if pass_of(output) in hidden_passes(row):
        return False
    try:
        return row.shown_key(output) is not None
    except ValueError:  # rows of the earlier system may hold a key that no store of ours accepts
        return False


def _readable(read: VideoAnalysisJobRead) -> tuple[str | None, AnalysisResults | None]:
    """The pass to show and its results; None where they are not in this system's shape."""
    passname = shown_pass(read)
    if passname is None:
        return None, None
    # Findings and report come from their own columns; inside the results they may be of an older shape.
    plain: dict[str, Any] = {**getattr(read, f"{passname}_results"), "findings": None, "report": None}
    try:
        return passname, AnalysisResults.model_validate(plain)
    except ValidationError:
        return passname, None


def _view(
    read: VideoAnalysisJobRead, passname: str | None, results: AnalysisResults, heading: Heading
) -> tuple[ReportView | None, tuple[NamedPlot, ...]]:
    drawings = default_plots(results)
    try:
        view = report_view(results, getattr(read, f"{passname}_findings"), getattr(read, f"{passname}_report"), heading, plots=drawings)
    except ValidationError:  # findings or report of an older version: the measurements can still be read
        view = report_view(results, None, None, heading, plots=drawings)
    plots = (NamedPlot(name, results.metrics.series[name].label, drawing) for name, drawing in drawings.items())
    return view, tuple(plots)


def _first_plot(results: AnalysisResults | None, findings: dict[str, Any] | None, plots: tuple[NamedPlot, ...]) -> str:
    """The curve that the first finding with one was read from; without such a finding the first curve there is."""
    names = [plot.name for plot in plots]
    if results is None or not names:
        return ""
    found = (item.get("metric") for item in (findings or {}).get("findings") or [] if isinstance(item, dict))
    metrics = (results.metrics.metrics.get(str(key)) for key in found)
    return next((str(metric.series) for metric in metrics if metric and metric.series in names), names[0])


def _kind(view: ReportView | None, read: VideoAnalysisJobRead) -> str:
    return view.kind if view else f"{(read.analysis_mode or 'cricket').capitalize()} analysis"


def _video(read: VideoAnalysisJobRead, row: VideoAnalysisJob, objects: ObjectStore) -> str | None:
    """Where the browser plays the upload from; None where it was deleted, or lies in another bucket."""
    if not row.s3_key or row.s3_bucket != objects.bucket:
        return None
    # A folder would have to read the whole file to tell its head.
    if objects.local_path(row.s3_key) is None and objects.head(row.s3_key) is None:
        return None
    return read.video_stream.video_url if read.video_stream else f"{JOB_PATH.format(job_id=row.id)}/video"


def _file(row: VideoAnalysisJob, api: str, output: Output) -> str | None:
    return f"{api}/files/{output.value}" if has_output(row, output) else None


_OFFERED = (
    ("report.pdf", "report.pdf", "Report to print", "PDF", False),
    ("report.html", "report.html", "Report to send", "one HTML file, works from a mail", False),
    ("overlay.mp4", "overlay.mp4", "Video with skeleton", "MP4, to show on any phone", True),
    ("metrics.csv", "metrics.csv", "Every number", "CSV, a row for each ball and measure", True),
    ("landmarks.trc", "landmarks.trc", "Body points for biomechanics", "TRC", True),
    ("deep_frames.parquet", "landmarks.parquet", "Body points, as measured", "Parquet", True),
)
"""(output, address below the job, label, remark, save it). What a job does not have is not offered."""


def downloads_of(row: VideoAnalysisJob, api: str, balls: tuple[int, ...], blur_faces: bool | None) -> tuple[Download, ...]:
    """What can be taken away from this job: only what a stage recorded, and of films only what its address would answer with.

    Args:
        balls: their numbers, for the clips.
        blur_faces: what the session says now.
    """
    stored = (row.superseded or {}).get("stored_objects") if row.superseded else row.stored_objects
    named = {str(output) for output in stored or {}}
    hidden = hidden_passes(row)
    films = ShownOverlay("none") if "deep" in hidden else shown_overlay(row, blur_faces)
    named = {name for name in named if not is_overlay(name)} | ({str(Output.OVERLAY)} if films.key else set())
    whole = tuple(
        Download(f"{api}/{path}", label, about, save)
        for output, path, label, about, save in _OFFERED
        if output in named and pass_of(Output(output)) not in hidden
    )
    clips = tuple(
        Download(f"{api}/deliveries/{ball}.mp4", f"Clip of ball {ball}", "MP4, to send to the player", True)
        for ball in balls
        if ball in (films.clips or {})
    )
    return whole + clips
