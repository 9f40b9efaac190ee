"""What becomes of objects that appear in the store: a folder, and S3 spoken over HTTP, beside a real PostgreSQL."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store import local_objects, upload_rows, uploads
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.migrate import migrate
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS
from cricksy_pipeline.store.objects import LocalObjectStore, ObjectStore, S3ObjectStore
from cricksy_pipeline.store.run_queue import RunQueue
from cricksy_pipeline.store.submissions import Submission, announce, submit
from cricksy_pipeline.store.uploads import Sweep, UploadIntake
from cricksy_pipeline_tests.store.rows import lose_session, publish_all

CLIP = "uploads/batting/clip.mp4"
IN_LAYOUT = "coach_plus/coach/c1/s1/v1/original.mp4"


class Bucket:
    """What coaches and their tools do to a store, and what the intake makes of it."""

    def __init__(self, jobs: JobStore, objects: ObjectStore) -> None:
        self.jobs, self.objects, self.intake = jobs, objects, UploadIntake(jobs, objects)

    def put(self, key: str, data: bytes = b"film", **metadata: str) -> None:
        """As a browser or a copying tool writes: not through our store."""
        if isinstance(self.objects, S3ObjectStore):
            self.objects._client.put_object(Bucket=self.objects.bucket, Key=key, Body=data, Metadata=metadata)
        else:
            path = self.objects.root / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def age(self, key: str, days: float) -> None:
        """The object says it is so old. In S3 a multipart upload bears the time at which it began, in a folder a copy its source's."""
        if isinstance(self.objects, S3ObjectStore):
            from moto.s3.models import s3_backends

            buckets = next(backend.buckets for account in s3_backends.values() for backend in account.values() if backend.buckets)
            buckets[self.objects.bucket].keys[key].last_modified = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
        else:
            then = datetime.now(UTC).timestamp() - days * 86400
            os.utime(self.objects.root / key, (then, then))

    def sweep(self, *prefixes: str, **limits) -> Sweep:
        """One look at everything, or at what starts so."""
        swept = self.intake.sweep(*[prefixes] if prefixes else (), **limits)
        assert swept.skipped == []
        return swept

    def job(self, key: str, status: str | None = None):
        """The only job over a key."""
        (found,) = self.jobs.jobs_over(self.objects.bucket, key)
        row = self.jobs.get(found.id)
        assert status in (None, row.status), f"{row.status}: {row.error_message}"
        return row

    def everything(self) -> list[dict]:
        """Every row of the three tables."""
        with self.jobs.engine.connect() as connection:
            tables = ("video_sessions", "video_analysis_jobs", "uploads")
            return [row[0] for table in tables for row in connection.execute(text(f"SELECT to_jsonb(t) FROM {table} t ORDER BY t.id"))]

    def change(self, statement: str, **values) -> None:
        with self.jobs.engine.begin() as connection:
            connection.execute(text(statement), values)


@pytest.fixture(params=["local", "s3"])
def bucket(request, job_store) -> Bucket:
    return Bucket(job_store, store_of(request.getfixturevalue(f"{request.param}_store")))


@pytest.fixture
def folder(job_store, local_store) -> Bucket:
    return Bucket(job_store, store_of(local_store))


@pytest.fixture
def s3(job_store, s3_store) -> Bucket:
    return Bucket(job_store, s3_store)


def store_of(objects: ObjectStore) -> ObjectStore:
    """A folder in which a file counts as soon as it is there."""
    if isinstance(objects, LocalObjectStore):
        objects.settle_s = 0.0
    return objects


@pytest.fixture
def answer(s3_store):
    """Makes S3 answer one kind of call with a status, for the keys that are named: the real client gets a real answer over no wire."""
    handlers = []

    def give(call: str, status: int, concerns: Callable[[str], bool] = lambda address: True) -> None:
        from botocore.awsrequest import AWSResponse

        class Empty:
            def stream(self):
                return iter(())

        def handler(request, **_):
            return AWSResponse(request.url, status, {}, Empty()) if concerns(request.url) else None

        s3_store._client.meta.events.register(f"before-send.s3.{call}", handler)
        handlers.append((f"before-send.s3.{call}", handler))

    def stop() -> None:
        for event, handler in handlers:
            s3_store._client.meta.events.unregister(event, handler)
        handlers.clear()

    give.stop = stop
    yield give
    stop()


# ---- what is new, and what is not


def test_an_object_becomes_a_job_that_waits_for_a_run_and_a_session_that_people_recognise(bucket):
    bucket.put(CLIP, b"film")
    swept = bucket.sweep()
    row = bucket.job(CLIP, "queued")
    assert (swept.made, swept.failed, swept.after) == ([row.id], [], "")
    assert (row.stage, row.progress_pct, row.analysis_mode, row.deep_enabled, row.sample_fps) == ("QUEUED", 0, "batting", True, 10)
    head = bucket.objects.head(CLIP)
    assert (row.source_etag, row.source_sha256, row.source_size) == (head.etag, head.sha256, 4)
    session = bucket.jobs.get_session(row.session_id)
    assert (session.owner_type, session.owner_id, session.title, session.status) == ("coach", "local", "clip", "uploaded")
    assert (session.s3_bucket, session.s3_key, session.file_size_bytes) == (bucket.objects.bucket, CLIP, 4)
    assert [job.id for job in RunQueue(bucket.jobs.engine).waiting(10)] == [row.id]


