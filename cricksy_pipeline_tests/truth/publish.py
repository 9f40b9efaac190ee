"""From the records of the corpus to the small text files that are committed: measured/values.csv and measured/tables.json.

    python -m cricksy_pipeline_tests.truth.publish          # from .cricksy/accuracy/records.json

Belongs here: what of the records is kept, with date, versions and command.
Does not belong here: the statistics (`tables`), the page (`page`).
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.versions import RULES
from cricksy_pipeline_tests.truth import tables
from cricksy_pipeline_tests.truth.conditions import Condition, player_choices
from cricksy_pipeline_tests.truth.corpus import FOLDER
from cricksy_pipeline_tests.truth.disturb import ErrorModel
from cricksy_pipeline_tests.truth.exact import exact_record
from cricksy_pipeline_tests.truth.tables import Record

MEASURED = Path(__file__).with_name("measured")
COMMAND = "make accuracy"
COLUMNS = ("half", "group", "motion", "view", "code", "fps", "height_px", "true", "measured", "low", "high")
SESSIONS = (1, 3, 6)


def value_rows(records: Sequence[Record]) -> list[dict[str, Any]]:
    """One row per metric and ball, both halves, without the recordings of one scene; `view` as the analysis named it."""
    rows = []
    for r in tables.usable(records):
        if r["group"] == "recording":
            continue
        about = {name: r[name] for name in ("half", "group", "motion", "fps", "height_px")}
        for v in r["values"]:
            low, high = (_number(end) for end in v["ci95"])
            told = {"view": v["view"] or "unknown", "code": v["code"], "low": low, "high": high}
            rows.append({**about, **told, "true": _number(v["true"]), "measured": _number(v["measured"])})
    return sorted(rows, key=lambda row: [str(row[name]) for name in COLUMNS])


def _number(value: float) -> float:
    return float(f"{value:.5g}")


def published(records: Sequence[Record], today: str) -> dict[str, Any]:
    """Every table of the accuracy page, from the held-out half where a half is meant."""
    # One scene in nine recordings is one player, not nine: it has a table of its own.
    held = [r for r in tables.usable(records, "held out") if r["group"] != "recording"]
    both = tables.usable(records)
    return {
        "date": today,
        "command": COMMAND,
        "rules": RULES,
        "definition_version": catalogue().version,
        "clips": dict(Counter(f"{r['group']}, {r['half']}" for r in records if "error" not in r)),
        "failed": [{"clip": r["name"], "error": r["error"]} for r in records if "error" in r],
        "accuracy": tables.accuracy(held),
        "printed": tables.printed_intervals(held),
        "events": tables.events(held),
        "deliveries": tables.deliveries([r for r in both if r["group"] in ("correct", "fault")]),
        "scenes": tables.scenes(records),
        "specificity": tables.specificity(both),
        "sensitivity": tables.sensitivity(both),
        "refused": [
            {"code": code, "view": view, "reasons": reasons}
            for (code, view), reasons in tables.refused([r for r in both if r["group"] in ("correct", "fault")]).items()
        ],
        "strangers": tables.invented(records),
        "recordings": tables.recordings(records),
        "detectable": detectable(),
    }


def detectable() -> list[dict[str, Any]]:
    """By metric, view and number of balls: the printed detectable fault and change, median over players with disturbed true landmarks."""
    found: dict[tuple[str, str, int], list[tuple[float | None, float]]] = {}
    for motion, view in SEEN_FROM:
        for balls in SESSIONS:
            for number in range(2):
                condition = Condition("", "correct", "held out", motion, view, player_choices(motion, view, 900 + number), balls=balls)
                for m in exact_record(condition, ErrorModel(), number)["metrics"]:
                    if m["value"] is not None and m["detectable_change"] is not None and m["n"] == balls:
                        key = (m["code"], m["view"] or "unknown", balls)
                        found.setdefault(key, []).append((m["detectable_fault"] if m["judged"] else None, m["detectable_change"]))
    rows = []
    for (code, view, balls), pairs in sorted(found.items()):
        faults = [fault for fault, _ in pairs if fault is not None]
        rows.append(
            {
                "code": code,
                "view": view,
                "balls": balls,
                "fault": statistics.median(faults) if faults else None,
                "change": statistics.median(change for _, change in pairs),
            }
        )
    return rows


SEEN_FROM = [(motion, view) for motion in ("drive", "bowl", "keep", "throw", "catch") for view in ("side", "front")]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=Path, default=FOLDER / "records.json")
    asked = parser.parse_args()
    records = json.loads(asked.records.read_text())
    MEASURED.mkdir(exist_ok=True)
    with (MEASURED / "values.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(value_rows(records))
    told = published(records, date.today().isoformat())
    (MEASURED / "tables.json").write_text(json.dumps(rounded(told), indent=1) + "\n")
    return 0


def rounded(content: Any) -> Any:
    """Five significant digits: what is committed should not change with the machine."""
    if isinstance(content, float):
        return _number(content)
    if isinstance(content, dict):
        return {name: rounded(value) for name, value in content.items()}
    return [rounded(value) for value in content] if isinstance(content, (list, tuple)) else content


if __name__ == "__main__":
    sys.exit(main())
