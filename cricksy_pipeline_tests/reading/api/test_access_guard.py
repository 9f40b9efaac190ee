"""The guard, the headers and signing in, before an app of a few routes."""

from __future__ import annotations

import time
from http.cookies import SimpleCookie

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.api.access import Access, SignedIn, guard_app
from cricksy_pipeline.reading.api.development import development_token
from cricksy_pipeline.reading.api.guard import COOKIE
from cricksy_pipeline.reading.api.job_paths import PART_PATH
from cricksy_pipeline.reading.api.problems import answer_errors_as_problems
from cricksy_pipeline.reading.api.rate_limits import RateLimits, limit_of, network_of
from cricksy_pipeline.reading.api.signing_in import MOST_COOKIE, local_path
from cricksy_pipeline.reading.api.tokens import Tokens
from cricksy_pipeline_tests.reading.signed_in import SECRET, bearer, strict_access, token

API = "/api/coaches/plus"
PART = PART_PATH.format(job_id="j1", number=1)
HERE = {"Origin": "http://testserver"}


class Store:
    """As much of an object store as headers need."""

    def __init__(self, url: str | None = None) -> None:
        self.url = url

    def presigned_url(self, key: str, expires_s: int = 3600) -> str | None:
        if self.url == "no credentials":
            raise CricksyError(ErrorCode.STORE_UNAVAILABLE, "There are none.")
        return self.url


def app_of(access: Access, store: Store | None = None) -> FastAPI:
    app = FastAPI()
    answer_errors_as_problems(app)
    guard_app(app, access, jobs=None, objects=store or Store())

    @app.get("/who")
    @app.post("/who")
    @app.post(f"{API}/videos/upload/initiate")
    @app.post(f"{API}/sessions/s1/analysis-jobs")
    @app.post(f"{API}/analysis-jobs/j1/retry")
    @app.post(f"{API}/analysis-jobs/j1/analyses")
    def who(caller: SignedIn) -> dict:
        return {"coach": caller.coach_id, "orgs": sorted(caller.orgs)}

    @app.get("/forgetful")
    def forgetful() -> dict:
        """A route whose author did not think of callers."""
        return {"secret": True}

    @app.get("/healthz")
    def healthz(request: Request) -> dict:
        return {"caller": request.state.caller}

    @app.put(PART)
    @app.get(PART)
    def part() -> dict:
        return {}

    @app.get("/page")
    def page() -> HTMLResponse:
        return HTMLResponse("<title>Page</title>")

    @app.get("/kind")
    def kind(media_type: str) -> Response:
        return Response(b"x", media_type=media_type)

    @app.get("/own")
    def own() -> Response:
        return PlainTextResponse("x", headers={"Content-Security-Policy": "sandbox", "Cache-Control": "private, no-cache"})

    @app.get("/fault")
    def fault() -> None:
        raise RuntimeError("inside")

    @app.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(iter([b"a", b"b"]), media_type="text/event-stream")

    return app


def client_of(access: Access, store: Store | None = None, **how) -> TestClient:
    return TestClient(app_of(access, store), raise_server_exceptions=False, follow_redirects=False, **how)


@pytest.fixture
def strict() -> TestClient:
    return client_of(strict_access())


@pytest.fixture
def laptop() -> TestClient:
    """The embedded stack, asked from this very machine."""
    return client_of(Access.on_the_embedded_stack(SECRET), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50000))


def refused(answer, status: int = 401, code: str = "AUTH_REQUIRED") -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"]) == (status, code) and body["detail"]
    return body


# ---- who asks


def test_a_bearer_token_says_who_asks(strict):
    assert strict.get("/who", headers=bearer("anna", "north")).json() == {"coach": "anna", "orgs": ["north"]}
    assert strict.post("/who", headers=bearer("anna")).json() == {"coach": "anna", "orgs": []}


def test_without_a_token_nothing_is_answered_and_the_answer_says_what_to_do(strict):
    answer = strict.get("/who")
    assert "Bearer" in refused(answer)["detail"] and answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["get", "head", "options", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["/who", "/forgetful", "/nowhere", "/docs", f"{API}/anything", "//healthz", "/static", "/healthz/"])
def test_no_method_and_no_address_but_the_open_ones_is_answered_without_a_token(strict, method, path):
    answer = getattr(strict, method)(path)
    assert answer.status_code == 401 and "secret" not in answer.text


