"""The moving cut-out and the doubt about each find, with made-up trails and finds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.following import Follower, FollowSettings, Framing, Trail
from cricksy_pipeline.analysis.video import Region

BLUE, YELLOW = (0.2, -0.1, -0.4, 0.2, 0.0, -0.1), (0.4, 0.2, 0.6, 0.3, -0.1, -0.5)
WIDTH, HEIGHT = 1920, 1080


def trail(*seen: tuple[float, float], tall: float = 300, colours=None, shot: int = 0) -> Trail:
    """Somebody 100 wide whose left edge was at x at time t, for each (t, x)."""
    return Trail.of([(t, x, 400.0, 100.0, float(tall), float(shot)) for t, x in seen], colours)


def box(x: float, tall: float = 300) -> tuple[float, float, float, float]:
    return (x, 400.0, 100.0, float(tall))


@given(st.lists(st.tuples(st.floats(0, 1900), st.floats(0, 1000), st.floats(5, 1500), st.floats(10, 1500)), min_size=1, max_size=20))
def test_the_cut_out_lies_in_the_picture_on_even_pixels_whatever_is_found(boxes):
    framing = Framing(trail((0.0, 800)), WIDTH, HEIGHT)
    for i, found in enumerate(boxes):
        region = framing.region(i / 10)
        assert region.x >= 0 and region.y >= 0 and region.x + region.width <= WIDTH and region.y + region.height <= HEIGHT
        assert not any(value % 2 for value in (region.x, region.y, region.width, region.height)) and min(region.width, region.height) > 0
        framing.found(i / 10, found)


def test_while_he_hardly_moves_the_cut_out_stands_still():
    framing = Framing(trail((0.0, 800)), WIDTH, HEIGHT)
    regions = set()
    for i in range(30):
        regions.add(framing.region(i / 30))
        framing.found(i / 30, box(800 + 15 * np.sin(i)))
    assert len(regions) == 1


def test_the_cut_out_pans_with_a_runner_so_that_he_stays_where_he_is_in_it():
    framing = Framing(trail((0.0, 100)), WIDTH, HEIGHT)
    inside = []
    for i in range(15):
        region = framing.region(i / 10)
        x = 100 + 900 * i / 10  # three of his heights a second
        inside.append(x - region.x)
        framing.found(i / 10, box(x))
    assert np.ptp(inside[5:]) < 30 and np.ptp(inside) < 400


def test_two_cut_outs_fed_alike_are_alike():
    one, other = (Framing(trail((0.0, 100), (2.0, 900)), WIDTH, HEIGHT) for _ in range(2))
    for i in range(20):
        assert one.region(i / 10) == other.region(i / 10)
        for framing in (one, other):
            framing.found(i / 10, box(100 + 37.3 * i))


def test_who_is_lost_is_looked_for_where_the_sightings_put_him_and_then_everywhere():
    framing = Framing(trail((0.0, 100), (1.0, 1500)), WIDTH, HEIGHT)
    framing.region(0.0)
    framing.found(0.0, box(100))
    regions = []
    for i in range(1, 12):
        regions.append(framing.region(i / 10))
        framing.missed(i / 10)
    assert any(r.x <= 1500 and r.x + r.width >= 1600 for r in regions)
    assert Region(0, 0, WIDTH, HEIGHT) in regions


def follower(**changes) -> Follower:
    him = trail((0.0, 300), (1.0, 300), (2.0, 300), colours=BLUE)
    other = trail((0.0, 1500), (1.0, 300 + 120), (2.0, 0), colours=YELLOW)
    return Follower(him, [other], WIDTH, HEIGHT, FollowSettings(**changes))


def test_a_find_that_leaps_to_somebody_else_is_refused():
    judged = follower()
    assert judged.judge(0, 0.1, box(300), BLUE) == []
    assert judged.judge(1, 0.2, box(1300), YELLOW) == [1]
    assert judged.judge(2, 0.3, box(302), BLUE) == []


def test_a_find_that_slides_away_with_somebody_else_is_refused_when_the_sightings_say_so():
    judged = follower()
    refused = []
    for i in range(20):
        t = 0.05 * i + 1.0
        refused += judged.judge(i, t, box(420 - 420 * (t - 1.0)), None)
    assert refused and 19 in refused and 0 not in refused


def test_one_find_in_other_clothes_is_doubted_and_a_row_of_them_is_taken_back():
    judged = follower(known_within_s=0.5)  # the sightings lie too far apart to tell
    rows = [judged.judge(i, 0.1 * i, box(300 + 4 * i), YELLOW if i >= 3 else BLUE) for i in range(6)]
    assert rows[:5] == [[]] * 5 and rows[5] == [3, 4, 5]


def test_clothes_do_not_outweigh_the_place():
    judged = follower()
    assert all(judged.judge(i, 0.1 * i, box(300), YELLOW) == [] for i in range(20))


def test_nobody_is_put_between_two_shots():
    crossed = trail((0.0, 100)).joined(trail((1.0, 1500), shot=1))
    assert crossed.at(0.4)[0] == 100 and crossed.at(0.6)[0] == 1500
    assert not crossed.known(0.5, within_s=1.6) and crossed.known(0.1, within_s=1.6)
