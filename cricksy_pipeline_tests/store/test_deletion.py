"""Deleting a session, on a real PostgreSQL, a real folder and S3 over HTTP: all of it goes, and nothing of anybody else."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.deletion import BUSY, SessionBusy, delete_session
from cricksy_pipeline.store.keys import Output, output_key, upload_key
from cricksy_pipeline.store.multipart import incomplete_uploads
from cricksy_pipeline.store.objects import LocalObjectStore, ObjectStore
from cricksy_pipeline.store.sessions import UnknownJob, UnknownSession
from cricksy_pipeline_tests.store.stored_sessions import change, counted, keys_of, made_session, remember_upload


@pytest.fixture(params=["local", "s3"])
def store(request) -> ObjectStore:
    return request.getfixturevalue(f"{request.param}_store")


class FailingObjects(LocalObjectStore):
    """The folder, which refuses to delete after so many objects."""

    def __init__(self, store: LocalObjectStore, deletions: int) -> None:
        super().__init__(store.root)
        self.deletions = deletions

    def delete(self, key: str) -> None:
        if self.deletions == 0:
            raise CricksyError(ErrorCode.STORE_UNAVAILABLE, "the store is away")
        self.deletions -= 1
        super().delete(key)


class StallingObjects(LocalObjectStore):
    """The folder, whose first deletion waits."""

    def __init__(self, store: LocalObjectStore) -> None:
        super().__init__(store.root)
        self.stalled, self.go_on = threading.Event(), threading.Event()

    def delete(self, key: str) -> None:
        self.stalled.set()
        assert self.go_on.wait(60)
        super().delete(key)


def test_a_deleted_session_leaves_no_row_and_no_object_and_others_keep_theirs(job_store, store):
    other = made_session(job_store, store)
    before = counted(job_store)
    mine = made_session(job_store, store)
    loose = f"{mine.source.rpartition('/')[0]}/notes.txt"  # in the session's folder, and in no row
    store.put(loose, b"filmed from the side")

    deleted = delete_session(job_store, store, mine.session_id)

    assert keys_of(store) == other.keys
    assert counted(job_store) == before
    assert job_store.get_session(mine.session_id) is None
    gone = mine.keys | {loose}
    assert (deleted.jobs, deleted.objects, deleted.kept) == ((mine.job_id,), len(gone), ())
    assert deleted.bytes == sum(len(key) for key in mine.keys - {mine.source}) + len(b"video") + len(b"filmed from the side")


def test_a_session_without_upload_and_job_can_be_deleted(job_store, local_store):
    session_id = job_store.create_session(owner_id="c1", title="Empty")

    deleted = delete_session(job_store, local_store, session_id)

    assert (deleted.jobs, deleted.objects, deleted.bytes, deleted.kept) == ((), 0, 0, ())
    assert counted(job_store)["video_sessions"] == 0


def test_what_is_not_there_any_more_is_unknown(job_store, local_store):
    made = made_session(job_store, local_store)
    delete_session(job_store, local_store, made.session_id)

    with pytest.raises(UnknownSession, match=made.session_id) as caught:
        delete_session(job_store, local_store, made.session_id)

    assert caught.value.code is ErrorCode.SOURCE_MISSING


@pytest.mark.parametrize("status", BUSY)
def test_a_session_at_work_is_not_deleted(job_store, local_store, status):
    made = made_session(job_store, local_store)
    change(job_store, "video_analysis_jobs", made.job_id, status=status)
    before = counted(job_store)

    with pytest.raises(SessionBusy, match=f"{made.job_id} is {status}") as caught:
        delete_session(job_store, local_store, made.session_id)

    assert caught.value.transient and "cancel it" in caught.value.advice
    assert counted(job_store) == before
    assert keys_of(local_store) == made.keys


@pytest.mark.parametrize("deletions", range(9))
def test_a_deletion_that_the_store_stops_half_way_loses_no_row_and_can_be_repeated(job_store, local_store, deletions):
    # In key order this upload would go before its outputs.
    made = made_session(job_store, local_store, session_id="s1", source="coach_plus/coach/c1/s1/v1/a.mp4")
    assert len(made.keys) == 9
    before = counted(job_store)

    with pytest.raises(CricksyError, match="the store is away"):
        delete_session(job_store, FailingObjects(local_store, deletions), made.session_id)

    assert counted(job_store) == before
    left = keys_of(local_store)
    assert len(left) == 9 - deletions
    assert made.source in left  # so the job can still be analysed anew

    delete_session(job_store, local_store, made.session_id)

    assert keys_of(local_store) == set()
    assert set(counted(job_store).values()) == {0}


def test_a_database_that_refuses_does_so_before_an_object_is_lost(job_store, local_store):
    made = made_session(job_store, local_store)
    with job_store.engine.begin() as connection:  # a table of the earlier system that this code does not know
        connection.execute(text("CREATE TABLE invoices (job_id varchar REFERENCES video_analysis_jobs (id))"))
        connection.execute(text("INSERT INTO invoices VALUES (:job)"), {"job": made.job_id})

    with pytest.raises(IntegrityError):
        delete_session(job_store, local_store, made.session_id)

    assert keys_of(local_store) == made.keys
    assert job_store.get(made.job_id).session_id == made.session_id


def test_while_a_session_is_being_deleted_nobody_can_claim_queue_or_add_a_job(job_store, local_store):
    made = made_session(job_store, local_store)
    objects = StallingObjects(local_store)
    outcomes: dict[str, object] = {}

    def attempt(name: str, call) -> threading.Thread:
        def run() -> None:
            try:
                outcomes[name] = call()
            except Exception as error:
                outcomes[name] = type(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    deletion = attempt("deletion", lambda: delete_session(job_store, objects, made.session_id).jobs)
    assert objects.stalled.wait(60)
    late = [
        attempt("claim", lambda: job_store.claim(made.job_id, "run-9")),
        attempt("requeue", lambda: job_store.requeue(made.job_id)),
        attempt("new job", lambda: job_store.create_job(made.session_id, "batting", local_store.bucket, made.source)),
    ]
    assert job_store.get(made.job_id).status == "failed"  # reading goes on meanwhile
    objects.go_on.set()
    for thread in (deletion, *late):
        thread.join(60)

    assert outcomes == {"deletion": (made.job_id,), "claim": UnknownJob, "requeue": False, "new job": IntegrityError}
    assert set(counted(job_store).values()) == {0}


def test_a_deletion_and_a_claim_that_begin_together_do_not_wait_for_each_other(job_store, local_store):
    made = made_session(job_store, local_store)
    deleted = []
    deletion = threading.Thread(target=lambda: deleted.append(delete_session(job_store, local_store, made.session_id)))
    with job_store.engine.begin() as claim:  # in the order of a claim: the job's row, then its session's
        claim.execute(text("SELECT 1 FROM video_analysis_jobs WHERE id = :id FOR UPDATE"), {"id": made.job_id})
        deletion.start()
        deletion.join(0.5)
        claim.execute(text("UPDATE video_sessions SET title = 'claimed' WHERE id = :id"), {"id": made.session_id})
    deletion.join(60)

    assert deleted[0].jobs == (made.job_id,)


def test_an_upload_that_another_session_analyses_stays_with_it_until_that_is_deleted_too(job_store, store):
    first = made_session(job_store, store)
    second = made_session(job_store, store, source=first.source)  # its outputs lie in the folder of the first session

    deleted = delete_session(job_store, store, first.session_id)

    assert deleted.kept == (first.source,)
    assert keys_of(store) == second.keys
    assert counted(job_store)["uploads"] == 1

    assert delete_session(job_store, store, second.session_id).kept == ()
    assert keys_of(store) == set()
    assert set(counted(job_store).values()) == {0}


def test_an_upload_dropped_elsewhere_goes_too_with_the_file_that_says_what_it_shows(job_store, store):
    made = made_session(job_store, store, source="uploads/monday/clip.mp4")
    for key in ("uploads/monday/clip.json", "uploads/monday/other.json", "uploads/monday/clip.mp4.txt"):
        store.put(key, b"{}")

    deleted = delete_session(job_store, store, made.session_id)

    assert deleted.kept == ()
    assert keys_of(store) == {"uploads/monday/other.json", "uploads/monday/clip.mp4.txt"}
    assert set(counted(job_store).values()) == {0}


def test_outputs_that_the_earlier_system_laid_elsewhere_go_too_unless_another_job_names_them(job_store, local_store):
    mine, other = made_session(job_store, local_store), made_session(job_store, local_store)
    for key in ("reports/one.pdf", "reports/shared.pdf"):
        local_store.put(key, b"%PDF")
    change(job_store, "video_analysis_jobs", mine.job_id, pdf_s3_key="reports/one.pdf", deep_results_s3_key="reports/shared.pdf")
    change(job_store, "video_analysis_jobs", other.job_id, pdf_s3_key="reports/shared.pdf")

    delete_session(job_store, local_store, mine.session_id)

    assert keys_of(local_store) == other.keys | {"reports/shared.pdf"}


def test_objects_in_another_bucket_cannot_be_deleted_so_the_session_is_not_either(job_store, local_store):
    made = made_session(job_store, local_store)
    change(job_store, "video_analysis_jobs", made.job_id, s3_bucket="elsewhere")

    with pytest.raises(CricksyError, match="elsewhere") as caught:
        delete_session(job_store, local_store, made.session_id)

    assert caught.value.code is ErrorCode.STORE_UNAVAILABLE
    assert keys_of(local_store) == made.keys


def test_rows_of_the_earlier_system_with_keys_that_no_store_takes_can_be_deleted(job_store, local_store):
    made = made_session(job_store, local_store)
    change(job_store, "video_analysis_jobs", made.job_id, s3_key="/absolute//key.mp4", pdf_s3_key="../up.pdf", s3_bucket=None)

    assert delete_session(job_store, local_store, made.session_id).jobs == (made.job_id,)

    assert keys_of(local_store) == set()


def test_the_parts_of_an_upload_that_is_still_under_way_are_dropped(job_store, s3_store, s3_client):
    session_id = job_store.create_session(owner_id="c1", title="Under way")
    key = upload_key("coach", "c1", session_id, "v1", "mp4")
    job_store.attach_upload(session_id, s3_bucket=s3_store.bucket, s3_key=key, file_size_bytes=None, status="pending")
    job_store.create_job(session_id, "batting", s3_store.bucket, key, awaiting_upload=True)
    for begun in (key, "coach_plus/coach/c2/other/v1/original.mp4"):
        s3_client.create_multipart_upload(Bucket=s3_store.bucket, Key=begun)

    delete_session(job_store, s3_store, session_id)

    assert [left.key for left in incomplete_uploads(s3_store, "")] == ["coach_plus/coach/c2/other/v1/original.mp4"]
    assert set(counted(job_store).values()) == {0}


names = st.text(alphabet="s1_%.-", min_size=1, max_size=4).map(lambda name: f"x{name}")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(ids=["x_1", "x11", "x%"])
@given(ids=st.lists(names, min_size=2, max_size=4, unique=True))
def test_whatever_sessions_are_called_only_one_goes(job_store, local_store, ids):
    """`s1` is a prefix of `s10`, `_` and `%` mean something to a database."""
    for key in keys_of(local_store):
        local_store.delete(key)
    with job_store.engine.begin() as connection:
        connection.execute(text("TRUNCATE video_sessions, uploads CASCADE"))
    for session_id in ids:
        key = f"coach_plus/coach/c1/{session_id}/v1/original.mp4"
        local_store.put(key, b"video")
        job_store.create_session(session_id=session_id, owner_id="c1", title="Nets", s3_bucket="local", s3_key=key)
        job_id = job_store.create_job(session_id, "batting", "local", key)
        local_store.put(output_key(key, job_id, Output.REPORT), b"{}")
        remember_upload(job_store, local_store, key, job_id)
        job_store.fail_unclaimed(job_id, ErrorCode.INTERNAL, "as a test wants it")
    before = keys_of(local_store)

    delete_session(job_store, local_store, ids[0])

    assert keys_of(local_store) == {key for key in before if key.split("/")[3] != ids[0]}
    assert {count for table, count in counted(job_store).items() if table in ("video_sessions", "uploads")} == {len(ids) - 1}
