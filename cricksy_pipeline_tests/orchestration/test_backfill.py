"""Backfills: what the plan foretells is what the runs do, by whichever way they are started."""

from __future__ import annotations

import importlib
import json
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.execution.backfill import BulkActionStatus
from sqlalchemy import text

from benchmarks.cloned_jobs import clone_job
from cricksy_pipeline.analysis import versions
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration import backfill_runs
from cricksy_pipeline.orchestration.backfill import (
    BackfillPlan,
    PlannedJob,
    current_version,
    duration_in_words,
    plan_backfill,
    plan_in_words,
    select,
)
from cricksy_pipeline.orchestration.backfill_prices import History, Price
from cricksy_pipeline.orchestration.backfill_runs import CODE_LOCATION, launch, run_here
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.jobs import analysis
from cricksy_pipeline.orchestration.local_run import WarmRuns
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.stage import FRESH_TAG
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.stop_signals import stopped_by_signal
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.selection import PastAttempt, Selection
from cricksy_pipeline_tests.store.rows import done_job, new_job
from cricksy_pipeline_tests.store.test_selection import change

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = Selection()
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def newer(monkeypatch):
    """New rules for the whole house: `newer("findings")` raises their version."""

    def newer(*names: str) -> None:
        for name in names:
            monkeypatch.setitem(versions.RULES, name, f"{versions.RULES[name]}+")

    return newer


@pytest.fixture
def runs(pipeline) -> WarmRuns:
    definitions = build_definitions(pipeline.settings, resource_overrides={"jobs": pipeline.jobs, "objects": pipeline.objects})
    return WarmRuns(pipeline.instance, pipeline.jobs, definitions.resolve_job_def(analysis.name))


@pytest.fixture
def analysed(pipeline, glimpse):
    """So many finished jobs, of which one was analysed and the others are its copies; the youngest last."""

    def analysed(count: int, **options) -> list[str]:
        row, _ = pipeline.analyse(glimpse, **options)
        ids = [row.id, *clone_job(pipeline.jobs, pipeline.objects, row.id, count - 1)]
        return [change(pipeline.jobs, job_id, created_at=NOON + timedelta(hours=hour)) for hour, job_id in enumerate(ids)]

    return analysed


def plan_of(pipeline, selection: Selection = EVERYTHING, **options) -> BackfillPlan:
    return plan_backfill(pipeline.jobs, pipeline.settings, selection, **options)


def planned(*ids: str, looks: bool = False, **fields) -> BackfillPlan:
    """A plan for these jobs, whatever is in any row."""
    jobs = tuple(PlannedJob(job_id, looks, NOON, None) for job_id in ids)
    return replace(BackfillPlan("v2", False, jobs, 0, {}, 0), **fields)


# ------------------------------------------------------------------------------------------------------------------- what is asked


def test_a_backfill_of_everything_is_never_an_accident():
    with pytest.raises(ValueError, match="--all"):
        select(Settings())
    assert select(Settings(), everything=True) == EVERYTHING


def test_the_conditions_of_a_person_are_the_conditions_of_the_query():
    asked = select(Settings(pose_model="lite"), outdated=True, since=NOON, mode="bowling")
    assert asked == Selection(outdated_for=current_version(Settings(pose_model="lite")), since=NOON, mode="bowling")
    assert current_version(Settings(pose_model="lite")) != current_version(Settings())


def test_a_mode_that_nobody_films_is_refused():
    with pytest.raises(CricksyError) as refused:
        select(Settings(), mode="juggling")
    assert refused.value.code == ErrorCode.MODE_UNSUPPORTED


# ------------------------------------------------------------------------------------------------------------------------ the plan


