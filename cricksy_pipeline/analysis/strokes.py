"""Batting strokes in a track: top of the backlift, front foot down, contact.

Belongs here: telling a stroke from any other movement, and its three events. Does not belong here: thresholds (`delivery_settings`),
contact by sound (`contact_sound`).

A stroke is a bat's arc: both hands together are up, come down fast, and move on beyond the lowest point. A clap and a jumping jack part the
hands, a bow and a catch stop them, a return to the stance does both slowly; none of them is a stroke, and neither is a leave.
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.events import EventTime, FoundDelivery, in_order, peaks
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, velocity
from cricksy_pipeline.analysis.landings import foot_landing
from cricksy_pipeline.analysis.medians import median
from cricksy_pipeline.analysis.sides import play
from cricksy_pipeline.analysis.timing import Closeup, closeup, timed


def find_batting(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Strokes: both hands together come down fast from a backlift, and through."""
    size = body_height_px(track.xy)
    if not np.isfinite(size):
        return []
    hands = track.middle("wrist")
    moving = velocity(track.t_s, hands - track.middle("hip")) / size
    apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1) / size
    speed = np.where(apart <= settings.candidate_hands_apart, np.linalg.norm(moving, axis=-1), 0)
    downward = peaks(np.where(moving[:, 1] > 0, speed, 0), settings.batting_down_speed, 0.2, track.t_s)
    arcs = {i: _arc(track, i, size, settings) for i in downward if _fast(track, speed, i, settings)}
    strokes: list[FoundDelivery] = []
    for i in sorted(arcs, key=lambda i: (-arcs[i], i)):  # the deepest arc first: around it nothing else is another ball
        if any(abs(track.t_s[i] - ball.events["contact"].t_s) <= settings.merge_within_s for ball in strokes):
            continue
        stroke = _stroke(track, apart, i, settings)
        if stroke is not None:
            strokes.append(stroke)
    return sorted(strokes, key=lambda ball: ball.start_s)


def _fast(track: Track, speed: np.ndarray, peak: int, settings: DeliverySettings) -> bool:
    """Whether the hands are as fast as a stroke, down or through: seen along the pitch they come down towards the camera."""
    through = speed[track.span(track.t_s[peak] - 0.1, track.t_s[peak] + settings.through_s)]
    return bool(np.isfinite(through).any() and np.nanmax(through) >= settings.batting_hand_speed)


def _arc(track: Track, peak: int, size: float, settings: DeliverySettings) -> float:
    """How far the hands come down over the hips and go up again about a moment, the less of both, in body heights; a tenth of the samples
    at either end set aside. A misplaced hand may be faster than any stroke, but draws no arc, and a bat that is lowered does not go up."""
    at = track.t_s[peak]
    height = (track.middle("hip") - track.middle("wrist"))[:, 1] / size
    before, low = height[track.span(at - settings.arc_s, at)], height[track.span(at, at + settings.lowest_within_s)]
    after = height[track.span(at + 0.1, at + settings.arc_s)]
    if not all(np.isfinite(part).any() for part in (before, low, after)):
        return 0.0
    bottom = np.nanquantile(low, 0.1)
    return float(min(np.nanquantile(before, 0.9), np.nanquantile(after, 0.9)) - bottom)


def _stroke(track: Track, apart: np.ndarray, peak: int, settings: DeliverySettings) -> FoundDelivery | None:
    t = track.t_s
    around = track.span(t[peak] - settings.window_before_s, t[peak] + settings.window_after_s)
    size = body_height_px(track.xy[around])
    points = {"hands": track.middle("wrist"), "hips": track.middle("hip")}
    near = closeup(track, points, size, t[peak] - 0.15, t[peak] + 0.30)
    contact = timed(
        "contact", near, lambda seen: _contact(seen, float(t[peak]), settings), track, settings, "the hands' speed and lowest point"
    )
    if contact is None or not _is_a_swing(track, contact.t_s, size, settings):
        return None
    seen = play(track, AnalysisMode.BATTING, contact.t_s, size)
    front = None if seen is None or seen.front is None else seen.front.name
    toward = 0 if seen is None else seen.toward
    across = seen is not None and abs(seen.heading.right) >= settings.stride_across
    earliest, latest = settings.downswing_s
    view = closeup(track, {"hands": points["hands"]}, size, contact.t_s - latest - 0.05, contact.t_s)
    span = (contact.t_s - latest, contact.t_s - earliest)
    told = "top_of_backlift" if across else "top_of_backlift_along"
    top = timed(told, view, lambda seen: _top(seen, *span, settings), track, settings, "the hands' highest point before the downswing")
    if top is None or not _together(apart[track.span(top.t_s, contact.t_s)], settings):
        return None
    foot = _foot_down(track, front, contact.t_s, size, settings) if front and across else None
    events = in_order({"top_of_backlift": top, "front_foot_down": foot, "contact": contact})
    start, end = max(t[0], contact.t_s - settings.window_before_s), min(t[-1], contact.t_s + settings.window_after_s)
    return FoundDelivery(float(start), float(end), events, track, size, front, None, toward, contact_by="hands")


def _foot_down(track: Track, front: str, contact_s: float, size: float, settings: DeliverySettings) -> EventTime | None:
    """The front foot stops as it comes to the place where it stands at contact and after; where it is not seen to stop there (its name
    goes to the other foot and back for a moment), it is down when it comes near that place, less surely."""
    points = {"heel": track.point(f"{front}_heel"), "toe": track.point(f"{front}_foot_index")}
    view = closeup(track, points, size, contact_s - settings.stride_before_s, contact_s + settings.stands_for_s)
    there = timed("front_foot_down_by_place", view, lambda seen: _arrives(seen, contact_s, settings), track, settings, "the foot is there")
    if there is None:
        return None
    arrives_s = there.t_s - settings.errors["front_foot_down_by_place"].offset_s
    last = min(contact_s, arrives_s + settings.foot_stops_within_s - 0.06) + 0.06
    foot = foot_landing("front_foot_down", track, front, contact_s - 0.6, last, size, settings)
    return there if foot is None or foot.t_s < arrives_s else foot


