"""What the camera does: shifts to a part of a small pixel, cuts where they are, stretches joined into one path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.camera_motion import CameraPath, CameraWatch, joined
from cricksy_pipeline.analysis.registration import CameraSettings, Small, stirred

WIDTH, HEIGHT, SMALL = 960, 540, CameraSettings.long_side
SCALE = WIDTH // SMALL


def scenery(seed: int) -> np.ndarray:
    """A large picture with detail of every size, as ground and trees have."""
    rng = np.random.default_rng(seed)
    shape = (1000, 1800)
    slow = np.hypot(*np.meshgrid(np.fft.rfftfreq(shape[1]), np.fft.fftfreq(shape[0])))
    values = np.fft.irfft2(np.fft.rfft2(rng.normal(size=shape)) / (slow + 0.002), s=shape)
    return (values - values.min()) / np.ptp(values) * 255


GROUND, ELSEWHERE = scenery(0), scenery(1)


def view(place: tuple[float, float], scene: np.ndarray = GROUND, noise: int = 0) -> np.ndarray:
    """What a camera that looks at `place` (left, top; parts of pixels allowed) shows, made small."""
    x, y = place
    left, top = int(np.floor(x)), int(np.floor(y))
    part, fx, fy = scene[top : top + HEIGHT + 1, left : left + WIDTH + 1], x - left, y - top
    whole = (1 - fy) * ((1 - fx) * part[:-1, :-1] + fx * part[:-1, 1:]) + fy * ((1 - fx) * part[1:, :-1] + fx * part[1:, 1:])
    small = whole.reshape(HEIGHT // SCALE, SCALE, SMALL, SCALE).mean(axis=(1, 3))
    return np.clip(small + np.random.default_rng(noise).normal(0, 1, small.shape), 0, 255).astype(np.uint8)


def watched(views: list[np.ndarray], hidden=(), step_s: float = 0.1) -> CameraPath:
    watch = CameraWatch(WIDTH, HEIGHT)
    for frame, grey in enumerate(views):
        watch.look(frame, frame * step_s, grey, hidden)
    return watch.path()


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.floats(-25, 25), st.floats(-12, 12)), min_size=2, max_size=12))
def test_a_shift_is_told_to_a_fraction_of_a_small_pixel_however_it_wanders(steps):
    places = np.array([(400.0, 200.0), *steps])
    places[1:] = places[0] + np.clip(np.cumsum(places[1:], axis=0), -190, 190)
    path = watched([view(tuple(place), noise=i) for i, place in enumerate(places)])
    assert not path.shot.any()
    assert np.abs(path.moved + (places - places[0])).max() < 0.1 * SCALE


def test_a_long_pan_away_from_the_first_picture_is_followed():
    places = [(20.0 + 16 * i, 200.0) for i in range(50)]
    path = watched([view(place, noise=i) for i, place in enumerate(places)])
    assert not path.shot.any()
    assert path.moved[-1] == pytest.approx((-16 * 49, 0), abs=2)


def test_a_picture_is_smoothed_up_to_its_edge_as_if_it_went_on_there():
    grey = np.random.default_rng(3).integers(0, 256, (7, 11), np.uint8)
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    padded = np.pad(grey, 1, mode="edge").astype(float)
    wanted = sum(kernel[i, j] * padded[i : i + 7, j : j + 11] for i in range(3) for j in range(3))
    assert np.allclose(Small(grey, ()).values, wanted, atol=1e-3)


def test_somebody_who_moves_in_front_is_not_the_background():
    views = [view((400, 200), noise=i) for i in range(6)]
    for i, grey in enumerate(views):
        grey[40:100, 30 + 8 * i : 70 + 8 * i] = 15
    path = watched(views)
    assert np.abs(path.moved).max() < 0.1 * SCALE


def test_a_cut_begins_a_shot_and_a_place_of_its_own():
    views = [view((400 + 3 * i, 200), noise=i) for i in range(5)] + [view((300, 200 + 2 * i), ELSEWHERE, i) for i in range(5)]
    path = watched(views)
    assert path.shot.tolist() == [0] * 5 + [1] * 5
    assert path.moved[4] == pytest.approx((-12, 0), abs=0.4) and path.moved[9] == pytest.approx((0, -8), abs=0.4)
    assert not path.moved[5].any()


def test_something_held_before_the_lens_for_a_moment_is_no_cut():
    dark = np.random.default_rng(2).integers(0, 30, (HEIGHT // SCALE, SMALL)).astype(np.uint8)
    path = watched([view((400, 200))] * 4 + [dark] * 3 + [view((405, 200))] * 4)
    assert len(set(path.shot.tolist())) == 1
    assert np.isnan(path.moved[4:7]).all() and path.moved[-1] == pytest.approx((-5, 0), abs=0.4)


def test_where_there_is_nothing_to_hold_on_to_nothing_is_told():
    path = watched([np.full((108, 192), 90, np.uint8)] * 3)
    assert np.isnan(path.moved[1:]).all() and not path.shot.any()


def test_what_stirs_is_told_apart_from_a_camera_that_moves():
    before, after = view((400, 200)), view((407, 203), noise=1)
    assert stirred(before, after)[5:-5, 5:-5].mean() < 0.01
    after[50:70, 80:90] = 240
    changed = stirred(before, after)
    assert changed[50:70, 80:90].mean() > 0.8 and changed[5:-5, 5:60].mean() < 0.01


def path_of(frames, shots, moved) -> CameraPath:
    return CameraPath(np.array(frames, np.int64), np.array(shots, np.int32), np.array(moved, np.float32).reshape(-1, 2))


def test_a_burst_is_told_in_the_places_of_the_grid_that_it_lies_in():
    grid = path_of([0, 10, 20, 30], [0, 0, 0, 0], [(0, 0), (10, 0), (20, 0), (30, 0)])
    burst = path_of([10, 12, 15, 20, 24], [0] * 5, [(0, 0), (2, 0), (5, 0), (11, 0), (15, 0)])
    told = joined(grid, burst)
    assert told.shot.tolist() == [0] * 5
    assert told.moved[:, 0] == pytest.approx([10, 11.8, 14.5, 20, 24], abs=1e-4)  # the difference of 1 at frame 20 is spread from 10 on


def test_a_burst_over_a_cut_of_the_grid_says_between_which_frames_it_is():
    grid = path_of([0, 10, 20, 30], [0, 0, 1, 1], [(0, 0), (10, 0), (0, 0), (5, 0)])
    burst = path_of([10, 13, 16, 20, 24], [0, 0, 1, 1, 1], [(0, 0), (3, 0), (0, 0), (4, 0), (6, 0)])
    told = joined(grid, burst)
    assert told.shot.tolist() == [0, 0, 1, 1, 1]
    assert told.moved[:, 0] == pytest.approx([10, 13, -4, 0, 2])


def test_a_later_stretch_goes_on_from_where_the_earlier_ended_and_counts_its_shots_on():
    known = path_of([0, 10, 20], [0, 1, 1], [(0, 0), (0, 0), (7, 0)])
    later = path_of([10, 20, 30, 40], [0, 0, 0, 1], [(0, 0), (7, 0), (9, 0), (0, 0)])
    told = joined(known, later)
    assert told.shot.tolist() == [1, 1, 1, 3] and told.moved[:, 0].tolist() == [0, 7, 9, 0]


def test_a_stretch_that_shares_no_frame_is_a_shot_of_its_own():
    known, alone = path_of([0, 1], [0, 0], [(0, 0), (1, 0)]), path_of([5, 6], [0, 0], [(0, 0), (2, 0)])
    assert joined(known, alone).shot.tolist() == [1, 1]
