"""What a delivery and its events are, and what the finders of all disciplines share.

Belongs here: the values that finders return, the choice of peaks. Does not belong here: how a stroke, a bowled ball or a take is told from
the movement (`strokes`, `overarm`, `takes`, `fielding`), how sure a time is (`timing`), what is measured at an event (`metrics`).

Each event carries its own time uncertainty, and a movement that does not show the event gives none (cricket-metrics 3.5). A moving
camera is not subtracted: hands are taken against the hips, feet against the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import SETTINGS
from cricksy_pipeline.analysis.kinematics import Track


@dataclass(frozen=True)
class EventTime:
    """A moment.

    Attributes:
        t_s: time in seconds, on the clock of the track that it was found in.
        sigma_s: its standard deviation: frame spacing, keypoint noise, and the detector's calibrated residual (`timing`).
        frame: the nearest frame.
        evidence: what it was told from, in words for people.
    """

    t_s: float
    sigma_s: float
    frame: int
    evidence: str = ""


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
        contact_by: "sound" or "hands", what the time of contact was told from; None without contact.
        sound: why the sound was not used for the contact, in words for people; "" where it was, or where there is none to use.
    """

    start_s: float
    end_s: float
    events: dict[str, EventTime]
    track: Track = field(repr=False)
    height_px: float
    front: str | None
    arm: str | None
    toward: int
    contact_by: str | None = None
    sound: str = ""

    @property
    def full_timing(self) -> bool:
        """Whether the pictures were dense enough for its times to count in full; below, they are shown with their uncertainty."""
        return self.track.rate_hz >= SETTINGS.full_rate_hz

    @property
    def back(self) -> str | None:
        """The side that is not the front side."""
        return None if self.front is None else other_side(self.front)


def other_side(side: str) -> str:
    """left for right, right for left."""
    return "right" if side == "left" else "left"


def in_order(events: dict[str, EventTime | None]) -> dict[str, EventTime]:
    """Those that were found, in time order."""
    return dict(sorted(((name, event) for name, event in events.items() if event is not None), key=lambda item: item[1].t_s))


def peaks(values: np.ndarray, at_least: float, apart_s: float, t_s: np.ndarray) -> list[int]:
    """Indices of local maxima of at least `at_least`, the higher first, none within `apart_s` of a higher one; then in time order."""
    filled = np.nan_to_num(values, nan=-np.inf)
    inner = np.flatnonzero((filled[1:-1] >= filled[:-2]) & (filled[1:-1] > filled[2:]) & (filled[1:-1] >= at_least)) + 1
    kept: list[int] = []
    for i in inner[np.argsort(-filled[inner], kind="stable")]:
        if all(abs(t_s[i] - t_s[k]) > apart_s for k in kept):
            kept.append(int(i))
    return sorted(kept)
