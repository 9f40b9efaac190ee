"""The asset `overlay`: what a run leaves in store and row, and that nothing it does or fails to do changes a finished job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration import overlaying
from cricksy_pipeline.orchestration.asset_options import OVERLAY_JOB
from cricksy_pipeline.orchestration.build import build_definitions
from cricksy_pipeline.orchestration.partitions import videos
from cricksy_pipeline.orchestration.settling import job_of, settle
from cricksy_pipeline.reading.overlay.making import Films
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store import deletion
from cricksy_pipeline.store.objects import sha256_of
from cricksy_pipeline.store.overlays import Overlays, ShownOverlay, shown_overlay
from cricksy_pipeline_tests.analysis.pattern_video import write_pattern
from cricksy_pipeline_tests.orchestration.finished_jobs import KEY, finish


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    return write_pattern(tmp_path_factory.mktemp("overlay") / "clip.mp4", 30, fps=10, size=(160, 120))


@dataclass
class Overlayer:
    """A finished job, and runs of the job `overlay_video` over it."""

    jobs: object
    objects: object
    instance: dg.DagsterInstance
    video: Path
    job_id: str

    def run(self) -> dg.ExecuteInProcessResult:
        self.instance.add_dynamic_partitions(videos.name, [self.job_id])
        definitions = build_definitions(Settings(), resource_overrides={"jobs": self.jobs, "objects": self.objects})
        job = definitions.resolve_job_def(OVERLAY_JOB)
        return job.execute_in_process(instance=self.instance, partition_key=self.job_id, raise_on_error=False)

    @property
    def row(self):
        return self.jobs.get(self.job_id)

    @property
    def shown(self) -> ShownOverlay:
        return shown_overlay(self.row, self.jobs.get_session(self.row.session_id).blur_faces)

    def metadata(self, result: dg.ExecuteInProcessResult) -> dict:
        (event,) = result.asset_materializations_for_node("overlay")
        return {name: value.value for name, value in event.metadata.items()}


@pytest.fixture
def overlayer(job_store, local_store, dagster_instance, video) -> Overlayer:
    return Overlayer(job_store, local_store, dagster_instance, video, finish(job_store, local_store, video))


@pytest.fixture
def sketches(monkeypatch) -> list[bool]:
    """In place of drawing: two small files. Holds, for each time, whether faces were to be blurred."""
    made: list[bool] = []

    def sketch(path, drawing, into, on_progress=None) -> Films:
        made.append(drawing.blur_faces is not None)
        for name in ("overlay.mp4", "ball-1.mp4"):
            (into / name).write_bytes(f"{name} {len(made)}".encode())
        return Films(into / "overlay.mp4", {1: into / "ball-1.mp4"}, 30, 640, 480, 1.0, 10**8)

    monkeypatch.setattr(overlaying, "make_films", sketch)
    return made


def untouched(row) -> tuple:
    """What a run over a finished job never changes."""
    return (row.status, row.stage, row.progress_pct, row.error_code, row.error_message, row.dagster_run_id, row.attempt, row.completed_at)


def test_a_run_leaves_films_that_play_and_a_row_that_names_them(overlayer):
    before = untouched(overlayer.row)
    result = overlayer.run()
    assert result.success
    shown = overlayer.shown
    assert (shown.state, shown.blurred, set(shown.clips)) == ("made", False, {1})
    for name, key in {"overlay.mp4": shown.key, "deliveries/1.mp4": shown.clips[1]}.items():
        data = overlayer.objects.get(key)
        assert data[4:8] == b"ftyp"
        assert overlayer.row.stored_objects[name]["sha256"] == sha256_of(data)
        assert overlayer.objects.head(key).content_type == "video/mp4"
    assert untouched(overlayer.row) == before
    told = overlayer.metadata(result)
    assert (told["pictures"], told["balls"], told["faces_blurred"]) == (30, 1, False)
    assert told["drawing_cpu_s"] > 0
    again = overlayer.run()
    assert again.success
    assert "kept" in overlayer.metadata(again)


def test_it_is_drawn_again_where_a_film_is_not_as_it_was_stored(overlayer, sketches):
    overlayer.run()
    overlayer.objects.put(overlayer.shown.key, b"something else")
    overlayer.run()
    assert len(sketches) == 2


def test_new_results_are_not_shown_beside_the_old_film(overlayer, sketches):
    overlayer.run()
    old = overlayer.shown
    finish(overlayer.jobs, overlayer.objects, overlayer.video, "run-2", overlayer.job_id)
    assert overlayer.shown.state == "waiting"
    overlayer.run()
    new = overlayer.shown
    assert new.state == "made"
    if new.key != old.key:
        assert overlayer.objects.head(old.key) is None, "nobody reads it any more"


def test_while_a_finished_analysis_is_being_replaced_its_film_is_still_shown(overlayer, sketches):
    overlayer.run()
    shown = overlayer.shown
    overlayer.jobs.claim(overlayer.job_id, "run-2")
    assert overlayer.shown == shown
    overlayer.jobs.fail(overlayer.job_id, "run-2", ErrorCode.INTERNAL, "in vain")
    assert overlayer.shown == shown


def test_a_film_with_faces_is_not_shown_once_they_are_to_be_blurred(overlayer, sketches, monkeypatch):
    overlayer.run()
    with_faces = overlayer.shown.key
    with overlayer.jobs.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE video_sessions SET blur_faces = true")
    assert overlayer.shown.state == "waiting"
    monkeypatch.setattr("cricksy_pipeline.stack.open_pose_model", lambda settings: _model())
    assert overlayer.run().success
    assert sketches == [False, True]
    assert (overlayer.shown.state, overlayer.shown.blurred) == ("made", True)
    assert overlayer.objects.get(overlayer.shown.key) == b"overlay.mp4 2"
    assert overlayer.objects.head(with_faces) is None, "the film with faces is gone"


def test_a_film_with_faces_never_takes_the_place_of_a_blurred_one_that_is_asked_for_meanwhile(overlayer, sketches, monkeypatch):
    monkeypatch.setattr("cricksy_pipeline.stack.open_pose_model", lambda settings: _model())
    session_id = overlayer.row.session_id
    overlayer.jobs.change_session(session_id, blur_faces=True)
    overlayer.run()
    blurred = overlayer.shown
    overlayer.jobs.change_session(session_id, blur_faces=False)
    sketch = overlaying.make_films

    def while_it_is_asked_for(*args, **named):
        overlayer.jobs.change_session(session_id, blur_faces=True)
        return sketch(*args, **named)

    monkeypatch.setattr(overlaying, "make_films", while_it_is_asked_for)
    assert not overlayer.run().success
    assert sketches == [True, False]
    assert overlayer.shown == blurred
    assert overlayer.objects.get(blurred.key) == b"overlay.mp4 1"
    films = [one.key for one in overlayer.objects.list("") if one.key.endswith(".mp4") and "/analysis/" in one.key]
    assert sorted(films) == sorted([blurred.key, *blurred.clips.values()]), "no film with faces is left behind"


def _model():
    from cricksy_pipeline.analysis.model import PoseModel

    return PoseModel(Path("nowhere.task"), "0" * 64, "full")


@pytest.mark.parametrize(
    "error", [CricksyError(ErrorCode.POSE_CRASHED, "it died"), CricksyError(ErrorCode.VIDEO_CORRUPT, "torn"), ValueError("?")]
)
def test_a_failure_is_in_the_run_and_in_the_entry_and_the_job_stays_done(overlayer, monkeypatch, error):
    def fail(*_args, **_named):
        raise error

    monkeypatch.setattr(overlaying, "make_films", fail)
    before = untouched(overlayer.row)
    result = overlayer.run()
    assert not result.success
    assert untouched(overlayer.row) == before
    assert overlayer.shown.state == "failed"
    entry = overlayer.row.stages["overlay"]["failed"]
    transient = isinstance(error, CricksyError) and error.transient
    assert (entry["tries"], entry["final"], entry["run_id"]) == (1, not transient, result.run_id)
    due = Overlays(overlayer.jobs.engine).due(within_days=1, tries=2, limit=5)
    assert [each.tries for each in due] == ([1] if transient else [])


def test_a_failed_try_does_not_hide_the_film_that_there_is(overlayer, sketches, monkeypatch):
    overlayer.run()
    overlayer.objects.delete(overlayer.shown.clips[1])
    monkeypatch.setattr(overlaying, "make_films", lambda *_a, **_k: (_ for _ in ()).throw(CricksyError(ErrorCode.POSE_CRASHED, "it died")))
    assert not overlayer.run().success
    assert overlayer.shown.state == "made"


def test_a_source_that_is_gone_says_so(overlayer):
    overlayer.objects.delete(KEY)
    assert not overlayer.run().success
    assert overlayer.row.stages["overlay"]["failed"]["code"] == "SOURCE_MISSING"
    assert overlayer.row.status == "done"


def test_a_job_that_is_not_done_is_refused_and_its_row_is_not_touched(overlayer, sketches):
    overlayer.jobs.claim(overlayer.job_id, "run-2")
    before = overlayer.row
    assert not overlayer.run().success
    assert (overlayer.row.status, overlayer.row.stages, sketches) == (before.status, before.stages, [])


def test_results_that_change_while_it_is_drawn_keep_the_film_out_of_the_row(overlayer, sketches, monkeypatch):
    sketch = overlaying.make_films

    def slow(*args, **named):
        monkeypatch.setattr(overlaying, "make_films", sketch)
        finish(overlayer.jobs, overlayer.objects, overlayer.video, "run-2", overlayer.job_id)
        return sketch(*args, **named)

    monkeypatch.setattr(overlaying, "make_films", slow)
    assert not overlayer.run().success
    assert (overlayer.row.status, overlayer.shown.state) == ("done", "waiting")
    assert overlayer.run().success
    assert overlayer.shown.state == "made"


def test_a_session_that_is_deleted_while_it_is_drawn_leaves_no_film_behind(overlayer, sketches, monkeypatch):
    sketch = overlaying.make_films

    def slow(*args, **named):
        deletion.delete_session(overlayer.jobs, overlayer.objects, overlayer.row.session_id)
        return sketch(*args, **named)

    monkeypatch.setattr(overlaying, "make_films", slow)
    assert not overlayer.run().success
    assert list(overlayer.objects.list("coach_plus/")) == []


def test_the_end_of_its_run_is_no_business_of_the_rows(overlayer, monkeypatch):
    monkeypatch.setattr(overlaying, "make_films", lambda *_a, **_k: (_ for _ in ()).throw(ValueError("?")))
    run = overlayer.instance.get_run_by_id(overlayer.run().run_id)
    assert run.status == dg.DagsterRunStatus.FAILURE
    assert job_of(run) is None
    assert settle(overlayer.instance, overlayer.jobs, run) is None
