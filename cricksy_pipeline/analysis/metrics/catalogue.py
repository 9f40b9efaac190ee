"""The catalogue of metrics, read from catalogue.toml.

Belongs here: the shape of a catalogue entry and the words for what could not be measured. Does not belong here: any number (they are
in catalogue.toml), the measured errors (`accuracy`), any measuring.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cricksy_pipeline.analysis.documents import AnalysisMode, Band, NotOffered


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
    sigma_player: float
    sigma_view: float
    sigma_model: float
    band: Band | None = None
    bands: tuple[tuple[str, Band], ...] = ()
    d1: float = 0.0
    d2: float = 0.0
    judged: bool = True
    why_not_judged: str | None = None
    judged_if: tuple[str, ...] = ()
    only: str | None = None
    hides: str | None = None
    of_time: bool = False
    needs_sound: bool = False
    on_curve: bool = False

    def allows(self, view: str | None) -> bool:
        """Whether the metric may be read from a camera view of this name; how far off it may be is `view_gate`'s."""
        if "any" in self.views:
            return True
        return view is not None and ("along" if view in ("front", "behind") else view) in self.views

    def band_for(self, kind: str | None) -> Band | None:
        """The band that holds for a kind of ball; for None, and for a kind without its own, the wide one."""
        return dict(self.bands).get(kind or "", self.band)

    def is_judged_for(self, kind: str | None) -> bool:
        """Whether a finding may follow where every ball read was told to be of this kind (None: not told)."""
        return self.judged and (not self.judged_if or kind in self.judged_if)


@dataclass(frozen=True)
class Kinds:
    """How two kinds of ball are told apart; the meaning of each field is in catalogue.toml."""

    above: str
    below: str
    between: float
    sigma: float
    told_at: float


@dataclass(frozen=True)
class Catalogue:
    """catalogue.toml as Python values.

    Attributes:
        version: definition version of every metric.
        gates: limits by name.
        entries: metric code -> entry.
        kinds: "shot" and "pace".
        legacy: mode -> legacy key -> metric codes, best first; empty: not offered.
        further: mode -> key -> metric code.
        not_offered: mode -> what is left out on purpose.
        words: every other table, as read.
    """

    version: str
    gates: dict[str, float]
    entries: dict[str, Entry]
    kinds: dict[str, Kinds]
    legacy: dict[AnalysisMode, dict[str, list[str]]]
    further: dict[AnalysisMode, dict[str, str]]
    not_offered: dict[AnalysisMode, list[NotOffered]]
    words: dict[str, Any]


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read once. Raises ValueError for an entry that contradicts itself."""
    raw = tomllib.loads((Path(__file__).parent / "catalogue.toml").read_text(encoding="utf-8"))
    of_mode = {name: {AnalysisMode(mode): table for mode, table in raw.pop(name).items()} for name in ("legacy", "further", "not_offered")}
    return Catalogue(
        version=raw.pop("version"),
        gates=raw.pop("gates"),
        entries={code: _entry(code, fields) for code, fields in raw.pop("metrics").items()},
        kinds={name: _kinds(fields) for name, fields in raw.pop("kinds").items()},
        legacy=of_mode["legacy"],
        further=of_mode["further"],
        not_offered={mode: [NotOffered(**item) for item in items] for mode, items in of_mode["not_offered"].items()},
        words=raw,
    )


def _entry(code: str, fields: dict[str, Any]) -> Entry:
    fields = dict(fields)
    for name in ("views", "plausible", "judged_if"):
        fields[name] = tuple(fields.get(name, ()))
    fields["band"] = _band(fields["band"]) if "band" in fields else None
    fields["bands"] = tuple((kind, _band(band)) for kind, band in fields.get("bands", {}).items())
    entry = Entry(code=code, **fields)
    if entry.judged and (entry.band is None or not 0 < entry.d1 < entry.d2):
        raise ValueError(f"{code} is judged but has no band with two distances")
    return entry


def _band(fields: dict[str, Any]) -> Band:
    return Band(**{"low": None, "high": None, **fields})


def _kinds(fields: dict[str, Any]) -> Kinds:
    return Kinds(**{name: fields[name] for name in Kinds.__dataclass_fields__})


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
