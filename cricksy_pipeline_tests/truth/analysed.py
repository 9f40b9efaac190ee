"""The two passes over a rendered clip, as the pipeline runs them, without Dagster, database or store.

Belongs here: from a clip's specification to what the deep pass says of it, and the way of a pass through what is stored of it. Does not
belong here: expectations.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cricksy_pipeline.analysis.documents import AnalysisMode, AnalysisResults
from cricksy_pipeline.analysis.landmark_table import frame_table_from_parquet, frame_table_to_parquet, from_parquet, to_parquet
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.analysis.passes import (
    AnalysisRequest,
    Footage,
    Look,
    Work,
    deep_document,
    look_deeply,
    look_quickly,
    quick_document,
    stored_look,
)
from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.sample.clip import ClipSpec, Truth, write_clip
from cricksy_pipeline_tests.truth.conditions import MODE_OF


@dataclass(frozen=True)
class Pass:
    """What one pass worked on, what it saw, and what it says of it."""

    work: Work
    look: Look
    document: AnalysisResults


def analysed(spec: ClipSpec, path: Path, model: PoseModel, options: AnalysisOptions | None = None) -> tuple[Pass, Pass, Truth]:
    """Quick pass, deep pass, truth."""
    known = write_clip(spec, path, workers=os.cpu_count() or 1)
    return *both_passes(path, MODE_OF[spec.motion], model, options=options), known


def both_passes(
    path: Path, mode: AnalysisMode, model: PoseModel, *, options: AnalysisOptions | None = None, workers: int = 2
) -> tuple[Pass, Pass]:
    """Quick pass and deep pass over a file; the second starts from what is stored of the first."""
    request = AnalysisRequest("job", mode, 10.0, "0" * 64, "test", "test", options=options or AnalysisOptions())
    index = inspect_video(path)
    work, footage = Work(index, plan_sampling(index), request), Footage(path, model)
    seen = look_quickly(work, footage, workers=workers, on_progress=lambda done, of: None)
    quick = Pass(work, seen, quick_document(work, seen))
    work_again, seen_again = read_back(quick)
    seen = look_deeply(work_again, footage, seen_again, workers=workers, on_progress=lambda done, of: None)
    return quick, Pass(work, seen, deep_document(work, seen))


def read_back(made: Pass) -> tuple[Work, Look]:
    """A pass as a later run finds it: from the bytes of the frame table, the landmarks and the document. There is no way to the video."""
    index, plan = frame_table_from_parquet(frame_table_to_parquet(made.work.index, made.work.plan))
    described = AnalysisResults.model_validate_json(made.document.model_dump_json())
    return Work(index, plan, made.work.request), stored_look(from_parquet(to_parquet(made.look.landmarks)), described.pose_summary)
