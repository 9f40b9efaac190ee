"""Files: same bytes from any number of workers, exact timestamps, rotation, codecs, whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cricksy_pipeline.analysis.pose import inspect_video as open_index
from cricksy_pipeline.sample.clip import ClipSpec, render, write_clip
from cricksy_pipeline.sample.pattern import pattern, read_pattern_index, write_pattern_clip
from cricksy_pipeline.sample.sound import soundtrack
from cricksy_pipeline.sample.video_file import write_video

TINY = ClipSpec(width=160, height=90, fps=10, seconds=0.9)
CODECS = ["h264", "hevc", "vp9", "av1", "mjpeg"]
IRREGULAR = np.cumsum([0, *[1 / 30, 1 / 24, 0.02, 0.05] * 15]).tolist()


def decode(path: Path) -> tuple[list[Fraction], list[np.ndarray]]:
    """Presentation times, and pictures turned upright by the file's own display matrix."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        return [f.pts * stream.time_base for f in frames], [np.rot90(f.to_ndarray(format="rgb24"), f.rotation // 90) for f in frames]


def test_a_clip_has_the_same_bytes_whatever_the_number_of_workers(tmp_path):
    for workers, name in ((1, "one.mp4"), (2, "two.mp4"), (3, "three.mp4")):
        write_clip(TINY, tmp_path / name, workers=workers)
    videos = {(tmp_path / name).read_bytes() for name in ("one.mp4", "two.mp4", "three.mp4")}
    truths = {(tmp_path / name).read_bytes() for name in ("one.truth.json", "two.truth.json", "three.truth.json")}
    assert len(videos) == len(truths) == 1


def test_the_same_pictures_are_written_as_the_same_bytes_whatever_lies_in_memory(tmp_path):
    """libx264's macroblock tree read memory that nobody had written: at this size, with B-frames, each file was another."""
    scene = ClipSpec(width=480, height=270, fps=15, seconds=1.2)
    pictures = list(render(scene))

    def among_rubbish():
        for number, picture in enumerate(pictures):
            rubbish = [np.random.default_rng(number + i).integers(0, 255, picture.shape, np.uint8) for i in range(4)]
            yield picture if rubbish else None

    for name, each in (("a.mp4", pictures), ("b.mp4", among_rubbish()), ("c.mp4", among_rubbish())):
        write_video(tmp_path / name, each, scene.ticks, scene.time_base)
    assert len({(tmp_path / name).read_bytes() for name in ("a.mp4", "b.mp4", "c.mp4")}) == 1


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="a matter of Linux")
@pytest.mark.parametrize("codec", CODECS)
def test_whoever_writes_a_file_is_scheduled_afterwards_as_before(tmp_path, codec):
    before = os.sched_getscheduler(0)
    write_pattern_clip(tmp_path / "a.mp4", [0.0, 0.1, 0.2], size=(192, 128), codec=codec)
    assert os.sched_getscheduler(0) == before


def test_another_seed_gives_another_clip_of_the_same_motion(tmp_path):
    a, b = (write_clip(replace(TINY, seed=s), tmp_path / f"{s}.mp4", workers=1) for s in (0, 1))
    assert (tmp_path / "0.mp4").read_bytes() != (tmp_path / "1.mp4").read_bytes()
    assert np.array_equal(a.px, b.px)


@pytest.mark.parametrize(
    "spec",
    [TINY, replace(TINY, fps=Fraction(30000, 1001), seconds=0.5), replace(TINY, timestamps=(0.0, 0.031, 0.08, 0.5, 0.512, 1.7))],
    ids=["constant", "ntsc", "variable"],
)
def test_the_timestamps_in_the_file_are_those_of_the_truth(tmp_path, spec):
    known = write_clip(spec, tmp_path / "clip.mp4", workers=1)
    times, _ = decode(tmp_path / "clip.mp4")
    assert (
        [float(t) for t in times]
        == known.t_s.tolist()
        == pytest.approx(spec.timestamps or [float(i / Fraction(spec.fps)) for i in range(len(times))], abs=1e-5)
    )
    assert json.loads((tmp_path / "clip.truth.json").read_text())["t_s"] == pytest.approx(known.t_s, abs=1e-7)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_file_stores_turned_pixels_and_shows_the_upright_picture(tmp_path, rotation):
    spec = replace(TINY, width=90, height=160, rotation=rotation, crf=12)
    write_clip(spec, tmp_path / "phone.mp4", workers=1)
    with av.open(str(tmp_path / "phone.mp4")) as container:
        stored = container.streams.video[0].codec_context
        assert (stored.width, stored.height) == ((160, 90) if rotation % 180 else (90, 160))
    _, shown = decode(tmp_path / "phone.mp4")
    for picture, drawn in zip(shown, render(spec), strict=True):
        assert np.abs(picture.astype(int) - drawn).mean() < 10


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_every_frame_of_a_pattern_clip_says_which_it_is_at_its_exact_time(tmp_path, codec, rotation):
    written = write_pattern_clip(tmp_path / "p.mp4", IRREGULAR, codec=codec, rotation=rotation, size=(96, 64))
    times, pictures = decode(tmp_path / "p.mp4")
    assert [float(t) for t in times] == written.tolist() == pytest.approx(IRREGULAR, abs=6e-6)
    assert [read_pattern_index(picture) for picture in pictures] == list(range(len(IRREGULAR)))
    assert pictures[0].shape == (64, 96, 3)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_another_decoder_turns_the_picture_the_same_way(tmp_path, rotation):
    import cv2

    write_pattern_clip(tmp_path / "p.mp4", [0.0, 0.1, 0.2, 0.3, 0.4], rotation=rotation, size=(96, 64))
    capture = cv2.VideoCapture(str(tmp_path / "p.mp4"))
    read = [capture.read()[1] for _ in range(5)]
    assert [read_pattern_index(image) for image in read] == [0, 1, 2, 3, 4]
    assert read[0].shape == (64, 96, 3)


