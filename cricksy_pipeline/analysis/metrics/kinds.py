"""Telling kinds of ball apart, with a probability: front-foot and back-foot shots, pace and spin.

Belongs here: those two distinctions, for one ball and for all of a clip. Does not belong here: their thresholds ([kinds] of
catalogue.toml), which band follows (`catalogue.Entry`).

Where it cannot be told, the wide band stays: a front-foot band must not judge a cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.metrics.ball import Ball, NotRead
from cricksy_pipeline.analysis.metrics.bowling import approach_speed
from cricksy_pipeline.analysis.metrics.catalogue import Kinds, catalogue
from cricksy_pipeline.analysis.metrics.series import stood_before_stride
from cricksy_pipeline.analysis.metrics.uncertainty import normal_below


@dataclass(frozen=True)
class Told:
    """What kind a ball is.

    Attributes:
        kind: a name of [kinds]; None where it is not sure enough.
        probability: of the kind `Kinds.above`; None where nothing could be read.
    """

    kind: str | None
    probability: float | None


NOT_TOLD = Told(None, None)


def shot_of(ball: Ball) -> Told:
    """Front-foot or back-foot shot, from how far both feet moved towards the bowler; told from the side only."""
    if ball.lacks("contact", "front", "play") or ball.view.name != "side":
        return NOT_TOLD
    at = ball.track.index_at(ball.found.events["contact"].t_s)
    moved = [(ball.ground(foot)[at] - stood_before_stride(ball, foot))[0] for foot in ("front_ankle", "back_ankle")]
    return _told(sum(moved) * ball.found.toward / ball.height_px, 2 * ball.noise_px / ball.height_px, catalogue().kinds["shot"])


def pace_of(ball: Ball) -> Told:
    """Pace or spin, from the speed of the approach; told from the side only, and only where the speed of the file is known."""
    speed = approach_speed(ball) if ball.view.name == "side" else NotRead("VIEW")
    if isinstance(speed, NotRead):
        return NOT_TOLD
    sigma = float(np.hypot(speed.sigma_keypoint, speed.sigma_scale))
    return _told(speed.value, sigma, catalogue().kinds["pace"])


def of_all(told: Sequence[Told]) -> str | None:
    """The kind of all balls together: none says otherwise, and at least half say it; None: mixed, or not told."""
    kinds = [one.kind for one in told if one.kind]
    return kinds[0] if kinds and len(set(kinds)) == 1 and 2 * len(kinds) >= len(told) else None


def _told(value: float, sigma: float, kinds: Kinds) -> Told:
    if not np.isfinite(value):
        return NOT_TOLD
    above = normal_below((value - kinds.between) / float(np.hypot(kinds.sigma, sigma)))
    name = kinds.above if above >= kinds.told_at else kinds.below if 1 - above >= kinds.told_at else None
    return Told(name, above)
