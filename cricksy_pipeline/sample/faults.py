"""What may be wrong with a technique, and how much of it: the numbers that are put into a motion.

Belongs here: `Faults`, which fault belongs to which motion.
Does not belong here: how a fault changes a posture (`batting_faults`, `bowling_faults`, `fielding_faults`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Faults:
    """What is wrong with the technique; all zero is the clean motion. Sizes are in the unit of the metric that shows them, where there is
    one.

    Attributes:
        head_fall: degrees by which trunk and head fall to the off side during the shot (drive; B6).
        knee_collapse: degrees by which the front knee (in space) bends more, from the stride until after contact or release (drive B4,
            bowl W1).
        low_elbow: 0 (high lead elbow) to 1 (lead elbow tucked down) during the shot (drive; B7).
        early_hip: degrees by which the hips open before the hands come through (drive; no metric shows it from one phone).
        drift: metres by which the body slides past the front foot after contact (drive; no metric: it is after contact).
        knee_stiff: degrees by which the front knee is straighter, as far as 178 (drive B4, bowl W1).
        head_move: % of height, the root mean square by which the head bobs about contact (drive; B1).
        head_ahead: % of height by which the head is further ahead of the front foot at contact; negative: behind (drive; B2, which counts
            behind as positive).
        weight_back: share of the base by which the hips stay back at contact (drive; B3).
        foot_early: seconds by which the front foot lands earlier; negative: later (drive; B5T).
        stride_longer: body heights by which the stride is longer; negative: shorter (drive B5, bowl W3).
        side_lean: degrees by which the trunk leans away from the bowling arm at release (bowl; W6, W6F).
        forward_lean: degrees by which the trunk leans further to the batter at release (bowl; W5).
        head_away: % of height by which the head falls away from the bowling arm at release (bowl; W8).
        arm_slot: degrees by which the bowling arm is lower, away from the head, at release (bowl; W7 along the pitch).
        late_release: seconds by which the ball is let go later after the front foot's landing (bowl; W4).
        head_bob: % of height, the root mean square of the head's bob before the take (keep K3, catch F7).
        hands_apart: shoulder widths by which the wrists are further apart at the take (keep; K4).
        rises_early: seconds by which the keeper rises sooner (keep; K1).
        hard_hands: % of height by which the hands give less in the 0.12 s after the take (keep K5, catch F7G).
        narrow_stance: hip widths by which the feet are closer (keep; K2).
        high_pick_up: body heights by which hips and head are higher at the pick-up (throw; F3, F3H).
        elbow_lower: degrees by which the throwing elbow is lower at front-foot contact (throw; F5).
        slow_release: seconds that pass longer from pick-up to release (throw; F4).
        upright: degrees by which both knees are straighter in the ready position (throw, catch; F1).
    """

    head_fall: float = 0.0
    knee_collapse: float = 0.0
    low_elbow: float = 0.0
    early_hip: float = 0.0
    drift: float = 0.0
    knee_stiff: float = 0.0
    head_move: float = 0.0
    head_ahead: float = 0.0
    weight_back: float = 0.0
    foot_early: float = 0.0
    stride_longer: float = 0.0
    side_lean: float = 0.0
    forward_lean: float = 0.0
    head_away: float = 0.0
    arm_slot: float = 0.0
    late_release: float = 0.0
    head_bob: float = 0.0
    hands_apart: float = 0.0
    rises_early: float = 0.0
    hard_hands: float = 0.0
    narrow_stance: float = 0.0
    high_pick_up: float = 0.0
    elbow_lower: float = 0.0
    slow_release: float = 0.0
    upright: float = 0.0

    def __add__(self, other: Faults) -> Faults:
        """Both together, size added to size."""
        return Faults(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    @property
    def asked(self) -> tuple[str, ...]:
        """The faults that are not zero."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name))


FAULTS_OF: dict[str, frozenset[str]] = {
    "drive": frozenset(
        {
            "head_fall",
            "knee_collapse",
            "low_elbow",
            "early_hip",
            "drift",
            "knee_stiff",
            "head_move",
            "head_ahead",
            "weight_back",
            "foot_early",
            "stride_longer",
        }
    ),
    "bowl": frozenset(
        {"knee_collapse", "knee_stiff", "stride_longer", "side_lean", "forward_lean", "head_away", "arm_slot", "late_release"}
    ),
    "keep": frozenset({"head_bob", "hands_apart", "rises_early", "hard_hands", "narrow_stance"}),
    "throw": frozenset({"high_pick_up", "elbow_lower", "slow_release", "upright"}),
    "catch": frozenset({"head_bob", "hard_hands", "upright"}),
}
"""motion -> the faults that are defined for it."""


def check(motion: str, faults: Faults) -> None:
    """Raises ValueError where a fault is asked that the motion cannot have."""
    strange = sorted(set(faults.asked) - FAULTS_OF[motion])
    if strange:
        raise ValueError(
            f"of the faults {', '.join(strange)} none is defined for {motion!r}; those are: {', '.join(sorted(FAULTS_OF[motion]))}"
        )
