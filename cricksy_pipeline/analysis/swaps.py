"""Which frames have left and right exchanged, decided from whole stretches; and the landmarks with the sides put back.

Belongs here: finding and undoing exchanges of the player's left and right limbs. Arrays in, arrays out; pixels and seconds. Does not
belong here: which side is the front side (`sides`), throwing single landmarks away (`limbs`).

BlazePose swapped the legs in 29 % of one view's frames at visibility .97 (pose-facts 2), for a frame or for a second, and not always
after having been right. So no frame is trusted to be right, the first one neither: among all labellings of a stretch the likeliest is
taken (Viterbi 1967). What speaks for a labelling: the limbs go on moving as they moved (in three successive frames); a bone is not longer
than bones are; legs keep the order of the hips and hips that of the shoulders where they are wide apart in the picture. What speaks against
it: each change of label, and, where nothing else tells, every frame that is turned round (most frames are right).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.stature import BONE_SHARES, body_height_px


@dataclass(frozen=True)
class SwapSettings:
    """Costs are in natural units of log probability. House defaults, set on injected swaps and rendered drives, uncalibrated otherwise.

    Attributes:
        noise: standard deviation of a landmark, body heights.
        acceleration: of a foot or hand that nobody foresees, body heights a second squared.
        tail: a surprise costs in full up to here, beyond it by its logarithm (Cauchy): a landmark may leap.
        change: of going over to the other labelling.
        turned: of each second that is turned round.
        anatomy: each second in which legs and hips, or hips and shoulders, are clearly in opposite order.
        bone: each second in which a bone is a tenth of the height longer than it can be.
        wide: body heights; hips, shoulders or feet so far apart in the picture have a clear order.
        link_s: frames further apart in time do not continue one another.
    """

    noise: float = 0.012
    acceleration: float = 12.0
    tail: float = 4.0
    change: float = 4.0
    turned: float = 20.0
    anatomy: float = 12.0
    bone: float = 120.0
    wide: float = 0.10
    link_s: float = 0.15


@dataclass(frozen=True)
class _Pair:
    """Landmarks that are exchanged together; the one that they hang on; whose order they keep."""

    parts: tuple[str, ...]
    hangs_on: str | None = None
    first: str | None = None
    order_of: str | None = None


LONGEST_FRAME_S = 0.1
_FOOT, _HAND = ("ankle", "heel", "foot_index"), ("wrist", "pinky", "index", "thumb")
LEGS, ARMS = ("hip", "knee", *_FOOT), ("shoulder", "elbow", *_HAND)
_PAIRS = (
    _Pair(ARMS),
    _Pair(("shoulder",)),
    _Pair(("elbow", *_HAND), "shoulder", "elbow"),
    _Pair(_HAND, "elbow", "wrist"),
    _Pair(LEGS, order_of="shoulder"),
    _Pair(("hip",), order_of="shoulder"),
    _Pair(("knee", *_FOOT), "hip", "knee", "hip"),
    _Pair(("knee",), "hip", "knee"),
    _Pair(_FOOT, "knee", "ankle"),
)
"""In the order in which they are put right: whole limbs first, then what of them is still on the wrong side. The shoulders are believed
over the whole clip; everything else hangs on them."""

_BONE_OF = {("hip", "knee"): "thigh", ("knee", "ankle"): "shank", ("shoulder", "elbow"): "upper_arm", ("elbow", "wrist"): "forearm"}


def repaired(landmarks: Landmarks, settings: SwapSettings | None = None, *, exchanged: np.ndarray | None = None) -> Landmarks:
    """The landmarks with exchanged sides put back: places, depths, visibilities and all else of the landmarks that were exchanged.

    Any sampling will do; nothing is joined across a change of shot. To be used by whatever draws or measures a skeleton.

    Args:
        landmarks: as found.
        settings: for finding the exchanges.
        exchanged: (n, 33) bool, where `swapped_landmarks` has been asked already.
    """
    exchanged = swapped_landmarks(landmarks, settings) if exchanged is None else exchanged
    if not exchanged.any():
        return landmarks
    arrays = {}
    for name in ("xy", "z", "visibility", "presence", "world"):
        values = getattr(landmarks, name)
        arrays[name] = np.where(exchanged.reshape(exchanged.shape + (1,) * (values.ndim - 2)), values[:, _TWIN], values)
    return replace(landmarks, **arrays)


def swapped_landmarks(landmarks: Landmarks, settings: SwapSettings | None = None) -> np.ndarray:
    """(n, 33) bool: landmarks that stand where their twin on the other side should be; the same for both twins."""
    settings = settings or SwapSettings()
    exchanged = np.zeros((len(landmarks), 33), bool)
    seen = np.flatnonzero(landmarks.found)
    if len(seen) < 2:
        return exchanged
    cut = (np.diff(landmarks.t_s[seen]) > settings.link_s) | (np.diff(landmarks.shot[seen]) != 0)
    for run in np.split(seen, np.flatnonzero(cut) + 1):
        exchanged[run] = _swapped_in_run(landmarks.t_s[run], landmarks.xy[run].astype(float), settings)
    return exchanged


def swapped_limbs(exchanged: np.ndarray) -> np.ndarray:
    """(n, 2) bool from (n, 33): whether anything of the legs, and of the arms, was exchanged."""
    return np.stack([exchanged[:, [INDEX[f"left_{part}"] for part in parts]].any(axis=1) for parts in (LEGS, ARMS)], axis=1)


def _twin(name: str) -> str:
    if "left" in name:
        return name.replace("left", "right")
    return name.replace("right", "left")


_TWIN = np.array([INDEX[_twin(name)] for name in INDEX])


def _swapped_in_run(t_s: np.ndarray, xy: np.ndarray, settings: SwapSettings) -> np.ndarray:
    exchanged = np.zeros(xy.shape[:2], bool)
    size = body_height_px(xy)
    if len(xy) < 2 or not np.isfinite(size) or size <= 0:
        return exchanged
    xy = xy / size
    for pair in _PAIRS:
        columns = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in pair.parts]
        turned = _likeliest(_steps(t_s, xy[:, columns], _votes(pair), settings), _frames(t_s, xy, pair, settings), settings.change)
        if turned.any():
            exchanged[np.ix_(turned, columns)] ^= True
            xy[np.ix_(turned, columns)] = xy[np.ix_(turned, _TWIN[columns])]
    return exchanged


def _votes(pair: _Pair) -> np.ndarray:
    """(2k,) weight of each landmark, 2 in all: joint for joint, a foot or a hand being one joint, so that a foot alone turns no leg."""
    joints = [_FOOT if part in _FOOT else _HAND if part in _HAND else (part,) for part in pair.parts]
    one_side = np.array([1 / len(joint) for joint in joints])
    return np.tile(one_side / one_side.sum(), 2)


def _steps(t_s: np.ndarray, pair: np.ndarray, votes: np.ndarray, settings: SwapSettings) -> np.ndarray:
    """(n, 2, 2) cost of frame i when it is labelled unlike (1) or like (0) frame i - 1, and that unlike or like frame i - 2.

    Args:
        t_s: (n,) seconds. pair: (n, 2k, 2) body heights, left landmarks first. votes: (2k,) weights of the landmarks.
    """
    n, k = len(pair), pair.shape[1] // 2
    other = np.concatenate([pair[:, k:], pair[:, :k]], axis=1)
    step = np.diff(t_s, prepend=t_s[0])
    costs = np.zeros((n, 2, 2))
    for now in (0, 1):  # seen from frame i - 1: is frame i turned against it,
        here = (pair, other)[now][1:]
        for before in (0, 1):  # and was frame i - 2
            expected = pair[:-1].copy()
            noise = np.full(n - 1, 2.0)
            if n > 2:
                ratio = (step[2:] / step[1:-1]).clip(max=2.0)[:, None, None]
                expected[1:] += (pair[1:-1] - (pair, other)[before][:-2]) * ratio
                noise[1:] = 1 + (1 + ratio[:, 0, 0]) ** 2 + ratio[:, 0, 0] ** 2
            sigma = np.sqrt(noise * settings.noise**2 + (settings.acceleration * step[1:] ** 2) ** 2)
            surprise = 0.5 * ((here - expected) ** 2).sum(-1) / sigma[:, None] ** 2
            costs[1:, now, before] = settings.tail * np.log1p(surprise / settings.tail) @ votes
    return np.nan_to_num(costs)


def _frames(t_s: np.ndarray, xy: np.ndarray, pair: _Pair, settings: SwapSettings) -> np.ndarray:
    """(n,) cost of turning each frame round, from what it shows by itself; negative where the pair stands on the wrong sides."""
    cost = np.zeros(len(xy))
    if pair.hangs_on is not None:
        cost += settings.bone * (_too_long(xy, pair, True) - _too_long(xy, pair, False)) / 0.1
    if pair.order_of is not None:
        ours, theirs = (_across(xy, name) / settings.wide for name in (pair.parts[0] if pair.hangs_on is None else "ankle", pair.order_of))
        clear = np.sign(ours * theirs) * np.clip(np.minimum(np.abs(ours), np.abs(theirs)) - 0.5, 0, 1)
        cost += settings.anatomy * clear
    return (np.nan_to_num(cost) + settings.turned) * np.minimum(np.gradient(t_s), LONGEST_FRAME_S)


def _across(xy: np.ndarray, part: str) -> np.ndarray:
    return xy[:, INDEX[f"left_{part}"], 0] - xy[:, INDEX[f"right_{part}"], 0]


def _too_long(xy: np.ndarray, pair: _Pair, turned: bool) -> np.ndarray:
    """(n,) body heights by which the two bones that join the pair to the body are longer than a bone can be."""
    longest = 1.15 * BONE_SHARES[_BONE_OF[(pair.hangs_on, pair.first)]]
    over = np.zeros(len(xy))
    for side, far in (("left", "right"), ("right", "left")):
        bone = xy[:, INDEX[f"{far if turned else side}_{pair.first}"]] - xy[:, INDEX[f"{side}_{pair.hangs_on}"]]
        over += np.clip(np.linalg.norm(bone, axis=-1) - longest, 0, 0.1)
    return over


def _likeliest(steps: np.ndarray, frames: np.ndarray, change: float) -> np.ndarray:
    """(n,) bool: the labelling of least cost. The costs are from `_steps` and `_frames`, and of each change."""
    n = len(frames)
    # Two steps hear of each change. Where no two of them gain as much as a change costs, and no frame speaks for itself, nothing is turned.
    if (frames >= 0).all() and ((steps[:, 0, 0] - steps.min(axis=(1, 2))) < change / 2).all():
        return np.zeros(n, bool)
    same_same, same_other, other_same, other_other = (steps + np.array([[0.0], [change]])).reshape(n, 4).T.tolist()
    turned = frames.tolist()
    # best[b][c]: least cost up to frame i, labelled c, with frame i - 1 labelled b. Written out, for this
    # loop is most of a long clip's measuring.
    best00, best01 = same_same[1], other_same[1] + turned[1]
    best10, best11 = turned[0] + other_same[1], turned[0] + same_same[1] + turned[1]
    came_from: list[tuple[tuple[bool, bool], tuple[bool, bool]]] = []
    for i in range(2, n):
        like_like, like_unlike, unlike_like, unlike_unlike, alone = same_same[i], same_other[i], other_same[i], other_other[i], turned[i]
        # to[b][c] from frame i - 2 labelled 0, and labelled 1.
        to00, or00 = best00 + like_like, best10 + like_unlike
        to01, or01 = best00 + unlike_like + alone, best10 + unlike_unlike + alone
        to10, or10 = best01 + unlike_unlike, best11 + unlike_like
        to11, or11 = best01 + like_unlike + alone, best11 + like_like + alone
        came_from.append(((or00 < to00, or01 < to01), (or10 < to10, or11 < to11)))
        best00, best01 = or00 if or00 < to00 else to00, or01 if or01 < to01 else to01
        best10, best11 = or10 if or10 < to10 else to10, or11 if or11 < to11 else to11
    best = ((best00, best01), (best10, best11))
    b, c = min(((b, c) for b in (0, 1) for c in (0, 1)), key=lambda state: best[state[0]][state[1]])
    labels = [c, b]
    for origin in reversed(came_from):
        b, c = origin[b][c], b
        labels.append(b)
    return np.array(labels[::-1], bool)
