"""Where the deliveries are in a clip, and what happened when in each.

Belongs here: the search for candidate windows on the sparse grid (which stretches deserve decoding at the native rate), and the
assembly of deliveries with their events from the dense stretches. Does not belong here: how an event is told from the movement
(`strokes`, `overarm`, `takes`, `fielding`) or from sound (`contact_sound`), the thresholds (`delivery_settings`), or anything measured at
an event (`metrics`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cricksy_pipeline.analysis.contact_sound import with_sound
from cricksy_pipeline.analysis.delivery_settings import SETTINGS, DeliverySettings
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.events import FoundDelivery
from cricksy_pipeline.analysis.fielding import find_fielding
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, tracks, velocity_on_timestamps
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.medians import medians_of_three
from cricksy_pipeline.analysis.overarm import find_bowling
from cricksy_pipeline.analysis.recording import Onsets, Recording
from cricksy_pipeline.analysis.strokes import find_batting
from cricksy_pipeline.analysis.takes import find_keeping

__all__ = ["FoundDelivery", "candidate_windows", "find_deliveries"]


def candidate_windows(
    landmarks_grid: Landmarks, mode: AnalysisMode, settings: DeliverySettings = SETTINGS, recording: Recording | None = None
) -> list[tuple[float, float]]:
    """Stretches of a clip that may hold a delivery, best first: [(start_s, end_s)] on the clock of the landmarks.

    Lenient on purpose: what is missed here is never seen again, what is caught wrongly costs some decoding. Windows do not overlap,
    lie inside the sampled time, and are bounded in number and total length (`max_windows`, `max_window_total_s`). A clip no longer
    than `whole_clip_s` is one window, or none when nothing in it moves like a delivery. Nothing is compared across a cut.

    Args:
        landmarks_grid: the deep pass's grid (about 10 frames a second); any rate works.
        mode: what was filmed.
        recording: the recording, where the landmarks are on the file's clock: movement is judged at the speed of life, which is
            recognised in it where nobody said it. None: the landmarks' clock is life's.
    """
    seen = landmarks_grid.found
    t_s, xy, shot_of = landmarks_grid.t_s[seen], landmarks_grid.xy[seen], landmarks_grid.shot[seen]
    if len(t_s) < 3:
        return []
    factor = 1.0 if recording is None else _recognised(landmarks_grid, mode, recording).life_factor
    life_s = t_s / factor
    interest = np.zeros(len(t_s))
    for shot in np.split(np.arange(len(t_s)), np.flatnonzero(np.diff(shot_of)) + 1):
        if len(shot) >= 3:
            interest[shot] = _INTEREST[mode](life_s[shot], xy[shot].astype(float), settings)
    if not (interest > 0).any():
        return []
    first, last = float(landmarks_grid.t_s[0]), float(landmarks_grid.t_s[-1])
    if last - first <= settings.whole_clip_s:
        return [(first, last)]
    reach_s = settings.candidate_before_s[mode.value], settings.candidate_after_s[mode.value]
    around = _merged(life_s, interest, first / factor, last / factor, reach_s, settings)
    return _bounded([(start * factor, end * factor, value) for start, end, value in around], settings)


def _recognised(landmarks: Landmarks, mode: AnalysisMode, recording: Recording) -> Recording:
    from cricksy_pipeline.analysis.slow_motion import recognise_speed  # it finds deliveries itself

    return recognise_speed(landmarks, mode, recording, sparse=True)


def _merged(
    t_s: np.ndarray, interest: np.ndarray, first: float, last: float, reach_s: tuple[float, float], settings: DeliverySettings
) -> list[tuple[float, float, float]]:
    """[(start, end, interest)] around each peak of interest, `reach_s` before and after it, overlapping ones joined."""
    before_s, after_s = reach_s
    windows: list[tuple[float, float, float]] = []
    for i in np.argsort(-interest, kind="stable"):
        if interest[i] <= 0 or len(windows) >= 4 * settings.max_windows:
            break
        if all(abs(t_s[i] - (start + before_s)) > settings.merge_within_s for start, _, _ in windows):
            windows.append((t_s[i] - before_s, t_s[i] + after_s, float(interest[i])))
    joined: list[tuple[float, float, float]] = []
    for start, end, value in sorted(windows):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]), max(value, joined[-1][2]))
        else:
            joined.append((start, end, value))
    return [(max(first, float(start)), min(last, float(end)), value) for start, end, value in joined]


def _bounded(windows: list[tuple[float, float, float]], settings: DeliverySettings) -> list[tuple[float, float]]:
    chosen: list[tuple[float, float]] = []
    left = settings.max_window_total_s
    for start, end, _ in sorted(windows, key=lambda window: (-window[2], window[0]))[: settings.max_windows]:
        if end - start <= 0 or left <= 0:
            continue
        end = min(end, start + left)
        chosen.append((start, end))
        left -= end - start
    return chosen


def _interest_batting(t: np.ndarray, xy: np.ndarray, settings: DeliverySettings) -> np.ndarray:
    return _hands_together(t, xy, settings.candidate_hand_speed, settings)


def _interest_keeping(t: np.ndarray, xy: np.ndarray, settings: DeliverySettings) -> np.ndarray:
    """The hands' speed, or that of hips that leave a crouch: seen from the front the gloves come towards the camera and hardly move."""
    return np.maximum(_hands_together(t, xy, settings.candidate_keeping_speed, settings), _rising(t, xy, settings))


