"""What the accuracy corpus films: every clip as data, made from seeds.

Belongs here: the list of conditions and the order in which they are filmed. Does not belong here: drawing, looking, measuring (`corpus`),
what the answers should be (the tests).

A condition is one player (a seed of body, tempo and posture), one place of the camera, one way of recording, at most one fault; it shows
one ball or several. Half of the seeds calibrate (`fit`); the other half is held out and is all that the accuracy page speaks of.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from typing import Any, Literal

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.sample.clip import ClipSpec, Faults, Movement
from cricksy_pipeline.sample.motion import repetitions
from cricksy_pipeline_tests.analysis.players import MODE_OF
from cricksy_pipeline_tests.truth.scenes import SCENES, STRANGERS

Half = Literal["calibration", "held out"]
Group = Literal["correct", "fault", "scene", "stranger", "recording"]

SHOWN_S: dict[str, tuple[float, float]] = {
    "drive": (0.20, 2.40),
    "bowl": (0.70, 2.50),
    "keep": (0.30, 2.70),
    "throw": (0.20, 3.20),
    "catch": (0.20, 2.80),
}
"""From and to which second of its table's period a motion is filmed: the delivery and what metrics read before and after it."""

ACROSS_SHARE = {"bowl": 0.26, "throw": 0.34}
"""Side on, a run crosses the picture: a larger share of its height (16 to 9) would leave it."""

RATES: tuple[Fraction | int, ...] = (30, 60, 30, 25, 30, 60, Fraction(30000, 1001), 30, 60, 30, 30, 50, 120, 30, 60, 25, 30, 30, 240)
SHARES = (0.55, 0.45, 0.60, 0.35, 0.50, 0.60, 0.45, 0.25, 0.55, 0.40, 0.60, 0.15, 0.50, 0.45, 0.10)
"""Rates and shares of the picture's height go round like this; their lengths have no common factor."""

PLAYER_PX = 140
"""Wanted height of the player, reached from 20 % of the height up. A phone at 10 m gives twice that; small, because drawing takes time."""


@dataclass(frozen=True)
class Condition:
    """One clip of the corpus.

    Attributes:
        name: unique, for people and for the tables.
        group: what it is there for. half: what it may be used for.
        motion: of the player; view: where the camera stands.
        choices: what else `ClipSpec` is given. faults: what `Faults` is given.
        balls: how many balls; each is filmed by itself and they are joined before measuring.
        size: of the fault, as a share of the largest one listed; 0 where there is none.
        options: what the analysis is told beside the mode.
    """

    name: str
    group: Group
    half: Half
    motion: str
    view: str
    choices: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, float] = field(default_factory=dict)
    balls: int = 1
    size: float = 0.0
    options: AnalysisOptions = field(default_factory=AnalysisOptions)

    @property
    def mode(self) -> AnalysisMode:
        """What the analysis is told was filmed."""
        return MODE_OF[self.motion]

    def specs(self) -> list[ClipSpec]:
        """One clip per ball. Raises ValueError or TypeError where the renderer has no such thing."""
        first, last = SHOWN_S[self.motion]
        variation, slower = self.choices.get("variation", 0), self.choices.get("slow_motion", 1.0)
        balls = repetitions(self.motion, variation, 6.0 * self.balls)[: self.balls]
        return [
            ClipSpec(
                motion=self.motion,
                view=self.view,
                faults=Faults(**self.faults),
                start_s=ball.start_s + first * ball.tempo,
                **{"seconds": (last - first) * ball.tempo * slower, **self.choices},
            )
            for ball in balls
        ]


def conditions() -> list[Condition]:
    """The whole corpus, in an order of which every beginning is balanced: one of each stratum by turns."""
    strata = [*_correct(), *_faulty(), *_scenes(), *_strangers(), *_recordings()]
    return [c for turn in zip_longest(*strata) for c in turn if c is not None]


# ------------------------------------------------------------------------------------------------------------------ correct technique

VIEWS_OF: dict[str, dict[str, int]] = {
    "drive": {"side": 16, "front": 10, "behind": 6, "quarter": 2},
    "bowl": {"side": 16, "front": 8, "behind": 8, "quarter": 2},
    "keep": {"front": 12, "side": 8, "behind": 4, "quarter": 2},
    "throw": {"side": 12, "front": 8, "behind": 4, "quarter": 2},
    "catch": {"front": 8, "side": 8, "behind": 2, "quarter": 2},
}
"""How many players with a correct technique are filmed, by motion and view; an even number each, for the two halves."""


