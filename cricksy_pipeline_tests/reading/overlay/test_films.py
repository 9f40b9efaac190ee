"""Overlay videos as a player of videos reads them: times, form, sound, and what is drawn at which moment."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.subject import Subject
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.reading.notation import time_with_interval
from cricksy_pipeline.reading.overlay.making import Drawing, Films, make_films
from cricksy_pipeline.reading.overlay.script import Ball, Mark, Script
from cricksy_pipeline.reading.overlay.style import STYLE, layout_of
from cricksy_pipeline_tests.analysis.pattern_video import read_number, write_pattern

# Whole ticks of 1/90 s, as a phone drops pictures: no two steps alike.
TIMES = tuple(Fraction(k, 90) for k in (0, 3, 6, 12, 15, 21, 22, 30, 45, 48, 60, 63, 66, 90, 93, 96, 99, 105, 120, 180))
SIZE = (320, 180)
BALL = Ball(1, 0.2, 0.9, 0.5, (Mark("contact", 0.5, 0.04, time_with_interval(0.5, 0.04)),), ())


@dataclass(frozen=True)
class Shown:
    """A finished video, decoded."""

    t_s: np.ndarray
    pictures: list[np.ndarray]
    duration_s: float


def decoded(path: Path) -> Shown:
    import av

    with av.open(str(path)) as container:
        frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
        duration_s = container.duration / 1e6
    return Shown(np.array([t for t, _ in frames]), [image for _, image in frames], duration_s)


def no_landmarks(size=SIZE) -> Landmarks:
    return Landmarks.empty(*size)


def standing(t_s: np.ndarray, size=SIZE) -> Landmarks:
    """Somebody who stands in the middle of the picture, in every frame."""
    n = len(t_s)
    xy = np.zeros((n, 33, 2), np.float32)
    for name, i in INDEX.items():
        side = -1 if name.startswith("right") or name == "mouth_right" else 1 if name.startswith("left") or name == "mouth_left" else 0
        height = {"shoulder": 0.35, "elbow": 0.45, "wrist": 0.55, "hip": 0.58, "knee": 0.75, "ankle": 0.92, "heel": 0.93}
        y = next((y for part, y in height.items() if part in name), 0.95 if "foot" in name else 0.56 if i > 16 else 0.25)
        xy[:, i] = (size[0] * (0.5 + 0.04 * side), size[1] * y)
    ones = np.ones((n, 33), np.float32)
    return Landmarks(
        np.arange(n), t_s.astype(float), np.zeros(n, np.uint8), xy, ones * 0, ones, ones, np.zeros((n, 33, 3), np.float32), *size
    )


def make(video: Path, into: Path, *, landmarks: Landmarks | None = None, balls: tuple[Ball, ...] = (), **how) -> Films:
    into.mkdir()
    index = inspect_video(video)
    marks = no_landmarks((index.info.width, index.info.height)) if landmarks is None else landmarks
    script = Script(balls, index.info.duration_s)
    return make_films(video, Drawing(index, marks, Subject(), script, None), into, **how)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory) -> Path:
    """Pictures at uneven times, stored turned by a quarter, as a phone held upright stores them."""
    return write_pattern(tmp_path_factory.mktemp("films") / "uneven.mp4", TIMES, size=SIZE, turn=90)


@pytest.fixture(scope="module")
def said() -> list[tuple[int, int]]:
    """What was told of progress while `films` were made."""
    return []


@pytest.fixture(scope="module")
def films(uneven, said, tmp_path_factory) -> Films:
    into = tmp_path_factory.mktemp("films") / "made"
    return make(uneven, into, balls=(BALL,), on_progress=lambda done, of: said.append((done, of)))


@pytest.fixture(scope="module")
def overlay(films) -> Shown:
    return decoded(films.overlay)


def test_every_picture_is_shown_upright_at_its_own_time(overlay):
    layout = layout_of(*SIZE)
    assert overlay.t_s == pytest.approx([float(t) for t in TIMES], abs=1e-4)
    inside = slice(layout.top, layout.top + layout.picture_height), slice(0, layout.picture_width)
    assert [read_number(picture[inside]) for picture in overlay.pictures] == list(range(len(TIMES)))


def test_the_overlay_lasts_as_long_as_the_source(uneven, overlay):
    assert overlay.duration_s == pytest.approx(inspect_video(uneven).info.duration_s, abs=0.02)


def test_progress_never_falls_and_ends_with_all_pictures(films, said):
    assert said[-1] == (len(TIMES), len(TIMES)) == (films.pictures, films.pictures)
    assert [done for done, _ in said] == sorted(done for done, _ in said)


def test_it_is_what_browsers_play_and_begins_before_it_is_whole(films):
    import av

    for path in (films.overlay, films.clips[1]):
        with av.open(str(path)) as container:
            (stream,) = container.streams.video
            context = stream.codec_context
            assert (context.name, context.pix_fmt, context.profile) == ("h264", "yuv420p", "High")
            assert max(stream.width, stream.height) <= STYLE.long_side
            assert (stream.width % 2, stream.height % 2) == (0, 0)
        boxes = mp4_boxes(path.read_bytes())
        assert boxes.index("moov") < boxes.index("mdat")


def mp4_boxes(data: bytes) -> list[str]:
    """The names of a file's outermost boxes in order (ISO/IEC 14496-12, 4.2)."""
    names, at = [], 0
    while at + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[at : at + 8])
        names.append(name.decode())
        at += size or len(data)
    return names


