"""The quantities over time that metrics are read from and plots are drawn from.

Belongs here: one function per named series, from a ball to (m,) values on its track, with the landmarks and the knowledge that it needs.
Every metric names the series it was read from, so that the evidence a reader sees is the evidence that was used. Does not belong here:
events, bands, reading at a moment (`readings`).

Lengths are in body heights or per cent of it, angles in degrees, speeds in body heights per second of the track's clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.kinematics import joint_angle_deg, plumb_angle_deg, velocity
from cricksy_pipeline.analysis.metrics.ball import SHANK, THIGH, Ball
from cricksy_pipeline.analysis.metrics.directions import away_from_arm, facing, off_side

BEFORE_STRIDE_S = (0.95, 0.65)
"""Before contact: there the front foot still stands (a stride starts 0.58 to 0.64 s before contact, Stretch 1998)."""


@dataclass(frozen=True)
class Quantity:
    """A series.

    Attributes:
        work_out: from a ball that has all that is needed to (m,) values; None where a direction cannot be told after all.
        points: the landmarks it is made of, by names as in `Ball.named`.
        needs: as in `Ball.lacks`.
        on_ground: whether it compares places over time, so that the camera's movement must be known.
    """

    work_out: Callable[[Ball], np.ndarray | None]
    points: tuple[str, ...]
    needs: tuple[str, ...] = ()
    on_ground: bool = False


def series(ball: Ball, name: str) -> np.ndarray | None:
    """(m,) the named quantity over the whole track; None when something it needs is not known."""
    if name not in ball.cache:
        quantity = SERIES[name]
        ball.cache[name] = None if ball.lacks(*quantity.needs) else quantity.work_out(ball)
    return ball.cache[name]


def head(ball: Ball) -> np.ndarray:
    """(m, 2) middle of ears and eyes: unlike the nose it does not move when the head turns with the ball (Mann 2013)."""
    return (ball.place("ear") + ball.place("eye")) / 2


def floor_y(ball: Ball) -> np.ndarray:
    """(m,) picture height of the lower ankle."""
    return np.fmax(ball.track.point("left_ankle")[:, 1], ball.track.point("right_ankle")[:, 1])


def _knee(ball: Ball, side: str) -> np.ndarray:
    return joint_angle_deg(*(ball.place(f"{side}_{part}") for part in ("hip", "knee", "ankle")))


def _head_to_front_ankle(ball: Ball) -> np.ndarray:
    # Counted from the player's own side, so that a mirrored player has the same curve.
    sign = 1 if ball.found.front == "left" else -1
    return sign * 100 * (head(ball) - ball.place("front_ankle"))[:, 0] / ball.height_px


def _head_lateral(ball: Ball) -> np.ndarray | None:
    away = away_from_arm(ball)
    return None if away is None else 100 * (head(ball) - ball.place("front_ankle"))[:, 0] * away / ball.height_px


def _base_position(ball: Ball) -> np.ndarray:
    back = ball.place("back_ankle")[:, 0]
    base = ball.place("front_ankle")[:, 0] - back
    # With the feet less than a tenth of a body height apart there is no base to be somewhere in.
    clear = np.abs(base) > 0.1 * ball.height_px
    return np.where(clear, (ball.place("hip")[:, 0] - back) / np.where(clear, base, 1), np.nan)


def _elbow(ball: Ball, side: str) -> np.ndarray | None:
    shoulder, elbow = ball.place(f"{side}_shoulder"), ball.place(f"{side}_elbow")
    length = np.linalg.norm(elbow - shoulder, axis=-1)
    if not np.isfinite(length).any():
        return None
    # The longest the upper arm appears is its true length: the height against it needs no view.
    return np.degrees(np.arcsin(np.clip((shoulder - elbow)[:, 1] / np.nanpercentile(length, 90), -1, 1)))


def _side_lean(ball: Ball) -> np.ndarray | None:
    sign = away_from_arm(ball) if ball.found.arm else off_side(ball)
    return None if sign is None else plumb_angle_deg(ball.place("hip"), ball.place("shoulder")) * sign


def _arm_slot(ball: Ball) -> np.ndarray | None:
    away = away_from_arm(ball)
    sign = ball.found.toward if ball.view.name == "side" else None if away is None else -away
    return plumb_angle_deg(ball.place("arm_shoulder"), ball.place("arm_wrist")) * sign if sign else None


def _hand_speed(ball: Ball) -> np.ndarray:
    hand = ball.place("arm_wrist") if ball.found.arm else ball.place("wrist")
    return np.linalg.norm(velocity(ball.track.t_s, hand - ball.place("hip")), axis=-1) / ball.height_px


def _hand_ground_speed(ball: Ball) -> np.ndarray:
    return np.linalg.norm(velocity(ball.track.t_s, ball.ground("wrist")), axis=-1) / ball.height_px


def _front_foot_speed(ball: Ball) -> np.ndarray:
    foot = sum(ball.ground(f"front_{part}") for part in ("heel", "foot_index", "ankle")) / 3
    return np.linalg.norm(velocity(ball.track.t_s, foot), axis=-1) / ball.height_px


def _from_place(ball: Ball, point: str, place: np.ndarray) -> np.ndarray:
    return (ball.ground(point) - place)[:, 0] / ball.height_px


def stood_before_stride(ball: Ball, foot: str) -> np.ndarray:
    """(2,) pixels on the ground where a foot stood before the stride of a stroke; NaN where the clip does not show that."""
    contact = ball.found.events["contact"].t_s
    early, late = BEFORE_STRIDE_S
    if ball.track.t_s[0] > contact - late - 0.05:
        return np.full(2, np.nan)
    return np.median(ball.ground(foot)[ball.track.span(contact - early, contact - late)], axis=0)


def _front_ankle_travel(ball: Ball) -> np.ndarray:
    return np.abs(_from_place(ball, "front_ankle", stood_before_stride(ball, "front_ankle")))


def _stride_from_back_foot(ball: Ball) -> np.ndarray:
    landed = ball.track.index_at(ball.found.events["back_foot_contact"].t_s)
    return _from_place(ball, "front_ankle", ball.ground("back_ankle")[landed]) * ball.found.toward


def _hip_sideways(ball: Ball) -> np.ndarray:
    return _from_place(ball, "hip", ball.ground("hip")[ball.track.index_at(ball.found.events["take"].t_s)])


def _ankles_apart(ball: Ball) -> np.ndarray:
    return np.abs(ball.track.point("left_ankle") - ball.track.point("right_ankle"))[:, 0] / ball.height_px


def _stance_hip_widths(ball: Ball) -> np.ndarray:
    hips = np.abs(ball.track.point("left_hip") - ball.track.point("right_hip"))[:, 0] / ball.height_px
    return _ankles_apart(ball) / np.where(hips > 0.03, hips, np.nan)


def _wrist_height(ball: Ball) -> np.ndarray:
    at = ball.track.index_at(ball.found.events["release"].t_s)
    sole = max(ball.place(f"front_{part}")[at, 1] for part in ("heel", "foot_index"))
    return (sole - ball.place("arm_wrist")[:, 1]) / ball.height_px


def _wrists_apart(ball: Ball) -> np.ndarray:
    gap = np.linalg.norm(ball.track.point("left_wrist") - ball.track.point("right_wrist"), axis=-1)
    take = ball.found.events["take"].t_s
    shoulders = np.linalg.norm(ball.track.point("left_shoulder") - ball.track.point("right_shoulder"), axis=-1)
    return gap / np.median(shoulders[ball.track.span(take - 0.6, take)])


def _set_height(ball: Ball) -> np.ndarray:
    return (ball.place("ankle") - ball.place("hip"))[:, 1] / ((THIGH + SHANK) * ball.height_px)


def _hands_ahead(ball: Ball) -> np.ndarray | None:
    ahead = facing(ball)
    return None if ahead is None else 100 * (ball.place("wrist") - ball.place("knee"))[:, 0] * ahead / ball.height_px


def _hands_off_back_hip(ball: Ball) -> np.ndarray | None:
    off = off_side(ball)
    return None if off is None else 100 * (ball.place("wrist") - ball.place("back_hip"))[:, 0] * off / ball.height_px


_HEAD, _LEG = ("ear", "eye"), ("front_hip", "front_knee", "front_ankle")

SERIES: dict[str, Quantity] = {
    "front_knee_deg": Quantity(lambda ball: _knee(ball, "front"), _LEG, ("front",)),
    "knees_deg": Quantity(lambda ball: (_knee(ball, "left") + _knee(ball, "right")) / 2, ("hip", "knee", "ankle")),
    "head_to_front_ankle_pct": Quantity(_head_to_front_ankle, (*_HEAD, "front_ankle"), ("front",)),
    "head_offset_pct": Quantity(
        lambda ball: 100 * (ball.place("front_ankle") - head(ball))[:, 0] * ball.found.toward / ball.height_px,
        (*_HEAD, "front_ankle"),
        ("front", "play"),
    ),
    "head_lateral_pct": Quantity(_head_lateral, (*_HEAD, "front_ankle"), ("front", "arm", "release")),
    "head_over_base_pct": Quantity(lambda ball: 100 * (head(ball) - ball.place("ankle"))[:, 0] / ball.height_px, (*_HEAD, "ankle")),
    "base_position": Quantity(_base_position, ("ankle", "hip"), ("front",)),
    "front_ankle_travel": Quantity(_front_ankle_travel, ("front_ankle",), ("front", "contact"), on_ground=True),
    "stride_from_back_foot": Quantity(_stride_from_back_foot, ("ankle",), ("front", "play", "back_foot_contact"), on_ground=True),
    "lead_elbow_deg": Quantity(lambda ball: _elbow(ball, "front"), ("front_shoulder", "front_elbow"), ("front",)),
    "throwing_elbow_deg": Quantity(lambda ball: _elbow(ball, "arm"), ("arm_shoulder", "arm_elbow"), ("arm",)),
    "side_lean_deg": Quantity(_side_lean, ("hip", "shoulder")),
    "forward_lean_deg": Quantity(
        lambda ball: plumb_angle_deg(ball.place("hip"), ball.place("shoulder")) * ball.found.toward, ("hip", "shoulder"), ("play",)
    ),
    "arm_slot_deg": Quantity(_arm_slot, ("arm_shoulder", "arm_wrist"), ("arm", "release")),
    "hand_speed": Quantity(_hand_speed, ("wrist", "hip")),
    "hand_ground_speed": Quantity(_hand_ground_speed, ("wrist",), on_ground=True),
    "front_foot_speed": Quantity(_front_foot_speed, ("front_heel", "front_foot_index", "front_ankle"), ("front",), on_ground=True),
    "hip_speed": Quantity(
        lambda ball: np.abs(velocity(ball.track.t_s, ball.ground("hip"), 0.1)[:, 0]) / ball.height_px, ("hip",), on_ground=True
    ),
    "hip_sideways": Quantity(_hip_sideways, ("hip",), ("take",), on_ground=True),
    "ankles_apart": Quantity(_ankles_apart, ("ankle",)),
    "stance_hip_widths": Quantity(_stance_hip_widths, ("ankle", "hip")),
    "wrist_height": Quantity(_wrist_height, ("arm_wrist", "front_heel", "front_foot_index"), ("arm", "front", "release")),
    "wrists_apart": Quantity(_wrists_apart, ("wrist", "shoulder"), ("take",)),
    "hip_height": Quantity(lambda ball: (floor_y(ball) - ball.place("hip")[:, 1]) / ball.height_px, ("hip", "ankle")),
    "head_height": Quantity(lambda ball: (floor_y(ball) - head(ball)[:, 1]) / ball.height_px, (*_HEAD, "ankle")),
    "set_height": Quantity(_set_height, ("ankle", "hip")),
    "hands_ahead_pct": Quantity(_hands_ahead, ("wrist", "knee"), ("take",)),
    "hands_above_eyes_pct": Quantity(lambda ball: 100 * (ball.place("eye") - ball.place("wrist"))[:, 1] / ball.height_px, ("eye", "wrist")),
    "hands_off_back_hip_pct": Quantity(_hands_off_back_hip, ("wrist", "back_hip"), ("front", "top_of_backlift")),
    "heels_pct": Quantity(
        lambda ball: 100 * (ball.place("foot_index") - ball.place("heel"))[:, 1] / ball.height_px, ("heel", "foot_index")
    ),
}
"""By name; labels and units are in catalogue.toml."""
