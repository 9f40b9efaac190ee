"""The one job: all six assets of one partition, with their checks."""

import dagster as dg

analysis = dg.define_asset_job(
    "analysis",
    selection=dg.AssetSelection.all(),
    # Run retries (after a lost worker) start anew: a retry from the point of failure has another run id and would not hold the row.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
    config={"loggers": {"console": {"config": {"log_level": "INFO"}}}},
    description="Analyse one uploaded video: frames, quick pass, deep pass, findings, report, and the proof that a reader can read them.",
)
