"""The events of a delivery, read from one smooth track: when the bat met the ball, when the foot landed, when the ball left the hand.

Belongs here: one finder per discipline, from a `Track` to deliveries with timed events, following cricket-metrics 3.5. Each event
carries its own time uncertainty; a movement that does not show the event gives none. Does not belong here: what is measured at an
event (`metrics`). A moving camera is not subtracted: hands are taken against the hips, feet against the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, velocity
from cricksy_pipeline.analysis.view import faces_camera


@dataclass(frozen=True)
class EventTime:
    """A moment: presentation time in seconds, its standard deviation, and the nearest frame."""

    t_s: float
    sigma_s: float
    frame: int


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
    """

    start_s: float
    end_s: float
    events: dict[str, EventTime]
    track: Track = field(repr=False)
    height_px: float
    front: str | None
    arm: str | None
    toward: int

    @property
    def back(self) -> str | None:
        """The side that is not the front side."""
        return None if self.front is None else other_side(self.front)


def other_side(side: str) -> str:
    """left for right, right for left."""
    return "right" if side == "left" else "left"


def frame_sigma_s(track: Track) -> float:
    """Standard deviation of a time known to one frame: the frame spacing over the square root of 12."""
    return 1 / track.rate_hz / 12**0.5


def _peaks(values: np.ndarray, at_least: float, apart_s: float, t_s: np.ndarray) -> list[int]:
    """Indices of local maxima of at least `at_least`, the higher first, none within `apart_s` of a higher one; then in time order."""
    filled = np.nan_to_num(values, nan=-np.inf)
    inner = np.flatnonzero((filled[1:-1] >= filled[:-2]) & (filled[1:-1] > filled[2:]) & (filled[1:-1] >= at_least)) + 1
    kept: list[int] = []
    for i in inner[np.argsort(-filled[inner], kind="stable")]:
        if all(abs(t_s[i] - t_s[k]) > apart_s for k in kept):
            kept.append(int(i))
    return sorted(kept)


def _event(track: Track, t_s: float, extra_sigma_s: float = 0.0) -> EventTime:
    return EventTime(float(t_s), float(np.hypot(frame_sigma_s(track), extra_sigma_s)), track.frame_at(t_s))


def foot_landing(track: Track, side: str, start_s: float, end_s: float, size: float, settings: DeliverySettings) -> float | None:
    """When the foot that swings fastest in [start_s, end_s] is down: its speed falls below 15 % of the swing's peak. None: no swing."""
    span = track.span(start_s, end_s)
    foot = (track.point(f"{side}_heel") + track.point(f"{side}_foot_index") + track.point(f"{side}_ankle")) / 3
    speed = np.linalg.norm(velocity(track.t_s, foot), axis=-1)[span] / size
    if len(speed) < 5 or not np.isfinite(speed).any():
        return None
    peak = int(np.nanargmax(speed))
    if speed[peak] < settings.foot_swing_speed:
        return None
    down = np.flatnonzero(speed[peak:] < settings.landed_share_of_swing * speed[peak])
    return float(track.t_s[span][peak + down[0]]) if len(down) else None


# ---------------------------------------------------------------------------------------------------------------------- batting


