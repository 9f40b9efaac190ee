"""Slow motion that nobody mentioned, recognised in the movement.

Belongs here: telling that a clip plays slower than life, and what is said of it. Does not belong here: what the file and the person say
(`recording`), the finders (`deliveries`).

A clip is called slow only where its movement is none of the sport at the speed at which it plays, and a whole delivery, every duration in
its middle range, at four or eight times that speed. It may also be a player who moves slowly: from the picture the two are the same, so no
time or speed is claimed either way, and whoever knows can say so. Twice slower than life lies inside what players differ by, and cannot be
told from the movement.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cricksy_pipeline.analysis.deliveries import find_deliveries
from cricksy_pipeline.analysis.delivery_settings import SETTINGS
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.events import FoundDelivery
from cricksy_pipeline.analysis.kinematics import Track, effective_rate_hz, tracks, velocity
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.recording import Recording

FACTORS = (4.0, 8.0)
"""What phones offer beside twice: 120 and 240 frames a second shown at 30."""

LEAST_GRID_HZ = 8.0
"""Eight times faster this is a dense look, and at normal speed it still shows the movement."""

PART_S, OVERLAP_S = 150.0, 30.0
"""Of the file, whose eightfold slow motion a delivery of three seconds fills for 24."""

_SEARCH = replace(SETTINGS, draws=0)
"""Only whether there is a delivery matters here, not how sure its times are."""


@dataclass(frozen=True)
class Duration:
    """Between two events of a delivery, in seconds of life: usual, and the range outside which it is not believed. House defaults from
    cricket-metrics 3.4, uncalibrated."""

    first: str
    second: str
    usual_s: float
    range_s: tuple[float, float]


WHOLE: dict[AnalysisMode, tuple[Duration, ...]] = {
    AnalysisMode.BATTING: (Duration("top_of_backlift", "contact", 0.36, (0.22, 0.60)),),
    AnalysisMode.BOWLING: (
        Duration("back_foot_contact", "front_foot_contact", 0.18, (0.10, 0.34)),
        Duration("front_foot_contact", "release", 0.12, (0.06, 0.25)),
    ),
    AnalysisMode.WICKETKEEPING: (Duration("set", "rise", 0.60, (0.15, 2.0)), Duration("rise", "take", 0.30, (0.15, 0.50))),
    AnalysisMode.FIELDING: (
        Duration("pick_up", "release", 0.75, (0.40, 1.30)),
        Duration("front_foot_contact", "release", 0.14, (0.06, 0.30)),
    ),
}
"""By mode, the durations that a delivery must show, all of them, to speak for a speed."""

HAND_SPEED: dict[AnalysisMode, tuple[float, float]] = {
    AnalysisMode.BATTING: (2.0, 8.0),
    AnalysisMode.BOWLING: (4.5, 16.0),
    AnalysisMode.WICKETKEEPING: (0.7, 5.0),
    AnalysisMode.FIELDING: (4.0, 16.0),
}
"""In body heights a second of life: the faster hand's peak in such a delivery; 28 m/s are more than any hand does (cricket-metrics 3.3)."""

HIP_TRAVEL: dict[AnalysisMode, tuple[float, float]] = {
    AnalysisMode.BATTING: (0.0, 0.10),
    AnalysisMode.BOWLING: (0.0, 0.30),
    AnalysisMode.WICKETKEEPING: (0.09, 0.50),
    AnalysisMode.FIELDING: (0.09, 0.50),
}
"""In body heights, up and down over the feet: a batter does not squat in the downswing, a keeper comes out of a crouch."""


