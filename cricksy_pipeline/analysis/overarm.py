"""Overarm actions in a track: a bowled ball, and the same search for a fielder's throw.

Belongs here: release, front-foot and back-foot contact, and which arm and foot they are. Does not belong here: pick-ups and which of these
actions is a throw (`fielding`), thresholds (`delivery_settings`).
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Pass:
    """A fast hand on its way over the shoulder.

    Attributes:
        top: index in the track where it is highest over its shoulder. arm: "left" or "right".
        alone: whether the other hand is away.
        over: that height in body heights.
        swing: `over` times its height over the hips times the hand's mean speed about the top, BH3/s; 0 where the hips were not seen.
        rises, falls: body heights by which the hand is to the right of its shoulder in the picture where it comes up past it, and where
            it goes down past it.
    """

    top: int
    arm: str
    alone: bool
    over: float
    swing: float
    rises: float
    falls: float


def find_circles(track: Track, settings: DeliverySettings, *, two_arms: bool = False) -> list[tuple[int, str]]:
    """[(where the wrist is highest, arm)] of every action in which a fast wrist circles from below the shoulder over the head and down.

    Both arms go up in one action, the front arm first, and it swings up again behind the player after the ball: see `_delivering`. In some
    pass of an action the other hand is away: two arms that go up together bowl nothing.

    two_arms: the other arm may be up, too, as in a throw.
    """
    seen = [seen for side in ("left", "right") for seen in _passes(track, side, two_arms, settings)]
    least = settings.throw_over_shoulder if two_arms else settings.release_over_shoulder
    actions: list[list[_Pass]] = []
    for one in sorted(seen, key=lambda one: (one.top, one.swing)):
        if actions and track.t_s[one.top] - track.t_s[actions[-1][-1].top] <= settings.later_arm_within_s:
            actions[-1].append(one)
        else:
            actions.append([one])
    kept: list[_Pass] = []
    for action in sorted(actions, key=lambda action: -max(one.swing for one in action)):
        chosen = _delivering(action, track, settings)
        apart_s = [abs(track.t_s[chosen.top] - track.t_s[other.top]) for other in kept]
        seen_alone = any(one.alone and one.over >= least for one in action)
        if seen_alone and all(apart > settings.merge_releases_s for apart in apart_s):
            kept.append(chosen)
    return [(one.top, one.arm) for one in sorted(kept, key=lambda one: one.top)]


def _delivering(action: list[_Pass], track: Track, settings: DeliverySettings) -> _Pass:
    """The pass of an action, in time order, that lets the ball go.

    Seen across the way he goes, only the arm that delivers comes up behind him and goes down in front of him: the front arm goes up and
    down in front, and after the ball up and down behind. Where that does not show, along the pitch or where BlazePose folds the arm, the
    last pass delivers, unless it is a mere shadow of the one before it, as the front arm's is after the ball.
    """
    last = track.t_s[action[-1].top]
    size = body_height_px(track.xy[track.span(last - settings.window_before_s, last + settings.window_after_s)])
    toward = travel_direction(track, track.span(last - 1.5, last), size, 0.0)
    if toward:
        across = [(one, one.rises * toward, one.falls * toward) for one in action]
        over_the_top = [one for one, rises, falls in across if rises <= -settings.arm_rises_behind and falls > -settings.arm_falls_behind]
        if over_the_top:
            return over_the_top[-1]
        in_front = [one for one, rises, falls in across if rises > -settings.arm_rises_behind or falls > -settings.arm_falls_behind]
        action = in_front or action
    chosen = action[0]
    for one in action[1:]:
        # Where BlazePose draws both arms to one hand, both pass at once.
        drawn_twice = chosen.alone and not one.alone and track.t_s[one.top] - track.t_s[chosen.top] <= settings.passes_apart_s
        if one.swing >= settings.later_arm_share * chosen.swing and not drawn_twice:
            chosen = one
    return chosen


def _passes(track: Track, side: str, two_arms: bool, settings: DeliverySettings) -> list[_Pass]:
    """The passes of one hand that may belong to an action: high, fast, from below the shoulder to below it.

    Heights are of the player as tall as he is then: run away from the camera, he had been half as tall again at the beginning.
    """
    size, t = body_height_px(track.xy), track.t_s
    if not np.isfinite(size):
        return []
    over = _over(track, side, size)
    speed = np.linalg.norm(velocity(t, track.point(f"{side}_wrist") - track.middle("hip")), axis=-1) / size
    least_over = min(settings.throw_over_shoulder, settings.pass_over_shoulder) if two_arms else settings.pass_over_shoulder
    least_speed = settings.throw_arm_speed if two_arms else settings.bowling_arm_speed
    found: list[_Pass] = []
    for i in peaks(over, 0.5 * least_over, settings.passes_apart_s, t):
        near = speed[track.span(t[i] - 0.12, t[i] + 0.12)]
        if not np.isfinite(near).any() or np.nanmax(near) < 0.5 * least_speed:
            continue
        nearer = size / stature_at(t, track.xy, t[i]).px
        fast, high = nearer * np.nanmax(near) >= least_speed, nearer * over[i] >= least_over
        if fast and high and _circles(over, track, i, settings):
            alone = _other_hand_away(track, side, i, size, two_arms, settings)
            rises, falls = _beside_shoulder(track, side, over, i)
            over_hips = (track.middle("hip") - track.point(f"{side}_wrist"))[i, 1] / size
            swing = nearer**3 * over[i] * max(over_hips, 0.0) * np.nanmean(near)
            one = _Pass(i, side, alone, float(nearer * over[i]), float(np.nan_to_num(swing)), nearer * rises / size, nearer * falls / size)
            again = bool(found) and t[i] - t[found[-1].top] <= settings.passes_again_s and (over[found[-1].top : i] > 0).all()
            if again:
                found[-1] = max(found[-1], one, key=lambda p: p.over)
            else:
                found.append(one)
    return found


def _beside_shoulder(track: Track, side: str, over: np.ndarray, top: int) -> tuple[float, float]:
    """Pixels by which a hand is to the right of its shoulder where it last came up past it before `top` and first goes down after."""
    right = (track.point(f"{side}_wrist") - track.point(f"{side}_shoulder"))[:, 0]
    under = ~(over > 0)
    before, after = np.flatnonzero(under[:top]), np.flatnonzero(under[top:])
    return float(right[before[-1] if len(before) else 0]), float(right[top + after[0] if len(after) else -1])


def _other_hand_away(track: Track, side: str, top: int, size: float, two_arms: bool, settings: DeliverySettings) -> bool:
    """Whether the other hand is down from here on, or, where it may be up, at least away from this one."""
    if two_arms:
        apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1)[top] / size
        return bool(apart >= settings.throw_hands_apart)
    before, after = settings.other_hand_s
    other = _over(track, other_side(side), size)[track.span(track.t_s[top] - before, track.t_s[top] + after)]
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
    going = play(track, AnalysisMode.BOWLING, release_s, size)
    nearer = going.heading.nearer if going is not None else 0.0
    if nearer <= -settings.feet_along or not (toward or nearer > 0):
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
