"""A whole run of the real job, from an uploaded file to a row that a reader can read."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from sqlalchemy import text

from cricksy_pipeline.orchestration import stage as stage_module
from cricksy_pipeline.orchestration.checks import GUARDED
from cricksy_pipeline.sample.pattern import write_pattern_clip
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline_tests.analysis.pattern_video import remux, write_pattern

READERS_QUERY = """
SELECT id, status, stage, progress_pct, deep_findings IS NOT NULL AS has_findings, deep_report IS NOT NULL AS has_report,
       deep_results_s3_key
FROM video_analysis_jobs WHERE id = '{}'
"""


def test_a_clip_with_nobody_in_it_ends_done_with_one_quality_finding_and_no_technique_finding(pipeline, empty_net):
    row, result = pipeline.analyse(empty_net, "bowling")

    assert result.success
    findings = row.deep_findings["findings"]
    assert [finding["kind"] for finding in findings] == ["quality"]
    assert row.deep_findings["overall_level"] is None
    assert row.deep_findings["overall_level_reason"]
    assert all(metric["score"] is None and metric["reason"] for metric in row.deep_results["metrics"]["metrics"].values())


def test_the_readers_query_answers_done_with_everything_there(pipeline, glimpse):
    row, _ = pipeline.analyse(glimpse)

    with pipeline.jobs.engine.connect() as connection:
        answer = connection.execute(text(READERS_QUERY.format(row.id))).one()

    assert tuple(answer) == (row.id, "done", "DONE", 100, True, True, row.output_key(Output.DEEP_RESULTS))
    assert unreadable(read_job(row, pipeline.objects)) == []


def test_operators_find_the_lines_they_know_with_lengths_that_are_true(pipeline, glimpse):
    import json

    row, result = pipeline.analyse(glimpse)
    log = pipeline.log(result)

    def length(document):
        return len(json.dumps(document, ensure_ascii=False))

    quick, deep = row.quick_results_s3_key, row.deep_results_s3_key
    assert f"Saving quick results to S3: job_id={row.id} bucket={pipeline.objects.bucket} key={quick}" in log
    assert f"Saving deep frames to S3: job_id={row.id} frames_count=" in log
    assert (
        f"Persisted quick artifacts: job_id={row.id} results_s3_key={quick} "
        f"findings_len={length(row.quick_findings)} report_len={length(row.quick_report)}"
    ) in log
    assert (
        f"[PERSISTED] Deep job completed: job_id={row.id} status_after=done stage=DONE progress=100% deep_results_s3_key={deep} "
        f"findings_len={length(row.deep_findings)} report_len={length(row.deep_report)}"
    ) in log


def test_the_mode_is_echoed_in_every_payload(pipeline, glimpse):
    row, _ = pipeline.analyse(glimpse, "wicketkeeping")

    for results in (row.quick_results, row.deep_results):
        assert results["meta"]["analysis_mode"] == results["meta"]["analysis_mode_used"] == "wicketkeeping"
    for document in (row.quick_findings, row.quick_report, row.deep_findings, row.deep_report):
        assert document["analysis_mode"] == "wicketkeeping"


def test_every_guardrail_of_the_run_stands_in_our_own_table_and_in_dagsters(pipeline, glimpse):
    row, result = pipeline.analyse(glimpse)

    recorded = {(outcome.asset, outcome.name) for outcome in pipeline.jobs.guardrails.results_of(row.id, result.run_id)}
    evaluated = {(e.asset_key.to_user_string(), e.check_name) for e in result.get_asset_check_evaluations()}
    assert recorded == evaluated
    assert {asset for asset, _ in recorded} == {guarded.asset for guarded in GUARDED}
    assert {e.partition for e in result.get_asset_check_evaluations()} == {row.id}


def test_two_jobs_over_one_upload_never_overwrite_each_other(pipeline, glimpse):
    first, _ = pipeline.analyse(glimpse)
    before = {head.key: head.etag for head in pipeline.objects.list() if first.id in head.key}
    second = pipeline.jobs.create_job(first.session_id, "fielding", first.s3_bucket, first.s3_key, first.source_etag, first.source_sha256)

    assert pipeline.run(second).success

    after = {head.key: head.etag for head in pipeline.objects.list() if first.id in head.key}
    assert before == after
    assert pipeline.jobs.get(first.id).deep_results == first.deep_results
    assert pipeline.jobs.get(second).deep_results["meta"]["analysis_mode"] == "fielding"


def test_a_quick_only_job_is_done_without_a_deep_pass(pipeline, glimpse):
    row, result = pipeline.analyse(glimpse, deep_enabled=False)

    assert result.success
    assert (row.status, row.stage, row.progress_pct) == ("done", "DONE", 100)
    assert row.quick_report and row.deep_results is None
    assert f"[PERSISTED] Quick job completed: job_id={row.id} status_after=done" in pipeline.log(result)


def test_quick_results_stay_readable_when_the_deep_pass_fails(pipeline_with, local_store, glimpse):
    from cricksy_pipeline_tests.orchestration.sabotage import SabotagedObjects

    pipeline = pipeline_with(objects=SabotagedObjects(local_store, Output.QUICK_FRAMES, lambda data: b"not parquet"))

    row, result = pipeline.analyse(glimpse)

    assert not result.success and row.status == "failed"
    assert row.quick_findings and row.quick_report
    assert read_job(row, pipeline.objects).quick_findings == row.quick_findings


def test_a_file_that_is_no_video_is_a_failed_row_with_a_code(pipeline, tmp_path):
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear coach, here is the video.")

    row, result = pipeline.analyse(letter)

    assert not result.success
    assert (row.status, row.stage, row.error_code, row.failed_stage) == ("failed", "FAILED", "NOT_A_VIDEO", "frames")


def test_a_video_that_was_replaced_after_the_job_was_made_is_refused(pipeline, glimpse):
    job_id = pipeline.submit(glimpse)
    row = pipeline.jobs.get(job_id)
    pipeline.objects.put(row.s3_key, b"something else")

    assert not pipeline.run(job_id).success

    assert pipeline.jobs.get(job_id).error_code == "SOURCE_CHANGED"


def test_a_video_that_is_gone_is_named(pipeline, glimpse):
    job_id = pipeline.submit(glimpse)
    pipeline.objects.delete(pipeline.jobs.get(job_id).s3_key)

    assert not pipeline.run(job_id).success

    assert pipeline.jobs.get(job_id).error_code == "SOURCE_MISSING"


def test_a_row_without_a_mode_fails_and_is_never_guessed(pipeline, glimpse):
    job_id = pipeline.submit(glimpse)
    with pipeline.jobs.engine.begin() as connection:
        connection.execute(text("UPDATE video_analysis_jobs SET analysis_mode = NULL WHERE id = :job"), {"job": job_id})

    assert not pipeline.run(job_id).success

    assert pipeline.jobs.get(job_id).error_code == "MODE_MISSING"


def test_a_killed_pose_process_is_a_pose_crashed_row_and_not_a_dead_run(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr(stage_module, "AGAIN_AFTER_S", {})  # it would be tried once more, and succeed
    video = tmp_path / "long.mp4"
    write_pattern_clip(video, [i / 10 for i in range(600)], size=(320, 240))
    job_id = pipeline.submit(video)
    killer = threading.Thread(target=kill_pose_process_when, args=(lambda: pipeline.jobs.get(job_id).progress_pct >= 4,))
    killer.start()

    result = pipeline.run(job_id)
    killer.join()

    row = pipeline.jobs.get(job_id)
    assert not result.success
    assert (row.status, row.error_code) == ("failed", "POSE_CRASHED")
    assert "SIGKILL" in row.error_message


def test_a_run_that_lost_its_row_to_another_changes_nothing(pipeline, glimpse):
    job_id = pipeline.submit(glimpse)
    pipeline.jobs.claim(job_id, "another run")

    result = pipeline.run(job_id)

    row = pipeline.jobs.get(job_id)
    assert not result.success
    assert (row.status, row.dagster_run_id, row.error_code) == ("quick_running", "another run", None)


def kill_pose_process_when(ready) -> None:
    """kill -9 the first pose process of this test once `ready`."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if ready():
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)
                return
        time.sleep(0.05)