def test_a_route_that_forgets_to_ask_is_closed(strict):
    refused(strict.get("/forgetful"))
    assert strict.get("/forgetful", headers=bearer("anna")).json() == {"secret": True}


def test_open_addresses_are_answered_and_know_no_caller(strict):
    assert strict.get("/healthz").json() == {"caller": None}
    assert strict.get("/healthz", headers={"Authorization": "Bearer nonsense"}).json() == {"caller": None}
    assert strict.get("/openapi.json").status_code == 200


def test_a_signed_address_is_open_for_writing_alone(strict):
    assert strict.put(PART).status_code == 200
    refused(strict.get(PART))
    refused(strict.put(f"{PART}/more"))


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer a.b.c", "Token x", "bearer\tx", "Bearer " + "x" * 9000, "é"]
)
def test_an_authorization_that_is_no_good_token_is_refused(strict, value):
    answer = strict.get("/who", headers={"Authorization": value.encode("latin-1")})
    refused(answer)
    assert "invalid_token" in answer.headers["www-authenticate"]


def test_of_two_authorizations_none_is_believed(strict):
    refused(strict.get("/who", headers=[("Authorization", f"Bearer {token('anna')}"), ("Authorization", f"Bearer {token('bert')}")]))


@pytest.mark.parametrize("name", ["token", "access_token", "Authorization", COOKIE])
def test_a_token_in_an_address_is_no_token(strict, name):
    refused(strict.get("/who", params={name: token("anna")}))


def test_an_expired_token_is_refused_and_says_so(strict):
    old = development_token(SECRET, hours=-1)
    assert "expired" in refused(strict.get("/who", headers={"Authorization": f"Bearer {old}"}))["detail"]


def test_a_good_token_beats_a_cookie_and_a_bad_token_is_not_saved_by_one(strict):
    strict.cookies.set(COOKIE, token("bert"))
    assert strict.get("/who", headers=bearer("anna")).json()["coach"] == "anna"
    refused(strict.get("/who", headers={"Authorization": "Bearer bad"}))


def test_a_websocket_gets_nowhere(strict):
    with pytest.raises(WebSocketDisconnect), strict.websocket_connect("/who", headers=bearer("anna")):
        pass


def test_an_app_that_nobody_guards_believes_nobody():
    app = FastAPI()

    @app.get("/who")
    def who(caller: SignedIn) -> dict:
        return {"coach": caller.coach_id}

    answer_errors_as_problems(app)
    assert TestClient(app).get("/who", headers=bearer("anna")).status_code != 200


# ---- pages


def test_a_person_who_opens_a_page_is_led_to_sign_in_and_back(strict):
    html = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = strict.get("/analyses/abc?delivery=2", headers=html)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/analyses/abc%3Fdelivery%3D2")
    assert strict.get("/", headers=html).headers["location"] == "/sign-in"
    refused(strict.get(f"{API}/analysis-jobs/abc", headers=html))
    refused(strict.post("/analyses/abc", headers=html))


def test_signing_in_gives_a_cookie_that_only_this_site_can_use(strict):
    answer = strict.post("/sign-in", json={"token": token("anna", "north")}, headers=HERE)
    assert answer.status_code == 204 and answer.headers["cache-control"] == "no-store"
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "strict", "/", "")
    assert 0 < int(cookie["max-age"]) <= 12 * 3600 and not cookie["secure"]
    assert strict.get("/who").json() == {"coach": "anna", "orgs": ["north"]}


def test_behind_https_the_cookie_is_never_sent_without_it():
    tokens = strict_access().tokens
    behind = client_of(Access(tokens, https=True))
    direct = client_of(Access(tokens), base_url="https://testserver")
    for client in (behind, direct):
        answer = client.post("/sign-in", json={"token": token("anna")})
        assert SimpleCookie(answer.headers["set-cookie"])[COOKIE]["secure"]
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert SimpleCookie(client.post("/sign-out").headers["set-cookie"])[COOKIE]["secure"]


def test_a_plain_form_signs_in_too_and_leads_on(strict):
    answer = strict.post("/sign-in", data={"token": f" Bearer {token('anna')}\n", "next": "/analyses/abc?x=1"}, headers=HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/analyses/abc?x=1")
    assert strict.get("/who").json()["coach"] == "anna"


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "",
        "x",
        "/a\r\nSet-Cookie: b=c",
        "///e",
    ],
)
def test_signing_in_leads_to_no_other_site(strict, asked):
    assert local_path(asked) == "/"
    assert strict.post("/sign-in", data={"token": token("anna"), "next": asked}).headers["location"] == "/"


