"""Both stores keep the same promises: a folder, and S3 spoken over HTTP."""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store import local_objects
from cricksy_pipeline.store.objects import LocalObjectStore, ObjectMissing, ObjectRefused, ObjectStore, S3ObjectStore

# Signs that sort before, at and after the slash: what a folder's own order gets wrong.
PART = st.text(alphabet="-.0aß", min_size=1, max_size=4).filter(lambda part: not part.startswith("."))
KEY = st.lists(PART, min_size=1, max_size=4).map("/".join)


@pytest.fixture(params=["local", "s3"])
def store(request) -> ObjectStore:
    return request.getfixturevalue(f"{request.param}_store")


def test_both_are_object_stores(store):
    assert isinstance(store, ObjectStore)


def test_what_was_put_is_what_is_got_and_what_the_head_says(store):
    data = os.urandom(3_000_000)
    put = store.put("a/b.json", data, "application/json")
    assert store.get("a/b.json") == data
    head = store.head("a/b.json")
    assert head == put
    assert (head.key, head.size, head.sha256) == ("a/b.json", len(data), hashlib.sha256(data).hexdigest())
    assert head.content_type == "application/json"
    assert head.last_modified.tzinfo is not None


def test_a_file_goes_in_and_comes_out_unchanged(store, tmp_path):
    source, target = tmp_path / "in.mp4", tmp_path / "new" / "out.mp4"
    source.write_bytes(os.urandom(9_000_000))
    put = store.put_file("v/original.mp4", source)
    got = store.download("v/original.mp4", target)
    assert target.read_bytes() == source.read_bytes()
    assert put.sha256 == got.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert got.content_type == "video/mp4"
    assert [path.name for path in target.parent.iterdir()] == ["out.mp4"]


def test_the_etag_changes_with_the_content_and_only_with_it(store):
    first = store.put("k", b"one")
    again = store.put("k", b"one")
    other = store.put("k", b"two")
    assert first.etag == again.etag != other.etag
    assert store.head("k").etag == other.etag
    assert [head.etag for head in store.list("k")] == [other.etag]


def test_a_missing_object_is_missing_and_not_empty(store, tmp_path):
    assert store.head("no/thing") is None
    assert store.local_path("no/thing") is None
    for call in (lambda: store.get("no/thing"), lambda: store.download("no/thing", tmp_path / "x")):
        with pytest.raises(ObjectMissing) as caught:
            call()
        assert caught.value.code is ErrorCode.SOURCE_MISSING
        assert "no/thing" in str(caught.value)
    assert not (tmp_path / "x").exists()


def test_a_folder_of_objects_is_no_object(store):
    store.put("a/b/c", b"1")
    assert store.head("a/b") is None
    with pytest.raises(ObjectMissing):
        store.get("a/b")


def test_a_list_holds_what_starts_with_the_prefix_in_key_order(store):
    for key in ("b/2", "a/1", "b/10", "ba", "c"):
        store.put(key, key.encode())
    assert [head.key for head in store.list("b")] == ["b/10", "b/2", "ba"]
    assert [head.key for head in store.list()] == ["a/1", "b/10", "b/2", "ba", "c"]
    assert list(store.list("z")) == []


def test_a_list_goes_on_after_any_key_whether_it_is_there_or_not(store):
    for key in ("b/2", "b/10", "ba", "b-1", "c"):
        store.put(key, key.encode())
    assert [head.key for head in store.list("b", start_after="b/10")] == ["b/2", "ba"]
    assert [head.key for head in store.list("b", start_after="b/")] == ["b/10", "b/2", "ba"]
    assert [head.key for head in store.list("b", start_after="a")] == ["b-1", "b/10", "b/2", "ba"]
    assert list(store.list("b", start_after="c")) == []


