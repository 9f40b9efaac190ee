"""The skeleton and its motion: bones keep their length, events are where the motion has them, a fault changes what it says and no more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.sample.body import FOREARM_M, SHANK_M, THIGH_M, UPPER_ARM_M
from cricksy_pipeline.sample.motion import MOTIONS, Faults, simulate
from cricksy_pipeline.sample.rotations import angle_between, from_vector, to_vector

BONES = {("shoulder", "elbow"): UPPER_ARM_M, ("elbow", "wrist"): FOREARM_M, ("hip", "knee"): THIGH_M, ("knee", "ankle"): SHANK_M}
FULL_FAULT_S = np.array([1.7])
FEET = [f"{side}_{joint}" for side in ("left", "right") for joint in ("ankle", "heel", "toe")]


def front_knee(body) -> np.ndarray:
    return angle_between(*(body.joints[f"left_{joint}"] for joint in ("hip", "knee", "ankle")))


@settings(deadline=None, max_examples=60)
@given(
    t=st.floats(0, 8),
    motion=st.sampled_from(["drive", "bowl"]),
    collapse=st.floats(0, 60),
    head=st.floats(0, 24),
    drift=st.floats(0, 0.24),
)
def test_bones_keep_their_length_at_every_time_and_under_every_fault(t, motion, collapse, head, drift):
    faults = Faults(knee_collapse=collapse) if motion == "bowl" else Faults(head, collapse, drift * 4, head, drift)
    joints = simulate(motion, np.array([t]), faults).joints
    for (a, b), length in BONES.items():
        for side in ("left", "right"):
            assert np.linalg.norm(joints[f"{side}_{a}"] - joints[f"{side}_{b}"]) == pytest.approx(length, abs=1e-9)


@given(v=st.tuples(*[st.floats(-1.7, 1.7)] * 3))
def test_a_rotation_vector_survives_the_way_to_a_matrix_and_back(v):
    assert np.allclose(to_vector(from_vector(np.array(v))), v, atol=1e-7)


@pytest.mark.parametrize("motion", ["drive", "bowl"])
def test_the_motion_repeats_with_its_period_but_for_breath(motion):
    t = np.linspace(0, 3.9, 40)
    first, second = (simulate(motion, t + shift).joints for shift in (0, MOTIONS[motion].PERIOD_S))
    assert max(np.abs(first[name] - second[name]).max() for name in first) < 0.05
    assert np.allclose(first["left_ankle"], second["left_ankle"], atol=1e-9)


def test_the_hands_are_highest_at_the_top_of_the_backlift():
    t = np.linspace(1.0, 1.7, 701)
    hands = simulate("drive", t).joints["left_palm"][:, 1]
    assert t[hands.argmax()] == pytest.approx(MOTIONS["drive"].EVENTS_S["top_of_backlift"], abs=0.03)


@pytest.mark.parametrize(("motion", "foot"), [("drive", "left"), ("bowl", "left")])
def test_the_front_foot_is_in_the_air_before_its_contact_and_still_on_the_ground_after(motion, foot):
    landing = MOTIONS[motion].EVENTS_S["front_foot_contact"]
    ankle = simulate(motion, landing + np.array([-0.10, 0.0, 0.05])).joints[f"{foot}_ankle"]
    assert ankle[0, 1] > ankle[1, 1] + 0.01
    assert np.linalg.norm(ankle[2] - ankle[1]) < 0.02


def test_the_knee_collapse_bends_the_front_knee_by_just_that_much_and_leaves_the_feet_where_they_are():
    clean = simulate("drive", FULL_FAULT_S)
    for degrees in (15, 30, 45):
        bent = simulate("drive", FULL_FAULT_S, Faults(knee_collapse=degrees))
        assert front_knee(clean) - front_knee(bent) == pytest.approx(degrees, abs=0.01)
        assert all(np.allclose(bent.joints[name], clean.joints[name], atol=0.002) for name in FEET if name.startswith("left"))


def test_the_knee_collapse_keeps_the_bat_above_the_ground():
    t = np.linspace(0, 4, 400)
    sunk = simulate("drive", t, Faults(knee_collapse=62)).joints["bat_toe"][:, 1]
    assert sunk.min() > min(0.0, simulate("drive", t).joints["bat_toe"][:, 1].min()) - 0.01


def test_the_low_elbow_moves_the_arms_only():
    clean, low = simulate("drive", FULL_FAULT_S), simulate("drive", FULL_FAULT_S, Faults(low_elbow=1.0))
    still = [*FEET, "nose", "left_knee", "right_knee", "left_hip", "right_hip", "neck"]
    assert all(np.array_equal(low.joints[name], clean.joints[name]) for name in still)
    assert clean.joints["left_elbow"][0, 1] - low.joints["left_elbow"][0, 1] > 0.10


def test_the_drift_moves_nothing_before_contact_and_the_hips_by_its_length_after():
    t = np.array([1.7, 2.6])
    clean, drifted = simulate("drive", t).joints, simulate("drive", t, Faults(drift=0.2)).joints
    assert all(np.allclose(drifted[name][0], clean[name][0], atol=1e-12) for name in clean)
    assert drifted["hips"][1, 0] - clean["hips"][1, 0] == pytest.approx(0.2, abs=1e-9)


def test_hips_that_open_early_turn_the_hip_line_by_that_angle():
    clean, early = (simulate("drive", FULL_FAULT_S, Faults(early_hip=d)).joints for d in (0, 30))
    a, b = (j["left_hip"] - j["right_hip"] for j in (clean, early))
    yaw = np.degrees(np.arctan2(a[0, 2], a[0, 0]) - np.arctan2(b[0, 2], b[0, 0]))
    assert abs(yaw) == pytest.approx(30, abs=1.5)


def test_a_falling_head_goes_to_the_off_side_more_the_more_it_falls():
    off = [simulate("drive", FULL_FAULT_S, Faults(head_fall=d)).joints["nose"][0, 2] for d in (0, 8, 16, 24)]
    assert (np.diff(off) > 0.05).all()


@pytest.mark.parametrize("faults", [Faults(24, 0, 0, 0, 0), Faults(0, 50, 0, 0, 0), Faults(0, 0, 1, 0, 0), Faults(0, 0, 0, 40, 0)])
def test_no_fault_shows_before_the_backlift(faults):
    t = np.linspace(0, 1.0, 11)
    clean, faulty = simulate("drive", t).joints, simulate("drive", t, faults).joints
    assert all(np.allclose(faulty[name], clean[name], atol=1e-9) for name in clean)


def test_a_batting_fault_asked_of_a_bowler_is_refused():
    with pytest.raises(ValueError, match="only knee_collapse"):
        simulate("bowl", np.array([1.0]), Faults(drift=0.1))
