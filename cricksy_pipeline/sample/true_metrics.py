"""The true values of the technique metrics at the true event times, from projected truth pixels.

Belongs here: the definitions B1-B7 and W1, W3-W7 of the project's metric reference, in upright pixels and body heights.
Does not belong here: bands and findings (those are judgements), or the estimation of any of this from a video (`analysis.metrics`).

Signs: along the line of play, + is towards the bowler for a batter and towards the batter for a bowler, except where a name says otherwise.
A value that needs the line of play (or the off side) to lie across the picture is None in a view that looks along it. Lengths are in per
cent of the player's stature in pixels at the distance of his hips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.sample import drive
from cricksy_pipeline.sample.body import STATURE_M, UPPER_ARM_M
from cricksy_pipeline.sample.motion import MOTIONS
from cricksy_pipeline.sample.rotations import angle_between
from cricksy_pipeline.sample.spec import ClipSpec
from cricksy_pipeline.sample.truth import Observation, observe

HEAD_WINDOW_S = (-0.20, 0.05)
"""Around contact, for head stillness (B1)."""

_LIES_ACROSS = 0.85  # of a metre's pixels: turned away by 30 degrees at most


@dataclass(frozen=True)
class _Instant:
    """One observation, with the words in which metrics are defined. `lead` is the side nearer the bowler, or a bowler's front foot."""

    seen: Observation
    lead: str

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
    def height(self) -> float:
        """Stature in pixels."""
        return float(self.seen.height_px[0])

    def along(self, v: np.ndarray) -> float | None:
        """Horizontal pixels of v (2,) in the direction of play; None where the view looks along it."""
        return self._signed(v, self.seen.play_px[0, 0])

    def to_off(self, v: np.ndarray) -> float | None:
        """Horizontal pixels of v (2,) towards the off side of a batter, or a bowler's bowling side; None where the view looks along it."""
        return self._signed(v, self.seen.off_px[0, 0])

    def _signed(self, v: np.ndarray, metre: float) -> float | None:
        return float(v[0] * np.sign(metre)) if abs(metre) >= _LIES_ACROSS * self.height / STATURE_M else None

    def percent(self, pixels: float | None) -> float | None:
        """Pixels in per cent of stature."""
        return None if pixels is None else 100 * pixels / self.height

    def front_knee_deg(self) -> float:
        """B4, W1: pixel angle hip-knee-ankle of the front leg."""
        return float(angle_between(self.point("front_hip"), self.point("front_knee"), self.point("front_ankle")))

    def trunk_lean_deg(self, measure: Callable[[np.ndarray], float | None]) -> float | None:
        """Mid-hip to mid-shoulder against the plumb line, + in the direction that `measure` counts as positive."""
        trunk = self.middle("shoulder") - self.middle("hip")
        aside = measure(trunk)
        return None if aside is None else float(np.degrees(np.arctan2(aside, -trunk[1])))


def true_metrics(spec: ClipSpec) -> dict[str, list[float | None]]:
    """name -> one value per delivery whose events all lie inside the clip. Empty lists where there is none; {} where nobody plays."""
    if not spec.player:
        return {}
    table, last = MOTIONS[spec.motion], float(spec.t_s[-1])
    starts = [s for s in np.arange(0, last + table.PERIOD_S, table.PERIOD_S) if s + max(table.EVENTS_S.values()) <= last]
    one = _batting if spec.motion == "drive" else _bowling
    rows = [one(spec, {name: float(s + t) for name, t in table.EVENTS_S.items()}) for s in starts]
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else {})}


def _instant(spec: ClipSpec, t_s: float) -> _Instant:
    return _Instant(observe(spec, np.array([t_s])), "right" if spec.mirror else "left")


