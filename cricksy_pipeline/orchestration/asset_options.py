"""What all six assets have in common: partition, policy, group, owners, version.

Belongs here: options that hold for every stage. Does not belong here: a stage's own description, kinds or deps.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from cricksy_pipeline.analysis.versions import STAGE_VERSIONS
from cricksy_pipeline.orchestration.partitions import videos

GROUP = "video_analysis"
DATA_OWNER, COACHING_OWNER = "team:data-engineering", "team:coaching-science"


POSE_POOL = "pose"
"""The pool of the steps that decode and estimate poses: how many of them run at once is the instance's setting."""


OVERLAY, OVERLAY_JOB, OVERLAY_POOL = dg.AssetKey("overlay"), "overlay_video", "overlay"
"""The one asset of a partition that is no stage of the analysis, its job, and a pool of its own: it takes no slot from poses."""


def stage_options(name: str, *, kinds: set[str], owner: str = DATA_OWNER, pool: str | None = None) -> dict[str, Any]:
    """Keyword arguments of `dg.asset` for the stage `name`.

    One partition per run always: a range run records its checks without a partition and lets one bad video fail the others. That is what
    Dagster does without a backfill policy; with `multi_run(1)` the asset pages launch each partition as a range from itself to itself.
    """
    return {
        "name": name,
        "partitions_def": videos,
        "group_name": GROUP,
        "owners": [owner],
        "kinds": {"python", *kinds},
        "code_version": STAGE_VERSIONS[name],
        "pool": pool,
    }