def test_pages_follow_each_other_to_the_end_of_the_listing(store, monkeypatch):
    for module in ("local_objects", "s3_objects"):
        monkeypatch.setattr(f"cricksy_pipeline.store.{module}.PAGE", 3)
    keys = [f"v/{number}.mp4" for number in range(8)]
    for key in [*keys, "w"]:
        store.put(key, key.encode())
    seen, after = [], ""
    while page := store.page("v/", start_after=after):
        assert len(page) <= 3
        seen += page
        after = page[-1].key
    assert [entry.key for entry in seen] == keys
    heads = [store.head(key) for key in keys]
    assert [(entry.size, entry.last_modified) for entry in seen] == [(head.size, head.last_modified) for head in heads]
    assert all(entry.etag in (None, head.etag) for entry, head in zip(seen, heads, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.sets(KEY, max_size=12), KEY | st.just(""), KEY | st.just(""))
def test_a_folder_is_listed_in_the_order_of_keys_as_s3_would(keys, prefix, after):
    with tempfile.TemporaryDirectory() as folder:
        store, there = LocalObjectStore(Path(folder)), set()
        for key in keys:
            try:
                store.put(key, b"1")
                there.add(key)
            except CricksyError:  # a file where another key needs a folder
                continue
        wanted = sorted(key for key in there if key.startswith(prefix) and key > after)
        assert [head.key for head in store.list(prefix, start_after=after)] == wanted
        assert [entry.key for entry in store.page(prefix, start_after=after)] == wanted


def test_a_page_of_a_folder_reads_no_file(local_store, monkeypatch):
    local_store.put("v/original.mp4", b"film")
    monkeypatch.setattr(local_objects, "sha256_of_file", lambda path: pytest.fail(f"{path} was read"))
    assert [(entry.key, entry.etag) for entry in local_store.page()] == [("v/original.mp4", None)]


def test_a_file_is_read_once_in_a_process_as_long_as_nobody_touches_it(local_store, monkeypatch):
    local_store.put("v/original.mp4", b"film")
    read = []
    real = local_objects.sha256_of_file
    monkeypatch.setattr(local_objects, "sha256_of_file", lambda path: read.append(path) or real(path))
    heads = {LocalObjectStore(local_store.root).head("v/original.mp4").etag for _ in range(3)}
    assert len(heads) == 1 and read == []
    path = local_store.local_path("v/original.mp4")
    before = path.stat()
    path.write_bytes(b"FILM")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as `cp -p` leaves it
    assert local_store.head("v/original.mp4").etag == hashlib.sha256(b"FILM").hexdigest()
    assert len(read) == 1


def test_a_file_that_was_just_changed_counts_as_still_being_copied_whatever_time_it_claims(local_store):
    path = local_store.root / "uploads" / "clip.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half of a fi")
    os.utime(path, (0, 0))
    assert [entry.complete for entry in local_store.page("uploads/")] == [False]
    assert [entry.complete for entry in LocalObjectStore(local_store.root, settle_s=0).page("uploads/")] == [True]


def test_what_s3_lists_is_complete(s3_store):
    s3_store.put("k", b"1")
    assert [entry.complete for entry in s3_store.page()] == [True]


def test_a_pipe_and_a_link_to_nowhere_do_not_hold_up_a_listing(local_store):
    local_store.put("v/c.mp4", b"1")
    os.mkfifo(local_store.root / "v" / "a.mp4")
    (local_store.root / "v" / "b.mp4").symlink_to("nowhere")
    assert [entry.key for entry in local_store.page()] == ["v/c.mp4"]


def test_what_the_uploader_wrote_beside_the_content_is_in_the_head(s3_store, local_store):
    metadata = {"Analysis-Mode": "batting", "sha256": "not a hash"}
    s3_store._client.put_object(Bucket=s3_store.bucket, Key="k", Body=b"1", Metadata=metadata)
    assert s3_store.head("k").metadata == {"analysis-mode": "batting"}
    assert s3_store.head("k").sha256 is None
    assert (s3_store.put("own", b"1").metadata, local_store.put("own", b"1").metadata) == ({}, {})


def test_an_object_that_may_not_be_read_is_refused_and_the_store_is_not_away(s3_store, local_store, monkeypatch):
    s3_store.put("k", b"1")

    def forbid(**_):
        from botocore.awsrequest import AWSResponse

        return AWSResponse("http://s3/", 403, {}, _Empty())

    s3_store._client.meta.events.register("before-send.s3.HeadObject", forbid)
    try:
        with pytest.raises(ObjectRefused) as caught:
            s3_store.head("k")
    finally:
        s3_store._client.meta.events.unregister("before-send.s3.HeadObject", forbid)
    assert caught.value.code is ErrorCode.STORE_UNAVAILABLE and "k" in caught.value.message
    local_store.put("k", b"1")
    os.utime(local_store.root / "k")
    monkeypatch.setattr(local_objects, "sha256_of_file", _denied)  # the tests may run as root, whom nothing is denied
    with pytest.raises(ObjectRefused):
        local_store.head("k")


class _Empty:
    def stream(self):
        return iter(())


def _denied(path: Path) -> str:
    raise PermissionError(13, "Permission denied", str(path))


def test_deleting_is_final_and_may_be_repeated(store):
    store.put("a", b"1")
    store.delete("a")
    store.delete("a")
    assert store.head("a") is None


@pytest.mark.parametrize("key", ["../a", "/etc/passwd", "a/../../b", "a//b", "", "a\x00b"])
def test_no_key_leaves_the_store(store, key):
    for call in (store.get, store.head, store.delete, lambda unsafe: store.put(unsafe, b"x")):
        with pytest.raises(ValueError):
            call(key)


