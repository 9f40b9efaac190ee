"""The pages as HTML: each standing says its own, strangers see nothing, and no number is worked out a second time."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from markupsafe import Markup
from sqlalchemy import update

from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline.reading.api.job_paths import JOB_PATH
from cricksy_pipeline.reading.report.heading import Heading
from cricksy_pipeline.reading.report.html import render_report_html
from cricksy_pipeline.store.claims import JOB
from cricksy_pipeline.store.keys import Output, clip_name
from cricksy_pipeline_tests.reading.pages.world import publish_deep, publish_quick, upload
from cricksy_pipeline_tests.reading.sample_documents import drive_results
from cricksy_pipeline_tests.reading.signed_in import bearer, strict_access

STATES = {
    "queued": ("Your video is here", "In the queue"),
    "running": ("Looking at your video", "22 %"),
    "preliminary": ("This is preliminary", "first look"),
    "done": ("Arrive early, then be a statue for the last blink.", "What could not be measured"),
    "nobody": ("Closer, and the whole body in the picture.", "Nobody was found"),
    "failed": ("This video could not be analysed", "The file ends after 0.4 s of 13.0 s.", "upload the original again"),
    "lost": ("The analysis did not finish", "Try again"),
    "legacy": ("analysed by an earlier version", "Head falls to off", "Work on the head first.", "It falls away."),
}


@pytest.fixture(scope="module")
def app(world):
    return create_app(jobs=world.jobs, objects=world.objects, access=strict_access())


@pytest.fixture
def client(app):
    headers = {**bearer("local"), "Accept": "text/html"}
    with TestClient(app, raise_server_exceptions=False, headers=headers, follow_redirects=False) as made:
        yield made


def html(client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


def text_of(page: str) -> str:
    return " ".join(str(Markup(re.sub(r"<[^>]*>", " ", page)).unescape()).split())


@pytest.mark.parametrize("name", STATES)
def test_each_standing_says_what_it_is(client, world, name):
    page = text_of(html(client, world.path(name)))
    for words in STATES[name]:
        assert words in page, words


def test_the_list_shows_the_callers_sessions_newest_first_and_nobody_elses(client, world):
    page = text_of(html(client, "/"))
    assert page.index("Tuesday nets, Asha") < page.index("First look ready") < page.index("Spring 2023, as it was")
    assert "Somebody else's" not in page


def test_a_coach_without_sessions_is_told_how_to_begin(app):
    with TestClient(app, headers={**bearer("newcomer"), "Accept": "text/html"}) as newcomer:
        page = text_of(newcomer.get("/").text)
    assert "Film one player." in page and "Upload the first video" in page


@pytest.mark.parametrize("path", ["/analyses/{}", "/sessions/{}"])
def test_what_is_somebody_elses_is_not_there(client, world, path):
    job = world.ids["strangers"]
    other = job if "analyses" in path else world.jobs.get(job).session_id
    theirs, nothing = html(client, path.format(other), 404), html(client, path.format("nothing-of-the-sort"), 404)
    assert theirs == nothing and "There is nothing here" in theirs


@pytest.mark.parametrize("path", ["/analyses/%00", "/sessions/" + "x" * 500, "/?after=nonsense", "/analyses/'; DROP TABLE x"])
def test_an_impossible_address_is_answered_by_the_same_page(client, path):
    assert "There is nothing here" in html(client, path, 404)


@pytest.mark.parametrize("path", ["/", "/upload", "/analyses/abc", "/sessions/abc"])
def test_who_is_signed_out_is_led_to_the_door_and_back(app, path):
    with TestClient(app, headers={"Accept": "text/html"}, follow_redirects=False) as stranger:
        answer = stranger.get(path)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
        door = stranger.get(answer.headers["location"])
        assert door.status_code == 200 and f'data-next="{path}"' in door.text


@pytest.mark.parametrize("asked", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_door_leads_to_no_other_site(app, asked):
    with TestClient(app) as stranger:
        assert 'data-next="/"' in stranger.get("/sign-in", params={"next": asked}).text


@pytest.mark.parametrize("name", [*STATES, "", "upload"])
def test_no_page_has_a_script_or_a_style_in_it_and_the_policy_allows_none(client, world, name):
    answer = client.get(world.path(name) if name in world.ids else f"/{name}")
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and "script-src 'self'" in policy
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|<style|\sstyle=|javascript:", answer.text)


def test_every_number_on_the_page_is_one_of_the_reports(client, world):
    """The report is made from the same view; what the page adds are controls, not numbers."""
    row = world.jobs.get(world.ids["done"])
    results = drive_results(row.id)
    report = render_report_html(
        results=results, findings=results.findings, report=results.report, heading=Heading("", row.id), player_png=None
    )
    page = html(client, world.path("done"))
    main = page.split("<main")[1].split("</main>")[0]
    for part in ("comparison-title", "take-title"):
        main = re.sub(rf'<section aria-labelledby="{part}".*?</section>', "", main, flags=re.S)
    for part in (r'<section class="watch".*?</section>', r'<header class="whose".*?</header>'):
        main = re.sub(part, "", main, flags=re.S)
    numbers = set(re.findall(r"\d+(?:\.\d+)?", text_of("<p" + main)))
    assert len(numbers) > 30
    assert numbers <= set(re.findall(r"\d+(?:\.\d+)?", text_of(report)))


def test_at_most_three_findings_are_shown_and_the_first_words_are_the_cue(client, world):
    page = html(client, world.path("done"))
    assert 1 <= page.count('<article class="finding"') <= 3
    assert page.index('class="cue"') < page.index('<article class="finding"') < page.index("<video")


def test_a_first_look_that_judged_nothing_does_not_say_that_all_is_well(client, world):
    job = upload(world, "Nothing judged yet")
    quick = drive_results(job, "quick")
    unjudged = {
        "overall_level": None,
        "overall_level_reason": "Five frames a second tell nothing of technique.",
        "findings": [],
        "priority": None,
    }
    publish_quick(world, job, quick.model_copy(update={"findings": quick.findings.model_copy(update=unjudged)}))
    page = text_of(html(client, f"/analyses/{job}"))
    assert "Too early to say what to work on. Five frames a second tell nothing of technique." in page
    assert "Nothing stood out" not in page


def test_an_earlier_session_can_be_chosen_and_compared(client, world):
    page = html(client, world.path("done"))
    assert f'<option value="{world.ids["earlier"]}"' in page and world.ids["strangers"] not in page
    told = text_of(html(client, f"{world.path('done')}?compare={world.ids['earlier']}"))
    assert "No real change" in told


def test_a_strangers_analysis_cannot_be_compared_with(client, world):
    html(client, f"{world.path('done')}?compare={world.ids['strangers']}", 404)


def test_only_what_a_job_has_is_offered_to_take_away(client, world):
    page = html(client, world.path("done"))
    assert "/report.html" in page and "/overlay.mp4" not in page and "/report.pdf" not in page


def test_a_film_is_offered_exactly_where_its_address_answers(client, world):
    job = upload(world, "With films")
    publish_quick(world, job)
    publish_deep(world, job)
    films = {
        name: {"key": f"films/{name}", "sha256": world.objects.put(f"films/{name}", b"film").sha256}
        for name in (str(Output.OVERLAY), clip_name(1))
    }
    stages = {"overlay": {"of": "of", "blurred": False, "clips": [1]}}
    row = world.jobs.get(job)
    stored = {**row.stored_objects, **films, str(Output.DEEP_RESULTS): {"key": "d.json", "sha256": "of"}}
    with world.jobs.engine.begin() as connection:
        connection.execute(update(JOB).where(JOB.c.id == job).values(stored_objects=stored, stages=stages))
    for blur, answers in ((False, 200), (True, 404)):
        world.jobs.change_session(row.session_id, blur_faces=blur)
        page = html(client, f"/analyses/{job}")
        for path in ("overlay.mp4", "deliveries/1.mp4"):
            address = f"{JOB_PATH.format(job_id=job)}/{path}"
            assert client.get(address).status_code == answers
            assert (address in page) == (answers == 200)


def test_hostile_titles_are_shown_as_text(client, world):
    session = world.jobs.create_session(owner_id="local", title='<img src=x onerror="alert(1)">')
    page = html(client, f"/sessions/{session}")
    assert "<img src=x" not in page and "&lt;img src=x" in page


@pytest.mark.parametrize("name", ["palette.css", "report.css", "pages.css", "stage.js", "ball.svg"])
def test_files_of_the_page_are_asked_for_again_after_an_update(client, name):
    answer = client.get(f"/static/{name}")
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-cache" and answer.headers["etag"]


@pytest.mark.parametrize("name", ["nothing.css", "..%2Froutes.py", "%2e%2e/routes.py", "..%2f..%2freport/templates/report.html"])
def test_no_other_file_is_given_out(client, name):
    assert client.get(f"/static/{name}").status_code == 404
