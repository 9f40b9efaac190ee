"""The strip of a pass: stills of the very frames that hold the events, and never a stored one that shows something else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cricksy_pipeline.analysis.passes import AnalysisRequest, Footage, Look, Work
from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.orchestration.moments_strip import moments_strip, planned_strip
from cricksy_pipeline.reading.drawing.strips import HEAD, MARGIN, TILE_HEIGHT, TILE_WIDTH, UNKNOWN, mark_of
from cricksy_pipeline.sample.clip import ClipSpec, truth_landmarks, write_clip
from cricksy_pipeline_tests.analysis.players import BATTING, nobody, results_document

SPEC = ClipSpec(motion="drive", view="side", fps=30, seconds=2.4, width=320, height=180)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("strip") / "drive.mp4"
    write_clip(SPEC, path, workers=1)
    return path


@pytest.fixture(scope="module")
def seen():
    return truth_landmarks(SPEC)


@pytest.fixture(scope="module")
def document(seen):
    made = results_document(seen, BATTING)
    assert len(made.metrics.deliveries) == 1
    return made


@pytest.fixture(scope="module")
def work(clip):
    index = inspect_video(clip)
    return Work(index, plan_sampling(index), AnalysisRequest("job", BATTING, 10.0, "0" * 64, "v", "c"))


def look(landmarks) -> Look:
    return Look(landmarks, None, "blazepose-full", "0" * 64)


def decoded(png: bytes) -> np.ndarray:
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def test_the_stills_are_cut_from_the_video(work, clip, seen, document):
    picture = decoded(moments_strip(work, planned_strip(look(seen), document), Footage(clip, None)))
    first = picture[HEAD : HEAD + TILE_HEIGHT, MARGIN : MARGIN + TILE_WIDTH].astype(int)
    assert (np.abs(first - UNKNOWN).max(axis=2) > 10).mean() > 0.9  # a picture, not the plain ground
    moments = len(document.metrics.deliveries[0].events) + 2
    assert picture.shape[1] == 2 * MARGIN + moments * TILE_WIDTH + (moments - 1) * 8


def test_without_the_video_a_stored_strip_is_used_only_if_it_shows_the_same(work, clip, seen, document):
    stored = moments_strip(work, planned_strip(look(seen), document), Footage(clip, None))
    assert moments_strip(work, planned_strip(look(seen), document), None, stored) == stored
    events = document.metrics.deliveries[0].events
    moved = [event.model_copy(update={"frame": event.frame + 2, "t_s": event.t_s + 2 / 30}) for event in events]
    ball = document.metrics.deliveries[0].model_copy(update={"events": moved})
    other = document.model_copy(update={"metrics": document.metrics.model_copy(update={"deliveries": [ball]})})
    drawn = moments_strip(work, planned_strip(look(seen), other), None, stored)
    assert mark_of(drawn) != mark_of(stored)
    assert tuple(decoded(drawn)[HEAD + 2, MARGIN + 2]) == UNKNOWN


def test_balls_read_in_several_goes_give_the_same_strip(work, clip, seen, document, monkeypatch):
    balls = [document.metrics.deliveries[0].model_copy(update={"delivery": number}) for number in (1, 2, 3)]
    made = document.model_copy(update={"metrics": document.metrics.model_copy(update={"deliveries": balls})})
    strips = []
    for readings, pixels in ((1, 10**9), (2, 10**9), (2, 1)):  # all balls together, two together, each alone
        monkeypatch.setattr("cricksy_pipeline.orchestration.moments_strip.READINGS", readings)
        monkeypatch.setattr("cricksy_pipeline.orchestration.moments_strip.MOST_PIXELS", pixels)
        strips.append(moments_strip(work, planned_strip(look(seen), made), Footage(clip, None)))
    assert strips[0] == strips[1] == strips[2]
    assert len(decoded(strips[0])) > 3 * TILE_HEIGHT


def test_without_anybody_or_without_a_ball_there_is_still_a_strip(work, clip, seen, document):
    none = document.model_copy(update={"metrics": document.metrics.model_copy(update={"deliveries": []})})
    for marks, made in ((seen, none), (nobody(10), document)):
        assert decoded(moments_strip(work, planned_strip(look(marks), made), Footage(clip, None))).size
