"""The report on paper: one PDF, set by Typst, with nothing fetched and nothing left to chance.

Belongs here: the view and the pictures -> bytes. Does not belong here: what is said (`report_view`), how it looks (`templates/report.typ`).

The same analysis gives the same bytes: the date in the file is that of the analysis, and the fonts are those that come with Typst. Only
where a text holds letters that these have not (a name in Devanagari) the machine's own fonts help out. The file is tagged (PDF/UA-1, unless
no font has some letter), so that a screen reader reads it in order and every picture has words.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markupsafe import Markup

from cricksy_pipeline.reading.report.report_view import ReportView
from cricksy_pipeline.reading.report.stills import Key, Stills

STANDARD = "ua-1"
_MAIN = "main.typ"
_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")
_INK, _QUIET, _FIELD, _BALL = "#17201b", "#55625a", "#2a7650", "#a62b33"
# The page's rules for drawings, for paper. Letters are larger than on the screen: a plot is printed 83 mm wide.
_PRINTED = f"""
text {{ font-family: 'Libertinus Serif'; font-size: 13px; fill: {_INK} }}
text.quiet {{ fill: {_QUIET} }}
.event-label {{ fill: {_BALL}; font-size: 12px; paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }}
.value-label {{ font-weight: 600; font-size: 15px }}
.band {{ fill: {_FIELD}; fill-opacity: .25 }}
.band-end {{ stroke: {_FIELD} }}
.event {{ stroke: {_BALL}; stroke-opacity: .8 }}
.outside .whisker {{ stroke: {_BALL} }}
.outside .value {{ fill: {_BALL} }}
.inside .whisker {{ stroke: {_FIELD} }}
.inside .value {{ fill: {_FIELD} }}
"""
_LABEL = re.compile(r'aria-label="([^"]*)"')


def render_report_pdf(view: ReportView, *, player_png: bytes | None = None, stills: Stills | None = None) -> bytes:
    """The whole report as PDF, A4.

    Args:
        view: what it says. A heading without `analysed_at` leaves the date out.
        player_png: PNG or JPEG of the player; None leaves it out.
        stills: of each ball, from `stills.cut_stills`; None leaves them out.

    Raises:
        RuntimeError: Typst cannot set it, e.g. a picture is none.
    """
    import typst

    sources = _sources(view, player_png, stills or Stills())
    when = view.heading.analysed_at or datetime.fromtimestamp(0, UTC)
    with TemporaryDirectory(prefix="cricksy-pdf-") as folder:  # what Typst takes from memory must be text, and pictures are none
        for name, content in sources.items():
            (Path(folder) / name).write_bytes(content)
        options = {
            "root": folder,
            "format": "pdf",
            "font_paths": _fonts(_beyond_own_fonts(sources["data.json"].decode())),
            "timestamp": when.astimezone(UTC).replace(microsecond=0),
        }
        try:
            return typst.compile(Path(folder) / _MAIN, pdf_standards=[STANDARD], **options)
        except typst.TypstError:
            # The standard refuses a letter for which no font has a form. A title with one is no reason to have no report: such a file
            # claims no standard, and shows a box there.
            return typst.compile(Path(folder) / _MAIN, **options)


def report_pdf_problem(data: bytes, job_id: str) -> str | None:
    """Why the bytes cannot be the PDF of this job; None: they can. The job is named in the file's metadata, which are plain text."""
    if not data.startswith(b"%PDF-") or not data.rstrip().endswith(b"%%EOF"):
        return "not a whole PDF"
    return None if job_id.encode() in data else "it does not name this job"


