"""What Dagster's pages show of each materialization.

Belongs here: metadata worth looking at, per stage, within the budget. Plain numbers are plotted per partition by Dagster itself; pictures
lie in the object store and are shown by address, because Dagster folds an inline picture away and keeps every event for ever. Does not
belong here: computing; addresses (`links`), the story of a partition (`story`), tables of values (`tables`).
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings, Report
from cricksy_pipeline.analysis.sampling import SamplingPlan
from cricksy_pipeline.analysis.video import FrameIndex
from cricksy_pipeline.orchestration.illustrate import PICTURES
from cricksy_pipeline.orchestration.links import job_url, output_links, page_url, picture
from cricksy_pipeline.orchestration.looking import Seen
from cricksy_pipeline.orchestration.metadata_budget import within_budget
from cricksy_pipeline.orchestration.persist import Stored
from cricksy_pipeline.orchestration.source_video import SourceVideo
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.orchestration.story import attempts_table, story_table
from cricksy_pipeline.orchestration.tables import findings_table, guardrail_table, metric_table, not_measured, sparklines
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.guardrail_log import RecordedOutcome
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import VideoAnalysisJob


def describe_frames(
    now: Stage, index: FrameIndex, plan: SamplingPlan, source: SourceVideo, stored: Stored, settings: Settings
) -> dg.MaterializeResult:
    """The video in numbers."""
    info = index.info
    return _result(
        {
            "duration_s": info.duration_s,
            "frames_in_file": info.frame_count,
            "average_fps": info.average_fps,
            "variable_rate": info.variable_rate,
            "quick_frames_planned": len(plan.quick),
            "deep_frames_planned": len(plan.deep),
            "picture": f"{info.width} x {info.height}, {info.codec}, rotated by {info.rotation_deg} degrees",
            "source_bytes": source.size_bytes,
            "source_sha256": source.sha256,
            **_where(now.job_id, stored, settings),
        }
    )


def describe_pass(now: Stage, seen: Seen, document: AnalysisResults, stored: Stored, settings: Settings) -> dg.MaterializeResult:
    """Coverage and metrics as numbers, the player and the plots as pictures."""
    summary = document.pose_summary
    player, metrics = PICTURES[document.meta.pass_name]
    return _result(
        {
            "player": _picture(now.job_id, player, "the player that was followed, with skeleton", settings),
            "metrics_over_time": _picture(now.job_id, metrics, "each metric over time", settings),
            **_strip(now.job_id, document, settings),
            "metrics": metric_table(document),
            **not_measured(document),
            **sparklines(document),
            "looked_into_the_video": seen.footage is not None,
            "sampled_frames": summary.sampled_frames,
            "burst_frames": summary.burst_frames,
            "frames_with_pose": summary.frames_with_pose,
            "detection_rate_percent": summary.detection_rate_percent,
            "deliveries": len(document.metrics.deliveries),
            **{f"metric/{name}": metric.value for name, metric in document.metrics.metrics.items() if metric.value is not None},
            "model": f"{summary.model} {summary.model_sha256[:12]}",
            **({"finder": f"{summary.finder} {summary.finder_sha256[:12]}"} if summary.finder and summary.finder_sha256 else {}),
            "analysis_version": document.meta.analysis_version,
            **_where(now.job_id, stored, settings),
        }
    )


def describe_findings(now: Stage, found: Findings, stored: Stored, settings: Settings) -> dg.MaterializeResult:
    """How many, how bad, and why."""
    return _result(
        {
            **({"priority": f"{found.priority.title}. {found.priority.why_first}"} if found.priority else {}),
            **({"findings": findings_table(found)} if found.findings else {}),
            "technique_findings": sum(f.kind == "technique" for f in found.findings),
            "quality_findings": sum(f.kind == "quality" for f in found.findings),
            "watched": len(found.watch),
            "style_notes": len(found.style_notes),
            "not_measured": len(found.not_measured),
            "overall_level": found.overall_level or f"none: {found.overall_level_reason}",
            **({"confidence_score": found.confidence_score} if found.confidence_score is not None else {}),
            **_where(now.job_id, stored, settings),
        }
    )


def describe_report(now: Stage, written: Report, stored: Stored, settings: Settings) -> dg.MaterializeResult:
    """The text itself, and where the page is."""
    return _result(
        {
            "summary": written.summary,
            "report": dg.MetadataValue.md("\n\n".join(f"**{s.title}**\n\n{s.body}" for s in written.sections)),
            "text_characters": len(written.text),
            "drills": len(written.drills),
            "report_page": dg.MetadataValue.url(f"{job_url(settings, now.job_id)}/report.html"),
            **_where(now.job_id, stored, settings),
        }
    )


def describe_completion(
    now: Stage, row: VideoAnalysisJob, read: VideoAnalysisJobRead, guardrails: list[RecordedOutcome], settings: Settings
) -> dg.MaterializeResult:
    """The story of the partition, what was proven, and how long the coach waited."""
    waited = (row.completed_at - row.created_at).total_seconds()
    cost = now.cost.so_far()
    return _result(
        {
            "story": dg.MetadataValue.md(story_table(row, cost["seconds"], cost["cpu_s"])),
            "attempts": dg.MetadataValue.md(attempts_table(now.jobs.last_attempts(row.id))),
            "guardrails": guardrail_table(guardrails),
            "status": str(row.status),
            "guardrails_passed": sum(g.passed for g in guardrails),
            "guardrails_warned": sum(not g.passed for g in guardrails),
            "missing_artifacts": len(read.missing_artifacts),
            "seconds_from_submission": round(waited, 3),
            **_links(row.id, settings),
            "objects": _outputs(row.id, {name: entry["key"] for name, entry in (row.stored_objects or {}).items()}, settings),
        }
    )


def describe_kept(now: Stage, settings: Settings) -> dg.MaterializeResult:
    """Nothing was made: what an earlier run made still holds."""
    record = now.row.stages[now.name]
    return _result(
        {
            "kept": f"Nothing it follows from has changed since attempt {record['made_in']}; nothing was computed.",
            "kept_from_run": dg.MetadataValue.dagster_run(record["run_id"]),
            "inputs": record["inputs"],
            **_links(now.job_id, settings),
        }
    )


def not_requested() -> dg.MaterializeResult:
    """A quick-only job: the stage ran and there was nothing to do. A missing output would skip everything after it."""
    return dg.MaterializeResult(metadata={"requested": False})


def _result(metadata: dict[str, Any]) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata=within_budget(metadata))


def _picture(job_id: str, output: Output, alt: str, settings: Settings) -> dg.MetadataValue:
    return dg.MetadataValue.md(picture(settings, job_id, output, alt))


def _strip(job_id: str, document: AnalysisResults, settings: Settings) -> dict[str, Any]:
    """The stills of each ball; a first look has none."""
    if document.meta.pass_name == "quick":
        return {}
    return {"moments": _picture(job_id, Output.DEEP_MOMENTS_IMAGE, "each ball at its events, with ring and skeleton", settings)}


def _where(job_id: str, stored: Stored, settings: Settings) -> dict[str, Any]:
    return {
        **_links(job_id, settings),
        "objects": _outputs(job_id, stored.keys, settings),
        "object_keys": dg.MetadataValue.json(stored.keys),
        "stored_bytes": stored.size_bytes,
    }


def _links(job_id: str, settings: Settings) -> dict[str, Any]:
    return {"page": dg.MetadataValue.url(page_url(settings, job_id)), "row": dg.MetadataValue.url(job_url(settings, job_id))}


def _outputs(job_id: str, keys: dict[str, str], settings: Settings) -> dg.MetadataValue:
    return dg.MetadataValue.md(output_links(settings, job_id, keys))
