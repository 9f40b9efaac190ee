"""The throw: keyframes of a right-armed fielder's ready position, run in, low pick-up, crow-hop, overarm throw and follow-through.

Belongs here: numbers only.
Does not belong here: how they are interpolated (`motion`), how faults change them (`throwing_faults`).

Lengths in metres, angles in degrees, times in seconds within one period, which ends with a jump back to the mark, as in bowling. The
fielder runs and throws towards +x. An arm is the directions of upper arm and forearm, in the world. Order and timing of the phases: Cook
and Strike
2000, and coaching: side-on in the crow-hop, front foot down, then the trunk turns, then the arm.
"""

from __future__ import annotations

from typing import Any

PERIOD_S = 4.0

EVENTS_S = {"ready": 0.45, "pick_up": 1.45, "front_foot_contact": 2.06, "release": 2.20}
"""Seconds within the period."""

PLACE_M = (0.75, 0.95, 0.0)
"""Where the ball is thrown: what a camera is aimed at that does not take in the run."""

READY: dict[str, Any] = dict(
    pelvis=(-2.17, 0.85, 0), pelvis_angles=(90, 28, 0), chest_angles=(0, 20, 0), head_angles=(90, -4, 0),
    left_foot=(-2.0, 0.088, -0.20), left_foot_angles=(100, 9), right_foot=(-2.0, 0.088, 0.20), right_foot_angles=(80, 9),
    left_upper=(0.20, -0.90, -0.35), left_fore=(0.85, -0.30, 0.30), right_upper=(0.20, -0.90, 0.35), right_fore=(0.85, -0.30, -0.30),
)  # fmt: skip


def _running(x: float, planted: str, low: float) -> dict[str, Any]:
    """One foot planted at x, the other swinging behind; `low` metres by which the hips are lower than in a run."""
    swinging = "right" if planted == "left" else "left"
    z = {"left": -0.09, "right": 0.09}
    arms = {
        f"{planted}_upper": (-0.65, -0.75, 0.25 * (1 if planted == "right" else -1)),
        f"{planted}_fore": (0.45, -0.80, 0.0),
        f"{swinging}_upper": (0.45, -0.85, 0.25 * (1 if swinging == "right" else -1)),
        f"{swinging}_fore": (0.85, 0.35, 0.0),
    }
    return (
        READY
        | arms
        | {
            "pelvis": (x + 0.10, 0.86 - low, 0),
            "pelvis_angles": (90, 14 + 60 * low, 0),
            "chest_angles": (10 if planted == "left" else -10, 14 + 40 * low, 0),
            "head_angles": (90, 10 + 40 * low, 0),
            f"{planted}_foot": (x, 0.073, z[planted]),
            f"{planted}_foot_angles": (90, 8),
            f"{swinging}_foot": (x - 0.30, 0.36, z[swinging]),
            f"{swinging}_foot_angles": (90, 65),
        }
    )


