"""Every route of the real app, walked: without a token, and with the token of a coach whose it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from starlette.routing import Mount

from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output, output_key, upload_key
from cricksy_pipeline.store.objects import LocalObjectStore
from cricksy_pipeline_tests.conftest import _database
from cricksy_pipeline_tests.reading.api.test_api import published_quick
from cricksy_pipeline_tests.reading.signed_in import bearer, strict_access

API = "/api/coaches/plus"
ANNA, BERT = bearer("anna"), bearer("bert", "north", "coach", "anna.")
HTML = {"Accept": "text/html"}

OPEN = {
    ("GET", "/openapi.json"),
    ("HEAD", "/openapi.json"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/healthz"),
    ("GET", "/favicon.ico"),
    ("GET", "/static"),
    ("GET", "/static/{name}.css"),
    ("PUT", f"{API}/signed/uploads/{{job_id}}/parts/{{number}}"),
}
"""All that may be answered to nobody in particular. A new line here is a decision."""

BESIDE = {"number": "1", "delivery": "1", "name": "player.png"}


def routes_of(app) -> list[tuple[str, str]]:
    """(method, path) of each route, mounts by their folder."""
    found = []
    for route in app.routes:
        for method in ["GET"] if isinstance(route, Mount) else route.methods:
            found.append((method, route.path))
    assert len(found) > 40
    return sorted(found)


ROUTES = routes_of(create_app(jobs=None, objects=LocalObjectStore.__new__(LocalObjectStore), access=strict_access()))
OF_SOMEBODY = [route for route in ROUTES if route not in OPEN and ("{job_id}" in route[1] or "{session_id}" in route[1])]
"""The part route is open because its address is signed; `test_what_is_open_tells_nothing_of_anybody` asks it without."""


class World:
    """Two coaches, each with a session and a job whose quick pass is there; an organisation's; and an upload of anna's that waits."""

    def __init__(self, job_store, local_store) -> None:
        self.jobs, self.store = job_store, local_store
        app = create_app(jobs=job_store, objects=local_store, access=strict_access())
        self.client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
        self.sessions, self.job_of, self.keys = {}, {}, {}
        for name, owner in (("anna", ("coach", "anna")), ("bert", ("coach", "bert")), ("north", ("org", "north"))):
            session_id = job_store.create_session(owner_type=owner[0], owner_id=owner[1], title=f"Nets of {name}")
            key = upload_key(*owner, session_id, "v1", "mp4")
            local_store.put(key, b"the video of " + name.encode())
            job_store.attach_upload(session_id, s3_bucket=local_store.bucket, s3_key=key, file_size_bytes=10)
            job_id = job_store.create_job(session_id, "batting", local_store.bucket, key)
            published_quick(job_store, job_id)
            for output in Output:
                local_store.put(output_key(key, job_id, output), b"secret of " + name.encode())
            self.sessions[name], self.job_of[name], self.keys[name] = session_id, job_id, key

    def path(self, template: str, whose: str) -> str:
        ids = {
            "job_id": self.job_of.get(whose, whose),
            "session_id": self.sessions.get(whose, whose),
            "other": self.job_of["bert"],
            **BESIDE,
        }
        return re.sub(r"{(\w+)(:\w+)?}", lambda part: ids[part[1]], template)


@pytest.fixture(scope="module")
def world(postgres, _migrated_template, tmp_path_factory) -> Iterator[World]:
    """Made once, for nothing here may change it: that is what is tested."""
    with _database(postgres, template=_migrated_template) as url:
        engine = make_engine(url)
        yield World(JobStore(engine), LocalObjectStore(tmp_path_factory.mktemp("objects")))
        engine.dispose()


@pytest.fixture
def own_world(job_store, local_store) -> World:
    """For tests that do change something."""
    return World(job_store, local_store)


@pytest.fixture(scope="module")
def closed_client():
    """The real app, whose database nobody may so much as ask."""
    app = create_app(jobs=None, objects=LocalObjectStore.__new__(LocalObjectStore), access=strict_access())
    return TestClient(app, raise_server_exceptions=False, follow_redirects=False)


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route not in OPEN])
def test_no_route_answers_without_a_token(closed_client, method, path):
    address = re.sub(r"{[^}]+}", "x1", path)
    answer = closed_client.request(method, address)
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        assert answer.json()["code"] == "AUTH_REQUIRED"
    for header in ({"Authorization": "Bearer x.y.z"}, {"Cookie": "cricksy_session=x.y.z"}):
        assert closed_client.request(method, address, headers=header).status_code == 401


def test_what_is_open_is_open_by_decision_and_is_there():
    assert set(ROUTES) >= OPEN


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
def test_what_is_open_tells_nothing_of_anybody(world, method, path):
    answer = world.client.request(method, world.path(path, "anna"))
    assert not re.search(rb"secret of|the video of|Nets of", answer.content)
    if "/signed/" in path:
        assert answer.status_code in (403, 404, 422)


@pytest.mark.parametrize(("method", "path"), OF_SOMEBODY)
def test_what_is_another_coach_s_is_not_there(world, method, path):
    before = snapshot(world)
    page = {} if path.startswith("/api/") else HTML
    foreign = world.client.request(method, world.path(path, "anna"), headers=BERT | page)
    unknown = world.client.request(method, world.path(path, "0" * 32), headers=BERT | page)
    assert foreign.status_code == unknown.status_code == 404, foreign.text
    # The very same words: not even that it exists is said.
    hidden = (world.job_of["anna"], world.sessions["anna"], "0" * 32)
    same = [re.sub("|".join(hidden), "ID", answer.text) for answer in (foreign, unknown)]
    assert same[0] == same[1]
    assert b"anna" not in foreign.content and snapshot(world) == before


@pytest.mark.parametrize(
    ("method", "path"), [route for route in OF_SOMEBODY if route[0] in ("GET", "HEAD") and not route[1].endswith("/events")]
)
def test_what_is_his_own_is_there(world, method, path):
    """The control: the walk above finds 404 because it is another's, not because the address is wrong."""
    answer = world.client.request(method, world.path(path, "bert"), headers=BERT | ({} if path.startswith("/api/") else HTML))
    assert answer.status_code == 200 or "no such" not in answer.text.lower(), answer.text


