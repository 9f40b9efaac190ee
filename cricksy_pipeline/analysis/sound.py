"""Hearing: sudden sounds in a file that nobody vouches for, on the clock of its pictures.

Belongs here: decoding sound in small pieces, its loudness over time, and the onsets in it. Does not belong here: which onset is a bat on
a ball (`contact_sound`), opening the file (`video_file`). Runs in the child process, inside the index task.

A bat's crack is short and broad: it stands out of wind, talk and traffic in the upper half of what phones record. So the sound is brought
to 16 kHz mono, its first difference taken (which favours 3 to 8 kHz), and its energy summed in pieces of 1 ms: a quarter of an hour is
900,000 numbers, whatever the file holds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.analysis.medians import median
from cricksy_pipeline.analysis.recording import Onsets
from cricksy_pipeline.analysis.video_file import open_container, picture_stream, read_only
from cricksy_pipeline.errors import CricksyError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

    from cricksy_pipeline.analysis.video_index import FrameIndex

RATE_HZ = 16_000
PIECE_S = 0.001
AT_ONCE = 128
"""Frames of sound, a fiftieth of a second each: looked at one by one, they took three times as long as decoding them."""
MOST_PACKETS_PER_S = 400
"""Of sound; phones write 47 (AAC), raw sound in small packets up to 200. A crafted file may hold any number at one instant."""


@dataclass(frozen=True)
class HearingSettings:
    """What counts as a sudden sound; house defaults, uncalibrated, unless said otherwise.

    Attributes:
        smooth_s: loudness is the energy within so long.
        around_s: how far to either side the level and the spread of the background are taken.
        least_spread_db: of the background: 5 ms of steady noise scatter by 0.7 dB, and nothing real is steadier than this.
        least_strength: spreads by which an onset stands out; steady noise reaches 5 about once a minute.
        least_rise_db: by which loudness rises within `rise_s`: a shout swells, a crack is there at once.
        rise_s: see above.
        apart_s: of two onsets so near the stronger counts: an echo is not another ball.
        most: onsets kept, the strongest.
        attack_share: the onset is where the energy first reaches this share of the peak's.
    """

    smooth_s: float = 0.005
    around_s: float = 1.0
    least_spread_db: float = 1.5
    least_strength: float = 6.0
    least_rise_db: float = 8.0
    rise_s: float = 0.020
    apart_s: float = 0.060
    most: int = 300
    attack_share: float = 0.10


HEARING = HearingSettings()


def listen(path: Path, index: FrameIndex, settings: HearingSettings = HEARING) -> Onsets | None:
    """The sudden sounds while the pictures are shown; None where the file has no sound that can be decoded.

    Sound is a help, never a condition: whatever is wrong with it, the pictures count. Damaged pieces are passed over.

    Args:
        path: the file.
        index: its pictures; times are seconds after the first one, as in `index.t_s`.
    """
    try:
        with open_container(path) as container:
            energy = _energy(container, index)
    except CricksyError:
        return None
    return None if energy is None else find_onsets(energy, settings)


def find_onsets(energy: np.ndarray, settings: HearingSettings = HEARING) -> Onsets:
    """The onsets in energies of successive `PIECE_S`, from time 0: (n,) any unit, not negative, NaN where nothing was recorded."""
    heard = np.isfinite(energy)
    if heard.sum() < 50 or not np.nanmax(energy) > 0:
        return Onsets()
    width = max(1, round(settings.smooth_s / PIECE_S))
    filled = np.where(heard, energy, 0.0)
    smooth = np.convolve(filled, np.ones(width) / width, mode="same")
    loud_db = 10 * np.log10(smooth + 1e-9 * smooth.max())
    level, spread = _background(loud_db, heard, settings)
    strength = (loud_db - level) / spread
    back = round(settings.rise_s / PIECE_S)
    quiet = loud_db.copy()
    for shift in range(1, back + 1):
        np.minimum(quiet[shift:], loud_db[:-shift], out=quiet[shift:])
    rises = loud_db - quiet >= settings.least_rise_db
    inner = (smooth >= np.roll(smooth, 1)) & (smooth > np.roll(smooth, -1)) & heard
    candidates = np.flatnonzero(inner & rises & (strength >= settings.least_strength))
    kept = _apart(candidates[np.argsort(-strength[candidates], kind="stable")], round(settings.apart_s / PIECE_S), settings.most)
    kept = np.sort(kept)
    t_s = np.array([_attack(filled, peak, back, settings) for peak in kept], float) * PIECE_S
    return Onsets(t_s, np.round(strength[kept], 2))


def _apart(by_strength: np.ndarray, apart: int, most: int) -> np.ndarray:
    kept: list[int] = []
    for i in by_strength:
        if all(abs(i - k) > apart for k in kept):
            kept.append(int(i))
            if len(kept) == most:
                break
    return np.array(kept, int)


def _attack(energy: np.ndarray, peak: int, back: int, settings: HearingSettings) -> float:
    """Where the sound starts, in pieces: the first in reach that holds `attack_share` of the loudest one's energy."""
    start = max(0, peak - back)
    near = energy[start : peak + 4]
    return start + float(np.flatnonzero(near >= settings.attack_share * near.max())[0])


