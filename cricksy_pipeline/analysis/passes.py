"""The quick pass and the deep pass: from sampled frames of a video to a results document.

Belongs here: which frames each pass looks at, what it reuses, and how a results document is put together.
Does not belong here: decoding (`video`), pose (`pose`), measuring (`metrics`), wording (`findings`, `report`), storing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from cricksy_pipeline.analysis.deliveries import candidate_windows
from cricksy_pipeline.analysis.documents import AnalysisMode, AnalysisResults, Findings, PoseSummary, Report, ResultsMeta
from cricksy_pipeline.analysis.findings import build_findings
from cricksy_pipeline.analysis.landmarks import BURST, GRID_DEEP, GRID_QUICK, Landmarks
from cricksy_pipeline.analysis.metrics.measure import measure
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.analysis.pose import estimate_pose, find_subject
from cricksy_pipeline.analysis.report import build_report
from cricksy_pipeline.analysis.sampling import SamplingPlan, burst_frames
from cricksy_pipeline.analysis.subject import Subject
from cricksy_pipeline.analysis.video import FrameIndex

QUICK_FPS, QUICK_SECONDS = 5.0, 30.0
"""The quick pass: five pictures a second of the first thirty seconds, both ends included."""

Progress = Callable[[int, int], None]
"""Called with frames done and frames wanted."""


@dataclass(frozen=True)
class AnalysisRequest:
    """What is asked for, as the job row says it.

    Attributes:
        sample_fps: rate of the deep pass's grid, per second.
        analysis_version: see `versions.analysis_version`.
    """

    job_id: str
    mode: AnalysisMode
    sample_fps: float
    source_sha256: str
    analysis_version: str
    code_version: str


@dataclass(frozen=True)
class Work:
    """The inputs of a pass: the file, its frames, which of them to look at, with which model, for whom."""

    video: Path
    index: FrameIndex
    plan: SamplingPlan
    model: PoseModel
    request: AnalysisRequest


@dataclass(frozen=True)
class PassResult:
    """What one pass made: the landmarks and the document."""

    landmarks: Landmarks
    document: AnalysisResults


def quick_pass(work: Work, *, workers: int, on_progress: Progress) -> PassResult:
    """Choose whom to follow, then look at the first thirty seconds; the document is about five frames a second of them.

    A fast player cannot be followed at five frames a second, so the frames of the deep grid between are looked at too. They are kept
    for the deep pass, not counted. Findings and report are part of the document: a quick result is complete in itself.
    Raises CricksyError POSE_CRASHED or VIDEO_CORRUPT.
    """
    subject = find_subject(work.video, work.index, model=work.model)
    looked_at = work.plan.deep[work.plan.deep <= work.plan.quick[-1]]
    landmarks = _pose(work, looked_at, subject, workers, on_progress)
    document = _document("quick", work, landmarks.select(landmarks.source == GRID_QUICK), subject)
    findings = findings_of(document)
    document = document.model_copy(update={"findings": findings, "report": report_of(document, findings)})
    return PassResult(landmarks, document)


def deep_pass(work: Work, quick: PassResult, *, workers: int, on_progress: Progress) -> PassResult:
    """Look at the whole video on the deep grid, then at every frame around each delivery.

    Args:
        quick: the quick pass's result; the frames it looked at are part of the grid and are not looked at again, except in bursts,
            and whom it followed is followed here.

    The document's findings and report are null: they are stages of their own. Raises CricksyError POSE_CRASHED or VIDEO_CORRUPT.
    """
    subject = Subject.from_json(quick.document.pose_summary.subject)
    fresh = np.setdiff1d(work.plan.deep, quick.landmarks.frame)
    # How many burst frames there are is known only after the grid: until then the grid counts as four fifths of the work.
    grid = quick.landmarks.merged(_pose(work, fresh, subject, workers, lambda done, of: on_progress(4 * done, 5 * of)))
    burst = burst_frames(work.index, candidate_windows(grid, work.request.mode))
    around = _pose(work, burst, subject, workers, lambda done, of: on_progress(4 * of + done, 5 * of))
    # Inside a burst every frame comes from one unbroken look: between native-rate neighbours, a landmark followed at 10 fps is a jolt
    # of 2 to 4 % of the player's height (90th percentile, measured on real bowling).
    landmarks = grid.select(~np.isin(grid.frame, burst)).merged(around)
    return PassResult(landmarks, _document("deep", work, landmarks, subject))


def findings_of(document: AnalysisResults) -> Findings:
    """What a coach can act on, from a results document's own metrics."""
    summary = document.pose_summary
    return build_findings(
        document.metrics,
        mode=document.meta.analysis_mode,
        detection_rate_percent=summary.detection_rate_percent,
        duration_s=summary.duration_s,
        subject=summary.subject,
    )


def report_of(document: AnalysisResults, findings: Findings) -> Report:
    """The findings as a text with sections and a plan."""
    return build_report(findings, document.metrics, mode=document.meta.analysis_mode)


def _pose(work: Work, frames: np.ndarray, subject: Subject, workers: int, on_progress: Progress) -> Landmarks:
    on_deep, on_quick = np.isin(frames, work.plan.deep), np.isin(frames, work.plan.quick)
    sources = np.where(on_quick, GRID_QUICK, np.where(on_deep, GRID_DEEP, BURST)).astype(np.uint8)
    return estimate_pose(
        work.video, work.index, frames, sources, model=work.model, subject=subject, workers=workers, on_progress=on_progress
    )


def _document(pass_name: Literal["quick", "deep"], work: Work, landmarks: Landmarks, subject: Subject) -> AnalysisResults:
    quick, request = pass_name == "quick", work.request
    meta = ResultsMeta(
        job_id=request.job_id,
        pass_name=pass_name,
        sample_fps=QUICK_FPS if quick else request.sample_fps,
        max_seconds=QUICK_SECONDS if quick else None,
        analysis_mode=request.mode,
        analysis_mode_used=request.mode,
        analysis_version=request.analysis_version,
        code_version=request.code_version,
        source_sha256=request.source_sha256,
    )
    summary = _pose_summary(work, landmarks, subject)
    block = measure(landmarks, mode=request.mode, duration_s=summary.duration_s)
    return AnalysisResults(pose_summary=summary, metrics=block, findings=None, report=None, meta=meta, outputs={})


def _pose_summary(work: Work, landmarks: Landmarks, subject: Subject) -> PoseSummary:
    on_grid = landmarks.source != BURST
    sampled, found = int(on_grid.sum()), int((landmarks.found & on_grid).sum())
    info = work.index.info
    return PoseSummary(
        total_frames=info.frame_count,
        sampled_frames=sampled,
        burst_frames=len(landmarks) - sampled,
        frames_with_pose=found,
        detection_rate_percent=round(100.0 * found / sampled, 2) if sampled else 0.0,
        video_fps=info.average_fps or None,
        variable_rate=info.variable_rate,
        width=info.width,
        height=info.height,
        rotation_deg=info.rotation_deg,
        duration_s=info.duration_s,
        model=f"blazepose-{work.model.variant}",
        model_sha256=work.model.sha256,
        subject=subject.as_json(),
    )
