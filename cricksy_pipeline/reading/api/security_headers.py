"""What every answer tells a browser about itself: what it may load, who may frame it, whether to keep it.

Belongs here: the headers, by the kind of the answer. Does not belong here: content. A route that says one of these headers itself has
its way: it knows better what it serves.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOBODY_FRAMES = "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

_PICTURES = f"default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; {_NOBODY_FRAMES}"
"""A film or picture opened by itself: the browser writes a small page of its own around it, with styles in it."""

_PRINT = _NOBODY_FRAMES
"""Browsers show PDF with a viewer that a stricter policy keeps from starting. Nothing in a PDF runs in the name of this site."""

_DATA = f"default-src 'none'; {_NOBODY_FRAMES}"

DOCS = "/docs"
_DOCS = (
    "default-src 'none'; script-src https://cdn.jsdelivr.net 'unsafe-inline'; style-src https://cdn.jsdelivr.net 'unsafe-inline'; "
    f"img-src data: https://fastapi.tiangolo.com; connect-src 'self'; {_NOBODY_FRAMES}"
)
"""FastAPI's own page of the API, which loads its scripts from elsewhere. It is there on the embedded stack alone."""

HSTS = "max-age=31536000; includeSubDomains"

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: browsers then send `Origin: null` with forms, also to ourselves.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Not same-origin: Dagster's pages, on another port or name of the same site, show pictures of ours.
    "Cross-Origin-Resource-Policy": "same-site",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
"""On every answer. (A phone's own camera, opened by a file field, needs no permission of a page.)"""


def page_policy(store: str | None) -> str:
    """The policy of our own pages: nothing but files of this site, and the store's, where uploads go and videos come from.

    Args:
        store: origin of the store's addresses, such as `https://bucket.s3.eu-west-1.amazonaws.com`; None where it has none.
    """
    there = f" {store}" if store else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:{there}; "
        f"media-src 'self' blob:{there}; connect-src 'self'{there}; manifest-src 'self'; {_NOBODY_FRAMES}"
    )


def origin_of(url: str | None) -> str | None:
    """Scheme, name and port of an address; None for none."""
    parts = urlsplit(url or "")
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else None


def policy_of(content_type: str, pages: str) -> str:
    """The policy by the kind of the answer. `pages`: the one of our own pages."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        return pages
    if kind == "application/pdf":
        return _PRINT
    return _PICTURES if kind.startswith(("video/", "image/", "audio/")) and kind != "image/svg+xml" else _DATA


class SecurityHeaders:
    """ASGI: adds the headers to every answer, also to those of the server's own error pages.

    Args:
        app: whose answers.
        store: gives the origin of the store's addresses; asked once, at the first page.
        https: the site is reached by https, although this process is not (a proxy stands before it).
        embedded: Dagster's pages show our pictures from another port of 127.0.0.1, which no browser takes for the same site.
    """

    def __init__(self, app: ASGIApp, *, store: Callable[[], str | None], https: bool, embedded: bool = False) -> None:
        self.app, self._store, self._https, self._embedded = app, store, https, embedded
        self._pages: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection on, and complete its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if self._embedded and scope["path"] == DOCS:
                    headers.setdefault("Content-Security-Policy", _DOCS)
                self._complete(headers, https=self._https or scope["scheme"] == "https")
            await send(message)

        await self.app(scope, receive, complete)

    def _complete(self, headers: MutableHeaders, *, https: bool) -> None:
        kind = headers.get("content-type", "")
        if self._embedded and kind.startswith("image/"):
            headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        if self._pages is None and kind.startswith("text/html"):
            self._pages = page_policy(self._store())
        headers.setdefault("Content-Security-Policy", policy_of(kind, self._pages or ""))
        # What is about a child's video is kept nowhere unless its route says how.
        headers.setdefault("Cache-Control", "no-store")
        if https:
            headers.setdefault("Strict-Transport-Security", HSTS)
