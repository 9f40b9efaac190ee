"""The keys that a token's signature is checked with: one shared secret, or the public keys that an issuer publishes.

Belongs here: fetching, keeping and choosing keys. Does not belong here: what else is demanded of a token (`tokens`).
"""

from __future__ import annotations

import ipaddress
import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jwt
from jwt.algorithms import get_default_algorithms

from cricksy_pipeline.errors import CricksyError, ErrorCode

log = logging.getLogger(__name__)

LEAST_SECRET = 32
"""Bytes of a shared secret at least: as long as the hash (RFC 7518, section 3.2)."""

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS_BY_KEY: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): _RSA,
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""What a public key of each kind and curve may have signed. A symmetric key in a published set is nobody's secret, and never used."""

MOST_SET = 256 * 1024
"""Bytes of a published set of keys."""


class NoSuchKey(Exception):
    """The issuer publishes no key of that name, or none that fits the algorithm."""


class SharedSecret:
    """A secret that issuer and reader share (HS256).

    Args:
        secret: at least `LEAST_SECRET` bytes; a public key in PEM is none.

    Raises:
        ValueError: too short, or a public key.
    """

    algorithms = ("HS256",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) < LEAST_SECRET:
            raise ValueError(f"the secret that tokens are signed with has {LEAST_SECRET} bytes or more")
        if b"-----BEGIN" in secret or secret.startswith(b"ssh-"):
            raise ValueError("a public key is no secret: name where the issuer's keys are published instead")
        self._secret = secret

    def key_for(self, _kid: object, _algorithm: str) -> bytes:
        """The secret, whatever the token calls its key."""
        return self._secret


class PublicKeys:
    """The keys that an issuer publishes (RFC 7517), fetched when first needed and looked at anew from time to time.

    A token that names a key not known is a reason to look at once: that is how an issuer changes keys. But not more often than every
    `pause_s`, for anybody can name keys that nobody has. A key that the issuer withdraws is believed for `fresh_s` at most; while the
    issuer does not answer, for `stale_s`.

    Args:
        url: https, or http on this machine.
        algorithms: the ones that are accepted, all asymmetric.
        timeout_s: for one answer of the issuer.

    Raises:
        ValueError: an address or an algorithm that will not do.
    """

    def __init__(
        self,
        url: str,
        *,
        algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA"),
        timeout_s: float = 3.0,
        fresh_s: float = 600.0,
        stale_s: float = 3600.0,
        pause_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not _is_safe(url):
            raise ValueError("the address of the issuer's keys must begin with https:// (http:// only on this machine)")
        known = {name for names in ALGORITHMS_BY_KEY.values() for name in names}
        if not algorithms or set(algorithms) - known:
            raise ValueError(
                f"tokens can be signed with {', '.join(sorted(known))}; not with {', '.join(set(algorithms) - known) or 'nothing'}"
            )
        self.url, self.algorithms = url, tuple(algorithms)
        self._timeout_s, self._fresh_s, self._stale_s, self._pause_s, self._clock = timeout_s, fresh_s, stale_s, pause_s, clock
        self._lock = threading.Lock()
        self._keys: dict[str | None, dict[str, Any]] = {}
        self._fetched_at: float | None = None
        self._asked_at: float | None = None

    def key_for(self, kid: object, algorithm: str) -> Any:
        """The key of this name that may have signed with the algorithm. Without a name: the only key there is.

        Raises:
            NoSuchKey: there is none, also after another look.
            CricksyError: KEYS_UNAVAILABLE.
        """
        if kid is not None and not isinstance(kid, str):
            raise NoSuchKey
        self._look_if_old()
        found = self._chosen(kid)
        if found is None and self._look():
            found = self._chosen(kid)
        if found is None or algorithm not in found["algorithms"]:
            raise NoSuchKey
        return found["key"]

    def _chosen(self, kid: str | None) -> dict[str, Any] | None:
        keys = self._keys
        if kid is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(kid)

    def _look_if_old(self) -> None:
        if self._age() <= self._fresh_s:
            return
        self._look()
        if self._age() > self._stale_s:
            raise CricksyError(ErrorCode.KEYS_UNAVAILABLE, "The keys that sign-ins are checked with cannot be had at the moment.")

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    def _look(self) -> bool:
        """Fetch the keys, unless somebody just did. Returns whether they may have changed since the caller looked at them."""
        seen = self._fetched_at
        with self._lock:  # one asks, the others wait for his answer
            if self._fetched_at != seen:
                return True
            if self._asked_at is not None and self._clock() - self._asked_at < self._pause_s:
                return False
            self._asked_at = self._clock()
            try:
                self._keys = usable_keys(_fetched(self.url, self._timeout_s), self.algorithms)
            except (OSError, ValueError) as error:
                log.error("the keys at %s cannot be had: %s", self.url, error)
                return False
            self._fetched_at = self._clock()
            return True


def usable_keys(published: object, algorithms: tuple[str, ...]) -> dict[str | None, dict[str, Any]]:
    """Of a published set: the keys that may have signed a token, by name, each with the algorithms that it is for.

    Raises:
        ValueError: no set of keys.
    """
    listed = published.get("keys") if isinstance(published, dict) else None
    if not isinstance(listed, list):
        raise ValueError("what is published there is no set of keys")
    found: dict[str | None, dict[str, Any]] = {}
    for one in listed:
        names = tuple(name for name in _may_have_signed(one) if name in algorithms)
        if not names:
            continue
        try:
            key = get_default_algorithms()[names[0]].from_jwk(one)
        except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
            log.warning("the key %r of the issuer cannot be used: %s", one.get("kid"), error)
            continue
        found[one.get("kid")] = {"key": key, "algorithms": names}
    return found


def _may_have_signed(one: object) -> tuple[str, ...]:
    """The algorithms of a published key; none where it is for something else, or ought not to be public."""
    if not isinstance(one, dict) or not isinstance(one.get("kid", ""), str) or "d" in one:
        return ()
    uses = one.get("key_ops", ["verify"])
    if one.get("use", "sig") != "sig" or not isinstance(uses, list) or "verify" not in uses:
        return ()
    kind = (str(one.get("kty")), str(one["crv"]) if "crv" in one else None)
    return tuple(name for name in ALGORITHMS_BY_KEY.get(kind, ()) if one.get("alg", name) == name)


def _fetched(url: str, timeout_s: float) -> object:
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "cricksy"})
    with _opener.open(request, timeout=timeout_s) as answer:
        content = answer.read(MOST_SET + 1)
    if len(content) > MOST_SET:
        raise ValueError(f"more than {MOST_SET} bytes")
    return json.loads(content)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows only to addresses as safe as the first had to be."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        """The next request; OSError where it would leave https."""
        if not _is_safe(newurl):
            raise OSError("it leads to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_opener = urllib.request.build_opener(_SafeRedirects)


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether the name is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
