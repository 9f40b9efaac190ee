"""The quick pass and the deep pass, each in two halves: looking at sampled frames of a video, and describing what was seen.

Belongs here: which frames each pass looks at, what it reuses, and how a results document is put together.
Does not belong here: decoding (`video`), pose (`pose`), measuring (`metrics`), wording (`findings`, `report`), storing.

Only looking needs the file and the networks (`Footage`). Describing needs the landmarks alone, so that after a change of rules a document
is made again from stored ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cricksy_pipeline.analysis.deliveries import candidate_windows
from cricksy_pipeline.analysis.delivery_settings import LENIENT, SETTINGS
from cricksy_pipeline.analysis.documents import AnalysisMode, AnalysisResults, Findings, PoseSummary, Report, ResultsMeta
from cricksy_pipeline.analysis.findings import build_findings
from cricksy_pipeline.analysis.identity import held
from cricksy_pipeline.analysis.isolation import Children
from cricksy_pipeline.analysis.landmarks import BURST, GRID_DEEP, GRID_QUICK, Landmarks
from cricksy_pipeline.analysis.metrics.measure import measure
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.analysis.pose import SeenBefore, estimate_pose, find_subject
from cricksy_pipeline.analysis.recording import recording_of
from cricksy_pipeline.analysis.report import build_report
from cricksy_pipeline.analysis.sampling import QUICK_FPS, QUICK_SECONDS, SamplingPlan, burst_frames
from cricksy_pipeline.analysis.subject import Subject
from cricksy_pipeline.analysis.video import FrameIndex, VideoInfo

Progress = Callable[[int, int], None]
"""Called with frames done and frames wanted."""


@dataclass(frozen=True)
class AnalysisRequest:
    """What is asked for, as the job row says it.

    Attributes:
        sample_fps: rate of the deep pass's grid, per second.
        analysis_version: see `versions.analysis_version`.
        options: what was said beside the mode.
    """

    job_id: str
    mode: AnalysisMode
    sample_fps: float
    source_sha256: str
    analysis_version: str
    code_version: str
    options: AnalysisOptions = field(default_factory=AnalysisOptions)


@dataclass(frozen=True)
class Work:
    """What is analysed: the frames of a video, which of them to look at, what is asked."""

    index: FrameIndex
    plan: SamplingPlan
    request: AnalysisRequest


@dataclass(frozen=True)
class Footage:
    """What is needed only to look: the file that `Work.index` was made from, the networks, and the processes that dare to open the file.

    Attributes:
        model: measures: it sees the quick pass, and every frame around a delivery.
        finder: finds: it sees the grid after the quick pass, where deliveries are sought. None: `model` does.
        children: those that the run keeps; None: each look starts and ends its own.
    """

    video: Path
    model: PoseModel
    finder: PoseModel | None = None
    children: Children | None = None


@dataclass(frozen=True)
class Look:
    """What one pass saw.

    Attributes:
        landmarks: of every frame that was looked at and kept; after the quick look these are more than its document counts.
        subject: whom it followed.
        model: name of the networks that saw it, e.g. "blazepose-full" (`model.PoseModel.name`).
        model_sha256: of the bundle that held them.
        finder, finder_sha256: the same of the networks that saw the grid after the quick pass; None where the others did.
    """

    landmarks: Landmarks
    subject: Subject
    model: str
    model_sha256: str
    finder: str | None = None
    finder_sha256: str | None = None


def looks_beyond_quick(plan: SamplingPlan) -> bool:
    """Whether the grid goes on after the quick pass, so that a finder is needed."""
    return bool(len(plan.deep)) and plan.deep[-1] > plan.quick[-1]


def stored_look(landmarks: Landmarks, summary: PoseSummary) -> Look:
    """The look of which the landmarks were stored.

    Args:
        landmarks: as they were stored.
        summary: `pose_summary` of the document in which this look was described.
    """
    networks = (summary.model, summary.model_sha256, summary.finder, summary.finder_sha256)
    return Look(landmarks, Subject.from_json(summary.subject), *networks)


def look_quickly(work: Work, footage: Footage, *, workers: int, on_progress: Progress) -> Look:
    """Choose whom to follow, then look at the first thirty seconds.

    A fast player cannot be followed at five frames a second, so the frames of the deep grid between are looked at too. They are kept
    for the deep pass, not counted. Raises CricksyError POSE_CRASHED or VIDEO_CORRUPT.
    """
    request = work.request
    subject = find_subject(
        footage.video,
        work.index,
        model=footage.model,
        mode=request.mode,
        asked=request.options.subject,
        workers=workers,
        children=footage.children,
    )
    looked_at = work.plan.deep[work.plan.deep <= work.plan.quick[-1]]
    return _look(_pose(work, footage, looked_at, subject, None, workers, on_progress), subject, footage.model)


def look_deeply(work: Work, footage: Footage, quick: Look, *, workers: int, on_progress: Progress) -> Look:
    """Look at the whole video on the deep grid, then at every frame around each delivery.

    The grid is looked at to find deliveries, cheaply: by `Footage.finder`, in pictures decoded without the loop filter. What is measured
    at a delivery is seen again, by the networks that measure, in pictures decoded exactly.

    Args:
        quick: the quick look; its frames are part of the grid and are not looked at again, except in bursts, and whom it followed is
            followed here.

    Raises CricksyError POSE_CRASHED or VIDEO_CORRUPT.
    """
    subject = quick.subject
    fresh = np.setdiff1d(work.plan.deep, quick.landmarks.frame)
    # How many burst frames there are is known only after the grid: until then the grid counts as four fifths of the work.
    finder = footage.finder if len(fresh) else None
    known = SeenBefore.of(quick.landmarks)
    grid = quick.landmarks.merged(
        _pose(work, footage, fresh, subject, known, workers, lambda done, of: on_progress(4 * done, 5 * of), finding=True)
    )
    recording = recording_of(work.index, work.request.options)
    settings = SETTINGS.lenient(LENIENT[finder.variant]) if finder else SETTINGS
    burst = burst_frames(work.index, candidate_windows(grid, work.request.mode, settings, recording))
    known, grid = SeenBefore.of(grid), grid.waiting_on_disk()  # until processes have looked at the bursts
    around = _pose(work, footage, burst, subject, known, workers, lambda done, of: on_progress(4 * of + done, 5 * of))
    # Inside a burst every frame comes from one unbroken look: between native-rate neighbours, a landmark followed at 10 fps is a jolt
    # of 2 to 4 % of the player's height (90th percentile, measured on real bowling).
    return _look(grid.select(~np.isin(grid.frame, burst)).merged(around), subject, footage.model, finder)


def quick_document(work: Work, look: Look) -> AnalysisResults:
    """What the quick look says: about five frames a second of it. Findings and report are inside: it is complete in itself."""
    counted = replace(look, landmarks=look.landmarks.select(look.landmarks.source == GRID_QUICK))
    document = _document("quick", work, counted)
    findings = findings_of(document)
    return document.model_copy(update={"findings": findings, "report": report_of(document, findings)})


def deep_document(work: Work, look: Look) -> AnalysisResults:
    """What the deep look says. Findings and report are null: they are stages of their own."""
    return _document("deep", work, look)


def findings_of(document: AnalysisResults) -> Findings:
    """What a coach can act on, from a results document's own metrics; in the name of the document's version."""
    summary = document.pose_summary
    findings = build_findings(
        document.metrics,
        mode=document.meta.analysis_mode,
        detection_rate_percent=summary.detection_rate_percent,
        duration_s=summary.duration_s,
        subject=summary.subject,
    )
    return findings.model_copy(update={"analysis_version": document.meta.analysis_version})


def report_of(document: AnalysisResults, findings: Findings) -> Report:
    """The findings as a text with sections and a plan; in the name of the document's version."""
    report = build_report(findings, document.metrics, mode=document.meta.analysis_mode)
    return report.model_copy(update={"analysis_version": document.meta.analysis_version})


