"""The video of a result in a real browser: the frame on the screen is the one that is named, and drawings lie where it was measured."""

from __future__ import annotations

import pytest

from cricksy_pipeline.analysis.video_index import index_video
from cricksy_pipeline_tests.reading.pages.conftest import settle
from cricksy_pipeline_tests.reading.pages.film import BITS, BLOCK, BODY, LOST
from cricksy_pipeline_tests.reading.sample_documents import CONTACTS, drive_results

READ_NUMBER = f"""() => {{
  const video = document.querySelector('video'), canvas = document.createElement('canvas');
  canvas.width = video.videoWidth; canvas.height = video.videoHeight;
  const context = canvas.getContext('2d', {{ willReadFrequently: true }});
  context.drawImage(video, 0, 0);
  let number = 0;
  for (let bit = 0; bit < {BITS}; bit += 1) {{
    const [level] = context.getImageData(bit * {BLOCK} + {BLOCK // 2}, {BLOCK // 2}, 1, 1).data;
    if (level > 128) number += 1 << bit;
  }}
  return number;
}}"""

STAGE = "document.querySelector('[data-part=watch]').stage"

INK_AT = """([x, y]) => {
  const { stage } = document.querySelector('[data-part=watch]');
  const { scale, left, top } = stage.picture;
  const at = stage.canvas.getContext('2d').getImageData(Math.round(left + scale * x), Math.round(top + scale * y), 1, 1).data;
  return [...at];
}"""


def said(page) -> tuple[str, str]:
    """Time and frame as the page says them."""
    return page.inner_text("[data-read=time]"), page.inner_text("[data-read=frame]")


def shown_number(page) -> int:
    """The number that the film itself shows."""
    return page.evaluate(READ_NUMBER)


def go(page, frame: int) -> None:
    page.evaluate(f"{STAGE}.showFrame({frame})")
    settle(page)


def test_the_video_opens_at_the_first_finding(opened, site):
    page = opened(site.url(site.world.path("done")))
    page.wait_for_selector("[data-part=watch][data-ready=true]")
    settle(page)
    assert page.evaluate(STAGE + ".time") == pytest.approx(CONTACTS[0], abs=0.04)


@pytest.mark.parametrize("frame", [0, 1, 102, 250, 324])
def test_the_frame_on_the_screen_is_the_frame_that_is_asked_for(watching, frame):
    go(watching, frame)
    assert shown_number(watching) == frame
    assert said(watching)[1] == f"frame {frame + 1} of {len(index_video_frames(watching))}"


def index_video_frames(page) -> list[float]:
    return page.evaluate(f"[...{STAGE}.playback.frames]")


def test_a_file_whose_clock_does_not_begin_at_zero_shows_the_same_frames(opened, site):
    page = opened(site.url(site.world.path("late")))
    page.wait_for_selector("[data-part=watch][data-ready=true]")
    for frame in (0, 1, 150):
        go(page, frame)
        assert shown_number(page) == frame
    assert page.evaluate(STAGE + ".origin") == pytest.approx(0.4)


def test_frame_times_are_the_presentation_times_of_the_file(watching, world):
    times = index_video(world.film).t_s
    assert index_video_frames(watching) == pytest.approx(times.tolist(), abs=1e-6)
    go(watching, 7)
    minutes, seconds = said(watching)[0].split(":")
    assert 60 * int(minutes) + float(seconds) == pytest.approx(times[7], abs=0.0051)


def test_arrow_keys_step_one_frame_at_a_variable_rate_and_many_presses_are_all_counted(watching):
    go(watching, 40)
    for _ in range(5):
        watching.keyboard.press("ArrowRight")
    settle(watching)
    assert shown_number(watching) == 45
    for _ in range(3):
        watching.keyboard.press("ArrowLeft")
    settle(watching)
    assert shown_number(watching) == 42


def test_the_first_and_the_last_frame_hold(watching):
    last = len(index_video_frames(watching)) - 1
    go(watching, 0)
    watching.keyboard.press("ArrowLeft")
    settle(watching)
    assert shown_number(watching) == 0
    go(watching, last)
    watching.keyboard.press("ArrowRight")
    settle(watching)
    assert shown_number(watching) == last


def test_shift_and_an_arrow_go_from_moment_to_moment_and_say_so(watching):
    go(watching, 0)
    names = []
    for _ in range(3):
        watching.keyboard.press("Shift+ArrowRight")
        settle(watching)
        names.append(watching.inner_text("[data-read=said]"))
    assert [name.rsplit(", ", 1)[0] for name in names] == ["Ball 1, top of backlift", "Ball 1, front-foot down", "Ball 1, contact"]


def test_slow_motion_slows_and_space_plays_and_pauses(watching):
    watching.check("[data-rate='0.25']", force=True)
    assert watching.evaluate("document.querySelector('video').playbackRate") == 0.25
    watching.evaluate("document.activeElement.blur()")
    watching.keyboard.press("Space")
    watching.wait_for_selector("[data-do=play][data-state=playing][aria-label=Pause]")
    watching.wait_for_function("() => document.querySelector('video').currentTime > 2.0")
    watching.keyboard.press("Space")
    watching.wait_for_selector("[data-do=play][data-state=paused][aria-label=Play]")
    settle(watching)
    assert shown_number(watching) == watching.evaluate(STAGE + ".frame")


