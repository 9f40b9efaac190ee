"""Batting strokes in a track: top of the backlift, front foot down, contact.

Belongs here: telling a stroke from any other movement, and its three events. Does not belong here: thresholds (`delivery_settings`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.events import FoundDelivery, event_at, foot_landing, peaks
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, velocity
from cricksy_pipeline.analysis.view import faces_camera


def find_batting(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Strokes: both hands together come down fast from a backlift."""
    hands = track.middle("wrist") - track.middle("hip")
    size = body_height_px(track.xy)
    speed = np.linalg.norm(velocity(track.t_s, hands), axis=-1) / size
    downwards = velocity(track.t_s, hands)[:, 1] / size
    apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1) / size
    swing = np.where((apart <= settings.candidate_hands_apart) & (downwards > 0), speed, 0)
    found = []
    for i in peaks(swing, settings.batting_hand_speed, settings.merge_within_s, track.t_s):
        stroke = _stroke(track, speed, apart, i, settings)
        if stroke is not None:
            found.append(stroke)
    return found


def _stroke(track: Track, speed: np.ndarray, apart: np.ndarray, peak: int, settings: DeliverySettings) -> FoundDelivery | None:
    t = track.t_s
    size = body_height_px(track.xy[track.span(t[peak] - settings.window_before_s, t[peak] + settings.window_after_s)])
    height = -track.middle("wrist")[:, 1]  # over the ground, not over the hips: those sink into the stride
    contact_s, spread_s = _contact(track, speed, peak, settings)
    earliest, latest = settings.backlift_before_contact_s
    lifted = track.span(contact_s - earliest - latest, contact_s - earliest)
    if not np.isfinite(height[lifted]).any() or lifted.stop - lifted.start < 5:
        return None
    top = lifted.start + int(np.nanargmax(height[lifted]))
    if (height[top] - height[track.index_at(contact_s)]) / size < settings.backlift_drop:
        return None
    downswing = slice(top, track.index_at(contact_s) + 1)
    if not (np.nanmedian(apart[downswing]) <= settings.batting_hands_apart):
        return None
    toward = _batting_direction(track, top, track.index_at(contact_s))
    front = _batting_front(track, top, track.index_at(contact_s), toward)
    events = {"top_of_backlift": event_at(track, t[top], settings.backlift_sigma_s)}
    landing = foot_landing(track, front, contact_s - 0.6, contact_s + 0.1, size, settings) if front else None
    if landing is not None:
        events["front_foot_down"] = event_at(track, landing, settings.landing_sigma_s)
    events["contact"] = event_at(track, contact_s, spread_s)
    events = dict(sorted(events.items(), key=lambda item: item[1].t_s))
    start, end = max(t[0], contact_s - settings.window_before_s), min(t[-1], contact_s + settings.window_after_s)
    return FoundDelivery(float(start), float(end), events, track, size, front, None, toward)


def _contact(track: Track, speed: np.ndarray, peak: int, settings: DeliverySettings) -> tuple[float, float]:
    """Time of contact and how far it may be off, as a standard deviation.

    The hands are fastest shortly before the ball is met (Stuelcken 2005) and slow while the bat overtakes them: contact is taken where
    their speed has fallen to `contact_speed_share` of its peak, `contact_after_peak_s` after the peak at the latest. On rendered drives
    the peak itself is 60 ms early, the hands' lowest point up to 70 ms late, this within 20 ms. Sound would settle it; it is not used.
    """
    t = track.t_s
    after = track.span(t[peak], t[peak] + settings.contact_after_peak_s)
    slower = np.flatnonzero(speed[after] <= settings.contact_speed_share * speed[peak])
    contact_s = float(t[after][slower[0]]) if len(slower) else float(t[peak]) + settings.contact_after_peak_s / 2
    return contact_s, settings.contact_sigma_s


def _batting_direction(track: Track, top: int, contact: int) -> int:
    """Where the bowler is in the picture: where the batter looks, or else where the hands go; 0 when neither says."""
    span = slice(min(top, contact), max(top, contact) + 1)
    size = body_height_px(track.xy)
    look = np.nanmedian((track.point("nose") - track.middle("ear"))[span, 0]) / size
    swing = (track.middle("wrist")[contact, 0] - track.middle("wrist")[top, 0]) / size
    for value, clear in ((look, 0.025), (swing, 0.10)):
        if np.isfinite(value) and abs(value) > clear:
            return int(np.sign(value))
    return 0


def _batting_front(track: Track, top: int, contact: int, toward: int) -> str | None:
    """The side nearer the bowler: the foot further that way at contact; seen along the pitch, the nearer foot (lower in the
    picture) when the batter faces the camera, the further one when he faces away; else the foot that strides."""
    left, right = track.point("left_ankle"), track.point("right_ankle")
    size = body_height_px(track.xy)
    gap = (left[contact, 0] - right[contact, 0]) / size
    if toward and np.isfinite(gap) and abs(gap) > 0.08:
        return "left" if gap * toward > 0 else "right"
    facing = faces_camera(track, track.t_s[contact] - 0.6, track.t_s[contact])
    lower = (left[contact, 1] - right[contact, 1]) / size
    if facing is not None and np.isfinite(lower) and abs(lower) > 0.02:
        return "left" if (lower > 0) == facing else "right"
    stride = [np.linalg.norm(foot[contact] - foot[top]) for foot in (left, right)]
    if not np.isfinite(stride).all() or abs(stride[0] - stride[1]) / size < 0.04:
        return None
    return "left" if stride[0] > stride[1] else "right"
