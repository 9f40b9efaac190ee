"""The catalogue of metrics, read from catalogue.toml.

Belongs here: the shape of a catalogue entry and the words for what could not be measured. Does not belong here: any number (they are
in catalogue.toml) and any measuring.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cricksy_pipeline.analysis.documents import AnalysisMode, Band


@dataclass(frozen=True)
class Entry:
    """One metric of the catalogue; the meaning of each field is in catalogue.toml."""

    code: str
    label: str
    unit: str
    definition: str
    views: tuple[str, ...]
    event: str
    series: str
    plausible: tuple[float, float]
    band: Band | None
    d1: float
    d2: float
    sigma_player: float
    sigma_view: float
    sigma_model: float
    judged: bool
    why_not_judged: str | None

    def allows(self, view: str | None) -> bool:
        """Whether the metric may be read from this camera view."""
        if "any" in self.views:
            return True
        return view is not None and ("along" if view in ("front", "behind") else view) in self.views


@dataclass(frozen=True)
class Catalogue:
    """catalogue.toml as Python values.

    Attributes:
        version: definition version of every metric.
        gates: limits by name.
        entries: metric code -> entry.
        legacy: mode -> legacy key -> metric codes, best first; empty: not offered.
        further: mode -> key -> metric code.
        words: every other table, as read.
    """

    version: str
    gates: dict[str, float]
    entries: dict[str, Entry]
    legacy: dict[AnalysisMode, dict[str, list[str]]]
    further: dict[AnalysisMode, dict[str, str]]
    words: dict[str, Any]

    def entry_of(self, mode: AnalysisMode, key: str, definition: str) -> Entry | None:
        """The entry behind a metric of a results document, told by its key and the code its definition starts with."""
        code = definition.split(":", 1)[0]
        codes = self.legacy[mode].get(key) or [self.further[mode].get(key)]
        return self.entries.get(code) if code in codes else None


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read once."""
    raw = tomllib.loads((Path(__file__).parent / "catalogue.toml").read_text(encoding="utf-8"))
    entries = {code: _entry(code, fields) for code, fields in raw["metrics"].items()}
    legacy = {AnalysisMode(mode): keys for mode, keys in raw["legacy"].items()}
    further = {AnalysisMode(mode): keys for mode, keys in raw["further"].items()}
    words = {name: table for name, table in raw.items() if name not in ("version", "gates", "metrics", "legacy", "further")}
    return Catalogue(raw["version"], raw["gates"], entries, legacy, further, words)


def _entry(code: str, fields: dict[str, Any]) -> Entry:
    fields = {"judged": True, "why_not_judged": None, **fields}
    band = fields.pop("band", None)
    fields["band"] = Band(low=band.get("low"), high=band.get("high"), source=band["source"], status=band["status"]) if band else None
    fields["views"], fields["plausible"] = tuple(fields["views"]), tuple(fields["plausible"])
    if fields["judged"] and band is None:
        raise ValueError(f"{code} is judged but has no band")
    return Entry(code=code, **fields)


def reason_text(code: str, **values: Any) -> str:
    """Why a metric is null, for a coach. `values` fill the text's placeholders."""
    return catalogue().words["reasons"][code]["text"].format(**values)


def how_to_film(code: str, entry: Entry | None) -> str | None:
    """What to film to have it; None where no filming helps."""
    if code == "VIEW" and entry is not None:
        return catalogue().words["views"][entry.views[0]].get("how_to_film")
    return catalogue().words["reasons"].get(code, {}).get("how_to_film")


def wanted_view(entry: Entry) -> str:
    """From where a metric can be read, in words."""
    return " or ".join(catalogue().words["views"][view]["wanted"] for view in entry.views)
