"""Who asks, and what he may see: the dependencies of routes, and what an app needs to know to answer such questions.

Belongs here: `SignedIn`, `OwnedJobId`, `OwnedJob`, `OwnedSession`, `Access`, and putting the guard before an app. Does not belong here:
what a valid token is (`tokens`), turning requests away before a route sees them (`guard`), how often one may ask (`rate_limits`).

Two doors, each enough by itself: the guard lets nothing pass to any route but the open ones without a caller; and a route that names a
job or a session names it by one of the owned dependencies, which answer 404 for what is not the caller's, in the very words of what is
not there: that somebody else's job exists is nobody's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.security import HTTPBearer

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.reading.api.development import Development, development_tokens
from cricksy_pipeline.reading.api.guard import COOKIE, Guard, refusal
from cricksy_pipeline.reading.api.job_paths import JobId, SessionId
from cricksy_pipeline.reading.api.rate_limits import RateLimits
from cricksy_pipeline.reading.api.security_headers import SecurityHeaders, origin_of
from cricksy_pipeline.reading.api.signing_in import add_signing_in
from cricksy_pipeline.reading.api.tokens import AuthRequired, Caller, Tokens
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import VideoAnalysisJob, VideoSession
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.ownership import owner_of_job, owner_of_session
from cricksy_pipeline.store.sessions import unknown_job, unknown_session

__all__ = [
    "COOKIE",
    "Access",
    "Caller",
    "OwnedJob",
    "OwnedJobId",
    "OwnedSession",
    "SignedIn",
    "demand_job",
    "demand_session",
    "guard_app",
    "signed_in",
]


@dataclass(frozen=True)
class Access:
    """What an app knows of its callers.

    Attributes:
        tokens: which tokens are believed.
        development: the embedded stack's door; None anywhere else.
        limits: how often one may ask for what is expensive.
        https: the site is reached by https, although this process may not be (a proxy stands before it).
    """

    tokens: Tokens
    development: Development | None = None
    limits: RateLimits = field(default_factory=RateLimits)
    https: bool = False

    @property
    def embedded(self) -> bool:
        """Whether who gives no token is the development coach: nobody needs to sign in, and nobody can sign out."""
        return self.development is not None

    @classmethod
    def on_the_embedded_stack(cls, secret: bytes, *, limits: RateLimits | None = None) -> Access:
        """For `cricksy dev`: who sits at this machine is the development coach; tokens signed with the secret are believed, too."""
        return cls(development_tokens(secret), Development(), limits or RateLimits())


def guard_app(app: FastAPI, access: Access, *, jobs: JobStore, objects: ObjectStore) -> None:
    """Put guard and security headers before the app, and add the routes of signing in. Last but for the routes, or first: no matter.

    What the dependencies of this module need is left in `app.state`: `access`, `jobs`, and `store_origin()`, the origin of the store's
    addresses for a Content-Security-Policy (None where it has none).
    """

    @cache
    def store_origin() -> str | None:
        try:
            return origin_of(objects.presigned_url("origin"))
        except CricksyError:  # without credentials there is nothing to be had from the store either
            return None

    app.add_exception_handler(AuthRequired, _not_signed_in)
    app.state.access, app.state.jobs, app.state.store_origin = access, jobs, store_origin
    add_signing_in(app, access.tokens, https=access.https)
    app.add_middleware(Guard, tokens=access.tokens, development=access.development, limits=access.limits)
    # Outside of everything, also of the layer that answers for faults of ours: a middleware would be inside of that one.
    inner = app.build_middleware_stack
    app.build_middleware_stack = lambda: SecurityHeaders(inner(), store=store_origin, https=access.https, embedded=access.embedded)  # type: ignore[method-assign]


async def _not_signed_in(request: Request, error: AuthRequired) -> Response:
    return refusal(request, request.url.path, error)


_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", bearerFormat="JWT", description="A JSON Web Token of the identity provider.")


def signed_in(request: Request, _described: Annotated[object, Security(_bearer)] = None) -> Caller:
    """The caller that the guard found.

    Raises:
        AuthRequired: there is none, because the address is an open one, or nobody guards this app.
    """
    caller = getattr(request.state, "caller", None)
    if not isinstance(caller, Caller):
        raise AuthRequired("Say who you are: Authorization: Bearer, with a token; or sign in.", token_given=False)
    return caller


SignedIn = Annotated[Caller, Depends(signed_in)]


def demand_job(jobs: JobStore, caller: Caller, job_id: str) -> str:
    """The job id, if the job is there and its session the caller's. One cheap question; no document is read.

    Raises:
        UnknownJob: else, in both cases.
        CricksyError: DATABASE_UNAVAILABLE.
    """
    owner = owner_of_job(jobs, job_id)
    if owner is None or not caller.may_see(*owner):
        raise unknown_job(job_id)
    return job_id


def demand_session(jobs: JobStore, caller: Caller, session_id: str) -> str:
    """The session id, if the session is there and the caller's.

    Raises:
        UnknownSession: else, in both cases.
        CricksyError: DATABASE_UNAVAILABLE.
    """
    owner = owner_of_session(jobs, session_id)
    if owner is None or not caller.may_see(*owner):
        raise unknown_session(session_id)
    return session_id


def owned_job_id(request: Request, job_id: JobId, caller: SignedIn) -> str:
    """The id in the path, of a job of the caller's; else UnknownJob."""
    return demand_job(request.app.state.jobs, caller, job_id)


OwnedJobId = Annotated[str, Depends(owned_job_id)]


def owned_job(request: Request, job_id: OwnedJobId) -> VideoAnalysisJob:
    """The whole row, with its documents: for routes that show them. The others ask for `OwnedJobId`."""
    return request.app.state.jobs.get(job_id)


OwnedJob = Annotated[VideoAnalysisJob, Depends(owned_job)]


def owned_session(request: Request, session_id: SessionId, caller: SignedIn) -> VideoSession:
    """The row of the session in the path, if it is the caller's; else UnknownSession."""
    jobs: JobStore = request.app.state.jobs
    found = jobs.get_session(demand_session(jobs, caller, session_id))
    if found is None:  # deleted between the two looks
        raise unknown_session(session_id)
    return found


OwnedSession = Annotated[VideoSession, Depends(owned_session)]
