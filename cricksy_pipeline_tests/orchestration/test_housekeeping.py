"""The chores, on a real instance, real rows and real objects: what they remove, what they never touch, and what a dry run says."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemotePartitionSetOrigin, RemoteRepositoryOrigin
from dagster._core.storage.dagster_run import FINISHED_STATUSES, NOT_FINISHED_STATUSES
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.orchestration import housekeeping
from cricksy_pipeline.orchestration.housekeeping import (
    CHORES,
    RUN_FOLDERS,
    Household,
    build_housekeeping,
    end_retention,
    expire_uploads,
    forget_partitions,
    forget_runs,
    run_chores,
    sweep_temporary,
)
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.resources import build_resources
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store import expiry
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output, output_key, upload_key
from cricksy_pipeline_tests.orchestration.dagster_runs import age_run, idle, made_run
from cricksy_pipeline_tests.store.rows import done_job, new_job
from cricksy_pipeline_tests.store.stored_sessions import age_files, age_row, change, keys_of, made_session

JOBS = "video_analysis_jobs"


@pytest.fixture
def household(job_store, local_store, tmp_path) -> Iterator[Household]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        yield Household(instance, job_store, local_store, temporary=temporary)


def partitions(household: Household) -> set[str]:
    return set(household.instance.get_dynamic_partitions(videos.name))


def old_job(household: Household, days: float = 200, status: str = "done") -> str:
    """A job that ended so long ago, with its partition."""
    job_id = done_job(household.jobs)
    change(household.jobs, JOBS, job_id, status=status)
    age_row(household.jobs, JOBS, job_id, days)
    household.instance.add_dynamic_partitions(videos.name, [job_id])
    return job_id


def told(chore, household: Household) -> list[str]:
    """What a dry run says, which is also what the real one says that it did."""
    dry = list(chore(household, True))
    assert list(chore(household, False)) == dry
    assert list(chore(household, False)) == []
    return dry


# ---- forget_partitions


def test_partitions_without_a_row_go_at_once_and_those_of_old_jobs_after_the_retention(household):
    old, recent, waiting = old_job(household), old_job(household, days=170), old_job(household, status="queued")
    household.instance.add_dynamic_partitions(videos.name, ["gone"])

    list(forget_partitions(household, True))
    assert partitions(household) == {old, recent, waiting, "gone"}

    assert set(told(forget_partitions, household)) == {
        f"forget the partition {old}: it ended more than 180 days ago",
        "forget the partition gone: its row is gone",
    }
    assert partitions(household) == {recent, waiting}
    assert household.jobs.get(old).status == "done"  # the row is the archive


@pytest.mark.parametrize("by_range", [False, True])
@pytest.mark.parametrize("status", NOT_FINISHED_STATUSES)
def test_a_partition_is_never_removed_under_a_run(household, status, by_range):
    old_job(household)
    old = old_job(household)
    household.instance.add_dynamic_partitions(videos.name, ["gone"])
    for key in (old, "gone"):
        made_run(household.instance, key, status, by_range=by_range)

    list(forget_partitions(household, False))

    assert partitions(household) == {old, "gone"}


@pytest.mark.parametrize("status", FINISHED_STATUSES)
def test_a_run_that_has_ended_protects_nothing(household, status):
    old = old_job(household)
    made_run(household.instance, old, status)

    list(forget_partitions(household, False))

    assert partitions(household) == set()


def backfill(instance: dg.DagsterInstance, keys: list[str], *, of_assets: bool, status: BulkActionStatus) -> None:
    """A backfill that names these partitions and has not asked for a single run yet."""
    if of_assets:

        @dg.asset(partitions_def=videos, name="frames")
        def frames() -> None: ...

        made = PartitionBackfill.from_asset_partitions(
            backfill_id="b",
            asset_graph=dg.Definitions(assets=[frames]).resolve_asset_graph(),
            partition_names=keys,
            asset_selection=[dg.AssetKey("frames")],
            backfill_timestamp=time.time(),
            tags={},
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    else:
        repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "r")
        origin = RemotePartitionSetOrigin(repository_origin=repository, partition_set_name="analysis_partition_set")
        made = PartitionBackfill(
            "b",
            BulkActionStatus.REQUESTED,
            False,
            {},
            time.time(),
            partition_set_origin=origin,
            partition_names=keys,
            reexecution_steps=None,
        )
    instance.add_backfill(made.with_status(status))


@pytest.mark.parametrize("of_assets", [False, True])
@pytest.mark.parametrize(("status", "protects"), [(BulkActionStatus.REQUESTED, True), (BulkActionStatus.COMPLETED_SUCCESS, False)])
def test_a_partition_is_not_removed_before_a_backfill_has_come_to_it(household, of_assets, status, protects):
    awaited, other = old_job(household), old_job(household)
    backfill(household.instance, [awaited], of_assets=of_assets, status=status)

    list(forget_partitions(household, False))

    assert partitions(household) == ({awaited} if protects else set())
    assert other not in partitions(household)


def test_a_job_that_is_queued_again_while_the_chore_runs_keeps_its_partition(household):
    for _ in range(2):
        old_job(household, status="failed")
    first, second = household.instance.get_dynamic_partitions(videos.name)

    chore = forget_partitions(household, False)
    assert first in next(chore)
    assert household.jobs.requeue(second)

    assert list(chore) == []
    assert partitions(household) == {second}


def test_an_empty_database_is_not_taken_for_one_from_which_all_jobs_are_gone(household):
    household.instance.add_dynamic_partitions(videos.name, ["a", "b"])

    with pytest.raises(CricksyError, match="nothing was forgotten"):
        list(forget_partitions(household, False))

    assert partitions(household) == {"a", "b"}


def test_an_empty_database_without_partitions_is_in_order(household):
    assert list(forget_partitions(household, False)) == []


def test_a_database_that_is_away_is_not_taken_for_an_empty_one(household):
    household.instance.add_dynamic_partitions(videos.name, ["a"])
    away = replace(household, jobs=JobStore(make_engine("postgresql://127.0.0.1:1/none")))

    with pytest.raises(CricksyError):
        list(forget_partitions(away, False))

    assert partitions(household) == {"a"}


def test_one_round_forgets_so_many_partitions_and_the_next_goes_on(household, monkeypatch):
    monkeypatch.setattr(housekeeping, "MOST_PARTITIONS", 2)
    old_job(household, days=0)
    household.instance.add_dynamic_partitions(videos.name, ["a", "b", "c"])

    assert [len(list(forget_partitions(household, False))) for _ in range(3)] == [2, 1, 0]


def test_a_forgotten_partition_can_be_added_again_and_analysed(pipeline, glimpse):
    row, _ = pipeline.analyse(glimpse)
    pipeline.instance.delete_dynamic_partition(videos.name, row.id)

    assert pipeline.run(row.id).success
    assert pipeline.jobs.get(row.id).attempt == 2


# ---- expire_uploads and sweep_temporary: the parts are tested in store, here that they are done


def test_an_upload_that_was_never_completed_is_expired(household):
    session_id = household.jobs.create_session(owner_id="c1", title="Nets")
    key = upload_key("coach", "c1", session_id, "v1", "mp4")
    job_id = household.jobs.create_job(session_id, "batting", "local", key, awaiting_upload=True)
    age_row(household.jobs, JOBS, job_id, 1.1)

    assert told(expire_uploads, household) == [f"fail job {job_id}: its upload was never completed"]
    assert household.jobs.get(job_id).error_code == "SOURCE_MISSING"


def folder_of_a_run(household: Household, name: str, age_h: float) -> Path:
    folder = household.temporary / name
    folder.mkdir()
    (folder / "clip.mp4").write_bytes(b"video")
    then = time.time() - age_h * 3600
    for path in (folder / "clip.mp4", folder):
        os.utime(path, (then, then))
    return folder


def test_folders_of_killed_runs_go_and_those_of_living_ones_stay(household):
    dead = folder_of_a_run(household, "cricksy-run-dead", age_h=25)
    young = folder_of_a_run(household, "cricksy-run-young", age_h=23)
    fetching = folder_of_a_run(household, "cricksy-run-fetching", age_h=25)
    os.utime(fetching / "clip.mp4")  # written to just now; the folder itself is old
    others = folder_of_a_run(household, "somebody-elses", age_h=25)
    link = household.temporary / "cricksy-run-link"
    link.symlink_to(others)

    assert told(sweep_temporary, household) == ["remove the folder cricksy-run-dead of a run that was killed"]
    assert not dead.exists()
    assert all(path.exists() for path in (young, fetching, others / "clip.mp4", link))


def test_the_folders_that_runs_make_are_those_that_are_swept(local_store):
    with dg.build_resources({"objects": local_store, "source_videos": build_resources(Settings())["source_videos"]}) as resources:
        assert resources.source_videos._folder.match(RUN_FOLDERS)


def test_half_written_files_and_outputs_of_jobs_that_are_gone_are_swept_together(household):
    there = made_session(household.jobs, household.objects)
    orphan = output_key(there.source, "gone", Output.REPORT)
    household.objects.put(orphan, b"{}")
    (household.objects.root / "coach_plus" / ".writing-abc").write_bytes(b"half")
    age_files(household.objects, "", 8)

    assert told(sweep_temporary, household) == [
        "remove the half-written file coach_plus/.writing-abc",
        f"delete the object {orphan} (2 bytes): its job is gone",
    ]
    assert keys_of(household.objects) == there.keys


# ---- end_retention


def kept_until(household: Household, until: str | None) -> str:
    """A session with a failed job, its partition and its objects, to be kept until so long from now, such as `-1 hour`."""
    made = made_session(household.jobs, household.objects)
    household.instance.add_dynamic_partitions(videos.name, [made.job_id])
    with household.jobs.engine.begin() as connection:
        query = text("UPDATE video_sessions SET retention_until = now() + cast(:until AS interval) WHERE id = :id")
        connection.execute(query, {"until": until, "id": made.session_id})
    return made.session_id


def test_a_session_goes_with_all_its_objects_when_its_time_is_over_and_the_others_stay(household):
    for_good, tomorrow = kept_until(household, None), kept_until(household, "1 day")
    left = keys_of(household.objects)
    listed = partitions(household)
    over, long_over = kept_until(household, "-1 second"), kept_until(household, "-400 days")

    phrases = told(end_retention, household)

    assert [phrase.split()[3] for phrase in phrases] == [long_over, over] and "to be kept until 20" in phrases[0]
    assert keys_of(household.objects) == left and partitions(household) == listed
    assert [household.jobs.get_session(one) is None for one in (for_good, tomorrow, over, long_over)] == [False, False, True, True]


def test_a_session_whose_analysis_is_at_work_goes_in_a_later_round(household):
    session_id = kept_until(household, "-1 hour")
    (job,) = household.jobs.list_jobs(session_id=session_id)
    change(household.jobs, JOBS, job.id, status="queued")
    assert told(end_retention, household) == [] and household.jobs.get_session(session_id)
    change(household.jobs, JOBS, job.id, status="failed")
    made_run(household.instance, job.id, dg.DagsterRunStatus.STARTED)
    assert list(end_retention(household, False)) == [] and household.jobs.get_session(session_id)


def test_a_session_that_was_prolonged_at_the_last_moment_stays(household, monkeypatch):
    session_id = kept_until(household, "-1 hour")
    found = expiry.retention_ended(household.jobs, limit=9)
    household.jobs.change_session(session_id, retention_until=datetime.now(UTC) + timedelta(days=1))
    monkeypatch.setattr(expiry, "retention_ended", lambda *_, **__: found)
    before = keys_of(household.objects)
    assert list(end_retention(household, False)) == []
    assert household.jobs.get_session(session_id) and keys_of(household.objects) == before


def test_a_session_that_cannot_be_deleted_holds_up_no_other(household):
    elsewhere, over = kept_until(household, "-2 hours"), kept_until(household, "-1 hour")
    change(household.jobs, "video_sessions", elsewhere, s3_bucket="another-bucket")
    with pytest.raises(CricksyError, match="another-bucket"):
        list(end_retention(household, False))
    assert household.jobs.get_session(elsewhere) and household.jobs.get_session(over) is None


def test_a_round_ends_and_the_next_goes_on(household, monkeypatch):
    monkeypatch.setattr(housekeeping, "MOST_SESSIONS", 2)
    for _ in range(3):
        kept_until(household, "-1 hour")
    assert [len(list(end_retention(household, False))) for _ in range(3)] == [2, 1, 0]


# ---- forget_runs


def test_runs_that_ended_long_ago_go_with_their_events(household):
    instance = household.instance
    old = idle.execute_in_process(instance=instance).run_id
    recent = idle.execute_in_process(instance=instance).run_id
    age_run(instance, old, 91)
    age_run(instance, recent, 89)

    (phrase,) = told(forget_runs, household)

    assert phrase.startswith(f"delete the run {old} of idle, ended ")
    assert instance.get_run_by_id(old) is None and instance.all_logs(old) == []
    assert instance.get_run_by_id(recent) is not None


def test_runs_are_kept_no_longer_than_partitions(household):
    run_id = idle.execute_in_process(instance=household.instance).run_id
    age_run(household.instance, run_id, 31)

    assert list(forget_runs(household, True)) == []
    assert len(list(forget_runs(replace(household, partition_retention_days=30.0), True))) == 1


@pytest.mark.parametrize("status", NOT_FINISHED_STATUSES)
def test_a_run_that_has_not_ended_stays_however_old(household, status):
    run_id = made_run(household.instance, "gone", status)
    age_run(household.instance, run_id, 1000)

    assert list(forget_runs(household, False)) == []


@pytest.mark.parametrize("by_range", [False, True])
def test_a_run_of_a_partition_that_is_listed_stays_until_the_partition_is_forgotten(household, by_range):
    run_id = made_run(household.instance, "v1", dg.DagsterRunStatus.SUCCESS, by_range=by_range)
    age_run(household.instance, run_id, 91)
    household.instance.add_dynamic_partitions(videos.name, ["v1"])

    assert list(forget_runs(household, False)) == []
    household.instance.delete_dynamic_partition(videos.name, "v1")
    assert len(list(forget_runs(household, False))) == 1


def test_without_its_run_a_listed_video_would_look_never_analysed():
    """Why `forget_runs` leaves such runs: Dagster deletes the materializations with the run."""

    @dg.asset(partitions_def=videos, name="frames")
    def frames() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(videos.name, ["v1"])
        run = dg.materialize([frames], instance=instance, partition_key="v1")
        assert instance.get_materialized_partitions(dg.AssetKey("frames")) == {"v1"}
        instance.delete_run(run.run_id)
        assert instance.get_materialized_partitions(dg.AssetKey("frames")) == set()


@pytest.mark.parametrize("dry_run", [False, True])
def test_all_old_runs_are_found_page_by_page_between_those_that_stay(household, monkeypatch, dry_run):
    monkeypatch.setattr(expiry, "BATCH", 2)
    household.instance.add_dynamic_partitions(videos.name, ["listed"])
    doomed = []
    for number in range(9):
        key = "listed" if number in (0, 3, 4, 5, 8) else "gone"
        run_id = made_run(household.instance, key, dg.DagsterRunStatus.SUCCESS)
        age_run(household.instance, run_id, 100)
        doomed += [run_id] if key == "gone" else []

    phrases = list(forget_runs(household, dry_run))

    assert [phrase.split()[3] for phrase in phrases] == doomed
    assert household.instance.get_runs_count() == 9 - (0 if dry_run else len(doomed))


def test_one_round_deletes_so_many_runs_and_the_next_goes_on(household, monkeypatch):
    monkeypatch.setattr(housekeeping, "MOST_RUNS", 2)
    for _ in range(3):
        age_run(household.instance, made_run(household.instance, "gone", dg.DagsterRunStatus.FAILURE), 100)

    assert [len(list(forget_runs(household, True))), *(len(list(forget_runs(household, False))) for _ in range(3))] == [2, 2, 1, 0]


# ---- as jobs, schedules and a command


def definitions(household: Household) -> dg.Definitions:
    jobs, schedules = build_housekeeping(partition_retention_days=180)
    return dg.Definitions(
        jobs=jobs,
        schedules=schedules,
        resources={"jobs": household.jobs, "objects": household.objects},
        executor=dg.in_process_executor,
    )


def launch(household: Household, name: str, **config) -> dg.ExecuteInProcessResult:
    return (
        definitions(household)
        .resolve_job_def(name)
        .execute_in_process(
            instance=household.instance, run_config={"ops": {f"do_{name}": {"config": config}}} if config else None, raise_on_error=False
        )
    )


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (output,) = [event.event_specific_data for event in result.all_events if event.is_successful_output]
    return {name: value.value for name, value in output.metadata.items()}


def test_a_dry_run_in_dagster_says_what_it_would_do_and_a_real_one_does_it(household):
    old_job(household, days=0)
    household.instance.add_dynamic_partitions(videos.name, ["gone"])

    dry = launch(household, "forget_partitions", dry_run=True)
    assert metadata_of(dry) == {"dry_run": True, "count": 1, "what": "- forget the partition gone: its row is gone"}
    assert "gone" in partitions(household)

    real = launch(household, "forget_partitions")
    assert metadata_of(real)["dry_run"] is False
    assert "gone" not in partitions(household)
    log = [entry.user_message for entry in household.instance.all_logs(real.run_id)]
    assert "done: forget the partition gone: its row is gone" in log

    assert metadata_of(launch(household, "forget_partitions")) == {"dry_run": False, "count": 0, "what": "Nothing."}


def test_the_metadata_shows_the_first_hundred_and_the_log_has_all(household):
    old_job(household, days=0)
    household.instance.add_dynamic_partitions(videos.name, [f"gone-{number}" for number in range(130)])

    result = launch(household, "forget_partitions")

    lines = str(metadata_of(result)["what"]).splitlines()
    assert (metadata_of(result)["count"], len(lines), lines[-1]) == (130, 101, "- ... and 30 more, see the log")
    assert sum("done: " in entry.user_message for entry in household.instance.all_logs(result.run_id)) == 130


def test_a_chore_that_refuses_is_a_failed_run_that_says_why_and_is_not_retried(household):
    household.instance.add_dynamic_partitions(videos.name, ["a"])

    result = launch(household, "forget_partitions")

    assert not result.success
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert "nothing was forgotten" in failure.user_failure_data.description
    assert failure.user_failure_data.metadata["error_code"].value == "DATABASE_UNAVAILABLE"


@pytest.mark.parametrize("name", [chore.name for chore in CHORES])
def test_every_chore_is_a_described_job_behind_the_videos_with_a_schedule_that_runs(household, name):
    new_job(household.jobs)
    built = definitions(household)
    job, schedule = built.resolve_job_def(name), built.resolve_schedule_def(f"{name}_schedule")

    assert launch(household, name).success
    assert len(job.description) > 80 and "dry_run" in schedule.description
    assert int(job.tags["dagster/priority"]) < 0
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert schedule.execution_timezone == "UTC"
    (request,) = schedule.evaluate_tick(dg.build_schedule_context(instance=household.instance)).run_requests
    assert request.run_config == {}  # so `dry_run` is False


def test_chores_do_not_begin_at_the_same_minute_and_what_the_api_leaves_is_gone_within_the_hour():
    crons = {chore.name: chore.cron for chore in CHORES}

    assert len({cron.split()[0] for cron in crons.values()}) == len(crons)
    hourly = ("forget_partitions", "end_retention", "forget_runs")
    assert all(crons[name].split()[1:] == ["*"] * 4 for name in hourly)
    assert all(int(cron.split()[1]) < 5 for name, cron in crons.items() if name not in hourly)


def test_the_command_does_the_named_chores_and_says_each_thing_as_it_is_done(household):
    old_job(household, days=0)
    household.instance.add_dynamic_partitions(videos.name, ["gone"])
    said: list[str] = []

    dry = run_chores(household, ["forget_partitions"], dry_run=True, say=said.append)
    real = run_chores(household, say=said.append)

    phrase = "forget the partition gone: its row is gone"
    assert dry == {"forget_partitions": [phrase]}
    assert real == {chore.name: [phrase] if chore.name == "forget_partitions" else [] for chore in CHORES}
    assert said == [f"would: {phrase}", f"done: {phrase}"]


def test_a_chore_that_does_not_exist_is_refused_before_anything_is_done(household):
    old_job(household, days=0)
    household.instance.add_dynamic_partitions(videos.name, ["gone"])

    with pytest.raises(ValueError, match="no chore wash_up; there are forget_partitions, "):
        run_chores(household, ["forget_partitions", "wash_up"])

    assert "gone" in partitions(household)
