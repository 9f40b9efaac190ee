"""What is said of filming people: read, changed, and never assumed; in the store, in the table, in the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.store.claims import SESSION
from cricksy_pipeline.store.consent import CONSENT_COLUMNS, demand_meant
from cricksy_pipeline.store.sessions import UnknownSession
from cricksy_pipeline.store.submissions import announce

SESSIONS = "/api/coaches/plus/sessions"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
YESTERDAY, TOMORROW = NOW - timedelta(days=1), NOW + timedelta(days=1)
GIVEN = {"consent_given": True, "consent_by": "Anna's mother", "consent_at": YESTERDAY}


@pytest.fixture
def session_id(job_store) -> str:
    return job_store.create_session(owner_id="c1", title="Tuesday nets")


def said_of(job_store, session_id: str) -> dict:
    row = job_store.get_session(session_id)
    return {name: getattr(row, name) for name in CONSENT_COLUMNS}


def in_words(**said) -> str:
    with pytest.raises(CricksyError) as caught:
        demand_meant(said, now=NOW)
    assert caught.value.code == "OPTIONS_INVALID"
    return caught.value.message


def test_of_a_new_session_nobody_said_anything_however_it_came_about(job_store, session_id, client):
    dropped = announce(job_store, bucket="b", suffix=".mp4", mode="batting", title="Dropped", owner_type="coach", owner_id="c1").session_id
    posted = client.post(SESSIONS, json={"title": "Posted"}).json()["id"]
    for one in (session_id, dropped, posted):
        assert set(said_of(job_store, one).values()) == {None}
        read = client.get(f"{SESSIONS}/{one}").json()
        assert {name: read[name] for name in CONSENT_COLUMNS} == dict.fromkeys(CONSENT_COLUMNS)


def test_no_column_of_these_has_a_default_so_sessions_that_were_there_before_say_nothing(job_store):
    query = (
        "SELECT column_default, is_nullable FROM information_schema.columns"
        " WHERE table_name = 'video_sessions' AND column_name = ANY(:names)"
    )
    with job_store.engine.connect() as connection:
        found = connection.execute(text(query), {"names": list(CONSENT_COLUMNS)}).all()
    assert found == [(None, "YES")] * len(CONSENT_COLUMNS)


def test_a_consent_is_read_as_it_was_given(client, session_id):
    given = {"consent_given": True, "consent_by": "  Anna's mother ", "consent_at": "2026-01-05T18:30:00+01:00"}
    minor = {"player_is_minor": True, "consent_by_guardian": True, "blur_faces": True, "retention_until": "2999-01-01T00:00:00Z"}
    answer = client.patch(f"{SESSIONS}/{session_id}", json=given | minor)
    assert answer.status_code == 200, answer.text
    read = client.get(f"{SESSIONS}/{session_id}").json()
    assert read["consent_by"] == "Anna's mother" and read["consent_at"].startswith("2026-01-05T17:30:00")
    assert [read[name] for name in ("consent_given", "player_is_minor", "consent_by_guardian", "blur_faces")] == [True] * 4
    assert read["retention_until"].startswith("2999-01-01T00:00:00") and read["title"] == "Tuesday nets"


def test_what_is_left_out_stays_and_null_takes_back(client, job_store, session_id):
    client.patch(f"{SESSIONS}/{session_id}", json={"blur_faces": True, "player_is_minor": False})
    client.patch(f"{SESSIONS}/{session_id}", json={"title": "Wednesday nets"})
    assert (said_of(job_store, session_id)["blur_faces"], said_of(job_store, session_id)["player_is_minor"]) == (True, False)
    client.patch(f"{SESSIONS}/{session_id}", json={"blur_faces": None})
    assert (said_of(job_store, session_id)["blur_faces"], said_of(job_store, session_id)["player_is_minor"]) == (None, False)
    assert job_store.get_session(session_id).title == "Wednesday nets"


def test_a_consent_can_be_withdrawn_and_says_by_whom_and_when(client, session_id):
    path = f"{SESSIONS}/{session_id}"
    client.patch(path, json={"consent_given": True, "consent_by": "Bert", "consent_at": "2026-01-05T18:30:00Z"})
    withdrawn = {"consent_given": False, "consent_by": "Bert", "consent_at": "2026-02-01T08:00:00Z"}
    read = client.patch(path, json=withdrawn).json()
    assert read["consent_given"] is False and read["consent_at"].startswith("2026-02-01")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"consent_given": True}, "who gave it"),
        ({"consent_given": True, "consent_by": "Anna"}, "when"),
        ({"consent_given": True, "consent_at": YESTERDAY}, "who gave it"),
        ({**GIVEN, "consent_by": "  "}, "who gave it"),
        ({**GIVEN, "consent_by": "A\x00"}, "name"),
        ({**GIVEN, "consent_by": "A" * 256}, "name"),
        ({**GIVEN, "player_is_minor": True}, "guardian"),
        ({**GIVEN, "player_is_minor": True, "consent_by_guardian": False}, "guardian"),
        ({**GIVEN, "consent_at": TOMORROW}, "future"),
        ({**GIVEN, "consent_at": YESTERDAY.replace(tzinfo=None)}, "time zone"),
        ({"consent_by": "Anna"}, "consent_given"),
        ({"consent_at": YESTERDAY}, "consent_given"),
        ({"consent_by_guardian": True}, "consent_given"),
        ({"retention_until": YESTERDAY}, "delete"),
        ({"retention_until": TOMORROW.replace(tzinfo=None)}, "time zone"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words_for_a_coach(said, words):
    assert words in in_words(**said)


def test_what_is_said_is_judged_together_with_what_was_said_before(job_store, session_id):
    job_store.change_session(session_id, **{**GIVEN, "consent_at": datetime.now(UTC) - timedelta(days=1)})
    with pytest.raises(CricksyError, match="guardian"):
        job_store.change_session(session_id, player_is_minor=True, title="Changed")
    assert job_store.get_session(session_id).title == "Tuesday nets"
    job_store.change_session(session_id, player_is_minor=True, consent_by_guardian=True)
    with pytest.raises(CricksyError, match="who gave it"):
        job_store.change_session(session_id, consent_by=None)
    with pytest.raises(CricksyError, match="take back"):
        job_store.change_session(session_id, consent_given=None)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "consent_given": st.none() | st.booleans(),
            "consent_by": st.none() | st.sampled_from(["Anna", "", "  "]),
            "consent_at": st.none() | st.sampled_from([YESTERDAY, NOW, TOMORROW, YESTERDAY.astimezone(timezone(timedelta(hours=9)))]),
            "consent_by_guardian": st.none() | st.booleans(),
            "player_is_minor": st.none() | st.booleans(),
            "retention_until": st.none() | st.sampled_from([YESTERDAY, TOMORROW]),
            "blur_faces": st.none() | st.booleans(),
        },
    )
)
def test_whatever_is_accepted_a_consent_has_a_giver_a_time_and_for_a_minor_a_guardian(said):
    try:
        meant = demand_meant(said, now=NOW)
    except CricksyError:
        return
    assert meant.keys() == said.keys()
    if meant.get("consent_given"):
        assert said["consent_given"] is True and meant["consent_by"] and meant["consent_at"] <= NOW
        assert not meant.get("player_is_minor") or meant["consent_by_guardian"] is True
    assert meant.get("retention_until") != YESTERDAY


@pytest.mark.parametrize(
    "row",
    [
        {"consent_given": True},
        {"consent_given": True, "consent_by": "Anna"},
        {"consent_given": True, "consent_by": "", "consent_at": NOW},
        {"consent_given": True, "consent_by": "Anna", "consent_at": NOW, "player_is_minor": True},
        {"consent_given": True, "consent_by": "Anna", "consent_at": NOW, "player_is_minor": True, "consent_by_guardian": False},
    ],
)
def test_the_table_itself_refuses_a_consent_that_nobody_gave(job_store, row):
    with pytest.raises(IntegrityError, match="consent_is_said"), job_store.engine.begin() as connection:
        connection.execute(insert(SESSION).values(id="s", owner_type="coach", owner_id="c1", title="t", **row))


def test_the_api_takes_no_word_or_number_for_a_consent(client, job_store, session_id):
    for said in (
        {"consent_given": "yes"},
        {"consent_given": 1},
        {"blur_faces": "true"},
        {"player_is_minor": 0},
        {"retention_until": "2999-01-01T00:00:00"},
        {"retention_until": "2001-01-01T00:00:00Z"},
        {"consent_given": True},
        {"consent_by": "x" * 300, "consent_given": False},
        {"consent_by": "a\u0000b", "consent_given": False},
    ):
        answers = [client.patch(f"{SESSIONS}/{session_id}", json=said), client.post(SESSIONS, json={"title": "New", **said})]
        assert [answer.status_code for answer in answers] == [422, 422], said
    assert set(said_of(job_store, session_id).values()) == {None}
    assert len(client.get(SESSIONS).json()["items"]) == 1


def test_a_new_session_takes_what_is_said_with_it(client):
    said = {"title": "With consent", "consent_given": True, "consent_by": "Bert", "consent_at": "2026-01-05T18:30:00Z", "blur_faces": False}
    read = client.post(SESSIONS, json=said).json()
    assert (read["consent_given"], read["consent_by"], read["blur_faces"], read["player_is_minor"]) == (True, "Bert", False, None)


def test_a_change_of_a_session_that_is_not_there_or_of_another_column_is_an_error(job_store, session_id):
    with pytest.raises(UnknownSession):
        job_store.change_session("nobody", blur_faces=True)
    for wrong in ({"owner_id": "c2"}, {"status": "ready"}, {"title": " "}, {"camera_view": "above"}, {"s3_key": "x"}):
        with pytest.raises(ValueError):
            job_store.change_session(session_id, **wrong)
    with pytest.raises(ValueError):
        job_store.create_session(owner_id="c1", title="t", consented=True)


def test_everything_else_that_a_coach_says_can_be_changed(job_store, session_id):
    job_store.change_session(
        session_id, title=" Nets\x00 ", notes="N", analysis_context="bowling", camera_view="side", player_ids=["p1", "p2"]
    )
    row = job_store.get_session(session_id)
    assert (row.title, row.notes, row.analysis_context, row.camera_view, row.player_ids) == ("Nets", "N", "bowling", "side", ["p1", "p2"])
    changed = job_store.change_session(session_id, notes=None, camera_view=None, player_ids=None)
    assert (changed.notes, changed.camera_view, changed.player_ids, changed.analysis_context) == (None, None, [], "bowling")
    assert changed.updated_at >= row.updated_at