def _hands_together(t: np.ndarray, xy: np.ndarray, least_speed: float, settings: DeliverySettings) -> np.ndarray:
    """Speed of both hands together against the hips, where they are together (on a bat, in gloves) and at least so fast."""
    size = body_height_px(xy)
    left, right = xy[:, INDEX["left_wrist"]], xy[:, INDEX["right_wrist"]]
    speed = np.linalg.norm(velocity_on_timestamps(t, (left + right) / 2 - _hips(xy)), axis=-1) / size
    together = np.linalg.norm(left - right, axis=-1) / size <= settings.candidate_hands_apart
    return np.where(together & (speed >= least_speed), speed, 0)


def _rising(t: np.ndarray, xy: np.ndarray, settings: DeliverySettings) -> np.ndarray:
    """Mean speed of the hips' rise over the feet within the last `candidate_rise_s`, where they rise by at least `candidate_rise`."""
    size = body_height_px(xy)
    height = ((xy[:, INDEX["left_ankle"]] + xy[:, INDEX["right_ankle"]]) / 2 - _hips(xy))[:, 1] / size
    since = np.searchsorted(t, t - settings.candidate_rise_s)
    rise = np.array([height[i] - height[first : i + 1].min() for i, first in enumerate(since)])
    return np.where(rise >= settings.candidate_rise, rise / settings.candidate_rise_s, 0)


def _interest_bowling(t: np.ndarray, xy: np.ndarray, settings: DeliverySettings) -> np.ndarray:
    """A fast arm about or over the head of a player who travels."""
    size = body_height_px(xy)
    interest = np.zeros(len(t))
    travel = _travel(t, xy, size)
    for side in ("left", "right"):
        wrist, shoulder = xy[:, INDEX[f"{side}_wrist"]], xy[:, INDEX[f"{side}_shoulder"]]
        speed = np.linalg.norm(velocity_on_timestamps(t, wrist - _hips(xy)), axis=-1) / size
        over = (shoulder[:, 1] - wrist[:, 1]) / size
        near = np.maximum(over, np.maximum(np.roll(over, 1), np.roll(over, -1)))  # at 10 Hz the arm may be up in one picture only
        good = (near >= settings.candidate_arm_over_shoulder) & (speed >= settings.candidate_arm_speed)
        interest = np.maximum(interest, np.where(good & (travel >= settings.candidate_hip_travel), speed, 0))
    return interest


def _interest_fielding(t: np.ndarray, xy: np.ndarray, settings: DeliverySettings) -> np.ndarray:
    """Speed of the faster hand against the hips: catches, pick-ups and throws."""
    size = body_height_px(xy)
    wrists = (xy[:, INDEX["left_wrist"]], xy[:, INDEX["right_wrist"]])
    speed = np.max([np.linalg.norm(velocity_on_timestamps(t, wrist - _hips(xy)), axis=-1) for wrist in wrists], axis=0) / size
    return np.where(speed >= settings.candidate_field_speed, speed, 0)


def _hips(xy: np.ndarray) -> np.ndarray:
    return (xy[:, INDEX["left_hip"]] + xy[:, INDEX["right_hip"]]) / 2


def _travel(t: np.ndarray, xy: np.ndarray, size: float, before_s: float = 1.5) -> np.ndarray:
    """(n,) largest distance of the hips from where they are now, within the last `before_s`, in body heights.

    Along the pitch the player hardly moves in the picture but grows or shrinks: the change of trunk length counts as travel too,
    because at the usual 8 to 20 m a tenth of growth is about a body height of ground.
    """
    hips = _hips(xy)
    trunk = np.linalg.norm((xy[:, INDEX["left_shoulder"]] + xy[:, INDEX["right_shoulder"]]) / 2 - hips, axis=-1)
    looks = medians_of_three(trunk)
    moved = np.zeros(len(t))
    for i, first in enumerate(np.searchsorted(t, t - before_s)):
        grown = abs(np.log(looks[i - 2] / looks[first])) * 10 if i - first >= 5 else 0.0
        moved[i] = max(np.linalg.norm(hips[first : i + 1] - hips[i], axis=-1).max() / size, min(grown, 1.0) * 0.5)
    return moved


_INTEREST = {
    AnalysisMode.BATTING: _interest_batting,
    AnalysisMode.BOWLING: _interest_bowling,
    AnalysisMode.WICKETKEEPING: _interest_keeping,
    AnalysisMode.FIELDING: _interest_fielding,
}


FINDERS: dict[AnalysisMode, Callable[[Track, DeliverySettings], list[FoundDelivery]]] = {
    AnalysisMode.BATTING: find_batting,
    AnalysisMode.BOWLING: find_bowling,
    AnalysisMode.WICKETKEEPING: find_keeping,
    AnalysisMode.FIELDING: find_fielding,
}
"""How the deliveries of each mode are found in one track."""


def find_deliveries(
    landmarks_all: Landmarks,
    mode: AnalysisMode,
    settings: DeliverySettings = SETTINGS,
    *,
    smooth: list[Track] | None = None,
    recording: Recording | None = None,
) -> list[FoundDelivery]:
    """Every delivery in the stretches sampled at 25 frames a second or faster, in time order.

    A stretch without the movement that marks a delivery gives none: no event is ever guessed.

    Args:
        landmarks_all: grid and bursts together, on life's clock (`recording.to_life`).
        mode: what was filmed.
        smooth: the tracks of `landmarks_all`, when the caller has them already.
        recording: what is heard in it refines the contacts; None: nothing is.
    """
    dense = tracks(landmarks_all, min_rate_hz=settings.min_rate_hz) if smooth is None else smooth
    found = sorted((delivery for track in dense for delivery in FINDERS[mode](track, settings)), key=lambda delivery: delivery.start_s)
    if recording is None or recording.onsets is None or not recording.timed:
        return found
    onsets = Onsets(recording.onsets.t_s / recording.life_factor, recording.onsets.strength)
    return [with_sound(delivery, onsets, settings) for delivery in found]
