"""What is known of a recording that the landmarks do not tell: how long it is, how fast it plays, what is heard.

Belongs here: `Recording`, the context in which landmarks are measured, how it follows from a file and from what was asked, and the way
between the file's clock and life's. Does not belong here: hearing (`sound`), finding slow motion in the movement (`slow_motion`).

Two clocks: the file's, on which every time is shown to a person, and life's, on which movement is filtered, events are sought and
durations are stated. Both start at the first picture; life's runs `life_factor` times faster.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.options import MOST_SLOW_MOTION, AnalysisOptions

if TYPE_CHECKING:
    from cricksy_pipeline.analysis.video_index import FrameIndex

SpeedSource = Literal["assumed", "asked", "file", "unknown"]

_SAME_SPEED = 0.20
"""A capture rate within a fifth of the rate at which the file plays is the same rate: phones write 30 for 29.97 and 240 for 238.4."""
_WHOLE_FACTOR = 0.06
"""A factor so near to a whole number (as a share of it) is that number: phones play 240 as 29.97 or 30, and drop frames."""


@dataclass(frozen=True)
class Onsets:
    """Sudden sounds.

    Attributes:
        t_s: (k,) float64, increasing, presentation time in seconds on the clock of the pictures.
        strength: (k,) float64, how far each stands out of what was heard around it, in its standard deviations.
    """

    t_s: np.ndarray = field(default_factory=lambda: np.zeros(0))
    strength: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.t_s)

    def as_json(self) -> dict[str, list[float]]:
        """Both as lists; `from_json` reads them back."""
        return {"t_s": np.asarray(self.t_s, float).tolist(), "strength": np.asarray(self.strength, float).tolist()}

    @classmethod
    def from_json(cls, data: dict[str, list[float]] | None) -> Onsets | None:
        """The onsets that `as_json` wrote; None for None."""
        return None if data is None else cls(np.array(data["t_s"], float), np.array(data["strength"], float))


@dataclass(frozen=True)
class Recording:
    """The recording in which landmarks were seen.

    Attributes:
        duration_s: its length as it plays; every time shown to a person is on this clock.
        slow_motion: how many times slower than life it plays; 1 is normal speed. None: not known, so no time or speed of the player is
            claimed.
        speed_source: how `slow_motion` is known: said by whoever asked, written in the file, assumed, or unknown.
        onsets: sudden sounds on the file's clock; None where the recording has no sound.
        likely: where `slow_motion` is None, the factor at which the movement is one that a player can make; events are sought with it.
    """

    duration_s: float
    slow_motion: float | None = 1.0
    speed_source: SpeedSource = "assumed"
    onsets: Onsets | None = None
    likely: float = 1.0

    @property
    def life_factor(self) -> float:
        """Seconds of the file per second of life, for filters and for the search of events: what is known, or else what is likely."""
        return self.likely if self.slow_motion is None else self.slow_motion

    @property
    def timed(self) -> bool:
        """Whether durations and speeds may be stated."""
        return self.slow_motion is not None

    def life_s(self, t_s: float) -> float:
        """The time of life at a time of the file."""
        return t_s / self.life_factor

    def file_s(self, t_s: float) -> float:
        """The time of the file at a time of life."""
        return t_s * self.life_factor


def to_life(landmarks: Landmarks, recording: Recording) -> Landmarks:
    """The same landmarks on life's clock; the same object at normal speed. `Recording.file_s` leads back."""
    factor = recording.life_factor
    return landmarks if factor == 1 else replace(landmarks, t_s=landmarks.t_s / factor)


def recording_of(index: FrameIndex, options: AnalysisOptions) -> Recording:
    """What the file and the person who asked say of the speed: the person first, then the phone's tag, else normal speed is assumed.

    The tag is the rate of capture (`com.android.capture.fps`). A file that plays at that rate shows life, whatever the rate; one that
    plays slower is slow motion by the ratio. One that plays faster is a time lapse, in which no time of the player is claimed. Apple's
    phones write no such tag: their originals keep the timestamps of life, and what they export slowed down says nothing.
    """
    info = index.info
    recording = Recording(info.duration_s, onsets=index.onsets)
    if options.slow_motion is not None:
        return replace(recording, slow_motion=float(options.slow_motion), speed_source="asked")
    if info.capture_fps_tag is None or not info.average_fps > 0:
        return recording
    plays_hz = _usual_rate_hz(index.t_s)
    factor = info.capture_fps_tag / plays_hz
    if abs(factor - 1) <= _SAME_SPEED:
        return replace(recording, slow_motion=1.0, speed_source="file")
    if not 1 < factor <= MOST_SLOW_MOTION:
        return replace(recording, slow_motion=None, speed_source="unknown")
    whole = round(factor)
    return replace(recording, slow_motion=float(whole if abs(factor - whole) <= _WHOLE_FACTOR * whole else factor), speed_source="file")


def _usual_rate_hz(t_s: np.ndarray) -> float:
    """The rate of most frames: a phone that drops some plays the others at the rate it means."""
    return float(1 / np.median(np.diff(t_s)))
