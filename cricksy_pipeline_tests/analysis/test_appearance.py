"""What somebody wears: colours from patches of the body, medians so that a bat in front of it changes nothing."""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.appearance import colours_of, unlike
from cricksy_pipeline.analysis.landmarks import INDEX

BODY = {"shoulder": 40, "hip": 100, "knee": 150}


def body() -> np.ndarray:
    """(33, 2) landmarks of somebody who stands 100 pixels from the left."""
    xy = np.full((33, 2), 100.0)
    for part, y in BODY.items():
        for side, x in (("left", 120.0), ("right", 80.0)):
            xy[INDEX[f"{side}_{part}"]] = x, y
    return xy


def dressed(shirt: tuple[int, int, int], trousers: tuple[int, int, int]) -> np.ndarray:
    image = np.zeros((200, 200, 3), np.uint8)
    image[:100], image[100:] = shirt, trousers
    return image


def test_a_red_shirt_is_unlike_a_blue_one_and_like_itself_behind_a_bat():
    white = (230, 230, 230)
    red, blue = colours_of(dressed((200, 30, 30), white), body()), colours_of(dressed((30, 30, 200), white), body())
    behind = dressed((200, 30, 30), white)
    behind[:, 95:105] = (180, 140, 90)
    assert unlike(red, blue) > 0.5
    assert unlike(red, colours_of(behind, body())) < 0.05


def test_of_a_body_outside_the_picture_nothing_is_told():
    assert colours_of(dressed((200, 30, 30), (0, 0, 0)), body() - 150) is None
