"""The one job: all six assets of one partition, with their checks."""

import dagster as dg

analysis = dg.define_asset_job(
    "analysis",
    selection=dg.AssetSelection.all(),
    description="Analyse one uploaded video: frames, quick pass, deep pass, findings, report, and the proof that a reader can read them.",
)
