"""What is true of a clip: pixels, events, metrics, the landmark container, the file."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES
from cricksy_pipeline.sample.bystanders import body_of
from cricksy_pipeline.sample.camera import VIEWS
from cricksy_pipeline.sample.clip import SAMPLE, Bystander, ClipSpec, Faults, Movement, bystander_landmarks, truth, truth_landmarks
from cricksy_pipeline.sample.filming import camera_at
from cricksy_pipeline.sample.motion import MOTIONS
from cricksy_pipeline.sample.technique import within
from cricksy_pipeline.sample.truth import MIRRORED, write_truth


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("motion", sorted(MOTIONS))
@pytest.mark.parametrize("size", [(640, 360), (360, 640)])
def test_the_whole_player_stays_in_the_picture_in_every_view_landscape_and_portrait(view, motion, size):
    px = truth(ClipSpec(motion=motion, view=view, width=size[0], height=size[1])).px
    assert (px > 0).all() and (px < size).all()


@pytest.mark.parametrize("view", ["side", "front", "quarter"])
@pytest.mark.parametrize("motion", sorted(MOTIONS))
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
    assert len(truth(ClipSpec(seconds=6.0)).metrics["B4"]) == 1
    assert truth(ClipSpec(seconds=1.0)).metrics == {}


def test_the_sample_clip_has_one_fault_that_shows_and_is_clean_otherwise():
    for i in range(2):
        at = {name: values[i] for name, values in truth(SAMPLE).metrics.items()}
        assert 80 < at["B4"] < 88
        assert at["B1"] < 3.5
        assert -8 < at["B2"] < 12
        assert 0.50 < at["B3"] < 0.90
        assert at["B7"] > -35
        assert 0.32 < at["B5"] < 0.48
        assert 0.03 < at["B5T"] < 0.18
        assert 0.22 < at["B8"] < 0.45
    assert truth(replace(SAMPLE, faults=Faults())).metrics["B4"][0] == pytest.approx(140, abs=3)


def test_true_metrics_do_not_depend_on_rate_or_picture_size():
    coarse, fine = truth(ClipSpec(fps=10)), truth(ClipSpec(fps=Fraction(60000, 1001), width=1280, height=720))
    for name, values in coarse.metrics.items():
        if values[0] is not None:
            assert fine.metrics[name][0] == pytest.approx(values[0], rel=1e-6), name


@pytest.mark.parametrize("motion", sorted(MOTIONS))
def test_where_the_camera_stands_moves_or_when_the_clip_starts_changes_no_true_value_that_is_shown(motion):
    spec = ClipSpec(motion=motion, fps=10)
    known = truth(spec).metrics
    others = (
        replace(spec, yaw_deg=15, camera_height_m=1.0),
        replace(spec, movement=Movement(pan_m=0.3, shake_px=3)),
        replace(spec, start_s=0.4, seconds=3.5),
        replace(spec, slow_motion=8, seconds=32.0),
    )
    for other in others:
        for code, values in truth(other).metrics.items():
            assert values == [None] or values == pytest.approx(known[code], rel=1e-6, abs=1e-9), (code, other)


def test_a_camera_that_walks_round_shows_what_lies_across_its_picture_and_says_how_far_it_stands_off():
    for yaw, side_shown in ((0, True), (20, True), (-20, True), (45, False), (90, False)):
        known = truth(ClipSpec(yaw_deg=yaw, fps=10))
        assert known.off_side_deg == pytest.approx(abs(yaw), abs=1)
        assert (known.metrics["B4"] != [None]) is side_shown
        assert known.metrics["B8"] == pytest.approx([0.36])


def test_slow_motion_stretches_the_times_of_events_and_no_duration_of_life():
    life, slow = (truth(ClipSpec(motion="bowl", fps=30, seconds=4.0 * factor, slow_motion=factor)) for factor in (1, 4))
    assert slow.events["release"] == pytest.approx([4 * t for t in life.events["release"]])
    assert slow.metrics["W4"] == pytest.approx(life.metrics["W4"]) and slow.metrics["W2"] == pytest.approx(life.metrics["W2"])


@pytest.mark.parametrize("share", [0.10, 0.35, 0.75])
def test_the_player_takes_the_asked_share_of_the_picture_where_the_delivery_is(share):
    known = truth(ClipSpec(motion="bowl", share=share, variation=4, fps=30))
    at_release = np.abs(known.t_s - known.events["release"][0]).argmin()
    assert known.height_px[at_release] / 360 == pytest.approx(share, rel=0.06)


def test_before_a_cut_and_while_he_is_away_the_player_is_not_there_and_a_cut_begins_a_shot():
    known = truth(ClipSpec(fps=10, cut_s=0.5, empty_s=1.5))
    assert np.isnan(known.px[:15]).all() and np.isfinite(known.px[15:]).all()
    assert known.shot.tolist() == [0] * 5 + [1] * 35
    assert known.events["top_of_backlift"] == [] and known.events["contact"] == [1.7] and known.metrics == {}


def test_the_background_moves_as_the_camera_does_and_counts_from_each_shot():
    spec = ClipSpec(fps=10, movement=Movement(pan_m=0.5), cut_s=1.0)
    marks = truth_landmarks(spec)
    assert (marks.camera[:11] == 0).all() and np.abs(marks.camera[11:]).max() > 20
    assert np.allclose(truth_landmarks(replace(spec, mirror=True)).camera, marks.camera * [-1, 1])
    assert (truth_landmarks(ClipSpec(fps=10)).camera == 0).all()


def test_bystanders_are_where_they_were_put_and_walkers_pass_their_place_in_time():
    people = (Bystander("stands", (2.0, -1.5)), Bystander("walks_in_front", (0.3, 3.0), when_s=1.0), Bystander("umpire", (-1.6, -1.0)))
    spec = ClipSpec(fps=20, people=people)
    marks, camera = bystander_landmarks(spec), camera_at(spec, 0.0)
    for seen, person in zip(marks, people, strict=True):
        hips = (seen.point("left_hip") + seen.point("right_hip"))[20] / 2
        assert hips[0] == pytest.approx(camera.project(np.array([person.place[0], 0.9, person.place[1]]))[0], abs=12)
        assert seen.found.all()
    walked = np.ptp(marks[1].point("nose")[:, 0])
    assert walked > 300 > np.ptp(marks[0].point("nose")[:, 0]) * 10


def test_a_walkers_planted_foot_does_not_slide():
    body = body_of(Bystander("walks_across", (0, -1.8), when_s=1.0), ClipSpec(), np.linspace(0, 3, 361))
    for side in ("left", "right"):
        ankle = body.joints[f"{side}_ankle"]
        planted = (ankle[:-1, 1] < 0.0735) & (ankle[1:, 1] < 0.0735)
        assert planted.mean() > 0.3
        assert np.linalg.norm(np.diff(ankle, axis=0), axis=1)[planted].max() < 0.004


@pytest.mark.parametrize("figure", ["game", "drawn", "hands"])
def test_what_is_no_person_in_the_field_has_no_truth(figure):
    known = truth(ClipSpec(figure=figure, fps=10, sound=True))
    assert np.isnan(known.px).all() and known.metrics == {} and not any(known.events.values()) and known.onsets_s == []


def test_a_contact_is_heard_as_late_as_the_camera_is_away():
    near, far = (truth(ClipSpec(fps=10, sound=True, share=share)).onsets_s[0] for share in (0.7, 0.12))
    assert near == pytest.approx(1.7 + 9 / 343, abs=0.003)
    assert far == pytest.approx(1.7 + 20 / 343, abs=0.003)


FAULT_SHOWS = {
    ("drive", "head_fall", 10, "front"): ("B6", 7, 3), ("drive", "knee_collapse", 20, "side"): ("B4", -20, 6),
    ("drive", "knee_stiff", 20, "side"): ("B4", 20, 6), ("drive", "head_move", 4, "side"): ("B1", 4, 1.5),
    ("drive", "head_ahead", 8, "side"): ("B2", -8, 3), ("drive", "head_ahead", -8, "side"): ("B2", 8, 3),
    ("drive", "weight_back", 0.2, "side"): ("B3", -0.2, 0.05), ("drive", "foot_early", 0.08, "side"): ("B5T", 0.08, 0.001),
    ("drive", "foot_early", -0.06, "side"): ("B5T", -0.06, 0.001), ("drive", "stride_longer", 0.1, "side"): ("B5", 0.1, 0.02),
    ("drive", "stride_longer", -0.1, "side"): ("B5", -0.1, 0.02), ("drive", "low_elbow", 1, "front"): ("B7", -40, 25),
    ("bowl", "knee_collapse", 20, "side"): ("W1", -20, 6), ("bowl", "knee_stiff", 15, "side"): ("W1", 15, 6),
    ("bowl", "stride_longer", 0.1, "side"): ("W3", 0.1, 0.02), ("bowl", "side_lean", 12, "front"): ("W6", 12, 4),
    ("bowl", "forward_lean", 12, "side"): ("W5", 12, 4), ("bowl", "head_away", 10, "front"): ("W8", 10, 4),
    ("bowl", "arm_slot", 20, "front"): ("W7", 20, 8), ("bowl", "late_release", 0.04, "side"): ("W4", 0.04, 0.001),
    ("keep", "head_bob", 5, "front"): ("K3", 5, 2), ("keep", "hands_apart", 0.6, "front"): ("K4", 0.6, 0.2),
    ("keep", "rises_early", 0.3, "front"): ("K1", 0.3, 0.001), ("keep", "hard_hands", 7, "side"): ("K5", -7, 3),
    ("keep", "narrow_stance", 0.8, "front"): ("K2", -0.8, 0.15), ("throw", "high_pick_up", 0.15, "side"): ("F3", 0.15, 0.03),
    ("throw", "elbow_lower", 30, "front"): ("F5", -30, 6), ("throw", "slow_release", 0.4, "side"): ("F4", 0.4, 0.001),
    ("throw", "upright", 20, "side"): ("F1", 20, 5), ("catch", "upright", 20, "side"): ("F1", 20, 5),
    ("catch", "head_bob", 5, "front"): ("F7", 5, 2), ("catch", "hard_hands", 7, "side"): ("F7G", -7, 3),
}  # fmt: skip
"""(motion, fault, size, view) -> (metric, change that it makes, within)."""


@pytest.mark.parametrize("case", FAULT_SHOWS, ids=lambda c: f"{c[0]}-{c[1]}-{c[2]}-{c[3]}")
def test_each_fault_moves_its_own_metric_by_about_its_size(case):
    motion, fault, size, view = case
    code, change, within = FAULT_SHOWS[case]
    clean, faulty = (
        truth(ClipSpec(motion=motion, view=view, fps=5, faults=f)).metrics[code][0] for f in (Faults(), Faults(**{fault: size}))
    )
    assert faulty - clean == pytest.approx(change, abs=within)


@pytest.mark.parametrize("motion", sorted(MOTIONS))
def test_players_who_are_drawn_keep_inside_the_bands_of_correct_technique(motion):
    for variation in range(101, 113):
        for view in ("side", "front"):
            assert within(motion, view, variation)


def test_what_a_view_cannot_show_is_none():
    front, side = truth(ClipSpec(view="front", fps=10)).metrics, truth(ClipSpec(view="side", fps=10)).metrics
    assert front["B3"] == [None] and side["B3"] != [None]
    assert side["B6"] == [None] and front["B6"] != [None]


def test_seen_from_the_leg_side_the_signs_stay_those_of_the_play():
    side, leg = (truth(ClipSpec(view=view, fps=10)).metrics for view in ("side", "leg"))
    for name in ("B3", "B4", "B5"):
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
