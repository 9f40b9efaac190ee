"""Who may write: a run that lost its job, a run that could never end it, a database that is away for a moment."""

from __future__ import annotations

import json
import threading
import time

import pytest
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration import pulse as pulse_module
from cricksy_pipeline.orchestration import stage as stage_module
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import LocalObjectStore


class StallingObjects(LocalObjectStore):
    """A store whose first write of one output waits: a network that hangs."""

    def __init__(self, store: LocalObjectStore, output: Output) -> None:
        super().__init__(store.root)
        self._output = output
        self.stalled, self.go_on = threading.Event(), threading.Event()

    def put(self, key, data, *args, **kwargs):
        if key.endswith(f"/{self._output}") and not self.stalled.is_set():
            self.stalled.set()
            assert self.go_on.wait(120)
        return super().put(key, data, *args, **kwargs)


@pytest.mark.parametrize("output", [Output.REPORT_HTML, Output.DEEP_RESULTS, Output.FINDINGS])
def test_a_run_that_wakes_up_after_losing_its_job_overwrites_nothing_a_reader_reads(pipeline_with, job_store, local_store, glimpse, output):
    stalling = StallingObjects(local_store, output)
    late, newer = pipeline_with(objects=stalling), pipeline_with(objects=local_store)
    job_id = late.submit(glimpse)
    outcome = []
    run = threading.Thread(target=lambda: outcome.append(late.run(job_id).success))
    run.start()
    assert stalling.stalled.wait(120)
    with job_store.engine.begin() as connection:
        connection.execute(text("UPDATE video_analysis_jobs SET heartbeat_at = now() - interval '1 hour' WHERE id = :job"), {"job": job_id})
    assert newer.run(job_id).success
    row = job_store.get(job_id)
    before = {head.key: head.etag for head in local_store.list()}

    stalling.go_on.set()
    run.join()

    after = {head.key: head.etag for head in local_store.list()}
    again = job_store.get(job_id)
    assert outcome == [False]
    assert (again.status, again.attempt, again.dagster_run_id) == ("done", 2, row.dagster_run_id)
    shown = {again.output_key(name) for name in Output}
    assert {key: etag for key, etag in after.items() if key in shown} == {key: etag for key, etag in before.items() if key in shown}
    assert json.loads(local_store.get(again.deep_results_s3_key)) == again.deep_results


@pytest.mark.parametrize(
    "chosen", [["frames"], ["frames", "quick_results"], ["frames", "quick_results", "deep_results", "findings", "report"]]
)
def test_a_run_that_could_not_end_a_job_may_not_begin_it(pipeline, glimpse, chosen):
    before, _ = pipeline.analyse(glimpse)

    result = pipeline.run(before.id, only=chosen)

    after = pipeline.jobs.get(before.id)
    assert not result.success
    assert (after.status, after.attempt, after.deep_findings) == ("done", 1, before.deep_findings)


class BlinkingJobs(JobStore):
    """The real rows, of which some calls find the database away."""

    def __init__(self, jobs: JobStore, **absences: int) -> None:
        super().__init__(jobs.engine)
        self.absences = absences
        for name in absences:
            setattr(self, name, self._blinking(name, getattr(self, name)))

    def _blinking(self, name, call):
        def blink(*args, **kwargs):
            if self.absences[name] > 0:
                self.absences[name] -= 1
                raise CricksyError(ErrorCode.DATABASE_UNAVAILABLE, "the database is away")
            return call(*args, **kwargs)

        return blink


def test_a_failure_is_written_as_soon_as_the_database_is_back(pipeline_with, job_store, tmp_path, monkeypatch):
    monkeypatch.setattr(stage_module, "FAIL_PAUSES_S", (0.01, 0.01, 0.01))
    letter = tmp_path / "letter.mp4"
    letter.write_text("Dear coach")
    pipeline = pipeline_with(jobs=BlinkingJobs(job_store, fail=2))

    row, result = pipeline.analyse(letter)

    assert not result.success
    assert (row.status, row.error_code) == ("failed", "NOT_A_VIDEO")


def test_a_run_that_could_not_even_claim_its_row_does_not_leave_it_waiting_for_ever(pipeline_with, job_store, glimpse):
    row, result = pipeline_with(jobs=BlinkingJobs(job_store, claim=99)).analyse(glimpse)

    assert not result.success
    assert (row.status, row.stage, row.error_code) == ("failed", "FAILED", "DATABASE_UNAVAILABLE")


def test_a_progress_that_cannot_be_written_throws_no_work_away(pipeline_with, job_store, glimpse):
    jobs = BlinkingJobs(job_store, progress=1)

    row, result = pipeline_with(jobs=jobs).analyse(glimpse)

    assert result.success and row.status == "done"
    assert jobs.absences["progress"] == 0


def test_a_heartbeat_survives_whatever_goes_wrong_once(job_store, monkeypatch):
    monkeypatch.setattr(pulse_module, "HEARTBEAT_S", 0.02)
    beats = []

    class Jobs:
        def heartbeat(self, job_id, run_id):
            beats.append(len(beats))
            if len(beats) == 2:
                raise RuntimeError("something nobody thought of")

    class Log:
        def warning(self, *_):
            pass

    pulse = pulse_module.Pulse(Jobs())
    pulse.begin("job", "run", Log())
    deadline = time.monotonic() + 10
    while len(beats) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    pulse.stop()

    assert len(beats) >= 5


def test_a_video_of_another_bucket_is_not_looked_for_in_this_one(pipeline, glimpse):
    job_id = pipeline.submit(glimpse)
    with pipeline.jobs.engine.begin() as connection:
        connection.execute(text("UPDATE video_analysis_jobs SET s3_bucket = 'elsewhere' WHERE id = :job"), {"job": job_id})

    assert not pipeline.run(job_id).success

    row = pipeline.jobs.get(job_id)
    assert row.error_code == "SOURCE_MISSING" and "elsewhere" in row.error_message


def test_a_rate_that_no_grid_has_is_refused_in_words(pipeline, glimpse):
    job_id = pipeline.submit(glimpse)
    with pipeline.jobs.engine.begin() as connection:
        connection.execute(text("UPDATE video_analysis_jobs SET sample_fps = 0 WHERE id = :job"), {"job": job_id})

    assert not pipeline.run(job_id).success

    assert "0 frames a second" in pipeline.jobs.get(job_id).error_message


def test_a_video_of_one_frame_ends_done(pipeline, tmp_path):
    from cricksy_pipeline.sample.pattern import write_pattern_clip

    video = tmp_path / "one.mp4"
    write_pattern_clip(video, [0.0], size=(320, 240))

    row, result = pipeline.analyse(video)

    assert result.success and row.status == "done"
    assert row.deep_results["pose_summary"]["video_fps"] is None
