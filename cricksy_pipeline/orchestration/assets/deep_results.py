"""`deep_results`: the whole video, and every frame around each delivery."""

import dagster as dg

from cricksy_pipeline.analysis.passes import deep_pass
from cricksy_pipeline.orchestration.asset_options import stage_options
from cricksy_pipeline.orchestration.assets.quick_results import quick_results
from cricksy_pipeline.orchestration.describe import describe_pass, not_requested
from cricksy_pipeline.orchestration.illustrate import illustrate
from cricksy_pipeline.orchestration.persist import persist_deep
from cricksy_pipeline.orchestration.resources import Config, Jobs, Objects, Videos, Weights
from cricksy_pipeline.orchestration.stage import stage
from cricksy_pipeline.orchestration.work import open_work, quick_look


@dg.asset(deps=[quick_results], **stage_options("deep_results", kinds={"mediapipe", "opencv", "postgres"}))
def deep_results(
    context: dg.AssetExecutionContext, jobs: Jobs, objects: Objects, source_videos: Videos, weights: Weights, settings: Config
) -> dg.MaterializeResult:
    """10 frames a second of everything, plus the native rate around each delivery: landmarks and metrics.

    Frames that the quick pass looked at are not decoded or inferred again. Findings and report follow as stages of their own.
    """
    with stage(context, jobs, "deep_results") as now:
        if not now.row.deep_enabled:
            return not_requested()
        jobs.start_deep(now.job_id, now.run_id)
        work = open_work(now, objects, source_videos, weights, settings)
        result = deep_pass(work, quick_look(now, objects), workers=settings.pose_workers, on_progress=now.progress(50, 93))
        stored = persist_deep(now, objects, result, illustrate(work, result))
        return describe_pass(now, result, stored, settings)
