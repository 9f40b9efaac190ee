"""Callers for tests of the API: the development coach, and anyone by a bearer token."""

from __future__ import annotations

from cricksy_pipeline.reading.api.access import Access
from cricksy_pipeline.reading.api.development import Development, development_token, development_tokens
from cricksy_pipeline.reading.api.rate_limits import RateLimits

SECRET = b"a secret of the tests, 32 bytes or more"


def development_access(limits: RateLimits | None = None) -> Access:
    """As on the embedded stack; starlette's TestClient counts as this machine."""
    test_client = Development(peers=frozenset({"testclient"}), hosts=frozenset({"testserver"}))
    return Access(development_tokens(SECRET), test_client, limits or RateLimits())


def strict_access(limits: RateLimits | None = None) -> Access:
    """As anywhere else: no token, no caller."""
    return Access(development_tokens(SECRET), None, limits or RateLimits())


def bearer(coach_id: str, *orgs: str) -> dict[str, str]:
    """The header of a coach, whom both of these believe."""
    return {"Authorization": f"Bearer {token(coach_id, *orgs)}"}


def token(coach_id: str, *orgs: str) -> str:
    """The token of a coach, whom both of these believe."""
    return development_token(SECRET, coach_id=coach_id, orgs=orgs)
