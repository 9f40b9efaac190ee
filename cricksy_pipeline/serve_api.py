"""The API as a server runs it: `uvicorn --factory cricksy_pipeline.serve_api:app`. Nothing else belongs here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cricksy_pipeline import stack
from cricksy_pipeline.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


def app() -> FastAPI:
    """The API over what the settings name."""
    from cricksy_pipeline.reading.api.app import create_app

    settings = Settings()
    return create_app(
        jobs=stack.open_job_store(settings),
        objects=stack.open_object_store(settings),
        access=stack.open_access(settings),
        most_bytes=settings.max_video_bytes,
        most_seconds=settings.max_video_seconds,
    )
