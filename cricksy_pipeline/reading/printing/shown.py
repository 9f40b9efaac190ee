"""The result of an analysis as a coach reads it, as JSON: what `cricksy show --json` prints.

Belongs here: the shape, which a script may rely on (docs/schemas), in the order in which it is read: the priority first. Does not belong
here: the whole documents (the API's read model has them), printing (`terminal`). Nothing is judged or computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.reading.printing.parts import MAX_FINDINGS, Parts, gaps_of, parts_of


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShownPriority(_Frozen):
    """The one thing to do first."""

    say: str = Field(description="The cue; the title of the finding where it has none.")
    title: str | None
    why_first: str | None
    kind: Literal["technique", "quality"]


class ShownFinding(_Frozen):
    """One finding. `severity`: high is bad."""

    code: str | None
    title: str | None
    kind: Literal["technique", "quality"]
    severity: str | None
    message: str | None
    value: float | None
    unit: str | None
    ci95: list[float] | None
    t_s: list[float] = Field(description="When to see it, seconds of presentation time.")
    cues: list[str]
    drills: list[str]
    to_confirm: str | None


class ShownGap(_Frozen):
    """Measures that could not be taken for one reason."""

    measures: list[str]
    reason: str
    how_to_film: str | None


class ShownError(_Frozen):
    """Why the analysis failed."""

    code: str | None
    message: str | None
    advice: str | None


class ShownAnalysis(_Frozen):
    """What a coach reads of a job, in order of reading."""

    schema_version: Literal["1"] = "1"
    id: str
    status: str
    progress_pct: int
    analysis_mode: str | None
    shown_pass: Literal["quick", "deep"] | None = Field(description="Of which pass what follows is; null: there is nothing to read.")
    final: bool = Field(description="The analysis is done, nothing of this will change; else it is a first look.")
    error: ShownError | None
    priority: ShownPriority | None
    summary: str | None
    findings: list[ShownFinding] = Field(description=f"At most {MAX_FINDINGS}, the most important first.")
    watch: list[str] = Field(description="Titles of what is likely and not sure.")
    trust: str | None = Field(description="low, medium or high: trust in the measurements.")
    not_measured: list[ShownGap]
    page: str = Field(description="Address of the page in a browser.")
    report: str | None = Field(description="The report's file, where the store is a folder of this machine.")


def shown_analysis(read: BaseModel | Mapping[str, Any], *, page: str, report: str | None) -> ShownAnalysis:
    """What a coach reads of a job. `read`: the read model, or the JSON that the API answers; rows of any age and status."""
    parts = parts_of(read)
    row = parts.row
    done = row.get("status") in ("done", "completed")
    return ShownAnalysis(
        id=str(row.get("id")),
        status=str(row.get("status")),
        progress_pct=int(row.get("progress_pct") or 0),
        analysis_mode=row.get("analysis_mode"),
        shown_pass=parts.shown_pass,
        final=done,
        error=_error(row) if row.get("status") == "failed" else None,
        priority=_priority(parts),
        summary=parts.report.get("summary") or None,
        findings=[_finding(each) for each in parts.listed[:MAX_FINDINGS]],
        watch=[str(each.get("title") or "?") for each in parts.findings.get("watch") or [] if isinstance(each, Mapping)],
        trust=parts.findings.get("confidence_label"),
        not_measured=[
            ShownGap(measures=labels, reason=reason, how_to_film=remedy or None)
            for (reason, remedy), labels in gaps_of(parts.results, parts.findings).items()
        ],
        page=page,
        report=report,
    )


def _priority(parts: Parts) -> ShownPriority | None:
    first = parts.first
    if first is None:
        return None
    return ShownPriority(say=first.say, title=first.title, why_first=first.why, kind=first.kind)


def _finding(finding: Mapping[str, Any]) -> ShownFinding:
    evidence = finding.get("evidence") if isinstance(finding.get("evidence"), Mapping) else {}
    seen = finding.get("video_evidence") if isinstance(finding.get("video_evidence"), Mapping) else {}
    moments = [moment.get("t_s") for moment in seen.get("worst_frames") or [] if isinstance(moment, Mapping)]
    times = moments or evidence.get("t_s") or []
    confirm = finding.get("what_would_confirm")
    value, interval = evidence.get("value"), evidence.get("ci95")
    return ShownFinding(
        code=finding.get("code"),
        title=finding.get("title"),
        kind="quality" if finding.get("kind") == "quality" else "technique",
        severity=finding.get("severity"),
        message=finding.get("message"),
        value=value if isinstance(value, (int, float)) else None,
        unit=evidence.get("unit"),
        ci95=list(interval) if isinstance(interval, (list, tuple)) and len(interval) == 2 else None,
        t_s=[float(t) for t in times if isinstance(t, (int, float))] if isinstance(times, (list, tuple)) else [],
        cues=[str(cue) for cue in finding.get("cues") or []],
        drills=[str(drill) for drill in finding.get("suggested_drills") or []],
        to_confirm=confirm.get("text") if isinstance(confirm, Mapping) else None,
    )


def _error(row: Mapping[str, Any]) -> ShownError:
    code = row.get("error_code")
    advice = CODE_FACTS[ErrorCode(code)].advice if code in ErrorCode.__members__ else None
    return ShownError(code=code, message=row.get("error_message"), advice=advice)
