"""Pictures with a skeleton on them: in the right place, in the right colours, of the right size."""

from __future__ import annotations

import numpy as np
import pytest

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.reading.drawing.pictures import (
    LEFT_RGB,
    MIDDLE_RGB,
    RIGHT_RGB,
    RING_RGB,
    NumberedPerson,
    StripPicture,
    player_picture,
    skeleton_over,
    strip,
)

BODY = {
    "nose": (0.50, 0.10),
    "shoulder": (0.10, 0.25),
    "elbow": (0.16, 0.40),
    "wrist": (0.18, 0.54),
    "index": (0.185, 0.58),
    "hip": (0.06, 0.52),
    "knee": (0.07, 0.72),
    "ankle": (0.08, 0.92),
    "heel": (0.07, 0.95),
    "foot_index": (0.12, 0.95),
}


def standing(width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey picture with a body facing the camera in it: his left side is right of the middle."""
    xy = np.full((33, 2), np.nan, np.float32)
    xy[INDEX["nose"]] = BODY["nose"]
    for part, (aside, down) in BODY.items():
        if part != "nose":
            xy[INDEX[f"left_{part}"]] = (0.5 + aside, down)
            xy[INDEX[f"right_{part}"]] = (0.5 - aside, down)
    side = min(width, height)
    xy = (xy - [0.5, 0.5]) * side * 0.9 + [width / 2, height / 2]
    return np.full((height, width, 3), 110, np.uint8), xy.astype(np.float32), np.ones(33, np.float32)


def near(image: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) < 30).all(axis=2)


def decoded(data: bytes) -> np.ndarray:
    import cv2

    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def test_left_and_right_are_the_players_own_and_differ_in_colour():
    image = skeleton_over(*standing(600, 600), ring=False)
    left, right = np.nonzero(near(image, LEFT_RGB))[1], np.nonzero(near(image, RIGHT_RGB))[1]
    assert len(left) > 300 and len(right) > 300 and left.min() > 300 > right.max()


def test_the_left_side_is_orange_and_the_right_blue_as_the_page_says():
    (r, g, b), (r2, g2, b2) = LEFT_RGB, RIGHT_RGB
    assert r > g > b and b2 > g2 > r2


def test_an_encoded_picture_keeps_its_colours():
    image = decoded(player_picture(*standing(600, 600)))
    assert near(image, LEFT_RGB).sum() > 300 and near(image, RING_RGB).sum() > 100


@pytest.mark.parametrize(("width", "height"), [(3840, 2160), (1080, 1920), (640, 360), (100, 80), (9, 7)])
def test_a_large_picture_is_scaled_down_and_a_small_one_left(width, height):
    image = skeleton_over(*standing(width, height))
    factor = min(1, 640 / max(width, height))
    assert image.shape == (round(height * factor), round(width * factor), 3)


def test_the_skeleton_follows_the_scaling():
    image = skeleton_over(*standing(3000, 3000), ring=False)
    expected = standing(640, 640)[1]
    for name in ("left_knee", "left_wrist"):
        x, y = expected[INDEX[name]].round().astype(int)
        assert near(image, LEFT_RGB)[y - 2 : y + 3, x - 2 : x + 3].any()


def test_lines_are_thicker_on_a_larger_picture():
    small, large = (near(skeleton_over(*standing(side, side), ring=False), LEFT_RGB).sum() / side for side in (160, 640))
    assert large > 1.5 * small


def test_a_joint_that_is_hardly_visible_is_hollow():
    image, xy, visibility = standing(600, 600)
    x, y = xy[INDEX["left_wrist"]].round().astype(int)
    sure = near(skeleton_over(image, xy, visibility, ring=False), LEFT_RGB)
    visibility[INDEX["left_wrist"]] = 0.1
    unsure = near(skeleton_over(image, xy, visibility, ring=False), LEFT_RGB)
    assert sure[y, x] and not unsure[y, x] and unsure[y - 7 : y + 8, x - 7 : x + 8].any()


def test_a_picture_in_which_nobody_was_found_is_left_as_it_is():
    image, xy, _ = standing(320, 240)
    result = skeleton_over(image, np.full_like(xy, np.nan), np.full(33, np.nan, np.float32), margin=0.3)
    assert (result == image).all()


def test_the_picture_that_is_handed_in_is_not_drawn_on():
    image, xy, visibility = standing(320, 240)
    skeleton_over(image, xy, visibility)
    assert (image == 110).all()


def test_a_body_that_reaches_out_of_the_picture_is_drawn_as_far_as_it_is_seen():
    image, xy, visibility = standing(320, 240)
    assert skeleton_over(image, xy + np.array([250, 100]), visibility, margin=0.2).size > 0


def test_a_crop_shows_the_player_larger():
    _, xy, visibility = standing(400, 400)
    wide = np.full((2000, 2000, 3), 110, np.uint8)
    far = skeleton_over(wide, xy + 800, visibility, ring=False)
    close = skeleton_over(wide, xy + 800, visibility, ring=False, margin=0.2)
    heights = [np.ptp(np.nonzero(near(p, LEFT_RGB))[0]) / p.shape[0] for p in (far, close)]
    assert heights[1] > 2.5 * heights[0]


@pytest.mark.parametrize("wrong", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3), float), np.zeros((0, 5, 3), np.uint8)])
def test_what_is_no_picture_is_refused(wrong):
    with pytest.raises(ValueError, match="uint8"):
        skeleton_over(wrong, np.zeros((33, 2)), np.zeros(33))


def test_landmarks_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="33"):
        skeleton_over(np.zeros((5, 5, 3), np.uint8), np.zeros((17, 2)), np.zeros(17))


def test_a_jpeg_is_a_jpeg():
    assert player_picture(*standing(300, 300), encoding="jpeg").startswith(b"\xff\xd8\xff")


def test_a_strip_shows_every_moment_with_its_caption_at_one_height():
    tall, wide = skeleton_over(*standing(180, 320)), skeleton_over(*standing(640, 360))
    one = decoded(strip([StripPicture(tall, "0:01.70 contact")], height=200))
    both = decoded(strip([StripPicture(tall, "0:01.70 contact"), StripPicture(wide, "0:02.15 follow-through")], height=200))
    assert both.shape[0] == one.shape[0] > 200 and both.shape[1] > one.shape[1] + 300
    assert (one[205:] < 100).any(), "there is no caption"


def test_a_caption_longer_than_its_picture_is_not_cut():
    thin = np.full((320, 40, 3), 110, np.uint8)
    image = decoded(strip([StripPicture(thin, "0:01.70 front-foot contact ± 0.01 s")], height=200))
    assert image.shape[1] > 150 and (image[205:, -5:] > 200).all(), "words reach the very edge"


def test_a_strip_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        strip([])


def test_everyone_else_has_his_number_at_his_head_and_the_player_his_own():
    _, xy, visibility = standing(400, 400)
    wide = np.full((800, 1600, 3), 110, np.uint8)
    xy = xy + np.array([1000, 300], np.float32)
    other = NumberedPerson(2, (100.0, 350.0, 120.0, 300.0))
    alone = decoded(player_picture(wide, xy, visibility, max_side=960, margin=0.5))
    both = decoded(player_picture(wide, xy, visibility, max_side=960, margin=0.5, number=1, others=[other]))
    assert both.shape[1] == 960 > alone.shape[1]  # wide enough for both
    label = near(both, MIDDLE_RGB)
    label[:, 480:] = False  # the skeleton is on the right
    rows, columns = np.nonzero(label)
    assert len(rows) > 150 and np.ptp(rows) < 60 and np.ptp(columns) < 60
    assert columns.mean() < 480 and rows.mean() < both.shape[0] / 2
    assert near(both, RING_RGB).sum() > near(decoded(player_picture(wide, xy, visibility, max_side=960, others=[other])), RING_RGB).sum()


def test_a_number_stays_in_the_picture_where_a_head_is_at_its_edge():
    image, xy, visibility = standing(300, 300)
    others = [NumberedPerson(n, (x, y, 30.0, 60.0)) for n, (x, y) in enumerate([(-40, -20), (290, 0), (0, 280), (700, 700)], start=2)]
    assert decoded(player_picture(image, xy, visibility, number=1, others=others)).shape == (300, 300, 3)
