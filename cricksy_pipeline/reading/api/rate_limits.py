"""How often one may ask for what is expensive.

Belongs here: which requests are expensive, counting them, the refusal. Does not belong here: who the caller is (`guard`), the numbers'
meaning for an operator (`settings`).

Counted in the memory of this process, by a moving window: with several API processes each counts for itself, so that together they let
through as many times more. It keeps one caller from filling the store and the queue by accident or spite; it is no shield against a
flood, which belongs in front of the API.
"""

from __future__ import annotations

import ipaddress
import math
import re
import time
from dataclasses import dataclass, field

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from cricksy_pipeline.reading.api.tokens import Caller

_ID = r"[^/]+"
_ROOT = "/api/coaches/plus"
EXPENSIVE: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("uploads", re.compile(rf"{_ROOT}/videos/upload/initiate/?")),
    ("analyses", re.compile(rf"{_ROOT}/sessions/{_ID}/analysis-jobs/?")),
    ("analyses", re.compile(rf"{_ROOT}/analysis-jobs/{_ID}/(retry|analyses)/?")),
    ("sign_in", re.compile(r"/sign-in/?")),
)
"""Which limit counts which POST."""


class TooMany(Exception):
    """Asked too often. The message is for the caller.

    Attributes:
        retry_after_s: whole seconds after which the same request is let through.
    """

    def __init__(self, what: str, retry_after_s: int) -> None:
        super().__init__(f"Too many requests of this kind ({what}); try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class RateLimits:
    """How often, in the words of the library `limits`: "20/minute", or several joined by ";".

    Attributes:
        uploads, analyses: for one caller.
        sign_in: for one address, where there is no caller yet.
        address_share: how many callers' worth one address may use: a club has one.

    Raises:
        ValueError: words that mean no limit.
    """

    uploads: str = "120/hour"
    analyses: str = "120/hour"
    sign_in: str = "20/minute"
    address_share: int = 5
    _counter: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()), repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("uploads", "analyses", "sign_in"):
            parse_many(getattr(self, name))

    def demand(self, method: str, path: str, *, caller: Caller | None, address: str) -> None:
        """Count the request, if it is one of the expensive, for its caller and for its address.

        Raises:
            TooMany: one of the two has asked too often; it is then counted for neither that limit nor the ones after it.
        """
        name = limit_of(method, path)
        if name is None:
            return
        limits = parse_many(getattr(self, name))
        counted: list[tuple[RateLimitItem, tuple[str, ...]]] = []
        if caller is not None:
            counted += [(one, (name, "caller", caller.coach_id)) for one in limits]
        share = 1 if name == "sign_in" else self.address_share
        counted += [(_times(one, share), (name, "address", network_of(address))) for one in limits]
        for item, key in counted:
            if not self._counter.hit(item, *key):
                reset = self._counter.get_window_stats(item, *key).reset_time
                raise TooMany(name.replace("_", "-"), max(0, math.floor(reset - time.time())) + 1)


def limit_of(method: str, path: str) -> str | None:
    """The name of the limit that counts this request; None where it is not an expensive one."""
    return next((name for name, pattern in EXPENSIVE if pattern.fullmatch(path)), None) if method == "POST" else None


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 subscriber has for himself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 6 and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


def _times(item: RateLimitItem, factor: int) -> RateLimitItem:
    return type(item)(item.amount * factor, item.multiples)