def find_batting(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Strokes: both hands together come down fast from a backlift."""
    hands = track.middle("wrist") - track.middle("hip")
    size = body_height_px(track.xy)
    speed = np.linalg.norm(velocity(track.t_s, hands), axis=-1) / size
    downwards = velocity(track.t_s, hands)[:, 1] / size
    apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1) / size
    swing = np.where((apart <= settings.batting_hands_apart) & (downwards > 0), speed, 0)
    found = []
    for i in _peaks(swing, settings.batting_hand_speed, settings.merge_within_s, track.t_s):
        stroke = _stroke(track, i, settings)
        if stroke is not None:
            found.append(stroke)
    return found


def _stroke(track: Track, peak: int, settings: DeliverySettings) -> FoundDelivery | None:
    t = track.t_s
    size = body_height_px(track.xy[track.span(t[peak] - settings.window_before_s, t[peak] + settings.window_after_s)])
    height = track.middle("hip")[:, 1] - track.middle("wrist")[:, 1]
    contact_s, spread_s = _contact(track, peak, settings)
    earliest, latest = settings.backlift_before_contact_s
    lifted = track.span(contact_s - earliest - latest, contact_s - earliest)
    if not np.isfinite(height[lifted]).any() or lifted.stop - lifted.start < 5:
        return None
    top = lifted.start + int(np.nanargmax(height[lifted]))
    if (height[top] - height[track.index_at(contact_s)]) / size < settings.backlift_drop:
        return None
    toward = _batting_direction(track, top, track.index_at(contact_s))
    front = _batting_front(track, top, track.index_at(contact_s), toward)
    events = {"top_of_backlift": _event(track, t[top], 0.02)}
    landing = foot_landing(track, front, contact_s - 0.6, contact_s + 0.1, size, settings) if front else None
    if landing is not None:
        events["front_foot_down"] = _event(track, landing, 0.01)
    events["contact"] = _event(track, contact_s, spread_s)
    events = dict(sorted(events.items(), key=lambda item: item[1].t_s))
    start, end = max(t[0], contact_s - settings.window_before_s), min(t[-1], contact_s + settings.window_after_s)
    return FoundDelivery(float(start), float(end), events, track, size, front, None, toward)


def _contact(track: Track, peak: int, settings: DeliverySettings) -> tuple[float, float]:
    """Time of contact and what its two signs disagree by, as a standard deviation.

    The hands move fastest shortly before the ball is met (Stuelcken 2005) and are lowest about when the bat passes the vertical: the
    low point after the peak is taken, the peak itself where there is none. On rendered drives the low point is 5 ms late, the
    peak 60 ms early. Sound would settle it; it is not used yet.
    """
    t = track.t_s
    after = track.span(t[peak] - 0.02, t[peak] + settings.contact_after_peak_s)
    y = track.middle("wrist")[after, 1]
    if np.isfinite(y).all() and len(y) > 4 and 0 < (low := int(np.argmax(y))) < len(y) - 1:
        return float(t[after][low]), abs(float(t[after][low] - t[peak])) / 12**0.5
    return float(t[peak]), settings.contact_after_peak_s / 2 / 12**0.5


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


# ---------------------------------------------------------------------------------------------------------------------- bowling


def find_bowling(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Bowled balls: a wrist circles over the head of a player who travels."""
    return _overarm(track, settings, settings.bowling_hip_travel)


def _overarm(track: Track, settings: DeliverySettings, least_travel: float) -> list[FoundDelivery]:
    size = body_height_px(track.xy)
    releases: list[tuple[float, int, str]] = []
    for side in ("left", "right"):
        wrist, shoulder = track.point(f"{side}_wrist"), track.point(f"{side}_shoulder")
        over = (shoulder - wrist)[:, 1] / size
        speed = np.linalg.norm(velocity(track.t_s, wrist - track.middle("hip")), axis=-1) / size
        for i in _peaks(over, settings.release_over_shoulder, settings.merge_releases_s, track.t_s):
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
    hips = track.middle("hip")[window]
    trunk = np.linalg.norm(track.middle("shoulder")[window] - hips, axis=-1)
    grown = 5 * abs(np.log(np.nanmedian(trunk[-10:]) / np.nanmedian(trunk[:10]))) if len(trunk) > 40 else 0
    if max(np.nanmax(np.linalg.norm(hips - hips[-1], axis=-1)) / size, min(grown, 0.5)) < least_travel:
        return None
    moved = (hips[-1] - hips[0])[0] / size
    toward = int(np.sign(moved)) if np.isfinite(moved) and abs(moved) > 0.3 else 0
    front = _bowling_front(track, release_s, arm, toward)
    events = {"release": _event(track, release_s, settings.release_sigma_s)}
    near, far = settings.front_foot_before_release_s
    front_s = foot_landing(track, front, release_s - far - 0.1, release_s + 0.03, size, settings)
    if front_s is not None and near <= release_s - front_s <= far:
        events["front_foot_contact"] = _event(track, front_s, 0.01)
        near, far = settings.back_foot_before_front_s
        back_s = foot_landing(track, other_side(front), front_s - far - 0.1, front_s, size, settings)
        if back_s is not None and near <= front_s - back_s <= far:
            events["back_foot_contact"] = _event(track, back_s, 0.01)
    events = dict(sorted(events.items(), key=lambda item: item[1].t_s))
    start, end = max(t[0], release_s - settings.window_before_s), min(t[-1], release_s + settings.window_after_s)
    return FoundDelivery(float(start), float(end), events, track, size, front, arm, toward)


def _bowling_front(track: Track, release_s: float, arm: str, toward: int) -> str:
    """The foot further along the run-up at release; seen along the pitch, the foot opposite the bowling arm."""
    at = track.index_at(release_s - 0.05)
    gap = (track.point("left_ankle") - track.point("right_ankle"))[at, 0]
    if toward and np.isfinite(gap) and abs(gap) > 0.1 * body_height_px(track.xy):
        return "left" if gap * toward > 0 else "right"
    return other_side(arm)


# ------------------------------------------------------------------------------------------------- wicketkeeping and fielding


def find_takes(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Takes and catches: both hands, together, stop a fast movement."""
    t = track.t_s
    hands = track.middle("wrist") - track.middle("hip")
    size = body_height_px(track.xy)
    speed = np.linalg.norm(velocity(t, hands), axis=-1) / size
    apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1) / size
    found = []
    for i in _peaks(speed, settings.take_hand_speed, settings.merge_within_s, t):
        after = track.span(t[i], t[i] + settings.take_slows_within_s)
        slow = np.flatnonzero((speed[after] < settings.take_slows_to * speed[i]) & (apart[after] < settings.take_hands_apart))
        if not len(slow):
            continue
        take_s = float(t[after][slow[0]])
        start, end = max(t[0], take_s - settings.window_before_s), min(t[-1], take_s + settings.window_after_s)
        found.append(FoundDelivery(float(start), float(end), {"take": _event(track, take_s, 0.03)}, track, size, None, None, 0))
    return found


def find_fielding(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """Throws (with the pick-up before them, where there is one), and catches away from any throw."""
    throws = [_with_pick_up(throw, settings) for throw in _overarm(track, settings, least_travel=0.0)]
    catches = [take for take in find_takes(track, settings) if all(take.end_s < throw.start_s or take.start_s > throw.end_s for throw in throws)]
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
    events = {"pick_up": _event(track, pick_up_s, 0.02), **throw.events}
    return FoundDelivery(min(throw.start_s, pick_up_s), throw.end_s, events, track, size, throw.front, throw.arm, throw.toward)


FINDERS: dict[AnalysisMode, Callable[[Track, DeliverySettings], list[FoundDelivery]]] = {
    AnalysisMode.BATTING: find_batting,
    AnalysisMode.BOWLING: find_bowling,
    AnalysisMode.WICKETKEEPING: find_takes,
    AnalysisMode.FIELDING: find_fielding,
}
