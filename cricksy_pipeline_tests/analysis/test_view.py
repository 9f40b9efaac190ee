"""The camera's place and the direction of play, from true landmarks with noise, seen from all round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.heading import Heading, faces, runs
from cricksy_pipeline.analysis.kinematics import Track, tracks
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.sides import Play, Side
from cricksy_pipeline.analysis.view import UNKNOWN, CameraView, combine_views, estimate_view, view_of
from cricksy_pipeline.sample.clip import ClipSpec, truth_landmarks
from cricksy_pipeline.sample.truth import events, observe
from cricksy_pipeline_tests.analysis.players import MODE_OF

MOMENT = {"drive": "contact", "bowl": "release", "keep": "take", "throw": "release", "catch": "take"}
TWIN = [INDEX[name.replace("left", "right") if "left" in name else name.replace("right", "left")] for name in INDEX]


def mirrored(seen: Landmarks) -> Landmarks:
    """The same player in a mirror: pixels and depths turned round, names exchanged."""
    arrays = {name: getattr(seen, name)[:, TWIN] for name in ("z", "visibility", "presence")}
    xy = (np.float32([seen.width, 0]) + seen.xy * np.float32([-1, 1]))[:, TWIN]
    return replace(seen, xy=xy, world=(seen.world * np.float32([-1, 1, 1]))[:, TWIN], **arrays)


def filmed(motion: str, yaw_deg: float, mirror: bool = False, seed: int = 3) -> tuple[Track, float, float, float]:
    """A track with noise in it, the time of its moment, the true heading of play and the true angle off side-on there, degrees."""
    spec = ClipSpec(motion=motion, view="side", yaw_deg=yaw_deg, fps=30, seconds=2.8, mirror=mirror)
    moment = events(spec)[MOMENT[motion]][0]
    rng = np.random.default_rng(seed)
    seen = truth_landmarks(spec)
    seen = replace(
        seen,
        xy=(seen.xy + rng.normal(0, 1.0, seen.xy.shape)).astype(np.float32),
        world=(seen.world + rng.normal(0, 0.02, seen.world.shape)).astype(np.float32),
    )
    (track,) = tracks(seen, min_rate_hz=24.5)
    there = observe(spec, np.array([moment]))
    return track, moment, *_true_angles(there)


def _true_angles(there) -> tuple[float, float]:
    """Heading of play and its angle off side-on, degrees, from the rotation between the world and what the camera saw."""
    world, camera = (points - points[[INDEX["left_hip"], INDEX["right_hip"]]].mean(axis=0) for points in (there.world[0], there.camera[0]))
    u, _, v = np.linalg.svd(world.T @ camera)
    play = np.array([1.0, 0, 0]) @ (u @ v)
    return float(np.degrees(np.arctan2(-play[2], play[0]))), float(np.degrees(np.arctan2(abs(play[2]), abs(play[0]))))


@pytest.mark.parametrize("motion", list(MOMENT))
def test_the_camera_angle_lies_within_its_interval_from_all_round_for_both_hands(motion):
    errors, sigmas = [], []
    for yaw in range(0, 360, 30):
        for mirror in (False, True):
            track, moment, heading, off_side = filmed(motion, yaw, mirror)
            view = estimate_view(track, mode=MODE_OF[motion], event_s=moment, height_px=track.height_px)
            errors.append(view.off_side_deg - off_side)
            sigmas.append(view.sigma_deg)
            assert abs((view.heading_deg - heading + 180) % 360 - 180) < 45, (motion, yaw, mirror)  # never the wrong end of the pitch
    inside = np.abs(errors) <= 1.96 * np.array(sigmas)
    print(f"\n{motion}: rmse {np.sqrt(np.mean(np.square(errors))):.1f}, sigma {np.mean(sigmas):.1f}, inside {inside.mean():.3f}")
    assert inside.mean() >= 0.93
    assert np.mean(sigmas) < 15


@pytest.mark.parametrize(("yaw", "name", "facing"), [(0, "side", 1), (90, "front", 0), (180, "side", -1), (270, "behind", 0)])
@pytest.mark.parametrize("motion", list(MOMENT))
def test_the_four_plain_views_are_told_apart_and_so_is_the_end_of_the_pitch(motion, yaw, name, facing):
    track, moment, _, _ = filmed(motion, yaw)
    view = estimate_view(track, mode=MODE_OF[motion], event_s=moment, height_px=track.height_px)
    assert (view.name, view.facing) == (name, facing)
    assert view.confidence > 0.7


@pytest.mark.parametrize("motion", list(MOMENT))
def test_in_a_mirror_the_view_is_the_same_and_play_goes_the_other_way(motion):
    for yaw in (20, 130, 250):
        spec = ClipSpec(motion=motion, view="side", yaw_deg=yaw, fps=30, seconds=2.8)
        seen = truth_landmarks(spec)
        moment = events(spec)[MOMENT[motion]][0]
        one, other = (
            estimate_view(track, mode=MODE_OF[motion], event_s=moment, height_px=track.height_px)
            for (track,) in (tracks(landmarks, min_rate_hz=24.5) for landmarks in (seen, mirrored(seen)))
        )
        assert (one.name, one.facing) == (other.name, -other.facing)
        assert one.off_side_deg == pytest.approx(other.off_side_deg, abs=1e-3)
        assert one.heading_deg == pytest.approx((180 - other.heading_deg) % 360, abs=1e-3)
        assert one.sigma_deg == pytest.approx(other.sigma_deg, abs=1e-3)


def test_before_the_event_must_be_something_to_see():
    track, _, _, _ = filmed("drive", 0)
    assert estimate_view(track, mode=AnalysisMode.BATTING, event_s=track.t_s[0] + 0.1, height_px=track.height_px) == UNKNOWN


def test_landmarks_without_depths_tell_no_view():
    seen = truth_landmarks(ClipSpec(fps=30, seconds=2.8))
    (track,) = tracks(replace(seen, world=np.full_like(seen.world, np.nan)), min_rate_hz=24.5)
    assert estimate_view(track, mode=AnalysisMode.BATTING, event_s=1.7, height_px=track.height_px) == UNKNOWN
    assert faces(track, 0.0, 1.0) is None


def test_a_keeper_faces_the_camera_in_front_of_him_and_not_the_one_behind():
    in_front, behind, beside = (faces(filmed("keep", yaw)[0], 0.5, 1.5) for yaw in (90, 270, 0))
    assert in_front.nearer > 0.9 and behind.nearer < -0.9
    assert abs(np.degrees(np.arcsin(beside.nearer))) < beside.sigma_deg


def test_one_view_for_a_clip_is_the_mean_of_its_balls_and_less_sure_when_they_disagree():
    side = CameraView("side", 10.0, 12.0, 0.9, 1, 10.0)
    other = CameraView("side", 14.0, 12.0, 0.9, 1, 346.0)
    agreed = combine_views([side, side, side])
    assert (agreed.name, agreed.facing) == ("side", 1) and agreed.off_side_deg == pytest.approx(10)
    assert combine_views([side, other]).off_side_deg == pytest.approx(2, abs=0.5)  # on both sides of square: square
    mixed = combine_views([side, side, CameraView("front", 80.0, 12.0, 0.9, 0, 80.0)])
    assert mixed.confidence < agreed.confidence and mixed.sigma_deg > agreed.sigma_deg
    assert combine_views([]) == combine_views([UNKNOWN]) == UNKNOWN


@pytest.mark.parametrize(("deg", "name"), [(85, None), (275, None), (40, "quarter"), (190, "side")])
def test_where_it_is_not_told_which_end_is_the_bowlers_the_angle_holds_and_front_and_behind_are_no_names(deg, name):
    told, untold = (view_of(Play(Heading(deg, 12.0), Side("left", sure))) for sure in (0.99, 0.9))
    assert told.name is not None and told.heading_deg == deg
    assert (untold.name, untold.facing, untold.heading_deg) == (name, 0, None)
    assert untold.off_side_deg == told.off_side_deg and untold.sigma_deg == told.sigma_deg


def test_balls_of_which_only_the_angle_is_known_give_the_clip_an_angle_and_one_that_knows_more_speaks_for_them():
    angles = [view_of(Play(Heading(deg, 12.0), Side("left", 0.9))) for deg in (80, 84, 88)]
    clip = combine_views(angles)
    assert (clip.name, clip.off_side_deg, clip.heading_deg) == (None, 84, None)
    assert combine_views([*angles, view_of(Play(Heading(86, 12.0), Side("left", 0.99)))]).name == "front"


def test_half_a_run_up_tells_its_direction_half_as_well():
    track, moment, _, _ = filmed("bowl", 0)
    whole, half = (runs(track, moment - start, moment - 0.2, track.height_px) for start in (1.0, 0.6))
    assert half.sigma_deg == pytest.approx(2 * whole.sigma_deg, rel=0.2)
