"""Who else is in the picture, and what hides the player.

Belongs here: `Bystander` and `Occluder`: the choices, and their checks.
Does not belong here: how bystanders move (`bystanders`), how anything is drawn (`scene`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BystanderKind = Literal["stands", "umpire", "walks_across", "walks_in_front"]


@dataclass(frozen=True)
class Bystander:
    """Somebody who is not the player.

    Attributes:
        kind: "stands" (shifts his weight, folds his arms or not), "umpire" (stands with his hands behind his back), "walks_across" (behind
            the player, along the line of play), "walks_in_front" (between camera and player, across the picture).
        place: (x, z) world metres: where he stands; for walkers the place that he passes at `when_s`.
        when_s: clip seconds of life at which a walker passes `place`; no meaning for those who stand.
        stature_m: his height.
        seed: of his look and his small movements.
    """

    kind: BystanderKind = "stands"
    place: tuple[float, float] = (2.0, -1.5)
    when_s: float = 1.0
    stature_m: float = 1.75
    seed: int = 1

    def __post_init__(self) -> None:
        if self.kind not in ("stands", "umpire", "walks_across", "walks_in_front"):
            raise ValueError(f"unknown kind of bystander: {self.kind!r}")
        if not 0.8 <= self.stature_m <= 2.2:
            raise ValueError("a bystander is between 0.8 and 2.2 m tall")


@dataclass(frozen=True)
class Occluder:
    """Something in front of the player, fixed to the picture: a net post or the edge of a screen.

    Attributes:
        kind: "post" (a vertical bar) or "screen" (everything from the bar to the picture's edge on that side).
        at: where its middle (post) or inner edge (screen) is, share of the picture's width from the left.
        width: of a post, share of the picture's width.
        side: which edge a screen reaches to.
    """

    kind: Literal["post", "screen"] = "post"
    at: float = 0.5
    width: float = 0.03
    side: Literal["left", "right"] = "left"

    def __post_init__(self) -> None:
        if self.kind not in ("post", "screen") or self.side not in ("left", "right"):
            raise ValueError(f"unknown occluder: {self.kind!r}, {self.side!r}")
        if not (0 <= self.at <= 1 and 0 < self.width <= 0.5):
            raise ValueError("an occluder lies inside the picture")


def crowd(
    size: int, seed: int = 0, *, x: tuple[float, float] = (-3.5, 4.5), z: tuple[float, float] = (-3.2, -0.9)
) -> tuple[Bystander, ...]:
    """So many people standing about, the same for the same seed; x and z are the bounds of their places in metres."""
    import numpy as np

    rng = np.random.default_rng(seed)
    places = zip(rng.uniform(*x, size), rng.uniform(*z, size), rng.uniform(1.5, 1.95, size), strict=True)
    return tuple(
        Bystander("stands", (round(float(a), 3), round(float(b), 3)), stature_m=round(float(tall), 3), seed=seed * 1000 + i + 1)
        for i, (a, b, tall) in enumerate(places)
    )
