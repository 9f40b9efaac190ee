"""Sessions made, changed and deleted through the API, and analyses of their video."""

from __future__ import annotations

import pytest

from cricksy_pipeline_tests.reading.api.test_api import JOBS, KEY, RUN, problem
from cricksy_pipeline_tests.reading.signed_in import bearer

SESSIONS = "/api/coaches/plus/sessions"


@pytest.fixture
def session(client) -> dict:
    said = {"title": " Tuesday nets ", "analysis_context": "batting", "camera_view": "side", "player_ids": ["p1"], "notes": "windy"}
    answer = client.post(SESSIONS, json=said)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def filmed(job_store, local_store) -> tuple[str, str]:
    """A session with its video and one queued job."""
    head = local_store.put(KEY, b"a film")
    session_id = job_store.create_session(owner_id="c1", title="t", analysis_context="batting", s3_bucket=local_store.bucket, s3_key=KEY)
    return session_id, job_store.create_job(session_id, "batting", local_store.bucket, KEY, head.etag, head.sha256, head.size)


def test_a_session_is_read_as_it_was_made(client, session):
    assert (session["title"], session["owner_type"], session["owner_id"]) == ("Tuesday nets", "coach", "c1")
    assert (session["analysis_context"], session["camera_view"], session["player_ids"]) == ("batting", "side", ["p1"])
    assert {session[name] for name in ("consent_given", "retention_until", "blur_faces", "latest_job")} == {None}
    assert client.get(f"{SESSIONS}/{session['id']}").json() == session


def test_a_change_leaves_what_it_does_not_name_and_null_takes_back(client, session):
    url = f"{SESSIONS}/{session['id']}"
    changed = client.patch(url, json={"title": "Wednesday", "notes": None}).json()
    assert (changed["title"], changed["notes"], changed["camera_view"]) == ("Wednesday", None, "side")
    assert client.patch(url, json={}).json() == changed


def test_consent_and_retention_are_said_read_and_taken_back(client, session):
    url = f"{SESSIONS}/{session['id']}"
    said = {"consent_given": True, "consent_by": "A. Parent", "consent_at": "2026-01-01T10:00:00Z", "blur_faces": True}
    changed = client.patch(url, json=said)
    assert changed.status_code == 200 and {name: changed.json()[name] for name in said} == said
    assert problem(client.patch(url, json={"consent_given": "yes"}), 422)["code"] == "REQUEST_INVALID"


REFUSED = [
    {"title": None},
    {"title": "  "},
    {"title": "x" * 256},
    {"title": "a\x00b"},
    {"camera_view": "above"},
    {"owner_id": "c2"},
    {"colour": 1},
    [],
]


def test_what_cannot_be_said_of_a_session_is_a_problem_and_changes_nothing(client, session):
    url = f"{SESSIONS}/{session['id']}"
    for said in REFUSED:
        assert problem(client.patch(url, json=said), 422)["code"] == "REQUEST_INVALID", said
    assert client.get(url).json() == session


def test_a_session_may_be_an_organisations_for_its_own_coaches_only(client):
    asked = {"title": "Academy", "owner_type": "org", "owner_id": "club"}
    assert problem(client.post(SESSIONS, json=asked), 422)["code"] == "REQUEST_INVALID"
    made = client.post(SESSIONS, json=asked, headers=bearer("c1", "club")).json()
    assert client.get(f"{SESSIONS}/{made['id']}", headers=bearer("c9", "club")).json()["owner_id"] == "club"
    problem(client.get(f"{SESSIONS}/{made['id']}"), 404)


def test_a_deleted_session_is_gone_with_its_video_and_jobs(client, job_store, local_store, filmed):
    session_id, job_id = filmed
    busy = problem(client.delete(f"{SESSIONS}/{session_id}"), 409)
    assert busy["code"] == "CONFLICT" and busy["retryable"] and local_store.head(KEY)
    job_store.claim(job_id, RUN)
    job_store.fail(job_id, RUN, "INTERNAL", "oops")
    assert client.delete(f"{SESSIONS}/{session_id}").status_code == 204
    assert local_store.head(KEY) is None and client.get(f"{JOBS}/{job_id}").status_code == 404
    assert problem(client.delete(f"{SESSIONS}/{session_id}"), 404)["code"] == "NOT_FOUND"


def test_a_video_is_analysed_once_more_beside_its_first_analysis(client, job_store, filmed):
    session_id, job_id = filmed
    url = f"{SESSIONS}/{session_id}/analysis-jobs"
    assert job_id in problem(client.post(url, json={}), 409)["detail"]
    answer = client.post(url, json={"analysis_mode": "bowling", "slow_motion": 4})
    assert answer.status_code == 202 and answer.json()["status"] == "queued"
    row, first = job_store.get(answer.json()["id"]), job_store.get(job_id)
    assert (row.s3_key, row.source_etag, row.analysis_mode, row.analysis_options) == (
        KEY,
        first.source_etag,
        "bowling",
        {"slow_motion": 4.0},
    )
    assert [item["id"] for item in client.get(url).json()["items"]] == [row.id, job_id]


def test_a_session_without_a_video_or_a_mode_cannot_be_analysed(client, job_store, local_store, session):
    assert problem(client.post(f"{SESSIONS}/{session['id']}/analysis-jobs", json={}), 409)["code"] == "CONFLICT"
    local_store.put(KEY, b"a film")
    mixed = job_store.create_session(owner_id="c1", title="t", analysis_context="mixed", s3_bucket="local", s3_key=KEY)
    assert problem(client.post(f"{SESSIONS}/{mixed}/analysis-jobs", json={}), 422)["code"] == "MODE_MISSING"


def test_a_video_in_a_folder_is_played_from_this_api(client, filmed):
    stream = client.get(f"{JOBS}/{filmed[1]}").json()["video_stream"]
    assert stream["video_url"] == f"{JOBS}/{filmed[1]}/video" and stream["expires_in"] > 0
    assert client.get(stream["video_url"]).content == b"a film"
