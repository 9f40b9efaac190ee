"""Overarm actions in a track: a bowled ball, and the same search for a fielder's throw.

Belongs here: release, front-foot and back-foot contact, and which arm and foot they are. Does not belong here: pick-ups and which of these
actions is a throw (`fielding`), thresholds (`delivery_settings`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.events import EventTime, FoundDelivery, in_order, other_side, peaks
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, velocity
from cricksy_pipeline.analysis.landings import foot_landing
from cricksy_pipeline.analysis.sides import bowling_front, play
from cricksy_pipeline.analysis.stature import stature_at
from cricksy_pipeline.analysis.timing import Closeup, closeup, timed


def find_bowling(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Bowled balls: a wrist circles over the head of a player who runs or walks in and sets his feet down."""
    balls = []
    for top, arm in find_circles(track, settings):
        ball = _ball(track, top, arm, settings)
        if ball is not None:
            balls.append(ball)
    return balls


def find_circles(track: Track, settings: DeliverySettings, *, two_arms: bool = False) -> list[tuple[int, str]]:
    """[(where the wrist is highest, arm)] of every action in which a fast wrist circles from below the shoulder over the head and down.

    two_arms: the other arm may be up, too, as in a throw.
    """
    size = body_height_px(track.xy)
    if not np.isfinite(size):
        return []
    least_over = settings.throw_over_shoulder if two_arms else settings.release_over_shoulder
    least_speed = settings.throw_arm_speed if two_arms else settings.bowling_arm_speed
    releases: list[tuple[float, int, str]] = []
    for side in ("left", "right"):
        over = _over(track, side, size)
        speed = np.linalg.norm(velocity(track.t_s, track.point(f"{side}_wrist") - track.middle("hip")), axis=-1) / size
        for i in peaks(over, least_over, settings.merge_releases_s, track.t_s):
            near = track.span(track.t_s[i] - 0.12, track.t_s[i] + 0.12)
            fastest = np.nanmax(speed[near]) if np.isfinite(speed[near]).any() else 0
            if not _other_hand_away(track, side, i, size, two_arms, settings):
                continue
            if fastest >= least_speed and _circles(over, track, i, settings):
                releases.append((float(fastest * over[i]), i, side))
    kept: list[tuple[float, int, str]] = []
    for release in sorted(releases, reverse=True):  # both arms go up in one action: the one that passes the head higher and faster
        near = [other for other in kept if abs(track.t_s[release[1]] - track.t_s[other[1]]) <= settings.merge_releases_s]
        if not near:
            kept.append(release)
        elif len(near) == 1 and _bowls_after(near[0], release, track, settings):
            kept[kept.index(near[0])] = release
    return [(i, side) for _, i, side in sorted(kept, key=lambda release: release[1])]


def _bowls_after(first: tuple[float, int, str], second: tuple[float, int, str], track: Track, settings: DeliverySettings) -> bool:
    """Whether of two arms the second, later and not much slower one bowls."""
    later_s = track.t_s[second[1]] - track.t_s[first[1]]
    return second[2] != first[2] and 0 < later_s <= settings.later_arm_within_s and second[0] >= settings.later_arm_share * first[0]


def _other_hand_away(track: Track, side: str, top: int, size: float, two_arms: bool, settings: DeliverySettings) -> bool:
    """Whether the other hand is down, or, where it may be up, at least away from this one."""
    if two_arms:
        apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1)[top] / size
        return bool(apart >= settings.throw_hands_apart)
    other = _over(track, other_side(side), size)[track.span(track.t_s[top] - 0.12, track.t_s[top] + 0.12)]
    return bool(np.isfinite(other).any() and np.nanmedian(other) <= settings.other_hand_under_shoulder)


def _over(track: Track, side: str, size: float) -> np.ndarray:
    """(m,) body heights by which a wrist is above its shoulder."""
    return (track.point(f"{side}_shoulder") - track.point(f"{side}_wrist"))[:, 1] / size


def _circles(over: np.ndarray, track: Track, top: int, settings: DeliverySettings) -> bool:
    t = track.t_s[top]
    before, after = over[track.span(t - settings.arm_circle_s, t)], over[track.span(t, t + settings.arm_circle_s)]
    below = -settings.arm_below_shoulder
    return bool(np.nanmin(before) < below and np.nanmin(after) < below)


def find_release(name: str, track: Track, top: int, arm: str, size: float, settings: DeliverySettings) -> EventTime | None:
    """When the ball leaves the hand, shortly after it passes its highest point over the shoulder."""
    t = float(track.t_s[top])
    points = {"wrist": track.point(f"{arm}_wrist"), "shoulder": track.point(f"{arm}_shoulder")}
    view = closeup(track, points, size, t - 0.30, t + 0.25)
    lost = _lost(view, settings)
    if lost[view.span(t - 0.03, t + 0.06)].any():
        by_turn = timed(
            "release_by_turn", view, lambda seen: _turned(seen, lost, settings), track, settings, "how the arm turns before and after"
        )
        if by_turn is not None:
            return by_turn
    if not np.isfinite(points["wrist"][track.span(t - 0.02, t + 0.02)]).all():
        return None  # where the hand was not seen, its highest point is only the last that was
    return timed(name, view, lambda seen: _highest(seen, t), track, settings, "the wrist's highest point over the shoulder")


