"""Faults of a throw: how each changes the posture of the fielder.

Belongs here: changes of the posture in time, before and after its angles become turns, and of the times of keys and events.
Does not belong here: what faults there are (`faults`), the clean throw (`throwing`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.sample import throwing
from cricksy_pipeline.sample.envelopes import envelope, stretched
from cricksy_pipeline.sample.faults import Faults
from cricksy_pipeline.sample.physique import Physique
from cricksy_pipeline.sample.rotations import unit

_HOP_S, _DONE_S = 1.70, 2.72


def key_times(name: str, faults: Faults, times: list[float]) -> list[float]:
    """When the keys come: a slow release dwells between pick-up and crow-hop."""
    later = faults.slow_release
    if not later:
        return times
    return stretched(
        times,
        [0, throwing.EVENTS_S["pick_up"], _HOP_S, _DONE_S, 4.0],
        [0, throwing.EVENTS_S["pick_up"], _HOP_S + later, _DONE_S + later, 4.0],
    )


def events(at: dict[str, float], faults: Faults) -> None:
    """Move the events, seconds within the period, in place."""
    for name in ("front_foot_contact", "release"):
        at[name] += faults.slow_release


def before_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that are places and directions; t (n,) seconds within the table's period."""
    if faults.high_pick_up:
        posture["pelvis"][:, 1] += faults.high_pick_up * person.stature_m * envelope(throwing, t, 1.05, 1.40, 1.50, 1.75)
    if faults.elbow_lower:
        shift = faults.slow_release
        weight = envelope(throwing, np.clip(t - shift, 0, None), 1.80, 2.02, 2.08, 2.18)
        upper = unit(posture["right_upper"])
        level = np.hypot(upper[:, 0], upper[:, 2])
        elevation = np.arctan2(upper[:, 1], level) - np.radians(faults.elbow_lower) * weight
        flat = upper * [1, 0, 1] / np.maximum(level, 1e-6)[:, None]
        posture["right_upper"] = flat * np.cos(elevation)[:, None] + np.array([0, 1.0, 0]) * np.sin(elevation)[:, None]


def after_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """No fault of a throw tips the trunk."""


def knee_deg(faults: Faults, t: np.ndarray) -> np.ndarray | None:
    """(n,) degrees by which the knees bend more; negative: straighter."""
    return -faults.upright * envelope(throwing, t, -2.0, -1.0, 0.46, 0.80) if faults.upright else None
