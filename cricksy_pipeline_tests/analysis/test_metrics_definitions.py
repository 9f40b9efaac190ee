"""Each definition against the renderer's truth, with nothing estimated: what is left is the definition alone. Run with -s for the table."""

from __future__ import annotations

from functools import lru_cache

import pytest

from cricksy_pipeline.analysis.metrics.ball import Ball, NotRead, Reading
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.measure import FUNCTIONS
from cricksy_pipeline.analysis.metrics.view_gate import off_axis_deg
from cricksy_pipeline.sample.clip import Truth
from cricksy_pipeline_tests.analysis.true_balls import true_balls

OF_MOTION = {"drive": "B", "bowl": "W", "keep": "K", "throw": "F", "catch": "F"}
MOST = {"degrees": 0.5, "% of height": 0.35, "body heights": 0.01, "body heights/s": 0.03, "s": 0.006, "share of base": 0.01}
MOST = MOST | {"hip widths": 0.02, "shoulder widths": 0.02, "leg lengths": 0.01, "B7": 1.0, "F5": 1.0}
"""Largest error in each unit. A track has 200 points a second, so a time is known to 5 ms; the upper arm's length is only as well
known as it ever shows (B7, F5)."""


@lru_cache(maxsize=32)
def balls_of(motion: str, view: str, mirror: bool = False, variation: int = 0) -> tuple[list[Ball], Truth]:
    return true_balls(motion, view, mirror=mirror, variation=variation)


def compared(motion: str, view: str, **choices) -> list[tuple[str, Reading | NotRead, float]]:
    balls, known = balls_of(motion, view, **choices)
    rows = []
    for code, values in known.metrics.items():
        entry = catalogue().entries.get(code)
        if entry is None or code not in FUNCTIONS or off_axis_deg(entry, balls[0].view) is None:
            continue
        rows += [(code, FUNCTIONS[code](ball), true) for ball, true in zip(balls, values, strict=False) if true is not None]
    return rows


@pytest.mark.parametrize("motion", ["drive", "bowl", "keep", "throw", "catch"])
@pytest.mark.parametrize("view", ["side", "front"])
@pytest.mark.parametrize("mirror", [False, True])
def test_every_definition_gives_the_true_value_from_true_landmarks_and_events(motion, view, mirror):
    rows = compared(motion, view, mirror=mirror)
    for code, reading, true in rows:
        print(f"{motion} {view} {code:4s} {reading if isinstance(reading, NotRead) else round(reading.value, 4)} true {true:.4f}")
    assert rows
    for code, reading, true in rows:
        assert isinstance(reading, Reading), (code, reading)
        assert abs(reading.value - true) <= MOST.get(code, MOST[catalogue().entries[code].unit]), (code, reading.value, true)
