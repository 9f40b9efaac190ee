"""How far the measurements of a clip can be trusted as a whole, and what would raise it.

Belongs here: the confidence of the findings document and its reasons in words. Does not belong here: the uncertainty of one metric
(`metrics`), what is found (`judging`), the factors and sentences (metrics/coaching.toml, tables confidence and doubts).
"""

from __future__ import annotations

from typing import Any

from cricksy_pipeline.analysis.confirming import GOOD_SESSION
from cricksy_pipeline.analysis.documents import Level, MetricsBlock
from cricksy_pipeline.analysis.judging import Judged
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.wording import balls, coaching

Trust = tuple[float | None, Level | None, list[str]]
"""Confidence in [0, 1], its label, the reasons; null where nothing was measured."""


def trust(judged: list[Judged], block: MetricsBlock, *, detection_rate: float, subject: dict[str, Any], seen_enough: bool) -> Trust:
    """Geometric mean of three shares: pictures in which the player was found (full at 90 %), balls (half at 2, seven eighths at 6), and
    how narrow the intervals are against their bands; lowered for every doubt (`doubts`).

    Args:
        judged: the metrics that were held against a band.
        detection_rate: percent of the sampled frames in which the player was found.
        subject: `pose_summary.subject`.
        seen_enough: whether the player was seen enough to speak of technique at all.
    """
    measured = [metric for metric in block.metrics.values() if metric.value is not None]
    doubted = doubts(block, subject)
    if not seen_enough or not measured:
        return None, None, ["Nothing was measured.", *(text for _, text in doubted)]
    factors = coaching()["confidence"]
    n = max(metric.n for metric in measured)
    sharp = [_sharpness(item) for item in judged]
    shares = [min(1.0, detection_rate / factors["full_rate_percent"]), 1 - 0.5 ** (n / 2), *([sum(sharp) / len(sharp)] if sharp else [])]
    score = 1.0
    for share in shares:
        score *= max(share, 1e-6) ** (1 / len(shares))
    reasons = []
    if detection_rate < factors["full_rate_percent"]:
        reasons.append(f"The player was found in only {detection_rate:.0f} % of the pictures.")
    more = "" if n >= GOOD_SESSION else f"; {GOOD_SESSION} or more would be better"
    reasons.append(f"{balls(n).capitalize()} measured{more}.")
    if sharp and min(sharp) < 0.7:
        reasons.append("At least one interval is as wide as the band it is held against.")
    for factor, text in doubted:
        score *= factor
        reasons.append(text)
    label: Level = "high" if score >= factors["high_from"] else "medium" if score >= factors["medium_from"] else "low"
    return round(score, 4), label, reasons


def doubts(block: MetricsBlock, subject: dict[str, Any]) -> list[tuple[float, str]]:
    """(what the trust is multiplied by, sentence) of everything that makes the measurements doubtful, each with what to do about it."""
    words, factors, summary = coaching()["doubts"], coaching()["confidence"], block.summary
    found = []
    if _ambiguous(subject):
        found.append((factors["ambiguous"], words["ambiguous"].format(number=_runner_up(subject))))
    if subject.get("lost"):
        found.append((factors["lost"], words["lost"]))
    confidence = summary.get("view_confidence")
    if block.deliveries and isinstance(confidence, (int, float)) and confidence < factors["sure_view"]:
        found.append((factors["view_doubtful"], words["view"]))
    if summary.get("speed_source") == "unknown":
        slower = summary.get("likely_slow_motion")
        found.append((factors["speed_unknown"], words["speed_likely"].format(factor=f"{slower:g}") if slower else words["speed"]))
    return found + [(coaching()["pictures"][problem["code"]]["trust"], in_words(problem)) for problem in problems(block)]


def problems(block: MetricsBlock) -> list[dict[str, Any]]:
    """The gates that the pictures around the balls did not pass (`metrics.quality.Problem` as JSON), as far as there are words for them."""
    return [problem for problem in block.summary.get("quality") or [] if problem.get("code") in coaching()["pictures"]]


def in_words(problem: dict[str, Any]) -> str:
    """What the pictures lacked, and how to film otherwise."""
    value, limit = problem["value"], problem["limit"]
    text = coaching()["pictures"][problem["code"]]["text"].format(value=f"{value:.0f}", limit=f"{limit:g}", percent=f"{100 * value:.0f}")
    return " ".join(part for part in (text, coaching()["film"].get(problem.get("how_to_film"))) if part)


def held_back(block: MetricsBlock) -> list[dict[str, Any]]:
    """The problems so grave that nothing is said of technique: what was followed is not surely a player."""
    limits = coaching()["pictures"]
    return [
        problem
        for problem in problems(block)
        if problem["value"] < limits[problem["code"]].get("least", -1.0) or problem["value"] > limits[problem["code"]].get("most", 1e9)
    ]


def _sharpness(item: Judged) -> float:
    band, ci95 = item.metric.band, item.metric.ci95
    if band is None or ci95 is None:
        return 0.0
    width = 2 * catalogue().entries[item.code].d2 if band.low is None or band.high is None else band.high - band.low
    return min(1.0, width / max(ci95[1] - ci95[0], 1e-9))


def _runner_up(subject: dict[str, Any]) -> int:
    """The number of the likeliest person who was not followed."""
    numbers = [person.get("number") for person in subject.get("people") or () if isinstance(person, dict)]
    return next((number for number in numbers if number and number != subject.get("chosen")), 2)


def _ambiguous(subject: dict[str, Any]) -> bool:
    sign = subject.get("ambiguous", subject.get("ambiguity"))
    return sign is True or (isinstance(sign, (int, float)) and not isinstance(sign, bool) and sign >= 0.5)
