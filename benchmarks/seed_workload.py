"""The films that speed is measured with: a net session of 365.3 s as a phone records it, and shorter, longer, larger ones of the same kind.

    python -m benchmarks.seed_workload 720p          # makes the film unless it is there, prints where it lies

Belongs here: what the films are, and making them. Does not belong here: measuring (`speed`).

Twenty seconds are rendered at 1280 x 720: one right-hander stands, plays a front-foot drive, stands. They are encoded once, with grain, in
closed groups of one second, and the packets are repeated under shifted timestamps for as long as a film lasts: a player who plays a ball
every twenty seconds. 1080p and 4K are the same pictures enlarged, with grain of their own size: real in what decoding costs, soft in what
is seen. H.264 has no B-frames, as Android's recorders write it: a decoder must go through every frame of a group and may skip none. The
sound is noise and the crack of each contact, encoded for the whole length.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from cricksy_pipeline.sample.clip import ClipSpec, render
from cricksy_pipeline.sample.sound import soundtrack
from cricksy_pipeline.sample.video_file import AUDIO_RATE_HZ
from cricksy_pipeline.settings import Settings

FPS = 30
BASE_FRAMES = 600
SEED_FRAMES = 10_959
"""365.3 s at 30 frames a second."""

PLAYED = ClipSpec(motion="drive", seconds=4.85, start_s=3.7, width=1280, height=720, crf=18)
"""What is rendered: stance, one ball, stance. Life begins 0.3 s before the ball does."""

STANCE_FRAMES = 25
"""So many frames at either end show nothing but the stance; they are shown forwards and backwards for as long as the player waits."""

GRAIN_FIELDS = 16


@dataclass(frozen=True)
class Film:
    """One film, and everything that its bytes hang on.

    Attributes:
        width, height: pixels.
        codec: ffmpeg's name of the encoder.
        bits_per_s: as phones write this size.
        frames: how many, at 30 a second.
        first_frame: of the base; a key frame.
        grain: standard deviation of the noise of a pixel's brightness, of 255.
        recipe: raise it when the way of making films changes.
    """

    width: int
    height: int
    codec: str
    bits_per_s: int
    frames: int
    first_frame: int = 0
    grain: float = 2.5
    recipe: int = 1

    @property
    def seconds(self) -> float:
        """Length."""
        return self.frames / FPS

    def of_length(self, seconds: float) -> Film:
        """The same film, shorter or longer."""
        return Film(self.width, self.height, self.codec, self.bits_per_s, round(seconds * FPS), self.first_frame, self.grain, self.recipe)


HD = Film(1280, 720, "libx264", 7_000_000, SEED_FRAMES)
FILMS: dict[str, Film] = {
    "720p": HD,
    "1080p": Film(1920, 1080, "libx264", 15_000_000, SEED_FRAMES),
    "4k": Film(3840, 2160, "libx265", 40_000_000, 60 * FPS),
    "10s": Film(1280, 720, "libx264", 7_000_000, 10 * FPS, first_frame=150),
    "30s": HD.of_length(30),
    "60s": HD.of_length(60),
    "60min": HD.of_length(3600),
}
"""By name; 720p and 1080p are the seed workload, 60s is for trials."""

FOR_MEMORY = ("30s", "60min")
"""Films on which memory is measured, not time."""


def film(name: str, folder: Path | None = None) -> Path:
    """The film's file, made where it is missing, which takes minutes and is told on the terminal.

    Args:
        name: a key of `FILMS`.
        folder: of the films; None: `bench/films` of the data folder.
    """
    folder = folder or Settings().folder / "bench" / "films"
    wanted = FILMS[name]
    path = folder / f"{name}-{_hash(wanted)}.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        base = _base(wanted, folder)
        print(f"film {name}: {wanted.frames} frames in the making", flush=True)
        _whole(path, lambda partial: _repeat(base, wanted, partial))
    return path


def _base(wanted: Film, folder: Path) -> Path:
    """Twenty seconds, encoded."""
    one = Film(wanted.width, wanted.height, wanted.codec, wanted.bits_per_s, BASE_FRAMES, 0, wanted.grain, wanted.recipe)
    path = folder / f"base-{one.height}p-{_hash(one)}.mp4"
    if not path.exists():
        pictures = _pictures(folder)
        _whole(path, lambda partial: _encode(pictures, one, partial))
    return path


def _pictures(folder: Path) -> np.ndarray:
    """(n, 720, 1280, 3) uint8, RGB, what was rendered; read as it is needed."""
    path = folder / f"pictures-{_hash(PLAYED)}.npy"

    def draw(partial: Path) -> None:
        pictures = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(PLAYED.ticks), PLAYED.height, PLAYED.width, 3))
        for i, picture in enumerate(render(PLAYED, workers=2)):
            pictures[i] = picture
            _tell("rendering", i + 1, len(pictures))

    if not path.exists():
        _whole(path, draw)
    return np.load(path, mmap_mode="r")


def _order() -> np.ndarray:
    """(600,) which rendered picture each frame of the base shows."""
    played = np.arange(len(PLAYED.ticks))
    before, after = played[:STANCE_FRAMES], played[-STANCE_FRAMES:]
    waiting = (BASE_FRAMES - len(played)) // 2
    first = np.resize(np.r_[before, before[::-1]], waiting)[::-1]  # ends on the first picture of what is played
    last = np.resize(np.r_[after[::-1], after], BASE_FRAMES - len(played) - waiting)
    return np.r_[first, played, last]


def _encode(pictures: np.ndarray, wanted: Film, path: Path) -> None:
    import av
    import cv2

    rng = np.random.default_rng(wanted.height)
    margin = 64
    shape = (wanted.height + margin, wanted.width + margin)
    fields = [np.round(rng.normal(0, wanted.grain, shape)).astype(np.int16) for _ in range(GRAIN_FIELDS)]
    rate = f"bitrate={wanted.bits_per_s // 1000}:vbv-maxrate={wanted.bits_per_s // 800}:vbv-bufsize={wanted.bits_per_s // 800}"
    groups = f"keyint={FPS}:min-keyint={FPS}:scenecut=0:bframes=0"
    options = {
        "libx264": {"preset": "medium", "profile": "high", "x264-params": f"{groups}:{rate}"},
        "libx265": {"preset": "superfast", "x265-params": f"{groups}:{rate}:open-gop=0:log-level=error"},
    }[wanted.codec]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(wanted.codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.options = wanted.width, wanted.height, "yuv420p", options
        for i, at in enumerate(_order()):
            picture = np.ascontiguousarray(pictures[at])
            if picture.shape[:2] != (wanted.height, wanted.width):
                picture = cv2.resize(picture, (wanted.width, wanted.height), interpolation=cv2.INTER_CUBIC)
            frame = av.VideoFrame.from_ndarray(_grained(picture, fields, rng), format="yuv420p")
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            container.mux(stream.encode(frame))
            _tell(f"encoding {wanted.width} x {wanted.height}", i + 1, BASE_FRAMES)
        container.mux(stream.encode())


def _grained(picture: np.ndarray, fields: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """The picture as YUV 4:2:0 with noise in its brightness: one of the fields, laid elsewhere each time."""
    import cv2

    height, width = picture.shape[:2]
    planes = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
    field = fields[rng.integers(len(fields))]
    top, left = (int(rng.integers(field.shape[axis] - side + 1)) for axis, side in ((0, height), (1, width)))
    planes[:height] = np.clip(planes[:height] + field[top : top + height, left : left + width], 0, 255)
    return planes


def _repeat(base: Path, wanted: Film, path: Path) -> None:
    """The packets of the base under shifted timestamps, and the sound, side by side."""
    import av

    with av.open(str(base)) as source, av.open(str(path), "w", format="mp4") as container:
        packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
        given = source.streams.video[0]
        tick = round(1 / FPS / given.time_base)
        if [packet.pts for packet in packets] != [i * tick for i in range(BASE_FRAMES)]:
            raise RuntimeError("the base does not hold one packet a frame in the order of showing")
        stream = container.add_stream_from_template(given)
        audio = container.add_stream("aac", rate=AUDIO_RATE_HZ, layout="mono")
        blocks, sound_s = _sound_blocks(wanted), 0.0
        for i in range(wanted.frames):
            at = wanted.first_frame + i
            data = packets[at % BASE_FRAMES]
            packet = av.Packet(bytes(data))
            packet.stream, packet.time_base, packet.is_keyframe = stream, given.time_base, data.is_keyframe
            packet.pts = packet.dts = i * tick
            packet.duration = tick
            container.mux(packet)
            while sound_s <= i / FPS and (block := next(blocks, None)) is not None:
                container.mux(audio.encode(block))
                sound_s += block.samples / AUDIO_RATE_HZ
            if i % 1000 == 999:
                _tell("putting together", i + 1, wanted.frames)
        container.mux(audio.encode())


def _sound_blocks(wanted: Film) -> Iterator:
    """Audio frames for the whole film; what is heard repeats with the pictures."""
    import av

    played = soundtrack(PLAYED)
    base = np.resize(soundtrack(ClipSpec(motion="bowl", seconds=BASE_FRAMES / FPS)), BASE_FRAMES * AUDIO_RATE_HZ // FPS)
    first = (BASE_FRAMES - len(PLAYED.ticks)) // 2 * AUDIO_RATE_HZ // FPS
    base[first : first + len(played)] = played
    start, count = wanted.first_frame * AUDIO_RATE_HZ // FPS, wanted.frames * AUDIO_RATE_HZ // FPS
    for done in range(0, count, 1024):
        at = np.arange(start + done, start + min(done + 1024, count)) % len(base)
        block = av.AudioFrame.from_ndarray(np.ascontiguousarray(base[at][None]), format="fltp", layout="mono")
        block.sample_rate, block.pts, block.time_base = AUDIO_RATE_HZ, done, Fraction(1, AUDIO_RATE_HZ)
        yield block


def _hash(recipe: object) -> str:
    return hashlib.sha256(f"{recipe!r} {PLAYED!r} {STANCE_FRAMES}".encode()).hexdigest()[:12]


def _whole(path: Path, make) -> None:
    """Make a file beside its place and put it there when it is whole."""
    partial = path.with_name(f".{path.name}.part")
    try:
        make(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _tell(what: str, done: int, of: int) -> None:
    if done % max(of // 5, 1) == 0:
        print(f"  {what}: {done} of {of}", flush=True)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("films", nargs="+", choices=list(FILMS))
    for each in asked.parse_args().films:
        print(film(each).resolve())
