"""Which frames show a delivery: its events, one frame before and one after.

Belongs here: the choice, for the strip of stills and for the findings that point into it. Does not belong here: decoding and drawing
(`reading.drawing.strips`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.documents import Delivery, DeliveryValue

MOST_ROWS = 6
"""So many balls a strip shows: a session of good length fits."""
BEFORE_S, AFTER_S = 0.30, 0.30
BEFORE, AFTER = "before", "after"


@dataclass(frozen=True)
class Moment:
    """One still of a strip.

    Attributes:
        delivery: 1 for the first ball of the clip.
        event: name of the event, or `before`, `after`.
        t_s: presentation time in seconds of the event, or of the frame.
        sigma_s: one standard deviation of the event's time; None before and after.
        frame: presentation order.
    """

    delivery: int
    event: str
    t_s: float
    sigma_s: float | None
    frame: int


def shown_deliveries(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """The balls that a strip shows: all, or as many as it has room for, spread over the session."""
    if len(deliveries) <= MOST_ROWS:
        return list(deliveries)
    return [deliveries[i] for i in np.linspace(0, len(deliveries) - 1, MOST_ROWS).round().astype(int)]


def moments_of(delivery: Delivery, frame: np.ndarray, t_s: np.ndarray) -> list[Moment]:
    """The stills of one ball, in time order.

    Args:
        frame, t_s: (n,) numbers and presentation times of the frames that were looked at and hold the player, n >= 1.
    """
    events = sorted(delivery.events, key=lambda event: event.t_s)
    if not events:
        return []
    shown = [Moment(delivery.delivery, event.name, event.t_s, event.sigma_s, event.frame) for event in events]
    taken = {moment.frame for moment in shown}
    for name, wanted in ((BEFORE, events[0].t_s - BEFORE_S), (AFTER, events[-1].t_s + AFTER_S)):
        at = int(np.argmin(np.abs(t_s - wanted)))
        if int(frame[at]) not in taken:
            shown.append(Moment(delivery.delivery, name, round(float(t_s[at]), 4), None, int(frame[at])))
    return sorted(shown, key=lambda moment: (moment.t_s, moment.frame))


def still_of(read: DeliveryValue, deliveries: Sequence[Delivery]) -> Moment | None:
    """The still that shows where a value was read: its event's, else that of the event nearest in time; None where no strip shows it."""
    ball = next((ball for ball in shown_deliveries(deliveries) if ball.delivery == read.delivery), None)
    if ball is None or not ball.events:
        return None
    event = next((event for event in ball.events if event.name == read.event), None)
    event = event or min(ball.events, key=lambda event: abs(event.t_s - read.t_s))
    return Moment(ball.delivery, event.name, event.t_s, event.sigma_s, event.frame)
