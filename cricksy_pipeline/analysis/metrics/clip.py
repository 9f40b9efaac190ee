"""What is known of a clip before any metric is read: its deliveries, the camera view, the rate of its pictures.

Belongs here: putting those together and leaving out deliveries that no body can have made. Does not belong here: the metrics.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.deliveries import candidate_windows, find_deliveries
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.events import FoundDelivery
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, effective_rate_hz, velocity
from cricksy_pipeline.analysis.landmarks import BURST, Landmarks
from cricksy_pipeline.analysis.metrics.ball import Ball
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.view import CameraView, combine_views, estimate_view

ANCHOR = {
    AnalysisMode.BATTING: ("contact",),
    AnalysisMode.BOWLING: ("release",),
    AnalysisMode.WICKETKEEPING: ("take",),
    AnalysisMode.FIELDING: ("release", "take"),
}
"""The events of which every delivery of a mode has one."""


@dataclass(frozen=True)
class Clip:
    """What is known of a clip before any metric is read.

    Attributes:
        balls: the deliveries used, in time order.
        excluded: deliveries in which the tracked body moved as no body can.
        view: the camera view over the balls.
        rate_hz: frames a second where the sampling is densest.
        grid_hz: frames a second of the grid between bursts.
        moved: whether anything on the grid looked like a delivery.
        coverage: share of the grid's frames in which the player was found; None without frames.
        height_px: the player's height; None when never seen.
        deliveries: all found, excluded ones too.
    """

    mode: AnalysisMode
    balls: list[Ball]
    excluded: int
    view: CameraView
    rate_hz: float
    grid_hz: float
    moved: bool
    coverage: float | None
    height_px: float | None


def look(landmarks: Landmarks, dense: list[Track], mode: AnalysisMode) -> Clip:
    """Find the deliveries of a clip and what they were filmed like. `dense`: the tracks of `landmarks`."""
    grid = landmarks.select(landmarks.source != BURST)
    grid = grid if len(grid) >= 2 else landmarks
    found = find_deliveries(landmarks, mode, smooth=dense)
    sound = [delivery for delivery in found if _plausible(delivery)]
    views = [estimate_view(d.track, mode=mode, event_s=_anchor(d, mode), height_px=d.height_px) for d in sound]
    seen = landmarks.xy[landmarks.found].astype(float)
    size = body_height_px(seen) if len(seen) else float("nan")
    return Clip(
        mode=mode,
        balls=[Ball(i + 1, delivery, view) for i, (delivery, view) in enumerate(zip(sound, views, strict=True))],
        excluded=len(found) - len(sound),
        view=combine_views(views),
        rate_hz=max([track.rate_hz for track in dense], default=effective_rate_hz(landmarks.t_s)),
        grid_hz=effective_rate_hz(grid.t_s),
        moved=bool(candidate_windows(grid, mode)),
        coverage=float(grid.found.mean()) if len(grid) else None,
        height_px=size if np.isfinite(size) else None,
    )


def _anchor(delivery: FoundDelivery, mode: AnalysisMode) -> float:
    return next(delivery.events[name].t_s for name in ANCHOR[mode] if name in delivery.events)


def _plausible(delivery: FoundDelivery) -> bool:
    """Whether the tracked body moved as a body can (cricket-metrics 3.3.11)."""
    gates, track = catalogue().gates, delivery.track
    if not track.jitter_px <= gates["max_jitter"] * delivery.height_px:
        return False
    span = track.span(delivery.start_s, delivery.end_s)

    def fastest(point: np.ndarray) -> float:
        speed = np.linalg.norm(velocity(track.t_s, point), axis=-1)[span] / delivery.height_px
        return float(np.nanpercentile(speed, 99)) if np.isfinite(speed).any() else 0.0

    hip_ok = fastest(track.middle("hip")) <= gates["max_hip_speed"]
    return hip_ok and all(fastest(track.point(f"{side}_wrist")) <= gates["max_wrist_speed"] for side in ("left", "right"))
