"""True landmarks made as wrong as a pose network makes them: the exact tier of the truth tests, thousands of players in seconds.

Belongs here: the error model and putting it in. Does not belong here: any expectation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES, Landmarks

_LEGS = ("hip", "knee", "ankle", "heel", "foot_index")
_ARMS = ("shoulder", "elbow", "wrist", "pinky", "index", "thumb")


@dataclass(frozen=True)
class PartError:
    """How the landmarks of one part of the body go wrong, standard deviations per axis in per cent of the player's height.

    Attributes:
        offset: constant over a clip. wander: slow, with memory `ErrorModel.wander_s`. jitter: white, from frame to frame.
    """

    offset: float
    wander: float
    jitter: float


PARTS: dict[str, PartError] = {
    "shoulder": PartError(1.1, 1.1, 0.3),
    "hip": PartError(0.8, 1.0, 0.3),
    "elbow": PartError(1.1, 2.0, 0.6),
    "wrist": PartError(0.8, 2.3, 0.8),
    "pinky": PartError(0.8, 2.3, 0.8),
    "index": PartError(0.8, 2.3, 0.8),
    "thumb": PartError(0.8, 2.3, 0.8),
    "knee": PartError(1.0, 1.6, 0.45),
    "ankle": PartError(1.1, 1.9, 0.6),
    "heel": PartError(1.0, 1.9, 0.7),
    "foot_index": PartError(1.1, 1.9, 0.7),
}
"""Seen in seven clips of the corpus (BlazePose full, side and front, medians over clips, swaps and single losses set aside)."""

HEAD = PartError(1.0, 0.9, 0.2)
"""Everything else: eyes, ears, nose, mouth."""


@dataclass(frozen=True)
class ErrorModel:
    """How landmarks go wrong.

    Attributes:
        size: all errors of `PARTS` times this. Below 1 because here every landmark errs by itself, while a network moves neighbours
            together: at 1 bones come out longer than it ever makes them.
        wander_s: memory of what is slow, seconds.
        gaps: frames in which nobody is found, a second. swaps: how often a second left and right legs, or arms, change names.
        swap_s: how long such a swap lasts.
    """

    size: float = 0.6
    wander_s: float = 0.17
    gaps: float = 0.0
    swaps: float = 0.0
    swap_s: float = 0.15


def disturbed(seen: Landmarks, height_px: float, model: ErrorModel, seed: int) -> Landmarks:
    """The landmarks with errors drawn from the model; the same seed gives the same errors."""
    rng = np.random.default_rng(seed)
    xy = seen.xy.astype(float) + height_px / 100 * _errors(seen.t_s, model, rng)
    for names in (_LEGS, _ARMS):
        for start in np.flatnonzero(rng.random(len(xy)) < model.swaps * _step_s(seen.t_s)):
            span = (seen.t_s >= seen.t_s[start]) & (seen.t_s < seen.t_s[start] + model.swap_s)
            for name in names:
                left, right = INDEX[f"left_{name}"], INDEX[f"right_{name}"]
                xy[span, left], xy[span, right] = xy[span, right].copy(), xy[span, left].copy()
    lost = rng.random(len(xy)) < model.gaps * _step_s(seen.t_s)
    xy[lost] = np.nan
    arrays = {name: np.where(lost.reshape(-1, *[1] * (getattr(seen, name).ndim - 1)), np.nan, getattr(seen, name)) for name in _FLOATS}
    return replace(seen, xy=xy.astype(np.float32), **{name: value.astype(np.float32) for name, value in arrays.items()})


_FLOATS = ("z", "visibility", "presence", "world")


def _errors(t_s: np.ndarray, model: ErrorModel, rng: np.random.Generator) -> np.ndarray:
    """(n, 33, 2) per cent of height: a constant, an Ornstein-Uhlenbeck process on the clip's own times, and white noise."""
    parts = [PARTS.get(name.removeprefix("left_").removeprefix("right_"), HEAD) for name in LANDMARK_NAMES]
    offset, wander_sd, jitter = (np.array([getattr(part, kind) for part in parts])[:, None] for kind in ("offset", "wander", "jitter"))
    shape = (len(LANDMARK_NAMES), 2)
    wander = np.zeros((len(t_s), *shape))
    wander[0] = rng.normal(0, 1, shape)
    kept = np.exp(-np.diff(t_s) / model.wander_s)
    for i, share in enumerate(kept):
        wander[i + 1] = share * wander[i] + np.sqrt(1 - share**2) * rng.normal(0, 1, shape)
    white = rng.normal(0, 1, wander.shape)
    return model.size * (offset * rng.normal(0, 1, shape) + wander_sd * wander + jitter * white)


def _step_s(t_s: np.ndarray) -> float:
    return float(np.median(np.diff(t_s))) if len(t_s) > 1 else 0.0
