"""What is long gone or was never completed, on a real PostgreSQL, a real folder and S3 over HTTP."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.expiry import BATCH, expire_uploads, forgettable, sweep_half_written, undisturbed
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import UPLOAD_PREFIXES
from cricksy_pipeline.store.local_objects import _replacing
from cricksy_pipeline.store.models import FINISHED, RUNNING, JobStatus
from cricksy_pipeline.store.multipart import abort_upload, incomplete_uploads
from cricksy_pipeline_tests.store.rows import SOURCE_KEY, done_job, new_job
from cricksy_pipeline_tests.store.stored_sessions import age_files, age_row, change, keys_of

JOBS, SESSIONS = "video_analysis_jobs", "video_sessions"
ENDED = (*FINISHED, JobStatus.FAILED)


def ended_job(jobs: JobStore, status: str, days: float) -> str:
    job_id = done_job(jobs)
    change(jobs, JOBS, job_id, status=status)
    age_row(jobs, JOBS, job_id, days)
    return job_id


def test_forgettable_are_jobs_that_are_gone_and_jobs_that_ended_long_ago(job_store):
    old = [ended_job(job_store, status, days=181) for status in ENDED]
    recent = [ended_job(job_store, status, days=179) for status in ENDED]

    found = forgettable(job_store, [*recent, "gone", *old], 180)

    assert found == {"gone": "its row is gone", **dict.fromkeys(old, "it ended more than 180 days ago")}


@pytest.mark.parametrize("status", [*RUNNING, JobStatus.QUEUED, JobStatus.AWAITING_UPLOAD])
def test_a_job_that_has_not_ended_is_never_forgettable_however_old(job_store, status):
    job_id = ended_job(job_store, status, days=10_000)

    assert forgettable(job_store, [job_id], 0) == {}


def test_an_empty_table_does_not_mean_that_all_are_gone(job_store):
    with pytest.raises(CricksyError, match=r"empty, but there are 2 partitions: nothing was forgotten") as caught:
        forgettable(job_store, ["a", "b"], 180)

    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE


def test_a_database_that_does_not_answer_does_not_mean_that_all_are_gone():
    with pytest.raises(CricksyError) as caught:
        forgettable(JobStore(make_engine("postgresql://127.0.0.1:1/none")), ["a"], 180)

    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE


def test_more_jobs_than_are_looked_up_at_once_are_all_looked_up(job_store):
    job_id = new_job(job_store)
    keys = [*(f"gone-{number}" for number in range(2 * BATCH)), job_id]

    assert list(forgettable(job_store, keys, 180)) == keys[:-1]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(age=st.floats(0, 400), retention=st.floats(0, 400), status=st.sampled_from(list(JobStatus)))
def test_by_whatever_retention_a_job_is_forgettable_only_if_it_ended_before(job_store, age, retention, status):
    job_id = ended_job(job_store, status, age)

    if forgettable(job_store, [job_id], retention):
        a_second = 1 / 86400  # which passes between the two statements
        assert job_store.get(job_id).status in ENDED and age >= retention - a_second


def test_while_a_job_is_being_forgotten_nobody_can_queue_it(job_store):
    job_id = ended_job(job_store, "failed", days=200)
    queued = []
    late = threading.Thread(target=lambda: queued.append(job_store.requeue(job_id)))

    with undisturbed(job_store, job_id, 180) as still:
        late.start()
        late.join(0.3)
        assert still and not queued
    late.join(60)

    assert queued == [True]
    with undisturbed(job_store, job_id, 180) as still:
        assert not still


def test_a_job_without_a_row_is_forgettable_without_a_lock(job_store):
    with undisturbed(job_store, "gone", 180) as still:
        assert still


def waiting_job(jobs: JobStore, objects, key: str, hours: float) -> str:
    session_id = jobs.create_session(owner_id="c1", title="Nets")
    jobs.attach_upload(session_id, s3_bucket=objects.bucket, s3_key=key, file_size_bytes=None, status="pending")
    job_id = jobs.create_job(session_id, "batting", objects.bucket, key, awaiting_upload=True)
    for table, row_id in ((JOBS, job_id), (SESSIONS, session_id)):
        age_row(jobs, table, row_id, hours / 24)
    return job_id


def expired(jobs, objects, **options) -> list[str]:
    return list(expire_uploads(jobs, objects, prefixes=UPLOAD_PREFIXES, **options))


@pytest.fixture(params=["local", "s3"])
def store(request):
    return request.getfixturevalue(f"{request.param}_store")


def test_a_job_that_waited_a_day_for_its_upload_fails_and_so_does_its_session(job_store, store):
    late = waiting_job(job_store, store, "coach_plus/coach/c1/s1/v1/original.mp4", hours=25)
    young = waiting_job(job_store, store, "coach_plus/coach/c1/s2/v1/original.mp4", hours=23)

    assert expired(job_store, store) == [f"fail job {late}: its upload was never completed"]

    row = job_store.get(late)
    assert (row.status, row.error_code, row.error_message) == ("failed", "SOURCE_MISSING", "The upload was never completed.")
    assert job_store.get_session(row.session_id).status == "failed"
    assert job_store.get(young).status == "awaiting_upload"
    assert expired(job_store, store) == []


def test_an_upload_that_did_arrive_is_not_called_incomplete(job_store, store):
    key = "coach_plus/coach/c1/s1/v1/original.mp4"
    job_id = waiting_job(job_store, store, key, hours=25)
    store.put(key, b"video")

    assert expired(job_store, store) == []
    assert job_store.get(job_id).status == "awaiting_upload"


def test_an_upload_to_another_bucket_is_not_judged_here(job_store, local_store):
    job_id = waiting_job(job_store, local_store, "coach_plus/coach/c1/s1/v1/original.mp4", hours=25)
    change(job_store, JOBS, job_id, s3_bucket="elsewhere")
    change(job_store, SESSIONS, job_store.get(job_id).session_id, s3_bucket="elsewhere")

    assert expired(job_store, local_store) == []


def test_a_session_whose_upload_never_made_a_job_fails_but_one_that_is_still_empty_does_not(job_store, local_store):
    begun = job_store.create_session(owner_id="c1", title="Begun")
    job_store.attach_upload(begun, s3_bucket="local", s3_key=SOURCE_KEY, file_size_bytes=None, status="pending")
    empty = job_store.create_session(owner_id="c1", title="Empty")
    for session_id in (begun, empty):
        age_row(job_store, SESSIONS, session_id, 2)

    assert expired(job_store, local_store) == [f"fail session {begun}: its upload was never completed"]
    assert (job_store.get_session(begun).status, job_store.get_session(empty).status) == ("failed", "pending")


def test_a_dry_run_tells_the_same_and_changes_nothing(job_store, s3_store, s3_client):
    job_id = waiting_job(job_store, s3_store, "coach_plus/coach/c1/s1/v1/original.mp4", hours=25)
    s3_client.create_multipart_upload(Bucket=s3_store.bucket, Key="uploads/half.mp4")

    told = expired(job_store, s3_store, dry_run=True)

    assert len(told) == 3  # the job, its session, the parts
    assert job_store.get(job_id).status == "awaiting_upload"
    assert len(list(incomplete_uploads(s3_store, ""))) == 1
    # The session fails with its job, so it is not told of again.
    assert expired(job_store, s3_store) == [told[0], told[2]]


def test_old_parts_are_dropped_under_the_prefixes_of_uploads_only(job_store, s3_store, s3_client):
    for key in ("coach_plus/coach/c1/s1/v1/original.mp4", "uploads/half.mp4", "somebody/elses.bin"):
        s3_client.create_multipart_upload(Bucket=s3_store.bucket, Key=key)
    (begun,) = {left.started for left in incomplete_uploads(s3_store, "")}  # moto gives every upload one and the same time, in 2010

    age_h = (datetime.now(UTC) - begun).total_seconds() / 3600
    assert expired(job_store, s3_store, after_hours=age_h + 1) == []
    assert len(expired(job_store, s3_store, after_hours=age_h - 1)) == 2
    assert [left.key for left in incomplete_uploads(s3_store, "")] == ["somebody/elses.bin"]


def test_parts_of_an_upload_that_ended_meanwhile_are_no_error(s3_store, s3_client):
    s3_client.create_multipart_upload(Bucket=s3_store.bucket, Key="uploads/half.mp4")
    (found,) = incomplete_uploads(s3_store, "uploads/")
    abort_upload(s3_store, found)

    abort_upload(s3_store, found)

    assert list(incomplete_uploads(s3_store, "")) == []


def test_half_written_files_go_when_they_are_a_day_old_and_whole_ones_never(local_store):
    whole = local_store.put("a/whole.json", b"{}")
    writers = [_replacing(local_store.root / "a" / name) for name in ("old.json", "young.json")]  # never left, as if killed
    writers[0].__enter__()
    age_files(local_store, "a/", days=2)
    writers[1].__enter__()
    assert len(list(local_store.root.rglob(".writing-*"))) == 2

    (told,) = sweep_half_written(local_store, dry_run=True)
    assert len(list(local_store.root.rglob(".writing-*"))) == 2
    assert list(sweep_half_written(local_store)) == [told]

    assert len(list(local_store.root.rglob(".writing-*"))) == 1
    assert keys_of(local_store) == {whole.key}
    assert list(sweep_half_written(local_store, after_hours=0)) != []


def test_s3_has_no_half_written_files(s3_store):
    s3_store.put("a/.writing-x", b"1")

    assert list(sweep_half_written(s3_store, after_hours=-1)) == []
