"""Who is one person, and who of them is the player: sightings made up, and rendered clips with other people in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.identity import held
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.people import Sighting, linked
from cricksy_pipeline.analysis.pose import estimate_pose, find_subject, inspect_video
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.subject import Subject, choose_subject
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.sample.camera import Movement
from cricksy_pipeline.sample.clip import ClipSpec, truth_landmarks, write_clip
from cricksy_pipeline.sample.people import Bystander

BLUE, YELLOW, WHITE = (0.2, -0.1, -0.4, 0.2, 0.0, -0.1), (0.4, 0.2, 0.6, 0.3, -0.1, -0.5), (0.7, 0.0, 0.0, 0.7, 0.0, 0.0)


def sightings(*boxes, step_s: float = 0.5, **what) -> list[Sighting]:
    return [Sighting(picture, x, y, width, height, 0.9, t_s=picture * step_s, **what) for picture, x, y, width, height in boxes]


def standing(x: float, y: float = 500, width: float = 60, height: float = 150, pictures=range(12), **what) -> list[Sighting]:
    return sightings(*[(k, x, y, width, height) for k in pictures], **what)


def test_the_larger_central_person_is_chosen_over_a_bystander():
    player = sightings(*[(k, 800 + 20 * k, 300, 200, 500) for k in range(12)])
    subject = choose_subject(player + standing(50, 400), 1920, 1080, 12)
    assert (subject.candidates, subject.ambiguous, subject.seen_in) == (2, False, 12)
    assert subject.share_of_frame_height == pytest.approx(500 / 1080, abs=1e-3)
    assert [person.why_not for person in subject.people] == [None, "smaller in the picture"]


def test_a_bowler_who_runs_in_is_chosen_over_an_equal_who_stands_still():
    mover = sightings(*[(k, 300 + 60 * k, 500, 60, 150) for k in range(12)])
    subject = choose_subject(standing(1500) + mover, 1920, 1080, 12, mode="bowling")
    assert subject.player.path[0][1] == 300 and not subject.ambiguous


def test_the_mode_says_whose_habit_counts():
    batter = standing(600, hands_apart=0.2, stands=1.5, arm_over=-0.5)
    keeper = standing(1200, hands_apart=0.9, stands=0.7, arm_over=-0.5)
    chosen = {mode: choose_subject(batter + keeper, 1860, 1080, 12, mode=mode).player.path[0][1] for mode in ("batting", "wicketkeeping")}
    assert chosen == {"batting": 600, "wicketkeeping": 1200}


def test_two_equals_are_ambiguous_and_both_are_listed():
    subject = choose_subject(standing(600) + standing(1200), 1860, 1080, 12)
    assert subject.ambiguous and subject.margin == pytest.approx(0, abs=0.05) and len(subject.people) == 2


def test_somebody_who_leaves_and_comes_back_in_the_same_clothes_is_one_person():
    parts = standing(100, pictures=range(4), colours=BLUE) + standing(1200, pictures=range(6, 9), colours=BLUE)
    subject = choose_subject(parts, 1920, 1080, 12)
    assert (len(subject.people), subject.seen_in, subject.ambiguous) == (1, 7, False)


def test_somebody_else_in_other_clothes_is_another_person_even_in_the_same_place():
    people = linked(standing(600, pictures=range(6), colours=BLUE) + standing(600, pictures=range(6, 12), colours=YELLOW))
    assert [len(person) for person in people] == [6, 6]


def test_a_cut_breaks_the_link_by_place_and_not_by_clothes():
    before = standing(600, pictures=range(6), colours=BLUE) + standing(1200, pictures=range(6), colours=YELLOW)
    after = standing(1200, pictures=range(6, 12), colours=BLUE, shot=1) + standing(600, pictures=range(6, 12), colours=YELLOW, shot=1)
    for person in linked(before + after):
        assert len(person) == 12 and len({s.colours for s in person}) == 1


def test_two_who_cross_keep_their_clothes():
    one = sightings(*[(k, 100 + 100 * k, 500, 60, 150) for k in range(12)], colours=BLUE)
    other = sightings(*[(k, 1200 - 100 * k, 500, 60, 150) for k in range(12)], colours=WHITE)
    people = linked(one + other)
    assert len(people) == 2 and all(len({s.colours for s in person}) == 1 for person in people)


def test_a_player_under_a_camera_that_pans_is_in_one_place():
    panned = [replace(s, x=600 + 80.0 * s.picture, moved=(80.0 * s.picture, 0.0)) for s in standing(0)]
    parts = choose_subject(panned + standing(1500, pictures=[0, 1]), 1920, 1080, 12).people[0].parts
    assert parts["movement"] == 0


def test_one_slip_is_no_person_unless_nobody_else_is_seen():
    assert len(choose_subject(standing(600) + standing(1500, pictures=[3]), 1920, 1080, 12).people) == 1
    assert len(choose_subject(standing(1500, pictures=[3]), 1920, 1080, 12).people) == 1


def test_a_person_who_is_not_listed_cannot_be_asked_for():
    seen = standing(600) + standing(1200, height=100)
    assert choose_subject(seen, 1920, 1080, 12, asked=2).player.number == 2
    for people, words in ((seen, "2 people were seen"), (standing(600), "1 person was seen"), ([], "nobody was seen")):
        with pytest.raises(CricksyError, match=words) as caught:
            choose_subject(people, 1920, 1080, 12, asked=3)
        assert caught.value.code == ErrorCode.OPTIONS_INVALID


clothes = st.none() | st.sampled_from([BLUE, YELLOW, WHITE])
anyone = st.builds(
    Sighting,
    picture=st.integers(0, 11),
    x=st.integers(0, 1800).map(float),
    y=st.integers(0, 1000).map(float),
    width=st.integers(5, 900).map(float),
    height=st.integers(10, 1000).map(float),
    confidence=st.floats(0.5, 1),
    shot=st.integers(0, 1),
    colours=clothes,
).map(lambda s: replace(s, t_s=s.picture * 0.5))
crowds = st.lists(anyone, max_size=14, unique_by=lambda s: (s.picture, s.height))


@settings(max_examples=60, deadline=None)
@given(crowds, st.randoms(), st.sampled_from(["batting", "bowling", "wicketkeeping", "fielding"]))
def test_the_order_of_the_sightings_does_not_matter(seen, random, mode):
    first = choose_subject(seen, 1920, 1080, 12, mode=mode)
    shuffled = list(seen)
    random.shuffle(shuffled)
    assert choose_subject(shuffled, 1920, 1080, 12, mode=mode) == first
    assert Subject.from_json(first.as_json()) == first


def in_a_mirror(sighting: Sighting, width: int) -> Sighting:
    """The sighting as a mirrored video of this width shows it."""
    moved = None if sighting.moved is None else (-sighting.moved[0], sighting.moved[1])
    return replace(sighting, x=width - sighting.x - sighting.width, moved=moved)


@settings(max_examples=60, deadline=None)
@given(crowds)
def test_in_a_mirror_the_same_people_are_found_mirrored(seen):
    first = choose_subject(seen, 1920, 1080, 12)
    assume(len({person.score for person in first.people}) == len(first.people))
    other = choose_subject([in_a_mirror(s, 1920) for s in seen], 1920, 1080, 12)
    assert [(p.number, p.score, p.seen_in, p.parts) for p in other.people] == [
        (p.number, p.score, p.seen_in, p.parts) for p in first.people
    ]
    for person, mirrored in zip(first.people, other.people, strict=True):
        assert [(t, 1920 - x - w, y, w, h) for t, x, y, w, h, _ in mirrored.path] == [(t, x, y, w, h) for t, x, y, w, h, _ in person.path]


# ---- rendered clips

SMALL = {"width": 480, "height": 270, "fps": 15, "seconds": 3.0}
UMPIRE = (Bystander("umpire", (1.5, -1.5)), Bystander("stands", (-1.0, -2.0)))
SCENES = {
    "an umpire and a bystander": (ClipSpec("bowl", people=UMPIRE, **SMALL), "bowling"),
    "somebody walks by in front": (ClipSpec("drive", people=(Bystander("walks_in_front", (0.0, 2.0), 1.5),), **SMALL), "batting"),
    "a cut": (ClipSpec("drive", cut_s=1.0, **SMALL), "batting"),
    "an empty start": (ClipSpec("drive", empty_s=1.0, **SMALL), "batting"),
    "a pan": (ClipSpec("bowl", movement=Movement(pan_m=1.0), **SMALL), "bowling"),
}  # fmt: skip


@pytest.fixture(scope="module", params=SCENES)
def scene(request, tmp_path_factory, pose_model) -> tuple[str, ClipSpec, Subject, Landmarks]:
    spec, mode = SCENES[request.param]
    path = Path(tmp_path_factory.mktemp("scene") / "clip.mp4")
    write_clip(spec, path, workers=1)
    index = inspect_video(path)
    subject = find_subject(path, index, model=pose_model, mode=mode)
    frames = plan_sampling(index).deep
    landmarks = estimate_pose(path, index, frames, np.zeros(len(frames), np.uint8), model=pose_model, subject=subject, workers=1)
    return request.param, spec, subject, landmarks


def away_from_truth(spec: ClipSpec, landmarks: Landmarks) -> np.ndarray:
    """(n,) distance of the hips from the player's true hips, in his true heights; NaN where he is not found or not there."""
    true = truth_landmarks(spec)
    true = true.select(np.isin(true.frame, landmarks.frame))
    tall = np.nanmedian(np.ptp(true.xy[..., 1], axis=1))
    return np.linalg.norm(landmarks.point("left_hip") - true.point("left_hip"), axis=1) / tall


