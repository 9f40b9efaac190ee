"""Objects that no row refers to, on a real PostgreSQL, a real folder and S3 over HTTP: these go, and no other."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store import orphans as orphans_module
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import UPLOAD_PREFIXES, Output, output_folder, output_key
from cricksy_pipeline.store.models import JobStatus
from cricksy_pipeline.store.orphans import orphans, sweep_objects
from cricksy_pipeline_tests.store.stored_sessions import OUTPUTS, age_files, age_row, change, keys_of, made_session

JOBS = "video_analysis_jobs"


def found(jobs, objects, **options) -> set[str]:
    return {orphan.key for orphan in orphans(jobs, objects, prefixes=UPLOAD_PREFIXES, **options)}


def swept(jobs, objects, **options) -> list[str]:
    return list(sweep_objects(jobs, objects, prefixes=UPLOAD_PREFIXES, **options))


def stored(made, attempt: int) -> str:
    """The row's `stored_objects` where all outputs lie in the folder of one attempt."""
    return json.dumps({name: {"key": output_key(made.source, made.job_id, name, attempt), "sha256": "0"} for name in OUTPUTS})


def of_attempt(made, attempt: int) -> set[str]:
    return {output_key(made.source, made.job_id, name, attempt) for name in OUTPUTS}


@pytest.fixture
def made(job_store, local_store):
    """A job of which two attempts left outputs, all of it a month old, and whose row names nothing yet."""
    made = made_session(job_store, local_store)
    rest(job_store, local_store, made)
    return made


def rest(jobs, objects, made) -> None:
    age_row(jobs, JOBS, made.job_id, 30)
    age_files(objects, "", 30)


def test_outputs_of_a_job_that_is_gone_are_orphans_and_its_upload_is_not(job_store, local_store, made):
    other = made_session(job_store, local_store)
    with job_store.engine.begin() as connection:
        connection.execute(text("DELETE FROM video_analysis_jobs WHERE id = :job"), {"job": made.job_id})
    age_files(local_store, "", 30)

    assert found(job_store, local_store) == made.keys - {made.source}
    assert len(swept(job_store, local_store, dry_run=True)) == len(made.keys) - 1
    assert keys_of(local_store) == made.keys | other.keys

    assert all("its job is gone" in phrase for phrase in swept(job_store, local_store))
    assert keys_of(local_store) == {made.source} | other.keys
    assert swept(job_store, local_store) == []


@pytest.mark.parametrize("kept", [1, 2])
def test_the_folder_of_an_attempt_that_the_row_does_not_name_is_an_orphan(job_store, local_store, made, kept):
    change(job_store, JOBS, made.job_id, stored_objects=stored(made, kept))
    rest(job_store, local_store, made)

    assert found(job_store, local_store) == of_attempt(made, 3 - kept)


def test_one_named_output_keeps_its_whole_folder(job_store, local_store, made):
    """The stage `frames` of the first attempt still held; the rest was made by the second."""
    names = json.loads(stored(made, 2)) | {Output.FRAMES: {"key": output_key(made.source, made.job_id, Output.FRAMES, 1), "sha256": "0"}}
    change(job_store, JOBS, made.job_id, stored_objects=json.dumps(names))
    rest(job_store, local_store, made)

    assert found(job_store, local_store) == set()


@pytest.mark.parametrize(
    "column", ["quick_results_s3_key", "deep_results_s3_key", "pdf_s3_key", "superseded", "quick_results", "deep_results"]
)
def test_an_output_may_be_named_anywhere_in_the_row(job_store, local_store, made, column):
    key = output_key(made.source, made.job_id, Output.DEEP_RESULTS, 2)
    if column == "superseded":
        value = json.dumps({"status": "done", "stored_objects": {"deep_results.json": {"key": key, "sha256": "0"}}, "stage": None})
    else:
        value = key if column.endswith("_key") else json.dumps({"outputs": {"deep_results.json": key}, "findings": []})
    change(job_store, JOBS, made.job_id, **{column: value})
    rest(job_store, local_store, made)

    assert found(job_store, local_store) == of_attempt(made, 1)


def test_a_row_as_written_before_outputs_had_their_keys_names_the_folder_of_its_attempt(job_store, local_store, made):
    change(job_store, JOBS, made.job_id, stored_objects=json.dumps({str(name): "0" * 64 for name in OUTPUTS}))
    rest(job_store, local_store, made)

    assert job_store.get(made.job_id).attempt == 2
    assert found(job_store, local_store) == of_attempt(made, 1)


def test_a_row_that_names_no_output_at_all_keeps_everything(job_store, local_store, made):
    """The earlier system did not write down where its outputs lie."""
    assert found(job_store, local_store) == set()


@pytest.mark.parametrize("status", [status for status in JobStatus if status not in ("done", "failed", "completed", "awaiting_upload")])
def test_a_job_at_work_is_not_judged(job_store, local_store, made, status):
    change(job_store, JOBS, made.job_id, stored_objects=stored(made, 2), status=status)
    rest(job_store, local_store, made)

    assert found(job_store, local_store) == set()


