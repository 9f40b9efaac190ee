"""The marker file: as its readers demand it, and with nothing in it that was not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.landmarks import LANDMARK_NAMES, Landmarks
from cricksy_pipeline.reading.exports.landmarks_trc import at_constant_rate, landmarks_trc, landmarks_trc_problem

HEIGHT = 1080


@dataclass
class Markers:
    """What a reader of TRC has: the header by key, marker names, times (n,) in seconds, and (n, markers, 3) in the unit."""

    header: dict[str, str]
    first_line: list[str]
    names: list[str]
    numbers: list[int]
    t_s: np.ndarray
    xyz: np.ndarray


def read_trc(data: bytes) -> Markers:
    """As OpenSim's documentation of the format has it, and as strictly as the strictest of its readers: every cell there, no empty one."""
    lines = data.decode("ascii").split("\n")
    assert lines[-1] == ""
    first, keys, values, labels, axes, blank, *rows = lines[:-1]
    assert first.startswith("PathFileType\t4\t(X/Y/Z)\t") and blank == ""
    wanted = ["DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", "OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"]
    assert keys.split("\t") == wanted
    header = dict(zip(wanted, values.split("\t"), strict=True))
    names = [label for label in labels.split("\t") if label]
    assert names[:2] == ["Frame#", "Time"] and len(names) - 2 == int(header["NumMarkers"])
    assert labels.split("\t")[2::3] == names[2:], "each name stands above its X"
    assert [axis for axis in axes.split("\t") if axis] == [f"{a}{i}" for i in range(1, len(names) - 1) for a in "XYZ"]
    cells = [row.split("\t") for row in rows]
    assert all(len(row) == 2 + 3 * (len(names) - 2) and all(row) for row in cells)
    table = np.array([[float(cell) for cell in row] for row in cells])
    assert len(table) == int(header["NumFrames"])
    return Markers(
        header, first.split("\t"), names[2:], table[:, 0].astype(int).tolist(), table[:, 1], table[:, 2:].reshape(len(table), -1, 3)
    )


def seen(frames: list[int], t_s: list[float], visibility: float = 1.0) -> Landmarks:
    """Landmarks that move to the right by 100 px a second and fall by 50, seen in these frames."""
    t = np.array(t_s, np.float64)
    n = len(t)
    place = np.stack([np.arange(33) * 10.0, 300 + np.arange(33) * 5.0], axis=1)
    xy = (place + t[:, None, None] * np.array([100.0, 50.0])).astype(np.float32)
    full = np.full((n, 33), visibility, np.float32)
    return Landmarks(
        np.array(frames, np.int64), t, np.zeros(n, np.uint8), xy, np.zeros((n, 33), np.float32), full, full.copy(),
        np.zeros((n, 33, 3), np.float32), 1920, HEIGHT,
    )  # fmt: skip


def test_the_file_is_laid_out_as_opensim_demands_it():
    markers = read_trc(landmarks_trc(seen([0, 3, 6], [0.0, 0.1, 0.2]), rate=30.0, frames=10))
    assert markers.names == list(LANDMARK_NAMES)
    assert markers.header["DataRate"] == markers.header["CameraRate"] == markers.header["OrigDataRate"] == "30"
    assert markers.header["Units"] == "mm"
    assert markers.header["NumFrames"] == markers.header["OrigNumFrames"] == "10" and markers.header["OrigDataStartFrame"] == "1"
    assert markers.numbers == list(range(1, 11))
    assert np.allclose(markers.t_s, np.arange(10) / 30, atol=1e-6)


def test_the_file_says_itself_that_it_is_a_flat_picture():
    markers = read_trc(landmarks_trc(seen([0], [0.0]), rate=30.0, frames=2))
    told = markers.first_line[4]
    assert "2-D" in told and "1 mm stands for 1 pixel" in told and "Z always 0" in told


def test_up_is_up_and_flat_is_flat():
    marks = seen([0], [0.0])
    markers = read_trc(landmarks_trc(marks, rate=30.0, frames=1))
    assert np.allclose(markers.xyz[0, :, 0], marks.xy[0, :, 0], atol=0.005)
    assert np.allclose(markers.xyz[0, :, 1], HEIGHT - marks.xy[0, :, 1], atol=0.005)
    assert (markers.xyz[0, :, 2] == 0).all()


def test_a_frame_that_nobody_looked_at_is_empty():
    markers = read_trc(landmarks_trc(seen([0, 3], [0.0, 0.1]), rate=30.0, frames=5))
    assert np.isfinite(markers.xyz[:, 0, 0]).tolist() == [True, False, False, True, False]
    assert np.isnan(markers.xyz[1]).all(), "nor does it have a depth"


