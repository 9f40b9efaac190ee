"""The inventory as Dagster records it: numbers to plot, tables to follow, checks that say when to look."""

from __future__ import annotations

import re
from datetime import timedelta

import dagster as dg
import pytest
from sqlalchemy import text

from cricksy_pipeline.analysis.model import networks_identity
from cricksy_pipeline.analysis.versions import analysis_version
from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.orchestration import inventory as module
from cricksy_pipeline.orchestration.inventory import WATCHES, inventory, inventory_schedule, take_inventory
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.rehydration import rehydrate
from cricksy_pipeline_tests.store.earlier_rows import insert_done, insert_earlier, old_results
from cricksy_pipeline_tests.store.rows import new_job, publish_all

SETTINGS = Settings(public_url="https://coach.example")
CURRENT = analysis_version(networks=networks_identity(SETTINGS.pose_model, SETTINGS.pose_finder))


@pytest.fixture
def definitions(job_store, local_store) -> dg.Definitions:
    return dg.Definitions(
        assets=[inventory],
        jobs=[take_inventory],
        schedules=[inventory_schedule],
        resources={"jobs": job_store, "objects": local_store, "settings": SETTINGS},
        executor=dg.in_process_executor,
    )


@pytest.fixture
def take(definitions, dagster_instance):
    """Run the job; gives the metadata as plain values and the checks by name."""

    def run():
        result = definitions.resolve_job_def(take_inventory.name).execute_in_process(instance=dagster_instance)
        (materialization,) = result.asset_materializations_for_node("inventory")
        metadata = {name: value.value for name, value in materialization.metadata.items()}
        return metadata, {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}

    return run


def failing(checks) -> set[str]:
    return {name for name, check in checks.items() if not check.passed}


def older(store, column: str, job_id: str, by: timedelta) -> None:
    with store.engine.begin() as connection:
        connection.execute(text(f"UPDATE video_analysis_jobs SET {column} = {column} - :by WHERE id = :id"), {"by": by, "id": job_id})


def finish(store, version: str = CURRENT, run_id: str = "run-1") -> str:
    job_id = new_job(store)
    store.claim(job_id, run_id)
    store.record_identity(job_id, run_id, analysis_version=version)
    publish_all(store, job_id, run_id)
    store.complete(job_id, run_id)
    return job_id


def fail(store, number: int) -> None:
    job_id = new_job(store)
    store.claim(job_id, f"run-{number}")
    store.fail(job_id, f"run-{number}", ErrorCode.NOT_A_VIDEO, "A letter.", "frames")


def test_a_healthy_house_passes_every_check_and_shows_its_numbers(job_store, take):
    finish(job_store)
    new_job(job_store)
    metadata, checks = take()
    assert failing(checks) == set() and set(checks) == {watch.name for watch in WATCHES}
    assert {name: metadata[name] for name in ("videos", "videos/done", "videos/queued", "videos/outdated", "last_hour/done")} == {
        "videos": 2, "videos/done": 1, "videos/queued": 1, "videos/outdated": 0, "last_hour/done": 1,
    }  # fmt: skip
    assert metadata["current_version"] == CURRENT


def test_an_empty_house_is_healthy(take):
    metadata, checks = take()
    assert failing(checks) == set()
    assert metadata["videos"] == 0 and "outdated" not in metadata


def test_the_numbers_are_numbers_and_are_there_every_time_so_that_they_are_plotted_without_gaps(job_store, take):
    def plotted(metadata):
        return {name for name, value in metadata.items() if isinstance(value, (int, float)) and not isinstance(value, bool)}

    empty = plotted(take()[0])
    finish(job_store)
    fail(job_store, 1)
    assert plotted(take()[0]) - empty == {"last_day/failure_share"}
    assert {"videos/failed", "videos/stale", "videos/unreadable", "oldest_queued_minutes", "last_day/done_per_hour"} <= empty


def test_a_done_video_that_shows_nothing_is_an_error_with_the_way_to_it(job_store, take, local_store):
    insert_done(job_store.engine, "j1")
    metadata, checks = take()
    assert failing(checks) == {"no_unreadable_analyses"}
    check = checks["no_unreadable_analyses"]
    assert (check.severity, check.metadata["actual"].value, check.metadata["limit"].value) == (dg.AssetCheckSeverity.ERROR, 1.0, 0.0)
    assert "[j1](https://coach.example/api/coaches/plus/analysis-jobs/j1) | done | " in metadata["unreadable"]
    rehydrate(job_store, local_store, dry_run=False)
    metadata, checks = take()
    assert failing(checks) == set() and metadata["videos/unreadable"] == 0