PICK_UP = READY | dict(
    pelvis=(-0.42, 0.57, 0.02), pelvis_angles=(88, 52, 0), chest_angles=(-6, 36, 4), head_angles=(90, 52, 0),
    left_foot=(0.02, 0.073, -0.12), left_foot_angles=(88, 0), right_foot=(-0.52, 0.115, 0.14), right_foot_angles=(84, 28),
    left_upper=(0.35, -0.85, -0.25), left_fore=(0.55, -0.75, 0.30), right_upper=(0.22, -0.96, 0.12), right_fore=(0.25, -0.96, 0.02),
)  # fmt: skip
GATHER = PICK_UP | dict(
    pelvis=(0.22, 0.90, 0.02), pelvis_angles=(46, 8, 0), chest_angles=(-8, 8, 0), head_angles=(86, 8, 0),
    left_foot=(0.08, 0.16, -0.10), left_foot_angles=(80, 40), right_foot=(0.36, 0.30, 0.08), right_foot_angles=(30, 10),
    left_upper=(0.60, -0.75, -0.05), left_fore=(0.35, 0.25, 0.85), right_upper=(-0.15, -0.95, 0.15), right_fore=(0.60, 0.35, 0.65),
)  # fmt: skip
BACK_FOOT = GATHER | dict(
    pelvis=(0.50, 0.86, 0.02), pelvis_angles=(6, 4, 6), chest_angles=(-6, 2, 8), head_angles=(84, 2, 0),
    left_foot=(0.80, 0.26, -0.06), left_foot_angles=(60, 5), right_foot=(0.47, 0.073, 0.04), right_foot_angles=(6, 0),
    left_upper=(0.90, -0.05, 0.35), left_fore=(0.90, 0.20, 0.30), right_upper=(-0.75, -0.62, 0.20), right_fore=(-0.60, -0.50, 0.55),
)  # fmt: skip
FRONT_FOOT = BACK_FOOT | dict(
    pelvis=(0.98, 0.83, 0.01), pelvis_angles=(34, 4, 4), chest_angles=(-16, -2, 6), head_angles=(86, 4, 0),
    left_foot=(1.50, 0.073, -0.06), left_foot_angles=(78, 0), right_foot=(0.50, 0.105, 0.05), right_foot_angles=(22, 20),
    left_upper=(0.80, 0.05, -0.30), left_fore=(0.85, -0.25, 0.20), right_upper=(-0.95, 0.06, 0.10), right_fore=(-0.35, 0.92, 0.10),
)  # fmt: skip
RELEASE = FRONT_FOOT | dict(
    pelvis=(1.24, 0.85, 0), pelvis_angles=(90, 14, -2), chest_angles=(18, 18, -8), head_angles=(90, 8, -4),
    left_foot_angles=(82, 0), right_foot=(0.72, 0.22, 0.10), right_foot_angles=(70, 60),
    left_upper=(-0.10, -0.80, -0.55), left_fore=(0.55, -0.10, 0.45), right_upper=(0.42, 0.28, 0.84), right_fore=(0.46, 0.86, 0.10),
)  # fmt: skip
FOLLOW_THROUGH = RELEASE | dict(
    pelvis=(1.50, 0.82, 0), pelvis_angles=(112, 24, 0), chest_angles=(24, 28, 0), head_angles=(92, 14, 0),
    left_foot_angles=(86, 12), right_foot=(1.45, 0.30, 0.12), right_foot_angles=(90, 30),
    left_upper=(-0.60, -0.60, -0.50), left_fore=(-0.20, 0.30, 0.60), right_upper=(0.70, -0.55, -0.30), right_fore=(0.25, -0.70, -0.65),
)  # fmt: skip
STEP_THROUGH = FOLLOW_THROUGH | dict(
    pelvis=(1.98, 0.86, 0), pelvis_angles=(96, 12, 0), chest_angles=(6, 14, 0), head_angles=(90, 8, 0),
    left_foot=(1.62, 0.26, -0.08), left_foot_angles=(90, 55), right_foot=(2.10, 0.073, 0.10), right_foot_angles=(90, 0),
    left_upper=(0.10, -0.95, -0.25), left_fore=(0.60, -0.70, 0.10), right_upper=(0.10, -0.95, 0.20), right_fore=(0.55, -0.75, -0.10),
)  # fmt: skip
STOP = STEP_THROUGH | dict(
    pelvis=(2.40, 0.92, 0), pelvis_angles=(90, 5, 0), chest_angles=(0, 8, 0), head_angles=(90, 4, 0),
    left_foot=(2.46, 0.073, -0.11), left_foot_angles=(90, 0), right_foot=(2.34, 0.073, 0.11),
)  # fmt: skip

KEYFRAMES: list[tuple[float, dict[str, Any]]] = [
    (0.0, READY), (0.45, READY), (0.80, _running(-1.62, "left", 0.0)), (1.10, _running(-0.98, "right", 0.10)), (1.45, PICK_UP), (1.70,
    GATHER),
    (1.86, BACK_FOOT), (2.06, FRONT_FOOT), (2.20, RELEASE), (2.42, FOLLOW_THROUGH), (2.72, STEP_THROUGH), (3.3, STOP), (4.0, STOP),
]  # fmt: skip
"""(seconds within the period, posture)."""
