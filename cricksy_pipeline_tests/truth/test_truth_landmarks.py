"""Metrics, events and findings from true landmarks, perfect and disturbed, against the truth of the renderer. Run with -s to see tables.

The exact tier: no picture is drawn. What BlazePose makes of pictures is in test_rendered_truth, test_corpus and docs/accuracy.md.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from cricksy_pipeline_tests.truth import tables
from cricksy_pipeline_tests.truth.conditions import FAULTS, Condition, conditions, player_choices
from cricksy_pipeline_tests.truth.disturb import ErrorModel
from cricksy_pipeline_tests.truth.exact import exact_record
from cricksy_pipeline_tests.truth.tables import proportion_interval, technique

SEEN = [(motion, view) for motion in ("drive", "bowl", "keep", "throw", "catch") for view in ("side", "front")]
PLAIN = {"width": 640, "height": 360, "fps": 60, "variation": 21}


def perfect(motion: str, view: str, **choices: Any) -> dict[str, Any]:
    """The record of one ball from perfect landmarks."""
    return exact_record(Condition("", "correct", "held out", motion, view, {**PLAIN, **choices}), None)


def by_code(record: dict[str, Any]) -> dict[str, float]:
    return {v["code"]: v["measured"] for v in record["values"]}


@pytest.mark.parametrize(("motion", "view"), SEEN)
def test_with_perfect_landmarks_every_printed_interval_holds_the_truth_at_every_rate(motion, view):
    for fps in (25, 30, 60, 240):
        record = perfect(motion, view, fps=fps)

        assert record["paired"] == record["deliveries"] == 1, (fps, record["summary"])
        assert record["values"]
        for value in record["values"]:
            assert value["ci95"][0] <= value["true"] <= value["ci95"][1], (fps, value)


@pytest.mark.parametrize(("motion", "view"), SEEN)
def test_a_left_hander_is_a_right_hander_in_a_mirror(motion, view):
    right, left = perfect(motion, view), perfect(motion, view, mirror=True)

    assert by_code(left).keys() == by_code(right).keys()
    for code, value in by_code(right).items():
        assert by_code(left)[code] == pytest.approx(value, abs=2e-4), code
    for side in ("front_side", "arm"):
        if right["summary"][side]:
            assert {right["summary"][side], left["summary"][side]} == {"left", "right"}


@pytest.mark.parametrize(("width", "height"), [(320, 180), (1920, 1080)])
def test_the_size_of_the_picture_moves_no_value_by_a_tenth_of_its_interval(width, height):
    for motion in ("drive", "bowl"):
        plain, other = perfect(motion, "side"), perfect(motion, "side", width=width, height=height)
        intervals = {v["code"]: v["ci95"] for v in plain["values"]}
        for code, value in by_code(plain).items():
            assert abs(by_code(other)[code] - value) <= 0.05 * (intervals[code][1] - intervals[code][0]), code


def test_the_measured_knee_follows_the_true_one_through_every_size_of_the_fault():
    knees = [
        next(v for v in exact_record(_with({"knee_collapse": size}), ErrorModel(), seed)["values"] if v["code"] == "B4")
        for seed, size in enumerate((0.0, 15.0, 30.0, 45.0, 62.0))
    ]
    measured, true = [v["measured"] for v in knees], [v["true"] for v in knees]
    assert np.corrcoef(measured, true)[0, 1] > 0.95
    assert (np.diff(measured) < 0).all()


def _with(faults: dict[str, float]) -> Condition:
    return Condition("", "fault", "held out", "drive", "side", {**PLAIN, "variation": 0}, faults)


# ------------------------------------------------------------------------------------------------------- many players, disturbed landmarks


@pytest.fixture(scope="module")
def crowd() -> list[dict[str, Any]]:
    """Held-out players of correct technique, landmarks as wrong as a network makes them."""
    wanted = re.compile(r"(drive|bowl|keep|throw|catch) (side|front|behind) \d*[13579]$")
    chosen = [c for c in conditions() if c.group == "correct" and wanted.match(c.name) and float(c.choices["fps"]) < 100]
    return [exact_record(condition, ErrorModel(), seed) for seed, condition in enumerate(chosen)]


def test_the_printed_interval_holds_the_truth_as_often_as_it_says(crowd):
    rows = tables.accuracy(crowd)
    inside, n = sum(row["inside"] for row in rows), sum(row["n"] for row in rows)
    print(f"\n{inside} of {n} inside: {inside / n:.3f}")
    for row in rows:
        print(row["code"], row["view"], f"{row['inside']} of {row['n']}, bias {row['bias']:+.3f}, half width {row['half_width']:.3f}")

    assert n > 150
    assert proportion_interval(inside, n)[1] >= 0.93


def test_players_of_correct_technique_get_no_technique_finding(crowd):
    wrong = [(record["name"], technique(record)) for record in crowd if technique(record)]

    assert len(crowd) > 30
    assert len(wrong) <= 0.05 * len(crowd), wrong


def test_nearly_every_delivery_is_found_and_none_is_invented(crowd):
    true, found, invented = (sum(row[name] for row in tables.deliveries(crowd)) for name in ("true", "found", "invented"))

    assert found >= 0.95 * true
    assert invented <= 0.02 * true


@pytest.fixture(scope="module")
def faulty() -> list[dict[str, Any]]:
    """Each fault alone, at its largest size, in two players."""
    return [
        exact_record(
            Condition(
                f"{fault.motion} {fault.name} {number}",
                "fault",
                "held out",
                fault.motion,
                fault.view,
                player_choices(fault.motion, fault.view, 500 + number, plain=True),
                {fault.name: fault.sizes[-1]},
            ),
            ErrorModel(),
            number,
        )
        for fault in FAULTS
        for number in range(2)
    ]


def test_a_fault_beyond_the_printed_detectable_size_is_found_in_nine_of_ten(faulty):
    rows = [row for row in tables.sensitivity(faulty) if row["sizes"] is not None and row["sizes"] >= 1]
    missed = [(row["clip"], row["code"], round(row["sizes"], 2)) for row in rows if not row["found"]]
    print(f"\n{len(rows)} beyond the detectable size, missed: {missed}")

    assert len(rows) >= 6
    assert proportion_interval(len(rows) - len(missed), len(rows))[1] >= 0.9
