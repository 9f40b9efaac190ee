"""What Dagster's pages show of each materialization.

Belongs here: metadata worth looking at. Plain numbers are plotted per partition by Dagster itself; pictures lie in the object store and
are shown by address, because Dagster folds an inline picture away and keeps every event for ever. Does not belong here: computing.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings, Report
from cricksy_pipeline.analysis.sampling import SamplingPlan
from cricksy_pipeline.analysis.video import FrameIndex
from cricksy_pipeline.orchestration.illustrate import PICTURES
from cricksy_pipeline.orchestration.looking import Seen
from cricksy_pipeline.orchestration.persist import Stored
from cricksy_pipeline.orchestration.source_video import SourceVideo
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.guardrail_log import RecordedOutcome
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import VideoAnalysisJob

JOBS_PATH = "/api/coaches/plus/analysis-jobs"


def describe_frames(index: FrameIndex, plan: SamplingPlan, source: SourceVideo, stored: Stored) -> dg.MaterializeResult:
    """The video in numbers."""
    info = index.info
    return dg.MaterializeResult(
        metadata={
            "duration_s": info.duration_s,
            "frames_in_file": info.frame_count,
            "average_fps": info.average_fps,
            "variable_rate": info.variable_rate,
            "quick_frames_planned": len(plan.quick),
            "deep_frames_planned": len(plan.deep),
            "picture": f"{info.width} x {info.height}, {info.codec}, rotated by {info.rotation_deg} degrees",
            "source_bytes": source.size_bytes,
            "source_sha256": source.sha256,
            **_objects(stored),
        }
    )


def describe_pass(now: Stage, seen: Seen, document: AnalysisResults, stored: Stored, settings: Settings) -> dg.MaterializeResult:
    """Coverage and metrics as numbers, the player and the plots as pictures."""
    summary = document.pose_summary
    player, metrics = PICTURES[document.meta.pass_name]
    return dg.MaterializeResult(
        metadata={
            "player": _picture(now.job_id, player, "the player that was followed, with skeleton", settings),
            "metrics_over_time": _picture(now.job_id, metrics, "each metric over time", settings),
            **_strip(now.job_id, document, settings),
            "looked_into_the_video": seen.footage is not None,
            "sampled_frames": summary.sampled_frames,
            "burst_frames": summary.burst_frames,
            "frames_with_pose": summary.frames_with_pose,
            "detection_rate_percent": summary.detection_rate_percent,
            "deliveries": len(document.metrics.deliveries),
            **{f"metric/{name}": metric.value for name, metric in document.metrics.metrics.items() if metric.value is not None},
            "metrics": _metric_table(document),
            "model": f"{summary.model} {summary.model_sha256[:12]}",
            "analysis_version": document.meta.analysis_version,
            "result": dg.MetadataValue.url(f"{settings.public_url}{JOBS_PATH}/{now.job_id}"),
            **_objects(stored),
        }
    )


def describe_findings(found: Findings, stored: Stored) -> dg.MaterializeResult:
    """How many, how bad, and why."""
    records = [dg.TableRecord({"code": f.code, "severity": f.severity, "title": f.title, "message": f.message}) for f in found.findings]
    return dg.MaterializeResult(
        metadata={
            "technique_findings": sum(f.kind == "technique" for f in found.findings),
            "quality_findings": sum(f.kind == "quality" for f in found.findings),
            "watched": len(found.watch),
            "style_notes": len(found.style_notes),
            **({"priority": f"{found.priority.title}. {found.priority.why_first}"} if found.priority else {}),
            "not_measured": len(found.not_measured),
            "overall_level": found.overall_level or f"none: {found.overall_level_reason}",
            **({"confidence_score": found.confidence_score} if found.confidence_score is not None else {}),
            **({"findings": dg.MetadataValue.table(records)} if records else {}),
            **_objects(stored),
        }
    )


def describe_report(now: Stage, written: Report, stored: Stored, settings: Settings) -> dg.MaterializeResult:
    """The text itself, and where the page is."""
    return dg.MaterializeResult(
        metadata={
            "summary": written.summary,
            "text_characters": len(written.text),
            "drills": len(written.drills),
            "report": dg.MetadataValue.md("\n\n".join(f"**{s.title}**\n\n{s.body}" for s in written.sections)),
            "report_page": dg.MetadataValue.url(f"{settings.public_url}{JOBS_PATH}/{now.job_id}/report.html"),
            **_objects(stored),
        }
    )


def describe_completion(
    row: VideoAnalysisJob, read: VideoAnalysisJobRead, guardrails: list[RecordedOutcome], settings: Settings
) -> dg.MaterializeResult:
    """What was proven, and how long the coach waited."""
    waited = (row.completed_at - row.created_at).total_seconds()
    return dg.MaterializeResult(
        metadata={
            "status": str(row.status),
            "guardrails_passed": sum(g.passed for g in guardrails),
            "guardrails_warned": sum(not g.passed for g in guardrails),
            "missing_artifacts": len(read.missing_artifacts),
            "seconds_from_submission": round(waited, 3),
            "result": dg.MetadataValue.url(f"{settings.public_url}{JOBS_PATH}/{row.id}"),
        }
    )


def describe_kept(now: Stage) -> dg.MaterializeResult:
    """Nothing was made: what an earlier run made still holds."""
    record = now.row.stages[now.name]
    return dg.MaterializeResult(metadata={"kept_from_run": record["run_id"], "inputs": record["inputs"]})


def not_requested() -> dg.MaterializeResult:
    """A quick-only job: the stage ran and there was nothing to do. A missing output would skip everything after it."""
    return dg.MaterializeResult(metadata={"requested": False})


def _picture(job_id: str, output: Output, alt: str, settings: Settings) -> dg.MetadataValue:
    return dg.MetadataValue.md(f"![{alt}]({settings.public_url}{JOBS_PATH}/{job_id}/files/{output})")


def _strip(job_id: str, document: AnalysisResults, settings: Settings) -> dict[str, Any]:
    """The stills of each ball; a first look has none."""
    if document.meta.pass_name == "quick":
        return {}
    return {"moments": _picture(job_id, Output.DEEP_MOMENTS_IMAGE, "each ball at its events, with ring and skeleton", settings)}


def _metric_table(document: AnalysisResults) -> dg.MetadataValue:
    def record(name: str, metric: Any) -> dg.TableRecord:
        interval = f"{metric.ci95[0]:.3g} to {metric.ci95[1]:.3g}" if metric.ci95 else "-"
        value = f"{metric.value:.3g}" if metric.value is not None else "-"
        return dg.TableRecord(
            {
                "metric": name,
                "value": value,
                "unit": metric.unit,
                "95 %": interval,
                "n": metric.n,
                "spread": f"{metric.spread:.3g}" if metric.spread is not None else "-",
                "not measured because": metric.reason or "",
            }
        )

    return dg.MetadataValue.table([record(name, metric) for name, metric in document.metrics.metrics.items()])


def _objects(stored: Stored) -> dict[str, Any]:
    return {"objects": dg.MetadataValue.json(stored.keys), "stored_bytes": stored.size_bytes}
