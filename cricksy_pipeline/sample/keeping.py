"""The wicketkeeper: keyframes of a crouch, the rise with the ball, a take at waist height after a step to the side, and the give.

Belongs here: numbers only.
Does not belong here: how they are interpolated (`motion`), how faults change them (`keeping_faults`).

Lengths in metres, angles in degrees, times in seconds within one period. The keeper looks towards +x, where the ball comes from. A hand
is the place of the palm from the middle of the hips, in world directions.
"""

from __future__ import annotations

from typing import Any

PERIOD_S = 4.0

EVENTS_S = {"set": 1.00, "rise": 1.60, "take": 1.90}
"""Seconds within the period: the crouch is reached, the hips leave it, the ball meets the gloves. Rising with the bounce, some 0.3 s before
the take: coaching (cricket-metrics 3.8 K1)."""

PLACE_M = (0.05, 0.85, 0.05)
"""Where the ball is taken: what a camera is aimed at."""

_ELBOWS = dict(left_elbow_pole=(0.45, -0.8, -0.35), right_elbow_pole=(-0.45, -0.8, -0.35))
STAND: dict[str, Any] = _ELBOWS | dict(
    pelvis=(-0.03, 0.90, 0), pelvis_angles=(90, 6, 0), chest_angles=(0, 8, 0), head_angles=(90, 4, 0),
    left_foot=(0, 0.073, -0.19), left_foot_angles=(102, 0), right_foot=(0, 0.073, 0.19), right_foot_angles=(78, 0),
    left_hand=(0.24, -0.06, -0.20), right_hand=(0.24, -0.06, 0.20),
)  # fmt: skip
CROUCH = STAND | dict(
    pelvis=(-0.17, 0.45, 0), pelvis_angles=(90, 32, 0), chest_angles=(0, 24, 0), head_angles=(90, -2, 0),
    left_foot=(0, 0.090, -0.21), left_foot_angles=(108, 10), right_foot=(0, 0.090, 0.21), right_foot_angles=(72, 10),
    left_hand=(0.56, -0.20, -0.07), right_hand=(0.56, -0.20, 0.07),
)  # fmt: skip
RISING = CROUCH | dict(
    pelvis=(-0.13, 0.60, 0.09), pelvis_angles=(90, 31, 0), chest_angles=(0, 21, 0), head_angles=(90, 3, 0),
    left_foot=(0, 0.080, -0.21), left_foot_angles=(106, 6), right_foot=(0.02, 0.14, 0.38), right_foot_angles=(74, 0),
    left_hand=(0.60, 0.00, -0.07), right_hand=(0.60, 0.00, 0.07),
)  # fmt: skip
TAKE = RISING | dict(
    pelvis=(-0.10, 0.68, 0.16), pelvis_angles=(90, 28, 2), chest_angles=(0, 19, 2), head_angles=(90, 8, 0),
    left_foot=(0, 0.085, -0.21), left_foot_angles=(104, 8), right_foot=(0.03, 0.073, 0.44), right_foot_angles=(74, 0),
    left_hand=(0.64, 0.12, 0.025), right_hand=(0.64, 0.12, 0.095),
)  # fmt: skip
GIVE = TAKE | dict(
    pelvis=(-0.10, 0.70, 0.17), head_angles=(90, 11, 0), left_hand=(0.43, 0.05, 0.025), right_hand=(0.43, 0.05, 0.095),
)  # fmt: skip
HOLD = GIVE | dict(
    pelvis=(-0.09, 0.72, 0.18), head_angles=(90, 12, 0), left_hand=(0.36, 0.04, 0.025), right_hand=(0.36, 0.04, 0.095),
)  # fmt: skip
UP = HOLD | dict(
    pelvis=(-0.04, 0.88, 0.14), pelvis_angles=(90, 8, 0), chest_angles=(0, 10, 0), head_angles=(90, 6, 0),
    left_foot=(0, 0.075, -0.21), left_foot_angles=(102, 1), left_hand=(0.30, 0.10, -0.08), right_hand=(0.30, 0.10, 0.08),
)  # fmt: skip
STEP_BACK = UP | dict(pelvis=(-0.03, 0.89, 0.04), right_foot=(0.02, 0.15, 0.30), left_hand=(0.27, 0, -0.16), right_hand=(0.27, 0, 0.16))

KEYFRAMES: list[tuple[float, dict[str, Any]]] = [
    (0.0, STAND), (0.40, STAND), (1.0, CROUCH), (1.60, CROUCH), (1.78, RISING), (1.90, TAKE), (2.02, GIVE), (2.16, HOLD), (2.45, HOLD),
    (2.95, UP), (3.25, STEP_BACK), (3.6, STAND), (4.0, STAND),
]  # fmt: skip
"""(seconds within the period, posture)."""