def test_a_landmark_that_is_more_likely_hidden_than_seen_is_not_in_the_file():
    marks = seen([0], [0.0])
    marks.visibility[0, 5] = 0.3
    markers = read_trc(landmarks_trc(marks, rate=30.0, frames=1))
    assert np.isnan(markers.xyz[0, 5]).all() and np.isfinite(np.delete(markers.xyz[0], 5, axis=0)).all()


@pytest.mark.parametrize("frames", [1, 4])
def test_a_video_in_which_nobody_was_found_is_a_file_of_empty_rows(frames):
    nobody = seen(list(range(frames)), [i / 30 for i in range(frames)])
    nobody = replace(nobody, xy=np.full_like(nobody.xy, np.nan), visibility=np.full_like(nobody.visibility, np.nan))
    for marks in (nobody, Landmarks.empty(1920, HEIGHT)):
        data = landmarks_trc(marks, rate=30.0, frames=frames)
        assert np.isnan(read_trc(data).xyz).all() and landmarks_trc_problem(data, frames) is None


@given(st.integers(10, 240), st.lists(st.integers(0, 300), min_size=1, max_size=40, unique=True), st.floats(-0.0004, 0.0004))
def test_at_a_constant_rate_every_frame_keeps_its_place_and_its_time(rate, frames, jitter):
    frames = sorted(frames)
    marks = seen(frames, [max(k / rate + jitter, 0.0) for k in frames])
    rows, xy = at_constant_rate(marks, rate, 301)
    assert rows.tolist() == frames
    assert np.array_equal(xy, marks.xy.astype(np.float64)), "nothing is moved where the times agree"


@given(st.lists(st.floats(0.008, 0.12), min_size=2, max_size=30))
def test_at_a_varying_rate_what_moves_evenly_is_where_it_was_at_the_time_of_its_row(steps):
    t_s = np.concatenate([[0.0], np.cumsum(steps)])
    rate = (len(t_s) - 1) / t_s[-1]
    marks = seen(list(range(len(t_s))), t_s.tolist())
    rows, xy = at_constant_rate(marks, rate, len(t_s))
    there = np.isfinite(xy[:, 0, 0])
    assert np.allclose(xy[there, 0, 0], 100.0 * rows[there] / rate, atol=0.11), "a frame within a millisecond of its row is taken as it is"
    nearest = np.abs(t_s[:, None] - np.arange(len(t_s))[None] / rate).argmin(axis=1)
    assert set(rows.tolist()) <= set(nearest.tolist()), "a row that no frame is nearest to is not filled"


def test_no_line_is_drawn_across_a_cut_nor_across_a_long_gap():
    late = seen([0, 1], [0.0, 0.045])
    assert at_constant_rate(late, 30.0, 3)[0].tolist() == [0, 1]
    cut = replace(late, shot=np.array([0, 1], np.int32))
    assert at_constant_rate(cut, 30.0, 3)[0].tolist() == [0]
    far = seen([0, 9], [0.0, 0.310])
    assert at_constant_rate(far, 30.0, 12)[0].tolist() == [0]


def test_the_numbers_of_a_mirrored_player_are_mirrored():
    marks = seen([0, 3], [0.0, 0.1])
    twin = [LANDMARK_NAMES.index(_other(name)) for name in LANDMARK_NAMES]
    flipped = marks.xy[:, twin].copy()
    flipped[..., 0] = marks.width - flipped[..., 0]
    one = read_trc(landmarks_trc(marks, rate=30.0, frames=4)).xyz
    other = read_trc(landmarks_trc(replace(marks, xy=flipped), rate=30.0, frames=4)).xyz[:, twin]
    assert np.allclose(one[..., 1], other[..., 1], equal_nan=True)
    assert np.allclose(one[..., 0], marks.width - other[..., 0], equal_nan=True, atol=0.011)


def _other(name: str) -> str:
    return name.replace("left", "right") if "left" in name else name.replace("right", "left")


@pytest.mark.parametrize(("rate", "frames"), [(0.0, 3), (math.nan, 3), (30.0, 0)])
def test_a_file_without_rate_or_rows_is_refused(rate, frames):
    with pytest.raises(ValueError, match="rate"):
        landmarks_trc(seen([0], [0.0]), rate=rate, frames=frames)


def test_what_is_no_whole_marker_file_is_told():
    whole = landmarks_trc(seen([0, 1], [0.0, 1 / 30]), rate=30.0, frames=5)
    assert landmarks_trc_problem(whole, 5) is None
    assert "rows" in landmarks_trc_problem(whole, 6)
    assert "rows" in landmarks_trc_problem(whole[: whole.rstrip().rindex(b"\n") + 1], 5)
    assert "cells" in landmarks_trc_problem(whole[: whole.rstrip().rindex(b"\t")] + b"\n", 5)
    assert "header" in landmarks_trc_problem(b"%PDF-1.7", 5) and "header" in landmarks_trc_problem(b"", 5)
