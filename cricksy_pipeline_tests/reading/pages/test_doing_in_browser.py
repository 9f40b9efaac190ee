"""What a coach does in a real browser: uploads, watches progress, tries again, deletes, signs in and out."""

from __future__ import annotations

import pytest

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline_tests.reading.pages.world import RUN, World, publish_deep, publish_quick, upload
from cricksy_pipeline_tests.reading.signed_in import token

DROP = """([name, base64]) => {
  const data = new DataTransfer();
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  data.items.add(new File([bytes], name, { type: 'video/mp4', lastModified: 1 }));
  const place = document.querySelector('[data-part=drop]');
  const event = (kind) => new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
  for (const kind of ['dragover', 'drop']) place.dispatchEvent(event(kind));
}"""


def base64_of(world: World) -> str:
    import base64

    return base64.b64encode(world.film.read_bytes()).decode()


def job_of(page) -> str:
    return page.url.rsplit("/", 1)[1]


def test_a_dropped_video_is_uploaded_and_its_analysis_is_queued(opened, site):
    page = opened(site.url("/upload"))
    page.evaluate(DROP, ["Net session_3.mp4", base64_of(site.world)])
    assert "Net session_3.mp4" in page.inner_text("[data-part=file-facts]")
    page.check("[value=bowling]", force=True)
    page.click("[data-do=send]")
    page.wait_for_url("**/analyses/*")
    assert "Your video is here" in page.inner_text("main")
    row = site.world.jobs.get(job_of(page))
    assert (str(row.status), row.analysis_mode) == ("queued", "bowling")
    assert site.world.objects.get(row.s3_key) == site.world.film.read_bytes()
    assert site.world.jobs.get_session(row.session_id).title == "Net session 3"


def test_what_is_missing_is_asked_for_beside_its_field_and_nothing_is_sent(opened, site):
    page = opened(site.url("/upload"))
    page.click("[data-do=send]")
    assert page.inner_text("#file-problem") == "Choose a video first."
    assert page.evaluate("document.activeElement.id") == "file"
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    assert "no video file" in page.inner_text("#file-problem")
    page.set_input_files("#file", str(site.world.film))
    page.click("[data-do=send]")
    assert "Say what was filmed" in page.inner_text("#mode-problem")
    assert page.url.endswith("/upload")


def test_what_is_no_video_inside_is_refused_in_words_and_leaves_nothing_to_go_on_with(opened, site):
    page = opened(site.url("/upload"))
    page.set_input_files("#file", {"name": "fake.mp4", "mimeType": "video/mp4", "buffer": b"not a video at all " * 500})
    page.check("[value=batting]", force=True)
    page.click("[data-do=send]")
    page.wait_for_selector("#sending-problem:not([hidden])")
    assert page.inner_text("#sending-problem")
    assert page.evaluate("localStorage.getItem('cricksy-upload')") is None


def test_an_interrupted_upload_goes_on_after_a_reload_with_the_same_file(opened, site):
    page = opened(site.url("/upload"))
    page.route("**/parts/**", lambda route: route.abort())
    page.set_input_files("#file", str(site.world.film))
    page.check("[value=fielding]", force=True)
    page.click("[data-do=send]")
    page.wait_for_function("() => localStorage.getItem('cricksy-upload')")
    page.click("[data-do=pause]")
    page.wait_for_selector("[data-do=send]:visible")
    page.unroute("**/parts/**")
    page.reload()
    page.wait_for_selector("[data-part=resume]:visible")
    assert "0 %" in page.inner_text("[data-part=resume]")
    page.set_input_files("#file", str(site.world.film))
    page.wait_for_url("**/analyses/*")
    assert site.world.jobs.get(job_of(page)).analysis_mode == "fielding"


def test_an_upload_can_be_thrown_away(opened, site):
    page = opened(site.url("/upload"))
    page.route("**/parts/**", lambda route: route.abort())
    page.set_input_files("#file", str(site.world.film))
    page.check("[value=batting]", force=True)
    page.click("[data-do=send]")
    page.wait_for_function("() => localStorage.getItem('cricksy-upload')")
    page.click("[data-do=cancel]")
    page.wait_for_function("() => !localStorage.getItem('cricksy-upload')")
    page.reload()
    assert page.is_hidden("[data-part=resume]")


