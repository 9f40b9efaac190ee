"""Takes and catches in a track: what keepers do, and fielders who catch.

Belongs here: telling them from any other movement, and their events. Does not belong here: pick-ups and throws (`fielding`), thresholds
(`delivery_settings`).

The ball is not seen. It meets the hands where they, together, are stopped in their reach, before they give.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.events import EventTime, FoundDelivery, in_order, peaks
from cricksy_pipeline.analysis.kinematics import Track, body_height_px, velocity
from cricksy_pipeline.analysis.stillness import left_stillness, reached_stillness, still_until
from cricksy_pipeline.analysis.timing import Closeup, closeup, timed


def find_keeping(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """A keeper's takes, each with the crouch before it: when it was reached, and when the hips left it."""
    return _takes(track, settings, "take", _crouch)


def find_catches(track: Track, settings: DeliverySettings) -> list[FoundDelivery]:
    """A fielder's catches, each with the ready position before it."""
    takes = _takes(track, settings, "catch", _ready)
    return [take for take in takes if _over_ground(take, settings)]


Before = Callable[[Track, EventTime, float, DeliverySettings], dict[str, EventTime | None]]
"""The events before a take."""


def _takes(track: Track, settings: DeliverySettings, kind: str, before: Before) -> list[FoundDelivery]:
    """Both hands, together, are fast, go no further, and stay together. kind: "take" or "catch", a key of `DeliverySettings.errors`."""
    t = track.t_s
    size = body_height_px(track.xy)
    if not np.isfinite(size):
        return []
    hands = track.middle("wrist") - track.middle("hip")
    speed = np.linalg.norm(velocity(t, hands), axis=-1) / size
    apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1) / size
    widest = settings.take_hands_apart_from_crouch if kind == "take" else settings.take_hands_apart
    near = np.where(apart <= widest, speed, 0)
    found = []
    for i in peaks(near, settings.take_hand_speed, 0.1, t):
        take = _take(kind, track, apart, i, size, widest, settings)
        if take is None or (kind == "take" and _sinks(track, take.t_s, size, settings)):
            continue
        came = before(track, take, size, settings)
        if not _is_believed(kind, track, apart, i, take, came, size, settings):
            continue
        events = in_order({**came, "take": take})
        first = min([take.t_s - settings.window_before_s, *(event.t_s for event in events.values())])
        end = min(t[-1], take.t_s + settings.window_after_s)
        ball = FoundDelivery(float(max(t[0], first)), float(end), events, track, size, None, None, 0)
        found.append((len(events), _reach(track, i, take.t_s, size, settings)[0], ball))
    return _best(found, settings)


Found = tuple[int, float, FoundDelivery]
"""How many events it shows, how far the hands reached in body heights, the take."""


def _best(found: list[Found], settings: DeliverySettings) -> list[FoundDelivery]:
    """Of takes that lie too near each other for two balls, the one that shows most of what comes before a take, then the first: the give
    follows. A reach of less than half of a later one is no more than the hands on their way."""
    kept: list[FoundDelivery] = []
    whole = [item for item in found if not any(_leads_to(item, other, settings) for other in found)]
    for _, _, ball in sorted(whole, key=lambda item: (-item[0], item[2].events["take"].t_s)):
        if all(abs(ball.events["take"].t_s - other.events["take"].t_s) > settings.merge_within_s for other in kept):
            kept.append(ball)
    return sorted(kept, key=lambda ball: ball.start_s)


def _leads_to(item: Found, other: Found, settings: DeliverySettings) -> bool:
    later_s = other[2].events["take"].t_s - item[2].events["take"].t_s
    return 0 < later_s <= settings.merge_within_s and other[0] >= item[0] and item[1] < settings.take_reach_share * other[1]


def _take(
    kind: str, track: Track, apart: np.ndarray, peak: int, size: float, widest: float, settings: DeliverySettings
) -> EventTime | None:
    at = float(track.t_s[peak])
    gap = np.stack([apart * size, np.zeros(len(apart))], -1)
    points = {"hands": track.middle("wrist"), "hips": track.middle("hip"), "gap": gap}
    view = closeup(track, points, size, at - settings.reach_s, at + 0.85)
    seen = "both hands, together, reach no further"
    take = timed(kind, view, lambda seen: _furthest(seen, at, widest, settings), track, settings, seen)
    if take is None or _widest_held(apart, track, take.t_s, settings) > widest * settings.take_gap_slack:
        return None
    return take