def _look(landmarks: Landmarks, subject: Subject, model: PoseModel, finder: PoseModel | None = None) -> Look:
    look = Look(landmarks, subject, model.name, model.sha256)
    other = finder is not None and finder.sha256 != model.sha256
    return replace(look, finder=finder.name, finder_sha256=finder.sha256) if other else look


def _pose(
    work: Work,
    footage: Footage,
    frames: np.ndarray,
    subject: Subject,
    known: SeenBefore | None,
    workers: int,
    on_progress: Progress,
    *,
    finding: bool = False,
) -> Landmarks:
    on_deep, on_quick = np.isin(frames, work.plan.deep), np.isin(frames, work.plan.quick)
    sources = np.where(on_quick, GRID_QUICK, np.where(on_deep, GRID_DEEP, BURST)).astype(np.uint8)
    return estimate_pose(
        footage.video,
        work.index,
        frames,
        sources,
        model=footage.finder if finding and footage.finder else footage.model,
        subject=subject,
        known=known,
        loop_filter=not finding,
        workers=workers,
        on_progress=on_progress,
        children=footage.children,
    )


def _document(pass_name: Literal["quick", "deep"], work: Work, look: Look) -> AnalysisResults:
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
    summary = _pose_summary(work.index.info, look)
    block = measure(look.landmarks, mode=request.mode, recording=recording_of(work.index, request.options))
    return AnalysisResults(pose_summary=summary, metrics=block, findings=None, report=None, meta=meta, outputs={})


def _subject_as_json(look: Look) -> dict[str, Any]:
    """Who was chosen, how well he was held, and whether either is in doubt."""
    chosen, how = look.subject.as_json(), held(look.landmarks, look.subject)
    return {**chosen, "ambiguous": look.subject.ambiguous or how["doubtful"], "held": how}


def _pose_summary(info: VideoInfo, look: Look) -> PoseSummary:
    landmarks = look.landmarks
    on_grid = landmarks.source != BURST
    sampled, found = int(on_grid.sum()), int((landmarks.found & on_grid).sum())
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
        model=look.model,
        model_sha256=look.model_sha256,
        finder=look.finder,
        finder_sha256=look.finder_sha256,
        subject=_subject_as_json(look),
    )
