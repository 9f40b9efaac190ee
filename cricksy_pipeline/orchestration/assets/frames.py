"""`frames`: every frame of the video by its true presentation timestamp, and which of them the two passes will look at."""

import dagster as dg

from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.orchestration.asset_options import stage_options
from cricksy_pipeline.orchestration.describe import describe_frames, describe_kept
from cricksy_pipeline.orchestration.keeping import still_holds
from cricksy_pipeline.orchestration.persist import persist_frames
from cricksy_pipeline.orchestration.resources import Config, Objects, Run, Videos
from cricksy_pipeline.orchestration.work import fetch_source, sample_fps, video_limits
from cricksy_pipeline.store.sessions import require_mode


@dg.asset(**stage_options("frames", kinds={"ffmpeg", "parquet"}))
def frames(
    context: dg.AssetExecutionContext, stages: Run, objects: Objects, source_videos: Videos, settings: Config
) -> dg.MaterializeResult:
    """The index of all frames, read from the container without decoding a picture, and the sampling plan.

    The quick pass looks at 5 frames a second of the first 30 s, the deep pass at 10 a second of everything, both chosen by
    presentation timestamp, so that 25, 29.97, 30 fps and variable-rate recordings of one scene are sampled alike.
    """
    with stages.enter(context, "frames", claims=True) as now:
        require_mode(now.row.analysis_mode)
        now.jobs.record_identity(now.job_id, now.run_id, analysis_version=now.analysis_version)
        if still_holds(now, objects):
            return describe_kept(now, settings)
        source = fetch_source(now, source_videos, settings)
        index = inspect_video(source.path, video_limits(settings), children=source.children)
        plan = plan_sampling(index, deep_fps=sample_fps(now.row))
        stored = persist_frames(now, objects, index, plan, source)
        return describe_frames(now, index, plan, source, stored, settings)
