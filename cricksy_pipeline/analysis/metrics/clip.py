"""What is known of a clip before any metric is read: its deliveries, the camera view, the rate of its pictures.

Belongs here: putting those together and leaving out deliveries that no body can have made. Does not belong here: the metrics.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cricksy_pipeline.analysis.deliveries import candidate_windows, find_deliveries
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.events import FoundDelivery
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, effective_rate_hz, joint_angle_deg, velocity
from cricksy_pipeline.analysis.landmarks import BURST, Landmarks
from cricksy_pipeline.analysis.metrics.ball import Ball
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.quality import LIMITS, Quality, quality_of
from cricksy_pipeline.analysis.view import CameraView, combine_views, estimate_view

ANCHOR = {
    AnalysisMode.BATTING: ("contact",),
    AnalysisMode.BOWLING: ("release",),
    AnalysisMode.WICKETKEEPING: ("take",),
    AnalysisMode.FIELDING: ("release", "take"),
}
"""The events of which every delivery of a mode has one."""

IN_ORDER = {
    AnalysisMode.BATTING: ("top_of_backlift", "contact"),
    AnalysisMode.BOWLING: ("back_foot_contact", "front_foot_contact", "release"),
    AnalysisMode.WICKETKEEPING: ("set", "take"),
    AnalysisMode.FIELDING: ("pick_up", "front_foot_contact", "release"),
}
"""Events that come in this order in every delivery of a mode. A foot may land, and hips may rise, before or after what they go with."""

KNEE_MODES, LEAST_KNEE_DEG = (AnalysisMode.BATTING, AnalysisMode.BOWLING), 60.0
"""cricket-metrics 3.3.11. Keepers and fielders do crouch further."""


@dataclass(frozen=True)
class Clip:
    """What is known of a clip before any metric is read.

    Attributes:
        balls: the deliveries used, in time order.
        excluded: deliveries in which the tracked body moved as no body can.
        excluded_by: the same by reason (`implausible`).
        view: the camera view over the balls.
        rate_hz: frames a second where the sampling is densest.
        grid_hz: frames a second of the grid between bursts.
        moved: whether anything on the grid looked like a delivery.
        coverage: share of the grid's frames in which the player was found; None without frames.
        height_px: the player's height; None when never seen.
        quality: what the pictures around the deliveries were like, excluded ones too.
    """

    mode: AnalysisMode
    balls: list[Ball]
    excluded: int
    excluded_by: dict[str, int]
    view: CameraView
    rate_hz: float
    grid_hz: float
    moved: bool
    coverage: float | None
    height_px: float | None
    quality: Quality


def look(landmarks: Landmarks, dense: list[Track], mode: AnalysisMode) -> Clip:
    """Find the deliveries of a clip and what they were filmed like. `dense`: the tracks of `landmarks`."""
    grid = landmarks.select(landmarks.source != BURST)
    grid = grid if len(grid) >= 2 else landmarks
    found = find_deliveries(landmarks, mode, smooth=dense)
    views = [estimate_view(d.track, mode=mode, event_s=_anchor(d, mode), height_px=d.height_px) for d in found]
    reasons = [implausible(delivery, mode, view) for delivery, view in zip(found, views, strict=True)]
    sound = [(delivery, view) for delivery, view, reason in zip(found, views, reasons, strict=True) if reason is None]
    seen = landmarks.xy[landmarks.found].astype(float)
    size = body_height_px(seen) if len(seen) else float("nan")
    return Clip(
        mode=mode,
        balls=[Ball(number, delivery, view) for number, (delivery, view) in enumerate(sound, start=1)],
        excluded=len(found) - len(sound),
        excluded_by=dict(Counter(reason for reason in reasons if reason is not None)),
        view=combine_views([view for _, view in sound]),
        quality=quality_of(found, landmarks.height),
        rate_hz=max([track.rate_hz for track in dense], default=effective_rate_hz(landmarks.t_s)),
        grid_hz=effective_rate_hz(grid.t_s),
        moved=bool(candidate_windows(grid, mode)),
        coverage=float(grid.found.mean()) if len(grid) else None,
        height_px=size if np.isfinite(size) else None,
    )


def _anchor(delivery: FoundDelivery, mode: AnalysisMode) -> float:
    return next(delivery.events[name].t_s for name in ANCHOR[mode] if name in delivery.events)


def implausible(delivery: FoundDelivery, mode: AnalysisMode, view: CameraView) -> str | None:
    """Why the tracked body cannot have made this delivery; None where it can (cricket-metrics 3.3.11).

    JITTER: tracking that is mostly noise. BONES: bones that change their length. EVENT_ORDER: events in an order that no delivery has.
    HIP_SPEED, WRIST_SPEED: faster than a body. KNEE: seen from the side, a front knee folded to less than 60 degrees at the moment itself.
    """
    gates, track = catalogue().gates, delivery.track
    if not track.jitter_px <= gates["max_jitter"] * delivery.height_px:
        return "JITTER"
    if track.bone_variation is not None and track.bone_variation > LIMITS.bone_variation:
        return "BONES"
    times = [delivery.events[name].t_s for name in IN_ORDER[mode] if name in delivery.events]
    if any(after <= before for before, after in pairwise(times)):
        return "EVENT_ORDER"
    if _fastest(delivery, track.steady("hip")) > gates["max_hip_speed"]:
        return "HIP_SPEED"
    if any(_fastest(delivery, track.steady(f"{side}_wrist")) > gates["max_wrist_speed"] for side in ("left", "right")):
        return "WRIST_SPEED"
    return "KNEE" if mode in KNEE_MODES and view.name == "side" and _front_knee_folded(delivery, mode) else None


def _fastest(delivery: FoundDelivery, point: np.ndarray) -> float:
    """Body heights a second, 99th percentile over the delivery; 0 where it was not seen, or the camera's movement is not known."""
    track = delivery.track
    speed = np.linalg.norm(velocity(track.t_s, point), axis=-1)[track.span(delivery.start_s, delivery.end_s)] / delivery.height_px
    return float(np.nanpercentile(speed, 99)) if np.isfinite(speed).any() else 0.0


def _front_knee_folded(delivery: FoundDelivery, mode: AnalysisMode) -> bool:
    if delivery.front is None:
        return False
    at, side = delivery.track.index_at(_anchor(delivery, mode)), delivery.front
    angle = joint_angle_deg(*(delivery.track.point(f"{side}_{part}")[at] for part in ("hip", "knee", "ankle")))
    return bool(angle < LEAST_KNEE_DEG)
