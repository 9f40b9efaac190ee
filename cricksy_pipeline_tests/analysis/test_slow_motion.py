"""How fast a recording plays: what is asked, what the file says, what the movement shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cricksy_pipeline.analysis.deliveries import candidate_windows, find_deliveries
from cricksy_pipeline.analysis.kinematics import tracks
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.metrics import measure as measure_module
from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.analysis.recording import Recording, recording_of, to_life
from cricksy_pipeline.analysis.slow_motion import recognise_speed, speed_words
from cricksy_pipeline.analysis.video import index_video
from cricksy_pipeline.sample.clip import ClipSpec, truth, truth_landmarks
from cricksy_pipeline_tests.analysis.movers import MOVERS
from cricksy_pipeline_tests.analysis.pattern_video import write_pattern
from cricksy_pipeline_tests.analysis.players import (
    BATTING,
    MODE_OF,
    nobody,
    noisy,
    on_grid,
    player,
    standing,
    walking,
)


def slowed(motion: str, factor: float, *, view: str = "side", variation: int = 1, fps: int = 30) -> Landmarks:
    """A player filmed at `factor` times `fps` and played at `fps`, seen with the usual noise."""
    spec = ClipSpec(motion=motion, view=view, fps=int(fps * factor), seconds=4.0, variation=variation)
    seen = noisy(truth_landmarks(spec), 0.015, seed=variation)
    return replace(seen, t_s=seen.t_s * factor)


# ------------------------------------------------------------------------------------------------------- the file and the person


def recording(tmp_path, tag: str | None, *, fps: float = 30, asked: float | None = None) -> Recording:
    metadata = {} if tag is None else {"com.android.capture.fps": tag}
    path = write_pattern(tmp_path / "a.mp4", 40, fps=fps, metadata=metadata)
    with_tags = index_video(path)
    if tag is not None:  # mp4 drops unknown tags unless told otherwise; what the reader makes of a tag is tested with the reader
        with_tags = replace(with_tags, info=replace(with_tags.info, capture_fps_tag=float(tag)))
    return recording_of(with_tags, AnalysisOptions(slow_motion=asked))


def test_nothing_said_is_normal_speed_assumed(tmp_path):
    assert recording(tmp_path, None).slow_motion == 1
    assert recording(tmp_path, None).speed_source == "assumed"


@pytest.mark.parametrize(
    ("tag", "fps", "factor"),
    [("240", 30, 8), ("240", 29.97, 8), ("120", 29.97, 4), ("238.4", 30, 8), ("30", 29.97, 1), ("240", 240, 1), ("960", 30, 32)],
)
def test_the_phones_rate_of_capture_gives_the_factor(tmp_path, tag, fps, factor):
    known = recording(tmp_path, tag, fps=fps)
    assert (known.slow_motion, known.speed_source) == (factor, "file")
    assert known.life_factor == factor and known.timed


def test_who_asks_knows_better_than_the_file(tmp_path):
    known = recording(tmp_path, "240", asked=4)
    assert (known.slow_motion, known.speed_source) == (4, "asked")


def test_a_time_lapse_has_no_speed(tmp_path):
    known = recording(tmp_path, "2")
    assert known.slow_motion is None and known.speed_source == "unknown" and not known.timed
    assert "normal speed" in speed_words(known)


def test_the_way_to_life_and_back_is_the_same_time(tmp_path):
    known = replace(Recording(16.0), slow_motion=8.0, speed_source="asked")
    seen = player(seconds=4.0)
    assert to_life(seen, known).t_s == pytest.approx(seen.t_s / 8)
    assert known.file_s(known.life_s(3.3)) == pytest.approx(3.3)
    assert to_life(seen, Recording(4.0)) is seen


# ----------------------------------------------------------------------------------------------------------------- the movement


@pytest.mark.parametrize("factor", [4, 8])
@pytest.mark.parametrize(
    ("motion", "view"), [("drive", "side"), ("drive", "front"), ("bowl", "side"), ("bowl", "quarter"), ("keep", "front")]
)
def test_slow_motion_that_nobody_mentioned_is_recognised_and_no_speed_is_claimed(motion, view, factor):
    for seen, sparse in ((slowed(motion, factor, view=view), False), (on_grid(slowed(motion, factor, view=view), 10), True)):
        known = recognise_speed(seen, MODE_OF[motion], Recording(4.0 * factor), sparse=sparse)
        assert known.slow_motion is None and known.speed_source == "unknown"
        assert known.likely == known.life_factor == factor
        assert f"--slow-motion {factor}" in speed_words(known)


@pytest.mark.parametrize("motion", list(MODE_OF))
def test_normal_speed_is_never_called_slow(motion):
    for view in ("side", "front", "behind"):
        for variation in (2, 3):
            seen = slowed(motion, 1, view=view, variation=variation)
            assert recognise_speed(seen, MODE_OF[motion], Recording(4.0)) == Recording(4.0)
            assert recognise_speed(on_grid(seen, 10), MODE_OF[motion], Recording(4.0), sparse=True) == Recording(4.0)


@pytest.mark.parametrize("fps", [5, 10, 15, 24])
def test_a_sparse_look_at_normal_speed_says_nothing_of_the_speed(fps):
    for motion, mode in MODE_OF.items():
        seen = on_grid(slowed(motion, 1), fps) if fps < 15 else slowed(motion, 1, fps=fps)
        assert recognise_speed(seen, mode, Recording(4.0)) == Recording(4.0)


def test_whoever_stands_walks_or_claps_is_not_in_slow_motion():
    for seen in (standing(), walking(), nobody(), Landmarks.empty(64, 48), *(made() for made in MOVERS.values())):
        for mode in MODE_OF.values():
            assert recognise_speed(seen, mode, Recording(6.0)).timed
            assert speed_words(recognise_speed(seen, mode, Recording(6.0))) is None


def test_what_was_said_is_never_doubted():
    said = replace(Recording(32.0), slow_motion=1.0, speed_source="asked")
    assert recognise_speed(slowed("drive", 8), BATTING, said) is said


@pytest.mark.parametrize("factor", [1, 4, 8])
def test_events_lie_where_they_are_in_the_file_at_any_speed(factor):
    known = replace(Recording(4.0 * factor), slow_motion=float(factor), speed_source="file")
    seen = slowed("drive", factor, variation=0, fps=60)
    (ball,) = find_deliveries(to_life(seen, known), BATTING)
    true_s = truth(ClipSpec(motion="drive", seconds=4.0)).events["contact"][0]
    assert known.file_s(ball.events["contact"].t_s) == pytest.approx(true_s * factor, abs=0.025 * factor)


def test_the_windows_of_a_slow_clip_hold_its_deliveries_told_or_recognised():
    seen = on_grid(slowed("drive", 8, variation=0), 10)
    contact_s = 8 * truth(ClipSpec(motion="drive", seconds=4.0)).events["contact"][0]
    for known in (Recording(32.0), replace(Recording(32.0), slow_motion=8.0, speed_source="asked")):
        windows = candidate_windows(seen, BATTING, recording=known)
        assert any(start <= contact_s - 8 * 0.5 and contact_s + 8 * 0.3 <= end for start, end in windows), windows
        assert all(0 <= start < end <= seen.t_s[-1] + 1e-9 for start, end in windows)
    assert np.sum([end - start for start, end in windows]) <= 60.0 + 1e-6


def test_a_clip_at_normal_speed_is_tracked_and_searched_once(monkeypatch):
    made, searched = [], []
    monkeypatch.setattr(measure_module, "tracks", lambda *args, **kw: made.append(1) or tracks(*args, **kw))
    monkeypatch.setattr(measure_module, "recognise_speed", lambda *args, **kw: searched.append(1) or recognise_speed(*args, **kw))

    block = measure_module.measure(player(seconds=4.0), mode=BATTING, recording=Recording(4.0))

    assert block.deliveries and (len(made), len(searched)) == (1, 0)


def test_twice_slower_than_life_is_not_called_slow_for_players_differ_by_as_much():
    for motion in MODE_OF:
        assert recognise_speed(slowed(motion, 2), MODE_OF[motion], Recording(8.0)).timed, motion