def _batting(spec: ClipSpec, at: dict[str, float]) -> dict[str, float | None]:
    contact = _instant(spec, at["contact"])
    landed = _instant(spec, at["front_foot_contact"])
    stance = _instant(spec, at["contact"] - drive.EVENTS_S["contact"] + drive.STANCE_S)
    base = contact.along(contact.point("front_ankle") - contact.point("back_ankle"))
    hips = contact.along(contact.middle("hip") - contact.point("back_ankle"))
    behind = contact.along(contact.point("front_ankle") - contact.head)
    wide, ready = (shot.along(shot.point("front_ankle") - shot.point("back_ankle")) for shot in (landed, stance))
    rise = (contact.point("front_shoulder") - contact.point("front_elbow"))[1]
    upper_arm = UPPER_ARM_M / STATURE_M * contact.height
    return {
        "front_knee_at_contact_deg": contact.front_knee_deg(),
        "trunk_forward_lean_at_contact_deg": contact.trunk_lean_deg(contact.along),
        "trunk_side_lean_at_contact_deg": contact.trunk_lean_deg(contact.to_off),
        "head_stillness_pct": head_stillness(spec, at["contact"]),
        "head_behind_front_foot_pct": contact.percent(behind),
        "base_position": None if base is None or hips is None else hips / base,
        "lead_elbow_elevation_deg": float(np.degrees(np.arcsin(np.clip(rise / upper_arm, -1, 1)))),
        "stride_length_pct": None if wide is None or ready is None else landed.percent(wide - ready),
        "foot_down_to_contact_s": at["contact"] - at["front_foot_contact"],
        "downswing_s": at["contact"] - at["top_of_backlift"],
        "front_knee_at_foot_down_deg": landed.front_knee_deg(),
    }


def head_stillness(spec: ClipSpec, contact_s: float) -> float:
    """B1: RMS of head minus front ankle over the window around contact, each axis detrended linearly, in per cent of stature.

    Sampled at 240 Hz; no low-pass, since the truth holds no noise.
    """
    t = contact_s + np.arange(HEAD_WINDOW_S[0], HEAD_WINDOW_S[1] + 1e-9, 1 / 240)
    seen = observe(spec, t)
    lead = "right" if spec.mirror else "left"
    head = seen.px[:, [INDEX[name] for name in ("left_ear", "right_ear", "left_eye", "right_eye")]].mean(1)
    relative = (head - seen.px[:, INDEX[f"{lead}_ankle"]]) / seen.height_px[:, None] * 100
    line = np.stack([np.ones_like(t), t - contact_s], -1)
    residual = relative - line @ np.linalg.lstsq(line, relative, rcond=None)[0]
    return float(np.sqrt((residual**2).sum(1).mean()))


def _bowling(spec: ClipSpec, at: dict[str, float]) -> dict[str, float | None]:
    back, front, release = (_instant(spec, at[name]) for name in ("back_foot_contact", "front_foot_contact", "release"))
    flexion, before = release.trunk_lean_deg(release.along), front.trunk_lean_deg(front.along)
    # A still camera is assumed by the two that compare positions at different times; with a moving one they are relative to the picture.
    stride = release.along(front.point("front_ankle") - back.point("back_ankle"))
    arm = release.point("back_wrist") - release.point("back_shoulder")
    lowest = max(release.point("front_heel")[1], release.point("front_foot_index")[1])
    return {
        "front_knee_at_foot_contact_deg": front.front_knee_deg(),
        "front_knee_at_release_deg": release.front_knee_deg(),
        "trunk_flexion_at_release_deg": flexion,
        "trunk_excursion_deg": None if flexion is None or before is None else flexion - before,
        "trunk_side_lean_at_foot_contact_deg": _negated(front.trunk_lean_deg(front.to_off)),
        "trunk_side_lean_at_release_deg": _negated(release.trunk_lean_deg(release.to_off)),
        "release_height_pct": release.percent(float(lowest - release.point("back_wrist")[1])),
        "arm_slot_deg": float(np.degrees(np.arctan2(abs(arm[0]), -arm[1]))),
        "stride_length_pct": release.percent(stride),
        "back_to_front_foot_s": at["front_foot_contact"] - at["back_foot_contact"],
        "front_foot_to_release_s": at["release"] - at["front_foot_contact"],
    }


def _negated(value: float | None) -> float | None:
    """Side lean counts + away from the bowling arm; +z, the off side, is a right-armer's bowling side."""
    return None if value is None else -value
