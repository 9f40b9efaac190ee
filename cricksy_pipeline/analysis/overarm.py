"""Overarm actions in a track: a bowled ball, and the same search for a fielder's throw.

Belongs here: release, front-foot and back-foot contact, and which arm and foot they are. Does not belong here: pick-ups (`takes`),
thresholds (`delivery_settings`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.events import FoundDelivery, event_at, foot_landing, other_side, peaks
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, velocity


def find_bowling(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Bowled balls: a wrist circles over the head of a player who travels."""
    return find_overarm(track, settings, settings.bowling_hip_travel)


def find_overarm(track: Track, settings: DeliverySettings, least_travel: float) -> list[FoundDelivery]:
    """Every action in which a fast wrist circles from below the shoulder over the head and down again, by a player whose hips moved by
    `least_travel` body heights in the 1.5 s before."""
    size = body_height_px(track.xy)
    releases: list[tuple[float, int, str]] = []
    for side in ("left", "right"):
        wrist, shoulder = track.point(f"{side}_wrist"), track.point(f"{side}_shoulder")
        over = (shoulder - wrist)[:, 1] / size
        speed = np.linalg.norm(velocity(track.t_s, wrist - track.middle("hip")), axis=-1) / size
        for i in peaks(over, settings.release_over_shoulder, settings.merge_releases_s, track.t_s):
            near = track.span(track.t_s[i] - 0.12, track.t_s[i] + 0.12)
            fastest = np.nanmax(speed[near]) if np.isfinite(speed[near]).any() else 0
            if fastest >= settings.bowling_arm_speed and _circles(track, over, i, settings):
                releases.append((float(fastest), i, side))
    kept: list[tuple[float, int, str]] = []
    for release in sorted(releases, reverse=True):  # both arms go up in one action: the faster one bowls
        if all(abs(track.t_s[release[1]] - track.t_s[other[1]]) > settings.merge_releases_s for other in kept):
            kept.append(release)
    balls = [_ball(track, i, side, settings, least_travel) for _, i, side in sorted(kept, key=lambda release: release[1])]
    return [ball for ball in balls if ball is not None]


def _circles(track: Track, over: np.ndarray, top: int, settings: DeliverySettings) -> bool:
    t = track.t_s[top]
    before, after = over[track.span(t - settings.arm_circle_s, t)], over[track.span(t, t + settings.arm_circle_s)]
    below = -settings.arm_below_shoulder
    return bool(np.nanmin(before) < below and np.nanmin(after) < below)


def _ball(track: Track, top: int, arm: str, settings: DeliverySettings, least_travel: float) -> FoundDelivery | None:
    t = track.t_s
    release_s = float(t[top]) + settings.release_after_highest_s
    window = track.span(release_s - 1.5, release_s)
    size = body_height_px(track.xy[track.span(release_s - settings.window_before_s, release_s + settings.window_after_s)])
    toward = _travel_direction(track, window, size, least_travel)
    if toward is None:
        return None
    front = _bowling_front(track, release_s, arm, toward)
    events = {"release": event_at(track, release_s, settings.release_sigma_s)}
    near, far = settings.front_foot_before_release_s
    front_s = foot_landing(track, front, release_s - far - 0.1, release_s + 0.03, size, settings)
    if front_s is not None and near <= release_s - front_s <= far:
        events["front_foot_contact"] = event_at(track, front_s, settings.landing_sigma_s)
        near, far = settings.back_foot_before_front_s
        back_s = foot_landing(track, other_side(front), front_s - far - 0.1, front_s, size, settings)
        if back_s is not None and near <= front_s - back_s <= far:
            events["back_foot_contact"] = event_at(track, back_s, settings.landing_sigma_s)
    events = dict(sorted(events.items(), key=lambda item: item[1].t_s))
    start, end = max(t[0], release_s - settings.window_before_s), min(t[-1], release_s + settings.window_after_s)
    return FoundDelivery(float(start), float(end), events, track, size, front, arm, toward)


def _travel_direction(track: Track, window: slice, size: float, least_travel: float) -> int | None:
    """Where the hips travel in the picture up to release: +1 right, -1 left, 0 along the line of sight; None when they do not travel.

    Seen along the pitch the player hardly moves in the picture but grows or shrinks, and that counts as travel. Where he is too short
    in the picture to see the run-up, he looks where he bowls.
    """
    hips, shoulders = track.middle("hip")[window], track.middle("shoulder")[window]
    seen = np.isfinite(hips).all(axis=-1) & np.isfinite(shoulders).all(axis=-1)
    if seen.sum() < 40:
        return None
    hips = hips[seen]
    trunk = np.linalg.norm(shoulders[seen] - hips, axis=-1)
    grown = 5 * abs(np.log(np.median(trunk[-10:]) / np.median(trunk[:10])))
    if max(np.linalg.norm(hips - hips[-1], axis=-1).max() / size, min(grown, 0.5)) < least_travel:
        return None
    moved = (hips[-1] - hips[0])[0] / size
    if abs(moved) > 0.3:
        return int(np.sign(moved))
    look = (track.point("nose") - track.middle("ear"))[window, 0] / size
    look = look[np.isfinite(look)]
    return int(np.sign(np.median(look))) if len(look) and abs(np.median(look)) > 0.035 else 0


def _bowling_front(track: Track, release_s: float, arm: str, toward: int) -> str:
    """The foot further along the run-up at release; seen along the pitch, the foot opposite the bowling arm."""
    at = track.index_at(release_s - 0.05)
    gap = (track.point("left_ankle") - track.point("right_ankle"))[at, 0]
    if toward and np.isfinite(gap) and abs(gap) > 0.1 * body_height_px(track.xy):
        return "left" if gap * toward > 0 else "right"
    return other_side(arm)