def test_the_same_object_seen_again_changes_nothing(bucket):
    bucket.put(CLIP)
    bucket.sweep()
    before = bucket.everything()
    assert (bucket.sweep().made, bucket.sweep().linked) == ([], 0)
    bucket.put(CLIP)  # the same bytes once more
    assert bucket.sweep().made == []
    assert bucket.everything() == before


def test_another_film_under_the_same_key_is_a_new_job_and_the_old_analysis_stays_untouched(bucket):
    bucket.put(CLIP, b"one")
    (first,) = bucket.sweep().made
    bucket.jobs.claim(first, "run-1")
    publish_all(bucket.jobs, first, "run-1")
    bucket.jobs.complete(first, "run-1")
    before = bucket.jobs.get(first)
    bucket.put(CLIP, b"two!")
    (second,) = bucket.sweep().made
    after, new = bucket.jobs.get(first), bucket.jobs.get(second)
    for name in (*QUICK_ARTIFACTS, *DEEP_ARTIFACTS, "status", "source_etag", "source_size", "completed_at", "updated_at"):
        assert getattr(after, name) == getattr(before, name), name
    assert (new.session_id, new.status, new.source_size) == (before.session_id, "queued", 4)
    assert new.source_etag != before.source_etag
    assert bucket.sweep().made == []


def test_a_late_object_whose_key_sorts_before_the_cursor_is_found_by_the_next_look(bucket):
    for name in ("m", "z"):
        bucket.put(f"uploads/batting/{name}.mp4", name.encode())
    half = bucket.sweep(most_new=1)
    assert half.after == "uploads/batting/m.mp4"
    bucket.put("uploads/batting/a.mp4", b"late")
    rest = bucket.sweep(after=half.after)
    assert (len(rest.made), rest.after) == (1, "")
    assert bucket.sweep(after=rest.after).made == [bucket.job("uploads/batting/a.mp4", "queued").id]


def test_an_upload_that_shows_up_with_an_old_time_is_found(bucket):
    bucket.put("uploads/batting/small.mp4", b"newer and smaller")
    bucket.sweep()
    bucket.put("uploads/batting/long.mp4", b"begun three days ago")
    bucket.age("uploads/batting/long.mp4", days=3)
    assert bucket.sweep().made == [bucket.job("uploads/batting/long.mp4", "queued").id]


def test_a_real_multipart_upload_is_no_object_before_it_is_completed(s3):
    client, where = s3.objects._client, {"Bucket": s3.objects.bucket, "Key": CLIP}
    upload = client.create_multipart_upload(**where)["UploadId"]
    part = client.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"film")
    assert s3.sweep().seen == 0
    done = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=done)
    assert s3.sweep().made == [s3.job(CLIP, "queued").id]


def test_a_file_that_is_still_being_copied_waits_until_it_is_left_alone(folder):
    folder.objects.settle_s = 10.0
    folder.put(CLIP, b"half of a fi")
    folder.age(CLIP, days=3)
    assert (folder.sweep().unfinished, folder.everything()) == ([CLIP], [])
    folder.put(CLIP, b"the whole film")
    folder.objects.settle_s = 0.0
    folder.sweep()
    assert folder.job(CLIP, "queued").source_size == 14


def test_an_object_that_vanishes_between_listing_and_look_leaves_no_trace(bucket, monkeypatch):
    bucket.put(CLIP)
    listed = bucket.objects.page

    def then_delete(*arguments, **options):
        page = listed(*arguments, **options)
        for entry in page:
            bucket.objects.delete(entry.key)
        return page

    monkeypatch.setattr(bucket.objects, "page", then_delete)
    swept = bucket.sweep()
    assert (swept.seen, swept.made, swept.failed, bucket.everything()) == (1, [], [], [])


def test_outputs_and_other_things_that_nobody_uploaded_are_not_even_remembered(bucket):
    for key in ("uploads/analysis/j1/overlay.mp4", f"{IN_LAYOUT.rpartition('/')[0]}/analysis/j1/attempt-2/overlay.mp4", "elsewhere/a.mp4"):
        bucket.put(key)
    for key in ("uploads/.DS_Store", "uploads/clip.mp4.json", "uploads/clip.mp4.crdownload"):
        bucket.put(key)
    if isinstance(bucket.objects, S3ObjectStore):
        bucket.put("uploads/day one/", b"")
    assert (bucket.sweep().made, bucket.everything()) == ([], [])


# ---- what is not there says nothing


def test_an_empty_listing_is_not_all_gone(bucket):
    bucket.put(CLIP)
    bucket.put(IN_LAYOUT)
    bucket.sweep()
    before = bucket.everything()
    for key in (CLIP, IN_LAYOUT):
        bucket.objects.delete(key)
    assert bucket.sweep().seen == 0
    assert bucket.everything() == before


