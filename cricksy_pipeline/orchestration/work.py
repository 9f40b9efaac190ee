"""What a stage works on: the frame index and plan, the video on disk, the model, what earlier stages stored.

Belongs here: reading inputs for a stage, each from where the earlier stage persisted it. Does not belong here: writing (`persist`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cricksy_pipeline import __version__
from cricksy_pipeline.analysis.documents import AnalysisMode, AnalysisResults
from cricksy_pipeline.analysis.landmark_table import frame_table_from_parquet, from_parquet
from cricksy_pipeline.analysis.passes import AnalysisRequest, Footage, Look, Work, looks_beyond_quick, stored_look
from cricksy_pipeline.analysis.sampling import SamplingPlan
from cricksy_pipeline.analysis.video import FrameIndex, VideoLimits
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.loading import load_ahead
from cricksy_pipeline.orchestration.asked import analysis_options
from cricksy_pipeline.orchestration.resources import Model
from cricksy_pipeline.orchestration.source_video import SourceVideo, SourceVideos
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectMissing, ObjectStore
from cricksy_pipeline.store.sessions import require_mode

T = TypeVar("T")

MOST_SAMPLE_FPS = 60
DESCRIBED_WITH = (
    "pyarrow.parquet",
    "scipy.signal",
    "scipy.interpolate",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "cv2",
    "jinja2",
    "typst",
)
"""What storing, measuring, drawing and writing import at first use: more than a second."""


def video_limits(settings: Settings) -> VideoLimits:
    """How long and how large a video may be."""
    return VideoLimits(max_seconds=settings.max_video_seconds, max_bytes=settings.max_video_bytes)


def fetch_source(now: Stage, source_videos: SourceVideos, settings: Settings) -> SourceVideo:
    """The uploaded video on this machine's disk, proven to be the one that the job was made for.

    Raises CricksyError as `SourceVideos.fetch`, and SOURCE_MISSING where the row names another bucket than this pipeline reads.
    """
    # Nobody is to wait for these imports later: the children's come while the file is fetched and hashed, this process's while they look.
    source_videos.children.prepare()
    source = source_videos.fetch(
        now.row.s3_bucket,
        now.row.s3_key,
        expected_sha256=now.row.source_sha256,
        expected_etag=now.row.source_etag,
        max_bytes=settings.max_video_bytes,
    )
    load_ahead(*DESCRIBED_WITH)
    return source


def open_work(now: Stage, objects: ObjectStore) -> Work:
    """What is analysed, from the row and the store: no video, no model."""
    index, plan = frame_table(now.row, objects)
    request = AnalysisRequest(
        job_id=now.job_id,
        mode=AnalysisMode(require_mode(now.row.analysis_mode)),
        sample_fps=sample_fps(now.row),
        source_sha256=now.row.source_sha256,
        analysis_version=now.analysis_version,
        code_version=__version__,
        options=analysis_options(now.row),
    )
    return Work(index, plan, request)


def open_footage(now: Stage, work: Work, source_videos: SourceVideos, weights: Model, settings: Settings) -> Footage:
    """What is needed only to look: the file, fetched, and the networks, from their cache. Raises as `fetch_source`."""
    source = fetch_source(now, source_videos, settings)
    finder = weights.finder() if looks_beyond_quick(work.plan) else None
    return Footage(source.path, weights.get(), finder, source.children)


def sample_fps(row: VideoAnalysisJob) -> float:
    """The deep grid's rate. Raises CricksyError INTERNAL for a row that asks for a rate that no grid has."""
    if not 1 <= (row.sample_fps or 0) <= MOST_SAMPLE_FPS:
        raise CricksyError(ErrorCode.INTERNAL, f"The job asks for {row.sample_fps} frames a second; 1 to {MOST_SAMPLE_FPS} can be sampled.")
    return float(row.sample_fps)


def frame_table(row: VideoAnalysisJob, objects: ObjectStore) -> tuple[FrameIndex, SamplingPlan]:
    """The frame index and the plan, as the stage `frames` stored them."""
    return stored_output(row, objects, Output.FRAMES, frame_table_from_parquet)


def earlier_look(now: Stage, objects: ObjectStore, output: Output) -> Look:
    """What a pass saw, as `output` was stored, by the networks and following whom that pass's document says."""
    landmarks = stored_output(now.row, objects, output, from_parquet)
    described = now.row.deep_results if output == Output.DEEP_FRAMES else now.row.quick_results
    return stored_look(landmarks, AnalysisResults.model_validate(described).pose_summary)


def stored_output(row: VideoAnalysisJob, objects: ObjectStore, output: Output, read: Callable[[bytes], T]) -> T:
    """What an earlier stage stored. Gone or damaged, it is GUARDRAIL_FAILED: the upload, which SOURCE_MISSING means, is not at fault."""
    key = row.stored_key(output)
    try:
        return read(objects.get(key))
    except ObjectMissing as error:
        raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{key}, which an earlier stage stored, is gone.") from error
    except ValueError as error:
        raise CricksyError(ErrorCode.GUARDRAIL_FAILED, f"{key}, which an earlier stage stored, cannot be read: {error}.") from error


def deep_results_of(now: Stage) -> AnalysisResults:
    """The deep results document, as the row holds it now, in the name of the version that goes on with it."""
    document = AnalysisResults.model_validate(now.row.deep_results)
    return document.model_copy(update={"meta": document.meta.model_copy(update={"analysis_version": now.analysis_version})})
