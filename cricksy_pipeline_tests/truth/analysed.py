"""The two passes over a rendered clip, as the pipeline runs them, without Dagster, database or store.

Belongs here: from a clip's specification to what the deep pass says of it. Does not belong here: expectations.
"""

from __future__ import annotations

import os
from pathlib import Path

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.analysis.passes import AnalysisRequest, PassResult, Work, deep_pass, quick_pass
from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.sample.clip import ClipSpec, Truth, write_clip

MODE_OF = {"drive": AnalysisMode.BATTING, "bowl": AnalysisMode.BOWLING}


def analysed(spec: ClipSpec, path: Path, model: PoseModel) -> tuple[PassResult, PassResult, Truth]:
    """Quick result, deep result, truth."""
    known = write_clip(spec, path, workers=os.cpu_count() or 1)
    return *both_passes(path, MODE_OF[spec.motion], model), known


def both_passes(path: Path, mode: AnalysisMode, model: PoseModel) -> tuple[PassResult, PassResult]:
    """Quick result and deep result of a file."""
    request = AnalysisRequest("job", mode, 10.0, "0" * 64, "test", "test")
    index = inspect_video(path)
    work = Work(path, index, plan_sampling(index), model, request)
    quick = quick_pass(work, workers=2, on_progress=lambda done, of: None)
    return quick, deep_pass(work, quick, workers=2, on_progress=lambda done, of: None)
