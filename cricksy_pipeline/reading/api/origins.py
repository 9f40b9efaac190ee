"""Which page a request comes from, as far as the browser says.

Belongs here: `Origin` against `Host`. Does not belong here: what follows from it (`guard`, `signing_in`, `development`).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

_READING = ("GET", "HEAD", "OPTIONS")
_PORTS = {"http": 80, "https": 443}


def changes_something(request: Request) -> bool:
    """Whether the method is one that may change something (RFC 9110 calls the others safe)."""
    return request.method not in _READING


def asked_by_this_site(request: Request) -> bool:
    """Whether `Origin` is there and is where the request goes, by name and port. `null`, which a sandboxed page sends, is nowhere."""
    try:
        there, here = urlsplit(request.headers.get("origin", "")), urlsplit(f"//{request.headers.get('host', '')}")
        port = _PORTS.get(there.scheme)
        return there.hostname is not None and (there.hostname, there.port or port) == (here.hostname, here.port or port)
    except ValueError:
        return False


def asked_by_another_site(request: Request) -> bool:
    """Whether a browser says that a page of another site asks. Who is no browser says nothing, and is not hindered."""
    return request.headers.get("origin") is not None and not asked_by_this_site(request)
