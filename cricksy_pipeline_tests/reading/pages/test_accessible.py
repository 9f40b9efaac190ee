"""Every page in every standing, on a phone and a desk, in light and dark: names, order, contrast, size, nothing wider than the screen."""

from __future__ import annotations

from pathlib import Path

import pytest

CHECK = (Path(__file__).parent / "accessibility.js").read_text()
PAGES = ("list", "upload", "session", "missing", "queued", "running", "preliminary", "done", "nobody", "failed", "lost", "legacy")
LOOKS = ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark"))


def address(site, name: str) -> tuple[str, int]:
    """The address of a page, and the status that it answers with."""
    ids = site.world.ids
    special = {"list": "/", "upload": "/upload", "missing": "/analyses/none-such"}
    if name == "session":
        return site.url(f"/sessions/{site.world.jobs.get(ids['done']).session_id}"), 200
    return site.url(special.get(name) or site.world.path(name)), 404 if name == "missing" else 200


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_used_by_everybody(opened, site, name):
    url, status = address(site, name)
    page = opened(url, expect=status)
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(CHECK)
        assert found == [], (name, width, scheme, found)


@pytest.mark.parametrize("opened_parts", ["details", "comparison"])
def test_what_is_folded_away_can_be_used_too(opened, site, opened_parts):
    world = site.world
    query = f"?compare={world.ids['earlier']}" if opened_parts == "comparison" else ""
    page = opened(site.url(world.path("done") + query))
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.wait_for_selector("[data-part=watch][data-ready=true]")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(CHECK)
        assert found == [], found


def test_the_form_of_the_upload_opened_wide_can_be_used_too(opened, site):
    page = opened(site.url("/upload"), width=390)
    page.click("text=More, if you know it")
    page.click("[data-do=send]")
    assert page.evaluate(CHECK) == []


def test_the_door_can_be_used_by_everybody(opened, strict_site):
    page = opened(strict_site.url("/"), width=390)
    assert page.evaluate(CHECK) == []


def test_the_check_itself_finds_what_is_wrong(opened, site):
    page = opened(site.url("/"))
    page.evaluate(
        "document.querySelector('main').innerHTML = '<h1>A</h1><h3>B</h3><button></button><img src=\"/static/ball.svg\">"
        '<p id="a">x</p><p id="a">y</p><input><p class="state quiet">z</p>\''
    )
    page.evaluate("document.querySelector('.state').style.color = '#bbb'")
    words = " ".join(page.evaluate(CHECK))
    for wrong in (
        "has no name: <button>",
        "has no name: <img",
        "has no name: <input",
        "H3 after H1",
        "the id a is there twice",
        "contrast",
    ):
        assert wrong in words, (wrong, words)
