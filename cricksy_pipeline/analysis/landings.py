"""When a foot is down.

Belongs here: the landing of one foot, for all disciplines. Does not belong here: which foot (`strokes`, `overarm`), thresholds
(`delivery_settings`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.events import EventTime, peaks
from cricksy_pipeline.analysis.kinematics import Track
from cricksy_pipeline.analysis.timing import Closeup, closeup, timed


def foot_landing(
    name: str, track: Track, side: str, start_s: float, end_s: float, size: float, settings: DeliverySettings
) -> EventTime | None:
    """When the foot is set down after its fastest swing that ends in [start_s, end_s]; None: it made no step, or is still in the air.

    A foot is down when the part of it that touches first stops: heel or toe, whichever is the slower. Its speed falls below
    `landed_share_of_swing` of what it had in the swing and stays there for `landed_for_s`.

    Args:
        name: of the event.
        side: "left" or "right".
        size: the player's height in pixels.
    """
    points = {part: track.point(f"{side}_{joint}") for part, joint in (("heel", "heel"), ("toe", "foot_index"))}
    margin = settings.landed_for_s
    view = closeup(track, points, size, start_s - margin, end_s + margin)

    def landed(seen: Closeup) -> float | None:
        return _landing(seen, start_s, end_s, settings.foot_swing_speed[name], settings)

    return timed(name, view, landed, track, settings, f"the {side} foot stops")


def _landing(view: Closeup, start_s: float, end_s: float, least: float, settings: DeliverySettings) -> float | None:
    part = np.stack([view.speed("heel"), view.speed("toe")])
    if len(view.t_s) < 5 or not np.isfinite(part).all(axis=0).any():
        return None
    whole, slower = part.mean(axis=0), part.min(axis=0)
    swings = np.where(np.isfinite(whole), whole, 0.0)
    swings[: view.index_at(start_s)] = 0.0
    swings[view.index_at(end_s) + 1 :] = 0.0
    if not swings.max() <= settings.foot_most_speed:
        return None
    for peak in sorted(peaks(swings, least * view.slack, 0.12, view.t_s), key=lambda i: (-swings[i], i)):
        landed_s = _stops(view, slower, peak, settings.landed_share_of_swing * view.slack * swings[peak], settings)
        if landed_s is not None and landed_s <= end_s:
            return landed_s
    return None


def _stops(view: Closeup, slower: np.ndarray, peak: int, limit: float, settings: DeliverySettings) -> float | None:
    """The first time after the swing's fastest moment from which the slower part stays under `limit`, between two samples."""
    still = slower <= limit
    hold = max(1, round(settings.landed_for_s * (len(view.t_s) - 1) / (view.t_s[-1] - view.t_s[0])))
    for i in np.flatnonzero(still[1:] & ~still[:-1]) + 1:
        if i > peak and still[i : i + hold].all():
            share = (slower[i - 1] - limit) / (slower[i - 1] - slower[i])
            return float(view.t_s[i - 1] + share * (view.t_s[i] - view.t_s[i - 1]))
    return None
