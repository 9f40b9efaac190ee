"""What is heard in a file, when, and what it says of the contact."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.contact_sound import NOTHING_HEARD, SEVERAL_HEARD, SPEED_OF_SOUND_M_S
from cricksy_pipeline.analysis.deliveries import find_deliveries
from cricksy_pipeline.analysis.delivery_settings import SETTINGS
from cricksy_pipeline.analysis.landmark_table import frame_table_from_parquet, frame_table_to_parquet
from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.recording import Onsets, Recording
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.sound import HEARING, PIECE_S, find_onsets, listen
from cricksy_pipeline.analysis.video import FrameIndex, index_video
from cricksy_pipeline_tests.analysis.pattern_video import draw, write_pattern
from cricksy_pipeline_tests.analysis.players import BATTING, player

CRACKS_S = (0.5, 1.2345, 2.0, 3.3333)
DELAY_S = SETTINGS.sound_distance_m / SPEED_OF_SOUND_M_S


def write_cracks(path: Path, codec: str, *, rate: int = 48_000, pictures_from_s: float = 0.0, sound_from_s: float = 0.0) -> Path:
    """Four seconds of pictures and noise with cracks at CRACKS_S after the first picture."""
    import av

    rng = np.random.default_rng(0)
    sound = rng.normal(0, 0.01, int((4.0 + pictures_from_s) * rate))
    for crack in CRACKS_S:
        first, length = round((crack + pictures_from_s - sound_from_s) * rate), int(0.03 * rate)
        sound[first : first + length] += rng.normal(0, 0.5, length) * np.exp(-np.arange(length) / (0.005 * rate))
    sound = np.clip(sound, -1, 1).astype(np.float32)
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuv420p"
        pictures.codec_context.time_base = Fraction(1, 90_000)
        heard = container.add_stream(codec, rate=rate, layout="mono")
        packets = []
        for number in range(120):
            frame = av.VideoFrame.from_ndarray(draw(number, 64, 64), format="rgb24")
            frame.pts, frame.time_base = round((number / 30 + pictures_from_s) * 90_000), Fraction(1, 90_000)
            packets += pictures.encode(frame)
        packets += pictures.encode()
        form = "s16" if codec == "pcm_s16le" else "fltp"
        for start in range(0, len(sound) - 1023, 1024):
            piece = sound[start : start + 1024]
            values = (piece * 32767).astype(np.int16) if form == "s16" else piece
            frame = av.AudioFrame.from_ndarray(values[None], format=form, layout="mono")
            frame.rate, frame.pts, frame.time_base = rate, start + round(sound_from_s * rate), Fraction(1, rate)
            packets += heard.encode(frame)
        packets += heard.encode()
        for packet in packets:
            container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "codec", "choices"),
    [
        ("priming.mp4", "aac", {}),
        ("another-rate.mp4", "aac", {"rate": 44_100}),
        ("raw.mov", "pcm_s16le", {}),
        ("matroska.mkv", "aac", {}),
        ("late-sound.mov", "aac", {"sound_from_s": 0.3}),
        ("late-pictures.mp4", "aac", {"pictures_from_s": 0.4}),
    ],
)
def test_every_crack_is_heard_within_five_milliseconds_on_the_clock_of_the_pictures(tmp_path, name, codec, choices):
    path = write_cracks(tmp_path / name, codec, **choices)
    heard = listen(path, index_video(path))
    assert heard.t_s == pytest.approx(CRACKS_S, abs=0.005)
    assert (heard.strength > SETTINGS.sound_strength).all()


def test_onsets_travel_with_the_index_through_the_child_process_and_the_frame_table(tmp_path):
    index = inspect_video(write_cracks(tmp_path / "a.mp4", "aac"))
    assert len(index.onsets) == len(CRACKS_S)
    back, _ = frame_table_from_parquet(frame_table_to_parquet(index, plan_sampling(index)))
    np.testing.assert_array_equal(back.onsets.t_s, index.onsets.t_s)
    np.testing.assert_array_equal(back.onsets.strength, index.onsets.strength)


def test_a_file_without_sound_has_no_onsets_and_an_index_from_before_listening_none_either(tmp_path):
    index = inspect_video(write_pattern(tmp_path / "silent.mp4", 30))
    assert index.onsets is None
    old = {name: value for name, value in index.header().items() if name != "onsets"}
    assert FrameIndex.from_parts(old, index.t_s, index.pts, index.keyframe).onsets is None


def test_damaged_sound_is_passed_over_and_never_an_error(tmp_path):
    whole = write_cracks(tmp_path / "a.mkv", "aac").read_bytes()
    rng = np.random.default_rng(3)
    index = index_video(tmp_path / "a.mkv")
    for trial in range(6):
        broken = bytearray(whole)
        for at in rng.integers(len(whole) // 5, len(whole), 200):
            broken[at] = int(rng.integers(256))
        path = tmp_path / f"broken{trial}.mkv"
        path.write_bytes(broken)
        heard = listen(path, index)
        assert heard is None or ((heard.t_s >= 0) & (heard.t_s <= 4.1)).all()


def test_steady_noise_silence_and_a_swelling_tone_have_no_onset():
    rng = np.random.default_rng(1)
    noise = rng.chisquare(16, 20_000)
    assert len(find_onsets(noise)) == 0
    assert len(find_onsets(np.zeros(5_000))) == 0
    assert len(find_onsets(np.full(5_000, np.nan))) == 0
    assert len(find_onsets(noise * np.exp(np.linspace(0, 6, 20_000)))) == 0


def test_at_most_the_strongest_are_kept():
    energy = np.random.default_rng(2).chisquare(16, 200_000)
    energy[::400] *= 3_000
    assert len(find_onsets(energy)) == HEARING.most


@given(shift=st.integers(0, 3_000), loudness=st.floats(1e-6, 1e6))
def test_loudness_does_not_matter_and_a_later_crack_is_heard_as_much_later(shift, loudness):
    energy = np.random.default_rng(4).chisquare(16, 8_000)
    energy[2_000 + shift : 2_006 + shift] *= 500
    (t,) = find_onsets(energy * loudness).t_s
    assert t == pytest.approx((2_000 + shift) * PIECE_S, abs=0.002)


# ------------------------------------------------------------------------------------------------------------------ contact by sound


def contact_with(*heard: tuple[float, float]):
    """The one delivery of a drive, with sounds at (seconds after the contact that the hands show, strength)."""
    (hands,) = find_deliveries(player(fps=60, seconds=4.0), BATTING)
    at = hands.events["contact"].t_s
    onsets = Onsets(np.array([at + after for after, _ in heard]), np.array([strength for _, strength in heard], float))
    (both,) = find_deliveries(player(fps=60, seconds=4.0), BATTING, recording=Recording(4.0, onsets=onsets))
    return hands, both


def test_one_crack_near_the_contact_draws_it_towards_what_is_heard_and_makes_it_surer():
    hands, both = contact_with((0.030 + DELAY_S, 20))
    assert both.contact_by == "sound" and both.sound == ""
    shift = both.events["contact"].t_s - hands.events["contact"].t_s
    assert 0 < shift < 0.030
    assert both.events["contact"].sigma_s < min(hands.events["contact"].sigma_s, 0.0105)
    assert set(both.events) == set(hands.events)


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (((0.14 + DELAY_S, 20),), NOTHING_HEARD),
        (((0.01 + DELAY_S, 5),), NOTHING_HEARD),
        (((-0.05 + DELAY_S, 20), (0.05 + DELAY_S, 18)), SEVERAL_HEARD),
    ],
    ids=["too far", "too faint", "two lanes"],
)
def test_a_sound_too_far_too_faint_or_not_alone_leaves_the_contact_to_the_hands_and_says_so(heard, why):
    hands, both = contact_with(*heard)
    assert both.contact_by == "hands" and both.sound == why
    assert both.events == hands.events


def test_a_much_fainter_sound_beside_the_crack_does_not_matter():
    _, both = contact_with((DELAY_S, 20), (0.06 + DELAY_S, 9))
    assert both.contact_by == "sound"


def test_without_a_time_base_no_sound_is_used():
    (hands,) = find_deliveries(player(fps=60, seconds=4.0), BATTING)
    onsets = Onsets(np.array([hands.events["contact"].t_s + DELAY_S]), np.array([20.0]))
    recording = replace(Recording(4.0, onsets=onsets), slow_motion=None, speed_source="unknown")
    (same,) = find_deliveries(player(fps=60, seconds=4.0), BATTING, recording=recording)
    assert same.contact_by == "hands"
