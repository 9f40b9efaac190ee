"""Errors as a page: what happened, and where to go from there.

Belongs here: exception -> status and words for a person in a browser. Does not belong here: the same for programs (`api.problems`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import HTMLResponse

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.pages.rendering import page
from cricksy_pipeline.store.deletion import UnknownSession
from cricksy_pipeline.store.sessions import UnknownJob

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProblemView:
    """`retry`: whether the same page may work in a moment."""

    eyebrow: str
    title: str
    detail: str
    retry: bool = False


_NOT_FOUND = ProblemView(
    "Not found", "There is nothing here", "The address is wrong, the session was deleted, or it belongs to somebody else."
)
_AWAY = ProblemView("For the moment", "This cannot be shown right now", "", retry=True)
_FAULT = ProblemView(
    "Our fault",
    "This page could not be made",
    "The fault is noted. Try once more, and tell us if it stays.",
    retry=True,
)


def _is_nonsense(error: Exception) -> bool:
    """An address that was not made by a page of ours, such as a cursor with a letter lost."""
    return isinstance(error, CricksyError) and error.code == ErrorCode.REQUEST_INVALID


def problem_page(request: Request, error: Exception) -> HTMLResponse:
    """The page for an error. What a server fault is in detail goes to the log, never to the reader."""
    if isinstance(error, (UnknownJob, UnknownSession)) or getattr(error, "status_code", None) == 404 or _is_nonsense(error):
        return page(request, "problem.html", status=404, problem=_NOT_FOUND)
    if isinstance(error, CricksyError) and error.transient:
        log.error("%s: %s", request.url.path, error)
        return page(request, "problem.html", status=503, problem=ProblemView(_AWAY.eyebrow, _AWAY.title, error.advice, retry=True))
    log.error("%s failed", request.url.path, exc_info=error)
    return page(request, "problem.html", status=500, problem=_FAULT)
