"""Turns requests away before any route sees them: who does not say who he is, who comes from another site, who asks too often.

Belongs here: where in a request a token stands, which addresses are open to everybody, what a refusal looks like. Does not belong here:
which tokens hold (`tokens`), whose a job is (`access`), who needs no token on a laptop (`development`), how often is too often
(`rate_limits`).

It stands before the routes and not in them, so that a route that forgets to ask is closed and not open.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.api.development import Development
from cricksy_pipeline.reading.api.job_paths import PART_PATH
from cricksy_pipeline.reading.api.origins import asked_by_this_site, changes_something
from cricksy_pipeline.reading.api.problems import problem
from cricksy_pipeline.reading.api.rate_limits import RateLimits, TooMany
from cricksy_pipeline.reading.api.tokens import AuthRequired, Caller, Tokens

COOKIE = "cricksy_session"
API_ROOT = "/api/"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"

OPEN_PATHS = frozenset({"/healthz", SIGN_IN, SIGN_OUT, "/openapi.json", "/favicon.ico"})
OPEN_ROOTS = ("/static/",)
"""What is answered without a caller, whatever the method."""

SIGNED_ADDRESS = re.compile(PART_PATH.replace("{job_id}", "[^/]+").replace("{number}", "[^/]+"))
"""Where the folder store takes the parts of an upload: the address itself is signed, for one part and a short while, and its route checks
that. As with a bucket's presigned address, who has it needs nothing else; so only for writing."""


def token_of(request: Request) -> tuple[str, bool] | None:
    """The token and whether it came by cookie; None where there is none. Never from an address: addresses are logged and passed on.

    Raises:
        AuthRequired: an `Authorization` of another kind.
    """
    given = request.headers.getlist("authorization")
    if given:
        scheme, _, token = given[0].strip().partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not token.strip():
            raise AuthRequired("Authorization must be: Bearer, a space, and a token.")
        return token.strip(), False
    cookie = request.cookies.get(COOKIE)
    return (cookie, True) if cookie else None


class Guard:
    """ASGI: lets a request through with its caller in `request.state.caller` (None on open addresses), or answers it.

    Args:
        app: what is guarded.
        tokens, development: who is believed.
        limits: how often one may ask for what is expensive.
    """

    def __init__(self, app: ASGIApp, *, tokens: Tokens, development: Development | None, limits: RateLimits) -> None:
        self.app, self._tokens, self._development, self._limits = app, tokens, development, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard one connection."""
        if scope["type"] == "websocket":  # there is none, and none gets in unasked
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        try:
            request.state.caller = None if is_open(request.method, path) else await run_in_threadpool(self._caller_of, request)
            self._limits.demand(request.method, path, caller=request.state.caller, address=request.client.host if request.client else "")
        except (CricksyError, TooMany) as error:
            await refusal(request, path, error)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _caller_of(self, request: Request) -> Caller:
        given = token_of(request)
        if given is not None:
            token, by_cookie = given
            try:
                caller = self._tokens.caller_of(token)
            except AuthRequired:
                # Cookies know no ports: on a laptop this one may be another stack's.
                if not (by_cookie and self._development):
                    raise
            else:
                # The browser adds the cookie to whatever page's request: what changes something must be known to come from ours.
                if by_cookie and changes_something(request) and not asked_by_this_site(request):
                    raise AuthRequired("What changes something must be asked for by a page of this site (Origin), or with a bearer token.")
                return caller
        caller = self._development.caller_of(request) if self._development else None
        if caller is None:
            raise AuthRequired("Say who you are: Authorization: Bearer, with a token; or sign in.", token_given=False)
        return caller


def is_open(method: str, path: str) -> bool:
    """Whether everybody may ask this of this address."""
    signed = method in ("PUT", "OPTIONS") and SIGNED_ADDRESS.fullmatch(path) is not None
    return signed or path in OPEN_PATHS or path.startswith(OPEN_ROOTS)


def refusal(request: Request, path: str, error: CricksyError | TooMany) -> Response:
    """The answer to who is turned away. A person who opens a page is led to where he can sign in, and back again."""
    if isinstance(error, TooMany):
        return problem(429, str(error), code=ErrorCode.RATE_LIMITED, headers={"Retry-After": str(error.retry_after_s)})
    if not isinstance(error, AuthRequired):
        return problem(503, error.message, code=error.code)
    if request.method == "GET" and not path.startswith(API_ROOT) and "text/html" in request.headers.get("accept", ""):
        asked = f"{path}?{request.url.query}" if request.url.query else path
        where = f"{request.scope.get('root_path', '')}{SIGN_IN}"
        return RedirectResponse(where if path == "/" else f"{where}?next={quote(asked, safe='/')}", 303)
    return problem(401, error.message, code=ErrorCode.AUTH_REQUIRED, headers={"WWW-Authenticate": error.challenge})