def test_a_bad_token_gives_no_cookie_and_is_not_repeated(strict):
    for answer in (strict.post("/sign-in", json={"token": "abc.def.ghi"}), strict.post("/sign-in", data={"token": "abc.def.ghi"})):
        refused(answer)
        assert "set-cookie" not in answer.headers and "abc.def" not in answer.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"content": b"", "headers": {"Content-Type": "application/json"}}, 422),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ({"json": {}}, 422),
        ({"json": {"token": ""}}, 422),
        ({"json": {"token": 7}}, 422),
        ({"json": {"token": "x", "more": 1}}, 422),
        ({"json": {"token": "x" * 20_000}}, 413),
        ({"content": iter([b"x" * 9000] * 4), "headers": {"Content-Type": "application/json"}}, 413),
        ({"data": {}}, 422),
        ({"files": {"token": ("a.txt", b"x")}}, 400),
        ({"content": b"\xff\xfe", "headers": {"Content-Type": "application/json"}}, 422),
    ],
)
def test_what_is_no_sign_in_is_refused_without_a_fault(strict, body, status):
    answer = strict.post("/sign-in", **body)
    assert answer.status_code == status and answer.headers["content-type"] == "application/problem+json", answer.text
    assert "set-cookie" not in answer.headers


def test_a_token_that_a_browser_would_not_keep_is_refused_in_words(strict):
    long = token("anna", *(f"club-{number}" for number in range(400)))
    assert len(long) > MOST_COOKIE
    assert "claims" in strict.post("/sign-in", json={"token": long}).json()["detail"]


def test_signing_out_takes_the_cookie_away_and_what_the_browser_kept(strict):
    strict.post("/sign-in", json={"token": token("anna")})
    answer = strict.post("/sign-out", headers=HERE)
    assert answer.status_code == 204 and "storage" in answer.headers["clear-site-data"]
    refused(strict.get("/who"))
    assert strict.post("/sign-out", data={"x": "y"}).headers["location"] == "/sign-in"


def test_with_a_cookie_one_reads_from_anywhere_and_changes_something_from_this_site_alone(strict):
    strict.cookies.set(COOKIE, token("anna"))
    assert strict.get("/who").status_code == strict.get("/who", headers={"Origin": "https://evil.example"}).status_code == 200
    assert strict.post("/who", headers=HERE).status_code == 200
    for origin in (
        None,
        "null",
        "https://evil.example",
        "http://testserver.evil.example",
        "http://testserver:8080",
        "http://[",
        "testserver",
    ):
        refused(strict.post("/who", headers={"Origin": origin} if origin else {}))
    assert strict.post("/who", headers={"Origin": "https://evil.example", **bearer("anna")}).status_code == 200


def test_a_page_of_another_site_signs_nobody_in_or_out(strict):
    evil = {"Origin": "https://evil.example"}
    refused(strict.post("/sign-in", json={"token": token("mallory")}, headers=evil))
    refused(strict.post("/sign-out", headers=evil))


# ---- the embedded stack


def test_on_a_laptop_who_gives_no_token_is_the_coach_of_the_command_line(laptop):
    assert laptop.get("/who").json() == {"coach": "local", "orgs": []}
    assert laptop.post("/who").json()["coach"] == "local"
    assert laptop.post("/who", headers={"Origin": "http://127.0.0.1:8000"}).json()["coach"] == "local"


def test_on_a_laptop_a_token_of_its_own_makes_one_another_coach_and_a_bad_one_makes_nobody(laptop):
    assert laptop.get("/who", headers=bearer("anna")).json()["coach"] == "anna"
    refused(laptop.get("/who", headers={"Authorization": "Bearer bad"}))


def test_on_a_laptop_the_cookie_of_another_stack_is_as_none(laptop):
    laptop.cookies.set(COOKIE, development_token(b"of another stack on another port..........."))
    assert laptop.get("/who").json()["coach"] == "local"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "192.168.1.7:8000", "127.0.0.1.evil.example", "", "[", "localhost.evil"]
)
def test_a_name_that_was_made_to_point_here_opens_nothing(laptop, host):
    refused(laptop.get("/who", headers={"Host": host}))


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "127.0.0.1"])
def test_the_names_of_this_machine_do(laptop, host):
    assert laptop.get("/who", headers={"Host": host}).json()["coach"] == "local"


