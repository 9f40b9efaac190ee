"""The quantities over time that metrics are read from and plots are drawn from.

Belongs here: one function per named series, from a ball to (m,) values on its track; None when a side or the line of play that the
definition needs is not known. Every metric that is a value at an event is read from one of these, so that the evidence a reader
sees is the evidence that was used. Does not belong here: events, bands.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cricksy_pipeline.analysis.events import other_side
from cricksy_pipeline.analysis.kinematics import joint_angle_deg, plumb_angle_deg, velocity
from cricksy_pipeline.analysis.metrics.ball import Ball


def head(ball: Ball) -> np.ndarray:
    """(m, 2) middle of ears and eyes: unlike the nose it does not move when the head turns with the ball (Mann 2013)."""
    return (ball.track.middle("ear") + ball.track.middle("eye")) / 2


def _front_knee(ball: Ball) -> np.ndarray | None:
    side = ball.found.front
    if side is None:
        return None
    return joint_angle_deg(*(ball.track.point(f"{side}_{part}") for part in ("hip", "knee", "ankle")))


def _head_offset(ball: Ball) -> np.ndarray | None:
    if ball.found.front is None or not ball.found.toward:
        return None
    behind = (ball.track.point(f"{ball.found.front}_ankle") - head(ball))[:, 0] * ball.found.toward
    return 100 * behind / ball.height_px


def _head_lateral(ball: Ball) -> np.ndarray | None:
    away = _away_from_arm(ball)
    if ball.found.front is None or away is None:
        return None
    return 100 * (head(ball) - ball.track.point(f"{ball.found.front}_ankle"))[:, 0] * away / ball.height_px


def _head_over_base(ball: Ball) -> np.ndarray:
    return 100 * (head(ball) - ball.track.middle("ankle"))[:, 0] / ball.height_px


def _base_position(ball: Ball) -> np.ndarray | None:
    if ball.found.front is None:
        return None
    front, back = (ball.track.point(f"{side}_ankle")[:, 0] for side in (ball.found.front, ball.found.back))
    base = front - back
    # With the feet less than a tenth of a body height apart there is no base to be somewhere in.
    clear = np.abs(base) > 0.1 * ball.height_px
    return np.where(clear, (ball.track.middle("hip")[:, 0] - back) / np.where(clear, base, 1), np.nan)


def _elbow(ball: Ball, side: str | None) -> np.ndarray | None:
    if side is None:
        return None
    shoulder, elbow = ball.track.point(f"{side}_shoulder"), ball.track.point(f"{side}_elbow")
    length = np.linalg.norm(elbow - shoulder, axis=-1)
    if not np.isfinite(length).any():
        return None
    # The longest the upper arm appears is its true length: the height against it needs no view.
    return np.degrees(np.arcsin(np.clip((shoulder - elbow)[:, 1] / np.nanpercentile(length, 90), -1, 1)))


def _side_lean(ball: Ball) -> np.ndarray | None:
    sign = _away_from_arm(ball) if ball.found.arm else _off_side(ball)
    return None if sign is None else plumb_angle_deg(ball.track.middle("hip"), ball.track.middle("shoulder")) * sign


def _forward_lean(ball: Ball) -> np.ndarray | None:
    if not ball.found.toward:
        return None
    return plumb_angle_deg(ball.track.middle("hip"), ball.track.middle("shoulder")) * ball.found.toward


def _arm_slot(ball: Ball) -> np.ndarray | None:
    arm = ball.found.arm
    away = _away_from_arm(ball)
    sign = ball.found.toward if ball.view.name == "side" else None if away is None else -away
    if arm is None or not sign:
        return None
    return plumb_angle_deg(ball.track.point(f"{arm}_shoulder"), ball.track.point(f"{arm}_wrist")) * sign


def _hand_speed(ball: Ball) -> np.ndarray:
    hand = ball.track.point(f"{ball.found.arm}_wrist") if ball.found.arm else ball.track.middle("wrist")
    return np.linalg.norm(velocity(ball.track.t_s, hand - ball.track.middle("hip")), axis=-1) / ball.height_px


def _hip_speed(ball: Ball) -> np.ndarray:
    return np.linalg.norm(velocity(ball.track.t_s, ball.track.middle("hip"), 0.1), axis=-1) / ball.height_px


def _ankles_apart(ball: Ball) -> np.ndarray:
    return np.linalg.norm(ball.track.point("left_ankle") - ball.track.point("right_ankle"), axis=-1) / ball.height_px


def _wrist_height(ball: Ball) -> np.ndarray | None:
    if ball.found.arm is None or ball.found.front is None:
        return None
    span = ball.track.span(ball.found.start_s, ball.found.end_s)
    foot = np.fmax(ball.track.point(f"{ball.found.front}_ankle"), ball.track.point(f"{ball.found.front}_heel"))
    return (np.nanpercentile(foot[span, 1], 95) - ball.track.point(f"{ball.found.arm}_wrist")[:, 1]) / ball.height_px


def _wrists_apart(ball: Ball) -> np.ndarray:
    gap = np.linalg.norm(ball.track.point("left_wrist") - ball.track.point("right_wrist"), axis=-1)
    shoulders = np.linalg.norm(ball.track.point("left_shoulder") - ball.track.point("right_shoulder"), axis=-1)
    return gap / np.nanpercentile(shoulders, 90)


def _hip_height(ball: Ball) -> np.ndarray:
    floor = np.fmax(ball.track.point("left_ankle")[:, 1], ball.track.point("right_ankle")[:, 1])
    return (floor - ball.track.middle("hip")[:, 1]) / ball.height_px


def _off_side(ball: Ball) -> int | None:
    """+1 when the off side lies to the right of the picture: where the feet point at the end of the backlift, seen along the pitch."""
    event = ball.found.events.get("top_of_backlift")
    if event is None:
        return None
    span = ball.track.span(event.t_s - 0.4, event.t_s)
    toes = sum(ball.track.point(f"{side}_foot_index") - ball.track.point(f"{side}_heel") for side in ("left", "right"))
    points = np.nanmedian(toes[span, 0]) / ball.height_px
    return int(np.sign(points)) if np.isfinite(points) and abs(points) > 0.05 else None


def _away_from_arm(ball: Ball) -> int | None:
    """+1 when the side away from the bowling arm lies to the right of the picture, from the hips in the run-up and the shoulders."""
    event, arm = ball.found.events.get("release"), ball.found.arm
    if event is None or arm is None:
        return None
    span = ball.track.span(event.t_s - 1.0, event.t_s)
    across = ball.track.point(f"{other_side(arm)}_shoulder") - ball.track.point(f"{arm}_shoulder")
    width = np.nanmedian(across[span, 0]) / ball.height_px
    return int(np.sign(width)) if np.isfinite(width) and abs(width) > 0.02 else None


SERIES: dict[str, Callable[[Ball], np.ndarray | None]] = {
    "front_knee_deg": _front_knee,
    "head_offset_pct": _head_offset,
    "head_lateral_pct": _head_lateral,
    "head_over_base_pct": _head_over_base,
    "base_position": _base_position,
    "lead_elbow_deg": lambda ball: _elbow(ball, ball.found.front),
    "throwing_elbow_deg": lambda ball: _elbow(ball, ball.found.arm),
    "side_lean_deg": _side_lean,
    "forward_lean_deg": _forward_lean,
    "arm_slot_deg": _arm_slot,
    "hand_speed": _hand_speed,
    "hip_speed": _hip_speed,
    "ankles_apart": _ankles_apart,
    "wrist_height": _wrist_height,
    "wrists_apart": _wrists_apart,
    "hip_height": _hip_height,
}