def test_a_failed_listing_fails_the_look_and_changes_nothing(s3, answer):
    s3.put(CLIP)
    s3.sweep()
    s3.put("uploads/bowling/new.mp4")
    before = s3.everything()
    answer("ListObjectsV2", 403)
    with pytest.raises(CricksyError) as caught:
        s3.sweep()
    assert caught.value.code is ErrorCode.STORE_UNAVAILABLE
    assert s3.everything() == before
    answer.stop()
    assert s3.sweep().made == [s3.job("uploads/bowling/new.mp4", "queued").id]


def test_a_folder_that_is_not_mounted_is_no_listing_of_nothing_gone(folder):
    folder.put(CLIP)
    folder.sweep()
    before = folder.everything()
    folder.objects.root.rename(folder.objects.root.with_name("away"))
    assert folder.sweep().seen == 0
    assert folder.everything() == before


def test_a_store_that_goes_away_in_the_middle_fails_the_look_and_what_was_entered_stays(s3, answer):
    for name in "abc":
        s3.put(f"uploads/batting/{name}.mp4", name.encode())
    answer("HeadObject", 501, lambda address: "/b.mp4" in address)
    with pytest.raises(CricksyError) as caught:
        s3.sweep()
    assert caught.value.code is ErrorCode.STORE_UNAVAILABLE
    assert [row["s3_key"] for row in s3.everything() if "session_id" in row] == ["uploads/batting/a.mp4"]
    answer.stop()
    assert len(s3.sweep().made) == 2


def test_a_database_that_is_away_fails_the_look(folder, tmp_path):
    folder.put(CLIP)
    away = JobStore(make_engine(f"postgresql:///cricksy?host={tmp_path}"))
    with pytest.raises(CricksyError) as caught:
        UploadIntake(away, folder.objects).sweep()
    assert caught.value.code is ErrorCode.DATABASE_UNAVAILABLE


# ---- one bad object among many


def test_one_bad_object_among_a_thousand_is_a_failed_row_and_the_rest_go_on(folder):
    for number in range(1000):
        folder.put(f"uploads/batting/{number:04}.mp4", b"" if number == 500 else str(number).encode())
    swept = folder.sweep(most_new=2000, budget_s=600)
    bad = folder.job("uploads/batting/0500.mp4", "failed")
    assert (len(swept.made), swept.failed, swept.after) == (999, [bad.id], "")
    assert (bad.error_code, bad.stage, bad.attempt) == ("NOT_A_VIDEO", "FAILED", 1)
    assert "uploads/batting/0500.mp4 is not analysed: it is empty" in bad.error_message
    assert folder.jobs.get_session(bad.session_id).status == "failed"
    assert [(each.outcome, each.error_code) for each in folder.jobs.last_attempts(bad.id)] == [("failed", "NOT_A_VIDEO")]


@pytest.mark.parametrize(
    "key",
    [
        "uploads/notes.txt",
        "uploads/no suffix",
        "uploads/back\\slash.mp4",
        f"uploads/{'long/' * 95}clip.mp4",
        f"uploads/{'way too long/' * 70}clip.mp4",
        "coach_plus/coach/c1/s1/v1/poster.jpg",
    ],
    ids=lambda key: key[8:24],
)
def test_what_cannot_be_analysed_by_its_name_is_said_once(bucket, key):
    bucket.put(key, b"one")
    bucket.put(CLIP)
    swept = bucket.sweep()
    (failed,) = swept.failed
    row = bucket.jobs.get(failed)
    assert (row.status, row.error_code, row.s3_key) == ("failed", "NOT_A_VIDEO", None)
    assert key[:20] in row.error_message and "take this one away" in row.error_message
    assert bucket.jobs.get_session(row.session_id).status == "failed"
    assert len(swept.made) == 1
    bucket.put(key, b"two")  # a log that grows
    assert bucket.sweep().failed == []


@pytest.mark.parametrize("name", [b"\xff.mp4", b"line\nbreak.mp4", b"bell\x07.mp4"])
def test_a_name_that_is_no_text_is_said_once(folder, name):
    path = os.fsencode(folder.objects.root) + b"/uploads/" + name
    Path(os.fsdecode(path)).parent.mkdir(parents=True)
    with open(path, "wb") as target:  # noqa: PTH123 - a path of bytes
        target.write(b"film")
    (failed,) = folder.sweep().failed
    assert folder.jobs.get(failed).error_code == "NOT_A_VIDEO"
    assert folder.sweep().failed == []


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder, tmp_path):
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    folder.put(CLIP)
    (folder.objects.root / "uploads" / "a.mp4").symlink_to(tmp_path / "secret.mp4")
    swept = folder.sweep()
    (failed,) = swept.failed
    assert (folder.jobs.get(failed).error_code, len(swept.made)) == ("NOT_A_VIDEO", 1)
    assert folder.sweep().failed == []


