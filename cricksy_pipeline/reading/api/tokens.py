"""Which tokens are believed: who made them, for whom, until when, and whose they are.

Belongs here: the rules of a token, from its text to a caller. Does not belong here: fetching keys (`signing_keys`), where in a request a
token stands (`guard`), what its bearer may see (`access`), tokens for a laptop (`development`).

A token is a JWT (RFC 7519) checked as RFC 8725 asks: the algorithms are ours and never the token's; a shared secret and public keys are
never believed side by side, so that nothing signed with a public key as if it were a secret can pass; issuer, audience and expiry are
demanded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.api.signing_keys import NoSuchKey, PublicKeys, SharedSecret

MOST_TOKEN = 8192
"""Characters of a token; a longer one is refused unread. Proxies refuse longer headers anyway."""

MOST_ID = 255
MOST_ORGS = 1000


class AuthRequired(CricksyError):
    """The request does not say who asks, or not in a way that can be believed. Code AUTH_REQUIRED; the message is for the caller.

    Args:
        message: one sentence, without anything of the token.
        token_given: whether there was a token (it is then called invalid in `WWW-Authenticate`, RFC 6750).
    """

    def __init__(self, message: str, *, token_given: bool = True) -> None:
        super().__init__(ErrorCode.AUTH_REQUIRED, message)
        self.token_given = token_given

    @property
    def challenge(self) -> str:
        """The value of `WWW-Authenticate`."""
        return 'Bearer error="invalid_token"' if self.token_given else "Bearer"

    def __reduce__(self):
        return (_auth_required, (self.message, self.token_given))


def _auth_required(message: str, token_given: bool) -> AuthRequired:
    return AuthRequired(message, token_given=token_given)


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        coach_id: the coach himself; owner of what is owned by a `coach`.
        orgs: the organisations that he is a member of; owners of what is owned by an `org`.
        expires: until when his token holds, seconds since 1970; None without a token (the embedded stack).
    """

    coach_id: str
    orgs: frozenset[str] = frozenset()
    expires: float | None = None

    @property
    def owners(self) -> frozenset[tuple[str, str]]:
        """Every (owner type, owner id) whose sessions are his to see."""
        return frozenset({("coach", self.coach_id), *(("org", org) for org in self.orgs)})

    def may_see(self, owner_type: str, owner_id: str) -> bool:
        """Whether what belongs to this owner is his to see."""
        return (str(owner_type), owner_id) in self.owners


@dataclass(frozen=True)
class Tokens:
    """What is demanded of a token.

    Attributes:
        keys: a shared secret, or public keys; their algorithms are the only ones.
        issuer, audience: the token's `iss` must be the one, its `aud` be or contain the other.
        leeway_s: how far the clocks of issuer and reader may differ, for expiry and beginning.
        coach_claim, orgs_claim: the claims that name the coach and (a list, may be absent) his organisations.
    """

    keys: SharedSecret | PublicKeys
    issuer: str
    audience: str
    leeway_s: float = 30.0
    coach_claim: str = "sub"
    orgs_claim: str = "orgs"

    def caller_of(self, token: str) -> Caller:
        """The caller, if the token is to be believed. May fetch keys, so it is no call for an event loop.

        Raises:
            AuthRequired: it is not; the message says what is wrong, without repeating any of it.
            CricksyError: KEYS_UNAVAILABLE, where the issuer's keys cannot be had.
        """
        if len(token) > MOST_TOKEN:
            raise AuthRequired("The token is too long.")
        try:
            header = jwt.get_unverified_header(token)
            algorithm, kid = header.get("alg"), header.get("kid")
            if not isinstance(algorithm, str) or algorithm not in self.keys.algorithms:
                raise AuthRequired("The token is signed in a way that is not accepted here.")
            claims = jwt.decode(
                token,
                self.keys.key_for(kid, algorithm),
                algorithms=[algorithm],
                issuer=self.issuer,
                audience=self.audience,
                leeway=self.leeway_s,
                options={"require": ["exp", "iss", "aud", self.coach_claim], "enforce_minimum_key_length": True},
            )
        except (jwt.PyJWTError, NoSuchKey) as error:
            raise AuthRequired(_in_words(error)) from None
        except (ValueError, TypeError) as error:  # a claim of an absurd kind, where the library does not look
            raise AuthRequired("The token cannot be read.") from error
        return self._caller(claims)

    def _caller(self, claims: dict[str, Any]) -> Caller:
        coach, orgs = claims[self.coach_claim], claims.get(self.orgs_claim)
        orgs = [] if orgs is None else orgs
        if not _is_id(coach):
            raise AuthRequired("The token does not name a coach.")
        if not isinstance(orgs, list) or len(orgs) > MOST_ORGS or not all(_is_id(org) for org in orgs):
            raise AuthRequired("The organisations of the token are not a list of names.")
        return Caller(coach, frozenset(orgs), float(claims["exp"]))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MOST_ID and value == value.strip() and value.isprintable()


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "The token has expired; sign in again."),
    (jwt.ImmatureSignatureError, "The token is not valid yet."),
    (jwt.InvalidAudienceError, "The token is not made for this service."),
    (jwt.InvalidIssuerError, "The token is not made by the issuer that this service trusts."),
    (jwt.MissingRequiredClaimError, "The token lacks something that it must say (issuer, audience, expiry, coach)."),
    (NoSuchKey, "The token is signed with a key that the issuer does not publish."),
    (jwt.InvalidSignatureError, "The token's signature does not hold."),
)


def _in_words(error: Exception) -> str:
    return next((words for kind, words in _WORDS if isinstance(error, kind)), "The token cannot be read.")
