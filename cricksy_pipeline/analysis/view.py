"""Where the camera stood, read from the player's own body around one delivery.

Belongs here: the angle of the camera off side-on (0: square to the line of play; 90: along it), its uncertainty, and the name
that coaches use for it. Does not belong here: which view a metric needs (`metrics/catalogue.toml`).

No single sign is reliable from one camera, so three are combined (cricket-metrics 3.6): where the player looks (he watches the
other end of the pitch), how wide his shoulders appear against his trunk at the moment when their true direction is known, and, in
bowling, how fast he crosses the picture. The numbers are house defaults, uncalibrated, and stated as +-15 degrees each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.kinematics import Track, velocity
from cricksy_pipeline.analysis.landmarks import INDEX

SIDE_BELOW_DEG, ALONG_ABOVE_DEG = 30.0, 58.0
CUE_SIGMA_DEG = 15.0
EARS_APART_M, NOSE_BEFORE_EARS_M = 0.152, 0.126
SHOULDERS_PER_TRUNK = 0.80
"""Shoulder width over trunk length when both lie in the picture plane, adult proportions."""


@dataclass(frozen=True)
class CameraView:
    """The camera's place.

    Attributes:
        name: "side", "quarter", "front" (the player looks towards the camera), "behind"; None when nothing told.
        off_side_deg: angle off side-on, 0 to 90; None when nothing told.
        sigma_deg: its standard deviation.
        confidence: share of that distribution inside the named range, 0 to 1.
    """

    name: str | None
    off_side_deg: float | None
    sigma_deg: float
    confidence: float


UNKNOWN = CameraView(None, None, 90.0, 0.0)


def estimate_view(track: Track, *, mode: AnalysisMode, event_s: float, height_px: float) -> CameraView:
    """The view at one delivery, from the second before `event_s` (contact, release or take)."""
    if track.t_s[0] > event_s - 0.15:
        return UNKNOWN
    cues = [_gaze(track, event_s)]
    if mode is AnalysisMode.BATTING:
        cues.append(_stance_shoulders(track, event_s))
    elif mode is AnalysisMode.BOWLING:
        cues += [_run_up_shoulders(track, event_s), _crossing(track, event_s, height_px)]
    angles = np.array([cue for cue in cues if cue is not None])
    if not len(angles):
        return UNKNOWN
    angle = float(np.mean(angles))
    sigma = float(np.hypot(CUE_SIGMA_DEG / len(angles) ** 0.5, np.std(angles) / len(angles) ** 0.5))
    name = "side" if angle <= SIDE_BELOW_DEG else "quarter" if angle < ALONG_ABOVE_DEG else _front_or_behind(track, event_s)
    return CameraView(name, angle, sigma, _share_within(angle, sigma))


def combine_views(views: list[CameraView]) -> CameraView:
    """One view for the clip: the commonest name, its deliveries' median angle. The camera is taken to stand still between balls."""
    known = [view for view in views if view.name is not None]
    if not known:
        return UNKNOWN
    names = [view.name for view in known]
    name = max(sorted(set(names)), key=names.count)
    same = [view for view in known if view.name == name]
    sigma = float(np.median([view.sigma_deg for view in same]))
    confidence = float(np.median([view.confidence for view in same])) * len(same) / len(known)
    return CameraView(name, float(np.median([view.off_side_deg for view in same])), sigma, confidence)


def faces_camera(track: Track, start_s: float, end_s: float) -> bool | None:
    """Whether the nose is nearer the camera than the ears; None when the depth does not say. Only the sign of z is used."""
    span = track.span(start_s, end_s)
    depth = track.z[span, INDEX["nose"]] - (track.z[span, INDEX["left_ear"]] + track.z[span, INDEX["right_ear"]]) / 2
    if not np.isfinite(depth).any() or (middle := float(np.nanmedian(depth))) == 0:
        return None
    return middle < 0


def _gaze(track: Track, event_s: float) -> float | None:
    """Ears wide and nose between them: along the line of sight. Nose far ahead of the ears: square to it."""
    span = track.span(event_s - 0.6, event_s)
    across = np.abs((track.point("nose") - track.middle("ear"))[span, 0]) / NOSE_BEFORE_EARS_M
    ears = np.abs((track.point("left_ear") - track.point("right_ear"))[span, 0]) / EARS_APART_M
    return _median_angle(ears, across)


def _stance_shoulders(track: Track, event_s: float) -> float | None:
    """A batter's shoulders point down the pitch before the downswing: wide from the side, narrow along it."""
    ratio = _shoulder_ratio(track, event_s - 1.0, event_s - 0.3)
    return None if ratio is None else float(np.degrees(np.arccos(min(1.0, ratio / SHOULDERS_PER_TRUNK))))


def _run_up_shoulders(track: Track, event_s: float) -> float | None:
    """A bowler's shoulders lie across the pitch in the run-up: narrow from the side, wide along it."""
    ratio = _shoulder_ratio(track, event_s - 1.2, event_s - 0.5)
    return None if ratio is None else float(np.degrees(np.arcsin(min(1.0, ratio / SHOULDERS_PER_TRUNK))))


def _shoulder_ratio(track: Track, start_s: float, end_s: float) -> float | None:
    if track.t_s[0] > end_s:
        return None
    span = track.span(start_s, end_s)
    shoulders = np.abs((track.point("left_shoulder") - track.point("right_shoulder"))[span, 0])
    trunk = np.linalg.norm(track.middle("shoulder") - track.middle("hip"), axis=-1)[span]
    ratio = shoulders / trunk
    return float(np.nanmedian(ratio)) if np.isfinite(ratio).any() else None


def _crossing(track: Track, event_s: float, height_px: float) -> float | None:
    """A run-up seen from the side crosses the picture at 1.5 body heights a second or more, along the pitch hardly at all."""
    if track.t_s[0] > event_s - 0.4:
        return None
    span = track.span(event_s - 1.0, event_s - 0.2)
    speed = np.abs(velocity(track.t_s, track.middle("hip"))[span, 0]) / height_px
    if not np.isfinite(speed).any():
        return None
    return float(np.interp(np.nanmedian(speed), [0.2, 1.5], [80.0, 10.0]))


def _median_angle(along: np.ndarray, across: np.ndarray) -> float | None:
    angle = np.degrees(np.arctan2(along, across))
    return float(np.nanmedian(angle)) if np.isfinite(angle).any() else None


def _front_or_behind(track: Track, event_s: float) -> str:
    return "behind" if faces_camera(track, event_s - 0.6, event_s) is False else "front"


def _share_within(angle: float, sigma: float) -> float:
    from math import erf

    low, high = (
        (-90.0, SIDE_BELOW_DEG)
        if angle <= SIDE_BELOW_DEG
        else (SIDE_BELOW_DEG, ALONG_ABOVE_DEG)
        if angle < ALONG_ABOVE_DEG
        else (ALONG_ABOVE_DEG, 180.0)
    )
    return 0.5 * (erf((high - angle) / sigma / 2**0.5) - erf((low - angle) / sigma / 2**0.5))
