"""One moment of the truth, in the words in which the metrics are defined.

Belongs here: points, lengths, angles and signs of one observation, in upright pixels and body heights; head stillness and speeds over
windows.
Does not belong here: which metric is read at which moment (`true_batting`, `true_bowling`, `true_keeping`, `true_fielding`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.sample.rotations import angle_between
from cricksy_pipeline.sample.spec import ClipSpec
from cricksy_pipeline.sample.truth import Observation, observe
from cricksy_pipeline.sample.variation import player

_LIES_ACROSS = 0.85  # of a metre's pixels: turned away by 30 degrees at most
FINE_HZ = 480.0
"""Rate of life at which windows and peaks are sampled: the truth is continuous."""


@dataclass(frozen=True)
class Instant:
    """One observation. `lead` is the side nearer the bowler, or the front foot of a bowler or thrower.

    Attributes:
        seen: the player at one instant.
        lead: "left" or "right".
        spec: the clip as the definitions mean it: the camera still, in the view's own place.
    """

    seen: Observation
    lead: str
    spec: ClipSpec

    def point(self, name: str) -> np.ndarray:
        """(2,) pixels; `front_` and `back_` stand for the sides."""
        back = "right" if self.lead == "left" else "left"
        return self.seen.px[0, INDEX[name.replace("front_", f"{self.lead}_").replace("back_", f"{back}_")]]

    def middle(self, joint: str) -> np.ndarray:
        """(2,) pixels halfway between left and right."""
        return (self.point(f"left_{joint}") + self.point(f"right_{joint}")) / 2

    @property
    def head(self) -> np.ndarray:
        """(2,) pixels, the midpoint of ears and eyes: rotating the head with the ball hardly moves it."""
        return (self.middle("ear") + self.middle("eye")) / 2

    @property
    def stature_m(self) -> float:
        """The player's height."""
        return player(self.spec.motion, self.spec.variation).physique.stature_m

    @property
    def height(self) -> float:
        """Stature in pixels."""
        return float(self.seen.height_px[0])

    @property
    def floor(self) -> float:
        """Picture y of the lower foot's sole."""
        return max(self.point(f"{side}_{part}")[1] for side in ("left", "right") for part in ("heel", "foot_index"))

    def along(self, v: np.ndarray) -> float | None:
        """Horizontal pixels of v (2,) in the direction of play; None where the view looks along it."""
        return self._signed(v, self.seen.play_px[0, 0])

    def to_off(self, v: np.ndarray) -> float | None:
        """Horizontal pixels of v (2,) towards the off side of a batter, or the playing arm's side of anybody else; None where the view
        looks along it."""
        return self._signed(v, self.seen.off_px[0, 0])

    def _signed(self, v: np.ndarray, metre: float) -> float | None:
        return float(v[0] * np.sign(metre)) if abs(metre) >= _LIES_ACROSS * self.height / self.stature_m else None

    @property
    def shows_play(self) -> bool:
        """Whether the line of play lies across the picture: a view from the side."""
        return self.along(np.zeros(2)) is not None

    @property
    def shows_off(self) -> bool:
        """Whether the off side lies across the picture: a view along the pitch."""
        return self.to_off(np.zeros(2)) is not None

    def heights(self, pixels: float | None) -> float | None:
        """Pixels in body heights."""
        return None if pixels is None else pixels / self.height

    def percent(self, pixels: float | None) -> float | None:
        """Pixels in per cent of stature."""
        return None if pixels is None else 100 * pixels / self.height

    def knee_deg(self, side: str) -> float | None:
        """Pixel angle hip-knee-ankle of one leg ("front", "back", "left", "right"); None unless seen from the side."""
        if not self.shows_play:
            return None
        return float(angle_between(*(self.point(f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))))

    def trunk_lean_deg(self, measure: Callable[[np.ndarray], float | None]) -> float | None:
        """Mid-hip to mid-shoulder against the plumb line, + in the direction that `measure` counts as positive."""
        trunk = self.middle("shoulder") - self.middle("hip")
        aside = measure(trunk)
        return None if aside is None else float(np.degrees(np.arctan2(aside, -trunk[1])))

    def elbow_elevation_deg(self, side: str) -> float:
        """Elbow above (+) or below the shoulder over the length of the upper arm, as an angle."""
        rise = (self.point(f"{side}_shoulder") - self.point(f"{side}_elbow"))[1]
        upper_arm = player(self.spec.motion, self.spec.variation).physique.upper_arm_m / self.stature_m * self.height
        return float(np.degrees(np.arcsin(np.clip(rise / upper_arm, -1, 1))))


def instant(spec: ClipSpec, t_s: float) -> Instant:
    """The player at one clip time. `spec` is what `filming.from_its_place` gives."""
    return Instant(observe(spec, np.array([t_s])), "right" if spec.mirror else "left", spec)


def head_over(seen: Observation, base: tuple[str, ...]) -> np.ndarray:
    """(n, 2) head minus the middle of the landmarks `base`, in per cent of stature."""
    head = seen.px[:, [INDEX[name] for name in ("left_ear", "right_ear", "left_eye", "right_eye")]].mean(1)
    return (head - seen.px[:, [INDEX[name] for name in base]].mean(1)) / seen.height_px[:, None] * 100


def stillness(spec: ClipSpec, at_s: float, window_s: tuple[float, float], base: tuple[str, ...]) -> float:
    """B1, K3, F7: root mean square of head minus base over a window about `at_s`, each axis detrended, in per cent of stature.

    Args:
        spec: the clip.
        at_s: clip seconds.
        window_s: seconds of life before (negative) and after.
        base: landmarks whose middle stands for the ground.
    """
    u = np.arange(window_s[0], window_s[1] + 1e-9, 1 / 240)
    relative = head_over(observe(spec, at_s + u * spec.slow_motion), base)
    line = np.stack([np.ones_like(u), u], -1)
    residual = relative - line @ np.linalg.lstsq(line, relative, rcond=None)[0]
    return float(np.sqrt((residual**2).sum(1).mean()))


def fine(spec: ClipSpec, start_s: float, end_s: float) -> tuple[np.ndarray, Observation]:
    """Clip times (n,) between two, finely, and the player then."""
    n = max(int(np.ceil((end_s - start_s) / spec.slow_motion * FINE_HZ)), 8) + 1
    t = np.linspace(start_s, end_s, n)
    return t, observe(spec, t)


def speed(t_s: np.ndarray, px: np.ndarray, slow_motion: float) -> np.ndarray:
    """(n,) pixels per second of life of a path px (n, 2) at clip times t_s (n,)."""
    return np.linalg.norm(np.gradient(px, t_s, axis=0), axis=-1) * slow_motion
