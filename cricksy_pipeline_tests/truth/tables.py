"""What the records of the corpus say together: bias, spread, coverage, events, findings; plain rows of numbers.

Belongs here: statistics over records. Does not belong here: making records (`record`), changing any number of the analysis (`fit`), the
page (`page`), what must hold (the tests).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.wording import coaching

Record = dict[str, Any]

VIEWS = ("side", "front", "behind", "quarter")
"""The camera views that accuracy.toml knows; what is told of no view is "unknown"."""


def _view(name: str | None) -> str:
    return name if name in VIEWS else "unknown"


def proportion_interval(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper and Pearson's exact interval of a proportion; (0, 1) where nothing was counted."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = float(beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return (low, high) if n else (0.0, 1.0)


def usable(records: Iterable[Record], half: str | None = None) -> list[Record]:
    """Those of one half (None: both) that show a player who is to be measured, and were made without an error."""
    return [r for r in records if "error" not in r and r["group"] != "stranger" and (half is None or r["half"] == half)]


def values_by_metric(records: Iterable[Record]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(code, view) -> every value of one ball, with the name of its record."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for r in records:
        for value in r["values"]:
            found[value["code"], _view(value["view"])].append({**value, "clip": r["name"]})
    return dict(sorted(found.items()))


def accuracy(records: Iterable[Record]) -> list[dict[str, Any]]:
    """By metric and view: n balls, bias, spread (standard deviation), median and 95th percentile of the error's size, the mean half width
    of one ball's 95 % interval, and how often it holds the truth."""
    rows = []
    for (code, view), values in values_by_metric(records).items():
        error = np.array([v["measured"] - v["true"] for v in values])
        half_width = np.array([(v["ci95"][1] - v["ci95"][0]) / 2 for v in values])
        inside = sum(v["ci95"][0] - 1e-4 <= v["true"] <= v["ci95"][1] + 1e-4 for v in values)
        rows.append(
            {
                "code": code,
                "view": view,
                "n": len(values),
                "clips": len({v["clip"] for v in values}),
                "bias": float(error.mean()),
                "spread": float(error.std(ddof=1)) if len(error) > 1 else None,
                "median_error": float(np.median(np.abs(error))),
                "error_95": float(np.quantile(np.abs(error), 0.95)),
                "half_width": float(half_width.mean()),
                "inside": inside,
                "coverage": inside / len(values),
            }
        )
    return rows


def printed_intervals(records: Iterable[Record]) -> list[dict[str, Any]]:
    """By metric, view and number of balls: how often the interval that a coach sees holds the mean of those balls' true values."""
    counted: dict[tuple[str, str, int], list[bool]] = defaultdict(list)
    for r in records:
        for m in r["metrics"]:
            if m["ci95"] is not None and m["true"] is not None and m["n"] == m["n_true"]:
                low, high = m["ci95"]
                counted[m["code"], _view(m["view"]), m["n"]].append(low - 1e-4 <= m["true"] <= high + 1e-4)
    return [
        {"code": code, "view": view, "balls": balls, "n": len(held), "inside": sum(held), "coverage": sum(held) / len(held)}
        for (code, view, balls), held in sorted(counted.items())
    ]


def events(records: Iterable[Record]) -> list[dict[str, Any]]:
    """By motion, event and rate (below and from 50 a second): how often found, bias and spread in ms, how often inside 1.96 sigma."""
    errors: dict[tuple[str, str, str], list[tuple[float, float]]] = defaultdict(list)
    wanted: dict[tuple[str, str], int] = defaultdict(int)
    for r in records:
        rate = "50 and more" if r["fps"] >= 49 else "below 50"
        wanted[r["motion"], rate] += r["true_deliveries"]
        for e in r["events"]:
            errors[r["motion"], e["event"], rate].append((e["error_s"], e["sigma_s"]))
    rows = []
    for (motion, event, rate), pairs in sorted(errors.items()):
        error, sigma = np.array(pairs).T
        inside = int((np.abs(error) <= 1.96 * sigma + 1e-4).sum())
        rows.append(
            {
                "motion": motion,
                "event": event,
                "rate": rate,
                "n": len(error),
                "found": len(error) / max(wanted[motion, rate], 1),
                "bias_ms": float(1000 * error.mean()),
                "spread_ms": float(1000 * error.std(ddof=1)) if len(error) > 1 else None,
                "sigma_ms": float(1000 * sigma.mean()),
                "inside": inside,
                "coverage": inside / len(error),
            }
        )
    return rows


def deliveries(records: Iterable[Record]) -> list[dict[str, Any]]:
    """By motion and view: how many balls there were, how many were found, how many of those found were none."""
    counted: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for r in records:
        counted[r["motion"], r["view"]].append((r["true_deliveries"], r["paired"], r["deliveries"] - r["paired"]))
    return [
        {"motion": motion, "view": view, **dict(zip(("true", "found", "invented"), np.sum(rows, axis=0).tolist(), strict=True))}
        for (motion, view), rows in sorted(counted.items())
    ]


def technique(record: Record) -> list[str]:
    """Codes of the metrics that gave a technique finding."""
    return [f["metric"] for f in record["findings"] if f["kind"] == "technique"]


