"""How a number, an interval, a band and a moment are written for people.

Belongs here: rounding, units, signs, clock times; the same on the page, in the terminal and in a plot. Does not belong here: what a
number means or whether it is good (`analysis.findings`), and anything that draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

NBSP = "\u00a0"
MINUS = "−"
_BARE_UNITS = {"", "1", "score", "ratio", "index", "count", "class"}
_DEGREES = {"deg", "degree", "degrees", "°"}


def clock(t_s: float) -> str:
    """A presentation timestamp in seconds as m:ss.ss, rounded to the nearest hundredth: 59.999 is 1:00.00."""
    hundredths = round(max(t_s, 0.0) * 100)
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes}:{rest // 100:02d}.{rest % 100:02d}"


def decimals(spread: float | None, value: float | None = None) -> int:
    """How many decimals are honest: the last digit shown is about a tenth of `spread` (half an interval), never finer than 3 decimals.

    Without a spread the size of `value` decides, so that about three digits are shown.
    """
    size = spread if spread else (abs(value) / 30 if value else None)
    if not size or not math.isfinite(size):
        return 1
    return min(3, max(0, math.ceil(-math.log10(max(size / 3, 1e-9)))))


def number(value: float, places: int) -> str:
    """`value` with `places` decimals, a true minus sign, and no negative zero."""
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def unit_text(unit: str) -> str:
    """What follows a number directly: a degree sign closes up, every other unit stands after a no-break space, a bare number has none."""
    plain = unit.strip()
    if plain.lower() in _DEGREES:
        return "°"
    if plain.lower() in _BARE_UNITS:
        return ""
    return NBSP + plain.replace(" ", NBSP)


def unit_name(unit: str) -> str:
    """The unit as an axis title: words where a sign alone would be hard to read, empty for a bare number."""
    plain = unit.strip()
    if plain.lower() in _DEGREES:
        return "degrees"
    return "" if plain.lower() in _BARE_UNITS else plain


def half_width(ci95: Sequence[float] | None) -> float | None:
    """Half of an interval, or None without one."""
    return None if ci95 is None else (ci95[1] - ci95[0]) / 2


def value_with_interval(value: float, ci95: Sequence[float] | None, unit: str) -> str:
    """`123 ± 8°`, or `123° (110 to 128)` where the interval does not lie evenly around the value. The interval is the 95 % one."""
    half = half_width(ci95)
    places = decimals(half, value)
    if ci95 is None or half is None:
        return number(value, places) + unit_text(unit)
    if abs((ci95[0] + ci95[1]) / 2 - value) <= max(0.1 * half, 0.5 * 10.0**-places):
        return f"{number(value, places)}{NBSP}±{NBSP}{number(half, places)}{unit_text(unit)}"
    return f"{number(value, places)}{unit_text(unit)} ({number(ci95[0], places)} to {number(ci95[1], places)})"


def time_with_interval(t_s: float, half_s: float) -> str:
    """`0:01.70 ± 0.03 s`: a presentation timestamp with half of its 95 % interval, seconds."""
    return f"{clock(t_s)}{NBSP}±{NBSP}{half_s:.2f}{NBSP}s"


def plain_number(value: float) -> str:
    """A limit as it was given, to four digits, with a true minus sign."""
    return f"{value:.4g}".replace("-", MINUS)


def band_limits(band: Mapping[str, Any] | Sequence[float | None] | None) -> tuple[float | None, float | None]:
    """Lower and upper end of a band given as a mapping with `low` and `high` or as a pair; (None, None) without one."""
    if band is None:
        return None, None
    if isinstance(band, Mapping):
        return band.get("low"), band.get("high")
    return band[0], band[1]


def band_words(band: Mapping[str, Any] | Sequence[float | None] | None, unit: str) -> str:
    """`100 to 165°`, `at most 3.5 %`, `at least −35°`; empty without a band."""
    low, high = band_limits(band)
    if low is None and high is None:
        return ""
    if low is None:
        return f"at most {plain_number(high)}{unit_text(unit)}"
    if high is None:
        return f"at least {plain_number(low)}{unit_text(unit)}"
    return f"{plain_number(low)} to {plain_number(high)}{unit_text(unit)}"


def percent(share: float) -> str:
    """A share in [0, 1] as whole percent; `under 1 %` and `over 99 %` instead of a false 0 or 100."""
    if 0 < share < 0.01:
        return f"under{NBSP}1{NBSP}%"
    if 0.99 < share < 1:
        return f"over{NBSP}99{NBSP}%"
    return f"{share * 100:.0f}{NBSP}%"


def words(name: str) -> str:
    """A key such as `front_foot_contact` as people write it: `front-foot contact`."""
    text = name.replace("_", " ").strip()
    return text.replace("front foot ", "front-foot ").replace("back foot ", "back-foot ")
