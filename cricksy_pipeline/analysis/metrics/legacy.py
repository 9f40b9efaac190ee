"""Which definition each key of a results document has in each mode.

Belongs here: the five keys that readers of the earlier system know, each behind a sound definition, and the further keys beside them: every
metric of the mode under one key. Does not belong here: the definitions (catalogue.toml and the discipline modules).
"""

from __future__ import annotations

from dataclasses import dataclass

from cricksy_pipeline.analysis.documents import LEGACY_METRICS, AnalysisMode
from cricksy_pipeline.analysis.metrics.catalogue import Entry, catalogue


@dataclass(frozen=True)
class Slot:
    """One key of `metrics.metrics`: the definition chosen for it, or why there is none in this mode.

    Attributes:
        key: the key in the document.
        entry: the chosen definition; None: not offered.
        label, unit: what to show when there is no entry.
        not_offered: why, for a coach; None when it is offered.
    """

    key: str
    entry: Entry | None
    label: str
    unit: str
    not_offered: str | None


def slots(mode: AnalysisMode, view: str | None) -> list[Slot]:
    """Every key of a document in this mode, the five first. Where a key has several definitions, the first that the view allows.

    A further key whose definition a legacy key took is left out, so that nothing is said, or judged, twice.
    """
    book = catalogue()
    chosen: list[Slot] = []
    for key in LEGACY_METRICS:
        entries = [book.entries[code] for code in book.legacy[mode][key]]
        facts = book.words["slots"][key]
        if not entries:
            chosen.append(Slot(key, None, facts["label"], facts["unit"], facts["not_offered"]))
            continue
        chosen.append(_offered(key, next((entry for entry in entries if entry.allows(view)), entries[0])))
    taken = {slot.entry.code for slot in chosen if slot.entry}
    return chosen + [_offered(key, book.entries[code]) for key, code in book.further[mode].items() if code not in taken]


def _offered(key: str, entry: Entry) -> Slot:
    return Slot(key, entry, entry.label, entry.unit, None)
