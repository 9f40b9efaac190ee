"""Uploads from the first address to the queued job: to a folder through signed links, to S3 over HTTP."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.reading.api import part_links
from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline.reading.api.first_bytes import begins_as_a_video
from cricksy_pipeline.store import multipart
from cricksy_pipeline.store.expiry import expire_uploads
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.multipart import incomplete_uploads, part_size, parts_of
from cricksy_pipeline.store.objects import ObjectStore
from cricksy_pipeline.store.uploads import UploadIntake
from cricksy_pipeline_tests.reading.api.test_api import problem
from cricksy_pipeline_tests.reading.signed_in import bearer, strict_access

UPLOADS = "/api/coaches/plus/videos/upload"
SESSIONS = "/api/coaches/plus/sessions"
PART = 5 * 1024 * 1024
"""S3 takes no smaller part."""


def film(size: int) -> bytes:
    """Bytes that begin as an mp4 does and differ everywhere."""
    pattern = bytes(range(256)) * 4099  # no divisor of a part: parts that change places are seen
    return (b"\x00\x00\x00\x18ftypmp42" + pattern * (size // len(pattern) + 1))[:size]


@dataclass
class Place:
    """One API over one store, and how its clients send a part."""

    client: TestClient
    jobs: JobStore
    objects: ObjectStore
    part: int = PART

    def initiate(self, size: int, **said) -> dict:
        asked = {"file_name": "Nets.MP4", "size_bytes": size, "analysis_mode": "batting", **said}
        answer = self.client.post(f"{UPLOADS}/initiate", json=asked)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def put(self, upload: dict, part: dict, body: bytes):
        piece = body[part["offset"] : part["offset"] + part["size"]]
        if part["url"].startswith("http"):
            return httpx.put(part["url"], content=piece, headers=upload["headers"])
        with TestClient(self.client.app, raise_server_exceptions=False) as nobody:  # no token: the link is enough
            return nobody.put(part["url"], content=piece, headers=upload["headers"])

    def send(self, upload: dict, body: bytes) -> None:
        for part in upload["parts"]:
            assert self.put(upload, part, body).status_code in (200, 204)

    def complete(self, upload: dict):
        return self.client.post(f"{UPLOADS}/{upload['id']}/complete")


@pytest.fixture(params=["folder", "bucket"])
def place(request, job_store, monkeypatch):
    part = PART if request.param == "bucket" else 64 * 1024
    monkeypatch.setattr(multipart, "LEAST_PART", part)
    monkeypatch.setattr(multipart, "MIB", 1)
    monkeypatch.setattr(multipart, "WHOLE_UP_TO", part)
    objects = request.getfixturevalue("local_store" if request.param == "folder" else "s3_store")
    app = create_app(jobs=job_store, objects=objects, access=strict_access(), most_bytes=3 * PART)
    with TestClient(app, raise_server_exceptions=False, headers=bearer("c1")) as client:
        yield Place(client, job_store, objects, part)


def test_a_video_goes_to_the_store_in_parts_and_its_job_is_queued_once(place):
    body = film(2 * place.part + 1000)
    upload = place.initiate(len(body), title="Tuesday nets", subject=2)
    assert [(part["number"], part["offset"], part["size"]) for part in upload["parts"]] == [
        (1, 0, place.part),
        (2, place.part, place.part),
        (3, 2 * place.part, 1000),
    ]
    assert place.jobs.get(upload["job_id"]).status == "awaiting_upload"
    place.send(upload, body)

    first, again = place.complete(upload), place.complete(upload)

    assert (first.status_code, again.status_code) == (202, 202) and first.json()["job"]["id"] == again.json()["job"]["id"] == upload[
        "job_id"
    ]
    row = place.jobs.get(upload["job_id"])
    assert (row.status, row.source_size, row.analysis_options) == ("queued", len(body), {"subject": 2})
    assert place.objects.get(row.s3_key) == body and row.source_etag == place.objects.head(row.s3_key).etag
    session = place.jobs.get_session(upload["session_id"])
    assert (session.owner_id, session.title, session.status, session.file_size_bytes) == ("c1", "Tuesday nets", "uploaded", len(body))
    assert list(incomplete_uploads(place.objects, "")) == []


def test_the_sensor_finds_the_uploaded_object_known_and_makes_no_second_job(place):
    body = film(1000)
    upload = place.initiate(len(body))
    place.send(upload, body)
    place.complete(upload)
    place.objects.settle_s = 0.0
    swept = UploadIntake(place.jobs, place.objects).sweep()
    assert (swept.made, swept.failed, len(place.jobs.list_jobs())) == ([], [], 1)


def test_an_upload_that_the_sensor_saw_first_completes_all_the_same(place):
    body = film(1000)
    upload = place.initiate(len(body))
    place.send(upload, body)
    place.objects.settle_s = 0.0
    swept = UploadIntake(place.jobs, place.objects).sweep()
    answer = place.complete(upload)
    assert answer.status_code == 202 and answer.json()["job"]["status"] == "queued"
    assert len(place.jobs.list_jobs()) == 1 and len(swept.made) == (0 if upload["headers"] == {} else 1)


def test_after_a_break_only_what_is_missing_is_sent(place):
    body = film(2 * place.part + 1000)
    upload = place.initiate(len(body))
    place.put(upload, upload["parts"][1], body)

    early = problem(place.complete(upload), 409)
    resumed = place.client.get(f"{UPLOADS}/{upload['id']}").json()

    assert early["code"] == "UPLOAD_INCOMPLETE" and "2 of 3" in early["detail"]
    assert [part["received"] for part in resumed["parts"]] == [False, True, False]
    assert [part["url"] is None for part in resumed["parts"]] == [False, True, False]
    for part in (resumed["parts"][0], resumed["parts"][2]):
        place.put(resumed, part, body)
    assert place.complete(upload).status_code == 202
    assert place.objects.get(place.jobs.get(upload["id"]).s3_key) == body


def test_completing_from_several_sides_at_once_makes_one_object_and_one_job(place):
    body = film(place.part + 10)
    upload = place.initiate(len(body))
    place.send(upload, body)
    with ThreadPoolExecutor(4) as sides:
        answers = list(sides.map(lambda _: place.complete(upload), range(4)))
    assert [answer.text for answer in answers if answer.status_code != 202] == [] and len(place.jobs.list_jobs()) == 1
    assert place.objects.get(place.jobs.get(upload["id"]).s3_key) == body and place.jobs.get(upload["id"]).status == "queued"


def test_completing_what_somebody_completed_between_two_looks_gives_his_object(place, monkeypatch):
    body = film(place.part + 10)
    upload = place.initiate(len(body))
    place.send(upload, body)
    key = place.jobs.get(upload["id"]).s3_key
    parts, counted = parts_of(len(body)), multipart.received_parts(place.objects, key)
    made = multipart.finish_parts(place.objects, key, parts)
    monkeypatch.setattr(multipart, "received_parts", lambda *_of: counted)
    assert multipart.finish_parts(place.objects, key, parts) == made


def test_a_part_that_is_sent_again_takes_the_place_of_the_first(place):
    body = film(place.part + 10)
    upload = place.initiate(len(body))
    place.put(upload, upload["parts"][1], bytes(len(body)))
    place.send(upload, body)
    assert place.complete(upload).status_code == 202
    assert place.objects.get(place.jobs.get(upload["id"]).s3_key) == body


def test_what_is_no_video_is_refused_when_it_is_there_and_kept_nowhere(place):
    body = b"<html>" + film(2000)
    upload = place.initiate(len(body))
    place.send(upload, body)
    assert problem(place.complete(upload), 422)["code"] == "NOT_A_VIDEO"
    row = place.jobs.get(upload["id"])
    assert (row.status, row.error_code) == ("failed", "NOT_A_VIDEO") and place.objects.head(row.s3_key) is None


REFUSED = [
    ({"file_name": "notes.pdf"}, "NOT_A_VIDEO"),
    ({"file_name": "nets"}, "NOT_A_VIDEO"),
    ({"content_type": "application/pdf"}, "NOT_A_VIDEO"),
    ({"size_bytes": 3 * PART + 1}, "VIDEO_TOO_LARGE"),
    ({"size_bytes": 0}, "REQUEST_INVALID"),
    ({"analysis_mode": "umpiring"}, "REQUEST_INVALID"),
    ({"owner_type": "org", "owner_id": "not-mine"}, "REQUEST_INVALID"),
    ({"session_id": "../x"}, "NOT_FOUND"),
]


def test_what_cannot_be_taken_is_refused_before_a_byte_is_sent_and_leaves_no_row(place):
    for said, code in REFUSED:
        asked = {"file_name": "nets.mp4", "size_bytes": 1000, "analysis_mode": "batting", **said}
        answer = place.client.post(f"{UPLOADS}/initiate", json=asked)
        assert problem(answer, 404 if code == "NOT_FOUND" else 422)["code"] == code
    assert place.jobs.list_jobs() == [] and place.client.get(SESSIONS).json()["items"] == []


def test_a_session_takes_one_video_and_another_only_when_the_first_was_given_up(place):
    session = place.client.post(SESSIONS, json={"title": "Tuesday"}).json()["id"]
    body = film(1000)
    first = place.initiate(len(body), session_id=session)
    asked = {"file_name": "b.mov", "size_bytes": 1000, "analysis_mode": "batting", "session_id": session}
    assert first["id"] in problem(place.client.post(f"{UPLOADS}/initiate", json=asked), 409)["detail"]
    assert place.client.delete(f"{UPLOADS}/{first['id']}").status_code == 204
    second = place.initiate(len(body), session_id=session)
    place.send(second, body)
    assert place.complete(second).status_code == 202
    assert "a video already" in problem(place.client.post(f"{UPLOADS}/initiate", json=asked), 409)["detail"]
    assert place.jobs.get_session(session).s3_key == place.jobs.get(second["id"]).s3_key


def test_an_upload_that_was_given_up_leaves_nothing_and_takes_nothing_more(place):
    body = film(place.part + 10)
    upload = place.initiate(len(body))
    place.put(upload, upload["parts"][0], body)
    assert place.client.delete(f"{UPLOADS}/{upload['id']}").status_code == 204
    assert list(incomplete_uploads(place.objects, "")) == []
    assert place.put(upload, upload["parts"][1], body).status_code >= 400
    assert problem(place.complete(upload), 409)["code"] == "CONFLICT"
    assert problem(place.client.delete(f"{UPLOADS}/{upload['id']}"), 409)["code"] == "CONFLICT"
    assert (place.jobs.get(upload["id"]).status, place.jobs.get(upload["id"]).error_code) == ("failed", "CANCELED")


@pytest.mark.parametrize("asked", ["retry", "analyses"])
def test_a_job_whose_video_never_came_cannot_be_tried_again_and_its_session_takes_another(place, asked):
    upload = place.initiate(1000)
    assert place.client.delete(f"{UPLOADS}/{upload['id']}").status_code == 204
    problem(place.client.post(f"/api/coaches/plus/analysis-jobs/{upload['id']}/{asked}", json={}), 409)
    assert place.jobs.get(upload["id"]).status == "failed"
    assert place.initiate(1000, session_id=upload["session_id"])["id"] != upload["id"]


def test_an_upload_that_nobody_went_on_with_expires_with_its_parts(place):
    body = film(place.part + 10)
    upload = place.initiate(len(body))
    place.put(upload, upload["parts"][0], body)
    list(expire_uploads(place.jobs, place.objects, prefixes=("coach_plus/",), after_hours=0.0))
    assert list(incomplete_uploads(place.objects, "")) == []
    assert place.jobs.get(upload["id"]).error_code == "SOURCE_MISSING"


def test_deleting_the_session_deletes_the_parts_of_its_upload(place):
    body = film(place.part + 10)
    upload = place.initiate(len(body))
    place.put(upload, upload["parts"][0], body)
    assert place.client.delete(f"{SESSIONS}/{upload['session_id']}").status_code == 204
    assert list(incomplete_uploads(place.objects, "")) == []


def test_another_coachs_upload_is_not_there(place):
    upload = place.initiate(1000)
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/complete")):
        problem(place.client.request(method, f"{UPLOADS}/{upload['id']}{path}", headers=bearer("c2")), 404)
    problem(
        place.client.post(
            f"{UPLOADS}/initiate",
            headers=bearer("c2"),
            json={"file_name": "a.mp4", "size_bytes": 1, "analysis_mode": "batting", "session_id": upload["session_id"]},
        ),
        404,
    )


def test_an_owner_whose_id_no_key_can_hold_uploads_all_the_same(place):
    coach = bearer("auth0|5f7c8ec7c33c6c004bbafe82")
    place.client.headers.update(coach)
    body = film(1000)
    upload = place.initiate(len(body))
    place.send(upload, body)
    assert place.complete(upload).status_code == 202
    assert place.jobs.get_session(upload["session_id"]).owner_id == "auth0|5f7c8ec7c33c6c004bbafe82"


@pytest.fixture
def folder(job_store, local_store):
    app = create_app(jobs=job_store, objects=local_store, access=strict_access())
    with TestClient(app, raise_server_exceptions=False, headers=bearer("c1")) as client:
        yield Place(client, job_store, local_store)


def test_a_link_into_the_folder_holds_for_its_own_part_alone(folder):
    body = film(1000)
    upload, other = folder.initiate(len(body)), folder.initiate(len(body))
    url = urlsplit(upload["parts"][0]["url"])
    said = {key: values[0] for key, values in parse_qs(url.query).items()}
    changed = {name: str(int(said[name]) + 1) for name in ("size", "expires")} | {"signature": "0" * 64}
    forged = [f"{url.path}?{urlencode({**said, name: value})}" for name, value in changed.items()]
    forged += [f"{path}?{url.query}" for path in (url.path.removesuffix("1") + "2", url.path.replace(upload["id"], other["id"]))]
    for link in forged:
        assert problem(folder.client.put(link, content=body), 403)["code"] == "LINK_EXPIRED"
    for one in (upload, other):
        assert not any(part["received"] for part in folder.client.get(f"{UPLOADS}/{one['id']}").json()["parts"])


def test_a_link_into_the_folder_dies_with_its_hour(folder, monkeypatch):
    upload = folder.initiate(1000)
    url = upload["parts"][0]["url"]
    later = part_links.time.time() + 3601
    monkeypatch.setattr(part_links, "time", SimpleNamespace(time=lambda: later))
    assert problem(folder.client.put(url, content=film(1000)), 403)["code"] == "LINK_EXPIRED"


def test_a_part_of_another_length_than_announced_is_not_kept(folder):
    upload = folder.initiate(1000)
    for length, chunked in itertools.product((0, 999, 1001, 5000), (False, True)):
        body = film(5000)[:length]
        answer = folder.client.put(upload["parts"][0]["url"], content=iter([body]) if chunked else body)
        assert problem(answer, 422)["code"] == "REQUEST_INVALID"
        assert not folder.client.get(f"{UPLOADS}/{upload['id']}").json()["parts"][0]["received"]
    assert [path.name for path in folder.objects.root.rglob(".writing-half-*")] == []


def test_addresses_of_a_bucket_are_signed_for_just_the_announced_length(job_store, monkeypatch):
    from cricksy_pipeline import stack
    from cricksy_pipeline.settings import Settings

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    objects = stack.open_object_store(Settings(bucket="videos", s3_region="eu-west-1"))
    whole = objects.presigned_upload_url("a/b.mp4", "video/mp4", 60, size=1000)
    query = parse_qs(urlsplit(whole).query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"] and query["X-Amz-Expires"] == ["60"]
    assert set(query["X-Amz-SignedHeaders"][0].split(";")) == {"content-length", "content-type", "host"}


@given(st.integers(1, 5 * 1024**4))
def test_parts_cover_a_file_of_any_size_without_gap_or_overlap(size):
    parts = parts_of(size)
    assert parts[0].offset == 0 and parts[-1].offset + parts[-1].size == size
    assert all(one.offset + one.size == next_one.offset for one, next_one in itertools.pairwise(parts))
    assert len(parts) <= multipart.MOST_PARTS and all(part.size == part_size(size) for part in parts[:-1])
    assert part_size(size) >= PART and [part.number for part in parts] == list(range(1, len(parts) + 1))


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm", "avi", "ts", "m2ts", "mpg"])
def test_every_container_that_the_analysis_opens_begins_as_a_video(tmp_path, suffix):
    import av
    import numpy as np

    path = tmp_path / f"clip.{suffix}"
    with av.open(
        str(path),
        "w",
        format={"mkv": "matroska", "ts": "mpegts", "m2ts": "mpegts", "mpg": "mpeg"}.get(suffix, suffix),
        options={"mpegts_m2ts_mode": "1"} if suffix == "m2ts" else {},
    ) as container:
        stream = container.add_stream({"webm": "libvpx", "mpg": "mpeg2video", "avi": "mpeg4"}.get(suffix, "h264"), rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    assert begins_as_a_video(path.read_bytes()[:1024])


@pytest.mark.parametrize(
    "head",
    [b"", b"\x00" * 1024, b"<html>", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"RIFF\x00\x00\x00\x00WAVE", b"#EXTM3U", b"GGGG"],
)
def test_what_is_no_container_of_ours_does_not(head):
    assert not begins_as_a_video(head)


def test_a_job_that_was_never_an_upload_of_this_api_has_none(folder):
    session = folder.jobs.create_session(owner_id="c1", title="t")
    job = folder.jobs.create_job(session, "batting", "elsewhere", "k/a.mp4")
    assert problem(folder.client.get(f"{UPLOADS}/{job}"), 409)["code"] == "CONFLICT"
