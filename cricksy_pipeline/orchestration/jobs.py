"""The one job: all six assets of one partition, with their checks."""

import dagster as dg

from cricksy_pipeline.analysis.versions import STAGE_VERSIONS

analysis = dg.define_asset_job(
    "analysis",
    selection=dg.AssetSelection.assets(*STAGE_VERSIONS),
    # Run retries (after a lost worker) run all steps: each finds out by itself whether what it made before still holds.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
    config={"loggers": {"console": {"config": {"log_level": "INFO"}}}},
    description="Analyse one uploaded video: frames, quick pass, deep pass, findings, report, and the proof that a reader can read them.",
)
