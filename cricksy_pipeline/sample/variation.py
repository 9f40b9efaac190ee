"""Other players: another body, another tempo, another way of standing, and no two balls quite alike.

Belongs here: what a variation number draws, always the same for the same number; number 0 is the canonical player, to the bit.
Does not belong here: what is wrong with a technique (`faults`), the technique itself (`drive`, `bowling`, ...), what counts as correct
(`technique`).

How far players differ is a house default (uncalibrated): stature 1.45 to 1.95 m, limbs 6 %, tempo 10 %, 3 degrees and 2 cm of posture; one
ball differs from the next by a third of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import numpy as np

from cricksy_pipeline.sample.faults import Faults
from cricksy_pipeline.sample.physique import ADULT, Physique, physique

STATURES_M = (1.45, 1.95)
LIMBS = 0.06
TEMPO = 0.10
ANGLE_DEG = 3.0
PLACE_M = 0.02
BALL_TO_BALL = 1 / 3

TYPICAL: dict[str, Faults] = {
    "drive": Faults(head_fall=-7.0, stride_longer=0.055),
    "bowl": Faults(knee_stiff=12.0, stride_longer=0.09, forward_lean=6.0, head_away=-5.0),
}
"""motion -> from the canonical player to the middle of the bands of correct technique: where players who are drawn start from."""

_TURNING = ("pelvis_angles", "chest_angles", "head_angles")
MOST_DRAWS = 80
_SAME_PLANT_M = 0.06  # keys of a foot within this are one footfall: it must not slide


@dataclass(frozen=True)
class Repetition:
    """One ball: which, when it starts in seconds of life, and how many times the table's period it takes."""

    index: int
    start_s: float
    tempo: float


