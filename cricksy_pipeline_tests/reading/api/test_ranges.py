"""Stored objects as answers: whole, in part, unchanged, or not at all; the same over a folder and over S3."""

from __future__ import annotations

import re
import tracemalloc

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline.reading.api.ranges import Span, Unsatisfiable, span_of
from cricksy_pipeline.store.claims import JOB
from cricksy_pipeline.store.keys import Output, clip_name, output_key
from cricksy_pipeline_tests.reading.api.test_api import JOBS, KEY, finished, problem
from cricksy_pipeline_tests.reading.signed_in import bearer, strict_access

FILM = bytes(range(256)) * 40 + b"the end"


@pytest.fixture(params=["folder", "bucket"])
def video(request, job_store):
    """A client and the address of a video of `FILM`."""
    objects = request.getfixturevalue("local_store" if request.param == "folder" else "s3_store")
    objects.put(KEY, FILM)
    session_id = job_store.create_session(owner_id="c1", title="Tuesday nets")
    job_id = job_store.create_job(session_id, "batting", objects.bucket, KEY)
    app = create_app(jobs=job_store, objects=objects, access=strict_access())
    with TestClient(app, raise_server_exceptions=False, headers=bearer("c1")) as client:
        yield client, f"{JOBS}/{job_id}/video"


def test_a_player_gets_the_video_whole_or_in_the_pieces_that_it_asks_for(video):
    client, url = video
    whole = client.get(url)
    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, FILM, "bytes")
    assert whole.headers["content-type"] == "video/mp4" and whole.headers["content-length"] == str(len(FILM))
    for asked, piece in (("0-99", FILM[:100]), ("100-", FILM[100:]), ("-7", b"the end"), (f"5-{10**12}", FILM[5:]), ("0-0", FILM[:1])):
        answer = client.get(url, headers={"Range": f"bytes={asked}"})
        assert (answer.status_code, answer.content) == (206, piece)
        assert re.fullmatch(rf"bytes \d+-\d+/{len(FILM)}", answer.headers["content-range"])
        assert answer.headers["content-length"] == str(len(piece)) and answer.headers["etag"] == whole.headers["etag"]


def test_a_range_outside_of_the_video_is_416_and_says_how_long_it_is(video):
    client, url = video
    for asked in (f"{len(FILM)}-", f"{10**15}-{10**16}", "-0"):
        answer = client.get(url, headers={"Range": f"bytes={asked}"})
        assert problem(answer, 416)["code"] == "REQUEST_INVALID" and answer.headers["content-range"] == f"bytes */{len(FILM)}"


