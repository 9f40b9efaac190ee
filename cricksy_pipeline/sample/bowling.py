"""The bowling action: keyframes of a right-armer's run-up, delivery and follow-through, and when its events happen.

Belongs here: numbers only.
Does not belong here: how they are interpolated (`motion`), how faults change them (`bowling_faults`).

Lengths in metres, angles in degrees, times in seconds within one period. The period ends with a cut: the next delivery starts at the mark
again, as in a reel of single balls. An arm is (swing about z, out of plane, elbow flexion); the swing keeps counting past 360 degrees, so
that it can be interpolated.
"""

from __future__ import annotations

from typing import Any

PERIOD_S = 4.0

EVENTS_S = {"back_foot_contact": 1.72, "front_foot_contact": 1.90, "release": 2.02, "follow_through": 2.25}
"""Seconds within the period."""

PLACE_M = (0.75, 0.95, 0.0)
"""Where the ball is let go: what a camera is aimed at that does not take in the run-up."""

_ARMS_HANGING = dict(left_elbow_pole=(0, -0.6, -0.8), right_elbow_pole=(0, -0.6, -0.8))
MARK: dict[str, Any] = _ARMS_HANGING | dict(
    pelvis=(-3.1, 0.92, 0), pelvis_angles=(90, 4, 0), chest_angles=(0, 8, 0), head_angles=(90, 6, 0),
    left_foot=(-3.05, 0.073, -0.09), left_foot_angles=(90, 0), right_foot=(-3.15, 0.073, 0.09), right_foot_angles=(90, 0),
    left_arm=(-75, -8, 35), right_arm=(-75, 8, 40),
)  # fmt: skip


def _running(x: float, planted: str, left_swing: float, right_swing: float) -> dict[str, Any]:
    """One foot planted at x, the other swinging behind."""
    swinging = "right" if planted == "left" else "left"
    z = {"left": -0.08, "right": 0.08}
    return MARK | {
        "pelvis": (x + 0.10, 0.90, 0),
        "pelvis_angles": (90, 8, 0),
        "chest_angles": (10 if planted == "left" else -10, 10, 0),
        f"{planted}_foot": (x, 0.073, z[planted]),
        f"{planted}_foot_angles": (90, 12),
        f"{swinging}_foot": (x - 0.28, 0.40, z[swinging]),
        f"{swinging}_foot_angles": (90, 70),
        "left_arm": (left_swing, -8, 75),
        "right_arm": (right_swing, 8, 75),
    }


GATHER = MARK | dict(
    pelvis=(-0.62, 1.02, 0), pelvis_angles=(62, 0, 4), chest_angles=(-10, -2, 6), head_angles=(86, 2, 0),
    left_foot=(-0.35, 0.52, -0.06), left_foot_angles=(75, 25), right_foot=(-0.78, 0.26, 0.08), right_foot_angles=(55, 30),
    left_arm=(58, 6, 60), right_arm=(10, 14, 95),
)  # fmt: skip
BACK_FOOT = GATHER | dict(
    pelvis=(-0.14, 0.87, 0.02), pelvis_angles=(34, 2, 10), chest_angles=(-14, -2, 10), head_angles=(84, 2, -2),
    left_foot=(0.32, 0.42, -0.04), left_foot_angles=(70, -8), right_foot=(-0.11, 0.073, 0.05), right_foot_angles=(24, 0),
    left_arm=(84, 4, 8), right_arm=(-72, 6, 35),
)  # fmt: skip
FRONT_FOOT = BACK_FOOT | dict(
    pelvis=(0.66, 0.83, 0), pelvis_angles=(46, 4, 6), chest_angles=(-18, -2, 6), head_angles=(86, 4, 0),
    left_foot=(1.15, 0.073, -0.02), left_foot_angles=(80, 0), right_foot=(-0.04, 0.12, 0.05), right_foot_angles=(40, 30),
    left_arm=(28, 2, 8), right_arm=(-172, 8, 6),
)  # fmt: skip
RELEASE = FRONT_FOOT | dict(
    pelvis=(1.00, 0.88, 0), pelvis_angles=(92, 16, -4), chest_angles=(18, 23, -14), head_angles=(90, 10, -6),
    left_foot_angles=(84, 0), right_foot=(0.42, 0.34, 0.12), right_foot_angles=(80, 70),
    left_arm=(-120, -14, 70), right_arm=(-283, -2, 4),
)  # fmt: skip
FOLLOW_THROUGH = RELEASE | dict(
    pelvis=(1.32, 0.82, -0.02), pelvis_angles=(128, 28, 0), chest_angles=(26, 34, -6), head_angles=(92, 22, 0),
    left_foot=(1.17, 0.10, -0.02), left_foot_angles=(88, 24), right_foot=(1.35, 0.30, 0.10), right_foot_angles=(92, 20),
    left_arm=(-200, 10, 30), right_arm=(-425, -26, 12),
)  # fmt: skip
STEP_THROUGH = FOLLOW_THROUGH | dict(
    pelvis=(1.78, 0.84, 0), pelvis_angles=(100, 16, 0), chest_angles=(10, 18, 0), head_angles=(90, 12, 0),
    left_foot=(1.36, 0.30, -0.05), left_foot_angles=(90, 60), right_foot=(1.95, 0.073, 0.09), right_foot_angles=(90, 0),
    left_arm=(-150, -8, 50), right_arm=(-450, -4, 35),
)  # fmt: skip
STOP = MARK | dict(
    pelvis=(2.35, 0.92, 0), left_foot=(2.40, 0.073, -0.09), right_foot=(2.30, 0.073, 0.09), right_arm=(-435, 8, 40),
)  # fmt: skip

KEYFRAMES: list[tuple[float, dict[str, Any]]] = [
    (0.0, MARK), (0.35, MARK), (0.75, _running(-2.75, "left", -110, -40)), (1.05, _running(-1.95, "right", -40, -115)),
    (1.33, _running(-1.15, "left", -95, -45)), (1.52, GATHER), (1.72, BACK_FOOT), (1.90, FRONT_FOOT), (2.02, RELEASE),
    (2.25, FOLLOW_THROUGH), (2.5, STEP_THROUGH), (3.2, STOP), (4.0, STOP),
]  # fmt: skip
"""(seconds within the period, posture)."""