def _highest(view: Closeup, near_s: float) -> float | None:
    over = view.height("wrist", "shoulder")
    span = view.span(near_s - 0.08, near_s + 0.08)
    if not np.isfinite(over[span]).any():
        return None
    i = span.start + int(np.nanargmax(over[span]))
    if not 0 < i < len(over) - 1:
        return float(view.t_s[i])
    before, here, after = over[i - 1 : i + 2]
    bend = before - 2 * here + after  # the top of the parabola through three samples
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(view.t_s[i] + np.clip(shift, -1, 1) * (view.t_s[1] - view.t_s[0]))


def _lost(view: Closeup, settings: DeliverySettings) -> np.ndarray:
    """(m,) bool: where the arm seems much shorter than it is. About the top of its circle it lies in the picture from any side."""
    length = np.linalg.norm(view.points["wrist"] - view.points["shoulder"], axis=-1)
    return ~(length >= settings.arm_seen * np.nanpercentile(length, 95)) if np.isfinite(length).any() else np.ones(len(length), bool)


def _turned(view: Closeup, lost: np.ndarray, settings: DeliverySettings) -> float | None:
    """Where the hand was lost on the way over the top: the arm turns at an even pace, so the angle is drawn through what was seen of it.

    Only where it is seen on its way up and on its way down: from the side, that is. Along the pitch the picture does not show the turn.
    """
    arm = view.points["wrist"] - view.points["shoulder"]
    # Smoothing spreads what was misplaced over its neighbours.
    near = np.convolve(lost, np.ones(9), mode="same") > 0
    seen = np.flatnonzero(~near & np.isfinite(arm).all(axis=-1))
    if len(seen) < 8:
        return None
    angle = np.degrees(np.unwrap(np.arctan2(arm[seen, 0], -arm[seen, 1])))
    turned = np.sign(angle[-1] - angle[0]) * angle
    turned -= 360 * np.round(np.median(turned) / 360)
    rising, falling = (turned > -110) & (turned < -40), (turned > 40) & (turned < 110)
    if not (rising.any() and falling.any()) or np.mean(np.diff(turned) > -1) < 0.9:
        return None
    drawn = np.interp(view.t_s, view.t_s[seen], turned)
    over = np.flatnonzero((drawn[:-1] < settings.release_at_turn_deg) & (drawn[1:] >= settings.release_at_turn_deg))
    return float(view.t_s[over[0]]) if len(over) else None


def _ball(track: Track, top: int, arm: str, settings: DeliverySettings) -> FoundDelivery | None:
    t = track.t_s
    size = body_height_px(track.xy[track.span(t[top] - settings.window_before_s, t[top] + settings.window_after_s)])
    release = find_release("release", track, top, arm, size, settings)
    if release is None:
        return None
    toward = travel_direction(track, track.span(release.t_s - 1.5, release.t_s), size, settings.bowling_hip_travel)
    if toward is None:
        return None
    front = bowling_front(track, release.t_s - 0.05, arm, toward, size).name
    front_foot, back_foot = find_feet("front_foot_contact", track, front, toward, release.t_s, size, settings)
    events = in_order({"back_foot_contact": back_foot, "front_foot_contact": front_foot, "release": release})
    start, end = max(t[0], release.t_s - settings.window_before_s), min(t[-1], release.t_s + settings.window_after_s)
    height = stature_at(t, track.xy, release.t_s).px  # he may be running along the line of sight
    return FoundDelivery(float(start), float(end), events, track, height, front, arm, toward)


def find_feet(
    name: str, track: Track, front: str, toward: int, release_s: float, size: float, settings: DeliverySettings
) -> tuple[EventTime | None, EventTime | None]:
    """Front-foot contact (an event called `name`) and back-foot contact before a release; None for what did not show.

    Seen along the pitch a foot comes straight at the camera: its landing is told less surely, and from behind not at all.
    """
    if not toward:
        going = play(track, AnalysisMode.BOWLING, release_s, size)
        if going is None or going.heading.nearer <= 0:
            return None, None
    near, far = settings.front_foot_before_release_s
    told = name if toward else f"{name}_along"
    front_foot = foot_landing(told, track, front, release_s - far - 0.1, release_s + 0.03, size, settings)
    if front_foot is None or not near <= release_s - front_foot.t_s <= far:
        return None, None
    if not toward:
        return front_foot, None
    near, far = settings.back_foot_before_front_s
    back_foot = foot_landing("back_foot_contact", track, other_side(front), front_foot.t_s - far - 0.1, front_foot.t_s, size, settings)
    if back_foot is None or not near <= front_foot.t_s - back_foot.t_s <= far:
        return front_foot, None
    return front_foot, back_foot


def travel_direction(track: Track, window: slice, size: float, least_travel: float) -> int | None:
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
