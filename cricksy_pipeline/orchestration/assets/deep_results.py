"""`deep_results`: the whole video, and every frame around each delivery."""

from functools import partial

import dagster as dg

from cricksy_pipeline.analysis.passes import deep_document
from cricksy_pipeline.orchestration.asset_options import POSE_POOL, stage_options
from cricksy_pipeline.orchestration.assets.quick_results import quick_results
from cricksy_pipeline.orchestration.describe import describe_kept, describe_pass, not_requested
from cricksy_pipeline.orchestration.illustrate import illustrate
from cricksy_pipeline.orchestration.keeping import still_holds
from cricksy_pipeline.orchestration.looking import see_deeply
from cricksy_pipeline.orchestration.persist import persist_deep
from cricksy_pipeline.orchestration.resources import Config, Objects, Run, Videos, Weights
from cricksy_pipeline.orchestration.work import open_footage, open_work


@dg.asset(deps=[quick_results], **stage_options("deep_results", kinds={"mediapipe", "opencv", "postgres"}, pool=POSE_POOL))
def deep_results(
    context: dg.AssetExecutionContext, stages: Run, objects: Objects, source_videos: Videos, weights: Weights, settings: Config
) -> dg.MaterializeResult:
    """10 frames a second of everything, plus the native rate around each delivery: landmarks and metrics.

    Frames that the quick pass looked at are not decoded or inferred again. Findings and report follow as stages of their own.
    """
    with stages.enter(context, "deep_results") as now:
        if not now.row.deep_enabled:
            return not_requested()
        now.jobs.start_deep(now.job_id, now.run_id)
        if still_holds(now, objects):
            return describe_kept(now, settings)
        work = open_work(now, objects)
        footage = partial(open_footage, now, work, source_videos, weights, settings)
        seen = see_deeply(now, objects, work, footage, settings.pose_workers)
        document = deep_document(work, seen.look)
        pictures = illustrate(now, objects, work, seen, document)
        source_videos.children.end_idle()  # nothing after this opens the video
        stored = persist_deep(now, objects, seen, document, pictures)
        return describe_pass(now, seen, document, stored, settings)
