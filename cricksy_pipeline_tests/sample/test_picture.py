"""The pictures: what is drawn lies where the truth says, and the ray march agrees with geometry that is known in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.sample.balls import ball_track
from cricksy_pipeline.sample.camera import look
from cricksy_pipeline.sample.clip import SAMPLE, Bystander, ClipSpec, Movement, Occluder, bystander_landmarks, render, truth
from cricksy_pipeline.sample.filming import camera_at
from cricksy_pipeline.sample.march import trace
from cricksy_pipeline.sample.motion import simulate
from cricksy_pipeline.sample.rays import BoundPart, between
from cricksy_pipeline.sample.rotations import yaw_pitch_roll
from cricksy_pipeline.sample.scene import Scene
from cricksy_pipeline.sample.solids import Ellipsoid, Part, RoundCone, Slab

SMALL = ClipSpec(width=320, height=180, fps=10)
TILT = yaw_pitch_roll(np.array([30.0, 20, 10]))
RED = (0.6, 0.1, 0.1)
SOLIDS = [
    RoundCone(np.array([-0.1, 0, 0]), np.array([0.2, 0.1, 0.05]), 0.06, 0.04, RED),
    Ellipsoid(np.zeros(3), TILT, (0.2, 0.1, 0.15), RED),
    Slab(np.zeros(3), TILT, (0.05, 0.2, 0.02), RED),
]


def figure_mask(spec: ClipSpec, i: int) -> np.ndarray:
    """Where the player (with bat, ball and shadow) changes the picture of the empty net; the grain is the same in both."""
    with_player, empty = (Scene(replace(spec, player=player)).frame(i).astype(int) for player in (True, False))
    return np.abs(with_player - empty).max(-1) > 6


@pytest.mark.parametrize("view", ["side", "front", "quarter", "behind"])
@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_the_drawn_figure_covers_the_projected_joints(view, motion):
    spec = replace(SMALL, motion=motion, view=view)
    known = truth(spec)
    for i in (3, 17, 20):
        mask = figure_mask(spec, i)
        x, y = known.px[i].astype(int).T
        near = np.array([mask[max(b - 1, 0) : b + 2, max(a - 1, 0) : a + 2].any() for a, b in zip(x, y, strict=True)])
        assert near.mean() >= 0.97
        assert mask.mean() < 0.30


def test_the_red_ball_is_drawn_where_its_track_says_within_a_pixel():
    spec = ClipSpec(width=640, height=360, fps=50, seconds=2.0)
    track, scene = ball_track(spec), Scene(spec)
    for i in (82, 84, 87):
        assert np.isfinite(track[i]).all()
        expected = camera_at(spec, float(spec.t_s[i])).project(track[i])
        frame = scene.frame(i).astype(float)
        red = (frame[..., 0] > 2 * frame[..., 1]).astype(float)  # by hue: the sunny side must not pull the centre towards itself
        window = np.hypot(*(np.indices(red.shape)[::-1] + 0.5 - expected[:, None, None])) < 8
        y, x = np.nonzero((red > 0) & window)
        assert np.hypot(*(np.average([x, y], axis=1, weights=red[y, x]) + 0.5 - expected)) < 0.8


def test_at_contact_the_ball_touches_the_bat():
    spec = replace(SAMPLE, timestamps=(0.0, 1.7))
    body = simulate("drive", spec.t_s, spec.faults).at(1)
    top, toe, ball = body.joints["bat_top"], body.joints["bat_toe"], ball_track(spec)[1]
    share = np.clip((ball - top) @ (toe - top) / ((toe - top) @ (toe - top)), 0, 1)
    assert np.linalg.norm(ball - top - share * (toe - top)) < 0.07


def test_a_left_handers_picture_is_the_mirror_image():
    spec = replace(SMALL, movement=Movement(pan_m=0.1, shake_px=2))
    assert np.array_equal(Scene(replace(spec, mirror=True)).frame(5), Scene(spec).frame(5)[:, ::-1])


def test_a_moving_camera_moves_the_picture_and_a_still_one_moves_grain_only():
    still, moving = (Scene(replace(SMALL, player=False, movement=m)) for m in (Movement(), Movement(pan_m=0.5)))
    assert np.abs(still.frame(0).astype(int) - still.frame(9)).mean() < 6
    assert np.abs(moving.frame(0).astype(int) - moving.frame(9)).mean() > 10


def test_supersampling_gives_nearly_the_same_picture():
    one, two = (Scene(replace(SMALL, supersampling=s)).frame(17).astype(int) for s in (1, 2))
    assert np.abs(one - two).mean() < 5


def test_progress_counts_every_frame_up_to_the_total():
    told: list[tuple[int, int]] = []
    frames = list(render(replace(SMALL, seconds=0.3), on_progress=lambda done, total: told.append((done, total))))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert frames[0].shape == (180, 320, 3) and frames[0].dtype == np.uint8


def test_a_sphere_covers_as_many_pixels_as_geometry_says_about_the_right_centre():
    camera = look(np.array([0.0, 0, 5.0]), np.zeros(3), 2.0, (200, 200))
    centre, radius = np.array([0.103, 0.071, 0]), 0.2
    f = trace([Part("ball", 0.01, [Ellipsoid(centre, np.eye(3), (radius,) * 3, RED)])], camera)[0]
    y, x = np.divmod(f.pixel, camera.width)
    assert f.cover.sum() == pytest.approx(np.pi * (radius * 100) ** 2, rel=0.01)
    assert np.average(x, weights=f.cover) + 0.5 == pytest.approx(camera.project(centre)[0], abs=0.1)
    assert np.average(y, weights=f.cover) + 0.5 == pytest.approx(camera.project(centre)[1], abs=0.1)


@settings(deadline=None, max_examples=40)
@given(t=st.floats(-0.4, 0.4), at=st.tuples(*[st.floats(-0.2, 0.2)] * 2))
@pytest.mark.parametrize("solid", SOLIDS, ids=lambda s: type(s).__name__)
def test_the_distance_along_a_ray_is_the_distance_at_its_point(solid, t, at):
    origin, direction = np.array([[*at, 0.01]], np.float32), np.array([[0.36, 0.48, 0.8]], np.float32)
    along = solid.along(solid.bind(origin, direction), np.array([t], np.float32))
    assert along == pytest.approx(solid.surface(origin + np.float32(t) * direction)[0], abs=2e-5)


@pytest.mark.parametrize("solid", SOLIDS, ids=lambda s: type(s).__name__)
def test_the_two_end_spheres_bound_a_solid(solid):
    (a, ra), (b, rb) = solid.ends()
    points = np.random.default_rng(1).uniform(-0.4, 0.4, (20_000, 3)).astype(np.float32)
    inside = points[solid.surface(points)[0] < 0]
    assert len(inside) > 50
    h = np.clip((inside - a) @ (b - a) / max((b - a) @ (b - a), 1e-12), 0, 1)
    assert (np.linalg.norm(inside - a - h[:, None] * (b - a), axis=1) <= ra + (rb - ra) * h + 0.012).all()


@pytest.mark.parametrize("motion", ["keep", "throw", "catch"])
def test_the_other_players_are_drawn_where_their_joints_are_too(motion):
    spec = replace(SMALL, motion=motion, variation=3)
    known, mask = truth(spec), figure_mask(spec, 19)
    x, y = known.px[19].astype(int).T
    near = np.array([mask[max(b - 1, 0) : b + 2, max(a - 1, 0) : a + 2].any() for a, b in zip(x, y, strict=True)])
    assert near.mean() >= 0.97


def test_bystanders_are_drawn_where_their_landmarks_are_and_a_walker_in_front_hides_the_player():
    walker = Bystander("walks_in_front", (0.05, 4.0), when_s=1.0)
    spec = replace(SMALL, people=(walker,))
    seen = bystander_landmarks(spec)[0].point("left_hip")[10].astype(int)
    alone, crowded = (Scene(s).frame(10).astype(int) for s in (SMALL, spec))
    changed = np.abs(alone - crowded).max(-1) > 6
    assert changed[seen[1] - 1 : seen[1] + 2, seen[0] - 1 : seen[0] + 2].any()
    assert changed[figure_mask(SMALL, 10)].mean() > 0.4


@pytest.mark.parametrize("occluder", [Occluder("post", 0.5, 0.1), Occluder("screen", 0.6, side="left")])
def test_an_occluder_hides_what_lies_behind_it_and_nothing_else(occluder):
    plain, hidden = (Scene(s).frame(12).astype(int) for s in (SMALL, replace(SMALL, occluder=occluder)))
    changed = np.abs(plain - hidden).max(-1).mean(0) > 3
    assert changed[160] and not changed[250:].any()


@pytest.mark.parametrize("figure", ["game", "drawn", "hands"])
def test_what_is_no_person_is_drawn_and_moves(figure):
    scene = Scene(replace(SMALL, figure=figure))
    assert np.abs(scene.frame(5).astype(int) - scene.frame(14)).mean() > 0.5


def test_the_shot_before_a_cut_is_another_view():
    scene = Scene(replace(SMALL, cut_s=0.5, player=False))
    before, after = scene.frame(2).astype(int), scene.frame(8).astype(int)
    assert np.abs(before - after).mean() > 10
    assert np.array_equal(after, Scene(replace(SMALL, player=False)).frame(8))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_a_stack_of_solids_has_the_smooth_minimum_of_their_distances(seed):
    rng = np.random.default_rng(seed)
    part = Part("test", 0.03, SOLIDS)
    origins = rng.uniform(-0.2, 0.2, (16, 3)).astype(np.float32)
    directions = rng.normal(size=(16, 3))
    directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
    t = rng.uniform(-0.3, 0.3, 16).astype(np.float32)
    alone = part.along([solid.bind(origins, directions) for solid in SOLIDS], t)
    assert np.allclose(BoundPart(part, origins, directions).along(t), alone, atol=1e-6)


@pytest.mark.parametrize("solid", SOLIDS, ids=lambda s: type(s).__name__)
def test_no_ray_meets_a_solid_outside_the_span_that_is_marched(solid):
    rng = np.random.default_rng(5)
    origins = rng.uniform(-0.3, 0.3, (400, 3)).astype(np.float32)
    directions = rng.normal(size=(400, 3))
    directions = (directions / np.linalg.norm(directions, axis=1, keepdims=True)).astype(np.float32)
    start, end = between(Part("test", 0.03, [solid]), origins, directions, np.float32(0.01))
    for t in np.linspace(-1, 1, 101, dtype=np.float32):
        inside = solid.surface(origins + t * directions)[0] < 0
        assert (start[inside] <= t).all() and (end[inside] >= t).all()