def test_an_object_that_may_not_be_read_is_a_failed_row_and_the_others_go_on(s3, answer):
    for name in "abc":
        s3.put(f"uploads/batting/{name}.mp4", name.encode())
    answer("HeadObject", 403, lambda address: "/b.mp4" in address)
    swept = s3.sweep()
    row = s3.job("uploads/batting/b.mp4", "failed")
    assert (len(swept.made), swept.failed, row.error_code) == (2, [row.id], "STORE_UNAVAILABLE")
    assert "refuses access" in row.error_message
    assert s3.sweep().failed == []


def test_a_file_that_may_not_be_read_is_taken_when_it_may(folder, monkeypatch):
    def denied(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    folder.put(CLIP)
    with monkeypatch.context() as patched:  # the tests may run as root, whom nothing is denied
        patched.setattr(local_objects, "sha256_of_file", denied)
        (failed,) = folder.sweep().failed
        assert folder.jobs.get(failed).error_code == "STORE_UNAVAILABLE"
        assert (folder.sweep().failed, folder.sweep().refusals) == ([], 0)
    assert len(folder.sweep().made) == 1


def test_a_store_that_refuses_everything_is_at_fault_itself(s3, answer):
    for number in range(uploads.MOST_REFUSALS + 5):
        s3.put(f"uploads/batting/{number:03}.mp4", str(number).encode())
    answer("HeadObject", 403)
    with pytest.raises(CricksyError, match="refuses access"):
        s3.sweep()
    answer.stop()
    assert len(s3.sweep().made) == 5


def test_a_fault_of_ours_at_one_object_is_a_failed_row_too(folder, monkeypatch):
    real = uploads.read_options

    def stumble(objects, head, mode):
        if head.key.endswith("b.mp4"):
            raise ZeroDivisionError("by nought")
        return real(objects, head, mode)

    for name in "abc":
        folder.put(f"uploads/batting/{name}.mp4", name.encode())
    monkeypatch.setattr(uploads, "read_options", stumble)
    assert len(folder.sweep().made) == 2
    row = folder.job("uploads/batting/b.mp4", "failed")
    assert row.error_code == "INTERNAL" and "ZeroDivisionError: by nought" in row.error_message


def test_an_object_that_cannot_even_be_failed_is_told_and_tried_again(folder, monkeypatch):
    real = upload_rows.make_job

    def stumble(connection, version, options, session_id):
        if version.key.endswith("b.mp4"):
            raise ZeroDivisionError("by nought")
        return real(connection, version, options, session_id)

    for name in "abc":
        folder.put(f"uploads/batting/{name}.mp4", name.encode())
    with monkeypatch.context() as patched:
        patched.setattr(upload_rows, "make_job", stumble)
        swept = folder.intake.sweep()
    assert (len(swept.made), swept.skipped) == (2, [("uploads/batting/b.mp4", "ZeroDivisionError: by nought")])
    assert folder.sweep().made == [folder.job("uploads/batting/b.mp4", "queued").id]


def test_a_bad_upload_beside_an_analysis_that_is_shown_leaves_its_session_as_it_is(bucket):
    bucket.put(IN_LAYOUT, b"one", **{"analysis-mode": "batting"})
    bucket.put(f"{IN_LAYOUT}.json", b'{"analysis_mode": "batting"}')
    (first,) = bucket.sweep().made
    bucket.jobs.claim(first, "run-1")
    publish_all(bucket.jobs, first, "run-1")
    bucket.jobs.complete(first, "run-1")
    bucket.put(IN_LAYOUT, b"")
    (second,) = bucket.sweep().failed
    assert bucket.jobs.get(second).session_id == "s1"
    assert (bucket.jobs.get(first).status, bucket.jobs.get_session("s1").status) == ("done", "ready")


# ---- killed, and two at once


def test_a_look_that_is_killed_in_the_middle_of_an_object_leaves_neither_ledger_nor_job(bucket, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    bucket.put(CLIP)
    with monkeypatch.context() as patched:
        patched.setattr(upload_rows, "arrived", kill)  # after session and job, before the commit
        with pytest.raises(Killed):
            bucket.intake.sweep()
    assert bucket.everything() == []
    assert bucket.sweep().made == [bucket.job(CLIP, "queued").id]


def test_of_several_who_look_at_once_each_object_gets_one_job(bucket, database_url):
    keys = [f"uploads/batting/{number:02}.mp4" for number in range(25)]
    keys += [f"coach_plus/coach/c1/shared/v{number}/original.mp4" for number in range(5)]
    for key in [*keys, *(f"uploads/{number}.txt" for number in range(5))]:
        bucket.put(key, key.encode())
    start, made = threading.Barrier(4), []

    def look() -> None:
        engine = make_engine(database_url)
        start.wait()
        swept = UploadIntake(JobStore(engine), bucket.objects).sweep()
        made.extend(swept.made + swept.failed)
        engine.dispose()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(set(made)) == len(bucket.jobs.list_jobs()) == 35
    assert all(len(bucket.jobs.jobs_over(bucket.objects.bucket, key)) == 1 for key in keys)


# ---- bounded work


def test_a_look_without_time_still_gets_on(folder):
    for name in "abc":
        folder.put(f"uploads/batting/{name}.mp4", name.encode())
    after, looks = "", []
    for _ in range(4):
        swept = folder.sweep(after=after, budget_s=0)
        looks.append((len(swept.made), swept.after))
        after = swept.after
    assert looks == [(1, "uploads/batting/a.mp4"), (1, "uploads/batting/b.mp4"), (1, "uploads/batting/c.mp4"), (0, "")]


def test_a_look_makes_no_more_than_it_may_and_the_next_ones_make_the_rest(bucket):
    keys = [f"coach_plus/coach/c1/s{n}/v/original.mp4" for n in range(3)] + [f"uploads/bowling/{n}.mp4" for n in range(4)]
    for key in keys:
        bucket.put(key, key.encode())
    after, sizes = "", []
    while not sizes or after:
        swept = bucket.sweep(after=after, most_new=2)
        sizes.append(len(swept.made) + len(swept.failed))
        after = swept.after
    assert sizes == [2, 2, 2, 1]
    assert all(bucket.job(key) for key in keys)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sets(st.sampled_from([f"{folder}/{name}.mp4" for folder in ("a", "a-", "b") for name in "123"]), max_size=5), max_size=4),
    st.integers(1, 4),
)
def test_whatever_appears_whenever_each_version_gets_one_job(folder, arrivals, most_new):
    number = len(list(folder.objects.root.glob("uploads/*")))
    place, after, present = f"uploads/{number}", "", set()
    for arriving in arrivals:
        for key in arriving:
            folder.put(f"{place}/batting/{key}", key.encode())
            present.add(f"{place}/batting/{key}")
        after = folder.sweep(f"{place}/", after=after, most_new=most_new).after
    for _ in range(2):  # to the end of this look, and one whole look
        while after := folder.sweep(f"{place}/", after=after, most_new=most_new).after:
            pass
    assert all(folder.job(key, "queued") for key in present)
    assert len({folder.job(key).session_id for key in present}) == len(present)


