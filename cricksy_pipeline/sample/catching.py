"""The catch: keyframes of a fielder's ready position, split step and a high catch in front of the eyes with its give.

Belongs here: numbers only.
Does not belong here: how they are interpolated (`motion`), how faults change them (`catching_faults`).

Lengths in metres, angles in degrees, times in seconds within one period. The fielder looks towards +x, where the ball comes from. A hand is
the place of the palm from the middle of the hips, in world directions.
"""

from __future__ import annotations

from typing import Any

PERIOD_S = 4.0

EVENTS_S = {"ready": 0.80, "take": 2.00}
"""Seconds within the period: set for the stroke, the ball meets the hands."""

PLACE_M = (0.0, 0.95, 0.0)
"""Where the catch is: what a camera is aimed at."""

_ELBOWS = dict(left_elbow_pole=(0.7, -0.7, -0.2), right_elbow_pole=(-0.7, -0.7, -0.2))
STAND: dict[str, Any] = _ELBOWS | dict(
    pelvis=(-0.03, 0.90, 0), pelvis_angles=(90, 5, 0), chest_angles=(0, 7, 0), head_angles=(90, 2, 0),
    left_foot=(0, 0.073, -0.18), left_foot_angles=(98, 0), right_foot=(0, 0.073, 0.18), right_foot_angles=(82, 0),
    left_hand=(0.22, -0.08, -0.22), right_hand=(0.22, -0.08, 0.22),
)  # fmt: skip
READY = STAND | dict(
    pelvis=(-0.17, 0.85, 0), pelvis_angles=(90, 28, 0), chest_angles=(0, 20, 0), head_angles=(90, -4, 0),
    left_foot=(0, 0.088, -0.20), left_foot_angles=(100, 9), right_foot=(0, 0.088, 0.20), right_foot_angles=(80, 9),
    left_hand=(0.44, -0.06, -0.13), right_hand=(0.44, -0.06, 0.13),
)  # fmt: skip
HOP = READY | dict(
    pelvis=(-0.15, 0.88, 0), left_foot=(0, 0.15, -0.22), left_foot_angles=(100, 16), right_foot=(0, 0.15, 0.22), right_foot_angles=(80, 16),
)  # fmt: skip
LANDED = READY | dict(
    pelvis=(-0.16, 0.80, 0), left_foot=(0, 0.082, -0.24), left_foot_angles=(100, 6), right_foot=(0, 0.082, 0.24), right_foot_angles=(80, 6),
)  # fmt: skip
UNDER = LANDED | dict(
    pelvis=(-0.06, 0.86, 0), pelvis_angles=(90, 8, 0), chest_angles=(0, 4, 0), head_angles=(90, -22, 0),
    left_foot=(0.10, 0.075, -0.22), left_foot_angles=(98, 2), right_foot=(-0.06, 0.080, 0.22), right_foot_angles=(78, 4),
    left_hand=(0.36, 0.46, -0.10), right_hand=(0.36, 0.46, 0.10), left_elbow_pole=(0.6, -0.8, 0.1), right_elbow_pole=(-0.6, -0.8, 0.1),
)  # fmt: skip
TAKE = UNDER | dict(
    pelvis=(-0.05, 0.87, 0), head_angles=(90, -20, 0), left_hand=(0.40, 0.80, -0.05), right_hand=(0.40, 0.80, 0.05),
)  # fmt: skip
GIVE = TAKE | dict(
    pelvis=(-0.05, 0.84, 0), head_angles=(90, -14, 0), left_hand=(0.32, 0.62, -0.05), right_hand=(0.32, 0.62, 0.05),
)  # fmt: skip
HOLD = GIVE | dict(
    pelvis=(-0.05, 0.83, 0), head_angles=(90, 2, 0), left_hand=(0.27, 0.42, -0.065), right_hand=(0.27, 0.42, 0.065),
)  # fmt: skip

KEYFRAMES: list[tuple[float, dict[str, Any]]] = [
    (0.0, STAND), (0.30, STAND), (0.80, READY), (1.05, READY), (1.15, HOP), (1.27, LANDED), (1.36, LANDED), (1.72, UNDER), (2.00, TAKE),
    (2.12, GIVE), (2.28, HOLD), (2.60, HOLD), (3.2, STAND), (4.0, STAND),
]  # fmt: skip
"""(seconds within the period, posture)."""
