"""Where the camera stood, read from the player's own body around one delivery.

Belongs here: the angle of the camera off side-on (0: square to the line of play; 90: along it), its uncertainty, the name that coaches use
for it, and to which side of the picture play goes. Does not belong here: which view a metric needs (`metrics/catalogue.toml`), how the
direction of play is read (`heading`, `sides`).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.heading import Heading, mean_heading
from cricksy_pipeline.analysis.kinematics import Track
from cricksy_pipeline.analysis.sides import Play, play

SIDE_BELOW_DEG, ALONG_ABOVE_DEG = 30.0, 58.0


@dataclass(frozen=True)
class CameraView:
    """The camera's place.

    Attributes:
        name: "side", "quarter", "front" (the player looks towards the camera), "behind"; None when nothing told, or from along the pitch
            when it could not be told from which end.
        off_side_deg: angle off side-on, 0 to 90; None when nothing told.
        sigma_deg: its standard deviation.
        confidence: share of that distribution inside the named range, 0 to 1.
        facing: +1 where play goes to the right of the picture, -1 to the left, 0 along the line of sight or unknown.
        heading_deg: direction of play against the picture (`heading`), degrees in [0, 360); None when nothing told which of two
            opposite ones it is.
    """

    name: str | None
    off_side_deg: float | None
    sigma_deg: float
    confidence: float
    facing: int = 0
    heading_deg: float | None = None


UNKNOWN = CameraView(None, None, 90.0, 0.0)


def estimate_view(track: Track, *, mode: AnalysisMode, event_s: float, height_px: float) -> CameraView:
    """The view at one delivery, from the stretch before `event_s` (contact, release or take)."""
    if track.t_s[0] > event_s - 0.15:
        return UNKNOWN
    found = play(track, mode, event_s, height_px)
    return UNKNOWN if found is None else view_of(found)


def view_of(found: Play) -> CameraView:
    """The camera's place, from where the game is in the picture.

    Where it is not told at which end of the line the bowler is, the angle holds, but play goes nowhere, and front and behind are no names.
    """
    heading = found.heading
    angle = float(np.degrees(np.arctan2(abs(heading.nearer), abs(heading.right))))
    along = "front" if heading.nearer > 0 else "behind"
    name = "side" if angle <= SIDE_BELOW_DEG else "quarter" if angle < ALONG_ABOVE_DEG else along
    confidence = _share_within(angle, heading.sigma_deg)
    if found.sure:
        return CameraView(name, angle, heading.sigma_deg, confidence, found.toward, heading.deg)
    return CameraView(None if name == along else name, angle, heading.sigma_deg, confidence)


def combine_views(views: list[CameraView]) -> CameraView:
    """One view for the clip, from its deliveries: the camera is taken to stand still between balls, and a batter to keep his hand."""
    known = [view for view in views if view.heading_deg is not None]
    if not known:
        # The angle alone was told: the ball in the middle speaks for the others.
        angles = sorted((view for view in views if view.off_side_deg is not None), key=lambda view: view.off_side_deg)
        return angles[len(angles) // 2] if angles else UNKNOWN
    middle = mean_heading([Heading(view.heading_deg, view.sigma_deg) for view in known], shared=0.9)
    if middle is None:
        return max(known, key=lambda view: view.confidence)
    whole = view_of(Play(middle))
    agreeing = sum(view.name == whole.name for view in known) / len(known)
    return CameraView(whole.name, whole.off_side_deg, whole.sigma_deg, whole.confidence * agreeing, whole.facing, whole.heading_deg)


def _share_within(angle: float, sigma: float) -> float:
    """Share of a normal distribution about `angle` inside the range of its name. The angle is folded at 0 and at 90: both tails count."""
    low, high = (-SIDE_BELOW_DEG, SIDE_BELOW_DEG)
    if angle > SIDE_BELOW_DEG:
        low, high = (SIDE_BELOW_DEG, ALONG_ABOVE_DEG) if angle < ALONG_ABOVE_DEG else (ALONG_ABOVE_DEG, 180 - ALONG_ABOVE_DEG)
    return 0.5 * (erf((high - angle) / sigma / 2**0.5) - erf((low - angle) / sigma / 2**0.5))
