"""The one job: all six assets of one partition, with their checks."""

import dagster as dg

from cricksy_pipeline.orchestration.partitions import videos

analysis = dg.define_asset_job(
    "analysis",
    selection=dg.AssetSelection.all(),
    partitions_def=videos,
    description="Analyse one uploaded video: frames, quick pass, deep pass, findings, report, and the proof that a reader can read them.",
)