@dataclass(frozen=True, eq=False)
class Player:
    """One player as a variation number draws him.

    Attributes:
        variation, draw: what he was drawn from; `draw` counts the attempts until the technique was a correct one.
        physique: his body.
        tempo: duration of his movement against the table's.
    """

    variation: int
    draw: int
    physique: Physique
    tempo: float

    def repetitions(self, period_s: float, until_s: float) -> list[Repetition]:
        """The balls that start before `until_s` seconds of life, at least one."""
        found, start = [], 0.0
        while start < until_s or not found:
            index = len(found)
            tempo = self.tempo * (1 + self._spread(TEMPO * BALL_TO_BALL, index, 1)[0]) if self.variation else 1.0
            found.append(Repetition(index, start, float(tempo)))
            start = start + period_s * float(tempo) if self.variation else period_s * (index + 1)
        return found

    def _spread(self, most: float, index: int, n: int) -> np.ndarray:
        return np.random.default_rng((self.variation, self.draw, 7, index)).uniform(-most, most, n)

    def keys(self, table: ModuleType, index: int) -> list[tuple[float, Mapping[str, np.ndarray]]]:
        """The table's keyframes as this player moves in ball `index`."""
        keys = [(time, {name: np.array(value, float) for name, value in key.items()}) for time, key in table.KEYFRAMES]
        if not self.variation:
            return keys
        for name in sorted(keys[0][1]):
            size = self._size(name)
            if size is None:
                continue
            values = np.array([key[name] for _, key in keys])
            habit = self._moves(table, name, values, np.random.default_rng((self.variation, self.draw, *name.encode())))
            ball = self._moves(table, name, values, np.random.default_rng((self.variation, self.draw, *name.encode(), 1000 + index)))
            whole = habit + BALL_TO_BALL * ball * _inside(len(keys))[:, None]
            for (_, key), change in zip(keys, whole * size, strict=True):
                key[name] = key[name] + change
        return keys

    @staticmethod
    def _size(name: str) -> np.ndarray | float | None:
        if name in _TURNING or name.endswith("_arm"):
            return ANGLE_DEG
        if name == "pelvis":
            return PLACE_M * np.array([1, 0.6, 1])
        if name.endswith("_foot"):
            return PLACE_M * np.array([1, 0, 0.6])  # on the ground it stays on the ground
        if name == "grip" or name.endswith("_hand"):
            return PLACE_M * np.array([1, 0.5, 0.5])
        if name.endswith(("_upper", "_fore")):
            return 0.05  # of a direction of length 1: 3 degrees
        if name == "bat_angles":
            return np.array([ANGLE_DEG, ANGLE_DEG / 3])
        return None

    @staticmethod
    def _moves(table: ModuleType, name: str, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(k, d) changes of standard deviation near 1/2 and at most 1: slow waves for trunk and pelvis, one constant for what aims or
        stands."""
        d = values.shape[1]
        constant = np.broadcast_to(rng.uniform(-1, 1, d), values.shape)
        if name.endswith("_foot"):
            step = np.r_[0, np.cumsum(np.linalg.norm(np.diff(values, axis=0), axis=1) > _SAME_PLANT_M)]
            return 0.7 * constant + 0.3 * rng.uniform(-1, 1, (len(values), d))[step]
        if name not in (*_TURNING, "pelvis"):
            return constant
        time = np.array([t for t, _ in table.KEYFRAMES])[:, None] * 2 * np.pi / table.PERIOD_S
        phase = rng.uniform(0, 2 * np.pi, (2, d))
        return 0.5 * constant + 0.3 * np.sin(time + phase[0]) + 0.2 * np.sin(2 * time + phase[1])


def _inside(keys: int) -> np.ndarray:
    """(k,) 0 at both ends, so that one ball ends as the next begins; 1 between."""
    weight = np.ones(keys)
    weight[[0, -1]] = 0
    return weight


CANONICAL = Player(0, 0, ADULT, 1.0)


def draw(variation: int, attempt: int) -> Player:
    """The player of one attempt of a variation number, correct or not."""
    if variation == 0:
        return CANONICAL
    rng = np.random.default_rng((variation, 0, attempt))
    limb = {part: 1 + rng.uniform(-LIMBS, LIMBS) for part in ("leg", "trunk", "arm", "shoulders", "hips")}
    body = physique(rng.uniform(*STATURES_M), girth=rng.uniform(0.88, 1.15), **limb)
    return Player(variation, attempt, body, 1 + rng.uniform(-TEMPO, TEMPO))


_ONE_DRAW = 1 << 32
"""A variation number of this size or more names a single attempt of a smaller one, correct or not."""


def one_draw(variation: int, attempt: int) -> int:
    """The number of one attempt of a variation."""
    return _ONE_DRAW * (attempt + 1) + variation


@lru_cache(maxsize=4096)
def player(motion: str, variation: int) -> Player:
    """The player of a variation number: the first attempt whose technique is a correct one (`technique.correct`).

    Raises:
        ValueError: a negative number, or none of the attempts was correct.
    """
    if variation < 0:
        raise ValueError("variation is 0 or more")
    if variation >= _ONE_DRAW:
        return draw(variation % _ONE_DRAW, variation // _ONE_DRAW - 1)
    if variation == 0:
        return CANONICAL
    from cricksy_pipeline.sample.technique import correct

    for attempt in range(MOST_DRAWS):
        if correct(motion, one_draw(variation, attempt)):
            return draw(variation, attempt)
    raise ValueError(f"no correct player of {motion!r} in {MOST_DRAWS} draws of variation {variation}")


def fit(posture: dict[str, np.ndarray], person: Physique) -> None:
    """Bring a posture of the adult to another body, in place: places scale with legs and stature, angles stay."""
    if person is ADULT:
        return
    legs = person.rest["hips"][1] / ADULT.rest["hips"][1]
    foot = person.rest["left_ankle"][1] / ADULT.rest["left_ankle"][1]
    pelvis = posture["pelvis"].copy()
    posture["pelvis"] = pelvis * legs
    for side in ("left", "right"):
        posture[f"{side}_foot"] = posture[f"{side}_foot"] * [legs, foot, legs]
        if f"{side}_hand" in posture:
            posture[f"{side}_hand"] = posture[f"{side}_hand"] * person.size
    if "grip" in posture:
        ahead = (posture["grip"] - pelvis) * person.size
        posture["grip"] = np.stack(
            [posture["pelvis"][:, 0] + ahead[:, 0], posture["grip"][:, 1] * person.size, posture["pelvis"][:, 2] + ahead[:, 2]], -1
        )