def children_of(parent: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"pose_process" in command:
            found.append(int(status.parent.name))
    return found


def test_a_reader_who_watches_the_row_sees_progress_by_real_frames_and_a_readable_first_look_at_half(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr(stage_module, "PROGRESS_S", 0.02)  # a second is long on a fast machine
    video = tmp_path / "minute.mp4"
    write_pattern_clip(video, [i / 10 for i in range(600)], size=(320, 240))
    job_id = pipeline.submit(video)
    seen, stop = [], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            row = pipeline.jobs.get(job_id)
            seen.append(
                (row.stage, row.progress_pct, row.quick_findings is not None and row.quick_report is not None, row.deep_report is not None)
            )

    watcher = threading.Thread(target=watch)
    watcher.start()
    assert pipeline.run(job_id).success
    stop.set()
    watcher.join()

    percents = [percent for _, percent, _, _ in seen]
    assert percents == sorted(percents)
    assert len({percent for stage, percent, _, _ in seen if stage == "QUICK"}) >= 3
    assert len({percent for stage, percent, _, _ in seen if stage == "DEEP" and 50 < percent < 93}) >= 2
    first_look = [entry for entry in seen if entry[0] == "QUICK_DONE"]
    assert first_look and all(entry == ("QUICK_DONE", 50, True, False) for entry in first_look)


def test_the_whole_run_works_on_s3(pipeline_with, s3_store, glimpse):
    pipeline = pipeline_with(objects=s3_store)

    row, result = pipeline.analyse(glimpse)

    assert result.success and row.status == "done"
    assert row.s3_bucket == s3_store.bucket
    names = {head.key.rpartition("/")[2] for head in s3_store.list()}
    assert {"original.mp4", *(str(output) for output in ALWAYS_STORED)} == names
    read = read_job(row, s3_store)
    assert read.deep_results_url and read.video_stream.video_url


ALWAYS_STORED = (
    Output.FRAMES,
    Output.QUICK_FRAMES,
    Output.QUICK_RESULTS,
    Output.QUICK_REPORT_HTML,
    Output.QUICK_PLAYER_IMAGE,
    Output.QUICK_METRICS_IMAGE,
    Output.DEEP_FRAMES,
    Output.DEEP_RESULTS,
    Output.FINDINGS,
    Output.REPORT,
    Output.REPORT_HTML,
    Output.REPORT_PDF,
    Output.METRICS_CSV,
    Output.LANDMARKS_TRC,
    Output.PLAYER_IMAGE,
    Output.METRICS_IMAGE,
    Output.DEEP_MOMENTS_IMAGE,
)


def test_deep_landmarks_are_also_json_where_they_were_asked_for(pipeline, glimpse):
    import json

    row, _ = pipeline.analyse(glimpse, include_frames=True)

    frames = json.loads(pipeline.objects.get(row.output_key(Output.DEEP_FRAMES_JSON)))
    assert len(frames) == row.deep_results["pose_summary"]["sampled_frames"] + row.deep_results["pose_summary"]["burst_frames"]
    assert len(frames[0]["landmarks"]) == 33


def test_a_video_cut_between_keyframes_is_analysed_from_its_first_whole_picture(pipeline, tmp_path):
    whole = write_pattern(tmp_path / "whole.mkv", 150, gop=10, size=(320, 240))
    cut = remux(whole, tmp_path / "cut.mkv", lambda number, packet: packet if number >= 8 else None)

    row, result = pipeline.analyse(cut)

    assert result.success and row.status == "done", row.error_message
