"""How much a materialization may say: Dagster keeps every event for ever, and folds away markdown that is long.

Belongs here: the budget and what is done where it is exceeded. Does not belong here: what is shown (`describe`).
"""

from __future__ import annotations

import json
from typing import Any

import dagster as dg

BUDGET_BYTES = 24_000
"""Most bytes of one materialization's metadata, as JSON. House default: the largest seen is below half of it; a hundred thousand events of
this size are 2.4 GB of PostgreSQL."""

INLINE_CHARACTERS = 999
"""Longer markdown is folded behind "[Show Markdown]" by the UI (seen in the web application of 1.13.27: `mdStr.length < 1e3`)."""

CUT = "\n\n... cut here: the rest is in the stored objects."


def size_bytes(metadata: dict[str, Any]) -> int:
    """The size of metadata as its content in JSON, UTF-8."""
    return sum(_size(name, value) for name, value in metadata.items())


def within_budget(metadata: dict[str, Any], budget: int = BUDGET_BYTES) -> dict[str, Any]:
    """The same metadata where it fits; else the longest texts and tables are cut, and say so, until it does.

    Entries stay in their order, and none is dropped: a number that is plotted over time must not vanish because a text was long.
    """
    shown = dict(metadata)
    cut: set[str] = set()
    while size_bytes(shown) > budget and len(cut) < len(shown):
        name = max((each for each in shown if each not in cut), key=lambda each: _size(each, shown[each]))
        room = budget - size_bytes({other: value for other, value in shown.items() if other != name})
        shown[name] = _cut(shown[name], max(room, 0))
        cut.add(name)
    return shown


def _size(name: str, value: Any) -> int:
    return len(json.dumps([name, _content(value)], ensure_ascii=False, default=str).encode())


def _content(value: Any) -> Any:
    if isinstance(value, dg.TableMetadataValue):
        return [[record.data for record in value.records], [column.name for column in value.schema.columns]]
    return value.value if isinstance(value, dg.MetadataValue) else value


def _cut(value: Any, room: int) -> Any:
    """The value in about `room` bytes, where its kind can be cut; the notice itself may go beyond, by its own length."""
    if isinstance(value, dg.TableMetadataValue):
        records = list(value.records)
        while records and _size("", dg.MetadataValue.table(records)) > room:
            records = records[: len(records) // 2]
        return dg.MetadataValue.table(records) if records else dg.MetadataValue.text(CUT.strip())
    if isinstance(value, dg.MarkdownMetadataValue):
        return dg.MetadataValue.md(_shortened(value.md_str or "", room))
    if isinstance(value, (dg.TextMetadataValue, str)):
        return _shortened(value if isinstance(value, str) else value.text or "", room)
    if isinstance(value, dg.JsonMetadataValue):
        return dg.MetadataValue.text(CUT.strip())
    return value


def _shortened(text: str, room: int) -> str:
    """As much of the text's beginning as leaves room for the notice, counted as JSON: a quotation mark there is two bytes."""
    kept = text[:room]
    while kept and _size("", kept + CUT) > room:
        kept = kept[: len(kept) * 9 // 10]
    return kept + CUT