def test_joints_are_drawn_where_they_were_measured_filled_where_sure_and_hollow_where_not(watching):
    watching.evaluate(f"{STAGE}.showTime({CONTACTS[0]})")
    settle(watching)
    right_knee = watching.evaluate(INK_AT, list(BODY["knee"]))
    assert right_knee == [64, 190, 255, 255]
    left_wrist = watching.evaluate(INK_AT, [BODY["wrist"][0] - 60, BODY["wrist"][1]])
    assert left_wrist[3] == 0, "the middle of a hollow joint shows the picture"
    halfway = [(BODY["elbow"][0] + BODY["wrist"][0]) / 2 - 60, (BODY["elbow"][1] + BODY["wrist"][1]) / 2]
    assert watching.evaluate(INK_AT, halfway)[3] == 0, "no line goes to a joint that was not seen"
    sure = [(BODY["hip"][0] + BODY["knee"][0]) / 2, (BODY["hip"][1] + BODY["knee"][1]) / 2]
    assert watching.evaluate(INK_AT, sure) == pytest.approx([64, 190, 255, 255], abs=30)


def test_nothing_is_drawn_where_nobody_was_found_or_when_the_skeleton_is_switched_off(watching):
    knee = list(BODY["knee"])
    watching.evaluate(f"{STAGE}.showTime({sum(LOST) / 2})")
    settle(watching)
    assert watching.evaluate(INK_AT, knee)[3] == 0
    watching.evaluate(f"{STAGE}.showTime({CONTACTS[1]})")
    settle(watching)
    assert watching.evaluate(INK_AT, knee)[3] == 255
    watching.uncheck("[data-read=drawn]")
    assert watching.evaluate(INK_AT, knee)[3] == 0


def test_a_moment_of_a_finding_takes_the_video_there(watching):
    watching.click(".finding >> nth=1 >> button.moment >> nth=1")
    settle(watching)
    asked = float(watching.get_attribute(".finding >> nth=1 >> button.moment >> nth=1", "data-seek"))
    assert watching.evaluate(STAGE + ".time") == pytest.approx(asked, abs=0.035)
    assert watching.inner_text("[data-read=said]").startswith("Video at 0:")


def test_the_cursor_of_the_curve_follows_the_video_and_a_click_takes_the_video_there(watching):
    watching.locator(".curve:not([hidden]) svg").scroll_into_view_if_needed()
    box = watching.locator(".curve:not([hidden]) svg").bounding_box()
    stage_time = STAGE + ".time"
    places = []
    for share in (0.3, 0.8):
        watching.mouse.click(box["x"] + share * box["width"], box["y"] + 0.6 * box["height"])
        settle(watching)
        cursor = watching.locator(".curve:not([hidden]) .cursor")
        places.append(float(cursor.get_attribute("x1")))
        assert places[-1] == pytest.approx(share * 440, abs=8), "within a frame of the click"
        assert cursor.get_attribute("visibility") == "visible"
    assert watching.evaluate(stage_time) > CONTACTS[1]
    handle = watching.locator(".curve:not([hidden]) [role=slider]")
    assert handle.get_attribute("aria-valuetext").startswith("0:")


def test_the_reading_at_the_cursor_is_the_stored_one(watching):
    watching.select_option("#curve", "front_knee_angle")
    series = drive_results().metrics.series["front_knee_angle"]
    at = next(i for i, value in enumerate(series.value) if value is not None and i > 10)
    watching.evaluate(f"{STAGE}.showTime({series.t_s[at]})")
    settle(watching)
    shown, time = watching.inner_text(".curve:not([hidden]) output"), watching.evaluate(STAGE + ".time")
    nearest = min(range(len(series.t_s)), key=lambda i: abs(series.t_s[i] - time))
    assert shown == f"{series.value[nearest]:.{watching.evaluate(STAGE + '.playback.series.front_knee_angle.decimals')}f}°"


def test_the_skeleton_stays_on_the_picture_where_there_are_bars_at_its_sides(watching):
    watching.evaluate(f"{STAGE}.showTime({CONTACTS[0]})")
    watching.set_viewport_size({"width": 1280, "height": 500})
    watching.wait_for_function(f"() => {STAGE}.picture.left > 50")
    assert watching.evaluate(INK_AT, list(BODY["knee"])) == [64, 190, 255, 255]
    watching.set_viewport_size({"width": 1280, "height": 800})


def test_a_file_that_the_browser_cannot_play_says_so_and_leaves_the_numbers(opened, site):
    page = opened(site.url("/sign-in"))
    page.route("**/video", lambda route: route.fulfill(status=200, content_type="video/mp4", body=b"no video at all"))
    page.goto(site.url(site.world.path("done")))
    page.wait_for_function("() => document.querySelector('[data-part=screen-says]').textContent.includes('cannot play')")
    assert page.is_visible(".balls") and page.is_visible(".figure >> nth=0")
