"""From the calibration half of the corpus: the model's error of every metric and view, and where events lie beside the truth.

    python -m cricksy_pipeline_tests.truth.fit                 # prints, and writes analysis/metrics/accuracy.toml

Belongs here: turning errors into sigmas. Does not belong here: judging the result, which the other half does (the tests, `page`).

The stated error of one ball has parts that the analysis works out itself (landmarks, event, view) and one that only data can give: what
the networks, the definitions and the events get wrong however clear the picture. That part is fitted so that 95 % of the calibration half
lie in the interval: for each ball the sigma that would just have held the truth is sqrt((|error| / 1.96)^2 - rest^2), and the 95 % quantile
of these (the ceil(0.95 n)-th of n) is the sigma, widened for few balls and never below the prior, which rests on studies of people.
Bias is not subtracted; it is inside.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import ERRORS
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline_tests.truth.corpus import FOLDER, ROOT
from cricksy_pipeline_tests.truth.tables import Record, usable, values_by_metric

ACCURACY = ROOT / "cricksy_pipeline" / "analysis" / "metrics" / "accuracy.toml"
LEAST_EVENT_SIGMA_S = 0.005
"""What remains of an event's time is never less: house default."""

GROSS_S = {False: 0.08, True: 0.25}
"""An event farther off than this is another movement, not a wrong time: it counts as gross and does not widen the others' sigma."""

LEAST_OF_PRIOR = 1.0
"""Of the catalogue's sigma, which rests on studies of people: however well rendered figures are read, no less is printed. House default."""

COARSE = {"set", "rise", "catch_ready", "throw_ready", "top_of_backlift", "top_of_backlift_along"}
"""Events without a sharp moment, for which a quarter of a second is the limit."""

LEAST_BALLS = 4
"""With fewer the catalogue's own sigma stays, marked uncalibrated. With fewer than 20 the largest error decides."""

HEADER = """\
# What rendered players with known technique say of each metric's error; written by `make accuracy`, read beside catalogue.toml.
#
# [CODE.view]: view is the camera's: side, front, behind or quarter. bias: mean error on the calibration half, not subtracted, contained in
# sigma. sigma: takes the place of the catalogue's sigma_model: chosen so that the printed 95 % interval of one ball holds the truth in 95 %
# of the calibration half (split conformal). n: balls. Rendered figures are not people; nothing here is calibrated on real deliveries.
"""


def model_sigma(errors: Sequence[float], rest: Sequence[float], level: float = 0.95) -> float:
    """The sigma that, beside each ball's `rest`, makes the 95 % interval hold the truth in `level` of the balls; 1 + 2/n wider, because a
    quantile of few balls is known only roughly."""
    needed = np.sqrt(np.maximum((np.abs(errors) / 1.96) ** 2 - np.asarray(rest) ** 2, 0.0))
    rank = math.ceil(level * len(needed) - 1e-9)
    ordered = np.sort(needed)
    return float(ordered[rank - 1]) * (1 + 2 / len(ordered))


def fitted(records: Sequence[Record]) -> dict[tuple[str, str], dict[str, Any]]:
    """(code, view) -> bias, sigma, n and what else is known, from the calibration half."""
    found = {}
    for (code, view), values in values_by_metric(usable(records, "calibration")).items():
        if len(values) < LEAST_BALLS or view == "unknown":
            continue
        error = np.array([v["measured"] - v["true"] for v in values])
        sigma = model_sigma(np.maximum(np.abs(error) - [v["opens"] for v in values], 0.0), [v["rest"] for v in values])
        found[code, view] = {
            "bias": float(error.mean()),
            "sigma": max(sigma, LEAST_OF_PRIOR * catalogue().entries[code].sigma_model),
            "n": len(values),
            "sd": float(error.std(ddof=1)),
            "prior": catalogue().entries[code].sigma_model,
            "worst": sorted(values, key=lambda v: -abs(v["measured"] - v["true"]))[:3],
        }
    return found


def accuracy_toml(found: dict[tuple[str, str], dict[str, Any]], today: str) -> str:
    """The text of accuracy.toml."""
    lines = [HEADER]
    for (code, view), row in found.items():
        lines += [
            f"[{code}.{view}]",
            f"bias = {_short(row['bias'])}",
            f"sigma = {_short(row['sigma'], up=True)}",
            f"n = {row['n']}",
            f'source = "accuracy corpus of {today}, calibration half"',
            'status = "calibrated on rendered figures"',
            "",
        ]
    return "\n".join(lines)


def _short(value: float, up: bool = False) -> str:
    """Three significant digits; `up`: never rounded down."""
    if value == 0:
        return "0.0"
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return f"{(math.ceil(value / step) if up else round(value / step)) * step:.6g}" + ("" if abs(value) < 100 else ".0")


def event_key(motion: str, event: str, view: str) -> str:
    """Under which name `delivery_settings.ERRORS` keeps an event of a motion seen from a view."""
    along = "_along" if view in ("front", "behind") else ""
    if event in ("top_of_backlift", "front_foot_contact"):
        return ("throw_" if motion == "throw" else "") + event + along
    own = {("catch", "take"): "catch", ("catch", "ready"): "catch_ready"}
    return own.get((motion, event), f"throw_{event}" if motion == "throw" and event != "pick_up" else event)


def event_fit(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """By key of `delivery_settings.ERRORS`: the median error, and the sigma that, beside what the analysis works out itself, makes 1.96
    sigma hold the truth in 95 % of what was not grossly wrong, the offsets staying as they are (true landmarks set them). Seconds."""
    errors: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for r in usable(records, "calibration"):
        for e in r["events"]:
            errors[event_key(r["motion"], e["event"], r["view"])].append((e["error_s"], e["sigma_s"]))
    found = {}
    for key, pairs in sorted(errors.items()):
        error, sigma = np.array(pairs).T
        now = ERRORS[key]
        middle = float(np.median(error))
        right = np.abs(error) <= GROSS_S[key in COARSE]
        rest = np.sqrt(np.maximum(sigma**2 - now.sigma_s**2, 0))
        fitted_sigma = model_sigma(error[right], rest[right])
        found[key] = {
            "n": len(error),
            "median_s": middle,
            "sigma_s": max(fitted_sigma, LEAST_EVENT_SIGMA_S),
            "was_s": now.sigma_s,
            "inside": float(np.mean(np.abs(error) <= 1.96 * sigma)),
            "gross": float(np.mean(~right)),
        }
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, default=FOLDER / "uncalibrated.json")
    parser.add_argument("--dry", action="store_true", help="print only")
    asked = parser.parse_args()
    records = json.loads(asked.records.read_text())
    found = fitted(records)
    for (code, view), row in found.items():
        band = catalogue().entries[code].band
        worst = "; ".join(f"{v['clip']} {v['measured']:.3g}/{v['true']:.3g}" for v in row["worst"][:2])
        print(
            f"{code:5s}{view:8s} n {row['n']:3d} bias {row['bias']:+8.3f} sd {row['sd']:7.3f} "
            f"sigma {row['sigma']:7.3f} (prior {row['prior']:g}) band {[band.low, band.high] if band else '-'} worst: {worst}"
        )
    for key, row in event_fit(records).items():
        print(
            f"{key:32s} n {row['n']:3d} inside {row['inside']:.2f} gross {row['gross']:.2f} median {1000 * row['median_s']:+6.1f} ms: "
            f"sigma_s {row['sigma_s']:.3f} (was {row['was_s']:.3f})"
        )
    if not asked.dry:
        ACCURACY.write_text(accuracy_toml(found, date.today().isoformat()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
