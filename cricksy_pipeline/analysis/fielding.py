"""Pick-ups and throws in a track: what fielders do beside catching.

Belongs here: telling them from any other movement, and their events. Does not belong here: catches (`takes`), the arm's circle and the feet
(`overarm`), thresholds (`delivery_settings`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.events import EventTime, FoundDelivery, in_order
from cricksy_pipeline.analysis.kinematics import Track, body_height_px
from cricksy_pipeline.analysis.overarm import find_circles, find_feet, find_release, travel_direction
from cricksy_pipeline.analysis.sides import bowling_front
from cricksy_pipeline.analysis.stature import stature_at
from cricksy_pipeline.analysis.takes import find_catches, find_ready
from cricksy_pipeline.analysis.timing import Closeup, closeup, timed


def find_fielding(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Throws (with the pick-up before them, where there is one), and catches away from any throw."""
    circles = find_circles(track, settings, two_arms=True)
    throws = [throw for top, arm in circles if (throw := _throw(track, top, arm, settings)) is not None]
    catches = [
        catch
        for catch in find_catches(track, settings)
        if all(catch.end_s < throw.start_s or catch.start_s > throw.end_s for throw in throws)
    ]
    return sorted(throws + catches, key=lambda ball: ball.start_s)


def _throw(track: Track, top: int, arm: str, settings: DeliverySettings) -> FoundDelivery | None:
    t = track.t_s
    size = body_height_px(track.xy[track.span(t[top] - settings.window_before_s, t[top] + settings.window_after_s)])
    release = find_release("throw_release", track, top, arm, size, settings)
    if release is None:
        return None
    toward = travel_direction(track, track.span(release.t_s - 1.5, release.t_s), size, 0.0) or 0
    front = bowling_front(track, release.t_s - 0.05, arm, toward, size).name
    front_foot, _ = find_feet("throw_front_foot_contact", track, front, toward, release.t_s, size, settings)
    pick_up = _pick_up(track, release.t_s, size, settings)
    starts_s = release.t_s - 0.8 if pick_up is None else pick_up.t_s - 0.2
    ready = find_ready("throw_ready", track, starts_s, size, settings)
    events = in_order({"ready": ready, "pick_up": pick_up, "front_foot_contact": front_foot, "release": release})
    first = min([release.t_s - settings.window_before_s, *(event.t_s for event in events.values())])
    start, end = max(t[0], first), min(t[-1], release.t_s + settings.window_after_s)
    height = stature_at(t, track.xy, release.t_s).px  # he may be running along the line of sight
    return FoundDelivery(float(start), float(end), events, track, height, front, arm, toward)


def _pick_up(track: Track, release_s: float, size: float, settings: DeliverySettings) -> EventTime | None:
    """The lowest moment of the lower hand in the two seconds before a throw, where it is near the ground and the hips are low."""
    hands = np.fmax(track.point("left_wrist")[:, 1], track.point("right_wrist")[:, 1])
    floor = np.fmax(track.point("left_ankle")[:, 1], track.point("right_ankle")[:, 1])
    hips = track.middle("hip")
    points = {"hand": np.stack([hips[:, 0], hands], -1), "floor": np.stack([hips[:, 0], floor], -1), "hips": hips}
    view = closeup(track, points, size, release_s - 2.0, release_s - 0.2)

    def lowest(seen: Closeup) -> float | None:
        hand, hip = seen.height("hand", "floor"), seen.height("hips", "floor")
        low = np.flatnonzero((hand < settings.pick_up_wrist_height * seen.slack) & (hip < settings.pick_up_hip_height * seen.slack))
        return float(seen.t_s[low[int(np.argmin(hand[low]))]]) if len(low) else None

    return timed("pick_up", view, lowest, track, settings, "the lowest point of the lower hand")
