"""The published description of the API: OpenAPI with operation ids that a client can use and examples that are real.

Belongs here: what FastAPI does not say by itself. Does not belong here: the routes; the examples (`examples/`, recorded from a running
stack, and held against their models by a test).
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

ABOUT = """Analyses of cricketers' videos: sessions, uploads that go straight to the store, progress as it happens, results as documents and
files.

Errors are `application/problem+json` (RFC 9457) with one of our codes. What is not yours is not there: 404. Lists give pages; hand
`next_cursor` back as you got it. Reads have ETags."""

TAGS = [
    {"name": "sessions", "description": "A coach's titled folder for one video and its analyses."},
    {"name": "uploads", "description": "A video on its way to the store. It has the id of the job that waits for it."},
    {"name": "analyses", "description": "Analyses of a video: how far they are, what they found."},
    {"name": "files", "description": "What an analysis leaves, as files. Byte ranges (RFC 9110, section 14), ETags."},
    {"name": "service", "description": "Whether it is there."},
]


def examples() -> dict[str, dict[str, Any]]:
    """By name of the model: named examples of it. Real documents; long lists in them are cut short."""
    folder = files("cricksy_pipeline.reading.api") / "examples"
    return {path.name.removesuffix(".json"): json.loads(path.read_text()) for path in folder.iterdir() if path.name.endswith(".json")}


def describe(app: FastAPI) -> None:
    """Let the app publish this description. After the last route."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.operation_id or route.name

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes, tags=TAGS)
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's own shape of a bad request; ours is a Problem
        schema["components"]["schemas"].pop(unused, None)
    known = examples()
    named = {f"{model}.{name}": {"value": value} for model, values in known.items() for name, value in values.items()}
    schema["components"]["examples"] = named
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, answer in operation.get("responses", {}).items():
                if not status.startswith("2"):
                    _as_problem(answer)
                # What was just asked for waits.
                _add_examples(answer.get("content", {}), known, just="queued" if status == "202" else None)
            _add_examples(operation.get("requestBody", {}).get("content", {}), known)
    return schema


def _as_problem(answer: dict[str, Any]) -> None:
    """FastAPI says `application/json` of every model, and of a request that cannot be understood a shape of its own."""
    content = answer.get("content", {})
    if "application/json" in content:
        content.pop("application/json")
        content["application/problem+json"] = {"schema": {"$ref": "#/components/schemas/Problem"}}


def _add_examples(content: dict[str, Any], known: dict[str, dict[str, Any]], *, just: str | None = None) -> None:
    for media in content.values():
        model = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
        names = known.get(model, {})
        if names:
            shown = [just] if just in names else names
            media["examples"] = {name: {"$ref": f"#/components/examples/{model}.{name}"} for name in shown}


def openapi_text() -> str:
    """The description as it is committed: of an app over a folder, which has all routes. Nothing is opened."""
    from cricksy_pipeline.reading.api.access import Access
    from cricksy_pipeline.reading.api.app import create_app
    from cricksy_pipeline.store.database import make_engine
    from cricksy_pipeline.store.jobs import JobStore
    from cricksy_pipeline.store.objects import LocalObjectStore

    nothing = JobStore(make_engine("postgresql://nobody@localhost/nothing"))
    app = create_app(jobs=nothing, objects=LocalObjectStore(Path("nowhere")), access=Access.on_the_embedded_stack(bytes(32)))
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
