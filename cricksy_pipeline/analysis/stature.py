"""How tall the player is in the picture, and how well that is known.

Belongs here: the player's height in pixels from the lengths of his bones. Arrays in, numbers out. Does not belong here: whether a bone is
too long to be one (`limbs`), metres.

A bone never looks longer than it is and mostly looks shorter, since it points out of the picture plane: so each bone is taken where it
looks longest, each at its own moment, and the bones are put together by the proportions of an adult.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.analysis.medians import medians_of_three

BONE_SHARES = {"trunk": 0.288, "thigh": 0.245, "shank": 0.246, "upper_arm": 0.186, "forearm": 0.146}
"""Lengths in body heights (Winter 2009, fig. 4.1)."""

BONE_ENDS = {
    "trunk": ("shoulder", "hip"),
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
    "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
}

_HEIGHT_BONES = ("trunk", "thigh", "shank")
LONGEST_PERCENTILE = 95

FORESHORTENED = 0.80
"""A bone by which the player is shorter than this share of what another says pointed out of the picture all along, and is left out: of a
keeper who is seen from the front in his crouch only the shanks are left. In rendered strokes and balls, seen by BlazePose from all round,
the three agree within 0.82."""

BONE_SIGMA = 0.07
"""Relative standard deviation of one bone's longest look. Rendered clips seen by BlazePose: 0.024 to 0.052; landmarks that err slowly
(1 % of the height, for 0.3 s) lengthen it further, in one clip by 15 %."""
CROUCHED_SIGMA = 0.10
"""Relative standard deviation that is added where a bone was left out: then the others lean too. A rendered keeper's crouch from the front
comes out 17 % short, from behind 7 %."""
PROPORTION_SIGMA = 0.03
"""Relative standard deviation of stature over trunk, thigh and shank between people. House default, uncalibrated."""

MOMENT_S = 0.20
RUNS_AWAY = 1.10
RUNNING_SIGMA = 0.06
"""Of a player who comes or goes, the size around a moment is read from the pictures so near to it; that he comes or goes is believed where
the whole stretch makes him taller by more than this factor; and his size is then less sure by this share (rendered runs from behind:
0 to 3 % off as BlazePose sees them)."""


@dataclass(frozen=True)
class Stature:
    """The player's height and its standard deviation, pixels; NaN when he was never seen."""

    px: float
    sigma_px: float


def bone_lengths_px(xy: np.ndarray, bone: str) -> np.ndarray:
    """(n, 2) length of a bone on the left and on the right, pixels. The trunk is measured in its middle, twice the same."""
    first, second = BONE_ENDS[bone]
    if bone == "trunk":
        ends = [(xy[:, INDEX[f"left_{name}"]] + xy[:, INDEX[f"right_{name}"]]) / 2 for name in (first, second)]
        return np.repeat(np.linalg.norm(ends[0] - ends[1], axis=-1)[:, None], 2, axis=1)
    sides = [xy[:, INDEX[f"{side}_{first}"]] - xy[:, INDEX[f"{side}_{second}"]] for side in ("left", "right")]
    return np.linalg.norm(np.stack(sides, axis=1), axis=-1)


def body_height_px(xy: np.ndarray) -> float:
    """The player's height in pixels; NaN when never seen. xy: (n, 33, 2) pixels."""
    return stature(xy).px


def stature(xy: np.ndarray) -> Stature:
    """The player's height from trunk, thigh and shank, each where it looks longest (the longer side), over the frames given; a bone that
    pointed out of the picture all along is left out, and the height is less sure for it.

    On rendered strokes and balls from twelve sides, both hands, it comes out 0.1 % short, standard deviation 2.7 %, as BlazePose sees them
    (0.5 and 0.7 % with perfect landmarks); the sum of the three at one moment, which no posture shows at once, came out 4.5 % short. Arms
    are left out: BlazePose makes them up to a quarter too long.

    Args:
        xy: (n, 33, 2) pixels. A player who runs at the camera grows, by a quarter in a run-up, and the largest of him counts: give the
            frames whose size is wanted.
    """
    longest = {bone: length for bone in _HEIGHT_BONES if (length := _longest(xy, bone)) is not None}
    if not longest:
        return Stature(float("nan"), float("nan"))
    tallest = max(length / BONE_SHARES[bone] for bone, length in longest.items())
    kept = {bone: length for bone, length in longest.items() if length / BONE_SHARES[bone] >= FORESHORTENED * tallest}
    shares = np.array([BONE_SHARES[bone] for bone in kept])
    height = float(sum(kept.values()) / shares.sum())
    crouched = CROUCHED_SIGMA if len(kept) < len(longest) else 0.0
    relative = np.sqrt((BONE_SIGMA**2 * (shares**2).sum()) / shares.sum() ** 2 + PROPORTION_SIGMA**2 + crouched**2)
    return Stature(height, height * float(relative))


def stature_at(t_s: np.ndarray, xy: np.ndarray, moment_s: float) -> Stature:
    """The height at `moment_s` of a player who may run towards the camera or away from it.

    For who stands upright about that moment, as at a release: a crouch looks like a player who is far away.

    Args:
        t_s: (n,) seconds. xy: (n, 33, 2) pixels at those times.
    """
    whole, near = stature(xy), stature(xy[np.abs(t_s - moment_s) <= MOMENT_S])
    if not np.isfinite(near.px) or whole.px <= RUNS_AWAY * near.px:
        return whole
    return Stature(near.px, float(np.hypot(near.sigma_px, RUNNING_SIGMA * near.px)))


def _longest(xy: np.ndarray, bone: str) -> float | None:
    """The longest look of a bone on the side that looks longer, pixels; None where it was never seen."""
    lengths = _without_leaps(bone_lengths_px(xy, bone))
    sides = [side[np.isfinite(side)] for side in lengths.T]
    return max((float(np.percentile(side, LONGEST_PERCENTILE)) for side in sides if len(side)), default=None)


def _without_leaps(lengths: np.ndarray) -> np.ndarray:
    """Median of each length with its neighbours in time, so that one bad frame is never the longest."""
    if len(lengths) < 3:
        return lengths
    return np.concatenate([lengths[:1], medians_of_three(lengths), lengths[-1:]])