def _arrives(view: Closeup, contact_s: float, settings: DeliverySettings) -> float | None:
    """When the foot has first come to within a share of its stride of the place where it stands from contact on.

    None: no stride, or one so fast that its end is where the other foot stands, under this one's name.
    """
    speed = np.maximum(view.speed("heel"), view.speed("toe"))
    if not np.isfinite(speed).any() or np.nanmax(speed) > settings.foot_most_speed:
        return None
    path = (view.points["heel"] + view.points["toe"]) / 2 / view.size
    stands = path[view.span(contact_s + 0.02, contact_s + settings.stands_for_s)]
    if not np.isfinite(stands).all(axis=1).any():
        return None
    place = [median(along[np.isfinite(along)]) for along in stands.T]
    apart = np.linalg.norm(path - place, axis=-1)[view.span(view.t_s[0], contact_s + 0.06)]
    stride = np.nanquantile(apart, 0.9) if np.isfinite(apart).any() else 0.0
    if not stride >= settings.least_stride * view.slack:
        return None
    left = np.flatnonzero(apart >= 0.8 * stride)[0]
    near = left + np.flatnonzero(apart[left:] <= settings.stride_left * view.slack * stride)
    return float(view.t_s[near[0]]) if len(near) else None


def _together(apart: np.ndarray, settings: DeliverySettings) -> bool:
    """Both hands on one handle: near each other nearly all the way down."""
    seen = apart[np.isfinite(apart)]
    return len(seen) > 0 and bool(np.mean(seen <= settings.batting_hands_apart) >= settings.hands_apart_share)


def _is_a_swing(track: Track, contact_s: float, size: float, settings: DeliverySettings) -> bool:
    """The hands were up, come down over the ground and half as far over the hips (a jump lowers both), are below the shoulders at contact,
    and move on after their lowest point; the trunk stays the right way up."""
    hands, shoulders = track.middle("wrist"), track.middle("shoulder")
    at = track.index_at(contact_s)
    if not (hands[at, 1] - shoulders[at, 1]) / size > settings.hands_under_shoulders:
        return False
    trunk = (track.middle("hip") - shoulders)[track.span(contact_s - 0.3, contact_s + 0.1), 1] / size
    if not (np.isfinite(trunk).any() and np.nanmin(trunk) >= settings.trunk_upright):
        return False
    near = track.span(contact_s - 0.05, contact_s + settings.lowest_within_s)
    before = track.span(contact_s - settings.downswing_s[1], contact_s - settings.downswing_s[0])
    if not np.isfinite(hands[near, 1]).any() or not np.isfinite(hands[before, 1]).any():
        return False
    low = near.start + int(np.nanargmax(hands[near, 1]))
    dropped = (hands[low, 1] - np.nanmin(hands[before, 1])) / size
    over_hips = (hands - track.middle("hip"))[:, 1] / size
    lowered = np.nanmax(over_hips[near]) - np.nanmin(over_hips[before])
    after = hands[track.span(track.t_s[low], track.t_s[low] + settings.follow_through_s)]
    moved_on = np.linalg.norm(after - hands[low], axis=-1) / size
    return bool(
        min(dropped, 2 * lowered) >= settings.backlift_drop
        and np.isfinite(moved_on).any()
        and np.nanmax(moved_on) >= settings.follow_through
    )


def _top(view: Closeup, start_s: float, end_s: float, settings: DeliverySettings) -> float | None:
    """The middle of the time about the hands' highest point over the ground, not over the hips: those sink into the stride."""
    span = view.span(start_s, end_s)
    height = view.height("hands")[span]
    if not np.isfinite(height).any() or len(height) < 5:
        return None
    near = np.nan_to_num(np.clip(height - (np.nanmax(height) - settings.backlift_depth * view.slack), 0, None))
    return float((near * view.t_s[span]).sum() / near.sum())


def _contact(view: Closeup, peak_s: float, settings: DeliverySettings) -> float | None:
    """Midway between two signs: the hands have slowed down from their peak, and they are at their lowest.

    The hands are fastest shortly before the ball is met (Stuelcken 2005) and slow while the bat overtakes them, and the handle passes its
    lowest point as the bat comes upright. On rendered drives the peak itself is 50 ms early.
    """
    speed = view.speed("hands", "hips")
    falling = np.where(view.velocity("hands", "hips")[:, 1] > 0, speed, -1.0)[view.span(peak_s - 0.06, peak_s + 0.06)]
    if not len(falling) or not (np.nan_to_num(falling, nan=-1) > 0).any():
        return None
    peak = view.index_at(peak_s - 0.06) + int(np.nanargmax(falling))
    after = view.span(view.t_s[peak], view.t_s[peak] + settings.contact_after_peak_s)
    slower = np.flatnonzero(speed[after] <= settings.contact_speed_share * view.slack * speed[peak])
    slowed_s = view.t_s[after][slower[0]] if len(slower) else view.t_s[peak] + settings.contact_after_peak_s / 2
    fallen = view.points["hands"][after, 1]
    lowest_s = view.t_s[after][int(np.nanargmax(fallen))] if np.isfinite(fallen).any() else slowed_s
    return float((slowed_s + lowest_s) / 2)