def test_several_ranges_or_nonsense_are_answered_whole(video):
    client, url = video
    for asked in ("bytes=0-1,5-6", "lines=1-2", "bytes=5-2", "bytes=a-b", "bytes=", "bytes=" + "9" * 200 + "-", "bytes=-"):
        answer = client.get(url, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (200, FILM)


def test_head_tells_all_and_sends_nothing(video):
    client, url = video
    whole, head = client.get(url), client.head(url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type", "last-modified", "accept-ranges"):
        assert head.headers[name] == whole.headers[name]
    assert client.head(url, headers={"Range": "bytes=0-1"}).headers["content-length"] == str(len(FILM))


def test_if_range_gives_the_rest_of_the_same_version_and_all_of_another(video):
    client, url = video
    seen = client.head(url).headers
    same = (seen["etag"], seen["last-modified"])
    other = ('"another"', f"W/{seen['etag']}", "Thu, 01 Jan 1970 00:00:00 GMT", "nonsense")
    assert [client.get(url, headers={"Range": "bytes=5-9", "If-Range": said}).status_code for said in same] == [206, 206]
    assert [client.get(url, headers={"Range": "bytes=5-9", "If-Range": said}).status_code for said in other] == [200] * 4


def test_who_has_the_version_is_not_sent_it_again(video):
    client, url = video
    etag = client.head(url).headers["etag"]
    for headers in ({}, {"Range": "bytes=0-1"}):
        answer = client.get(url, headers={"If-None-Match": f'"x", {etag}', **headers})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


def test_a_long_video_is_never_in_memory_whole(client, job_store, local_store):
    path = local_store.root / KEY
    path.parent.mkdir(parents=True)
    with path.open("wb") as target:
        target.truncate(200 * 1024 * 1024)
    job_id = job_store.create_job(job_store.create_session(owner_id="c1", title="t"), "batting", "local", KEY)
    row_url = f"{JOBS}/{job_id}/video"
    client.head(row_url)  # the hash of a file is known after the first look
    tracemalloc.start()
    read = sum(len(piece) for piece in local_store.read_range(KEY, 10, 200 * 1024 * 1024 - 10))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == 200 * 1024 * 1024 - 10 and peak < 4 * 1024 * 1024
    assert client.get(row_url, headers={"Range": "bytes=104857600-104857699"}).content == bytes(100)


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d{0,6}-\d{0,6}", fullmatch=True), st.integers(1, 100_000))
def test_whatever_is_asked_the_answer_lies_within_the_object(header, size):
    try:
        span = span_of(header, size)
    except Unsatisfiable:
        return
    assert span is None or (span.size >= 1 and 0 <= span.start <= span.last < size)


@given(st.data(), st.integers(1, 10_000))
def test_a_satisfiable_range_is_given_as_it_was_asked(data, size):
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    assert span_of(f"bytes={first}-{last}", size) == Span(first, last - first + 1)
    assert span_of(f"bytes={first}-", size) == Span(first, size - first)
    assert span_of(f"bytes=-{last + 1}", size) == Span(size - last - 1, last + 1)


def test_each_named_address_serves_its_output_and_a_clip_its_delivery(client, job_store, local_store):
    job_id = job_store.create_job(job_store.create_session(owner_id="c1", title="t"), "batting", "local", KEY)
    named = {
        "report.html": Output.REPORT_HTML,
        "report.pdf": Output.REPORT_PDF,
        "metrics.csv": Output.METRICS_CSV,
        "landmarks.parquet": Output.DEEP_FRAMES,
        "landmarks.trc": Output.LANDMARKS_TRC,
    }
    for address, output in named.items():
        assert problem(client.get(f"{JOBS}/{job_id}/{address}"), 404)["code"] == "NOT_FOUND"
        local_store.put(output_key(KEY, job_id, output), b"content of " + address.encode())
        answer = client.get(f"{JOBS}/{job_id}/{address}")
        assert answer.content == b"content of " + address.encode() and answer.headers["content-type"] == output.content_type
        assert f'filename="{address}"' in answer.headers["content-disposition"]
        problem(client.get(f"{JOBS}/{job_id}/{address}", headers=bearer("c2")), 404)


def test_overlay_and_clips_are_served_as_recorded_and_never_with_faces_that_are_to_be_blurred(client, job_store, local_store):
    session_id = job_store.create_session(owner_id="c1", title="t")
    job_id = job_store.create_job(session_id, "batting", "local", KEY)
    finished(job_store, job_id)
    url = f"{JOBS}/{job_id}"
    names = {Output.DEEP_RESULTS.value: "deep.json", Output.OVERLAY.value: "over.mp4", clip_name(2): "two.mp4"}
    for key in names.values():
        local_store.put(f"somewhere/{key}", b"the second ball")
    recorded = {name: {"key": f"somewhere/{key}", "sha256": "x"} for name, key in names.items()}
    with job_store.engine.begin() as connection:
        stages = {"overlay": {"of": "x", "blurred": False, "clips": [2]}}
        connection.execute(update(JOB).where(JOB.c.id == job_id).values(stored_objects=recorded, stages=stages))
    answer = client.get(f"{url}/deliveries/2.mp4", headers={"Range": "bytes=4-9"})
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (206, b"second", "video/mp4")
    assert client.get(f"{url}/overlay.mp4").content == client.get(f"{url}/files/overlay.mp4").content == b"the second ball"
    problem(client.get(f"{url}/deliveries/1.mp4"), 404)
    problem(client.get(f"{url}/deliveries/x.mp4"), 422)
    job_store.change_session(session_id, blur_faces=True)
    for address in ("overlay.mp4", "files/overlay.mp4", "deliveries/2.mp4"):
        problem(client.get(f"{url}/{address}"), 404)
