"""The jobs over one partition: the analysis, all six assets with their checks; and the overlay video of a finished one.

Belongs here: what a run of each consists of, and what its page and launchpad say. Does not belong here: the words about running again
(`asset_texts`), who asks for runs (`sensors`).
"""

import dagster as dg

from cricksy_pipeline.analysis.versions import STAGE_VERSIONS
from cricksy_pipeline.orchestration.asset_options import OVERLAY, OVERLAY_JOB
from cricksy_pipeline.orchestration.asset_texts import RERUN

analysis = dg.define_asset_job(
    "analysis",
    selection=dg.AssetSelection.assets(*STAGE_VERSIONS),
    # Run retries (after a lost worker) run all steps: each finds out by itself whether what it made before still holds.
    tags={"dagster/retry_strategy": "ALL_STEPS"},
    config={"loggers": {"console": {"config": {"log_level": "INFO"}}}},
    description=f"""\
Analyse one uploaded video: frames, quick pass, deep pass, findings, report, and the proof that a reader can read them.

{RERUN}""",
)

overlay_video = dg.define_asset_job(
    OVERLAY_JOB,
    selection=dg.AssetSelection.assets(OVERLAY),
    # Behind everything that a coach waits for, one at a time (dagster.yaml), and ended where it hangs.
    tags={"dagster/priority": "-30", "cricksy/overlay": "true", "dagster/max_runtime": "7200"},
    config={"loggers": {"console": {"config": {"log_level": "INFO"}}}},
    description="Draw the overlay video and the clips of a finished analysis. The sensor `overlays` asks for it, or `cricksy overlay JOB`.",
)