def test_the_same_source_gives_the_same_bytes(uneven, films, tmp_path):
    again = make(uneven, tmp_path / "again", balls=(BALL,))
    assert again.overlay.read_bytes() == films.overlay.read_bytes()
    assert again.clips[1].read_bytes() == films.clips[1].read_bytes()


def test_a_clip_shows_its_ball_then_the_key_moment_at_half_speed_then_rests(films):
    clip, layout = decoded(films.clips[1]), layout_of(*SIZE)
    inside = slice(layout.top, layout.top + layout.picture_height), slice(0, layout.picture_width)
    numbers = [read_number(picture[inside]) for picture in clip.pictures]
    t_s = [float(t) for t in TIMES]
    first, last = BALL.start_s - STYLE.before_s, BALL.end_s + STYLE.after_s
    once = [i for i, t in enumerate(t_s) if max(0, first) <= t <= last]
    slow = [i for i, t in enumerate(t_s) if BALL.key_s - STYLE.replay_before_s <= t <= BALL.key_s + STYLE.replay_after_s]
    assert numbers[: len(once) + len(slow)] == once + slow
    assert set(numbers[len(once) + len(slow) :]) == {slow[-1]}
    assert np.diff(clip.t_s[: len(once)]) == pytest.approx(np.diff([t_s[i] for i in once]), abs=1e-4)
    assert np.diff(clip.t_s[len(once) : len(once) + len(slow)]) == pytest.approx(2 * np.diff([t_s[i] for i in slow]), abs=1e-4)
    assert clip.duration_s - clip.t_s[len(once) + len(slow)] == pytest.approx(STYLE.hold_s, abs=0.05)


def yellow(picture: np.ndarray) -> int:
    """Pixels of the ring's colour."""
    return int((np.abs(picture.astype(int) - (255, 225, 77)).max(axis=2) < 40).sum())


def test_skeleton_and_ring_are_drawn_across_short_gaps_only(uneven, tmp_path):
    t_s = np.array([float(t) for t in TIMES])
    sampled = np.isin(np.arange(len(t_s)), (0, 3, 13, 14))  # steps of 0.13, 0.87 and 0.03 s
    shown = decoded(make(uneven, tmp_path / "made", landmarks=standing(t_s).select(sampled)).overlay)
    layout = layout_of(*SIZE)
    ringed = [yellow(picture[: layout.foot_top, : layout.picture_width]) > 20 for picture in shown.pictures]
    assert [i for i, ring in enumerate(ringed) if ring] == [0, 1, 2, 3, 13, 14]


def with_sound(path: Path, *, seconds: float = 2.0, beep_s: float = 1.0) -> Path:
    """Silence, and a loud tone from `beep_s` on."""
    from cricksy_pipeline.sample.video_file import AUDIO_RATE_HZ, write_video

    t_s = np.arange(int(seconds * AUDIO_RATE_HZ)) / AUDIO_RATE_HZ
    sound = np.where(t_s >= beep_s, 0.8 * np.sin(2 * np.pi * 880 * t_s), 0).astype(np.float32)
    pictures = [np.full((96, 128, 3), 90, np.uint8)] * int(seconds * 10)
    write_video(path, pictures, np.arange(len(pictures)), Fraction(1, 10), quick=True, sound=sound)
    return path


def loud_from(path: Path) -> float:
    """When the sound of a file gets loud, seconds after its first picture."""
    import av

    with av.open(str(path)) as container:
        pieces = [(frame.time, np.abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0)]
    return next(t for t, loudest in pieces if loudest > 0.4)


def test_sound_is_kept_in_step_with_the_pictures(tmp_path):
    source = with_sound(tmp_path / "beep.mp4")
    ball = Ball(1, 0.9, 1.5, None, (), ())
    films = make(source, tmp_path / "made", balls=(ball,))
    assert loud_from(films.overlay) == pytest.approx(1.0, abs=0.06)
    assert loud_from(films.clips[1]) == pytest.approx(1.0 - (0.9 - STYLE.before_s), abs=0.06)


def test_a_source_without_sound_makes_a_silent_film(films):
    import av

    with av.open(str(films.overlay)) as container:
        assert not container.streams.audio


def test_a_damaged_source_is_an_error_with_a_code_and_nobody_is_left_running(uneven, tmp_path):
    index = inspect_video(uneven)
    broken = tmp_path / "broken.mp4"
    data = bytearray(uneven.read_bytes())
    start = data.index(b"mdat") + 40
    data[start:] = bytes(len(data) - start) if data.index(b"moov") < start else data[start:]
    broken.write_bytes(data[: start + 200])
    (tmp_path / "made").mkdir()
    with pytest.raises(CricksyError) as raised:
        make_films(broken, Drawing(index, no_landmarks(), Subject(), Script((), 1.0), None), tmp_path / "made")
    assert raised.value.code in (ErrorCode.VIDEO_CORRUPT, ErrorCode.NOT_A_VIDEO)