def test_a_check_that_could_not_look_at_everything_does_not_claim_that_all_is_well(job_store, take, monkeypatch):
    monkeypatch.setattr(module, "CLOSE_LOOKS", 2)
    for number in range(3):
        insert_earlier(job_store.engine, f"j{number}", status="completed", deep_results=old_results("deep"))
    _, checks = take()
    assert failing(checks) == {"no_unreadable_analyses"}
    assert "cricksy rehydrate" in checks["no_unreadable_analyses"].description


def test_a_silent_run_is_an_error_and_names_the_run(job_store, take):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-7")
    older(job_store, "heartbeat_at", job_id, timedelta(minutes=9))
    assert failing(take()[1]) == set()
    older(job_store, "heartbeat_at", job_id, timedelta(minutes=2))
    metadata, checks = take()
    assert failing(checks) == {"no_stale_runs"}
    assert metadata["videos/stale"] == 1 and "run-7" in metadata["stale"]


def test_a_queue_that_stands_still_is_a_warning(job_store, take):
    job_id = new_job(job_store)
    older(job_store, "created_at", job_id, timedelta(minutes=55))
    assert failing(take()[1]) == set()
    older(job_store, "created_at", job_id, timedelta(minutes=10))
    metadata, checks = take()
    assert failing(checks) == {"queue_moves"}
    assert checks["queue_moves"].severity is dg.AssetCheckSeverity.WARN
    assert 65 <= metadata["oldest_queued_minutes"] < 120


@pytest.mark.parametrize(("failures", "successes", "well"), [(2, 8, True), (3, 7, False), (9, 0, True), (10, 0, False)])
def test_failures_count_from_ten_analyses_a_day_on(job_store, take, failures, successes, well):
    for number in range(failures):
        fail(job_store, number)
    for number in range(successes):
        finish(job_store, run_id=f"run-s{number}")
    metadata, checks = take()
    assert failing(checks) == (set() if well else {"failure_share"})
    (record,) = metadata["failed_in_the_last_day"].records
    assert record.data == {"code": "NOT_A_VIDEO", "attempts": failures, "advice": "Upload a video file (mp4, mov, mkv, webm or avi)."}


def test_videos_analysed_with_older_rules_are_counted_and_linked_on_the_page(job_store, take):
    finish(job_store)
    old = finish(job_store, "000000000000", "run-2")
    earlier = insert_earlier(job_store.engine, "earlier", status="completed", deep_results=old_results("deep"))
    metadata, _ = take()
    assert metadata["videos/outdated"] == 2
    assert re.findall(r"^\| \[(\w+)\]", metadata["outdated"], re.MULTILINE) == [earlier, old]
    versions = {record.data["analysis_version"]: record.data for record in metadata["finished_by_version"].records}
    assert {name: data["current"] for name, data in versions.items()} == {CURRENT: True, "000000000000": False, "earlier system": False}


def test_a_page_of_many_rows_shows_some_of_them(job_store, take):
    for number in range(30):
        insert_earlier(job_store.engine, f"j{number:02}")
    metadata, _ = take()
    assert metadata["videos/unreadable"] == 30
    assert metadata["unreadable"].count("\n| [j") == metadata["outdated"].count("\n| [j") == 20


def test_the_checks_block_nothing_and_say_what_they_hold(definitions):
    graph = definitions.resolve_asset_graph()
    checks = [graph.get(key) for key in graph.asset_check_keys]
    assert len(checks) == 4 and not any(check.blocking for check in checks) and all(check.description for check in checks)
    asset = graph.get(dg.AssetKey("inventory"))
    assert not asset.is_partitioned and asset.owners and asset.group_name == "operations"
    dg.Definitions.validate_loadable(definitions)


def test_the_inventory_is_taken_every_quarter_of_an_hour_unless_one_still_waits(definitions):
    schedule = definitions.resolve_schedule_def("inventory_schedule")
    assert (schedule.cron_schedule, schedule.default_status) == ("*/15 * * * *", dg.DefaultScheduleStatus.RUNNING)
    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(instance=instance, repository_def=definitions.get_repository_def())
        assert len(schedule.evaluate_tick(context).run_requests) == 1
        job = definitions.resolve_job_def(take_inventory.name)
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)  # a run of a dead host stays so for ever
        assert schedule.evaluate_tick(context).run_requests
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.NOT_STARTED)
        tick = schedule.evaluate_tick(context)
        assert not tick.run_requests and "waits" in tick.skip_message


def test_a_database_that_does_not_answer_is_a_failed_run_and_no_inventory(local_store, dagster_instance):
    nowhere = JobStore(make_engine("postgresql://nobody@127.0.0.1:1/nothing"))
    resources = {"jobs": nowhere, "objects": local_store, "settings": SETTINGS}
    result = dg.materialize([inventory], instance=dagster_instance, resources=resources, raise_on_error=False)
    assert not result.success and result.get_asset_materialization_events() == []
    assert "DATABASE_UNAVAILABLE" in result.failure_data_for_node("inventory").error.to_string()
