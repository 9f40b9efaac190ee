"""Addresses that Dagster's pages point to: the page of an analysis, the API, stored objects, other pages of Dagster.

Belongs here: where things are as a browser sees them, and lists of them as markdown. Does not belong here: routes (`reading.api`), keys
(`store.keys`). The API's paths are repeated, because importing them would load the web framework into every run; a test holds them equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.keys import Output

JOBS_PATH = "/api/coaches/plus/analysis-jobs"
PAGES_PATH = "/analyses"

OWN_ROUTES = (".pdf", ".csv", ".trc", ".mp4")
"""Suffixes of outputs that have a route of their own, because they are downloaded or played; all others are asked for by file name."""


def page_url(settings: Settings, job_id: str) -> str:
    """The analysis as its coach sees it."""
    return f"{_base(settings)}{PAGES_PATH}/{quote(job_id)}"


def job_url(settings: Settings, job_id: str) -> str:
    """The row as the API answers it."""
    return f"{_base(settings)}{JOBS_PATH}/{quote(job_id)}"


def output_url(settings: Settings, job_id: str, name: str) -> str:
    """A stored output, as the API serves it."""
    place = name if name.endswith(OWN_ROUTES) else f"files/{name}"
    return f"{job_url(settings, job_id)}/{place}"


def run_path(run_id: str) -> str:
    """A run's page of the Dagster UI that shows the link."""
    return f"/runs/{run_id}"


def picture(settings: Settings, job_id: str, output: Output, alt: str) -> str:
    """A stored picture as markdown, which leads to it. It lies in the store: an inline PNG would be folded away, and kept for ever."""
    address = output_url(settings, job_id, output.value)
    return f"[![{alt}]({address})]({address})"


def output_links(settings: Settings, job_id: str, keys: Mapping[str, str]) -> str:
    """Markdown, one link an output."""
    return " · ".join(f"[{name}]({output_url(settings, job_id, name)})" for name in keys)


def _base(settings: Settings) -> str:
    return settings.public_url.rstrip("/")