def sound(record: Record) -> bool:
    """Whether every true value of a judged metric lies in its band: only then is a finding about it false."""
    return all(_outside(m) == 0 for m in record["metrics"] if m["judged"] and m["true"] is not None and m["band"])


def specificity(records: Iterable[Record]) -> list[dict[str, Any]]:
    """By motion and view, over players truly inside every band as filmed: clips, those with a technique finding, and which."""
    grouped: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for r in records:
        if r["group"] == "correct" and sound(r):
            grouped[r["motion"], r["view"]].append(r)
    return [
        {
            "motion": motion,
            "view": view,
            "n": len(clips),
            "with_finding": sum(bool(technique(r)) for r in clips),
            "watched": sum(bool(r["watched"]) for r in clips),
            "which": sorted({code for r in clips for code in technique(r)}),
        }
        for (motion, view), clips in sorted(grouped.items())
    ]


def _outside(metric: dict[str, Any]) -> float:
    """How far the true value lies outside the band; 0 inside."""
    low, high = metric["band"]
    below = 0.0 if low is None else low - metric["true"]
    above = 0.0 if high is None else metric["true"] - high
    return max(below, above, 0.0)


def _stand_for(code: str) -> list[str]:
    """The metrics whose finding stands for this one's, where two see one thing."""
    return [cause for cause, effect in (pair["metrics"] for pair in coaching()["same_thing"]) if effect == code]


def sensitivity(records: Iterable[Record]) -> list[dict[str, Any]]:
    """One row per clip with a fault and judged metric whose true value lies outside its band: how far in printed detectable sizes, and
    whether it was found: a finding of that metric, or of the one that stands for it. `any` counts one of any metric."""
    rows = []
    for r in records:
        if r["group"] != "fault":
            continue
        for m in r["metrics"]:
            if not m["judged"] or m["true"] is None or not m["band"] or _outside(m) == 0:
                continue
            rows.append(
                {
                    "clip": r["name"],
                    "fault": next(iter(r["faults"]), ""),
                    "code": m["code"],
                    "view": _view(m["view"]),
                    "outside": _outside(m),
                    "detectable": m["detectable_fault"],
                    "sizes": _outside(m) / m["detectable_fault"] if m["detectable_fault"] else None,
                    "measured": m["value"] is not None,
                    "found": bool({m["code"], *_stand_for(m["code"])} & set(technique(r))),
                    "watched": m["code"] in r["watched"],
                    "any": bool(technique(r)),
                }
            )
    return rows


def refused(records: Iterable[Record]) -> dict[tuple[str, str], dict[str, int]]:
    """(code, true view) -> reason -> how often a metric that has a true value was null for it; "" counts the measured ones."""
    counted: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for r in records:
        for m in r["metrics"]:
            if m["true"] is not None:
                counted[m["code"], r["view"]][m["reason"] or ""] += 1
    return {key: dict(reasons) for key, reasons in sorted(counted.items())}


def invented(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Every clip without a cricketer: deliveries and technique findings, of which there should be none."""
    return [
        {"clip": r["name"], "deliveries": r["deliveries"], "technique": technique(r)}
        for r in records
        if r.get("group") == "stranger" and "error" not in r
    ]


def scenes(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Every clip in which the player is not alone, not always seen, or filmed in a way of its own: balls found, values inside, findings."""
    return [
        {
            "clip": r["name"],
            "true": r["true_deliveries"],
            "found": r["paired"],
            "invented": r["deliveries"] - r["paired"],
            "values": len(r["values"]),
            "inside": sum(v["ci95"][0] - 1e-4 <= v["true"] <= v["ci95"][1] + 1e-4 for v in r["values"]),
            "technique": technique(r),
            "ambiguous": r["summary"].get("ambiguous"),
            "slow_motion": r["summary"].get("slow_motion"),
        }
        for r in records
        if r.get("group") == "scene" and "error" not in r
    ]


def recordings(records: Sequence[Record]) -> list[dict[str, Any]]:
    """One scene recorded in several ways: each metric against the median of all recordings, in half widths of the median interval."""
    rows = []
    for motion in ("drive", "bowl"):
        same = [r for r in records if r.get("group") == "recording" and "error" not in r and r["motion"] == motion]
        read: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for r in same:
            for m in r["metrics"]:
                if m["value"] is not None:
                    read[m["code"]].append(m)
        middle = {code: float(np.median([m["value"] for m in found])) for code, found in read.items() if len(found) > len(same) / 2}
        half = {code: float(np.median([(m["ci95"][1] - m["ci95"][0]) / 2 for m in read[code]])) for code in middle}
        for r in same:
            now = {m["code"]: m["value"] for m in r["metrics"] if m["value"] is not None}
            apart = {code: abs(now[code] - middle[code]) / max(half[code], 1e-9) for code in middle if code in now}
            worst = max(apart, key=lambda code: apart[code], default=None)
            rows.append(
                {
                    "clip": r["name"],
                    "metrics": len(apart),
                    "lost": sorted(set(middle) - set(now)),
                    "largest": apart.get(worst),
                    "which": worst,
                    "technique": technique(r),
                }
            )
    return rows
