"""The batting drive: keyframes of a right-hander's front-foot drive, and when its events happen.

Belongs here: numbers only.
Does not belong here: how they are interpolated (`motion`), how faults change them (`batting_faults`).

Lengths in metres, angles in degrees, times in seconds within one period. `bat` is (elevation, azimuth) of the direction from handle to toe;
a falling elevation swings the bat back, a rising one through the ball.
"""

from __future__ import annotations

from typing import Any

PERIOD_S = 4.0

EVENTS_S = {"top_of_backlift": 1.34, "front_foot_down": 1.58, "contact": 1.70, "follow_through": 2.15}
"""Seconds within the period. `contact` is bat on ball. Downswing 0.36 s and foot down 0.12 s before contact: Stretch 1998 (drives)."""

STANCE_S = 0.30
"""A time at which the batter stands ready."""

PLACE_M = (0.30, 0.95, 0.0)
"""Where the stroke happens: what a camera is aimed at."""

STANCE: dict[str, Any] = dict(
    pelvis=(0.02, 0.855, -0.05), pelvis_angles=(4, 14, 0), chest_angles=(6, 20, -2), head_angles=(76, 10, 2),
    left_foot=(0.15, 0.073, 0), left_foot_angles=(14, 0), right_foot=(-0.20, 0.073, 0), right_foot_angles=(2, 0),
    grip=(0.06, 0.80, 0.30), bat_angles=(-108, 4), left_elbow_pole=(0.9, 0.1, -0.2), right_elbow_pole=(-0.6, -0.4, -0.6),
)  # fmt: skip
BACKLIFT = STANCE | dict(
    pelvis=(-0.02, 0.85, -0.05), pelvis_angles=(0, 15, 1), chest_angles=(-8, 18, -4), head_angles=(78, 9, 1),
    grip=(-0.14, 0.90, 0.46), bat_angles=(-226, 8), left_elbow_pole=(0.5, -0.4, 0.5), right_elbow_pole=(-0.9, 0.25, -0.5),
)  # fmt: skip
TOP = BACKLIFT | dict(
    pelvis=(0.15, 0.83, -0.01), pelvis_angles=(7, 15, -2), chest_angles=(-8, 16, -6), head_angles=(79, 12, 0),
    left_foot=(0.46, 0.13, 0.06), left_foot_angles=(30, -6), right_foot=(-0.195, 0.075, 0), right_foot_angles=(4, 1),
    grip=(-0.04, 1.00, 0.46), bat_angles=(-242, 10), left_elbow_pole=(0.6, -0.1, 0.5), right_elbow_pole=(-0.9, 0.1, -0.5),
)  # fmt: skip
STRIDE = TOP | dict(
    pelvis=(0.33, 0.80, 0.02), pelvis_angles=(14, 14, -6), chest_angles=(-8, 14, -9), head_angles=(80, 16, 0),
    left_foot=(0.74, 0.073, 0.12), left_foot_angles=(46, 0), right_foot=(-0.19, 0.078, -0.01), right_foot_angles=(6, 3),
    grip=(0.20, 0.97, 0.45), bat_angles=(-222, 9), left_elbow_pole=(0.7, 0.1, 0.5), right_elbow_pole=(-0.9, 0, -0.5),
)  # fmt: skip
IMPACT = STRIDE | dict(
    pelvis=(0.45, 0.80, 0.06), pelvis_angles=(24, 10, -6), chest_angles=(14, 13, -8), head_angles=(82, 22, 0),
    right_foot=(-0.17, 0.105, -0.02), right_foot_angles=(16, 20),
    grip=(0.83, 0.855, 0.38), bat_angles=(-99, 2), left_elbow_pole=(0.8, 0.9, 0.3), right_elbow_pole=(-0.5, -0.7, -0.4),
)  # fmt: skip
EXTENSION = IMPACT | dict(
    pelvis=(0.47, 0.80, 0.06), pelvis_angles=(29, 10, -6), chest_angles=(17, 12, -8),
    grip=(1.02, 0.99, 0.35), bat_angles=(-42, 0), left_elbow_pole=(0.6, 0.8, 0.5), right_elbow_pole=(-0.3, -0.9, -0.1),
)  # fmt: skip
FOLLOW_THROUGH = IMPACT | dict(
    pelvis=(0.49, 0.805, 0.06), pelvis_angles=(36, 9, -6), chest_angles=(18, 10, -8), head_angles=(82, 14, 0),
    right_foot=(-0.15, 0.125, -0.02), right_foot_angles=(28, 32),
    grip=(1.00, 1.44, 0.28), bat_angles=(48, -6), left_elbow_pole=(0.5, 0.6, 0.6), right_elbow_pole=(-0.2, -1, 0.2),
)  # fmt: skip
FINISH = FOLLOW_THROUGH | dict(
    pelvis=(0.49, 0.81, 0.05), pelvis_angles=(40, 8, -5), chest_angles=(18, 8, -7), head_angles=(82, 8, 0),
    grip=(0.98, 1.55, 0.24), bat_angles=(80, -10),
)  # fmt: skip
STEP_BACK = STANCE | dict(
    pelvis=(0.26, 0.83, 0), pelvis_angles=(20, 12, -2), left_foot=(0.46, 0.16, 0.06), left_foot_angles=(30, 10),
    right_foot=(-0.18, 0.09, -0.01), right_foot_angles=(14, 10), grip=(0.50, 0.93, 0.42), bat_angles=(-55, 0),
)  # fmt: skip

KEYFRAMES: list[tuple[float, dict[str, Any]]] = [
    (0.0, STANCE), (0.55, STANCE), (1.0, BACKLIFT), (1.12, BACKLIFT), (1.34, TOP), (1.58, STRIDE), (1.7, IMPACT), (1.8, EXTENSION),
    (1.95, FOLLOW_THROUGH), (2.15, FINISH), (2.9, FINISH), (3.3, STEP_BACK), (3.7, STANCE), (4.0, STANCE),
]  # fmt: skip
"""(seconds within the period, posture)."""