def _sources(view: ReportView, player_png: bytes | None, stills: Stills) -> dict[str, bytes]:
    """What Typst reads, by name: the template, the data, the pictures. Names are made here: none comes from the data."""
    parts = _Files()
    data = parts.plain(asdict(view))
    pictures = {key: parts.add(picture, _suffix(picture)) for key, picture in stills.pictures.items()}
    data["heading"] = {
        "title": view.heading.title,
        "job_id": view.heading.job_id,
        "player": view.heading.player,
        "analysed_on": view.heading.analysed_on,
    }
    data["picture"] = _player(view, parts, player_png)
    data["strip"] = _strip(stills, pictures)
    data["plots"] = [{"label": plot.label, **parts.drawing(plot.drawing)} for plot in view.plots if plot.drawing.startswith("<svg")]
    for finding, shown in zip(data["findings"], view.findings, strict=True):
        finding["stills"] = [
            {"file": pictures[one.key], "alt": _still_alt(one.caption), "caption": one.caption, "when": one.clock}
            for one in shown.stills
            if one.key in pictures
        ]
    parts.files["data.json"] = json.dumps(data, ensure_ascii=False, sort_keys=True, default=str).encode()
    return {_MAIN: _template(), **parts.files}


class _Files:
    """The pictures of one document under names of our own."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def add(self, content: bytes, suffix: str) -> str:
        name = f"picture-{len(self.files)}.{suffix}"
        self.files[name] = content
        return name

    def drawing(self, svg: Markup) -> dict[str, str]:
        """A drawing as a file, with the words that it has for those who do not see it."""
        spoken = _LABEL.search(svg)
        return {"file": self.add(printed(svg), "svg"), "alt": Markup(spoken.group(1)).unescape() if spoken else "drawing"}

    def plain(self, value: Any) -> Any:
        """The view as JSON values, its drawings as files."""
        if isinstance(value, Markup):
            return self.drawing(value) if value.startswith("<svg") else None
        if isinstance(value, dict):
            return {key: self.plain(part) for key, part in value.items() if key not in ("plots", "heading")}
        return [self.plain(part) for part in value] if isinstance(value, (list, tuple)) else value


def printed(svg: Markup) -> bytes:
    """A drawing of ours with the colours and letters of the printed page in it, for it takes them from the HTML page else."""
    opened, close, rest = svg.partition(">")
    return f'{opened} color="{_INK}"{close}<style>{_PRINTED}</style>{rest}'.encode()


def _player(view: ReportView, parts: _Files, picture: bytes | None) -> dict[str, str] | None:
    if picture is None:
        return None
    told = (
        ("The player as found in the video, with the estimated skeleton drawn over the body",
         "Is this your player? Orange is the player’s left side, blue the right.")
        if view.player_found
        else ("A frame of the video in which nobody was found", "A frame of the video. Nobody was found in it.")
    )  # fmt: skip
    return {"file": parts.add(picture, _suffix(picture)), "alt": told[0], "caption": told[1]}


def _strip(stills: Stills, pictures: Mapping[Key, str]) -> list[dict[str, Any]]:
    return [
        {
            "ball": ball,
            "stills": [
                {"file": pictures[one.key], "alt": _still_alt(f"Ball {ball}, {one.name}"), "caption": one.name, "when": one.when}
                for one in captions
            ],
        }
        for ball, captions in stills.rows
    ]


def _still_alt(caption: str) -> str:
    return f"{caption}: the player with the skeleton"


def _suffix(picture: bytes) -> str:
    return "png" if picture.startswith(b"\x89PNG") else "jpg"


def _beyond_own_fonts(text: str) -> bool:
    """Whether a letter is of a script for which Typst brings no font."""
    others = {letter for letter in text if ord(letter) > 0x24F and unicodedata.category(letter)[0] in "LM"}
    return any(not unicodedata.name(letter, "").startswith((*_SCRIPTS, "COMBINING")) for letter in others)


@cache
def _fonts(with_the_machines: bool) -> Any:
    import typst

    return typst.Fonts(include_system_fonts=with_the_machines, include_embedded_fonts=True)


@cache
def _template() -> bytes:
    return (files("cricksy_pipeline.reading.report") / "templates" / "report.typ").read_bytes()
