"""What is known of a recording that the landmarks do not tell: how long it is, how fast it plays, what is heard.

Belongs here: `Recording`, the context in which landmarks are measured, and how it follows from a file and from what was asked. Does not
belong here: hearing (`sound`), finding slow motion in the movement (`slow_motion`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

SpeedSource = Literal["assumed", "asked", "file", "unknown"]


@dataclass(frozen=True)
class Onsets:
    """Sudden sounds.

    Attributes:
        t_s: (k,) float64, increasing, presentation time in seconds on the clock of the pictures.
        strength: (k,) float64, how far each stands out of what was heard around it, in its standard deviations.
    """

    t_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    strength: np.ndarray = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class Recording:
    """The recording in which landmarks were seen.

    Attributes:
        duration_s: its length as it plays; every time shown to a person is on this clock.
        slow_motion: how many times slower than life it plays; 1 is normal speed. None: not known, so no time or speed of the player is
            claimed.
        speed_source: how `slow_motion` is known: said by whoever asked, written in the file, assumed, or unknown.
        onsets: sudden sounds; None where the recording has no sound.
    """

    duration_s: float
    slow_motion: float | None = 1.0
    speed_source: SpeedSource = "assumed"
    onsets: Onsets | None = None
