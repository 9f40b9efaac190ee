"""The pages served by a real server from real rows and objects, and a real browser to look at them.

Belongs here: starting both once. Where there is no Chromium the browser's tests are skipped, and say so.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from cricksy_pipeline.reading.api.access import Access
from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.local_objects import LocalObjectStore
from cricksy_pipeline.store.migrate import migrate
from cricksy_pipeline_tests.reading.pages.world import World, build
from cricksy_pipeline_tests.reading.signed_in import development_access, strict_access

CHROMIUM = os.environ.get("CRICKSY_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass(frozen=True)
class Site:
    """A running server over the world."""

    address: str
    world: World

    def url(self, path: str) -> str:
        """The full address of a path."""
        return self.address + path


@pytest.fixture(scope="session")
def world(empty_database, tmp_path_factory) -> Iterator[World]:
    """Sessions in every standing."""
    folder = tmp_path_factory.mktemp("pages")
    with empty_database() as url:
        migrate(url)
        engine = make_engine(url)
        yield build(JobStore(engine), LocalObjectStore(folder / "objects"), folder)
        engine.dispose()


@pytest.fixture(scope="session")
def site(world) -> Iterator[Site]:
    """As on a laptop: who gives no token is the coach of the command line."""
    yield from _served(world, development_access())


@pytest.fixture(scope="session")
def strict_site(world) -> Iterator[Site]:
    """As anywhere else: no token, no caller."""
    yield from _served(world, strict_access())


def _served(world: World, access: Access) -> Iterator[Site]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    app = create_app(jobs=world.jobs, objects=world.objects, access=access)
    # Followers of progress stay connected; nobody waits for them.
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started, "the server did not start"
    yield Site(f"http://127.0.0.1:{port}", world)
    server.should_exit = True
    thread.join(10)


# The browser's fixtures live as long as this package's tests run, not as long as the session: as long as Playwright is open, its event
# loop counts as running in this thread, and a test elsewhere that runs one of its own would fail.


@pytest.fixture(scope="package")
def chromium():
    """One headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here (CRICKSY_TEST_CHROMIUM names one that is elsewhere)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def _window(chromium) -> Iterator:
    """One browser window for all: each test leaves it without cookies and notes. A new one for each would cost a second of CPU."""
    context = chromium.new_context()
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def opened(_window) -> Iterator:
    """Opens pages: `opened(url, width=..., scheme=...)`. At the end no page may have complained."""
    pages, complaints = [], []

    def open_page(url: str, *, width: int = 1280, height: int = 800, scheme: str = "light", expect: int = 200):
        page = _window.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.on("pageerror", lambda error: complaints.append(f"{url}: {error}"))
        # Scripts ask for what may have gone, and say so to the reader; a blocked script or style is never right.
        page.on("console", lambda line: complaints.append(line.text) if "Content Security Policy" in line.text else None)
        answer = page.goto(url)
        assert answer.status == expect, (url, answer.status)
        return page

    yield open_page
    for page in pages:
        page.evaluate("localStorage.clear()")
        page.close()
    _window.clear_cookies()
    assert complaints == []


@pytest.fixture(scope="package")
def _result(_window, site) -> Iterator:
    """The finished analysis with its video ready; opened once, for the film takes a second to arrive."""
    page = _window.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(site.url(site.world.path("done")))
    page.wait_for_selector("[data-part=watch][data-ready=true]")
    settle(page)
    yield page
    page.close()


@pytest.fixture
def watching(_result):
    """The finished analysis: paused, at full speed, with its skeleton, and nothing in focus."""
    _result.evaluate("document.querySelector('video').pause()")
    _result.check("[data-rate='1']", force=True)
    _result.check("[data-read=drawn]")
    _result.evaluate("document.activeElement.blur()")
    settle(_result)
    return _result


def settle(page) -> None:
    """Wait until the video shows what it was asked to show."""
    page.wait_for_function(
        "() => { const s = document.querySelector('[data-part=watch]').stage; return s.ready && s.wanted === null && !s.video.seeking; }"
    )
    # The frame itself comes with the next picture that the browser draws.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60))))")
