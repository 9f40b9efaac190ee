"""A run that Dagster sees exactly as a real one, and in which nothing is done: what a run costs for Dagster's own sake.

Belongs here: six assets and their checks that repeat the log lines, the metadata and the answers of a real run. Does not belong here:
measuring.
"""

# No `from __future__ import annotations`: Dagster reads the annotation of `context` as a class, not as text.

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from cricksy_pipeline.orchestration.assets import ASSETS
from cricksy_pipeline.orchestration.checks import build_checks
from cricksy_pipeline.orchestration.jobs import analysis


@dataclass
class Echo:
    """What a real run told Dagster, by step or asset."""

    lines: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    events: int = 0


def listen(instance: dg.DagsterInstance, run_id: str) -> Echo:
    """What this run told."""
    echo = Echo()
    for entry in instance.all_logs(run_id):
        echo.events += 1
        event = entry.dagster_event
        if event is None:
            echo.lines[entry.step_key].append((entry.level, entry.user_message))
        elif event.is_step_materialization:
            made = event.step_materialization_data.materialization
            echo.metadata[made.asset_key.to_user_string()] = made.metadata
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            answer = event.event_specific_data
            echo.answers[answer.asset_key.to_user_string()].append(answer)
    return echo


def echoing_job(echo: Echo) -> dg.JobDefinition:
    """A job of the same shape that says what was heard."""
    assets = [_asset(asset, echo) for asset in ASSETS]
    checks = [_checks(check, echo) for check in build_checks()]
    definitions = dg.Definitions(assets=assets, asset_checks=checks, jobs=[analysis], executor=dg.in_process_executor)
    return definitions.resolve_job_def(analysis.name)


def _asset(asset: dg.AssetsDefinition, echo: Echo) -> dg.AssetsDefinition:
    name = asset.key.to_user_string()

    @dg.asset(
        name=name,
        deps=[dep.asset_key for dep in asset.specs_by_key[asset.key].deps],
        partitions_def=asset.partitions_def,
        backfill_policy=asset.backfill_policy,
        group_name=asset.group_names_by_key[asset.key],
        code_version=asset.code_versions_by_key[asset.key],
        kinds=set(asset.specs_by_key[asset.key].kinds),
        pool=asset.op.pool,
    )
    def body(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        for level, line in echo.lines[name]:
            context.log.log(level, line)
        return dg.MaterializeResult(metadata=echo.metadata[name])

    return body


def _checks(real: dg.AssetChecksDefinition, echo: Echo) -> dg.AssetChecksDefinition:
    specs = list(real.check_specs)
    asset = specs[0].asset_key.to_user_string()

    @dg.multi_asset_check(name=real.op.name, specs=specs, can_subset=False)
    def body(context: dg.AssetCheckExecutionContext):
        for level, line in echo.lines[real.op.name]:
            context.log.log(level, line)
        for answer in echo.answers[asset]:
            yield dg.AssetCheckResult(
                asset_key=asset,
                check_name=answer.check_name,
                passed=answer.passed,
                severity=answer.severity,
                description=answer.description,
                metadata=answer.metadata,
            )

    return body
