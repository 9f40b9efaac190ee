"""Faults of a catch: how each changes the posture of the fielder.

Belongs here: changes of the posture in time, before and after its angles become turns.
Does not belong here: what faults there are (`faults`), the clean catch (`catching`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.sample import catching
from cricksy_pipeline.sample.envelopes import envelope
from cricksy_pipeline.sample.faults import Faults
from cricksy_pipeline.sample.keeping_faults import bob, hold_hands
from cricksy_pipeline.sample.physique import Physique

_HEAD_LEVER_M = 0.40  # the head's way for a sine of the chest's turn, of the adult


def key_times(name: str, faults: Faults, times: list[float]) -> list[float]:
    """No fault of a catch is one of timing."""
    return times


def events(at: dict[str, float], faults: Faults) -> None:
    """No fault of a catch is one of timing."""


def before_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that are places; t (n,) seconds within the table's period."""
    if faults.hard_hands:
        hold_hands(posture, faults.hard_hands / 100 * person.stature_m, t, catching.EVENTS_S["take"], way=(0.40, 0.92, 0.0))


def after_turns(posture: dict[str, np.ndarray], faults: Faults, t: np.ndarray, person: Physique) -> None:
    """Faults that tip the trunk."""
    if faults.head_bob:
        bob(posture, faults.head_bob, t, catching.EVENTS_S["take"], _HEAD_LEVER_M)


def knee_deg(faults: Faults, t: np.ndarray) -> np.ndarray | None:
    """(n,) degrees by which the knees bend more; negative: straighter."""
    return -faults.upright * envelope(catching, t, 0.35, 0.78, 1.05, 1.5) if faults.upright else None
