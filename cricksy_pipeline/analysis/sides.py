"""The player's own sides against the game: which is the front side, the bowling arm, the off side, and where the other end of the pitch is.

Belongs here: those answers, each with how sure it is, from one track and the times of events. Mirroring the picture and exchanging left and
right gives the other side with the same confidence. Does not belong here: when the events are (`deliveries`), where the camera stood
(`view`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.heading import HEAD_IN_RUN_UP_SIGMA_DEG, Heading, apart_deg, chest, faces, looks, mean_heading, runs
from cricksy_pipeline.analysis.kinematics import Track

OPEN_CHEST_DEG = 11.0
"""A batter's shoulders and hips in the stance are open by so much: they point past the bowler towards the leg side. Measured on 34 rendered
stances seen by BlazePose (8 for the shoulders, 12 for the hips; standard deviation 8); real stances differ, so it stays a house default."""

STANCE_SIGMA_DEG = 9.0

LOOK_ALONG, LOOK_SIGMA = 0.38, 0.25
"""Cosine between where a batter looks in the last half second before contact and the end of his line where the bowler is; its standard
deviation. Rendered strokes seen by BlazePose from all round: 0.38 and 0.19 (22 of 22 above 0), opened to 0.25 because real ones may differ.
In the stance before, the look says less: 0.25, once below 0."""

STRIDE_ACROSS, STRIDE_ACROSS_SIGMA = 0.25, 0.12
"""Body heights that the hips go across the picture from stance to contact of a front-foot stroke that is seen from the side."""

STRIDE_DOWN, STRIDE_DOWN_MIDDLE, STRIDE_DOWN_SIGMA = 0.030, 0.022, 0.025
"""Body heights by which the lower foot comes down in the picture from stance to contact: 0.053 +- 0.013 towards the camera, -0.008 +- 0.014
away from it (middle and half the difference here), cameras at a phone's height. A camera on the ground sees nothing of it."""

MOST_OF_ONE = 6.0
"""No single cue speaks with more than this log odds (400 to 1): a landmark may be wrong all along."""

SURE = 0.975
"""A side that is less probable than this is not told: its sign would be wrong too often."""
BEFORE_S = (1.2, 0.5)
"""The stretch before contact, release or take in which a body shows where the game is: in stance or run-up, not yet in the deed."""

RUN_UP_S = (1.0, 0.2)
"""The stretch before release over which a bowler's way is measured: long enough to be a way, over before the trunk bends."""

SIGN_SIGMAS = 1.96
"""A direction must lie so many standard deviations off the line of sight before left or right of the picture is said of it (97.5 %)."""

ALONG_DEG = 72.0
"""Nearer to the line of sight than this, left and right of the picture say nothing about the two ends of the pitch."""


@dataclass(frozen=True)
class Side:
    """A side of the player with the probability that it is right, 0.5 to 1."""

    name: str
    confidence: float


@dataclass(frozen=True)
class Play:
    """Where the game is, seen by a player.

    Attributes:
        heading: from him to the other end of the pitch (batting, keeping), along his run-up (bowling), to where he looks (fielding).
        front: his side nearer to that; batting only. The line through shoulders and hips lies along the pitch in the stance; which of its
            ends is the bowler's, the look and the stride say.
    """

    heading: Heading
    front: Side | None = None

    @property
    def sure(self) -> bool:
        """Whether it is told at which end of the line the bowler is (`SURE`); where not, `heading` may be off by half a turn."""
        return self.front is None or self.front.confidence >= SURE

    @property
    def toward(self) -> int:
        """+1: the other end lies to the right of the picture, -1: to the left, 0: along the line of sight or unsure."""
        if not self.sure:
            return 0
        off = abs(apart_deg(self.heading.deg, 90.0 if self.heading.nearer > 0 else 270.0))
        if 90 - off > ALONG_DEG:
            return 0
        return int(np.sign(self.heading.right))


def play(track: Track, mode: AnalysisMode, event_s: float, height_px: float) -> Play | None:
    """Where the game is at one delivery; None where the body does not show it.

    Args:
        track: the track that holds the delivery.
        mode: what was filmed.
        event_s: contact, release or take.
        height_px: the player's height.
    """
    if mode is AnalysisMode.BOWLING:
        return _from_run_up(track, event_s, height_px)
    for start, end in ((event_s - BEFORE_S[0], event_s - BEFORE_S[1]), (event_s - BEFORE_S[1], event_s)):
        if mode is AnalysisMode.BATTING:
            found = _from_stance(track, start, end, event_s, height_px)
        else:
            body = faces(track, start, end)
            found = None if body is None else Play(body.undrawn())
        if found is not None:
            return found
    return None


def off_side(track: Track, event_s: float, height_px: float) -> tuple[int, float] | None:
    """(sign, confidence): +1 where the off side lies to the right of the picture, -1 to the left; None side-on, where it lies along the
    line of sight.

    A batter's chest looks to the off side in his stance, whichever hand he is and from wherever he is seen; how far it is open to the leg
    side (`OPEN_CHEST_DEG`) turns it one way or the other and counts as an error here. None too where the sign is less than 97.5 % sure.
    """
    for start, end in ((event_s - BEFORE_S[0], event_s - BEFORE_S[1]), (event_s - BEFORE_S[1], event_s)):
        body = chest(track, start, end)
        if body is not None:
            return _sideways(Heading(body.deg, float(np.hypot(body.sigma_deg, OPEN_CHEST_DEG))))
    return None


