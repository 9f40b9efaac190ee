"""Signing in and out by cookie, for pages: a token is given once, and the browser then shows it with every request.

Belongs here: the two routes, the cookie. Does not belong here: the page with the field for the token (`reading.pages`), which tokens hold
(`tokens`).
"""

from __future__ import annotations

import time
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException

from cricksy_pipeline.reading.api.guard import COOKIE, SIGN_IN, SIGN_OUT
from cricksy_pipeline.reading.api.origins import asked_by_another_site
from cricksy_pipeline.reading.api.problems import Problem
from cricksy_pipeline.reading.api.tokens import AuthRequired, Tokens

MOST_COOKIE = 3800
"""Characters of a token that goes into a cookie: browsers drop one of more than 4096 bytes without a word."""

MOST_BODY = 16 * 1024


class SignIn(BaseModel):
    """`POST /sign-in`, as JSON or as the fields of a form."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, description="The token that the identity provider gave.")
    next: str = Field("/", description="Where a form leads to afterwards: a path of this site.")


def local_path(asked: str) -> str:
    """The path, if it is one of this site, else `/`: whoever sends a person to sign in must not send him on to another site."""
    parts = urlsplit(asked) if asked.isprintable() else None
    good = parts is not None and asked.startswith("/") and not asked.startswith("//") and "\\" not in asked and not parts.netloc
    return asked if good else "/"


async def _said(request: Request) -> SignIn:
    """What was sent. The token never stands in an error's words."""
    try:
        size = int(request.headers.get("content-length", "0"))
        if size > MOST_BODY:
            raise HTTPException(413, "That is too long to be a token.")
        if request.headers.get("content-type", "").startswith("application/json"):
            return SignIn.model_validate_json(await _body(request))
        form = await request.form(max_files=0, max_fields=4)
        return SignIn.model_validate(dict(form))
    except ValidationError as error:
        raise HTTPException(422, "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())) from None
    except ValueError as error:
        raise HTTPException(400, "The request cannot be read.") from error


async def _body(request: Request) -> bytes:
    found = b""
    async for piece in request.stream():
        found += piece
        if len(found) > MOST_BODY:
            raise HTTPException(413, "That is too long to be a token.")
    return found


def add_signing_in(app: FastAPI, tokens: Tokens, *, https: bool) -> None:
    """Register the two routes.

    Args:
        https: the site is reached by https, so the cookie is never sent without it.
    """

    @app.post(
        SIGN_IN,
        tags=["service"],
        status_code=204,
        responses={
            303: {"description": "A form is led on to `next`."},
            401: {"model": Problem},
            422: {"model": Problem},
            429: {"model": Problem},
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {"application/json": {"schema": SignIn.model_json_schema()}}},
            "security": [],
        },
    )
    async def sign_in(request: Request) -> Response:
        """Take a token, and give it back as a cookie that scripts cannot read and other sites' pages cannot use."""
        if asked_by_another_site(request):
            raise AuthRequired("Sign in on this site.")
        said = await _said(request)
        token = said.token.strip().removeprefix("Bearer ").strip()
        caller = await run_in_threadpool(tokens.caller_of, token)
        if len(token) > MOST_COOKIE:
            raise HTTPException(422, f"A browser keeps no token of more than {MOST_COOKIE} characters; ask for one with fewer claims.")
        by_form = not request.headers.get("content-type", "").startswith("application/json")
        answer = RedirectResponse(local_path(said.next), 303) if by_form else Response(status_code=204)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=max(0, int((caller.expires or 0.0) - time.time())),
            path="/",
            secure=https or request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    @app.post(
        SIGN_OUT,
        tags=["service"],
        status_code=204,
        responses={303: {"description": "A form is led to `/sign-in`."}},
        openapi_extra={"security": []},
    )
    async def sign_out(request: Request) -> Response:
        """Take the cookie away, and what the browser kept of this site. The token itself holds until it expires."""
        if asked_by_another_site(request):
            raise AuthRequired("Sign out on this site.")
        by_form = request.headers.get("content-type", "").startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
        answer = RedirectResponse(SIGN_IN, 303) if by_form else Response(status_code=204)
        answer.delete_cookie(COOKIE, path="/", secure=https or request.url.scheme == "https", httponly=True, samesite="strict")
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer
