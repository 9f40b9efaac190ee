"""`quick_results`: a first look, readable by the coach while the deep pass still runs."""

from functools import partial

import dagster as dg

from cricksy_pipeline.analysis.passes import quick_document
from cricksy_pipeline.orchestration.asset_options import POSE_POOL, stage_options
from cricksy_pipeline.orchestration.assets.frames import frames
from cricksy_pipeline.orchestration.describe import describe_kept, describe_pass
from cricksy_pipeline.orchestration.illustrate import illustrate
from cricksy_pipeline.orchestration.keeping import still_holds
from cricksy_pipeline.orchestration.looking import see_quickly
from cricksy_pipeline.orchestration.persist import persist_quick
from cricksy_pipeline.orchestration.resources import Config, Objects, Run, Videos, Weights
from cricksy_pipeline.orchestration.work import open_footage, open_work


@dg.asset(deps=[frames], **stage_options("quick_results", kinds={"mediapipe", "opencv", "postgres"}, pool=POSE_POOL))
def quick_results(
    context: dg.AssetExecutionContext, stages: Run, objects: Objects, source_videos: Videos, weights: Weights, settings: Config
) -> dg.MaterializeResult:
    """5 frames a second of the first 30 s (0, 0.2 ... 30.0 s: at most 151): landmarks, metrics, findings and report.

    Persisted to the row and to the object store at QUICK_DONE, 50 %, and readable from that moment on, whatever becomes of the deep pass.
    """
    with stages.enter(context, "quick_results") as now:
        if still_holds(now, objects):
            return describe_kept(now, settings)
        work = open_work(now, objects)
        footage = partial(open_footage, now, work, source_videos, weights, settings)
        seen = see_quickly(now, objects, work, footage, settings.pose_workers)
        document = quick_document(work, seen.look)
        stored = persist_quick(now, objects, seen, document, illustrate(now, objects, work, seen, document))
        return describe_pass(now, seen, document, stored, settings)
