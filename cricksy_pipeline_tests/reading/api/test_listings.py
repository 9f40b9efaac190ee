"""Lists of sessions and jobs: whose they are, in which order, at what cost."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, update

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.reading.api.cursors import cursor_text, position_of
from cricksy_pipeline.store.claims import JOB, SESSION
from cricksy_pipeline.store.models import Document, VideoAnalysisJob
from cricksy_pipeline.store.row_pages import Position
from cricksy_pipeline_tests.reading.api.test_api import JOBS, finished, problem
from cricksy_pipeline_tests.reading.signed_in import bearer

SESSIONS = "/api/coaches/plus/sessions"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE_MOMENT = "2026-03-01T10:00:00+00:00"
BLOBS = [column.name for column in VideoAnalysisJob.__table__.columns if isinstance(column.type, type(Document))]


@contextmanager
def statements(engine):
    """The SQL that is sent within the block."""
    sent: list[str] = []

    def hear(_connection, _cursor, statement, *_):
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def pages(client, url: str, limit: int, after: str | None = None, **asked) -> list[dict]:
    """All items of a listing, page after page."""
    items, cursor = [], after
    while True:
        answer = client.get(url, params={"limit": limit, **({"cursor": cursor} if cursor else {})}, **asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


@pytest.fixture
def rows(job_store):
    """Seven sessions of c1 with a job each, all made at the same moment; one of an organisation, one of somebody else."""
    mine = [job_store.create_session(owner_id="c1", title=f"s{i}", session_id=f"s{i}") for i in range(7)]
    org = job_store.create_session(owner_type="org", owner_id="club", title="club", session_id="club")
    other = job_store.create_session(owner_id="c2", title="other", session_id="other")
    jobs = {session: job_store.create_job(session, "batting", "local", f"k/{session}.mp4") for session in (*mine, org, other)}
    with job_store.engine.begin() as connection:
        for table in (SESSION, JOB):
            connection.execute(update(table).values(created_at=ONE_MOMENT))
    return jobs


def test_pages_give_every_row_once_even_where_all_were_made_at_one_moment(client, rows):
    for limit in (1, 3, 200):
        assert [item["id"] for item in pages(client, SESSIONS, limit)] == [f"s{i}" for i in reversed(range(7))]
        listed = pages(client, JOBS, limit)
        assert {item["id"] for item in listed} == {rows[f"s{i}"] for i in range(7)} and len(listed) == 7
        assert {item["session_title"] for item in listed} == {f"s{i}" for i in range(7)}


def test_what_is_made_between_two_pages_neither_repeats_nor_hides_a_row(client, job_store, rows):
    first = client.get(SESSIONS, params={"limit": 3}).json()
    job_store.create_session(owner_id="c1", title="just now", session_id="zz")
    rest = pages(client, SESSIONS, 3, after=first["next_cursor"])
    assert [item["id"] for item in first["items"] + rest] == [f"s{i}" for i in reversed(range(7))]


def test_a_coach_sees_his_own_and_his_organisations(client, rows):
    seen = client.get(SESSIONS, headers=bearer("c1", "club")).json()["items"]
    assert {item["id"] for item in seen} == {*(f"s{i}" for i in range(7)), "club"}
    assert [item["id"] for item in client.get(JOBS, headers=bearer("c2")).json()["items"]] == [rows["other"]]
    assert client.get(SESSIONS, headers=bearer("nobody")).json() == {"items": [], "next_cursor": None}


def test_the_sessions_of_a_coach_and_of_his_organisations_are_one_list_page_by_page(client, job_store, rows):
    """Each owner's are looked up by themselves."""
    for number in range(5):
        job_store.create_session(owner_type="org", owner_id="club", title="club", session_id=f"o{number}")
    with job_store.engine.begin() as connection:
        connection.execute(update(SESSION).values(created_at=ONE_MOMENT))
    everything = sorted([*(f"s{i}" for i in range(7)), *(f"o{i}" for i in range(5)), "club"], reverse=True)
    for limit in (1, 2, 5, 200):
        assert [item["id"] for item in pages(client, SESSIONS, limit, headers=bearer("c1", "club"))] == everything


