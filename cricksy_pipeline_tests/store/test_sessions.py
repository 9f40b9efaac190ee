"""Sessions and jobs as people make, list and delete them, on a real PostgreSQL."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS
from cricksy_pipeline.store.row_pages import session_page
from cricksy_pipeline_tests.store.rows import done_job, new_job


def state(store: JobStore, job_id: str) -> tuple[str, str | None, int]:
    row = store.get(job_id)
    return row.status, row.stage, row.progress_pct


def test_a_new_job_waits_in_the_queue_with_the_documented_defaults(job_store):
    row = job_store.get(new_job(job_store))
    assert (row.status, row.stage, row.progress_pct) == ("queued", "QUEUED", 0)
    assert (row.sample_fps, row.deep_enabled, row.include_frames, row.attempt) == (10, True, False, 0)
    assert row.analysis_mode == "batting"


@pytest.mark.parametrize(("mode", "code"), [(None, "MODE_MISSING"), ("", "MODE_MISSING"), ("mixed", "MODE_UNSUPPORTED")])
def test_a_job_without_a_mode_that_can_be_analysed_is_not_made(job_store, mode, code):
    with pytest.raises(CricksyError) as caught:
        new_job(job_store, mode)
    assert caught.value.code == code
    assert job_store.list_jobs() == []


def test_a_list_has_no_documents_and_a_progress_bar_needs_none(job_store):
    job_id = done_job(job_store)
    summary = job_store.list_jobs(statuses=["done"])[0]
    assert (summary.id, summary.status, summary.progress_pct) == (job_id, "done", 100)
    assert not set(QUICK_ARTIFACTS + DEEP_ARTIFACTS) & set(type(summary).__dataclass_fields__)
    assert job_store.progress_of(job_id) == ("DONE", 100)
    assert [job.id for job in job_store.jobs_over(summary.s3_bucket, summary.s3_key)] == [job_id]


def test_an_upload_that_arrives_queues_its_job_once(job_store):
    job_id = new_job(job_store, awaiting_upload=True)
    assert state(job_store, job_id) == ("awaiting_upload", "AWAITING_UPLOAD", 0)
    assert job_store.upload_arrived(job_id, source_etag="e2", source_sha256=None, source_size=7) is True
    assert job_store.upload_arrived(job_id, source_etag="e3", source_sha256=None, source_size=8) is False
    row = job_store.get(job_id)
    assert (row.source_etag, row.status, row.requested_at) == ("e2", "queued", None)
    session = job_store.get_session(row.session_id)
    assert (session.status, session.s3_key, session.file_size_bytes) == ("uploaded", row.s3_key, 7)


def test_a_session_that_names_the_key_of_a_video_to_come_is_pending(job_store):
    there = job_store.create_session(owner_id="c1", title="a", s3_bucket="b", s3_key="k")
    to_come = job_store.create_session(owner_id="c1", title="a", s3_bucket="b", s3_key="k", awaiting_upload=True)
    assert [job_store.get_session(each).status for each in (there, to_come)] == ["uploaded", "pending"]


def test_a_title_that_no_database_can_hold_is_made_one_that_it_can(job_store):
    session_id = job_store.create_session(owner_id="c1", title="Nets\x00 \udcff" + "x" * 300)
    assert job_store.get_session(session_id).title == "Nets ?" + "x" * 249


def test_an_owner_sees_his_own_sessions_newest_first(job_store):
    first = job_store.create_session(owner_id="a", title="1", player_ids=["p1", "p2"], camera_view="side", analysis_context="mixed")
    with job_store.engine.begin() as connection:
        connection.execute(text("UPDATE video_sessions SET created_at = now() - interval '1 day'"))
    second = job_store.create_session(owner_id="a", title="2")
    job_store.create_session(owner_id="b", title="3")
    job_store.create_session(owner_type="org", owner_id="a", title="4")
    assert [found.id for found in session_page(job_store.engine, [("coach", "a")]).items] == [second, first]
    assert (job_store.get_session(first).player_ids, job_store.get_session(second).player_ids) == (["p1", "p2"], [])
    job_store.attach_upload(first, s3_bucket="b", s3_key="k", file_size_bytes=3)
    assert job_store.get_session(first).status == "uploaded"
    with pytest.raises(LookupError):
        job_store.attach_upload("nobody", s3_bucket="b", s3_key="k", file_size_bytes=3)


def test_a_database_that_does_not_answer_is_said_to_be_unavailable_without_its_password(tmp_path):
    store = JobStore(make_engine(f"postgresql://someone:secret@/cricksy?host={tmp_path}"))
    with pytest.raises(CricksyError) as caught:
        store.get("job")
    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE
    assert caught.value.transient
    assert "secret" not in str(caught.value) and "cricksy" in str(caught.value)


def test_connections_that_the_server_closed_are_replaced(job_store, database_url):
    job_id = new_job(job_store)
    other = make_engine(database_url)
    with other.connect() as connection:
        closed = connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        ).all()
    other.dispose()
    assert closed
    assert job_store.get(job_id).status == "queued"