def test_progress_is_live_and_the_result_comes_by_itself(opened, site):
    world, jobs = site.world, site.world.jobs
    job = upload(world, "Live")
    page = opened(site.url(f"/analyses/{job}"))
    page.evaluate("window.sameDocument = true")
    jobs.claim(job, RUN)
    jobs.progress(job, RUN, 31)
    page.wait_for_function("() => document.querySelector('[data-part=share]').textContent === '31 %'")
    assert page.get_attribute("[data-stage=QUICK]", "class") == "now"
    publish_quick(world, job)
    page.wait_for_function("() => document.querySelector('[data-job]').dataset.state === 'preliminary'")
    assert "statue" in page.inner_text(".cue")
    page.wait_for_function("() => document.querySelector('.unseen[data-part=said]').textContent.includes('preliminary')")
    publish_deep(world, job)
    page.wait_for_function("() => document.querySelector('[data-job]').dataset.state === 'done'")
    assert page.query_selector("[data-part=notice]") is None
    assert page.evaluate("window.sameDocument"), "without loading the page anew"
    page.wait_for_selector("[data-part=watch][data-ready=true]")


def test_a_failed_analysis_is_tried_again_by_its_button(opened, site):
    job = upload(site.world, "Try me again")
    site.world.jobs.fail_unclaimed(job, ErrorCode.WORKER_LOST, "gone")
    page = opened(site.url(f"/analyses/{job}"))
    page.click("[data-post]")
    page.wait_for_function("() => document.querySelector('[data-job]').dataset.state === 'queued'")
    assert str(site.world.jobs.get(job).status) == "queued"


def test_a_job_without_a_mode_is_retried_with_the_one_that_is_chosen(opened, site):
    job = upload(site.world, "Nobody said")
    site.world.jobs.fail_unclaimed(job, ErrorCode.MODE_MISSING, "Nobody said what was filmed.")
    page = opened(site.url(f"/analyses/{job}"))
    page.click("[data-post]")
    assert "Choose what was filmed" in page.inner_text("[data-part=problem]")
    page.check("[value=wicketkeeping]", force=True)
    page.click("[data-post]")
    page.wait_for_function("() => document.querySelector('[data-job]').dataset.state === 'queued'")
    assert site.world.jobs.get(job).analysis_mode == "wicketkeeping"


def test_a_session_is_deleted_for_good_after_a_second_look(opened, site):
    job = upload(site.world, "Delete me")
    site.world.jobs.fail_unclaimed(job, ErrorCode.VIDEO_CORRUPT, "Damaged.")
    session = site.world.jobs.get(job).session_id
    page = opened(site.url(f"/sessions/{session}"))
    assert page.is_hidden("[data-delete]")
    page.click("text=Delete this session")
    page.click("[data-delete]")
    page.wait_for_url(site.url("/"))
    assert site.world.jobs.get_session(session) is None and "Delete me" not in page.inner_text("main")


def test_consent_is_said_on_the_sessions_page_and_is_never_assumed(opened, site):
    session = site.world.jobs.create_session(owner_id="local", title="Under twelves")
    page = opened(site.url(f"/sessions/{session}"))
    assert "not said" in page.inner_text("#privacy-title + dl")
    page.click("text=Say it, or change it")
    page.select_option("#consent", "guardian")
    page.click("text=Save")
    page.wait_for_selector("[data-part=change-problem]:not([hidden])")
    assert site.world.jobs.get_session(session).consent_given is None, "a consent without a name and a day is none"
    page.fill("#consent_by", "R. Iyer")
    page.fill("#consent_on", "2026-11-01")
    page.click("text=Save")
    page.wait_for_selector("text=given by R. Iyer")
    row = site.world.jobs.get_session(session)
    assert (row.consent_given, row.player_is_minor, row.consent_by_guardian) == (True, True, True)


def test_signing_in_leads_back_to_the_page_and_no_script_can_read_the_token(opened, strict_site):
    path = strict_site.world.path("done")
    page = opened(strict_site.url(path))
    assert "/sign-in" in page.url
    page.fill("#token", "not a token")
    page.click("text=Sign in >> nth=-1")
    page.wait_for_selector("#token-problem:not([hidden])")
    page.fill("#token", token("local"))
    page.press("#token", "Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(strict_site.url(path))
    assert "statue" in page.inner_text(".cue")
    assert page.evaluate("document.cookie") == "" and token("local")[:20] not in page.content()
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.goto(strict_site.url("/"))
    assert "/sign-in" in page.url


def test_the_page_is_usable_by_keys_alone(opened, site):
    """Tab from the top: skip link, the bar, then the cue's moments, and the video's controls; none is a trap."""
    page = opened(site.url(site.world.path("done")))
    page.wait_for_selector("[data-part=watch][data-ready=true]")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent).trim().slice(0, 40)")
        )
    assert reached[:4] == ["Skip to the content", "Cricksy", "Sessions", "New video"]
    for wanted in ("Play", "One frame on", "Next moment", "Place in the video"):
        assert wanted in reached, reached
    assert reached.index("Show 0:01.70") < reached.index("Play")


@pytest.mark.parametrize("name", ["queued", "preliminary"])
def test_waiting_costs_no_reload_and_no_complaint(opened, site, name):
    page = opened(site.url(site.world.path(name)))
    page.wait_for_timeout(1500)
    assert page.get_attribute("[data-job]", "data-state") == name
