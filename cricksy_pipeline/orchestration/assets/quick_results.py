"""`quick_results`: a first look, readable by the coach while the deep pass still runs."""

import dagster as dg

from cricksy_pipeline.analysis.passes import quick_pass
from cricksy_pipeline.orchestration.asset_options import stage_options
from cricksy_pipeline.orchestration.assets.frames import frames
from cricksy_pipeline.orchestration.describe import describe_pass
from cricksy_pipeline.orchestration.illustrate import illustrate, quick_page
from cricksy_pipeline.orchestration.persist import persist_quick
from cricksy_pipeline.orchestration.resources import Config, Jobs, Objects, Videos, Weights
from cricksy_pipeline.orchestration.stage import stage
from cricksy_pipeline.orchestration.work import open_work


@dg.asset(deps=[frames], **stage_options("quick_results", kinds={"mediapipe", "opencv", "postgres"}))
def quick_results(
    context: dg.AssetExecutionContext, jobs: Jobs, objects: Objects, source_videos: Videos, weights: Weights, settings: Config
) -> dg.MaterializeResult:
    """5 frames a second of the first 30 s (0, 0.2 ... 30.0 s: at most 151): landmarks, metrics, findings and report.

    Persisted to the row and to the object store at QUICK_DONE, 50 %, and readable from that moment on, whatever becomes of the deep pass.
    """
    with stage(context, jobs, "quick_results") as now:
        work = open_work(now, objects, source_videos, weights, settings)
        result = quick_pass(work, workers=settings.pose_workers, on_progress=now.progress(2, 45))
        pictures = illustrate(work, result)
        stored = persist_quick(now, objects, result, pictures, quick_page(now, result, pictures))
        return describe_pass(now, result, stored, settings)
