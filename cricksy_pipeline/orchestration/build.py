"""Puts the code location together.

Belongs here: which assets, checks, jobs, sensors, schedules and resources there are. Does not belong here: anything they do.
"""

from __future__ import annotations

import dagster as dg

from cricksy_pipeline.orchestration.asset_texts import described
from cricksy_pipeline.orchestration.assets import ASSETS
from cricksy_pipeline.orchestration.assets.overlay import overlay
from cricksy_pipeline.orchestration.checks import build_checks
from cricksy_pipeline.orchestration.housekeeping import build_housekeeping
from cricksy_pipeline.orchestration.inventory import inventory, inventory_schedule, take_inventory
from cricksy_pipeline.orchestration.jobs import analysis, overlay_video
from cricksy_pipeline.orchestration.resources import build_resources
from cricksy_pipeline.orchestration.sensors.alerts import alerts
from cricksy_pipeline.orchestration.sensors.outcomes import failed_runs, stopped_runs
from cricksy_pipeline.orchestration.sensors.overlays import overlays
from cricksy_pipeline.orchestration.sensors.reconcile import reconcile
from cricksy_pipeline.orchestration.sensors.uploads import uploads
from cricksy_pipeline.settings import Settings


def build_definitions(settings: Settings, *, resource_overrides: dict[str, object] | None = None) -> dg.Definitions:
    """A fresh code location.

    Args:
        resource_overrides: resources by name that replace the ones the settings name, for tests and the command line.
    """
    chores, rounds = build_housekeeping(partition_retention_days=settings.partition_retention_days)
    return dg.Definitions(
        assets=[described(asset) for asset in (*ASSETS, overlay, inventory)],
        asset_checks=build_checks(),
        jobs=[analysis, overlay_video, take_inventory, *chores],
        schedules=[inventory_schedule, *rounds],
        sensors=[uploads, failed_runs, stopped_runs, reconcile, overlays, alerts],
        resources={**build_resources(settings), **(resource_overrides or {})},
        # A run of small steps costs 4.4 CPU seconds in one process and 26 with a process a step. What can crash, native decoding
        # and pose estimation, runs in child processes of its own.
        executor=dg.in_process_executor,
    )