def recognise_speed(
    landmarks: Landmarks, mode: AnalysisMode, recording: Recording, *, sparse: bool = False, smooth: list[Track] | None = None
) -> Recording:
    """The recording, its speed unknown where it was only assumed to be normal and the movement says otherwise.

    That no delivery shows at normal speed says something only where one could have shown: in landmarks sampled at 25 a second or faster.

    Args:
        landmarks: on the file's clock, grid or bursts or both.
        mode: what was filmed.
        recording: what the file and the person say; believed where they say something.
        sparse: the landmarks are a grid of about 10 a second, for a first guess at where to look closer.
        smooth: the tracks of `landmarks` at the speed at which they play, when the caller has them already.
    """
    mode = AnalysisMode(mode)
    if recording.speed_source != "assumed":
        return recording
    least_hz = LEAST_GRID_HZ if sparse else SETTINGS.min_rate_hz
    if effective_rate_hz(landmarks.t_s) < least_hz and not (smooth or tracks(landmarks, min_rate_hz=least_hz)):
        return recording
    parts = _parts(landmarks) if sparse else [landmarks]
    if any(find_deliveries(part, mode, _SEARCH, smooth=smooth) for part in parts):
        return recording
    fits = {factor: [_fit(replace(part, t_s=part.t_s / factor), mode) for part in parts] for factor in FACTORS}
    known = {factor: min(told) for factor, misfits in fits.items() if (told := [each for each in misfits if each is not None])}
    if not known:
        return recording
    likely = min(known, key=lambda factor: known[factor])
    return replace(recording, slow_motion=None, speed_source="unknown", likely=likely)


def speed_words(recording: Recording) -> str | None:
    """What is said of a speed that is not known, and how to make it known; None where it is known."""
    if recording.timed:
        return None
    if recording.likely == 1:
        return "The file plays faster than it was filmed, so no time or speed is given; film at normal speed."
    return (
        f"The movement looks about {recording.likely:g} times slower than life, and nothing in the file says why, so no time or speed is "
        f"given. If it was filmed in slow motion, say so: --slow-motion {recording.likely:g} (1 if the player moved so slowly)."
    )


def _parts(landmarks: Landmarks) -> list[Landmarks]:
    """A session in stretches that overlap by more than a delivery: one smoothed whole takes 50 MB a quarter of an hour, and the first
    ball mostly says all."""
    starts = np.arange(landmarks.t_s[0], max(landmarks.t_s[-1] - OVERLAP_S, landmarks.t_s[0] + 1e-9), PART_S - OVERLAP_S)
    return [landmarks.select((landmarks.t_s >= start) & (landmarks.t_s < start + PART_S)) for start in starts]


def _fit(life: Landmarks, mode: AnalysisMode) -> float | None:
    """How far the whole deliveries found at this speed are from usual, as a mean of logarithms; None without any."""
    misfits = [misfit for ball in find_deliveries(life, mode, _SEARCH) if (misfit := _misfit(ball, mode)) is not None]
    return min(misfits) if misfits else None


def _misfit(ball: FoundDelivery, mode: AnalysisMode) -> float | None:
    found = []
    for wanted in WHOLE[mode]:
        if wanted.first not in ball.events or wanted.second not in ball.events:
            return None
        lasts = ball.events[wanted.second].t_s - ball.events[wanted.first].t_s
        if not wanted.range_s[0] <= lasts <= wanted.range_s[1]:
            return None
        found.append(abs(np.log(lasts / wanted.usual_s)))
    for value, (low, high) in ((_hand_speed(ball), HAND_SPEED[mode]), (_hip_travel(ball, WHOLE[mode][0].first), HIP_TRAVEL[mode])):
        if not low <= value <= high:
            return None
    return float(np.mean(found))


def _hip_travel(ball: FoundDelivery, since: str) -> float:
    """How far the hips move up and down over the feet from an event to the end of the delivery's own events, in body heights."""
    track = ball.track
    last = max(event.t_s for event in ball.events.values())
    height = (track.middle("ankle") - track.middle("hip"))[track.span(ball.events[since].t_s, last), 1]
    return float(np.nanmax(height) - np.nanmin(height)) / ball.height_px if np.isfinite(height).any() else float("inf")


def _hand_speed(ball: FoundDelivery) -> float:
    track = ball.track
    span = track.span(ball.start_s, ball.end_s)

    def fastest(wrist: np.ndarray) -> float:
        speed = np.linalg.norm(velocity(track.t_s, wrist - track.middle("hip")), axis=-1)[span]
        return float(np.nanmax(speed)) / ball.height_px if np.isfinite(speed).any() else 0.0

    return max(fastest(track.point(f"{side}_wrist")) for side in ("left", "right"))
