"""The skeleton and its motion: bones keep their length, events are where the motion has them, a fault changes what it says and no more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.sample.faults import FAULTS_OF, Faults
from cricksy_pipeline.sample.motion import MOTIONS, events_in_ball, simulate
from cricksy_pipeline.sample.rotations import angle_between, from_vector, to_vector

BONES = {("shoulder", "elbow"): "upper_arm_m", ("elbow", "wrist"): "forearm_m", ("hip", "knee"): "thigh_m", ("knee", "ankle"): "shank_m"}
SIZES = {
    "head_fall": 20, "knee_collapse": 40, "low_elbow": 1, "early_hip": 30, "drift": 0.2, "knee_stiff": 25, "head_move": 6, "head_ahead": 15,
    "weight_back": 0.25, "foot_early": 0.1, "stride_longer": 0.12, "side_lean": 20, "forward_lean": 20, "head_away": 15, "arm_slot": 25,
    "late_release": 0.05, "head_bob": 6, "hands_apart": 0.8, "rises_early": 0.25, "hard_hands": 8, "narrow_stance": 0.9, "high_pick_up":
    0.15, "elbow_lower": 35, "slow_release": 0.4, "upright": 20,
}  # fmt: skip
"""A large dose of every fault, in its own unit."""
FULL_FAULT_S = np.array([1.7])
FEET = [f"{side}_{joint}" for side in ("left", "right") for joint in ("ankle", "heel", "toe")]


def front_knee(body) -> np.ndarray:
    return angle_between(*(body.joints[f"left_{joint}"] for joint in ("hip", "knee", "ankle")))


def dosed(motion: str, shares: dict[str, float]) -> Faults:
    return Faults(**{name: SIZES[name] * share for name, share in shares.items() if name in FAULTS_OF[motion]})


@settings(deadline=None, max_examples=60)
@given(
    t=st.floats(0, 8),
    motion=st.sampled_from(sorted(MOTIONS)),
    variation=st.integers(0, 3),
    shares=st.dictionaries(st.sampled_from(sorted(SIZES)), st.floats(0, 1), max_size=3),
)
def test_bones_keep_their_length_at_every_time_for_every_player_under_every_fault(t, motion, variation, shares):
    body = simulate(motion, np.array([t]), dosed(motion, shares), variation)
    for (a, b), length in BONES.items():
        for side in ("left", "right"):
            found = np.linalg.norm(body.joints[f"{side}_{a}"] - body.joints[f"{side}_{b}"])
            assert found == pytest.approx(getattr(body.physique, length), abs=1e-9)


def test_every_fault_belongs_to_a_motion_and_is_described():
    assert set().union(*FAULTS_OF.values()) == set(Faults.__dataclass_fields__) == set(SIZES)
    assert all(f"        {name}: " in Faults.__doc__ for name in SIZES)


@pytest.mark.parametrize(("motion", "fault"), [(motion, fault) for motion, faults in FAULTS_OF.items() for fault in sorted(faults)])
def test_no_fault_makes_a_joint_jump_between_two_frames(motion, fault):
    t = np.arange(0, 3.9, 1 / 240)
    joints = simulate(motion, t, dosed(motion, {fault: 1.0})).joints
    for name in ("head", "hips", "left_ankle", "right_ankle", "left_wrist", "right_wrist", "left_knee", "right_knee"):
        assert np.linalg.norm(np.diff(joints[name], axis=0), axis=1).max() * 240 < 32, name  # metres a second


@given(v=st.tuples(*[st.floats(-1.7, 1.7)] * 3))
def test_a_rotation_vector_survives_the_way_to_a_matrix_and_back(v):
    assert np.allclose(to_vector(from_vector(np.array(v))), v, atol=1e-7)


@pytest.mark.parametrize("motion", sorted(MOTIONS))
def test_the_motion_repeats_with_its_period_but_for_breath(motion):
    t = np.linspace(0, 3.9, 40)
    first, second = (simulate(motion, t + shift).joints for shift in (0, MOTIONS[motion].PERIOD_S))
    assert max(np.abs(first[name] - second[name]).max() for name in first) < 0.05
    assert np.allclose(first["left_ankle"], second["left_ankle"], atol=1e-9)


def test_the_hands_are_highest_at_the_top_of_the_backlift():
    t = np.linspace(1.0, 1.7, 701)
    hands = simulate("drive", t).joints["left_palm"][:, 1]
    assert t[hands.argmax()] == pytest.approx(MOTIONS["drive"].EVENTS_S["top_of_backlift"], abs=0.03)


@pytest.mark.parametrize(
    ("motion", "event"), [("drive", "front_foot_down"), ("bowl", "front_foot_contact"), ("throw", "front_foot_contact")]
)
def test_the_front_foot_is_in_the_air_before_its_contact_and_still_on_the_ground_after(motion, event):
    landing = MOTIONS[motion].EVENTS_S[event]
    ankle = simulate(motion, landing + np.array([-0.10, 0.0, 0.05])).joints["left_ankle"]
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


@pytest.mark.parametrize(
    ("motion", "fault"), [("bowl", "drift"), ("keep", "knee_collapse"), ("drive", "hard_hands"), ("catch", "elbow_lower")]
)
def test_a_fault_asked_of_the_wrong_motion_is_refused(motion, fault):
    with pytest.raises(ValueError, match=fault):
        simulate(motion, np.array([1.0]), Faults(**{fault: 0.1}))


def test_the_keepers_hips_are_lowest_while_he_is_set_and_leave_the_crouch_at_the_rise():
    at = events_in_ball("keep")
    hips = simulate("keep", np.array([0.2, at["set"], at["rise"], at["rise"] + 0.1, at["take"]])).joints["hips"][:, 1]
    assert hips[1] == hips[2] == hips.min() and hips[0] > hips[4] > hips[3] > hips[2] + 0.01


@pytest.mark.parametrize("motion", ["keep", "catch"])
def test_the_hands_are_together_at_the_take_and_go_back_with_the_ball_after_it(motion):
    take = events_in_ball(motion)["take"]
    joints = simulate(motion, np.array([take, take + 0.12])).joints
    assert np.linalg.norm(joints["left_palm"][0] - joints["right_palm"][0]) < 0.15
    before, after = (joints["left_palm"][i] - joints["neck"][i] for i in (0, 1))
    assert before[0] - after[0] > 0.05


def test_the_throwers_hand_is_lowest_at_the_pick_up_and_above_his_shoulder_at_the_release():
    t = np.linspace(1.0, 2.3, 261)
    joints = simulate("throw", t).joints
    wrist = joints["right_wrist"][:, 1]
    assert t[wrist.argmin()] == pytest.approx(events_in_ball("throw")["pick_up"], abs=0.02) and wrist.min() < 0.25
    release = np.searchsorted(t, events_in_ball("throw")["release"])
    assert wrist[release] > joints["right_shoulder"][release, 1] + 0.2


def test_two_variations_are_two_people_and_a_number_is_always_the_same_one():
    t = np.array([1.7])
    one, again, other = (simulate("drive", t, variation=v) for v in (1, 1, 2))
    assert all(np.array_equal(one.joints[name], again.joints[name]) for name in one.joints)
    assert abs(one.physique.stature_m - other.physique.stature_m) > 0.005
    assert np.abs(one.joints["left_wrist"] - other.joints["left_wrist"]).max() > 0.01


def test_no_two_balls_of_a_varied_player_are_quite_alike_and_all_of_the_canonical_one_are():
    from cricksy_pipeline.sample.motion import repetitions

    for variation, least, most in ((0, 0.0, 0.02), (3, 0.002, 0.20)):
        balls = repetitions("keep", variation, 9.0)
        places = [simulate("keep", np.array([b.start_s + 1.9 * b.tempo]), variation=variation).joints["left_palm"][0] for b in balls[:2]]
        assert least <= np.linalg.norm(places[0] - places[1]) <= most
