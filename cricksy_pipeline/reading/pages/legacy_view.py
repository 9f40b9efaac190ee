"""What the earlier system left, as far as it can be read: headline, findings, its report.

Belongs here: old documents, of which no field is certain -> plain text. Does not belong here: documents of this system (`analysis_view`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cricksy_pipeline.store.job_read import SHOWN_TEXT, VideoAnalysisJobRead


@dataclass(frozen=True)
class LegacyFinding:
    """One finding. Empty where the old document says nothing."""

    title: str
    message: str
    severity: str
    cues: tuple[str, ...]
    drills: tuple[str, ...]


@dataclass(frozen=True)
class LegacyView:
    """The old analysis. `sections`: (title, body)."""

    headline: str
    summary: str
    findings: tuple[LegacyFinding, ...]
    sections: tuple[tuple[str, str], ...]


def legacy_view(read: VideoAnalysisJobRead) -> LegacyView | None:
    """The old documents' content, or None where there is nothing in them to read."""
    found = _mapping(read.deep_findings) or _mapping(read.quick_findings)
    told = _mapping(read.deep_report) or _mapping(read.quick_report)
    findings = tuple(view for item in _items(found.get("findings")) if (view := _finding(_mapping(item))))
    summary = next((text for name in reversed(SHOWN_TEXT) if (text := _text(told.get(name)))), "")
    parts = map(_mapping, _items(told.get("sections")))
    sections = tuple((_text(part.get("title")), _text(part.get("body"))) for part in parts if _text(part.get("body")))
    if not (findings or summary or sections):
        return None
    headline = findings[0].title if findings else "Nothing stood out that needs work."
    return LegacyView(headline, summary, findings, sections)


def _finding(item: Mapping[str, Any]) -> LegacyFinding | None:
    title = _text(item.get("title")) or _text(item.get("code")).replace("_", " ").capitalize() or _text(item.get("message"))
    severity = _text(item.get("severity")).lower()
    if not title:
        return None
    return LegacyFinding(
        title=title,
        message=_text(item.get("message")),
        severity=severity if severity in ("low", "medium", "high") else "",
        cues=tuple(filter(None, map(_text, _items(item.get("cues"))))),
        drills=tuple(filter(None, map(_text, _items(item.get("suggested_drills"))))),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