def test_a_media_type_that_is_not_given_follows_from_the_key(store):
    assert store.put("a/report.html", b"<p>").content_type == "text/html; charset=utf-8"


def test_s3_gives_addresses_that_work_and_a_folder_gives_none(s3_store, local_store):
    s3_store.put("a/v.mp4", b"film")
    with urllib.request.urlopen(s3_store.presigned_url("a/v.mp4", 60)) as answer:
        assert answer.read() == b"film"
    upload = urllib.request.Request(
        s3_store.presigned_upload_url("a/new.mp4", "video/mp4", 60), data=b"new", method="PUT", headers={"Content-Type": "video/mp4"}
    )
    urllib.request.urlopen(upload).close()
    assert (s3_store.get("a/new.mp4"), s3_store.head("a/new.mp4").sha256) == (b"new", None)
    local_store.put("a/v.mp4", b"film")
    assert (local_store.presigned_url("a/v.mp4"), local_store.presigned_upload_url("a/v.mp4", "video/mp4")) == (None, None)


def test_a_bucket_that_is_not_there_is_an_unavailable_store_and_not_an_empty_one(s3_client):
    store = S3ObjectStore(s3_client, "no-such-bucket")
    for call in (lambda: store.get("k"), lambda: store.put("k", b"x"), lambda: list(store.list()), store.page):
        with pytest.raises(CricksyError, match="no-such-bucket") as caught:
            call()
        assert caught.value.code is ErrorCode.STORE_UNAVAILABLE
        assert caught.value.transient


def test_an_s3_that_does_not_answer_is_an_unavailable_store():
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"max_attempts": 1}, connect_timeout=2),
    )
    store = S3ObjectStore(client, "bucket")
    with pytest.raises(CricksyError, match="key a/b") as caught:
        store.put("a/b", b"x")
    assert caught.value.code is ErrorCode.STORE_UNAVAILABLE


def test_a_write_that_reads_back_as_something_else_is_an_error(s3_store):
    """Another writer overwrites the key between our write and our reading: simulated at the wire, after the PUT is answered."""
    client = s3_store._client
    once = threading.Event()

    def overwrite(**_):
        if not once.is_set():
            once.set()
            client.put_object(Bucket=s3_store.bucket, Key="k", Body=b"theirs!")

    client.meta.events.register("before-call.s3.GetObject", overwrite)
    try:
        with pytest.raises(CricksyError, match="read back") as caught:
            s3_store.put("k", b"ours")
    finally:
        client.meta.events.unregister("before-call.s3.GetObject", overwrite)
    assert caught.value.code is ErrorCode.STORE_UNAVAILABLE


def test_readers_of_a_folder_see_the_old_object_or_the_new_one_and_never_a_part(local_store):
    versions = [bytes([value]) * 2_000_000 for value in range(4)]
    local_store.put("k", versions[0])
    stop, seen = threading.Event(), set()

    def read() -> None:
        while not stop.is_set():
            data = local_store.get("k")
            seen.add((len(data), len(set(data[:: len(data) - 1]))))

    reader = threading.Thread(target=read)
    reader.start()
    for data in versions * 3:
        local_store.put("k", data)
    stop.set()
    reader.join()
    assert seen == {(2_000_000, 1)}


def test_a_write_that_fails_leaves_the_old_object_and_no_litter(local_store, tmp_path):
    local_store.put("a/k", b"old")
    with pytest.raises(CricksyError):
        local_store.put("a/k/below", b"x")
    with pytest.raises(OSError):
        local_store.put_file("a/k", tmp_path / "absent")
    assert local_store.get("a/k") == b"old"
    assert [path.name for path in (local_store.root / "a").iterdir()] == ["k"]


def test_a_link_inside_the_folder_does_not_lead_out_of_it(local_store, tmp_path):
    (tmp_path / "secret").write_text("s")
    local_store.put("a", b"1")
    (local_store.root / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError):
        local_store.get("link/secret")


def test_a_video_dropped_into_the_folder_by_hand_is_listed_with_its_hash(local_store: LocalObjectStore):
    path: Path = local_store.root / "uploads" / "drive one.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"film")
    (head,) = local_store.list("uploads/")
    assert (head.key, head.size, head.sha256) == ("uploads/drive one.mp4", 4, hashlib.sha256(b"film").hexdigest())
    assert local_store.local_path(head.key) == path
    path.write_bytes(b"FILM")
    assert local_store.head(head.key).sha256 == hashlib.sha256(b"FILM").hexdigest()


def test_an_empty_folder_that_does_not_exist_yet_lists_nothing(tmp_path):
    store = LocalObjectStore(tmp_path / "not yet")
    assert list(store.list()) == store.page() == []