# ---- rows that were made before


def test_the_row_that_the_api_made_is_the_job_and_says_how_to_analyse(bucket):
    made = announce(
        bucket.jobs, bucket=bucket.objects.bucket, suffix=".MP4", mode="bowling", title="Tuesday", owner_type="org", owner_id="o1",
        deep_enabled=False, include_frames=True,
    )  # fmt: skip
    assert bucket.jobs.get_session(made.session_id).status == "pending"
    bucket.put(made.key, b"film", **{"analysis-mode": "boxing"})
    bucket.put(f"{made.key}.json", b"damaged")
    assert bucket.sweep().made == [made.job_id]
    row, head = bucket.job(made.key, "queued"), bucket.objects.head(made.key)
    assert (row.analysis_mode, row.deep_enabled, row.include_frames, row.requested_at) == ("bowling", False, True, None)
    assert (row.source_etag, row.source_size) == (head.etag, 4)
    session = bucket.jobs.get_session(row.session_id)
    assert (session.title, session.status, session.file_size_bytes) == ("Tuesday", "uploaded", 4)


def test_an_upload_that_the_api_reported_itself_is_only_remembered(bucket):
    made = announce(bucket.jobs, bucket=bucket.objects.bucket, suffix=".mp4", mode="bowling", title="t", owner_type="coach", owner_id="c1")
    bucket.put(made.key)
    head = bucket.objects.head(made.key)
    assert bucket.jobs.upload_arrived(made.job_id, source_etag=head.etag, source_sha256=None, source_size=4)
    swept = bucket.sweep()
    assert (swept.made, swept.linked) == ([], 1)


def test_an_empty_upload_fails_the_job_that_waited_for_it(bucket):
    made = announce(bucket.jobs, bucket=bucket.objects.bucket, suffix=".mp4", mode="bowling", title="t", owner_type="coach", owner_id="c1")
    bucket.put(made.key, b"")
    assert bucket.sweep().failed == [made.job_id]
    assert bucket.jobs.get_session(made.session_id).status == "failed"
    bucket.put(made.key, b"the whole film")
    (second,) = bucket.sweep().made
    assert (bucket.jobs.get(second).session_id, bucket.jobs.get(second).analysis_mode) == (made.session_id, "bowling")


def test_a_video_that_comes_after_its_job_was_given_up_is_analysed_all_the_same(bucket):
    made = announce(bucket.jobs, bucket=bucket.objects.bucket, suffix=".mp4", mode="bowling", title="t", owner_type="coach", owner_id="c1")
    bucket.jobs.fail_unclaimed(made.job_id, ErrorCode.SOURCE_MISSING, "It never came.")
    bucket.put(made.key)
    assert bucket.sweep().made == [made.job_id]
    row = bucket.job(made.key, "queued")
    assert (row.error_code, row.error_message, row.request) == (None, None, 2)


def test_a_video_that_was_gone_when_its_run_came_is_analysed_when_it_is_there_again(bucket):
    bucket.put(CLIP)
    (job_id,) = bucket.sweep().made
    bucket.jobs.claim(job_id, "run-1")
    bucket.jobs.fail(job_id, "run-1", ErrorCode.SOURCE_MISSING, "The uploaded video is no longer in the store.", "frames")
    assert bucket.sweep().made == [job_id]
    row = bucket.jobs.get(job_id)
    assert (row.status, row.request, row.requested_at, row.error_code) == ("queued", 2, None, None)
    assert bucket.sweep().made == []