HELD_OUT_DRAW = 2
"""Raised whenever the held-out players have been looked at while something was still being changed: players that nobody has seen take
their places, and the judgement is blind again. The first ones told that the fitted sigmas need the catalogue's as a floor."""


def _correct() -> Iterator[list[Condition]]:
    for motion, views in VIEWS_OF.items():
        for view, count in views.items():
            players = (player_choices(motion, view, number) for number in range(count))
            yield [
                Condition(name, "correct", _half(i), motion, _camera_side(view, i), choices, balls=3 if i % 8 > 5 else 1)
                for i, (name, choices) in enumerate((f"{motion} {view} {number:02d}", player) for number, player in enumerate(players))
            ]


def player_choices(motion: str, view: str, number: int, *, plain: bool = False) -> dict[str, Any]:
    """One player and how he is filmed. plain: at 30 or 60 frames a second, near enough, on a tripod."""
    stratum = zlib.crc32(f"{motion} {view}".encode())
    who = number + 1000 * HELD_OUT_DRAW * (number % 2)
    rng = np.random.default_rng([stratum, who])
    turn = number + stratum % 17
    share = SHARES[turn % len(SHARES)]
    rate: Fraction | int = RATES[turn % len(RATES)]
    if plain:
        share, rate = 0.4 + 0.2 * rng.random(), 60 if number % 3 == 2 else 30
    if view in ("side", "quarter"):
        share = min(share, ACROSS_SHARE.get(motion, 1.0))
    upright = number % 4 == 3 and not (view in ("side", "quarter") and motion in ACROSS_SHARE)
    choices: dict[str, Any] = {
        "variation": 1 + (stratum + 7919 * who) % 1_000_003,
        "fps": rate,
        "share": round(share, 3),
        "yaw_deg": round(float(rng.uniform(-14, 14)), 1),
        "mirror": bool(number // 2 % 2),
        "seed": who,
        **picture(share, upright),
    }
    if not plain and number % 5 == 4:
        choices["movement"] = Movement(shake_px=float(round(rng.uniform(0.5, 2.0), 2)))
    return choices


def picture(share: float, upright: bool = False) -> dict[str, int]:
    """Width and height of a 16 to 9 (or 9 to 16) picture in which a share of the height gives `PLAYER_PX`, 720 lines at most."""
    short = 2 * round(np.clip(PLAYER_PX / share, 240, 720) / 2)
    if upright:  # the share is of the longer side then
        long = 2 * round(np.clip(PLAYER_PX / share, 320, 1280) / 2)
        return {"width": 2 * round(long * 9 / 32), "height": long}
    return {"width": 2 * round(short * 16 / 18), "height": short}


def _half(number: int) -> Half:
    return "held out" if number % 2 else "calibration"


def _camera_side(view: str, number: int) -> str:
    """Every third player who is filmed from the side is filmed from the other side of the pitch."""
    return "leg" if view == "side" and number % 3 == 2 else view


# --------------------------------------------------------------------------------------------------------------------------- faults


@dataclass(frozen=True)
class FaultSeries:
    """A fault by itself, at growing sizes.

    Attributes:
        motion, view: where it can be seen. code: the metric that must show it.
        name: field of `Faults`. sizes: in the fault's own unit, the smallest about at the edge of the band.
    """

    motion: str
    view: str
    code: str
    name: str
    sizes: tuple[float, ...]


FAULTS: tuple[FaultSeries, ...] = (
    FaultSeries("drive", "side", "B4", "knee_collapse", (52, 62, 72, 84)),
    FaultSeries("drive", "side", "B1", "head_move", (8, 12, 17, 23)),
    FaultSeries("drive", "front", "B1", "head_move", (8, 12, 17, 23)),
    FaultSeries("drive", "side", "B2", "head_ahead", (-28, -38)),
    FaultSeries("drive", "side", "B3", "weight_back", (0.45, 0.65)),
    FaultSeries("drive", "side", "B5T", "foot_early", (0.12, 0.18, 0.24, 0.30)),
    FaultSeries("drive", "side", "B5", "stride_longer", (0.2, 0.3, 0.4, 0.5)),
    FaultSeries("drive", "side", "B5", "stride_longer", (-0.14, -0.2, -0.26, -0.32)),
    FaultSeries("drive", "front", "B6", "head_fall", (18, 28, 38, 48)),
    FaultSeries("drive", "front", "B7", "low_elbow", (0.5, 0.8, 0.9, 1.0)),
    FaultSeries("bowl", "side", "W3", "stride_longer", (0.25, 0.34, 0.42, 0.5)),
    FaultSeries("bowl", "side", "W3", "stride_longer", (-0.38, -0.43, -0.47, -0.5)),
    FaultSeries("bowl", "front", "W6", "side_lean", (32, 42, 52, 64)),
    FaultSeries("bowl", "behind", "W8", "head_away", (16, 30, 44, 58)),
    FaultSeries("keep", "front", "K3", "head_bob", (8, 11, 15, 20)),
    FaultSeries("keep", "front", "K4", "hands_apart", (0.4, 0.8, 1.1, 1.4)),
    FaultSeries("keep", "side", "K5", "hard_hands", (7, 8.5, 10, 11.5)),
    FaultSeries("throw", "side", "F1", "upright", (30, 36, 42, 48)),
    FaultSeries("throw", "side", "F3", "high_pick_up", (0.22, 0.28, 0.34, 0.40)),
    FaultSeries("throw", "side", "F4", "slow_release", (0.5, 0.7, 0.9, 1.1)),
    FaultSeries("throw", "front", "F5", "elbow_lower", (36, 50, 64, 78)),
    FaultSeries("catch", "front", "F7", "head_bob", (8, 11, 15, 20)),
    FaultSeries("catch", "side", "F7G", "hard_hands", (8, 10, 12, 14)),
)
"""Every fault that a judged metric can show, alone, at sizes from the edge of the band outwards."""

PLAYERS_PER_FAULT = 4
"""Half of them show the first and third size, half the second and fourth."""


def _faulty() -> Iterator[list[Condition]]:
    for fault in FAULTS:
        yield [
            Condition(
                f"{fault.motion} {fault.view} {fault.name} {size:g} player {number}",
                "fault",
                _half(number),
                fault.motion,
                _camera_side(fault.view, number),
                player_choices(fault.motion, fault.view, 100 + number, plain=True) | _longer(fault, size),
                {fault.name: size},
                size=size / abs(fault.sizes[-1]),
            )
            for step in range(2)
            for number in range(PLAYERS_PER_FAULT)
            for size in fault.sizes[number // 2 % 2 + 2 * step :: 4]
        ]


def _longer(fault: FaultSeries, size: float) -> dict[str, float]:
    """A release that comes later needs a longer clip."""
    first, last = SHOWN_S[fault.motion]
    return {"seconds": round(last - first + 1.2 * size, 2)} if fault.name == "slow_release" else {}


# ------------------------------------------------------------------------------------------- scenes, strangers, ways of recording


def _scenes() -> Iterator[list[Condition]]:
    for name, motion, view, choices in SCENES:
        yield [
            Condition(
                f"{motion} {view}, {name}", "scene", "held out", motion, view, player_choices(motion, view, 300, plain=True) | choices
            )
        ]


def _strangers() -> Iterator[list[Condition]]:
    for name, motion, view, choices in STRANGERS:
        yield [Condition(f"{name}, told {MODE_OF[motion]}", "stranger", "held out", motion, view, STRANGERS_PICTURE | choices)]


STRANGERS_PICTURE: dict[str, Any] = {"width": 480, "height": 270, "fps": 30, "seconds": 2.5}


RECORDINGS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "29.97 a second": {"fps": Fraction(30000, 1001)},
    "25 a second": {"fps": 25},
    "60 a second": {"fps": 60},
    "120 a second": {"fps": 120},
    "half the size": {"width": 320, "height": 180},
    "twice the size": {"width": 1280, "height": 720},
    "VP9": {"codec": "vp9"},
    "HEVC": {"codec": "hevc"},
    "stored turned": {"rotation": 90},
    "mirrored": {"mirror": True},
}
"""One scene, recorded in several ways. A letterbox, a variable rate and the number of workers are made in the tests themselves."""


def _recordings() -> Iterator[list[Condition]]:
    for motion in ("drive", "bowl"):
        plain = {"width": 640, "height": 360, "fps": 30, "variation": 11}
        yield [
            Condition(f"{motion} side, {name}", "recording", "held out", motion, "side", {**plain, **choices}, _recorded_fault(motion))
            for name, choices in RECORDINGS.items()
        ]


def _recorded_fault(motion: str) -> dict[str, float]:
    return {"knee_collapse": 62.0} if motion == "drive" else {}
