"""What the guardrails of each asset are shown: the row and the stored objects, both read back.

Belongs here: gathering, per asset, the arguments of the predicates in `analysis.guardrails`. Nothing a stage kept in memory is
used: a guardrail judges what a reader would get. Does not belong here: judging.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from cricksy_pipeline.analysis import guardrails
from cricksy_pipeline.analysis.guardrails import GUARDRAILS, GuardrailResult
from cricksy_pipeline.analysis.pose import read_first_still
from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.orchestration.keeping import kept
from cricksy_pipeline.orchestration.report_files import file_problems
from cricksy_pipeline.orchestration.source_video import SourceVideos
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.orchestration.work import fetch_source, frame_table
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.guardrail_log import RecordedOutcome
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectMissing, ObjectStore

CARRIED = " (Proven by an earlier run over the same file.)"


@dataclass(frozen=True)
class ReadBack:
    """Where evidence is read from."""

    now: Stage
    objects: ObjectStore
    source_videos: SourceVideos
    settings: Settings

    @property
    def row(self) -> VideoAnalysisJob:
        """The row as it was read when the check step began, after the stage had ended."""
        return self.now.row

    def document(self, output: Output) -> tuple[Any, str | None]:
        """A stored JSON document, or None and why it cannot be read."""
        try:
            return json.loads(self.objects.get(self.row.stored_key(output))), None
        except ObjectMissing as error:  # a store that is away is no answer: the check is tried again
            return None, error.message
        except ValueError as error:
            return None, f"not JSON: {error}"


def of_frames(read: ReadBack) -> list[GuardrailResult]:
    """Decodes a frame of the source, in a process of its own, and compares the file with the row.

    Where the frame table is an earlier run's that still holds, its proof holds too: the source is not fetched and decoded again, for a
    backfill after new rules needs no video.
    """
    if kept(read.now, "frames"):
        return [_carried(outcome) for outcome in read.now.jobs.guardrails.latest_of(read.row.id, "frames")]
    source = fetch_source(read.now, read.source_videos, read.settings)
    index, _ = frame_table(read.row, read.objects)
    try:
        read_first_still(source.path, index, short_side=64, children=source.children)
        problem = None
    except CricksyError as error:
        if error.transient:  # the process that looked died, which says nothing of the video: the check is tried again
            raise
        problem = error.message
    return guardrails.evaluate_frames(
        decodable=problem is None,
        decode_error=problem,
        source_sha256=source.sha256,
        row_sha256=read.row.source_sha256,
        t_s=index.t_s,
        duration_s=index.info.duration_s,
        max_seconds=read.settings.max_video_seconds,
        size_bytes=source.size_bytes,
        max_bytes=read.settings.max_video_bytes,
        frame_count=index.info.frame_count,
    )


def of_quick_results(read: ReadBack) -> list[GuardrailResult]:
    """The row's quick fields beside the stored quick results."""
    _, plan = frame_table(read.row, read.objects)
    stored, problem = read.document(Output.QUICK_RESULTS)
    return guardrails.evaluate_quick_results(
        row_results=read.row.quick_results,
        row_findings=read.row.quick_findings,
        row_report=read.row.quick_report,
        stored_results=stored,
        stored_error=problem,
        mode=read.row.analysis_mode,
        planned_frames=len(plan.quick),
    )


def of_deep_results(read: ReadBack) -> list[GuardrailResult]:
    """The row's deep results beside the stored ones."""
    if not read.row.deep_enabled:
        return _not_requested("deep_results")
    _, plan = frame_table(read.row, read.objects)
    stored, problem = read.document(Output.DEEP_RESULTS)
    return guardrails.evaluate_deep_results(
        row_results=read.row.deep_results,
        stored_results=stored,
        stored_error=problem,
        mode=read.row.analysis_mode,
        planned_frames=len(plan.deep),
    )


def of_findings(read: ReadBack) -> list[GuardrailResult]:
    """The row's findings beside the stored ones and beside the series that triggered them."""
    if not read.row.deep_enabled:
        return _not_requested("findings")
    index, _ = frame_table(read.row, read.objects)
    stored, problem = read.document(Output.FINDINGS)
    return guardrails.evaluate_findings(
        row_findings=read.row.deep_findings,
        row_results=read.row.deep_results,
        stored_findings=stored,
        stored_error=problem,
        mode=read.row.analysis_mode,
        duration_s=index.info.duration_s,
    )


def of_report(read: ReadBack) -> list[GuardrailResult]:
    """The row's report beside the stored one, the findings and the data; and its files, read back."""
    if not read.row.deep_enabled:
        return _not_requested("report")
    stored, problem = read.document(Output.REPORT)
    return guardrails.evaluate_report(
        row_report=read.row.deep_report,
        row_findings=read.row.deep_findings,
        row_results=read.row.deep_results,
        stored_report=stored,
        stored_error=problem,
        mode=read.row.analysis_mode,
        files=file_problems(read.now, read.objects),
    )


def _carried(outcome: RecordedOutcome) -> GuardrailResult:
    first = outcome.message.partition(CARRIED)[0]
    return GuardrailResult(
        name=outcome.name,
        passed=outcome.passed,
        severity=outcome.severity,
        actual=outcome.actual,
        expected=outcome.expected,
        message=f"{first}{CARRIED}",
    )


def _not_requested(asset: str) -> list[GuardrailResult]:
    """A quick-only job asked for no deep results: there is nothing to hold back."""
    blank = GuardrailResult(name="", passed=True, severity="ERROR", actual=None, expected=None, message="The deep pass was not asked for.")
    return [replace(blank, name=guardrail.name, severity=guardrail.severity) for guardrail in GUARDRAILS[asset]]