def test_no_listing_reads_a_document(client, job_store, rows):
    finished(job_store, rows["s3"])
    assert {"results", "quick_results", "deep_results", "deep_findings", "deep_report", "superseded", "stored_objects"} <= set(BLOBS)
    for url in (SESSIONS, f"{SESSIONS}/s3", JOBS, f"{SESSIONS}/s3/analysis-jobs"):
        with statements(job_store.engine) as sent:
            answer = client.get(url)
        assert answer.status_code == 200 and "s3" in answer.text
        asked = " ".join(statement.replace("_s3_key", "") for statement in sent)
        assert "video_analysis_jobs" in asked and not [name for name in BLOBS if name in asked.replace("analysis_jobs", "")], url
        assert len(answer.content) < 10_000


def test_a_list_of_jobs_is_narrowed_by_status_and_mode(client, job_store, rows):
    finished(job_store, rows["s3"])
    assert [item["id"] for item in client.get(JOBS, params={"status": ["done", "failed"]}).json()["items"]] == [rows["s3"]]
    assert client.get(JOBS, params={"analysis_mode": "bowling"}).json()["items"] == []
    assert len(client.get(JOBS, params={"analysis_mode": "batting", "status": "queued"}).json()["items"]) == 6
    problem(client.get(JOBS, params={"status": "asleep"}), 422)


def test_a_list_shows_each_session_with_its_newest_job(client, job_store, rows):
    newer = job_store.create_job("s3", "bowling", "local", "k/s3.mp4")
    found = {item["id"]: item["latest_job"] for item in client.get(SESSIONS).json()["items"]}
    assert found["s3"]["id"] == newer and found["s3"]["analysis_mode"] == "bowling" and found["s2"]["id"] == rows["s2"]
    empty = client.post(SESSIONS, json={"title": "empty"}).json()
    assert empty["latest_job"] is None and empty["status"] == "pending"


def test_who_has_a_list_is_not_sent_it_again_until_something_in_it_changes(client, job_store, rows):
    for url in (SESSIONS, JOBS, f"{SESSIONS}/s3", f"{SESSIONS}/s3/analysis-jobs", f"{JOBS}/{rows['s3']}"):
        etag = client.get(url).headers["etag"]
        again = client.get(url, headers={"If-None-Match": etag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        job_store.claim(rows["s3"], f"run for {url}"[:60])
        job_store.fail(rows["s3"], f"run for {url}"[:60], "INTERNAL", f"changed for {url}")
        assert client.get(url, headers={"If-None-Match": etag}).status_code == 200


def test_a_job_that_has_not_changed_costs_no_look_at_its_documents(client, job_store, rows):
    finished(job_store, rows["s3"])
    url = f"{JOBS}/{rows['s3']}"
    etag = client.get(url).headers["etag"]
    with statements(job_store.engine) as sent:
        assert client.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert not [name for name in BLOBS if name in " ".join(sent)]


def test_a_row_that_somebody_else_wrote_is_another_version(client, job_store, rows):
    """`updated_at` is left as it was, as the earlier system may."""
    url = f"{JOBS}/{rows['s3']}"
    etag = client.get(url).headers["etag"]
    with job_store.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE video_analysis_jobs SET sample_fps = 7 WHERE id = '{rows['s3']}'")
    answer = client.get(url, headers={"If-None-Match": etag})
    assert answer.status_code == 200 and answer.json()["sample_fps"] == 7


@given(st.integers(0, 4 * 10**15).map(lambda us: EPOCH + timedelta(microseconds=us)), st.text("aZ09-_.ü\U0001f3cf", max_size=40))
def test_a_cursor_gives_its_position_back(created_at, row_id):
    position = Position(created_at, row_id)
    read = position_of(cursor_text(position))
    assert read is not None and (read.created_at, read.id) == (created_at, row_id)


@given(st.text(max_size=60))
def test_what_is_no_cursor_is_refused_in_clear_words(text):
    try:
        position = position_of(text)
    except CricksyError as error:
        assert error.code == "REQUEST_INVALID"
    else:
        assert position is not None and position_of(cursor_text(position)) == position


def test_a_cursor_or_limit_that_cannot_be_meant_is_a_problem(client):
    for query in ({"cursor": "zzz"}, {"cursor": "W10"}, {"limit": 0}, {"limit": 201}, {"limit": "many"}):
        assert problem(client.get(SESSIONS, params=query), 422)["code"] == "REQUEST_INVALID"
