"""The embedded stack's own door: who sits at this machine needs no token, and tokens for trying things out.

Belongs here: the development coach, his tokens and their secret. Does not belong here: whether this is the embedded stack (`stack`), what
holds of any token (`tokens`).
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import jwt
from starlette.requests import Request

from cricksy_pipeline.reading.api.origins import asked_by_another_site, changes_something
from cricksy_pipeline.reading.api.signing_keys import SharedSecret, is_loopback
from cricksy_pipeline.reading.api.tokens import Caller, Tokens

DEVELOPMENT_COACH = "local"
"""Whose the sessions of `cricksy submit` and of dropped files are, too."""

SECRET_FILE = "token-secret"
_NAME = "cricksy-embedded"


@dataclass(frozen=True)
class Development:
    """Who gives no token is the coach of the command line, if he sits at this very machine.

    Attributes:
        peers, hosts: addresses and names that count as this machine beside the loopback ones. For tests.
    """

    peers: frozenset[str] = field(default=frozenset())
    hosts: frozenset[str] = field(default=frozenset())

    def caller_of(self, request: Request) -> Caller | None:
        """The coach of the command line, or None: not of this machine, or led here by a page of another site.

        The name in `Host` counts too: a page anywhere can make its own name point to 127.0.0.1, and would then read all that is here.
        """
        peer = request.client.host if request.client else ""
        try:
            name = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        except ValueError:
            return None
        here = (is_loopback(peer) or peer in self.peers) and (is_loopback(name) or name in self.hosts)
        led_here = changes_something(request) and asked_by_another_site(request)
        return Caller(DEVELOPMENT_COACH) if here and not led_here else None


def development_tokens(secret: bytes) -> Tokens:
    """The rules of the embedded stack's own tokens."""
    return Tokens(SharedSecret(secret), issuer=_NAME, audience=_NAME)


def development_token(secret: bytes, *, coach_id: str = DEVELOPMENT_COACH, orgs: tuple[str, ...] = (), hours: float = 12.0) -> str:
    """A token of the embedded stack, good for so many hours from now, of any coach: who has the secret can be anyone."""
    now = int(time.time())
    claims = {"iss": _NAME, "aud": _NAME, "sub": coach_id, "orgs": list(orgs), "iat": now, "exp": now + int(hours * 3600)}
    return jwt.encode(claims, secret, "HS256")


def development_secret(folder: Path) -> bytes:
    """The secret of the embedded stack in this data folder, made when first asked for; readable by its owner alone."""
    path = folder / SECRET_FILE
    with suppress(FileNotFoundError):
        return path.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{SECRET_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(secrets.token_bytes(32))
    try:
        with suppress(FileExistsError):  # another process was first: its secret is the one
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_bytes()
