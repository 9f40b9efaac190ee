"""What an analysis leaves, as files: the source video, the overlay, clips, report, tables, pictures.

Belongs here: which addresses there are, and which object each means. Does not belong here: how an object is answered (`ranges`), which
keys there are (`store.keys`). A key comes from the row and the enum alone; nothing of a request is ever in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request, Response
from starlette.exceptions import HTTPException

from cricksy_pipeline.reading.api.access import OwnedJobId
from cricksy_pipeline.reading.api.conditional import IfNoneMatch
from cricksy_pipeline.reading.api.job_paths import JOB_PATH
from cricksy_pipeline.reading.api.problems import problems
from cricksy_pipeline.reading.api.ranges import answer_object
from cricksy_pipeline.reading.report.report_view import shows_no_faces
from cricksy_pipeline.store.job_read import hidden_passes
from cricksy_pipeline.store.job_standing import shown_row
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output, content_type_of, pass_of
from cricksy_pipeline.store.models import VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.overlays import ShownOverlay, shown_overlay

SERVED: dict[str, Output] = {name.value: name for name in Output}
"""File names that can be asked for."""

NAMED: dict[str, tuple[str, ...]] = {
    "report.html": ("report.html", "quick_report.html"),
    "report.pdf": ("report.pdf",),
    "metrics.csv": ("metrics.csv",),
    "landmarks.parquet": ("deep_frames.parquet", "quick_frames.parquet"),
    "landmarks.trc": ("landmarks.trc",),
}
"""Addresses with a name of their own, and the output that each means; of several, the first that there is."""

_ABOUT = {
    "report.html": "The stored report page; the quick pass's, as long as there is no other. It loads nothing and works from a mail.",
    "report.pdf": "The report for printing.",
    "metrics.csv": "One row for each delivery and metric.",
    "landmarks.parquet": "The player's landmarks in every frame that was looked at; the quick pass's, as long as there are no others.",
    "landmarks.trc": "The same for OpenSim and its like. Picture pixels, not metres.",
    "overlay.mp4": "The video with what was seen drawn over it. Byte ranges.",
}
_PAGE_OF = {"report.html": Output.REPORT_HTML, "report.pdf": Output.REPORT_HTML, "quick_report.html": Output.QUICK_REPORT_HTML}
"""What is handed on, by name, and the page that says whether it was made without faces."""

_KEPT = (".parquet", ".csv", ".trc")
"""What a browser saves and does not show."""

# The report carries its own policy; the header holds also where a browser opens another page of ours as one.
_PAGE_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox allow-popups allow-popups-to-escape-sandbox"


def _headers(name: str) -> dict[str, str]:
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'{"attachment" if name.endswith(_KEPT) else "inline"}; filename="{name}"',
    }
    return headers | ({"Content-Security-Policy": _PAGE_POLICY} if name.endswith(".html") else {})


def _answer(request: Request, objects: ObjectStore, keys: list[tuple[str, str]], asked: str) -> Response:
    """The first object that there is. `keys`: the name that it is served under, and its key."""
    try:
        found = ((name, objects.head(key)) for name, key in keys)
        name, head = next((each for each in found if each[1] is not None), (asked, None))
    except ValueError as error:  # rows of the earlier system may hold a key that no store of ours accepts
        raise HTTPException(404, f"This job has no {asked}.") from error
    if head is None:
        raise HTTPException(404, f"This job has no {asked} (yet).")
    return answer_object(request, objects, head, media_type=content_type_of(name), headers=_headers(name))


def _output_keys(row: VideoAnalysisJob, names: tuple[str, ...], asked: str) -> list[tuple[str, str]]:
    try:
        hidden = hidden_passes(row)
        outputs = [SERVED[name] for name in names if name in SERVED]
        shown = [(asked, row.shown_key(output)) for output in outputs if pass_of(output) not in hidden]
    except ValueError:
        return []
    return [(name, key) for name, key in shown if key]


def _demand_no_faces(jobs: JobStore, objects: ObjectStore, row: VideoAnalysisJob, found: list[tuple[str, str]], asked: str) -> None:
    """Refuse a report that was made before its session asked that no face is shown in what is handed on.

    Raises:
        HTTPException: 404, and what to do.
    """
    outputs = [_PAGE_OF[name] for name in NAMED.get(asked, (asked,)) if name in _PAGE_OF]
    session = jobs.get_session(row.session_id) if found and outputs else None
    if session is None or not session.blur_faces:
        return
    page = next((key for key in map(row.shown_key, outputs) if key and objects.head(key)), None)
    if page is None or not shows_no_faces(objects.get(page)):
        raise HTTPException(
            404, f"This {asked} shows faces, and the session now asks that none is shown. Analyse the video again to get one without."
        )


def _source_key(row: VideoAnalysisJob, objects: ObjectStore) -> list[tuple[str, str]]:
    key = row.s3_key or ""
    return [(f"video.{key.rpartition('.')[2].lower()}", key)] if key and row.s3_bucket in (None, objects.bucket) else []


def add_files(app: FastAPI, jobs: JobStore, objects: ObjectStore) -> None:
    """Register the routes: each for GET and HEAD."""

    def add(path: str, route: Callable[..., Response], name: str, about: str, media_type: str) -> None:
        binary = {"schema": {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}}
        answers: dict[int | str, dict[str, Any]] = {
            200: {"content": {media_type: binary}, "description": "All of it."},
            206: {"content": {media_type: binary}, "description": "The range that was asked for."},
            304: {"description": "The caller has it."},
            **problems(404, 416),
        }
        described = {"response_class": Response, "responses": answers, "tags": ["files"], "name": name}
        app.add_api_route(f"{JOB_PATH}/{path}", route, methods=["GET"], description=about, operation_id=f"get_{name}", **described)
        app.add_api_route(f"{JOB_PATH}/{path}", route, methods=["HEAD"], include_in_schema=False, **described)

    def video(request: Request, job_id: OwnedJobId, _seen: IfNoneMatch = None) -> Response:
        return _answer(request, objects, _source_key(shown_row(jobs.engine, job_id), objects), "video")

    add("video", video, "video", "The uploaded video, as it was uploaded. Byte ranges.", "video/*")

    def overlay(request: Request, job_id: OwnedJobId) -> Response:
        return _answer(request, objects, _overlay_key(_overlay(jobs, job_id)), Output.OVERLAY.value)

    def named(asked: str) -> Callable[..., Response]:
        def route(request: Request, job_id: OwnedJobId) -> Response:
            row = shown_row(jobs.engine, job_id)
            found = _output_keys(row, NAMED[asked], asked)
            _demand_no_faces(jobs, objects, row, found, asked)
            return _answer(request, objects, found, asked)

        return route

    for asked, about in _ABOUT.items():
        add(
            asked,
            overlay if asked == Output.OVERLAY else named(asked),
            asked.replace(".", "_"),
            about,
            content_type_of(asked).partition(";")[0],
        )

    def clip(request: Request, job_id: OwnedJobId, delivery: Annotated[int, Path(ge=1, le=999)]) -> Response:
        name = f"deliveries/{delivery}.mp4"
        return _answer(request, objects, _clip_key(_overlay(jobs, job_id), delivery), name)

    add("deliveries/{delivery}.mp4", clip, "delivery_clip", "A short clip of one delivery, by its number. Byte ranges.", "video/mp4")

    def stored_file(request: Request, job_id: OwnedJobId, name: str) -> Response:
        if name not in SERVED:
            raise HTTPException(404, "There is no file of that name; files are: " + ", ".join(sorted(SERVED)))
        if name == Output.OVERLAY:
            return overlay(request, job_id)
        row = shown_row(jobs.engine, job_id)
        found = _output_keys(row, (name,), name)
        _demand_no_faces(jobs, objects, row, found, name)
        return _answer(request, objects, found, name)

    add("files/{name}", stored_file, "stored_file", "One named output of the job: pictures, pages, JSON, tables.", "*/*")


def _overlay(jobs: JobStore, job_id: str) -> ShownOverlay:
    """What may be shown of the overlay now: never one whose faces can be seen where the session asks for blurred ones."""
    row = shown_row(jobs.engine, job_id)
    session = jobs.get_session(row.session_id)
    if session is None or "deep" in hidden_passes(row):
        return ShownOverlay("none")
    return shown_overlay(row, session.blur_faces)


def _overlay_key(shown: ShownOverlay) -> list[tuple[str, str]]:
    return [(Output.OVERLAY.value, shown.key)] if shown.key else []


def _clip_key(shown: ShownOverlay, delivery: int) -> list[tuple[str, str]]:
    key = (shown.clips or {}).get(delivery)
    return [(f"delivery-{delivery}.mp4", key)] if key else []