def test_a_video_that_is_listed_and_never_to_be_had_is_not_tried_for_ever(bucket):
    bucket.put(CLIP)
    (job_id,) = bucket.sweep().made
    for attempt in range(upload_rows.MOST_MISSES):
        bucket.jobs.claim(job_id, f"run-{attempt}")
        bucket.jobs.fail(job_id, f"run-{attempt}", ErrorCode.SOURCE_MISSING, "The uploaded video is no longer in the store.", "frames")
    assert bucket.sweep().made == []


def test_a_job_that_a_person_canceled_is_not_woken_by_its_video(bucket):
    made = announce(bucket.jobs, bucket=bucket.objects.bucket, suffix=".mp4", mode="bowling", title="t", owner_type="coach", owner_id="c1")
    bucket.jobs.fail_unclaimed(made.job_id, ErrorCode.CANCELED, "Not wanted any more.")
    bucket.put(made.key)
    assert (bucket.sweep().made, bucket.job(made.key).error_code) == ([], "CANCELED")


def test_a_submitted_video_keeps_the_one_job_that_its_command_runs(bucket, tmp_path, monkeypatch):
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"film")
    real, seen = bucket.objects.put_file, []

    def put_and_look(key: str, path: Path):
        head = real(key, path)
        seen.append(bucket.sweep().made)  # the sensor is quicker than the command
        return head

    monkeypatch.setattr(bucket.objects, "put_file", put_and_look)
    job_id = submit(Submission(video, "fielding", "Clip"), bucket.jobs, bucket.objects)
    assert (seen, bucket.sweep().made) == ([[job_id]], [])
    row = bucket.jobs.get(job_id)
    assert (row.status, row.analysis_mode, row.source_sha256) == ("queued", "fielding", bucket.objects.head(row.s3_key).sha256)
    assert RunQueue(bucket.jobs.engine).waiting(10) == []
    assert bucket.jobs.get_session(row.session_id).status == "uploaded"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CricksyError(ErrorCode.STORE_UNAVAILABLE, "The disk is full."), "STORE_UNAVAILABLE"),
        (OSError("unreadable"), "INTERNAL"),
        (KeyboardInterrupt(), "CANCELED"),
    ],
)
def test_a_submission_that_cannot_be_stored_is_a_failed_row_and_the_error(folder, tmp_path, monkeypatch, error, code):
    video = tmp_path / "clip.mp4"
    video.write_bytes(b"film")

    def fail(key: str, path: Path):
        raise error

    monkeypatch.setattr(folder.objects, "put_file", fail)
    with pytest.raises(type(error)):
        submit(Submission(video, "fielding", "Clip"), folder.jobs, folder.objects)
    (job,) = folder.jobs.list_jobs()
    assert (job.status, job.error_code) == ("failed", code)
    folder.put(job.s3_key)  # it was written after all
    assert folder.sweep().made == []


def test_the_history_of_an_upgraded_deployment_is_not_analysed_again(bucket):
    """The earlier system's jobs name no version of their upload, and many of them no upload: their session does."""
    for job_id, key in (("named", IN_LAYOUT), ("unnamed", "uploads/nets.mp4")):
        session = bucket.jobs.create_session(owner_id="c1", title="Nets", s3_bucket=bucket.objects.bucket, s3_key=key)
        bucket.change(
            "INSERT INTO video_analysis_jobs (id, session_id, status, s3_bucket, s3_key)"
            " VALUES (:id, :session, 'completed', :bucket, :key)",
            id=job_id, session=session, bucket=bucket.objects.bucket if job_id == "named" else None, key=key if job_id == "named" else None,
        )  # fmt: skip
        bucket.put(key, b"film")
    swept = bucket.sweep()
    assert (swept.made, swept.failed, swept.linked) == ([], [], 2)
    bucket.put(IN_LAYOUT, b"another film")
    bucket.put("uploads/nets.mp4", b"another film")
    again = bucket.sweep()
    new = [bucket.jobs.get(job_id) for job_id in again.made + again.failed]
    assert {row.session_id for row in new} == {bucket.jobs.get("named").session_id, bucket.jobs.get("unnamed").session_id}
    assert len(new) == 2 and again.linked == 0


def test_an_adopted_database_of_the_earlier_system_takes_uploads(empty_database, local_store):
    with empty_database() as url:
        engine = make_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql((Path(__file__).parent / "earlier_system.sql").read_text())
        migrate(url)
        bucket = Bucket(JobStore(engine), store_of(local_store))
        bucket.put(CLIP)
        bucket.put("uploads/notes.txt")
        swept = bucket.sweep()
        assert [bucket.jobs.get(job_id).status for job_id in swept.made + swept.failed] == ["queued", "failed"]
        assert bucket.jobs.get_session(bucket.job(CLIP).session_id).player_ids == []
        engine.dispose()