def test_neither_young_objects_nor_a_row_that_was_just_written_are_judged(job_store, local_store, made):
    change(job_store, JOBS, made.job_id, stored_objects=stored(made, 2))
    age_row(job_store, JOBS, made.job_id, 1)
    assert found(job_store, local_store) == set()

    rest(job_store, local_store, made)
    local_store.put(output_key(made.source, made.job_id, OUTPUTS[0], 1), b"written just now")
    assert found(job_store, local_store) == set()
    assert found(job_store, local_store, after_days=-1) == of_attempt(made, 1)


def test_it_is_the_same_in_s3(job_store, s3_store):
    gone, there = made_session(job_store, s3_store), made_session(job_store, s3_store)
    with job_store.engine.begin() as connection:
        connection.execute(text("DELETE FROM video_analysis_jobs WHERE id = :job"), {"job": gone.job_id})

    assert swept(job_store, s3_store) == []  # all of it is young
    assert len(swept(job_store, s3_store, after_days=-1)) == len(gone.keys) - 1
    assert keys_of(s3_store) == there.keys | {gone.source}


def test_what_others_keep_under_the_name_analysis_is_not_ours(job_store, local_store, made):
    """Also a coach who is called analysis: his uploads look like outputs of a job."""
    others = ["coach_plus/coach/analysis/s1/v1/original.mp4", "coach_plus/x/analysis/j/notes.txt", "elsewhere/analysis/j/report.json"]
    for key in others:
        local_store.put(key, b"1")
    age_files(local_store, "", 30)

    assert found(job_store, local_store) == set()


def test_outputs_beside_a_dropped_video_and_of_a_coach_called_analysis_are_found(job_store, local_store, made):
    keys = {
        output_key("uploads/clip.mp4", "gone1", Output.REPORT, 3),
        output_key("coach_plus/coach/analysis/s1/v1/original.mp4", "gone1", Output.OVERLAY),
    }
    for key in keys:
        local_store.put(key, b"1")
    for _ in range(2):
        made_session(job_store, local_store)
    age_files(local_store, "", 30)

    assert found(job_store, local_store) == keys


def test_a_database_that_knows_fewer_jobs_than_the_store_is_another_one(job_store, local_store, made):
    for job_id in ("gone1", "gone2"):
        local_store.put(output_key(made.source, job_id, Output.REPORT), b"{}")
    age_files(local_store, "", 30)
    before = keys_of(local_store)

    with pytest.raises(CricksyError, match="Of 3 jobs with outputs in local, 2 have no row: nothing was deleted") as caught:
        swept(job_store, local_store)

    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE
    assert keys_of(local_store) == before


def test_a_database_that_does_not_answer_makes_no_orphan(job_store, local_store, made):
    with pytest.raises(CricksyError) as caught:
        swept(JobStore(make_engine("postgresql://127.0.0.1:1/none")), local_store)

    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE


def test_one_sweep_deletes_so_many_and_the_next_goes_on(job_store, local_store, made, monkeypatch):
    monkeypatch.setattr(orphans_module, "MOST_OBJECTS", 3)
    change(job_store, JOBS, made.job_id, stored_objects=stored(made, 2))
    rest(job_store, local_store, made)

    assert [len(swept(job_store, local_store)) for _ in range(3)] == [3, len(OUTPUTS) - 3, 0]
    assert keys_of(local_store) == made.keys - of_attempt(made, 1)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(named=st.sets(st.sampled_from([(name, attempt) for name in OUTPUTS for attempt in (1, 2, 3)])))
def test_whatever_a_row_names_is_never_swept(job_store, local_store, named):
    made = made_session(job_store, local_store, attempts=(1, 2, 3))
    keys = {output_key(made.source, made.job_id, name, attempt) for name, attempt in named}
    outputs = {f"{number}": key for number, key in enumerate(sorted(keys))}
    change(job_store, JOBS, made.job_id, deep_results=json.dumps({"outputs": outputs}))
    rest(job_store, local_store, made)
    folder = output_folder(made.source, made.job_id)

    swept(job_store, local_store)

    left = {key for key in keys_of(local_store) if key.startswith(f"{folder}/")}
    wanted = {attempt for _, attempt in named} or {1, 2, 3}
    assert keys <= left
    assert left == set().union(*(of_attempt(made, attempt) for attempt in wanted))


def test_a_document_that_postgresql_refuses_to_look_into_is_read_whole(job_store, local_store):
    made = made_session(job_store, local_store)
    with job_store.engine.begin() as connection:
        connection.execute(
            text("UPDATE video_analysis_jobs SET deep_results = CAST(:document AS json), updated_at = now() - interval '30 days'"),
            {"document": '{"note": "\\u0000", "outputs": {}}'},
        )

    assert not [phrase for phrase in swept(job_store, local_store, dry_run=True) if made.job_id in phrase]
