"""The report as one self-contained HTML file: works from a mail attachment, asks the network for nothing.

Belongs here: documents and pictures -> one string. Does not belong here: what is shown (`report_view`), how it looks (`templates/`).
Everything from data is escaped; only drawings made in this room (`Markup`) enter as they are. A content security policy in the page
itself forbids scripts and every request, so that a mistake here cannot become one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import cache
from typing import Any

from markupsafe import escape

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings, Report
from cricksy_pipeline.reading.drawing.strips import as_jpeg
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline.reading.report.report_view import report_view

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


def render_report_html(
    *,
    results: AnalysisResults | Mapping[str, Any],
    findings: Findings | Mapping[str, Any] | None,
    report: Report | Mapping[str, Any] | None,
    heading: Heading,
    player_png: bytes | None,
    strip_png: bytes | None = None,
    stills: Mapping[tuple[int, str], bytes] | None = None,
    plots: Mapping[str, str] | None = None,
) -> str:
    """The whole page.

    Args:
        results: of the deep pass, or of the quick pass where that is all there is.
        findings: None: the page says that they are not there.
        report: None: no plan and no summary.
        heading: whose it is, and of when.
        player_png: PNG or JPEG of the player, e.g. from `pictures.player_picture`; None leaves it out.
        strip_png: the stills of each ball, from `strips.strip_png`; None, or no ball in the results, leaves it out.
        stills: single stills by (ball, event), from `stills.cut_stills`, PNG or JPEG; a finding shows those that its evidence names.
        plots: by series name, from `plots.series_svg`; None draws every series of `results`.

    Raises:
        pydantic.ValidationError: a document does not have its shape.
        ValueError: a picture is none.
        TypeError: a plot is a plain string.
    """
    view = report_view(results, findings, report, heading, plots=plots)
    return _template().render(
        view=view,
        strip=picture_data_uri(as_jpeg(strip_png)) if strip_png and view.balls.balls else None,
        stills={key: picture_data_uri(still) for key, still in (stills or {}).items()},
        picture=picture_data_uri(player_png) if player_png else None,
    )


def report_html_problem(data: bytes, job_id: str) -> str | None:
    """Why the bytes cannot be the page of this job; None: they can."""
    if not data.startswith(b"<!doctype html>") or not data.rstrip().endswith(b"</html>"):
        return "not a whole HTML page"
    return None if escape(job_id).encode() in data else "it does not name this job"