def test_an_ntsc_pattern_keeps_1001_over_30000_exactly(tmp_path):
    write_pattern_clip(tmp_path / "p.mp4", [Fraction(1001 * i, 30000) for i in range(90)], time_base=Fraction(1, 30000))
    assert decode(tmp_path / "p.mp4")[0] == [Fraction(1001 * i, 30000) for i in range(90)]


def test_a_pattern_need_not_start_at_zero(tmp_path):
    write_pattern_clip(tmp_path / "p.mp4", [0.5, 0.6, 0.7])
    assert [float(t) for t in decode(tmp_path / "p.mp4")[0]] == pytest.approx([0.5, 0.6, 0.7])


def test_a_six_minute_pattern_has_all_its_10959_frames(tmp_path):
    write_pattern_clip(tmp_path / "long.mp4", [Fraction(i, 30) for i in range(10_959)])
    with av.open(str(tmp_path / "long.mp4")) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        assert sorted(packet.pts * stream.time_base for packet in packets) == [Fraction(i, 30) for i in range(10_959)]
        container.seek(packets[-1].pts, stream=stream)
        last = list(container.decode(stream))[-1]
    assert read_pattern_index(last.to_ndarray(format="rgb24")) == 10_958


def test_a_picture_that_is_no_pattern_is_refused():
    mixed = (pattern(3, (64, 48)).astype(int) + pattern(5, (64, 48))) // 2
    with pytest.raises(ValueError, match="neither dark nor light"):
        read_pattern_index(mixed.astype(np.uint8))


def test_a_write_that_fails_leaves_the_old_file_and_no_leftovers(tmp_path):
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")

    def stops_short():
        yield np.zeros((48, 64, 3), np.uint8)
        raise RuntimeError("out of ideas")

    with pytest.raises(RuntimeError, match="out of ideas"):
        write_video(path, stops_short(), np.arange(5), Fraction(1, 30))
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_slow_motion_file_carries_the_rate_of_capture_and_the_sound_lies_on_the_clock_of_the_pictures(tmp_path):
    spec = replace(TINY, fps=30, seconds=1.5, start_s=1.3, slow_motion=2, capture_tag=True, sound=True)
    known = write_clip(spec, tmp_path / "slow.mp4", workers=1)
    assert open_index(tmp_path / "slow.mp4").info.capture_fps_tag == pytest.approx(60)
    with av.open(str(tmp_path / "slow.mp4")) as container:
        blocks = list(container.decode(container.streams.audio[0]))
    heard = np.concatenate([block.to_ndarray()[0] for block in blocks])
    crack = float(blocks[0].pts * blocks[0].time_base) + np.argmax(np.abs(heard) > 0.3) / blocks[0].sample_rate
    assert crack == pytest.approx(known.onsets_s[0], abs=0.003)


def test_the_sound_is_as_long_as_the_pictures_and_the_same_for_the_same_seed():
    spec = replace(TINY, sound=True)
    assert np.array_equal(soundtrack(spec), soundtrack(spec))
    assert not np.array_equal(soundtrack(spec), soundtrack(replace(spec, seed=1)))
    assert len(soundtrack(spec)) == pytest.approx(0.9 * 44_100, abs=1)


def test_importing_the_room_loads_no_heavy_library():
    heavy = {"cv2", "av", "scipy", "pandas", "mediapipe"}
    code = f"import sys, cricksy_pipeline.sample.clip, cricksy_pipeline.sample.pattern; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