def _background(loud_db: np.ndarray, heard: np.ndarray, settings: HearingSettings) -> tuple[np.ndarray, np.ndarray]:
    """Level and spread around each piece: median and scaled median absolute deviation, taken every tenth of `around_s`."""
    step = max(1, round(settings.around_s / PIECE_S / 10))
    half = round(settings.around_s / PIECE_S)
    centres = np.arange(0, len(loud_db), step)
    level, spread = np.empty(len(centres)), np.empty(len(centres))
    for k, centre in enumerate(centres):
        span = slice(max(0, centre - half), centre + half + 1)
        near = loud_db[span][heard[span]]
        if not len(near):
            level[k], spread[k] = np.inf, 1.0
            continue
        level[k] = median(near)
        spread[k] = max(1.4826 * median(np.abs(near - level[k])), settings.least_spread_db)
    at = np.minimum(np.arange(len(loud_db)) // step, len(centres) - 1)
    return level[at], spread[at]


def _energy(container: InputContainer, index: FrameIndex) -> np.ndarray | None:
    """Energy of each `PIECE_S` from the first picture to the end of the last one; NaN where the sound is silent about it; None without
    sound."""
    pieces = int(np.ceil(index.info.duration_s / PIECE_S)) + 1  # the length of the pictures was refused where it is too much
    starts_s = float(picture_stream(container).time_base * int(index.pts[0]))
    energy = np.full(pieces, np.nan)
    before = 0.0
    frames = _samples(container, most_packets=round(MOST_PACKETS_PER_S * (index.info.duration_s + 60)))
    while some := list(itertools.islice(frames, AT_ONCE)):
        first = np.array([(at_s - starts_s) * RATE_HZ for at_s, _ in some])
        if first[0] > pieces * PIECE_S * RATE_HZ:
            break
        lengths = np.array([len(samples) for _, samples in some])
        samples = np.clip(np.nan_to_num(np.concatenate([samples for _, samples in some]).astype(float), posinf=0.0, neginf=0.0), -1.0, 1.0)
        change = np.diff(samples, prepend=before)
        before = float(samples[-1])
        within = np.arange(len(change)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        piece = np.floor((np.repeat(first, lengths) + within) / (PIECE_S * RATE_HZ)).astype(np.int64)
        inside = (piece >= 0) & (piece < pieces)
        if not inside.any():
            continue
        lowest, highest = int(piece[inside].min()), int(piece[inside].max())
        summed = np.bincount(piece[inside] - lowest, weights=np.square(change[inside], dtype=float))
        heard = np.bincount(piece[inside] - lowest) > 0
        stretch = energy[lowest : highest + 1]
        stretch[heard] = np.nan_to_num(stretch[heard]) + summed[heard]
    return energy if np.isfinite(energy).any() else None


def _samples(container: InputContainer, most_packets: int) -> Iterator[tuple[float, np.ndarray]]:
    """(seconds on the container's clock, samples at `RATE_HZ`, as they decode), frame by frame; what does not decode is left out."""
    import av

    if not container.streams.audio or container.streams.audio[0].codec_context is None:
        return
    stream = container.streams.audio[0]
    read_only(container, stream)
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ)
    packets = container.demux(stream)
    for _ in range(most_packets):
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        try:
            for frame in packet.decode():
                yield from _resampled(resampler, frame)
        except (av.error.FFmpegError, ValueError):
            continue


def _resampled(resampler, frame: AudioFrame) -> Iterator[tuple[float, np.ndarray]]:
    if frame.pts is None or frame.time_base is None:
        return
    for made in resampler.resample(frame):
        if made.samples:
            tick = made.time_base
            # As `float(made.pts * tick)` and `made.to_ndarray()[0]`, at a third of their price: there are fifty frames a second.
            yield made.pts * tick.numerator / tick.denominator, np.frombuffer(made.planes[0], np.float32, made.samples)