def test_a_session_that_the_key_names_is_used_if_it_is_the_same_owners(bucket):
    bucket.jobs.create_session(session_id="s1", owner_id="c1", title="Tuesday", analysis_context="wicketkeeping")
    bucket.jobs.create_session(session_id="s2", owner_id="somebody else", title="Private", analysis_context="wicketkeeping")
    bucket.put(IN_LAYOUT)
    bucket.put("coach_plus/org/o1/s2/v1/original.mp4")
    bucket.put("coach_plus/org/o1/s3/v1/original.mp4")
    bucket.sweep()
    row = bucket.job(IN_LAYOUT, "queued")
    assert (row.session_id, row.analysis_mode, bucket.jobs.get_session("s1").title) == ("s1", "wicketkeeping", "Tuesday")
    other = bucket.jobs.get_session(bucket.job("coach_plus/org/o1/s2/v1/original.mp4", "failed").session_id)
    assert other.id != "s2" and (other.owner_type, other.owner_id) == ("org", "o1")
    assert bucket.jobs.get_session("s3").owner_id == "o1" and bucket.job("coach_plus/org/o1/s3/v1/original.mp4").session_id == "s3"


def test_a_deleted_job_does_not_make_its_object_new(bucket):
    bucket.put(CLIP)
    bucket.sweep()
    lose_session(bucket.jobs, bucket.job(CLIP).session_id)
    assert bucket.sweep().made == []


# ---- what was said about an upload


def test_without_a_mode_the_job_fails_and_says_how_to_give_one(bucket):
    bucket.put("uploads/clip.mp4")
    (failed,) = bucket.sweep().failed
    row = bucket.job("uploads/clip.mp4", "failed")
    assert (row.error_code, row.analysis_mode) == ("MODE_MISSING", None)
    assert f"cricksy retry {failed} --mode batting" in row.error_message and "bowling, wicketkeeping, fielding" in row.error_message
    assert bucket.jobs.requeue(failed, analysis_mode="bowling")
    assert [job.id for job in RunQueue(bucket.jobs.engine).waiting(10)] == [failed]


def test_metadata_of_the_object_says_how_to_analyse_it(s3):
    metadata = {"Analysis-Mode": " Bowling ", "deep-enabled": "FALSE", "include-frames": "true", "sample-fps": "25", "title": "Over 3"}
    metadata |= {"subject": " 2 ", "slow-motion": "8"}
    s3.put("uploads/clip.mp4", **metadata, camera="phone")
    s3.sweep()
    row = s3.job("uploads/clip.mp4", "queued")
    assert (row.analysis_mode, row.deep_enabled, row.include_frames, row.sample_fps) == ("bowling", False, True, 25)
    assert row.analysis_options == {"subject": 2, "slow_motion": 8.0}
    assert s3.jobs.get_session(row.session_id).title == "Over 3"


@pytest.mark.parametrize("name", ["uploads/clip.json", "uploads/clip.mp4.json"])
def test_a_file_beside_the_video_says_how_to_analyse_it(bucket, name):
    said = {"analysis_mode": "fielding", "deep_enabled": False, "include_frames": True, "sample_fps": 5, "title": "Slips — evening"}
    bucket.put(name, json.dumps(said).encode("utf-8-sig"))
    bucket.put("uploads/clip.mp4")
    assert len(bucket.sweep().made) == 1
    row = bucket.job("uploads/clip.mp4", "queued")
    assert (row.analysis_mode, row.deep_enabled, row.include_frames, row.sample_fps) == ("fielding", False, True, 5)
    assert row.analysis_options is None
    assert bucket.jobs.get_session(row.session_id).title == "Slips — evening"


def test_the_first_who_says_something_counts_session_metadata_file_folder(s3):
    s3.jobs.create_session(session_id="s1", owner_id="c1", title="t", analysis_context="batting")
    s3.jobs.create_session(session_id="s2", owner_id="c1", title="t", analysis_context="mixed")
    s3.put(IN_LAYOUT, **{"analysis-mode": "bowling", "sample-fps": "5"})
    s3.put(IN_LAYOUT.replace("s1", "s2"), **{"analysis-mode": "bowling"})
    for name, metadata in (("one", {"analysis-mode": "wicketkeeping"}), ("two", {}), ("three", {})):
        s3.put(f"uploads/batting/{name}.mp4", name.encode(), **metadata)
    for name in ("one", "two"):
        s3.put(f"uploads/batting/{name}.json", b'{"analysis_mode": "fielding", "sample_fps": 7}')
    s3.sweep()
    keys = (IN_LAYOUT, IN_LAYOUT.replace("s1", "s2"), *(f"uploads/batting/{name}.mp4" for name in ("one", "two", "three")))
    assert [(s3.job(key).analysis_mode, s3.job(key).sample_fps) for key in keys] == [
        ("batting", 5),
        ("bowling", 10),
        ("wicketkeeping", 7),
        ("fielding", 7),
        ("batting", 10),
    ]