def test_the_landmarks_are_the_players_and_nobody_elses(scene):
    name, spec, _, landmarks = scene
    away = away_from_truth(spec, landmarks)
    known = np.isfinite(away)
    there = np.isfinite(truth_landmarks(spec).xy[:, 0, 0]).mean()
    assert known.mean() >= (0.5 if "in front" in name or "pan" in name else 0.75) * there
    assert (away[known] < 0.35).mean() >= 0.97, np.round(away, 2)


def test_losses_cuts_and_crossings_are_said(scene):
    name, _, subject, landmarks = scene
    said = held(landmarks, subject)
    assert (len(said["cuts"]) == 1) == (name == "a cut") and not said["doubtful"]
    if name == "a cut":
        assert said["cuts"][0] == pytest.approx(1.0, abs=0.11)
    if "in front" in name:
        assert said["crossings"] or said["refused_frames"]
    if name == "an empty start":
        assert not landmarks.found[landmarks.t_s < 0.9].any() and landmarks.found[landmarks.t_s > 1.2].mean() > 0.9


def test_the_background_of_a_still_camera_stands_and_that_of_a_pan_moves(scene):
    name, _, _, landmarks = scene
    assert np.isfinite(landmarks.camera).all()
    furthest = np.abs(landmarks.camera).max()
    assert furthest > 20 if name == "a pan" else furthest < 0.5
