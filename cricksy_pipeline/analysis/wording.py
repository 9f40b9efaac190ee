"""How numbers and times are written for people, and how numbers are found again in a text.

Belongs here: the one rounding rule, and its reverse, which the report's guardrail uses. Does not belong here: sentences.

The rule: degrees whole; % of height one decimal; seconds two decimals; everything else two decimals; times in the video m:ss.ss.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from cricksy_pipeline.analysis.documents import Band, Metric

DECIMALS = {"degrees": 0, "% of height": 1, "s": 2}
_NUMBER = re.compile(r"(?<![\w.:])-?\d+(?::\d{2})?(?:\.\d+)?")


@cache
def coaching() -> dict[str, Any]:
    """metrics/coaching.toml, read once."""
    return tomllib.loads((Path(__file__).parent / "metrics" / "coaching.toml").read_text(encoding="utf-8"))


def clock(t_s: float) -> str:
    """A time in the video, m:ss.ss."""
    hundredths = round(100 * t_s)
    return f"{hundredths // 6000}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def number(value: float, unit: str) -> str:
    """A value by the rounding rule, without its unit; never "-0"."""
    decimals = DECIMALS.get(unit, 2)
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def quantity(value: float, unit: str) -> str:
    """A value with its unit."""
    return f"{number(value, unit)} {unit}"


def band_in_words(band: Band, unit: str) -> str:
    """A band as a coach reads it."""
    if band.low is None and band.high is not None:
        return f"up to {quantity(band.high, unit)}"
    if band.high is None and band.low is not None:
        return f"{quantity(band.low, unit)} or more"
    return f"{number(band.low, unit)} to {quantity(band.high, unit)}" if band.low is not None and band.high is not None else "any"


def interval_in_words(metric: Metric) -> str:
    """The 95 % interval of a measured metric as a coach reads it."""
    if metric.ci95 is None:
        return "how sure is not known"
    low, high = metric.ci95
    return f"likely between {number(low, metric.unit)} and {number(high, metric.unit)}"


def balls(n: int) -> str:
    """n deliveries, in words a coach uses."""
    return "1 ball" if n == 1 else f"{n} balls"


def numbers_in(text: str) -> list[tuple[str, float, int]]:
    """Every number written in a text: (as written, value, decimals shown). A time m:ss.ss is given in seconds."""
    found = []
    for match in _NUMBER.finditer(text):
        written = match.group()
        minutes, _, rest = written.rpartition(":")
        value = float(rest) + 60 * float(minutes) if minutes else float(rest)
        found.append((written, value, len(rest.partition(".")[2])))
    return found


def unsupported_numbers(text: str, data: Iterable[float]) -> list[str]:
    """The numbers of a text that no datum rounds to. Signs are not compared: a dash before a number may be punctuation."""
    known = sorted({abs(float(value)) for value in data})
    return [written for written, value, decimals in numbers_in(text) if not _rounds_to(known, abs(value), decimals)]


def _rounds_to(known: list[float], value: float, decimals: int) -> bool:
    from bisect import bisect_left

    half = 0.5 * 10**-decimals + 1e-9
    at = bisect_left(known, value - half)
    return at < len(known) and known[at] <= value + half