def snapshot(world: World) -> list:
    with world.jobs.engine.connect() as connection:
        rows = [tuple(connection.execute(text(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")).scalars()) for table in TABLES]
    return [*rows, sorted(str(path) for path in world.store.root.rglob("*") if path.is_file())]


TABLES = ("video_sessions", "video_analysis_jobs")


def test_in_a_comparison_neither_job_may_be_another_s(world):
    anna, bert = world.job_of["anna"], world.job_of["bert"]
    for first, second in ((anna, bert), (bert, anna), (anna, anna)):
        answer = world.client.get(f"{API}/analysis-jobs/{first}/compare/{second}", headers=BERT)
        assert answer.status_code == 404 and "anna" not in answer.text
    assert world.client.get(f"{API}/analysis-jobs/{bert}/compare/{world.job_of['north']}", headers=BERT).status_code == 409


def test_no_upload_goes_into_another_s_session(world):
    asked = {"session_id": world.sessions["anna"], "file_name": "a.mp4", "size_bytes": 1000, "analysis_mode": "batting"}
    before = snapshot(world)
    foreign = world.client.post(f"{API}/videos/upload/initiate", json=asked, headers=BERT)
    unknown = world.client.post(f"{API}/videos/upload/initiate", json=asked | {"session_id": "0" * 32}, headers=BERT)
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json()) and foreign.status_code == 404
    assert snapshot(world) == before


def test_no_session_is_made_in_another_s_name(own_world):
    for owner in (
        {"owner_type": "org", "owner_id": "south"},
        {"owner_type": "coach", "owner_id": "anna"},
        {"owner_type": "org", "owner_id": "bert"},
    ):
        answer = own_world.client.post(f"{API}/sessions", json={"title": "Mine?", **owner}, headers=BERT)
        assert answer.status_code == 422, answer.text
    mine = own_world.client.post(f"{API}/sessions", json={"title": "Mine", "owner_type": "org", "owner_id": "north"}, headers=BERT)
    assert mine.status_code == 201 and mine.json()["owner_id"] == "north"


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        (ANNA, {"anna"}),
        (BERT, {"bert", "north"}),
        (bearer("carl", "north"), {"north"}),
        (bearer("north"), set()),
        (bearer("carl", "anna"), set()),
        (bearer("Anna"), set()),
        (bearer("ann_"), set()),
        (bearer("%"), set()),
    ],
)
def test_lists_hold_what_is_the_callers_or_his_organisations_and_nothing_else(world, headers, seen):
    sessions = world.client.get(f"{API}/sessions", headers=headers).json()["items"]
    jobs = world.client.get(f"{API}/analysis-jobs", headers=headers).json()["items"]
    assert {item["id"] for item in sessions} == {world.sessions[name] for name in seen}
    assert {item["id"] for item in jobs} == {world.job_of[name] for name in seen}
    page = world.client.get("/", headers=headers | HTML).text
    for name in world.sessions:
        assert (f"Nets of {name}" in page) == (name in seen)


def test_a_member_of_an_organisation_reads_its_analyses_and_who_left_it_does_not(world):
    path = f"{API}/analysis-jobs/{world.job_of['north']}"
    assert world.client.get(path, headers=bearer("carl", "north")).status_code == 200
    assert world.client.get(path, headers=bearer("carl")).status_code == 404


def test_a_row_of_the_earlier_system_belongs_to_the_owner_of_its_session(own_world):
    with own_world.jobs.engine.begin() as connection:
        connection.execute(
            text("UPDATE video_analysis_jobs SET status='completed', s3_key=NULL, s3_bucket=NULL, attempt=0 WHERE id=:i"),
            {"i": own_world.job_of["anna"]},
        )
    path = f"{API}/analysis-jobs/{own_world.job_of['anna']}"
    assert own_world.client.get(path, headers=ANNA).status_code == 200
    assert own_world.client.get(path, headers=BERT).status_code == 404


def test_a_person_without_a_cookie_is_led_from_every_page_to_sign_in(world):
    for method, path in ROUTES:
        if method == "GET" and not path.startswith("/api/") and (method, path) not in OPEN:
            answer = world.client.get(world.path(path, "anna"), headers=HTML)
            assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")


def test_a_player_of_videos_needs_no_more_than_the_cookie(world):
    with TestClient(world.client.app) as browser:
        browser.post("/sign-in", json={"token": ANNA["Authorization"].split()[1]})
        path = f"{API}/analysis-jobs/{world.job_of['anna']}/video"
        assert browser.get(path, headers={"Range": "bytes=0-2"}).content == b"the"
        assert browser.get(f"{API}/analysis-jobs/{world.job_of['bert']}/video").status_code == 404