@pytest.mark.parametrize(
    "rules, looks_again",
    [
        ([], None),
        (["report"], False),
        (["metrics"], False),
        (["landmarks"], True),
        pytest.param(["frames"], True, marks=pytest.mark.slow),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else None,
)
def test_the_plan_foretells_what_the_run_does(pipeline, glimpse, runs, looks, newer, rules, looks_again):
    row, _ = pipeline.analyse(glimpse)
    newer(*rules)
    looked = len(looks)

    plan = plan_of(pipeline)

    if looks_again is None:
        assert (plan.jobs, plan.up_to_date) == ((), 1)
        return
    assert [(job.id, job.looks) for job in plan.jobs] == [(row.id, looks_again)]
    assert run_here(runs, pipeline.jobs, plan, lambda _: None).done == 1
    assert (len(looks) > looked) is looks_again
    after = plan_of(pipeline)
    assert (after.jobs, after.up_to_date) == ((), 1)
    again = pipeline.jobs.get(row.id)
    payloads = (again.quick_results["meta"], again.quick_report, again.deep_results["meta"], again.deep_report)
    assert {again.analysis_version, *(payload["analysis_version"] for payload in payloads)} == {plan.version}
    assert unreadable(read_job(again, pipeline.objects)) == []


def test_a_version_that_is_not_written_down_is_proven_anew_even_where_everything_holds(pipeline, glimpse, runs, looks):
    row, _ = pipeline.analyse(glimpse)
    change(pipeline.jobs, row.id, analysis_version=None)

    plan = plan_of(pipeline, select(pipeline.settings, outdated=True))

    assert [job.looks for job in plan.jobs] == [False]
    assert run_here(runs, pipeline.jobs, plan, lambda _: None).done == 1
    assert plan_of(pipeline, select(pipeline.settings, outdated=True)).jobs == ()
    assert looks == ["look_quickly", "look_deeply"]


def test_a_quick_only_job_is_planned_by_its_quick_stages_alone(pipeline, glimpse, newer):
    row, _ = pipeline.analyse(glimpse, deep_enabled=False)
    assert plan_of(pipeline).up_to_date == 1
    newer("metrics")
    assert [(job.id, job.looks) for job in plan_of(pipeline).jobs] == [(row.id, False)]


def test_everything_anew_looks_into_every_video(pipeline, analysed):
    analysed(2)
    plan = plan_of(pipeline, fresh=True)
    assert [job.looks for job in plan.jobs] == [True, True] and plan.fresh and plan.up_to_date == 0


def test_a_job_without_records_looks_again(job_store):
    job_id = done_job(job_store)
    assert [(job.id, job.looks) for job in plan_backfill(job_store, Settings(), EVERYTHING).jobs] == [(job_id, True)]


def test_a_job_whose_overlay_only_ever_failed_is_planned_as_any_other(job_store):
    job_id = change(job_store, done_job(job_store), stages=json.dumps({"overlay": {"failed": {"of": "its results", "tries": 2}}}))
    assert [job.id for job in plan_backfill(job_store, Settings(), EVERYTHING).jobs] == [job_id]


@pytest.mark.parametrize(
    "columns, why",
    [
        ({"analysis_mode": None}, "Say what was filmed"),
        ({"analysis_mode": "juggling"}, "cannot be analysed"),
        ({"s3_key": None}, "names no video"),
        ({"s3_bucket": "another"}, "lies in the bucket another"),
        ({"sample_fps": 0}, "0 frames a second"),
    ],
)
def test_what_cannot_be_analysed_is_counted_with_its_reason(job_store, columns, why):
    job_id = change(job_store, done_job(job_store), **columns)
    plan = plan_backfill(job_store, Settings(), EVERYTHING)
    assert plan.jobs == () and list(plan.impossible.values()) == [(job_id,)]
    assert why in next(iter(plan.impossible))


@pytest.mark.slow
def test_rules_are_applied_wherever_the_video_lies(pipeline, glimpse, newer):
    row, _ = pipeline.analyse(glimpse)
    change(pipeline.jobs, row.id, s3_bucket="moved")
    newer("report")
    assert [job.id for job in plan_of(pipeline).jobs] == [row.id]
    newer("landmarks")
    assert list(plan_of(pipeline).impossible.values()) == [(row.id,)]


def test_what_needs_no_video_comes_first_and_of_each_kind_the_youngest(pipeline, analysed, newer):
    oldest, old, young, youngest = analysed(4)
    change(pipeline.jobs, youngest, source_sha256="f" * 64)  # as if made from another file: everything follows from that
    newer("report")

    assert [job.id for job in plan_of(pipeline).jobs] == [young, old, oldest, youngest]
    assert [job.id for job in plan_of(pipeline, limit=2).jobs] == [young, youngest]
    assert plan_of(pipeline, limit=0).jobs == ()


def test_a_plan_changes_nothing(pipeline, analysed, newer):
    def everything():
        with pipeline.jobs.engine.connect() as connection:
            tables = ("video_analysis_jobs", "video_sessions", "job_attempts", "guardrail_results")
            return [tuple(row) for table in tables for row in connection.execute(text(f"SELECT t::text FROM {table} t ORDER BY 1"))]

    analysed(2)
    newer("metrics")
    before = everything()
    assert len(plan_in_words(plan_of(pipeline))) > 1
    assert everything() == before


# ---------------------------------------------------------------------------------------------------------------------- its prices

LOOKED = {
    "frames": {"run_id": "r1", "seconds": 1.0, "cpu_s": 0.5},
    "quick_landmarks": {"run_id": "r1", "seconds": 10.0, "cpu_s": 8.0},
    "quick_results": {"run_id": "r1", "seconds": 10.0, "cpu_s": 8.0},
    "deep_landmarks": {"run_id": "r1", "seconds": 30.0, "cpu_s": 20.0},
    "deep_results": {"run_id": "r1", "seconds": 30.0, "cpu_s": 20.0},
    "findings": {"run_id": "r1", "seconds": 0.25, "cpu_s": 0.125},
    "report": {"run_id": "r1", "seconds": 0.5, "cpu_s": 0.25},
}
APPLIED = LOOKED | {
    "quick_results": {"run_id": "r2", "seconds": 2.0, "cpu_s": 1.0},
    "findings": {"run_id": "r2", "seconds": 0.25, "cpu_s": 0.125},
    "report": {"run_id": "r2", "seconds": 0.5, "cpu_s": 0.25},
}
"""The same job after new findings: run r2 made three stages again, without a look."""
ALL_ANEW = {"frames": True, "quick_results": True, "deep_results": True, "findings": False, "report": False}
NEW_FINDINGS = {"quick_results": False, "findings": False, "report": False}


def test_a_job_that_looks_again_costs_what_looking_cost_it():
    # 43.75 s of 50 in the stages: 2.75 s of guardrails and the like, whatever other jobs cost
    history = History([PastAttempt(LOOKED, "r1", 44.5)])
    assert history.price(LOOKED, ALL_ANEW) == Price(cpu_s=28.875, seconds=44.5)


def test_what_was_applied_without_a_look_since_does_not_hide_what_looking_cost():
    history = History([PastAttempt(LOOKED, "r1", 44.5), PastAttempt(APPLIED, "r2", 4.75)])
    assert history.price(APPLIED, ALL_ANEW) == history.price(LOOKED, ALL_ANEW)


def test_rules_have_no_price_before_rules_were_ever_applied():
    assert History([PastAttempt(LOOKED, "r1", 44.5)]).price(LOOKED, NEW_FINDINGS) is None
    assert History([]).price(LOOKED, ALL_ANEW) is None


def test_rules_cost_a_job_that_never_had_them_applied_the_median_of_others():
    slower = APPLIED | {"quick_results": {"run_id": "r2", "seconds": 4.0, "cpu_s": 3.0}}
    slowest = APPLIED | {"quick_results": {"run_id": "r2", "seconds": 100.0, "cpu_s": 90.0}}
    history = History([PastAttempt(stages, "r2", 4.75 + extra) for stages, extra in ((APPLIED, 0.0), (slower, 2.0), (slowest, 98.0))])
    # 4 s + 0.75 s in the stages, and 2 s besides them in each of the three attempts
    assert history.price(LOOKED, NEW_FINDINGS) == Price(cpu_s=3.375, seconds=6.75)


def test_a_job_whose_records_name_no_cost_is_priced_by_others():
    unpriced = {step: {"run_id": "r1", "inputs": "abc"} for step in LOOKED}
    history = History([PastAttempt(LOOKED, "r1", 44.5), PastAttempt(unpriced, "r1", 44.5)])
    assert history.price(unpriced, ALL_ANEW).cpu_s == 28.875


def test_a_real_job_is_priced_by_what_it_did(pipeline, glimpse, runs, newer):
    row, _ = pipeline.analyse(glimpse)
    newer("report")
    (first,) = plan_of(pipeline).jobs
    assert first.price is None and "cost not measured yet" in "\n".join(plan_in_words(plan_of(pipeline)))
    run_here(runs, pipeline.jobs, plan_of(pipeline), lambda _: None)

    newer("report")

    (second,) = plan_of(pipeline).jobs
    stages = pipeline.jobs.get(row.id).stages
    assert second.price.cpu_s == pytest.approx(stages["quick_results"]["cpu_s"] + stages["report"]["cpu_s"])
    attempt = pipeline.jobs.last_attempts(row.id)[0]
    assert second.price.seconds == pytest.approx((attempt.ended_at - attempt.started_at).total_seconds(), abs=0.01)


def test_the_plan_in_words_says_count_kinds_cost_and_reasons():
    jobs = [PlannedJob(str(n), n == 0, NOON, Price(30.0, 60.0) if n < 3 else None) for n in range(4)]
    plan = BackfillPlan("v2", False, tuple(jobs), 5, {"Say what was filmed.": ("a", "b", "c", "d")}, 7)
    assert plan_in_words(plan) == [
        "4 videos to analyse by version v2",
        "3 apply rules to stored landmarks, no video is decoded: about 60 seconds of CPU, 2 minutes of time; 1 of them not measured yet",
        "1 look into the video again: about 30 seconds of CPU, 60 seconds of time",
        "(from 7 past attempts; CPU of the stages alone; time of one video after the other, without the start of a process for each)",
        "5 videos would come out as before: left alone",
        "4 cannot be analysed: Say what was filmed. (a, b, c, ...)",
    ]


@pytest.mark.parametrize(
    "seconds, words",
    [(0.126, "0.13 seconds"), (119.0, "120 seconds"), (120.0, "2 minutes"), (5400.0, "90 minutes"), (7200.0, "2 hours"), (1e6, "12 days")],
)
def test_a_duration_has_two_digits(seconds, words):
    assert duration_in_words(seconds) == words


# -------------------------------------------------------------------------------------------------------------------- through Dagster


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_launch_asks_dagster_for_one_run_a_video_behind_every_upload(instance):
    plan = planned("a", "b")

    (backfill_id,) = launch(instance, plan)

    backfill = instance.get_backfill(backfill_id)
    assert backfill.status == BulkActionStatus.REQUESTED and backfill.partition_names == ["a", "b"]
    assert backfill.tags == {"dagster/priority": "-10"}
    assert backfill.title == "To analysis version v2, rules only: 2 videos"
    assert backfill.job_name == analysis.name
    assert set(instance.get_dynamic_partitions(videos.name)) == {"a", "b"}


def test_what_looks_is_a_backfill_of_its_own_behind_what_does_not(instance):
    plan = planned(jobs=(*planned("a").jobs, *planned("b", looks=True).jobs))

    backfills = [instance.get_backfill(backfill_id) for backfill_id in launch(instance, plan)]

    assert [(backfill.partition_names, backfill.tags["dagster/priority"]) for backfill in backfills] == [(["a"], "-10"), (["b"], "-20")]


def test_a_large_plan_is_several_backfills(instance, monkeypatch):
    monkeypatch.setattr(backfill_runs, "MOST_KEYS", 2)
    backfills = [instance.get_backfill(backfill_id) for backfill_id in launch(instance, planned(*"abcde"))]
    assert [backfill.partition_names for backfill in backfills] == [["a", "b"], ["c", "d"], ["e"]]


def test_an_empty_plan_launches_nothing(instance):
    assert launch(instance, planned()) == [] and instance.get_backfills() == []


def test_everything_anew_is_said_to_the_runs(instance):
    (backfill_id,) = launch(instance, planned("a", looks=True, fresh=True))
    assert instance.get_backfill(backfill_id).tags[FRESH_TAG] == "true"


def test_the_code_location_is_the_one_that_the_workspace_names():
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace["load_from"][0]["python_module"]["location_name"] == CODE_LOCATION


# -------------------------------------------------------------------------------------------------------------------------------- here


def test_here_every_job_has_a_run_of_its_own_under_one_backfill(pipeline, runs, analysed, newer):
    ids = analysed(3)
    newer("findings")
    told = []

    outcome = run_here(runs, pipeline.jobs, plan_of(pipeline), lambda so_far: told.append(so_far.ended))

    assert (outcome.done, outcome.failed, outcome.passed_over, outcome.stopped) == (3, {}, [], False)
    assert told == [1, 2, 3]
    rows = [pipeline.jobs.get(job_id) for job_id in ids]
    assert [(row.status, row.attempt) for row in rows] == [("done", 2)] * 3
    made = pipeline.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": outcome.backfill_id}))
    assert {run.tags["dagster/partition"]: run.run_id for run in made} == {row.id: row.dagster_run_id for row in rows}
    assert {run.tags["dagster/priority"] for run in made} == {"-10"}
    backfill = pipeline.instance.get_backfill(outcome.backfill_id)
    assert backfill.status == BulkActionStatus.COMPLETED_SUCCESS and set(backfill.partition_names) == set(ids)


def test_copies_pass_the_whole_proof_as_the_original_does(pipeline, runs, analysed):
    """What the benchmark counts on: a copy of a finished job is a finished job, down to hashes and guardrails."""
    ids = analysed(2)
    plan = plan_of(pipeline)
    assert plan.up_to_date == 2

    outcome = run_here(runs, pipeline.jobs, planned(*ids), lambda _: None)

    assert outcome.done == 2
    for job_id in ids:
        row = pipeline.jobs.get(job_id)
        assert {record["run_id"] for record in row.stages.values()}.isdisjoint({row.dagster_run_id}), "something was made again"
        assert all(job_id in entry["key"] for entry in row.stored_objects.values())


def test_one_job_that_fails_does_not_stop_the_others_and_keeps_its_earlier_analysis(pipeline, runs, analysed, newer):
    bad, good = analysed(2)
    before = pipeline.jobs.get(bad)
    for entry in before.stored_objects.values():
        pipeline.objects.delete(entry["key"])
    pipeline.objects.delete(before.s3_key)
    newer("report")

    outcome = run_here(runs, pipeline.jobs, plan_of(pipeline), lambda _: None)

    assert outcome.done == 1 and list(outcome.failed) == [bad]
    assert "no longer in the store" in outcome.failed[bad]
    after = pipeline.jobs.get(bad)
    assert (after.status, after.deep_report, after.analysis_version) == ("done", before.deep_report, before.analysis_version)
    assert pipeline.jobs.get(good).analysis_version == current_version(pipeline.settings)
    assert pipeline.instance.get_backfill(outcome.backfill_id).status == BulkActionStatus.COMPLETED_FAILED


def test_a_job_that_is_at_work_or_gone_when_its_turn_comes_is_passed_over(pipeline, runs):
    queued = new_job(pipeline.jobs)
    outcome = run_here(runs, pipeline.jobs, planned(queued, "gone"), lambda _: None)
    assert outcome.passed_over == [queued, "gone"] and outcome.ended == 2
    assert pipeline.jobs.get(queued).status == "queued"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_stops_after_the_job_in_hand_and_its_row_is_as_its_readers_know_it(pipeline, runs, analysed, newer, monkeypatch, number):
    oldest, old, _young = analysed(3)
    before = {job_id: pipeline.jobs.get(job_id) for job_id in (oldest, old)}
    newer("report")
    module = importlib.import_module("cricksy_pipeline.orchestration.assets.report")  # its package names the asset so, not the module
    files = module.report_files

    def stopped(now, *arguments):
        if now.job_id == old:
            signal.raise_signal(number)
        return files(now, *arguments)

    monkeypatch.setattr(module, "report_files", stopped)

    with stopped_by_signal():
        outcome = run_here(runs, pipeline.jobs, plan_of(pipeline), lambda _: None)

    assert (outcome.stopped, outcome.done, outcome.failed) == (True, 1, {})
    for job_id, row in before.items():
        after = pipeline.jobs.get(job_id)
        assert (after.status, after.deep_report, after.deep_results) == ("done", row.deep_report, row.deep_results)
    assert pipeline.jobs.last_attempts(old)[0].error_code == "CANCELED"
    assert pipeline.jobs.get(oldest).attempt == 1
    assert pipeline.instance.get_backfill(outcome.backfill_id).status == BulkActionStatus.CANCELED