def _widest_held(apart: np.ndarray, track: Track, take_s: float, settings: DeliverySettings) -> float:
    held = apart[track.span(take_s, take_s + settings.take_held_s)]
    return float(np.nanmax(held)) if np.isfinite(held).any() else float("inf")


def _furthest(view: Closeup, peak_s: float, widest: float, settings: DeliverySettings) -> float | None:
    """When the hands, together, are first as far from where they waited as they will be for a while; they rest soon after.

    A ball ends the reach, whatever comes then: a give leads back towards the body, hard hands stop, and a give straight away from the
    camera does not show. The distance from where the hands waited needs no direction and is the same from all sides.
    """
    path = (view.points["hands"] - view.points["hips"]) / view.size
    speed = view.speed("hands", "hips", half_s=settings.take_over_s)
    peak = view.index_at(peak_s)
    waited = _waited(speed, view, peak_s, settings)
    if waited is None:
        return None
    distance = np.linalg.norm(path - path[waited], axis=-1)
    ahead = view.index_at(view.t_s[0] + settings.take_no_further_s)
    if len(distance) <= peak + ahead:
        return None
    coming = _coming(distance, ahead, settings)
    together = np.abs(view.points["gap"][:, 0]) / view.size <= widest * settings.take_gap_slack * view.slack
    most = distance[: len(coming)]
    there = (most >= settings.take_reach * view.slack) & (coming * (1 - settings.take_slack * view.slack) <= most) & together[: len(coming)]
    there[:peak] = False
    first = np.flatnonzero(there)
    if not len(first) or not _rests(view, speed, int(first[0]), settings):
        return None
    return float(view.t_s[first[0]])


def _coming(distance: np.ndarray, ahead: int, settings: DeliverySettings) -> np.ndarray:
    """The farthest that the hands get within the next `ahead` samples, before they have come back by `take_back`: a give that leads past
    the body is no further reach."""
    last_seen = np.maximum.accumulate(np.where(np.isfinite(distance), np.arange(len(distance)), 0))
    windows = np.lib.stride_tricks.sliding_window_view(np.nan_to_num(distance[last_seen], nan=-1.0), ahead + 1)
    farthest = np.maximum.accumulate(windows, axis=-1)
    back = np.cumsum(farthest - windows > np.maximum(settings.take_back * farthest, settings.take_back_least), axis=-1) > 0
    return np.where(back, -1.0, windows).max(axis=-1)


def _waited(speed: np.ndarray, view: Closeup, peak_s: float, settings: DeliverySettings) -> int | None:
    """The sample before the fastest moment at which the hands moved least."""
    before = speed[view.span(peak_s - settings.reach_s, peak_s)]
    if not np.isfinite(before).any():
        return None
    return view.index_at(peak_s - settings.reach_s) + int(np.nanargmin(before))


def _rests(view: Closeup, speed: np.ndarray, take: int, settings: DeliverySettings) -> bool:
    """Whether the hands come to rest for `take_rest_s` soon after a take."""
    hold = view.index_at(view.t_s[0] + settings.take_rest_s)
    slow = speed <= settings.take_rest_speed * view.slack
    last = min(view.index_at(view.t_s[take] + settings.take_rests_within_s), len(slow) - hold)
    return any(slow[i : i + hold].all() for i in range(take, last + 1))


def _is_believed(
    kind: str,
    track: Track,
    apart: np.ndarray,
    peak: int,
    take: EventTime,
    came: dict[str, EventTime | None],
    size: float,
    settings: DeliverySettings,
) -> bool:
    """Whether what was before a take, its reach and the hands after it are those of a take."""
    if not any(came.values()) and _leaps(track, take.t_s, size, settings):
        return False
    rise = came.get("rise")
    if rise is None and _widest_held(apart, track, take.t_s, settings) > settings.take_hands_apart * settings.take_gap_slack:
        return False
    if kind == "take":
        return rise is None or take.t_s - rise.t_s <= settings.rise_to_take_s
    reach, waited = _reach(track, peak, take.t_s, size, settings)
    lasts_s = max(take.t_s - float(track.t_s[waited]), 1 / track.rate_hz)
    return reach >= settings.catch_reach_speed * lasts_s and not _near_ground(track, waited, size, settings)


