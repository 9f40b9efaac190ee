"""The code location as Dagster sees it: nothing changes unnoticed."""

from __future__ import annotations

from itertools import pairwise

import dagster as dg
import pytest

from cricksy_pipeline.analysis.guardrails import GUARDRAILS
from cricksy_pipeline.analysis.versions import STAGE_VERSIONS
from cricksy_pipeline.definitions import defs
from cricksy_pipeline.orchestration.partitions import videos

ORDER = ["frames", "quick_results", "deep_results", "findings", "report", "completed_analysis"]
GRAPH = defs.resolve_asset_graph()
GUARDRAIL_KEYS = [key for key in GRAPH.asset_check_keys if key.asset_key.to_user_string() in ORDER]


def node(name: str):
    return GRAPH.get(dg.AssetKey(name))


def test_there_are_six_assets_in_one_order():
    assert {key.to_user_string() for key in GRAPH.get_all_asset_keys()} == {*ORDER, "overlay", "inventory"}
    for earlier, later in pairwise(ORDER[:-1]):
        assert {key.to_user_string() for key in node(later).parent_keys} == {earlier}


def test_completion_depends_on_every_guarded_asset_itself():
    assert {key.to_user_string() for key in node("completed_analysis").parent_keys} == set(GRAPH_GUARDED) == set(ORDER[:-1])


GRAPH_GUARDED = {key.asset_key.to_user_string() for key in GUARDRAIL_KEYS}


@pytest.mark.parametrize("name", ORDER)
def test_each_asset_is_partitioned_described_owned_versioned_and_runs_one_video_a_run(name):
    asset = node(name)

    assert asset.partitions_def == videos
    assert len(asset.description) > 80
    assert asset.owners and asset.kinds and asset.group_name == "video_analysis"
    assert asset.code_version == STAGE_VERSIONS[name]
    assert asset.backfill_policy is None, "any policy makes a range of every partition, whose checks are recorded without it"


def test_every_guardrail_is_a_blocking_partitioned_check_with_a_description():
    checks = {(key.asset_key.to_user_string(), key.name): GRAPH.get(key) for key in GUARDRAIL_KEYS}

    assert set(checks) == {(asset, guardrail.name) for asset, guardrails in GUARDRAILS.items() for guardrail in guardrails}
    for check in checks.values():
        assert check.blocking
        assert check.partitions_def == videos
        assert check.description


def test_the_main_job_is_the_six_assets_alone():
    nodes = {node.name for node in defs.resolve_job_def("analysis").nodes}
    assert nodes == {*ORDER, *(f"{name}_guardrails" for name in GUARDRAILS)}


def test_whatever_watches_and_cleans_is_on_from_the_start():
    sensors = {sensor.name: sensor.default_status for sensor in defs.sensors}
    schedules = {schedule.name: schedule.default_status for schedule in defs.schedules}
    assert set(sensors) == {"uploads", "failed_runs", "stopped_runs", "reconcile", "overlays", "alerts"}
    assert len(schedules) == 6
    assert set(sensors.values()) == {dg.DefaultSensorStatus.RUNNING}
    assert set(schedules.values()) == {dg.DefaultScheduleStatus.RUNNING}


def test_definitions_load():
    dg.Definitions.validate_loadable(defs)
