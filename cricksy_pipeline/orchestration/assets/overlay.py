"""`overlay`: the finished analysis drawn over its video, and a clip of each ball. After `completed_analysis`, never in a coach's way."""

import dagster as dg

from cricksy_pipeline.orchestration.asset_options import DATA_OWNER, GROUP, OVERLAY, OVERLAY_POOL
from cricksy_pipeline.orchestration.overlaying import Overlaying, describe_overlay
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.resources import Config, Jobs, Objects, Videos, Weights
from cricksy_pipeline.reading.overlay.style import LOOK_VERSION


@dg.asset(
    key=OVERLAY,
    deps=[dg.AssetKey("completed_analysis")],
    partitions_def=videos,
    group_name=GROUP,
    owners=[DATA_OWNER],
    kinds={"python", "ffmpeg", "opencv"},
    code_version=LOOK_VERSION,
    pool=OVERLAY_POOL,
)
def overlay(
    context: dg.AssetExecutionContext, jobs: Jobs, objects: Objects, source_videos: Videos, weights: Weights, settings: Config
) -> dg.MaterializeResult:
    """The video with skeleton, ring, event marks and the metric of the moment, at its original timing; and a clip of each ball to send.

    Joints of low confidence are hollow, nothing is drawn where the player was not seen, faces are blurred where the session says so.

    **Reads** the finished row, `frames.parquet`, `deep_frames.parquet`, and the uploaded video.

    **When it fails** the analysis stays `done`: the row's `stages.overlay.failed` says why, and so does this run. Errors that may pass are
    tried again once by the sensor `overlays`; any other by `cricksy overlay JOB`, or by materializing this asset alone.
    """
    with Overlaying(context, jobs, objects, source_videos, weights, settings) as work:
        return describe_overlay(work.make(), context.partition_key, settings)
