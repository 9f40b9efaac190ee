"""People who move, but play no ball: what must not be taken for a stroke, a bowled ball, a take or a throw.

Belongs here: making their landmarks out of a standing player. Does not belong here: any expectation, players of the game (`players`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cricksy_pipeline.analysis.kinematics import body_height_px
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline_tests.analysis.players import noisy, player

HANDS = ("wrist", "pinky", "index", "thumb")
Place = Callable[[np.ndarray, float, np.ndarray], np.ndarray]
"""(seconds, +1 left or -1 right, middle of the hips over time) -> where that hand is, in body heights from the hips, x right, y down."""


def moving_hands(place: Place, *, seconds: float = 6.0, fps: int = 60, noise: float = 0.01) -> Landmarks:
    """A standing player whose hands go where `place` says."""
    base = player("drive", fps=fps, seconds=seconds)
    t, size = base.t_s, body_height_px(base.xy.astype(float))
    xy = np.repeat(base.xy[:1], len(base), axis=0).astype(float)
    hips = (xy[:, INDEX["left_hip"]] + xy[:, INDEX["right_hip"]]) / 2
    for side, sign in (("left", 1.0), ("right", -1.0)):
        hand = hips + size * place(t, sign, hips)
        for part in HANDS:
            xy[:, INDEX[f"{side}_{part}"]] = hand
        xy[:, INDEX[f"{side}_elbow"]] = (hand + xy[:, INDEX[f"{side}_shoulder"]]) / 2
    return noisy(replace(base, xy=xy.astype(np.float32)), noise)


def jumping_jack() -> Landmarks:
    """Arms from the thighs out and up until the hands meet overhead, and down again, once a second."""

    def place(t: np.ndarray, sign: float, hips: np.ndarray) -> np.ndarray:
        angle = np.pi * (0.5 - 0.5 * np.cos(2 * np.pi * t))  # 0: down, pi: up
        return np.stack([sign * (0.05 + 0.38 * np.sin(angle)), -0.27 - 0.36 * -np.cos(angle)], -1)

    return moving_hands(place)


def clapping() -> Landmarks:
    """Hands that meet before the chest three times a second."""
    return moving_hands(lambda t, sign, hips: np.stack([sign * (0.02 + 0.09 * (1 + np.cos(6 * np.pi * t))), np.full(len(t), -0.15)], -1))


def bowing() -> Landmarks:
    """Both hands, together, from the chest to the knees, kept there, and slowly up again."""

    def place(t: np.ndarray, sign: float, hips: np.ndarray) -> np.ndarray:
        down = np.interp(t, [2.0, 2.3, 3.5, 5.0], [0, 1, 1, 0])
        return np.stack([np.full(len(t), 0.10 + 0.01 * sign), -0.2 + 0.45 * down], -1)

    return moving_hands(place)


def running_arms() -> Landmarks:
    """Bent arms swinging in turn, three times a second."""

    def place(t: np.ndarray, sign: float, hips: np.ndarray) -> np.ndarray:
        swing = np.sin(6 * np.pi * t)
        return np.stack([0.02 + 0.20 * sign * swing, -0.12 - 0.08 * sign * swing], -1)

    return moving_hands(place)


def lifting_a_trophy() -> Landmarks:
    """Both hands, together, fast overhead and held there."""

    def place(t: np.ndarray, sign: float, hips: np.ndarray) -> np.ndarray:
        up = np.interp(t, [2.0, 2.4], [0, 1])
        return np.stack([np.full(len(t), 0.10 + 0.02 * sign), -0.05 - 0.55 * up], -1)

    return moving_hands(place)


MOVERS = {made.__name__: made for made in (jumping_jack, clapping, bowing, running_arms, lifting_a_trophy)}
