"""One picture of an overlay: what is drawn of a body, what the panel says, where everything lies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.reading.drawing.pictures import LEFT_RGB
from cricksy_pipeline.reading.notation import time_with_interval
from cricksy_pipeline.reading.overlay.body import Body, BodyTrack
from cricksy_pipeline.reading.overlay.figure import draw_player
from cricksy_pipeline.reading.overlay.lettering import broken, fitted, text_width
from cricksy_pipeline.reading.overlay.panel import PanelState, draw_panel
from cricksy_pipeline.reading.overlay.scene import Scene
from cricksy_pipeline.reading.overlay.script import Ball, Mark, Moment, Reading, Script, script_of
from cricksy_pipeline.reading.overlay.style import PALETTE, STYLE, layout_of
from cricksy_pipeline_tests.reading.sample_documents import CONTACTS, drive_results

SIZE = (640, 360)


def standing() -> np.ndarray:
    """(33, 2): somebody upright, every joint at a place of its own."""
    xy = np.full((33, 2), 320.0)
    for part, y in (
        ("shoulder", 120),
        ("elbow", 160),
        ("wrist", 200),
        ("index", 230),
        ("hip", 210),
        ("knee", 260),
        ("ankle", 320),
        ("heel", 325),
    ):
        for side, x in (("left", 360.0), ("right", 280.0)):
            out = 40 if part in ("elbow", "wrist", "index") else 0
            xy[INDEX[f"{side}_{part}"]] = (x + np.sign(x - 320) * out, y)
    for side, x in (("left", 372.0), ("right", 268.0)):
        xy[INDEX[f"{side}_foot_index"]] = (x, 328)
    xy[:11, 1] = 90
    return xy


def drawn(visibility: np.ndarray) -> np.ndarray:
    image = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    draw_player(image, Body(standing(), visibility, False), 1.0, lit=False)
    return image


def near(image: np.ndarray, xy, colour, radius: int = 3) -> int:
    """How many pixels around a place have a colour."""
    x, y = np.round(xy).astype(int)
    part = image[y - radius : y + radius + 1, x - radius : x + radius + 1].astype(int)
    return int((np.abs(part - colour).max(axis=2) < 60).sum())


def test_a_line_leads_to_a_joint_that_is_seen():
    middle = (standing()[INDEX["left_elbow"]] + standing()[INDEX["left_wrist"]]) / 2
    assert near(drawn(np.ones(33)), middle, LEFT_RGB) > 5


def test_no_line_leads_to_a_joint_of_low_visibility_and_it_is_hollow():
    unsure = np.ones(33)
    unsure[INDEX["left_wrist"]] = 0.4
    image, wrist = drawn(unsure), standing()[INDEX["left_wrist"]]
    assert near(image, (standing()[INDEX["left_elbow"]] + wrist) / 2, LEFT_RGB) == 0
    assert near(image, wrist, LEFT_RGB, 1) < near(drawn(np.ones(33)), wrist, LEFT_RGB, 1)  # its middle shows the picture
    assert near(image, wrist, LEFT_RGB, 5) > 0


def test_beyond_a_joint_that_is_not_seen_no_line_floats_in_the_air():
    unsure = np.ones(33)
    unsure[INDEX["left_elbow"]] = 0.1
    middle = (standing()[INDEX["left_wrist"]] + standing()[INDEX["left_index"]]) / 2
    assert near(drawn(np.ones(33)), middle, LEFT_RGB) > 5
    assert near(drawn(unsure), middle, LEFT_RGB) == 0


@pytest.mark.parametrize("visibility", [0.1, 0.0, np.nan])
def test_a_joint_that_is_not_seen_is_not_drawn(visibility):
    unseen = np.ones(33)
    unseen[INDEX["left_wrist"]] = visibility
    assert near(drawn(unseen), standing()[INDEX["left_wrist"]], LEFT_RGB, 5) == 0


def test_the_mirrored_player_is_drawn_mirrored():
    image = np.full((SIZE[1], SIZE[0] - 1, 3), 128, np.uint8)
    mirrored = image.copy()
    draw_player(image, Body(standing(), np.ones(33), False), 1.0, lit=False)
    xy = standing() * (-1, 1) + (SIZE[0] - 2, 0)
    draw_player(mirrored, Body(xy, np.ones(33), False), 1.0, lit=False)
    assert (np.abs(image[:, ::-1].astype(int) - mirrored).max(axis=2) > 90).mean() < 0.002  # but for the last bit of smooth edges


@given(st.integers(16, 8000), st.integers(16, 8000))
def test_every_source_fits_and_all_sizes_are_even(width, height):
    layout = layout_of(width, height)
    assert max(layout.width, layout.height) <= STYLE.long_side
    assert {layout.width % 2, layout.height % 2, layout.picture_width % 2, layout.picture_height % 2} == {0}
    assert layout.height >= STYLE.least_height
    assert layout.picture_height + layout.top <= layout.foot_top
    if 0.2 < width / height < 5 and min(width, height) > 100:
        assert layout.picture_width / layout.picture_height == pytest.approx(width / height, rel=0.05)


def test_long_words_are_cut_and_never_leave_their_room():
    assert fitted("front-foot contact", 14, 1000) == "front-foot contact"
    for room in (20, 60, 100):
        assert text_width(fitted("front-foot contact", 14, room), 14) <= room
    assert broken("Head still at contact", 17, 1000, 2) == ["Head still at contact"]
    assert all(text_width(line, 17) <= 90 for line in broken("Weight between the feet at contact", 17, 90, 2))
    assert len(broken("Weight between the feet at contact", 17, 90, 2)) == 2


def test_the_script_says_the_numbers_of_the_results():
    document: AnalysisResults = drive_results()
    script = script_of(document, document.findings, 14.0)
    assert [ball.number for ball in script.balls] == [1, 2, 3]
    assert [ball.key_s for ball in script.balls] == pytest.approx(CONTACTS)
    told = {(ball.number, read.label): read for ball in script.balls for moment in ball.moments for read in moment.readings}
    for metric in document.metrics.metrics.values():
        for single in metric.per_delivery:
            read = told.pop((single.delivery, metric.label))
            assert read.value == single.value
            assert float(read.figure.replace("−", "-")) == pytest.approx(single.value, abs=max(single.sigma, abs(single.value) / 50, 0.05))
            if metric.band is None or not metric.judged:
                assert (read.sound, read.band) == ("", (None, None))
    assert not told
    assert Script.from_json(script.as_json()) == script


def test_what_a_finding_is_about_comes_first():
    document = drive_results()
    about = document.findings.findings[0].metric
    label = document.metrics.metrics[about].label
    single = document.metrics.metrics[about].per_delivery[0]
    ball = script_of(document, document.findings, 14.0).balls[single.delivery - 1]
    moment = next(moment for moment in ball.moments if moment.t_s == single.t_s)
    assert moment.readings[0].label == label


READING = Reading("Front knee", "75", "°", "95 %: 56 to 93", "", "100 to 165°", 75.0, 56.0, 93.0, (100.0, 165.0))
BALL = Ball(1, 1.0, 3.0, 2.0, (Mark("contact", 2.0, 0.04, time_with_interval(2.0, 0.04)),), (Moment(2.0, "at contact", (READING,)),))


def plain() -> np.ndarray:
    """A grey picture of the size that the layout asks for."""
    layout = layout_of(*SIZE)
    return np.full((layout.picture_height, layout.picture_width, 3), 128, np.uint8)


def scene() -> Scene:
    nobody = BodyTrack(np.zeros(0), np.zeros((0, 33, 2)), np.zeros((0, 33)), np.zeros(0, int), STYLE.bridge_s)
    return Scene(layout_of(*SIZE), Script((BALL,), 5.0), nobody, None)


@pytest.mark.parametrize(
    ("t_s", "moment", "lit", "under_way"),
    [
        (0.5, False, (), False),
        (1.5, False, (), True),
        (1.97, False, (0,), True),
        (2.03, True, (0,), True),
        (2.5, True, (), True),
        (4, True, (), False),
    ],
)
def test_the_panel_follows_the_moment(t_s, moment, lit, under_way):
    state = scene()._state(t_s, None)
    assert (state.moment is not None, state.lit, state.under_way) == (moment, lit, under_way)
    assert (state.ball is None) == (t_s < 1)


def test_in_its_own_clip_a_ball_is_the_only_one():
    assert scene()._state(0.5, BALL).ball is BALL


def test_half_speed_is_said_on_the_picture():
    image = plain()
    normal, slow = (scene().picture(image.copy(), 2.5, ball=BALL, speed=speed) for speed in (1.0, 0.5))
    changed = np.abs(normal.astype(int) - slow).max(axis=2) > 30
    layout = layout_of(*SIZE)
    assert changed[: layout.foot_top, : layout.picture_width].sum() > 300
    assert changed[:100, layout.picture_width :].sum() > 50


def test_a_mark_is_drawn_as_wide_as_its_time_is_uncertain():
    def lit_columns(half_s: float) -> int:
        ball = Ball(1, 0.0, 4.0, 2.0, (Mark("contact", 2.0, half_s, "0:02.00"),), ())
        made = Scene(layout_of(*SIZE), Script((ball,), 4.0), scene()._body, None)
        picture = made.picture(plain(), 2.0)
        foot = picture[layout_of(*SIZE).foot_top :, : layout_of(*SIZE).picture_width].astype(int)
        return int((np.abs(foot - PALETTE.mark).max(axis=2) < 40).any(axis=0).sum())

    quarter, half, whole = (lit_columns(half_s) for half_s in (0.2, 0.4, 0.8))
    assert whole - half == pytest.approx(2 * (half - quarter), abs=4)
    assert half - quarter > 50


@pytest.mark.parametrize("height", [STYLE.least_height, 600, 1280])
@pytest.mark.parametrize("events", [0, 3, 9])
def test_the_panel_has_room_for_everything_it_draws(height, events):
    marks = tuple(
        Mark(f"a rather long name of event {i}", 1.0 + i / 10, 0.05, time_with_interval(1.0 + i / 10, 0.05)) for i in range(events)
    )
    ball = Ball(1, 0.0, 4.0, 2.0, marks, ())
    moment = Moment(2.0, "at contact", (READING,) * 7)
    panel = np.zeros((height, STYLE.panel, 3), np.uint8)
    draw_panel(panel, PanelState(ball, 12, True, moment, events, (0,) if events else (), False, True))
    edges = np.concatenate([panel[:, :10].reshape(-1, 3), panel[:, -10:].reshape(-1, 3), panel[-8:].reshape(-1, 3)])
    assert (edges == PALETTE.raised).all()  # nothing touches the border
