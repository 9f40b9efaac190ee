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
    """Both hands, together, are fast, are stopped, and stay together. kind: "take" or "catch", a key of `DeliverySettings.errors`."""
    t = track.t_s
    size = body_height_px(track.xy)
    if not np.isfinite(size):
        return []
    hands = track.middle("wrist") - track.middle("hip")
    speed = np.linalg.norm(velocity(t, hands), axis=-1) / size
    apart = np.linalg.norm(track.point("left_wrist") - track.point("right_wrist"), axis=-1) / size
    near = np.where(apart <= settings.take_hands_apart, speed, 0)
    found = []
    for i in peaks(near, settings.take_hand_speed, 0.2, t):
        take = _take(kind, track, apart, i, size, settings)
        if take is None:
            continue
        events = in_order({**before(track, take, size, settings), "take": take})
        first = min([take.t_s - settings.window_before_s, *(event.t_s for event in events.values())])
        end = min(t[-1], take.t_s + settings.window_after_s)
        ball = FoundDelivery(float(max(t[0], first)), float(end), events, track, size, None, None, 0)
        found.append((len(events), float(near[i]), ball))
    return _best(found, settings)


def _best(found: list[tuple[int, float, FoundDelivery]], settings: DeliverySettings) -> list[FoundDelivery]:
    """Of takes that lie too near each other for two balls, the one that shows most of what comes before a take, then the fastest."""
    kept: list[FoundDelivery] = []
    for _, _, ball in sorted(found, key=lambda item: (-item[0], -item[1], item[2].start_s)):
        if all(abs(ball.events["take"].t_s - other.events["take"].t_s) > settings.merge_within_s for other in kept):
            kept.append(ball)
    return sorted(kept, key=lambda ball: ball.start_s)


def _take(kind: str, track: Track, apart: np.ndarray, peak: int, size: float, settings: DeliverySettings) -> EventTime | None:
    at = float(track.t_s[peak])
    reach = settings.take_about_peak_s
    gap = np.stack([apart * size, np.zeros(len(apart))], -1)
    points = {"hands": track.middle("wrist"), "hips": track.middle("hip"), "gap": gap}
    view = closeup(track, points, size, at - reach, at + 0.45 + settings.take_rest_s)
    take = timed(kind, view, lambda seen: _stopped(seen, at, settings), track, settings, "both hands, together, are stopped")
    if take is None:
        return None
    held = apart[track.span(take.t_s, take.t_s + settings.take_held_s)]
    return take if np.isfinite(held).any() and np.nanmax(held) <= settings.take_hands_apart * settings.take_gap_slack else None


def _stopped(view: Closeup, peak_s: float, settings: DeliverySettings) -> float | None:
    """Where the hands, together, turn most sharply before they rest; from there back, where they had slowed to a share of their reach.

    The rest after it and the turn tell the take from every other halt; the slowing tells its time the same from all sides, with a give
    and without.
    """
    moving = view.velocity("hands", "hips", half_s=settings.take_over_s)
    speed = np.linalg.norm(moving, axis=-1)
    rest = _rest_after(view, speed, peak_s, settings)
    ahead = view.index_at(view.t_s[0] + settings.take_turn_s)
    if rest is None or len(moving) <= 2 * ahead:
        return None
    before, after = moving[: -2 * ahead], moving[2 * ahead :]
    turn = np.full(len(moving), np.nan)
    # A way back counts more than a mere slowing down: at the end of the give the hands slow down, too.
    back = np.where((before * after).sum(-1) < 0, 1.0, 0.5)
    turn[ahead:-ahead] = back * np.linalg.norm(after - before, axis=-1)
    together = np.abs(view.points["gap"][:, 0]) / view.size <= settings.take_hands_apart * settings.take_gap_slack * view.slack
    span = view.span(view.t_s[rest] - settings.take_before_rest_s, view.t_s[rest] + 0.03)
    turn = np.where(together, turn, np.nan)[span]
    if not np.isfinite(turn).any() or not np.nanmax(turn) >= settings.take_turn_speed * view.slack:
        return None
    turned_s = float(view.t_s[span][int(np.nanargmax(turn))])
    near = view.span(turned_s - 0.20, turned_s + 0.06)
    fastest = np.maximum.accumulate(np.nan_to_num(speed[near]))
    slow = np.flatnonzero((speed[near] <= settings.take_slows_to * view.slack * fastest) & (view.t_s[near] >= turned_s - 0.09))
    return float(view.t_s[near][slow[0]]) if len(slow) else turned_s


def _rest_after(view: Closeup, speed: np.ndarray, peak_s: float, settings: DeliverySettings) -> int | None:
    """The first sample after the fastest moment from which the hands rest for `take_rest_s`."""
    hold = view.index_at(view.t_s[0] + settings.take_rest_s)
    for i in range(view.index_at(peak_s), len(speed) - hold):
        if (speed[i : i + hold] <= settings.take_rest_speed * view.slack).all():
            return i
    return None


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
