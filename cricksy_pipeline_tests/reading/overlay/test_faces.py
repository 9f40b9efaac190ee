"""Faces are made unrecognisable, and where nobody knows where a face is, more is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.reading.overlay.body import BodyTrack
from cricksy_pipeline.reading.overlay.bystanders import LOOK, Glimpse, between
from cricksy_pipeline.reading.overlay.faces import HEAD, Heads, Place, blur


def person(x: float, y: float, tall: float = 200.0) -> np.ndarray:
    """(33, 2): somebody whose eyes are at (x, y)."""
    xy = np.zeros((33, 2))
    xy[:] = (x, y + 0.5 * tall)
    xy[HEAD] = (x, y)
    for side, sign in (("left", 1), ("right", -1)):
        xy[INDEX[f"{side}_ear"]] = (x + sign * 0.04 * tall, y)
        xy[INDEX[f"{side}_foot_index"]] = (x + sign * 0.15 * tall, y + tall)
    return xy


def track(times, places, visibility: float = 1.0) -> BodyTrack:
    xy = np.array([np.full((33, 2), np.nan) if place is None else person(*place) for place in places]).reshape(len(times), 33, 2)
    return BodyTrack(np.array(times, float), xy, np.full((len(times), 33), visibility), np.zeros(len(times), int), 0.15)


def path(*boxes: tuple[float, float, float, float, float]) -> list[tuple[float, ...]]:
    """Sightings: (seconds, left, top, width, height) in one shot."""
    return [(*box, 0.0) for box in boxes]


def covered(places: list[Place], x: float, y: float) -> bool:
    return any(abs(x - p.x) <= p.half_width and abs(y - p.y) <= p.half_height for p in places)


def test_where_the_landmarks_tell_only_the_face_is_blurred():
    heads = Heads.of(track([0.0, 0.1], [(300, 100), (320, 100)]), [], None)
    (place,) = heads.at(0.05)
    assert (place.x, place.y) == pytest.approx((310, 100))
    assert place.round
    assert 12 < place.half_width < 40  # of a body 200 pixels tall


def test_where_the_head_is_hardly_seen_the_upper_part_of_his_box_is_blurred_too():
    heads = Heads.of(track([0.0], [(300, 100)], visibility=0.3), [], None)
    places = heads.at(0.0)
    assert {place.round for place in places} == {True, False}
    assert covered(places, 300, 80)


@given(st.floats(0.2, 3.0))
def test_where_he_was_lost_all_between_the_places_before_and_after_is_blurred(t_s):
    heads = Heads.of(track([0.0, 0.1, 3.1], [(300, 100), (300, 100), (700, 200)]), [], None)
    places = heads.at(t_s)
    assert all(covered(places, x, y) for x, y in ((300, 100), (500, 150), (700, 200)))


@given(st.floats(0, 10), st.floats(0, 10))
def test_the_longer_he_is_not_seen_the_more_is_blurred(one_s, other_s):
    heads = Heads.of(track([0.0], [(300, 100)]), [], None)
    sooner, later = (heads.at(0.5 + t)[0] for t in sorted((one_s, other_s)))
    assert later.half_width >= sooner.half_width
    assert later.half_height >= sooner.half_height


def test_somebody_else_is_blurred_between_two_glances_and_not_where_he_never_was():
    other = path((1.0, 500, 100, 60, 200), (2.25, 560, 100, 60, 200))
    heads = Heads.of(track([0.0], [None]), [other], None)
    assert covered(heads.at(1.6), 560, 110)
    assert covered(heads.at(2.9), 590, 110)
    assert heads.at(4.0) == []
    assert not covered(heads.at(1.6), 100, 110)


def look(t_s: float, *places: tuple[float, float]) -> list[Glimpse]:
    return [Glimpse(t_s, person(*place), np.ones(33)) for place in places]


def test_people_found_in_two_looks_are_blurred_where_they_must_be_between():
    heads = Heads.of(track([], []), [], None, [*look(1.0, (300, 100), (600, 100)), *look(1.25, (350, 100), (600, 100))])
    places = heads.at(1.125)
    assert sorted(round(place.x) for place in places) == [325, 600]
    assert max(place.half_width for place in places) < 40


def test_somebody_found_in_one_look_alone_is_blurred_the_wider_the_further_in_time():
    heads = Heads.of(track([], []), [], None, [*look(1.0, (300, 100)), *look(1.25, (900, 100))])
    widths = [max(p.half_width for p in heads.at(t) if p.x == 300) for t in (1.0, 1.1, 1.2)]
    assert widths == sorted(widths)
    assert widths[2] > 1.5 * widths[0]


def test_a_look_of_long_ago_says_nothing_of_now():
    assert between(look(1.0, (300, 100)), 1.0 + 2 / LOOK.fps) == []


@given(
    st.lists(st.tuples(st.floats(0, 900), st.floats(0, 500)), max_size=5),
    st.lists(st.tuples(st.floats(0, 900), st.floats(0, 500)), max_size=5),
)
def test_nobody_of_either_look_is_forgotten(before, after):
    there = between([*look(1.0, *before), *look(1.25, *after)], 1.1)
    assert max(len(before), len(after)) <= len(there) <= len(before) + len(after)


def test_the_player_is_not_blurred_twice():
    heads = Heads.of(track([1.0, 1.1], [(300, 100), (300, 100)]), [], None, [*look(1.0, (302, 100)), *look(1.25, (302, 100))])
    assert len(heads.at(1.05)) == 1


def face(size: int) -> np.ndarray:
    """A picture full of detail."""
    return np.random.default_rng(3).integers(0, 256, (size, size, 3)).astype(np.uint8)


@pytest.mark.parametrize("rounded", [True, False])
@pytest.mark.parametrize("half", [8.0, 30.0, 90.0])
def test_nothing_of_a_face_can_be_sharpened_back(rounded, half):
    """What is left is a few brightnesses: the change from pixel to pixel is a small share of what it was."""
    image = face(200)
    blur(image, [Place(100, 100, half, half, rounded)], 1.0)
    inner = slice(int(100 - 0.6 * half), int(100 + 0.6 * half))
    left = np.abs(np.diff(image[inner, inner].astype(float), axis=1)).mean()
    was = np.abs(np.diff(face(200)[inner, inner].astype(float), axis=1)).mean()
    assert left < 0.35 * was


def test_outside_the_places_not_a_pixel_changes():
    image = face(200)
    blur(image, [Place(100, 100, 30, 40, True), Place(20, 20, 10, 10, False)], 1.0)
    same = (image == face(200)).all(axis=2)
    rows, columns = np.mgrid[:200, :200]
    outside = (np.abs(columns - 100) > 31) | (np.abs(rows - 100) > 41)
    outside &= (np.abs(columns - 20) > 11) | (np.abs(rows - 20) > 11)
    assert same[outside].all()


@pytest.mark.parametrize(
    "place", [Place(-50, 100, 20, 20, True), Place(1e6, 1e6, 5, 5, False), Place(0, 0, 30, 30, True), Place(100, 100, 0.1, 0.1, True)]
)
def test_a_place_at_or_beyond_the_edge_is_no_error(place):
    image = face(200)
    blur(image, [place], 1.0)
    assert image.shape == (200, 200, 3)


def test_places_are_scaled_with_the_picture():
    image = face(200)
    blur(image, [Place(200, 200, 40, 40, False)], 0.5)
    changed = (image != face(200)).any(axis=2)
    assert changed[85:115, 85:115].mean() > 0.9
    assert not changed[:79].any()