def test_a_page_of_another_site_cannot_make_the_laptop_do_something(laptop):
    for origin in ("https://evil.example", "null", "http://127.0.0.1:3000"):
        refused(laptop.post("/who", headers={"Origin": origin}))


def test_from_another_machine_the_embedded_stack_is_closed():
    for peer in ("192.168.1.7", "8.8.8.8", "::ffff:8.8.8.8", "testclient"):
        far = client_of(Access.on_the_embedded_stack(SECRET), base_url="http://127.0.0.1:8000", client=(peer, 50000))
        refused(far.get("/who"))
        assert far.get("/who", headers=bearer("anna")).json()["coach"] == "anna"


# ---- how often


def limited(**limits) -> TestClient:
    return client_of(strict_access(RateLimits(**limits)))


def test_uploads_and_analyses_of_a_coach_are_counted_each_for_itself():
    client = limited(uploads="2/hour", analyses="3/hour")
    for _ in range(2):
        assert client.post(f"{API}/videos/upload/initiate", headers=bearer("anna")).status_code == 200
    answer = client.post(f"{API}/videos/upload/initiate", headers=bearer("anna"))
    assert refused(answer, 429, "RATE_LIMITED")["retryable"] and 0 < int(answer.headers["retry-after"]) <= 3600
    for path in ("sessions/s1/analysis-jobs", "analysis-jobs/j1/retry", "analysis-jobs/j1/analyses"):
        assert client.post(f"{API}/{path}", headers=bearer("anna")).status_code == 200
    refused(client.post(f"{API}/analysis-jobs/j1/retry", headers=bearer("anna")), 429, "RATE_LIMITED")


def test_one_coach_does_not_use_up_what_is_another_s_but_one_address_has_a_limit_too():
    client = limited(uploads="2/hour", address_share=2)
    path = f"{API}/videos/upload/initiate"
    given = [client.post(path, headers=bearer(coach)).status_code for coach in ("anna", "anna", "anna", "bert", "bert", "carl")]
    assert given == [200, 200, 429, 200, 200, 429]


def test_reading_is_not_counted():
    client = limited(uploads="1/hour", analyses="1/hour", sign_in="1/hour")
    assert {client.get("/who", headers=bearer("anna")).status_code for _ in range(20)} == {200}


def test_sign_ins_are_counted_by_address_good_or_bad():
    client = limited(sign_in="3/minute")
    tried = [client.post("/sign-in", json={"token": text}).status_code for text in ("bad", token("anna"), "bad", token("anna"))]
    assert tried == [401, 204, 401, 429]


def test_who_is_nobody_uses_up_nothing():
    client = limited(uploads="1/hour", address_share=1)
    path = f"{API}/videos/upload/initiate"
    assert [client.post(path).status_code for _ in range(3)] == [401, 401, 401]
    assert client.post(path, headers=bearer("anna")).status_code == 200


def test_after_as_long_as_the_answer_says_the_next_request_is_let_through(monkeypatch):
    client = limited(uploads="2/minute")
    path, now, anna = f"{API}/videos/upload/initiate", time.time(), bearer("anna")
    for later in (0, 20, 40):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        answer = client.post(path, headers=anna)
    wait = int(answer.headers["retry-after"])
    assert answer.status_code == 429 and wait in (20, 21)
    monkeypatch.setattr(time, "time", lambda: now + 40 + wait)
    assert client.post(path, headers=anna).status_code == 200


def test_several_limits_hold_together():
    client = limited(uploads="2/minute;3/hour")
    assert client.post(f"{API}/videos/upload/initiate", headers=bearer("anna")).status_code == 200


@pytest.mark.parametrize("words", ["", "often", "3", "3/fortnight", "-1/hour"])
def test_words_that_mean_no_limit_are_refused_at_the_start(words):
    with pytest.raises(ValueError):
        RateLimits(uploads=words)


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_a_subscriber_of_ipv6_counts_as_one_address(address, counted_as):
    assert network_of(address) == counted_as


@pytest.mark.parametrize("path", [f"{API}/videos/upload/initiate/", f"{API}/analysis-jobs/a/retry/", "/sign-in/"])
def test_a_slash_at_the_end_is_no_way_around_a_limit(path):
    assert limit_of("POST", path) and limit_of("GET", path) is None


# ---- headers


