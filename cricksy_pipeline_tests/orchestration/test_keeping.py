"""What of an earlier attempt is kept, and what is made again."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import text

from cricksy_pipeline.analysis import versions
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration import checks as checks_module
from cricksy_pipeline.orchestration import completion as completion_module
from cricksy_pipeline.orchestration import stage as stage_module
from cricksy_pipeline.reading.drawing import plots
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import QUICK_ARTIFACTS, RUNNING
from cricksy_pipeline.store.objects import LocalObjectStore

FAIL = JobStore.fail
STAGES = ("frames", "quick_results", "deep_results", "findings", "report")


class BrokenObjects(LocalObjectStore):
    """A folder that refuses to write one output as long as it is broken."""

    def __init__(self, store: LocalObjectStore, output: Output) -> None:
        super().__init__(store.root)
        self._output, self.broken = output, True

    def put(self, key, data, *args, **kwargs):
        if self.broken and key.endswith(f"/{self._output}"):
            raise CricksyError(ErrorCode.STORE_UNAVAILABLE, "the disk is full")
        return super().put(key, data, *args, **kwargs)


@pytest.fixture
def newer(monkeypatch):
    """New rules: `newer("findings")` raises their version."""

    def newer(*names: str) -> None:
        rules = {**versions.RULES, **dict.fromkeys(names, "next")}

        def inputs(**of):
            return versions.stage_inputs(**of, rules=rules)

        monkeypatch.setattr(stage_module, "stage_inputs", inputs)
        monkeypatch.setattr(stage_module, "analysis_version", lambda *, networks: "next-version")

    return newer


def made_by(row) -> list[str]:
    return [row.stages[name]["run_id"] for name in STAGES]


@pytest.mark.parametrize(
    "refused, made_again, looked",
    [
        (Output.FRAMES, 5, ["look_quickly", "look_deeply"]),
        (Output.QUICK_RESULTS, 4, ["look_quickly", "look_quickly", "look_deeply"]),
        (Output.DEEP_RESULTS, 3, ["look_quickly", "look_deeply", "look_deeply"]),
        (Output.FINDINGS, 2, ["look_quickly", "look_deeply"]),
        (Output.REPORT_HTML, 1, ["look_quickly", "look_deeply"]),
    ],
)
def test_a_retry_starts_where_the_failure_was(pipeline_with, local_store, glimpse, monkeypatch, looks, refused, made_again, looked):
    monkeypatch.setattr(stage_module, "AGAIN_AFTER_S", {})
    objects = BrokenObjects(local_store, refused)
    pipeline = pipeline_with(objects=objects)
    row, first = pipeline.analyse(glimpse)
    assert (first.success, row.status, row.error_code) == (False, "failed", "STORE_UNAVAILABLE")
    objects.broken = False

    assert pipeline.jobs.requeue(row.id)
    second = pipeline.run(row.id)

    again = pipeline.jobs.get(row.id)
    assert second.success and again.status == "done"
    assert made_by(again) == [first.run_id] * (5 - made_again) + [second.run_id] * made_again
    assert looks == looked
    assert unreadable(read_job(again, objects)) == []


def test_a_finished_analysis_that_is_asked_for_again_is_proven_again_and_nothing_is_made(pipeline, glimpse, looks):
    row, first = pipeline.analyse(glimpse)
    objects = {head.key: head.etag for head in pipeline.objects.list()}

    second = pipeline.run(row.id)

    again = pipeline.jobs.get(row.id)
    assert second.success and (again.status, again.attempt) == ("done", 2)
    assert made_by(again) == [first.run_id] * 5
    assert looks == ["look_quickly", "look_deeply"]
    assert {head.key: head.etag for head in pipeline.objects.list()} == objects
    assert again.deep_results == row.deep_results
    evaluated = pipeline.jobs.guardrails.results_of(row.id, second.run_id)
    assert {outcome.asset for outcome in evaluated} == set(STAGES) and all(outcome.passed for outcome in evaluated)


def test_a_report_with_faces_is_made_again_once_the_session_asks_that_none_is_shown(pipeline, glimpse, looks):
    row, _first = pipeline.analyse(glimpse)
    assert b"data:image/" in pipeline.objects.get(row.stored_key(Output.REPORT_HTML))
    pipeline.jobs.change_session(row.session_id, blur_faces=True)

    second = pipeline.run(row.id)

    again = pipeline.jobs.get(row.id)
    assert second.success and again.status == "done"
    assert {name for name in STAGES if again.stages[name]["run_id"] == second.run_id} == {"quick_results", "report"}
    assert looks == ["look_quickly", "look_deeply"], "nobody looks at the video again"
    for page in (Output.QUICK_REPORT_HTML, Output.REPORT_HTML):
        assert b"data:image/" not in pipeline.objects.get(again.stored_key(page))


@pytest.mark.parametrize(
    "rules, made_again",
    [
        (["report"], {"quick_results", "report"}),
        (["findings"], {"quick_results", "findings", "report"}),
        (["metrics"], {"quick_results", "deep_results", "findings", "report"}),
    ],
)
def test_new_rules_are_applied_to_stored_landmarks_without_the_video(pipeline, glimpse, looks, newer, rules, made_again):
    row, _first = pipeline.analyse(glimpse)
    pipeline.objects.delete(row.s3_key)  # nothing can be decoded any more
    newer(*rules)

    second = pipeline.run(row.id)

    again = pipeline.jobs.get(row.id)
    assert second.success and again.status == "done"
    assert {name for name in STAGES if again.stages[name]["run_id"] == second.run_id} == made_again
    assert looks == ["look_quickly", "look_deeply"]
    assert (again.analysis_version, again.quick_results["meta"]["analysis_version"]) == ("next-version", "next-version")
    assert again.deep_results["meta"]["analysis_version"] == "next-version"
    assert again.deep_report["analysis_version"] == "next-version"
    assert (again.deep_findings["analysis_version"] == "next-version") is ("findings" in made_again), "a document says who made it"
    assert json.loads(pipeline.objects.get(again.deep_results_s3_key)) == again.deep_results
    assert again.deep_results["metrics"] == row.deep_results["metrics"]
    assert unreadable(read_job(again, pipeline.objects)) == []


def test_after_new_rules_the_metrics_are_drawn_again_only_where_they_changed_or_the_picture_did(pipeline, glimpse, newer, monkeypatch):
    drawn = []
    draw = plots.metrics_png
    monkeypatch.setattr(plots, "metrics_png", lambda block: drawn.append(block) or draw(block))
    row, _ = pipeline.analyse(glimpse)
    drawn.clear()

    newer("findings")
    assert pipeline.run(row.id).success
    again = pipeline.jobs.get(row.id)
    assert not drawn
    for output in (Output.QUICK_METRICS_IMAGE, Output.METRICS_IMAGE):
        assert pipeline.objects.get(again.stored_key(output)) == pipeline.objects.get(row.stored_key(output))

    pipeline.objects.put(again.stored_key(Output.QUICK_METRICS_IMAGE), b"another picture", "image/png")
    assert pipeline.run(row.id).success
    assert len(drawn) == 1


def test_new_rules_for_landmarks_look_again(pipeline, glimpse, looks, newer):
    row, first = pipeline.analyse(glimpse)
    newer("landmarks")

    second = pipeline.run(row.id)

    assert second.success and made_by(pipeline.jobs.get(row.id)) == [first.run_id] + [second.run_id] * 4
    assert looks == ["look_quickly", "look_deeply"] * 2


def test_a_run_tagged_fresh_makes_everything_again(pipeline, glimpse, looks):
    row, _ = pipeline.analyse(glimpse)

    second = pipeline.run(row.id, tags={stage_module.FRESH_TAG: "true"})

    assert second.success and made_by(pipeline.jobs.get(row.id)) == [second.run_id] * 5
    assert looks == ["look_quickly", "look_deeply"] * 2


@pytest.mark.parametrize("output, looked", [(Output.DEEP_FRAMES, True), (Output.METRICS_IMAGE, False), (Output.DEEP_RESULTS, False)])
def test_what_was_damaged_in_the_store_is_made_again(pipeline, glimpse, looks, output, looked):
    row, _ = pipeline.analyse(glimpse)
    pipeline.objects.put(row.stored_key(output), b"somebody else's")

    second = pipeline.run(row.id)

    again = pipeline.jobs.get(row.id)
    assert second.success and again.status == "done"
    assert made_by(again)[2:] == [second.run_id] * 3
    assert ("look_deeply" in looks[2:]) is looked


def test_what_failed_its_guardrail_is_not_kept(pipeline, glimpse):
    row, first = pipeline.analyse(glimpse)
    with pipeline.jobs.engine.begin() as connection:
        connection.execute(text("UPDATE guardrail_results SET passed = false WHERE asset = 'findings' AND name = 'mode_echoed'"))

    second = pipeline.run(row.id)

    assert second.success and made_by(pipeline.jobs.get(row.id)) == [first.run_id] * 3 + [second.run_id] * 2


def test_readers_keep_the_earlier_analysis_until_the_new_one_is_proven_and_if_it_fails(pipeline_with, local_store, glimpse, newer):
    objects = BrokenObjects(local_store, Output.FINDINGS)
    objects.broken = False
    pipeline = pipeline_with(objects=objects)
    before, _ = pipeline.analyse(glimpse)
    reads = []

    class Watched(BrokenObjects):
        def put(self, key, data, *args, **kwargs):
            reads.append(read_job(pipeline.jobs.get(before.id), objects))
            return super().put(key, data, *args, **kwargs)

    newer("metrics")
    failed = pipeline_with(objects=Watched(local_store, Output.FINDINGS)).run(before.id)

    row = pipeline.jobs.get(before.id)
    assert not failed.success and row.status == "done"
    assert [getattr(row, name) for name in (*QUICK_ARTIFACTS, "deep_results", "deep_findings", "analysis_version")] == [
        getattr(before, name) for name in (*QUICK_ARTIFACTS, "deep_results", "deep_findings", "analysis_version")
    ]
    assert reads and all(read.deep_results == before.deep_results and read.missing_artifacts == [] for read in reads)
    assert {read.status for read in reads} <= {"quick_running", "quick_done", "deep_running"}
    assert pipeline.jobs.last_attempts(before.id)[0].error_code == "STORE_UNAVAILABLE"
    assert pipeline.run(before.id).success


def test_an_analysis_that_fails_its_proof_when_it_is_proven_again_is_not_done_any_more(pipeline, glimpse):
    row, _ = pipeline.analyse(glimpse)
    with pipeline.jobs.engine.begin() as connection:
        connection.execute(text("UPDATE video_analysis_jobs SET deep_report = jsonb_set(deep_report::jsonb, '{text}', '\"Well played.\"')"))

    assert not pipeline.run(row.id).success

    again = pipeline.jobs.get(row.id)
    assert (again.status, again.error_code, again.failed_stage) == ("failed", "GUARDRAIL_FAILED", "report")
    assert pipeline.run(row.id).success and pipeline.jobs.get(row.id).deep_report == row.deep_report


@pytest.fixture
def dies(monkeypatch):
    """The next run dies when a guarded asset is to be checked, and cannot say so: its row stays as it is."""

    def dies(pipeline, job_id: str, asset: str) -> None:
        def gone(_read):
            raise SystemExit("killed")

        with monkeypatch.context() as patch:
            guarded = tuple(replace(each, evaluate=gone) if each.asset == asset else each for each in checks_module.GUARDED)
            patch.setattr(checks_module, "GUARDED", guarded)
            patch.setattr(JobStore, "fail", lambda *_, **__: False)
            assert not pipeline.run(job_id).success
        assert pipeline.jobs.status_of(job_id) in RUNNING

    return dies


def test_what_a_lost_run_made_and_nobody_checked_is_checked_before_it_counts(pipeline, glimpse, newer, dies):
    row, _ = pipeline.analyse(glimpse)
    newer("frames")
    dies(pipeline, row.id, "frames")

    second = pipeline.run(row.id)

    assert second.success
    outcomes = pipeline.jobs.guardrails.results_of(row.id, second.run_id)
    assert not [outcome.name for outcome in outcomes if "earlier run" in outcome.message], "proven for another table"


@pytest.mark.parametrize("asset", ["findings", "report"])
def test_a_worker_lost_in_the_middle_of_a_backfill_costs_no_coach_his_report(pipeline, glimpse, newer, dies, asset):
    row, _ = pipeline.analyse(glimpse)
    newer("findings")
    dies(pipeline, row.id, asset)

    second = pipeline.run(row.id)

    assert second.success and pipeline.jobs.get(row.id).status == "done"


def test_a_new_attempt_that_fails_its_proof_puts_back_an_analysis_that_stands(pipeline, glimpse, newer, monkeypatch):
    row, _ = pipeline.analyse(glimpse)
    newer("report")
    with monkeypatch.context() as patch:
        patch.setattr(
            completion_module, "_contradictions", lambda shown: ["as the test says"] if shown.attempt == 2 and shown.superseded else []
        )
        assert not pipeline.run(row.id).success

    again = pipeline.jobs.get(row.id)
    assert (again.status, again.deep_report) == ("done", row.deep_report)


def test_a_page_that_nobody_proved_is_not_shown(pipeline, glimpse, monkeypatch):
    broken = tuple(replace(g, evaluate=lambda _read: 1 / 0) if g.asset == "report" else g for g in checks_module.GUARDED)
    with monkeypatch.context() as patch:
        patch.setattr(checks_module, "GUARDED", broken)
        patch.setattr(JobStore, "fail", lambda jobs, job, run, code, *a, **k: FAIL(jobs, job, run, ErrorCode.GUARDRAIL_FAILED, *a, **k))
        row, _ = pipeline.analyse(glimpse)

    read = read_job(row, pipeline.objects)
    assert (row.status, row.error_code) == ("failed", "GUARDRAIL_FAILED") and row.deep_report is not None
    assert (read.deep_report, read.deep_findings, read.deep_results) == (None, None, None)
    assert read.quick_report == row.quick_report


def test_a_file_that_was_written_over_before_its_run_is_not_analysed_as_the_first(pipeline_with, s3_store, glimpse, empty_net):
    """An object that somebody else put into S3 has no hash of ours: its ETag says which file the job is about."""
    pipeline = pipeline_with(objects=s3_store)
    job_id = pipeline.submit(glimpse)
    with pipeline.jobs.engine.begin() as connection:
        connection.execute(text("UPDATE video_analysis_jobs SET source_sha256 = NULL"))
    s3_store.put_file(pipeline.jobs.get(job_id).s3_key, empty_net)

    assert not pipeline.run(job_id).success

    assert pipeline.jobs.get(job_id).error_code == "SOURCE_CHANGED"