def bowling_front(track: Track, front_contact_s: float, arm: str, toward: int, height_px: float) -> Side:
    """The foot that lands nearer the batter: the one further along the run-up at `front_contact_s`; else the foot opposite the arm.

    Args:
        front_contact_s: front-foot contact, or 0.05 s before release where it is not known.
        arm: the bowling arm. toward: +1 where the run-up goes to the right of the picture, -1 to the left, 0 along the sight.
    """
    opposite = "right" if arm == "left" else "left"
    gap = float((track.point("left_ankle") - track.point("right_ankle"))[track.index_at(front_contact_s), 0]) / height_px
    if toward and np.isfinite(gap) and abs(gap) > 0.1:
        return Side("left" if gap * toward > 0 else "right", _surely(abs(gap) / 0.06))
    return Side(opposite, 0.9)


def away_from_arm(track: Track, release_s: float, arm: str, height_px: float) -> tuple[int, float] | None:
    """(sign, confidence): +1 where the side away from the bowling arm lies to the right of the picture; None side-on, where it lies along
    the sight."""
    found = play(track, AnalysisMode.BOWLING, release_s, height_px)
    if found is None:
        return None
    # With the run to the right of the picture a player's left side lies away from the camera, a quarter turn back.
    return _sideways(found.heading.turned(-90.0 if arm == "right" else 90.0))


def _from_run_up(track: Track, release_s: float, height_px: float) -> Play | None:
    """From where the hips travel and the head looks; the chest turns away in the gather. Not seen so early: from the last half second."""
    for start, end in ((release_s - RUN_UP_S[0], release_s - RUN_UP_S[1]), (release_s - 0.5, release_s)):
        ran, look = runs(track, start, end, height_px), looks(track, start, end)
        known = [] if ran is None else [ran]
        if look is not None:
            known.append(Heading(look.undrawn().deg, HEAD_IN_RUN_UP_SIGMA_DEG))
        heading = mean_heading(known, shared=0.3)
        if heading is not None:
            return Play(heading)
    return None


def _from_stance(track: Track, start_s: float, end_s: float, event_s: float, height_px: float) -> Play | None:
    body = chest(track, start_s, end_s)
    if body is None:
        return None
    left = body.turned(-90.0)
    odds = _left_leads(track, left, event_s, height_px)
    if odds == 0:
        return None
    leads = 1 if odds > 0 else -1
    heading = Heading(
        (left.deg + (0 if leads > 0 else 180) + leads * OPEN_CHEST_DEG) % 360, float(np.hypot(body.sigma_deg, STANCE_SIGMA_DEG / 2))
    )
    return Play(heading, Side("left" if leads > 0 else "right", float(1 / (1 + np.exp(-abs(odds))))))


def _left_leads(track: Track, left: Heading, event_s: float, height_px: float) -> float:
    """Log odds that the left side of a batter, which points to `left`, is the one nearer the bowler: from where he looks as he hits, and
    from his stride, across the picture and down it. Each cue is normal about its mean at either end, with the same error at both."""
    look = looks(track, event_s - BEFORE_S[1], event_s)
    odds = 0.0
    if look is not None:
        odds += _odds(float(np.cos(np.radians(apart_deg(look.deg, left.deg)))), LOOK_ALONG, LOOK_SIGMA)
    stance, contact = track.span(event_s - 1.0, event_s - 0.6), track.span(event_s - 0.05, event_s + 0.05)
    if track.t_s[0] > event_s - 0.7:
        return odds
    feet = [track.steady(f"{side}_ankle")[:, 1] for side in ("left", "right")]
    across, down = (
        float(np.median(path[contact]) - np.median(path[stance])) / height_px for path in (track.steady("hip")[:, 0], np.maximum(*feet))
    )
    if np.isfinite(across):
        odds += _odds(across, STRIDE_ACROSS * left.right, STRIDE_ACROSS_SIGMA)
    if np.isfinite(down):
        odds += _odds(down - STRIDE_DOWN_MIDDLE, STRIDE_DOWN * left.nearer, STRIDE_DOWN_SIGMA)
    return odds


def _odds(seen: float, mean: float, sigma: float) -> float:
    """Log odds of a mean of `mean` over one of `-mean`."""
    return float(np.clip(2 * mean * seen / sigma**2, -MOST_OF_ONE, MOST_OF_ONE))


def _sideways(heading: Heading) -> tuple[int, float] | None:
    """Sign of a heading across the picture and how sure it is; None where it is wrong once in forty times or more."""
    across = np.degrees(np.arcsin(np.clip(heading.right, -1, 1)))
    if abs(across) < SIGN_SIGMAS * heading.sigma_deg:
        return None
    return int(np.sign(across)), _surely(float(abs(across)) / heading.sigma_deg)


def _surely(sigmas: float) -> float:
    """Probability that something so many standard deviations from the border is on this side of it."""
    return 0.5 * (1 + erf(sigmas / sqrt(2)))
