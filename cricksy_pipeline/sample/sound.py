"""What a clip sounds like: the noise of a net, and the bat on the ball.

Belongs here: when a contact is heard where the camera stands, and the samples of the audio track.
Does not belong here: writing them into a file (`video_file`), hearing them (`analysis.sound`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.sample.filming import standing
from cricksy_pipeline.sample.motion import MOTIONS
from cricksy_pipeline.sample.video_file import AUDIO_RATE_HZ

if TYPE_CHECKING:
    from cricksy_pipeline.sample.spec import ClipSpec

SOUND_M_S = 343.0
_STRUCK = {"drive": "contact"}  # motion -> the event that cracks


def heard_s(spec: ClipSpec) -> list[float]:
    """Clip seconds at which each contact inside the clip is heard: later than it happens by the camera's distance over 343 m/s."""
    from cricksy_pipeline.sample.truth import events

    eye, _, _ = standing(spec)
    delay = float(np.linalg.norm(eye - np.array(MOTIONS[spec.motion].PLACE_M))) / SOUND_M_S
    struck = events(spec).get(_STRUCK.get(spec.motion, ""), [])
    return [round(t + delay * spec.slow_motion, 6) for t in struck]


def soundtrack(spec: ClipSpec) -> np.ndarray:
    """(m,) float32 in -1..1 at `AUDIO_RATE_HZ`, from the first frame to the end of the last: a crowd's murmur, and a crack at each contact.

    The crack is a burst of 1 to 6 kHz that is there within a millisecond and gone within 40: bat on ball.
    """
    rng = np.random.default_rng((spec.seed, 21))
    t = spec.t_s
    seconds = float(t[-1] + (t[-1] - t[-2] if len(t) > 1 else 1 / float(spec.fps)))
    sound = 0.02 * _band(rng, round(seconds * AUDIO_RATE_HZ), 80, 1500)
    swell = 1 + 0.5 * np.sin(2 * np.pi * np.arange(len(sound)) / AUDIO_RATE_HZ / 1.7)
    sound = sound * swell + 0.004 * rng.standard_normal(len(sound))
    crack = _crack(rng)
    for heard in heard_s(spec):
        first = round(heard * AUDIO_RATE_HZ)
        part = crack[: max(len(sound) - first, 0)]
        sound[first : first + len(part)] += part
    return np.clip(sound, -1, 1).astype(np.float32)


def _crack(rng: np.random.Generator) -> np.ndarray:
    n = round(0.04 * AUDIO_RATE_HZ)
    at = np.arange(n) / AUDIO_RATE_HZ
    return 0.28 * _band(rng, n, 1000, 6000) * np.minimum(at / 0.0005, 1) * np.exp(-at / 0.009)


def _band(rng: np.random.Generator, n: int, low_hz: float, high_hz: float) -> np.ndarray:
    """(n,) noise between two frequencies, standard deviation 1."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / AUDIO_RATE_HZ)
    spectrum[(hz < low_hz) | (hz > high_hz)] = 0
    wave = np.fft.irfft(spectrum, n)
    return wave / max(float(wave.std()), 1e-9)
