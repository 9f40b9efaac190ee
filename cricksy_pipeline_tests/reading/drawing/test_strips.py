"""The strip of stills: a row for each ball, the player whole and of one scale, known again by its mark."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import Delivery, DeliveryValue, Event
from cricksy_pipeline.analysis.findings import STRIP
from cricksy_pipeline.analysis.moments import MOST_ROWS, moments_of, shown_deliveries, still_of
from cricksy_pipeline.reading.drawing.pictures import RING_RGB
from cricksy_pipeline.reading.drawing.strips import (
    FOOT,
    GAP,
    HEAD,
    MARGIN,
    TILE_HEIGHT,
    TILE_WIDTH,
    UNKNOWN,
    Row,
    Still,
    as_jpeg,
    mark,
    mark_of,
    strip_png,
)
from cricksy_pipeline.sample.clip import ClipSpec, truth_landmarks
from cricksy_pipeline.store.keys import Output, pass_of

FIELD = (90, 140, 80)


def decoded(png: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


@pytest.fixture(scope="module")
def bowler():
    return truth_landmarks(ClipSpec(motion="bowl", view="side", fps=30, seconds=3.0))


def still(seen, i: int, *, event: str = "release", picture: bool = True, scale: float = 1.0) -> Still:
    size = (round(seen.height * scale), round(seen.width * scale), 3)
    image = np.full(size, FIELD, np.uint8) if picture else None
    return Still(event, float(seen.t_s[i]), 0.01, image, seen.xy[i].astype(float) * scale, seen.visibility[i])


def tile(picture: np.ndarray, row: int, column: int) -> np.ndarray:
    top, left = row * (HEAD + TILE_HEIGHT + FOOT + MARGIN) + HEAD, MARGIN + column * (TILE_WIDTH + GAP)
    return picture[top : top + TILE_HEIGHT, left : left + TILE_WIDTH]


def test_every_ball_is_a_row_and_every_still_a_tile_with_the_ring(bowler):
    rows = [Row("Ball 1 of 2", tuple(still(bowler, i) for i in (52, 57, 61))), Row("Ball 2 of 2", (still(bowler, 61),))]
    picture = decoded(strip_png(rows))
    assert picture.shape == (2 * (HEAD + TILE_HEIGHT + FOOT + MARGIN), 2 * MARGIN + 3 * TILE_WIDTH + 2 * GAP, 3)
    for row, column in ((0, 0), (0, 1), (0, 2), (1, 0)):
        yellow = (np.abs(tile(picture, row, column).astype(int) - RING_RGB).max(axis=2) < 12).sum()
        assert yellow > 100, (row, column)
    assert (tile(picture, 1, 1) == 255).all()


def test_the_player_is_of_the_same_size_whatever_the_size_of_the_picture(bowler):
    large, small = (decoded(strip_png([Row("x", (still(bowler, 61, scale=scale),))])) for scale in (1.0, 0.25))
    assert np.abs(tile(large, 0, 0).astype(int) - tile(small, 0, 0)).mean() < 3


def test_no_joint_is_cut_off_at_the_edge_of_a_still(bowler):
    for i in (40, 52, 57, 61, 72):
        figure = tile(decoded(strip_png([Row("x", (still(bowler, i, picture=False),))])), 0, 0)
        drawn = (np.abs(figure.astype(int) - UNKNOWN).max(axis=2) > 40) & (np.abs(figure.astype(int) - RING_RGB).max(axis=2) > 60)
        ys, xs = np.nonzero(drawn)
        assert xs.min() > 2 and ys.min() > 2 and xs.max() < TILE_WIDTH - 3 and ys.max() < TILE_HEIGHT - 3


def test_without_a_video_the_figure_stands_on_a_plain_ground(bowler):
    figure = tile(decoded(strip_png([Row("x", (still(bowler, 61, picture=False),))])), 0, 0)
    assert (figure[:8] == UNKNOWN).all()


def test_a_frame_without_the_player_shows_the_picture_without_a_figure(bowler):
    lost = Still("after", 1.0, None, np.full((90, 160, 3), FIELD, np.uint8), np.full((33, 2), np.nan), np.full(33, np.nan))
    assert decoded(strip_png([Row("x", (still(bowler, 61), lost))])).shape[1] == 2 * MARGIN + 2 * TILE_WIDTH + GAP


def test_without_a_ball_the_strip_says_so_and_is_a_picture():
    assert decoded(strip_png([])).shape[2] == 3


def test_a_strip_is_known_again_by_its_mark_and_no_other_picture_has_one(bowler):
    rows = [(1, "release", 61, bowler.xy[61])]
    told = mark(rows)
    png = strip_png([Row("x", (still(bowler, 61),))], told)
    assert mark_of(png) == told and cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) is not None
    assert mark_of(b"") is None and mark_of(as_jpeg(png)) is None
    plain = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    assert mark_of(plain) is None
    assert mark([(1, "release", 62, bowler.xy[61])]) != told and mark([(1, "release", 61, bowler.xy[61] + 3)]) != told
    assert mark([(1, "release", 61, bowler.xy[61] + 1e-4)]) == told


def test_as_jpeg_refuses_what_is_no_picture():
    with pytest.raises(ValueError, match="no picture"):
        as_jpeg(b"not a picture")


# ------------------------------------------------------------------------------------------------------------------- which moments


def ball(number: int) -> Delivery:
    t = 3.0 * number
    events = [
        Event(name=name, t_s=t + at, sigma_s=0.01, frame=round(30 * (t + at)))
        for name, at in (("release", 0.3), ("front_foot_contact", 0.2))
    ]
    return Delivery(delivery=number, start_s=t - 1, end_s=t + 1, events=events)


def test_a_ball_shows_its_events_in_time_order_with_one_frame_before_and_one_after():
    frame = np.arange(600)
    shown = moments_of(ball(1), frame, frame / 30)
    assert [moment.event for moment in shown] == ["before", "front_foot_contact", "release", "after"]
    assert [moment.sigma_s is None for moment in shown] == [True, False, False, True]
    assert [moment.frame for moment in shown] == sorted(moment.frame for moment in shown)


def test_where_nothing_was_looked_at_before_or_after_no_frame_is_shown_twice():
    frame = np.array([96, 97, 98, 99])
    shown = moments_of(ball(1), frame, frame / 30)
    assert len({moment.frame for moment in shown}) == len(shown)


def test_of_a_long_session_six_balls_are_shown_from_first_to_last():
    shown = shown_deliveries([ball(i) for i in range(1, 14)])
    assert len(shown) == MOST_ROWS and (shown[0].delivery, shown[-1].delivery) == (1, 13)
    assert len({one.delivery for one in shown}) == MOST_ROWS


def test_evidence_points_at_the_still_of_its_own_event_or_at_none():
    balls = [ball(i) for i in range(1, 14)]
    read = DeliveryValue(delivery=1, value=1.0, sigma=1.0, t_s=3.2, frame=96, event="release")
    assert still_of(read, balls).event == "release"
    assert still_of(read.model_copy(update={"event": None}), balls).event == "front_foot_contact"
    hidden = next(one.delivery for one in balls if one not in shown_deliveries(balls))
    assert still_of(read.model_copy(update={"delivery": hidden}), balls) is None


def test_the_name_that_findings_point_at_is_the_stored_output():
    assert Output.DEEP_MOMENTS_IMAGE.value == STRIP and pass_of(Output.DEEP_MOMENTS_IMAGE) == "deep"