@pytest.mark.parametrize("path", ["/who", "/page", "/fault", "/nowhere", "/healthz", "/stream", "/sign-in", "/kind?media_type=image/png"])
@pytest.mark.parametrize("signed_in", [True, False])
def test_every_answer_has_the_headers(strict, path, signed_in):
    answer = strict.get(path, headers=bearer("anna") if signed_in else {})
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
    assert headers["x-frame-options"] == "DENY" and "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store" and "strict-transport-security" not in headers
    assert answer.status_code == 500 if path == "/fault" and signed_in else answer.status_code < 500


def policy(answer) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


def test_a_page_may_load_nothing_but_ours_and_what_lies_in_the_store():
    store = Store("https://bucket.s3.eu-west-1.amazonaws.com/key?X-Amz-Signature=secret")
    said = policy(client_of(strict_access(), store).get("/page", headers=bearer("anna")))
    assert said["default-src"] == "'none'" and said["script-src"] == said["style-src"] == "'self'"
    assert said["connect-src"] == "'self' https://bucket.s3.eu-west-1.amazonaws.com"
    assert "unsafe" not in str(said) and "secret" not in str(said)


@pytest.mark.parametrize("store", [None, "no credentials"])
def test_a_store_without_addresses_is_in_no_policy(store):
    said = policy(client_of(strict_access(), Store(store)).get("/page", headers=bearer("anna")))
    assert said["connect-src"] == "'self'"


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "image/svg+xml", "text/event-stream", "application/octet-stream", "text/csv"]
)
def test_data_may_do_nothing_where_a_browser_opens_it_as_a_page(strict, kind):
    said = policy(strict.get("/kind", params={"media_type": kind}, headers=bearer("anna")))
    assert said["default-src"] == "'none'" and "script-src" not in said and "style-src" not in said


@pytest.mark.parametrize("kind", ["video/mp4", "image/png"])
def test_a_film_or_picture_can_be_looked_at_by_itself(strict, kind):
    said = policy(strict.get("/kind", params={"media_type": kind}, headers=bearer("anna")))
    assert said["media-src"] == said["img-src"] == "'self'" and said["default-src"] == "'none'" and "script-src" not in said


def test_a_pdf_opens_in_the_browser_s_own_viewer(strict):
    said = policy(strict.get("/kind", params={"media_type": "application/pdf"}, headers=bearer("anna")))
    assert "default-src" not in said and "sandbox" not in said and said["frame-ancestors"] == "'none'"


def test_pictures_are_for_pages_of_this_site_and_on_a_laptop_for_dagsters_on_another_port(strict, laptop):
    shown_to = {}
    for client, kind in ((strict, "image/png"), (laptop, "image/png"), (laptop, "application/json"), (laptop, "video/mp4")):
        answer = client.get("/kind", params={"media_type": kind}, headers=bearer("anna"))
        shown_to[client is laptop, kind] = answer.headers["cross-origin-resource-policy"]
    assert shown_to.pop((True, "image/png")) == "cross-origin" and set(shown_to.values()) == {"same-site"}


def test_the_developers_page_may_load_its_scripts_and_no_other_page_may(strict, laptop):
    assert "cdn.jsdelivr.net" in policy(laptop.get("/docs"))["script-src"]
    assert "cdn" not in str(policy(laptop.get("/page"))) and "cdn" not in str(policy(strict.get("/docs", headers=bearer("anna"))))


def test_what_a_route_says_of_itself_stays(strict):
    answer = strict.get("/own", headers=bearer("anna"))
    assert answer.headers["content-security-policy"] == "sandbox" and answer.headers["cache-control"] == "private, no-cache"


def test_the_issuer_s_silence_is_a_503_and_not_a_refusal():
    class Silent:
        algorithms = ("HS256",)

        def key_for(self, *_):
            raise CricksyError(ErrorCode.KEYS_UNAVAILABLE, "The keys that sign-ins are checked with cannot be had at the moment.")

    client = client_of(Access(Tokens(Silent(), "a", "b")))
    for answer in (client.get("/who", headers=bearer("anna")), client.post("/sign-in", json={"token": token("anna")})):
        assert refused(answer, 503, "KEYS_UNAVAILABLE")["retryable"] and answer.headers["retry-after"]


def test_the_published_description_says_how_to_sign_in(strict):
    described = strict.get("/openapi.json").json()
    assert described["components"]["securitySchemes"]["bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": described["components"]["securitySchemes"]["bearer"]["description"],
    }
    assert described["paths"]["/who"]["get"]["security"] == [{"bearer": []}]
    assert described["paths"]["/sign-in"]["post"]["security"] == []
    said = described["paths"]["/sign-in"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(said["properties"]) == {"token", "next"} and said["required"] == ["token"]
