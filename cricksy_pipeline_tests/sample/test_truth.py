"""What is true of a clip: pixels, events, metrics, the landmark container, the file."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES
from cricksy_pipeline.sample.camera import VIEWS
from cricksy_pipeline.sample.clip import SAMPLE, ClipSpec, Faults, Movement, truth, truth_landmarks
from cricksy_pipeline.sample.truth import MIRRORED, write_truth


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("motion", ["drive", "bowl"])
@pytest.mark.parametrize("size", [(640, 360), (360, 640)])
def test_the_whole_player_stays_in_the_picture_in_every_view_landscape_and_portrait(view, motion, size):
    px = truth(ClipSpec(motion=motion, view=view, width=size[0], height=size[1])).px
    assert (px > 0).all() and (px < size).all()


@pytest.mark.parametrize("view", ["side", "front", "quarter"])
@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_a_left_hander_is_the_mirror_image_with_sides_swapped_and_the_same_metrics(view, motion):
    spec = ClipSpec(motion=motion, view=view, movement=Movement(pan_m=0.2, zoom=0.05, shake_px=2), fps=10)
    right, left = truth(spec), truth(replace(spec, mirror=True))
    assert np.allclose(left.px[:, INDEX["right_wrist"], 0], spec.width - right.px[:, INDEX["left_wrist"], 0])
    assert np.allclose(left.px[:, MIRRORED, 1], right.px[..., 1])
    assert np.allclose(left.world[:, MIRRORED] * [1, 1, -1], right.world)
    for name, values in right.metrics.items():
        assert left.metrics[name] == pytest.approx(values), name


def test_every_landmark_has_its_twin_on_the_other_side():
    assert (MIRRORED[MIRRORED] == np.arange(33)).all()
    assert [LANDMARK_NAMES[i] for i in np.flatnonzero(np.arange(33) == MIRRORED)] == ["nose"]


def test_events_are_listed_for_each_repetition_up_to_the_last_frame():
    events = truth(ClipSpec(seconds=6.0)).events
    assert events["contact"] == [1.7, 5.7]
    assert events["follow_through"] == [2.15]


def test_metrics_have_one_value_for_each_delivery_that_is_whole():
    assert len(truth(ClipSpec(seconds=6.0)).metrics["front_knee_at_contact_deg"]) == 1
    assert truth(ClipSpec(seconds=1.0)).metrics == {}


def test_the_sample_clip_has_one_fault_that_shows_and_is_clean_otherwise():
    for i in range(2):
        at = {name: values[i] for name, values in truth(SAMPLE).metrics.items()}
        assert 80 < at["front_knee_at_contact_deg"] < 88
        assert at["head_stillness_pct"] < 3.5
        assert -8 < at["head_behind_front_foot_pct"] < 12
        assert 0.50 < at["base_position"] < 0.90
        assert at["lead_elbow_elevation_deg"] > -35
        assert 32 < at["stride_length_pct"] < 48
        assert 0.03 < at["foot_down_to_contact_s"] < 0.18
        assert 0.22 < at["downswing_s"] < 0.45
    assert truth(replace(SAMPLE, faults=Faults())).metrics["front_knee_at_contact_deg"][0] == pytest.approx(140, abs=3)


def test_true_metrics_do_not_depend_on_rate_or_picture_size():
    coarse, fine = truth(ClipSpec(fps=10)), truth(ClipSpec(fps=Fraction(60000, 1001), width=1280, height=720))
    for name, values in coarse.metrics.items():
        if values[0] is not None:
            assert fine.metrics[name][0] == pytest.approx(values[0], rel=1e-6), name


def test_what_a_view_cannot_show_is_none():
    front, side = truth(ClipSpec(view="front", fps=10)).metrics, truth(ClipSpec(view="side", fps=10)).metrics
    assert front["base_position"] == [None] and side["base_position"] != [None]
    assert side["trunk_side_lean_at_contact_deg"] == [None] and front["trunk_side_lean_at_contact_deg"] != [None]


def test_seen_from_the_leg_side_the_signs_stay_those_of_the_play():
    side, leg = (truth(ClipSpec(view=view, fps=10)).metrics for view in ("side", "leg"))
    for name in ("trunk_forward_lean_at_contact_deg", "base_position", "stride_length_pct"):
        assert leg[name][0] == pytest.approx(side[name][0], rel=0.25), name


def test_the_truth_as_landmarks_is_a_perfect_estimate_at_every_frame():
    spec = ClipSpec(fps=Fraction(30000, 1001))
    marks, known = truth_landmarks(spec), truth(spec)
    assert len(marks) == 120 and marks.found.all() and (marks.visibility == 1).all()
    assert np.allclose(marks.xy, known.px, atol=0.001)
    assert np.array_equal(marks.t_s, np.arange(120) * 1001 / 30000)
    assert np.allclose(marks.world[:, [INDEX["left_hip"], INDEX["right_hip"]]].mean(1), 0, atol=1e-6)


def test_in_the_empty_net_nobody_is_found_and_nothing_happens():
    spec = ClipSpec(player=False)
    known = truth(spec)
    assert not truth_landmarks(spec).found.any()
    assert np.isnan(known.px).all() and known.metrics == {} and not any(known.events.values())


def test_the_truth_file_of_the_sample_holds_the_truth_to_a_hundredth_of_a_pixel_in_less_than_a_megabyte(tmp_path):
    known, path = truth(SAMPLE), tmp_path / "sample.truth.json"
    write_truth(known, path)
    read = json.loads(path.read_text())
    assert path.stat().st_size < 1_000_000
    assert np.allclose(np.array(read["px"]).reshape(known.px.shape), known.px, atol=0.0051)
    assert read["events_s"] == known.events
    assert read["spec"]["faults"]["knee_collapse"] == SAMPLE.faults.knee_collapse


def test_explicit_timestamps_must_start_at_zero_and_increase():
    with pytest.raises(ValueError, match="start at 0"):
        ClipSpec(timestamps=(0.1, 0.2))
    with pytest.raises(ValueError, match="strictly increase"):
        ClipSpec(timestamps=(0.0, 0.2, 0.2))