def test_a_new_film_under_a_key_is_analysed_as_its_own_file_says_and_not_as_the_one_before(bucket):
    for mode in ("batting", "bowling"):
        bucket.put("uploads/clip.json", json.dumps({"analysis_mode": mode}).encode())
        bucket.put("uploads/clip.mp4", mode.encode())
        (job_id,) = bucket.sweep().made
        assert bucket.jobs.get(job_id).analysis_mode == mode


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ({"analysis-mode": "boxing"}, "MODE_UNSUPPORTED", "analysis_mode is 'boxing'"),
        ({"analysis-mode": "mixed"}, "MODE_UNSUPPORTED", "'mixed'"),
        ({"analysis-mode": "batting", "deep-enabled": "perhaps"}, "OPTIONS_INVALID", "deep_enabled is 'perhaps', not true or false"),
        ({"analysis-mode": "batting", "sample-fps": "61"}, "OPTIONS_INVALID", "sample_fps is '61', not a whole number from 1 to 60"),
        ({"analysis-mode": "batting", "sample-fps": "fast"}, "OPTIONS_INVALID", "sample_fps"),
        ({"analysis-mode": "batting", "subject": "9"}, "OPTIONS_INVALID", "subject is '9', not a whole number from 1 to 8"),
        ({"analysis-mode": "batting", "subject": "1.5"}, "OPTIONS_INVALID", "subject"),
        ({"analysis-mode": "batting", "slow-motion": "0.5"}, "OPTIONS_INVALID", "slow_motion is '0.5', not a number from 1 to 64"),
        ({"analysis-mode": "batting", "slow-motion": "nan"}, "OPTIONS_INVALID", "slow_motion"),
        ({"deep-enabled": "false"}, "MODE_MISSING", "Nobody said"),
    ],
)
def test_metadata_that_cannot_be_meant_fails_the_job_in_clear_words(s3, said, code, words):
    s3.put("uploads/clip.mp4", **said)
    s3.sweep()
    row = s3.job("uploads/clip.mp4", "failed")
    assert (row.error_code, words in row.error_message) == (code, True), row.error_message
    assert row.deep_enabled is (said.get("deep-enabled") != "false")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "Expecting property name"),
        (b"", "Expecting value"),
        (b"\xff\xfe\x00", "codec"),
        (b"[]", "no JSON object"),
        (b"null", "no JSON object"),
        (b"[" * 60_000, "recursion"),
        (b" " * 70_000, "70,000 bytes"),
        (b'{"analysis_mode": "batting", "deep_enable": false}', "deep_enable is no option"),
        (b'{"analysis_mode": ["batting"]}', "not one of batting"),
        (b'{"analysis_mode": "batting", "sample_fps": 10.5}', "not a whole number"),
        (b'{"analysis_mode": "batting", "sample_fps": true}', "not a whole number"),
        (b'{"analysis_mode": "batting", "include_frames": 1}', "not true or false"),
        (b'{"analysis_mode": "batting", "title": 3}', "not a text"),
    ],
)
def test_a_damaged_options_file_fails_the_job_in_clear_words_and_stops_nobody(bucket, content, words):
    bucket.put("uploads/bowling/clip.json", content)
    bucket.put("uploads/bowling/clip.mp4")
    bucket.put("uploads/bowling/other.mp4")
    assert len(bucket.sweep().made) == 1
    row = bucket.job("uploads/bowling/clip.mp4", "failed")
    assert row.error_code in ("MODE_MISSING", "MODE_UNSUPPORTED", "OPTIONS_INVALID")
    assert "uploads/bowling/clip.json" in row.error_message and words in row.error_message
    assert "cricksy retry" in row.error_message and len(row.error_message) < 500


def test_an_options_file_that_is_still_being_written_holds_its_video_back(folder):
    folder.put("uploads/clip.mp4")
    folder.put("uploads/clip.json", b'{"analysis_mode"')
    folder.intake._objects = Unsettled(folder.objects.root)
    assert (folder.sweep().unfinished, folder.everything()) == (["uploads/clip.json"], [])
    folder.put("uploads/clip.json", b'{"analysis_mode": "batting"}')
    folder.age("uploads/clip.json", days=1)
    assert len(folder.sweep().made) == 1


class Unsettled(LocalObjectStore):
    """A folder whose videos are old enough and whose options files are not: no test can make a file's time of change old."""

    def page(self, prefix: str = "", *, start_after: str = ""):
        return LocalObjectStore(self.root, settle_s=0).page(prefix, start_after=start_after)


@pytest.mark.parametrize("key", ["uploads/Batting/2026/clip.mp4", "uploads/2026/batting/clip.MOV"])
def test_a_folder_that_names_the_mode_says_it(bucket, key):
    bucket.put(key)
    bucket.sweep()
    assert bucket.job(key, "queued").analysis_mode == "batting"


@pytest.mark.parametrize(
    "key", ["uploads/batting/bowling/clip.mp4", "uploads/my batting/clip.mp4", "uploads/batting.mp4", IN_LAYOUT.replace("c1", "batting")]
)
def test_a_folder_that_does_not_say_the_mode_clearly_does_not_say_it(bucket, key):
    bucket.put(key)
    bucket.sweep()
    assert bucket.job(key, "failed").error_code == "MODE_MISSING"