def _near_ground(track: Track, at: int, size: float, settings: DeliverySettings) -> bool:
    """Whether both hands are where a ball is picked up."""
    return bool((track.middle("ankle") - track.middle("wrist"))[at, 1] / size < settings.pick_up_wrist_height)


def _reach(track: Track, peak: int, take_s: float, size: float, settings: DeliverySettings) -> tuple[float, int]:
    """How far the hands went against the hips, in body heights, from where they waited before their fastest moment to the take; and the
    sample at which they waited."""
    hands = (track.middle("wrist") - track.middle("hip")) / size
    speed = np.linalg.norm(velocity(track.t_s, hands, settings.take_over_s), axis=-1)
    before = track.span(track.t_s[peak] - settings.reach_s, track.t_s[peak])
    if not np.isfinite(speed[before]).any():
        return 0.0, before.start
    waited = before.start + int(np.nanargmin(speed[before]))
    return float(np.nan_to_num(np.linalg.norm(hands[track.index_at(take_s)] - hands[waited]))), waited


def _leaps(track: Track, take_s: float, size: float, settings: DeliverySettings) -> bool:
    """Whether the hips about a take change their velocity as no legs can make them: the landmarks have gone over to somebody else."""
    moving = velocity(track.t_s, track.steady("hip")) / size
    ahead = track.index_at(track.t_s[0] + settings.leap_s)
    change = np.linalg.norm(moving[ahead:] - moving[:-ahead], axis=-1)[track.span(take_s - 0.4, take_s + 0.2 - settings.leap_s)]
    return bool(np.isfinite(change).any() and np.nanmax(change) > settings.leap_speed)


def _sinks(track: Track, take_s: float, size: float, settings: DeliverySettings) -> bool:
    """Whether the hips came down until now: hands that stop as a keeper settles into his crouch take nothing."""
    height = (track.middle("ankle") - track.middle("hip"))[track.span(take_s - settings.sinks_within_s, take_s), 1] / size
    return bool(np.isfinite(height).any() and height[0] - height[-1] >= settings.crouch_rise)


def _over_ground(catch: FoundDelivery, settings: DeliverySettings) -> bool:
    """Whether the hands were at the hips or higher: two hands that stop near the ground pick a ball up."""
    track, at = catch.track, catch.track.index_at(catch.events["take"].t_s)
    return bool((track.middle("hip") - track.middle("wrist"))[at, 1] / catch.height_px >= settings.catch_over_hips)


def _crouch(track: Track, take: EventTime, size: float, settings: DeliverySettings) -> dict[str, EventTime | None]:
    """The set and the rise: the hips' last low rest before the take."""
    points = {"hips": track.middle("hip"), "feet": track.middle("ankle")}
    view = closeup(track, points, size, take.t_s - settings.crouch_before_s, take.t_s + 0.1)
    rise = timed("rise", view, lambda seen: left_stillness(seen, take.t_s, settings), track, settings, "the hips leave their lowest rest")
    if rise is None:
        return {}
    reached = timed(
        "set", view, lambda seen: reached_stillness(seen, rise.t_s, settings), track, settings, "the hips come to their lowest rest"
    )
    return {"set": reached, "rise": rise}


def _ready(track: Track, take: EventTime, size: float, settings: DeliverySettings) -> dict[str, EventTime | None]:
    return {"ready": find_ready("catch_ready", track, take.t_s - 0.2, size, settings)}


def find_ready(name: str, track: Track, before_s: float, size: float, settings: DeliverySettings) -> EventTime | None:
    """The end of the last rest of hips, hands and feet before a time: from here the fielder moves. None: he was not seen at rest."""
    points = {"hips": track.middle("hip"), "hands": track.middle("wrist"), "feet": track.middle("ankle")}
    view = closeup(track, points, size, before_s - settings.ready_before_s, before_s)
    return timed(
        name, view, lambda seen: still_until(seen, settings), track, settings, "hips, hands and feet are at rest for the last time"
    )
