"""From balls to a session: what shrinks with more balls, what the player's scatter does, kinds of ball, repeatability, measured errors."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from cricksy_pipeline.analysis.metrics import accuracy, kinds, refusals
from cricksy_pipeline.analysis.metrics.accuracy import ModelError, measured_errors, model_error
from cricksy_pipeline.analysis.metrics.ball import Ball, NotRead, Reading
from cricksy_pipeline.analysis.metrics.bowling import knee_at_release
from cricksy_pipeline.analysis.metrics.catalogue import catalogue, how_to_film
from cricksy_pipeline.analysis.metrics.measure import FUNCTIONS
from cricksy_pipeline.analysis.metrics.session import Context, read_ball, repeatability, says_nothing, summarise
from cricksy_pipeline.analysis.view import CameraView
from cricksy_pipeline_tests.analysis.true_balls import true_balls

SIDE = Context("side", {}, 1.0)


def of_kind(*told: str | None) -> Context:
    """A clip whose balls are of these kinds, in turn."""
    return Context("side", {i + 1: kinds.Told(kind, 0.5) for i, kind in enumerate(told)}, 1.0)


@lru_cache(maxsize=8)
def ball(motion: str = "drive", view: str = "side") -> Ball:
    return true_balls(motion, view)[0][0]


@pytest.fixture(autouse=True)
def only_priors(monkeypatch, tmp_path):
    """The shipped errors are measured anew from time to time; what is tested here must not hang on them."""
    monkeypatch.setattr(accuracy, "measured_errors", lambda: measured_errors(tmp_path / "none.toml"))


def session(code: str, values, context: Context = SIDE, *, keypoint: float = 1.0, event: float = 0.0, view: CameraView | None = None):
    """A metric over balls that read these values."""
    entry, one = catalogue().entries[code], ball("bowl" if code[0] == "W" else "drive")
    balls = [Ball(i + 1, one.found, view or one.view) for i in range(len(values))]
    read = [read_ball(entry, b, Reading(v, keypoint, event, 1.7, entry.event)) for b, v in zip(balls, values, strict=True)]
    return (repeatability if code.startswith("W9") else summarise)(entry, read, context)


def width(metric) -> float:
    return metric.ci95[1] - metric.ci95[0]


def test_one_ball_says_what_it_is_and_more_balls_only_shrink_what_is_random():
    one, six = session("B4", [120.0]), session("B4", [120.0] * 6)
    entry = catalogue().entries["B4"]
    systematic = 2 * 1.96 * np.hypot(entry.sigma_view, model_error(entry, "side").sigma)
    assert width(one) > width(six) > systematic
    assert one.sigma > six.sigma and one.detectable_change > six.detectable_change
    assert one.spread is None and six.spread == 0


def test_a_balls_own_sigma_holds_no_scatter_of_the_player():
    entry = catalogue().entries["B4"]
    read = session("B4", [100.0, 120.0, 140.0]).per_delivery
    expected = np.sqrt(1 + entry.sigma_view**2 + model_error(entry, "side").sigma ** 2)
    assert [one.sigma for one in read] == pytest.approx([expected] * 3, abs=1e-3)


def test_a_player_who_scatters_has_a_wider_habit_but_the_filmed_balls_are_as_well_known():
    steady, wild = session("B4", [120.0, 121, 119, 120, 121, 119]), session("B4", [100.0, 140, 90, 150, 110, 130])
    assert wild.spread > 10 * steady.spread
    assert wild.sigma > 1.3 * steady.sigma and wild.detectable_change > 2 * steady.detectable_change
    assert width(wild) == pytest.approx(width(steady), abs=0.01)


def test_the_score_is_of_the_habit():
    steady, wild = session("B4", [90.0] * 4), session("B4", [60.0, 120, 80, 100])
    assert steady.value == pytest.approx(wild.value)
    assert steady.score < wild.score < 0.5


def test_an_interval_is_rounded_outward_and_ends_where_a_body_does():
    straight = session("W1", [178.0], SIDE)
    assert straight.ci95[1] == 180.0
    low, high = session("B1", [0.2]).ci95
    assert low == 0.0 and high > 0.2


def test_a_camera_aside_opens_the_interval_to_the_bent_side():
    square, aside = (session("B4", [130.0], view=CameraView("side", off, 5.0, 0.9)) for off in (5, 28))
    assert aside.ci95[1] == square.ci95[1]
    assert aside.ci95[0] < square.ci95[0] - 3
    assert aside.per_delivery[0].ci95[0] < square.per_delivery[0].ci95[0] - 3
    assert aside.sigma > square.sigma


def test_a_shots_own_band_is_used_only_where_every_ball_was_told():
    front, back, unknown = (session("B3", [0.3], of_kind(kind), keypoint=0.01) for kind in ("front_foot", "back_foot", None))
    assert (front.band.low, front.band.high) == (0.50, 0.90) and front.score < 0.05
    assert (back.band.low, back.band.high) == (0.10, 0.50) and back.score > 0.95
    assert (unknown.band.low, unknown.band.high) == (0.10, 0.90) and unknown.score > 0.95


@pytest.mark.parametrize(
    ("code", "kind", "judged"),
    [
        ("B4", "front_foot", True),
        ("B4", None, False),
        ("B4", "back_foot", False),
        ("W4", "pace", True),
        ("W4", "spin", False),
        ("W1", "pace", False),
    ],
)
def test_what_a_band_does_not_hold_for_is_not_judged_and_says_why(code, kind, judged):
    metric = session(code, [100.0 if code != "W4" else 0.2], of_kind(kind))
    assert metric.judged == judged == (metric.why_not_judged is None)


def test_a_ball_of_another_kind_that_was_not_read_does_not_take_the_band_away():
    mixed = of_kind("front_foot", "front_foot", "back_foot")
    assert session("B5", [0.4, 0.4], mixed).judged
    assert not session("B4", [120.0] * 3, mixed).judged


def test_times_are_told_on_the_clock_of_the_file():
    assert session("B4", [120.0], Context("side", {}, 8.0)).per_delivery[0].t_s == pytest.approx(13.6)


# ------------------------------------------------------------------------------------------------------------------------ kinds of ball


def test_a_drive_is_told_to_be_a_front_foot_shot_and_going_back_a_back_foot_shot():
    drive = ball()
    assert kinds.shot_of(drive).kind == "front_foot"
    late = drive.track.t_s > drive.found.events["contact"].t_s - 0.6
    xy = drive.track.xy.copy()
    xy[late] = xy[np.flatnonzero(late)[0]] - [0.35 * drive.height_px, 0]
    gone_back = Ball(1, replace(drive.found, track=replace(drive.track, xy=xy)), drive.view)
    assert kinds.shot_of(gone_back).kind == "back_foot"


def test_the_shot_is_not_told_along_the_pitch_nor_without_the_stance():
    assert kinds.shot_of(ball("drive", "front")) == kinds.NOT_TOLD
    drive = ball()
    contact = drive.found.events["contact"].t_s
    span = slice(drive.track.index_at(contact - 0.5), None)
    cut = replace(drive.track, t_s=drive.track.t_s[span], xy=drive.track.xy[span], camera=drive.track.camera[span])
    assert kinds.shot_of(Ball(1, replace(drive.found, track=cut), drive.view)) == kinds.NOT_TOLD


@pytest.mark.parametrize(("speed", "kind"), [(1.0, "spin"), (2.1, None), (3.2, "pace")])
def test_pace_and_spin_are_told_by_the_approach_and_in_between_not_at_all(speed, kind):
    bowl = ball("bowl")
    track, landed = bowl.track, bowl.found.events["back_foot_contact"].t_s
    run = np.zeros_like(track.xy)
    hips = track.middle("hip")
    there = speed * bowl.height_px * (track.t_s - landed)
    run[..., 0] = (there - hips[:, 0])[:, None]
    moved = Ball(1, replace(bowl.found, track=replace(track, xy=track.xy + run)), bowl.view)
    assert kinds.pace_of(moved).kind == kind


def test_a_clip_is_of_one_kind_only_when_no_ball_says_otherwise():
    front, back, unsure = kinds.Told("front_foot", 0.99), kinds.Told("back_foot", 0.01), kinds.Told(None, 0.6)
    assert kinds.of_all([front, front, unsure]) == "front_foot"
    assert kinds.of_all([front, back]) is kinds.of_all([front, unsure, unsure]) is kinds.of_all([]) is None


# -------------------------------------------------------------------------------------------------------------------------- repeatability


def test_repeatability_is_the_scatter_beyond_what_measuring_explains():
    rng = np.random.default_rng(4)
    noisy = [session("W9H", rng.normal(1.05, 0.02, 12), keypoint=0.02).value for _ in range(200)]
    wandering = [session("W9H", rng.normal(1.05, np.hypot(0.05, 0.02), 12), keypoint=0.02).value for _ in range(200)]
    assert np.median(noisy) < 0.01
    assert np.median(wandering) == pytest.approx(0.05, rel=0.1)


def test_the_interval_of_a_repeatability_holds_the_truth():
    rng = np.random.default_rng(5)
    for n in (3, 6, 12):
        ends = [session("W9H", rng.normal(1.05, np.hypot(0.04, 0.01), n), keypoint=0.01).ci95 for _ in range(400)]
        assert np.mean([low <= 0.04 <= high for low, high in ends]) >= 0.93


# ------------------------------------------------------------------------------------------------------------------------ classes, errors


@pytest.mark.parametrize(
    ("landing", "least", "release", "words"),
    [(170, 168, 172, "brace"), (170, 150, 152, "stays bent"), (170, 150, 170, "then straightens"), (160, 158, 175, "extender (")],
)
def test_the_knees_action_is_classed_by_what_it_gives_and_gets_back(monkeypatch, landing, least, release, words):
    def reading(value: float) -> Reading:
        return Reading(value, 1.0, 1.0, 2.0, "release")

    answers = {"release": reading(release), "front_foot_contact": reading(landing)}
    monkeypatch.setattr("cricksy_pipeline.analysis.metrics.bowling.knee", lambda ball, event: answers[event])
    monkeypatch.setattr("cricksy_pipeline.analysis.metrics.bowling.least_knee", lambda ball: reading(least))
    assert words in knee_at_release(ball("bowl")).category
    answers["front_foot_contact"] = NotRead("NO_EVENT", "front_foot_contact")
    assert knee_at_release(ball("bowl")).category is None


@pytest.mark.parametrize(("code", "motion", "view"), [("B7", "drive", "front"), ("B9", "drive", "front"), ("F1H", "throw", "side")])
def test_a_metric_with_classes_names_the_class_of_each_ball(code, motion, view):
    words = catalogue().words["classes"][code]
    assert FUNCTIONS[code](ball(motion, view)).category in words.values()


def test_a_measured_error_takes_the_place_of_the_prior_with_its_bias_inside(tmp_path, monkeypatch):
    path = tmp_path / "accuracy.toml"
    path.write_text('[B4.side]\nbias = -4.0\nsigma = 5.5\nn = 120\nsource = "corpus"\nstatus = "calibrated on rendered figures"\n')
    monkeypatch.setattr(accuracy, "measured_errors", lambda: measured_errors(path))
    entry = catalogue().entries["B4"]
    assert model_error(entry, "side").sigma == 5.5
    assert model_error(entry, "front").sigma == entry.sigma_model
    metric = session("B4", [120.0])
    assert metric.error_status == "calibrated on rendered figures" and metric.value == 120.0
    assert metric.per_delivery[0].sigma == pytest.approx(np.sqrt(1 + entry.sigma_view**2 + 5.5**2), abs=1e-3)


def test_without_measured_errors_the_priors_hold_and_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(accuracy, "measured_errors", lambda: measured_errors(tmp_path / "none.toml"))
    assert session("B4", [120.0]).error_status == "uncalibrated"


@pytest.mark.parametrize("text", ["[B4.side]\nsigma = 5.0\n", '[B4.side]\nbias = 0.0\nsigma = -1.0\nn = 3\nsource = "x"\nstatus = "x"\n'])
def test_a_table_of_errors_that_is_not_whole_is_refused(tmp_path, text):
    path = tmp_path / "accuracy.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"accuracy.toml: \[B4.side\]"):
        measured_errors(path)


def test_the_shipped_errors_are_of_metrics_that_exist():
    assert {code for code, _ in measured_errors()} <= set(catalogue().entries)


def test_a_change_of_the_knee_that_could_be_either_way_gets_no_class(monkeypatch):
    def reading(value: float) -> Reading:
        return Reading(value, 4.0, 4.0, 2.0, "release")

    answers = {"release": reading(152), "front_foot_contact": reading(162)}
    monkeypatch.setattr("cricksy_pipeline.analysis.metrics.bowling.knee", lambda ball, event: answers[event])
    monkeypatch.setattr("cricksy_pipeline.analysis.metrics.bowling.least_knee", lambda ball: reading(151))
    assert knee_at_release(ball("bowl")).category is None


@pytest.mark.parametrize(("code", "motion", "keep"), [("W2", "bowl", -0.3), ("B5", "drive", -0.5), ("K5", "keep", None)])
def test_a_clip_that_begins_too_late_or_ends_too_early_says_so(code, motion, keep):
    whole = ball(motion)
    moment = whole.found.events[catalogue().entries[code].event].t_s
    span = slice(None, whole.track.index_at(moment + 0.05)) if keep is None else slice(whole.track.index_at(moment + keep), None)
    cut = replace(whole.track, t_s=whole.track.t_s[span], xy=whole.track.xy[span], camera=whole.track.camera[span])
    assert FUNCTIONS[code](Ball(1, replace(whole.found, track=cut), whole.view)) == NotRead("NOT_FILMED")


def test_a_value_that_may_be_nearly_anything_is_no_measurement():
    entry = catalogue().entries["W7"]
    assert not says_nothing(session("W7", [10.0], keypoint=5.0).ci95, entry)
    assert says_nothing(session("W7", [10.0], keypoint=40.0).ci95, entry)
    assert not says_nothing(session("W7", [10.0] * 12, keypoint=40.0).ci95, entry)


@pytest.mark.parametrize(("sigma", "code"), [(8.0, "UNSURE"), (30.0, "POSE_MODEL")])
def test_it_is_said_whether_the_clip_or_the_pose_model_makes_a_value_worthless(sigma, code):
    entry, one = catalogue().entries["B7"], ball()
    reading = Reading(-20.0, 30.0, 0.0, 1.7, "contact")
    read = [replace(read_ball(entry, one, reading), model=ModelError(sigma, -25.0, 40, "corpus", "calibrated on rendered figures"))]
    assert says_nothing(summarise(entry, read, SIDE).ci95, entry)
    assert refusals.unsure(entry, read)[0] == code
    assert bool(how_to_film(code, entry)) == (code == "UNSURE")
