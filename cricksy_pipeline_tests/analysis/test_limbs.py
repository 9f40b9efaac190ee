"""Impossible limbs are rejected, possible ones are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.kinematics import tracks
from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.analysis.limbs import bone_variation, impossible, outside_picture
from cricksy_pipeline_tests.analysis.players import noisy, player


@pytest.mark.parametrize("view", ["side", "front", "quarter", "behind"])
@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_true_limbs_are_never_rejected_however_near_the_player_comes(motion, view):
    seen = player(motion, view, fps=30, noise=0.015)
    assert not impossible(seen.t_s, seen.xy.astype(float)).any()


def test_a_shank_that_is_much_too_long_is_rejected_with_its_foot_and_nothing_else():
    seen = player(fps=30, noise=0.005)
    xy = seen.xy.astype(float)
    shank = xy[:, INDEX["left_ankle"]] - xy[:, INDEX["left_knee"]]
    for part in ("ankle", "heel", "foot_index"):
        xy[40:45, INDEX[f"left_{part}"]] += 0.6 * shank[40:45]
    rejected = impossible(seen.t_s, xy)
    assert {name for name in INDEX if rejected[:, INDEX[name]].any()} == {"left_ankle", "left_heel", "left_foot_index"}
    assert np.flatnonzero(rejected.any(axis=1)).tolist() == [40, 41, 42, 43, 44]
    (track,) = tracks(replace(seen, xy=xy.astype(np.float32)), min_rate_hz=24.5)
    assert track.limbs_rejected == 15


def test_a_limb_that_looks_short_is_not_rejected():
    seen = player(fps=30)
    xy = seen.xy.astype(float)
    middle = (xy[:, INDEX["left_hip"]] + xy[:, INDEX["left_ankle"]]) / 2
    xy[30:60, INDEX["left_knee"]] = middle[30:60]
    xy[30:60, INDEX["left_ankle"]] = middle[30:60] + 3
    assert not impossible(seen.t_s, xy).any()


def test_bones_waver_as_much_as_the_landmarks_do_and_movement_is_no_wavering():
    still = bone_variation(player("drive", "side", fps=60).xy.astype(float))
    shaky = bone_variation(noisy(player("drive", "side", fps=60), 0.05).xy.astype(float))
    assert still < 0.01
    assert shaky == pytest.approx(0.05 * 2**0.5, rel=0.35)
    assert bone_variation(np.zeros((3, 33, 2))) is None


def test_the_picture_ends_at_its_edges():
    xy = np.zeros((1, 33, 2))
    xy[0, 0], xy[0, 1], xy[0, 2] = (640.0, 360.0), (640.1, 10), (5, -0.1)
    assert np.flatnonzero(outside_picture(xy, 640, 360)[0]).tolist() == [1, 2]
