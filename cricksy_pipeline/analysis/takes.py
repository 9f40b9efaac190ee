"""Takes, catches, pick-ups and throws in a track: what keepers and fielders do.

Belongs here: telling them from any other movement. Does not belong here: thresholds (`delivery_settings`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.events import FoundDelivery, event_at, peaks
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, velocity
from cricksy_pipeline.analysis.overarm import find_overarm


def find_takes(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Takes and catches: both hands, together, stop a fast movement and stay together."""
    t = track.t_s
    hands = track.middle("wrist") - track.middle("hip")
    size = body_height_px(track.xy)
    speed = np.linalg.norm(velocity(t, hands), axis=-1) / size
    apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1) / size
    found = []
    for i in peaks(speed, settings.take_hand_speed, settings.merge_within_s, t):
        after = track.span(t[i], t[i] + settings.take_slows_within_s)
        slow = np.flatnonzero((speed[after] < settings.take_slows_to * speed[i]) & (apart[after] < settings.take_hands_apart))
        if not len(slow):
            continue
        take_s = float(t[after][slow[0]])
        if not np.max(apart[track.span(take_s, take_s + settings.take_held_s)]) <= settings.take_hands_apart:
            continue
        start, end = max(t[0], take_s - settings.window_before_s), min(t[-1], take_s + settings.window_after_s)
        found.append(FoundDelivery(float(start), float(end), {"take": event_at(track, take_s, 0.03)}, track, size, None, None, 0))
    return found


def find_fielding(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Throws (with the pick-up before them, where there is one), and catches away from any throw."""
    throws = [_with_pick_up(throw, settings) for throw in find_overarm(track, settings, least_travel=0.0)]
    catches = [
        take for take in find_takes(track, settings) if all(take.end_s < throw.start_s or take.start_s > throw.end_s for throw in throws)
    ]
    return throws + catches


def _with_pick_up(throw: FoundDelivery, settings: DeliverySettings) -> FoundDelivery:
    track, size, release = throw.track, throw.height_px, throw.events["release"]
    before = track.span(release.t_s - 2.0, release.t_s - 0.2)
    wrist = np.fmax(track.point("left_wrist")[before, 1], track.point("right_wrist")[before, 1])
    floor = np.fmax(track.point("left_ankle")[before, 1], track.point("right_ankle")[before, 1])
    hips = (floor - track.middle("hip")[before, 1]) / size
    low = np.flatnonzero(((floor - wrist) / size < settings.pick_up_wrist_height) & (hips < settings.pick_up_hip_height))
    if not len(low):
        return throw
    pick_up_s = float(track.t_s[before][low[int(np.argmax(wrist[low]))]])
    events = {"pick_up": event_at(track, pick_up_s, 0.02), **throw.events}
    return FoundDelivery(min(throw.start_s, pick_up_s), throw.end_s, events, track, size, throw.front, throw.arm, throw.toward)
