"""What a delivery and its events are, and what the finders of all disciplines share.

Belongs here: the values that finders return, the time of a foot's landing, the choice of peaks. Does not belong here: how a stroke, a
bowled ball or a take is told from the movement (`strokes`, `overarm`, `takes`), what is measured at an event (`metrics`).

Each event carries its own time uncertainty, and a movement that does not show the event gives none (cricket-metrics 3.5). A moving
camera is not subtracted: hands are taken against the hips, feet against the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.kinematics import Track, velocity


@dataclass(frozen=True)
class EventTime:
    """A moment: presentation time in seconds, its standard deviation, and the nearest frame."""

    t_s: float
    sigma_s: float
    frame: int


@dataclass(frozen=True)
class FoundDelivery:
    """One ball.

    Attributes:
        start_s, end_s: the stretch that belongs to it, inside its track.
        events: by name, in time order.
        track: where it was seen.
        height_px: the player's height around it.
        front: "left" or "right", the player's own side nearer the other end of the pitch; None when it cannot be told.
        arm: the bowling or throwing arm; None in batting and for a take.
        toward: +1 when the other end of the pitch lies to the right of the picture, -1 to the left, 0 when it cannot be told.
    """

    start_s: float
    end_s: float
    events: dict[str, EventTime]
    track: Track = field(repr=False)
    height_px: float
    front: str | None
    arm: str | None
    toward: int

    @property
    def back(self) -> str | None:
        """The side that is not the front side."""
        return None if self.front is None else other_side(self.front)


def other_side(side: str) -> str:
    """left for right, right for left."""
    return "right" if side == "left" else "left"


def frame_sigma_s(track: Track) -> float:
    """Standard deviation of a time known to one frame: the frame spacing over the square root of 12."""
    return 1 / track.rate_hz / 12**0.5


def peaks(values: np.ndarray, at_least: float, apart_s: float, t_s: np.ndarray) -> list[int]:
    """Indices of local maxima of at least `at_least`, the higher first, none within `apart_s` of a higher one; then in time order."""
    filled = np.nan_to_num(values, nan=-np.inf)
    inner = np.flatnonzero((filled[1:-1] >= filled[:-2]) & (filled[1:-1] > filled[2:]) & (filled[1:-1] >= at_least)) + 1
    kept: list[int] = []
    for i in inner[np.argsort(-filled[inner], kind="stable")]:
        if all(abs(t_s[i] - t_s[k]) > apart_s for k in kept):
            kept.append(int(i))
    return sorted(kept)


def event_at(track: Track, t_s: float, extra_sigma_s: float = 0.0) -> EventTime:
    """The event at `t_s`, known to one frame and to `extra_sigma_s` besides."""
    return EventTime(float(t_s), float(np.hypot(frame_sigma_s(track), extra_sigma_s)), track.frame_at(t_s))


def foot_landing(track: Track, side: str, start_s: float, end_s: float, size: float, settings: DeliverySettings) -> float | None:
    """When the foot that swings fastest in [start_s, end_s] is down: its speed falls below 15 % of the swing's peak. None: no swing."""
    span = track.span(start_s, end_s)
    foot = (track.point(f"{side}_heel") + track.point(f"{side}_foot_index") + track.point(f"{side}_ankle")) / 3
    speed = np.linalg.norm(velocity(track.t_s, foot), axis=-1)[span] / size
    if len(speed) < 5 or not np.isfinite(speed).any():
        return None
    peak = int(np.nanargmax(speed))
    if speed[peak] < settings.foot_swing_speed:
        return None
    down = np.flatnonzero(speed[peak:] < settings.landed_share_of_swing * speed[peak])
    return float(track.t_s[span][peak + down[0]]) if len(down) else None
