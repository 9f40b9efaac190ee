"""Landmarks that cannot be where they are said to be, and how far each of the others is to be trusted.

Belongs here: bones longer than the player's own, landmarks outside the picture, the weight of a landmark. Arrays in, arrays out; pixels and
seconds. Does not belong here: exchanged sides (`swaps`), leaps out of a path (`smoothing`), whether a whole delivery is possible
(`metrics/clip`).

A projected bone may be any amount shorter than it is, but not longer; so only what is too long is rejected. A projected angle may be
anything (a keeper's knee from the front): angles are judged where they are read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.stature import BONE_SHARES, LONGEST_PERCENTILE, bone_lengths_px


@dataclass(frozen=True)
class LimbSettings:
    """House defaults, uncalibrated, except where a source is named.

    Attributes:
        longer: a bone may look longer than it is by this share (cricket-metrics 3.3.11).
        anatomy: and no bone counts as too long below this multiple of an adult's.
        growth_s: the player's size may change over such a time.
        full_trust_px: height of a player whose landmarks are as good as they get (cricket-metrics 3.2: 1 to 2.5 degrees at 150 px).
        exchanged: weight of a landmark whose sides had to be exchanged.
    """

    longer: float = 1.10
    anatomy: float = 1.15
    growth_s: float = 1.0
    full_trust_px: float = 150.0
    exchanged: float = 0.5


_LIMBS = ("thigh", "shank", "upper_arm", "forearm")
_BEYOND = {
    "thigh": ("knee", "ankle", "heel", "foot_index"),
    "shank": ("ankle", "heel", "foot_index"),
    "upper_arm": ("elbow", "wrist", "pinky", "index", "thumb"),
    "forearm": ("wrist", "pinky", "index", "thumb"),
}
"""What hangs on the far end of each bone: when the bone is impossible, so is where these are said to be."""


def impossible(t_s: np.ndarray, xy: np.ndarray, settings: LimbSettings | None = None) -> np.ndarray:
    """(n, 33) bool: landmarks at the far end of a bone that is longer than the player's own bone by more than 10 %.

    His own bone is the longest that it looks in the clip (95th percentile, the two sides taken together, as a share of his size at the
    time, so that he may come nearer), or an adult's where that is longer.

    Args:
        t_s: (n,) seconds. xy: (n, 33, 2) pixels, NaN where nobody was found.
    """
    settings = settings or LimbSettings()
    rejected = np.zeros(xy.shape[:2], bool)
    size = _size_over_time(t_s, xy, settings.growth_s)
    if not np.isfinite(size).any():
        return rejected
    for bone in _LIMBS:
        shares = bone_lengths_px(xy, bone) / size[:, None]
        seen = np.isfinite(shares)
        if not seen.any():
            continue
        own = max(float(np.percentile(shares[seen], LONGEST_PERCENTILE)), settings.anatomy * BONE_SHARES[bone])
        for side, too_long in zip(("left", "right"), (np.nan_to_num(shares) > settings.longer * own).T, strict=True):
            for part in _BEYOND[bone]:
                rejected[:, INDEX[f"{side}_{part}"]] |= too_long
    return rejected


def outside_picture(xy: np.ndarray, width: int, height: int) -> np.ndarray:
    """(n, 33) bool: landmarks that lie outside the picture. The network makes them up; they are not measurements."""
    x, y = xy[..., 0], xy[..., 1]
    return (x < 0) | (y < 0) | (x > width) | (y > height)


def weights(
    landmarks: Landmarks, size_px: float, exchanged: np.ndarray, rejected: np.ndarray, settings: LimbSettings | None = None
) -> np.ndarray:
    """(n, 33) trust in [0, 1]: visibility x inside the picture x size of the player x sides not exchanged (cricket-metrics 3.3.5).

    Visibility is not accuracy: it is one factor of four and decides nothing alone.

    Args:
        landmarks: with the sides put back. size_px: the player's height. exchanged, rejected: (n, 33) bool.
    """
    settings = settings or LimbSettings()
    weight = np.clip(np.nan_to_num(landmarks.visibility.astype(float)), 0, 1)
    weight *= float(np.clip(np.nan_to_num(size_px) / settings.full_trust_px, 0, 1))
    weight[exchanged] *= settings.exchanged
    weight[rejected | ~np.isfinite(landmarks.xy[..., 0])] = 0.0
    return weight


def bone_variation(xy: np.ndarray) -> float | None:
    """How much a bone's length wavers from frame to frame about the smooth course of its length, as a share of the bone: the worst of
    thighs and shanks. None with fewer than five frames.

    Not the plain coefficient of variation: a leg that turns out of the picture gets shorter in it, and that is movement.

    Args:
        xy: (n, 33, 2) pixels at the times of the frames.
    """
    if len(xy) < 5:
        return None
    found = []
    for bone in ("thigh", "shank"):
        lengths = bone_lengths_px(xy, bone)
        apart = np.abs(lengths[1:-1] - (lengths[:-2] + lengths[2:]) / 2)
        for side in (0, 1):
            if np.isfinite(apart[:, side]).any():
                # The median departure of white noise from its neighbours' middle is 0.826 standard deviations.
                found.append(float(np.nanmedian(apart[:, side]) / 0.826 / max(np.nanpercentile(lengths[:, side], 95), 1e-9)))
    return max(found) if found else None


def _size_over_time(t_s: np.ndarray, xy: np.ndarray, growth_s: float) -> np.ndarray:
    """(n,) the player's size at each time, pixels: trunk, thigh and shank together where they look longest within `growth_s`, interpolated.

    Only for shares of itself: at one moment the three never all lie in the picture plane, so it is a little small (`stature` is not).
    """
    lengths = [bone_lengths_px(xy, bone) for bone in ("trunk", "thigh", "shank")]
    total = np.sum([np.fmax(*sides.T) for sides in lengths], axis=0) / sum(BONE_SHARES[bone] for bone in ("trunk", "thigh", "shank"))
    seen = np.isfinite(total)
    if not seen.any():
        return np.full(len(t_s), np.nan)
    t, total = t_s[seen], total[seen]
    centres = np.arange(t[0], t[-1] + growth_s / 2, growth_s / 2)
    edges = np.searchsorted(t, [centres - growth_s, centres + growth_s])
    inside = [total[first:last] for first, last in edges.T]
    longest = [(centre, float(np.percentile(part, LONGEST_PERCENTILE))) for centre, part in zip(centres, inside, strict=True) if len(part)]
    at, sizes = np.array(longest).T
    return np.interp(t_s, at, sizes)
