"""The playback document: nothing is lost in packing, nothing is joined that does not belong together, sides are as in the stills."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.landmarks import INDEX, LANDMARK_NAMES, Landmarks
from cricksy_pipeline.analysis.swaps import repaired
from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline.reading.drawing.pictures import SURE
from cricksy_pipeline.reading.drawing.plots import series_svg
from cricksy_pipeline.reading.pages.playback import (
    LINK_S,
    as_bytes,
    linked,
    packed_times,
    playback_document,
    unpacked_places,
    unpacked_times,
)
from cricksy_pipeline_tests.reading.pages.film import body_places, landmarks_of
from cricksy_pipeline_tests.reading.sample_documents import drive_results
from cricksy_pipeline_tests.reading.signed_in import bearer, strict_access

TIMES = np.arange(0, 4, 0.1)


def standing(t_s: np.ndarray = TIMES, **changes) -> Landmarks:
    """A body that walks to the right, one frame for each time."""
    n = len(t_s)
    xy = (body_places()[None] + np.stack([31.7 * t_s, 0 * t_s], axis=1)[:, None]).astype(np.float32)
    seen = np.full((n, 33), 0.9, np.float32)
    zeros = np.zeros((n, 33), np.float32)
    made = Landmarks(np.arange(n), t_s, np.ones(n, np.uint8), xy, zeros, seen, seen, np.zeros((n, 33, 3), np.float32), 1920, 1080)
    return replace(made, **changes)


def pose_of(landmarks: Landmarks) -> dict:
    return playback_document(None, landmarks, landmarks.t_s)["pose"]


@given(st.lists(st.floats(1e-4, 5.0), max_size=60), st.floats(0, 900))
def test_times_come_back_to_the_microsecond_however_many_there_are(steps, first):
    times = first + np.concatenate([[0], np.cumsum(steps)])
    assert np.abs(unpacked_times(packed_times(times)) - times).max() <= 0.51e-6


def test_no_times_are_packed_as_none():
    assert len(unpacked_times(packed_times(np.zeros(0)))) == 0


def test_places_come_back_to_half_a_unit_and_nobody_stays_nobody():
    landmarks = standing()
    landmarks.xy[5] = np.nan
    pose = pose_of(landmarks)
    drawn = landmarks.xy[:, [INDEX[name] for name in pose["points"]]]
    back = unpacked_places(pose)
    assert np.isnan(back[5]).all() and np.isfinite(back[[4, 6]]).all()
    assert np.nanmax(np.abs(back - drawn)) <= pose["unit_px"] / 2 + 1e-3


def test_places_outside_the_picture_are_kept_and_far_ones_are_held_at_the_edge_of_what_can_be_said():
    landmarks = standing()
    landmarks.xy[3, INDEX["nose"]] = (-500, 4000)
    landmarks.xy[4, INDEX["nose"]] = (1e7, -1e7)
    back = unpacked_places(pose_of(landmarks))[:, 0]
    assert back[3] == pytest.approx([-500, 4000], abs=0.2)
    assert np.isfinite(back[4]).all()


def test_exchanged_legs_are_put_back_as_the_stills_do(world):
    from cricksy_pipeline.analysis.video_index import index_video

    right = landmarks_of(index_video(world.film))
    twins = [(INDEX[f"left_{p}"], INDEX[f"right_{p}"]) for p in ("hip", "knee", "ankle", "heel", "foot_index")]
    wrong = replace(right, xy=right.xy.copy())
    for left, other in twins:
        wrong.xy[20:23, [left, other]] = wrong.xy[20:23, [other, left]]
    assert not np.array_equal(wrong.xy, repaired(wrong).xy), "the exchange is one that is found"
    assert pose_of(wrong)["xy"] == pose_of(repaired(wrong))["xy"] == pose_of(right)["xy"]


@settings(max_examples=40)
@given(st.floats(0, 1))
def test_a_joint_that_the_stills_draw_hollow_is_never_drawn_as_sure(visibility):
    landmarks = standing(TIMES[:2])
    landmarks.visibility[:] = visibility
    document = playback_document(None, landmarks, landmarks.t_s)
    seen = base64.b64decode(document["pose"]["visibility"])[0]
    if np.float32(visibility) < SURE:
        assert seen < document["look"]["sure"]
    elif visibility > SURE + 0.005:
        assert seen >= document["look"]["sure"]


def test_nothing_is_joined_across_a_gap_a_cut_or_a_frame_without_him():
    times = np.array([0, 0.1, 0.2, 0.2 + LINK_S + 0.01, 0.5, 0.6, 0.7])
    landmarks = standing(times, shot=np.array([0, 0, 0, 0, 0, 1, 1], np.int32))
    landmarks.xy[1] = np.nan
    assert linked(landmarks).tolist() == [False, False, False, True, False, True, False]


def test_bones_and_joints_name_points_of_the_document():
    document = playback_document(None, standing(), TIMES)
    names, look = document["pose"]["points"], document["look"]
    assert set(names) <= set(LANDMARK_NAMES)
    ends = [end for a, b, _ in look["bones"] for end in (a, b)] + [k for k, _ in look["joints"]] + look["feet"]
    assert set(ends) == set(range(len(names)))
    assert {side for *_, side in [*look["bones"], *look["joints"]]} <= set(look["colours"])


def test_the_axis_of_a_curve_is_the_one_of_its_drawing():
    results = drive_results()
    document = playback_document(results, standing(), TIMES)
    series = results.metrics.series["front_knee_angle"]
    axis = document["series"]["front_knee_angle"]["axis"]
    first, last = series.t_s[0], series.t_s[-1]
    starts = series_svg(series).split('class="line"')[1].split('d="M')[1].split(" ")[0]
    assert (axis[0][0], axis[-1][1]) == pytest.approx((first, last))
    assert axis[0][2] == pytest.approx(float(starts), abs=0.06)


def test_the_same_document_is_the_same_bytes_and_finite():
    document = playback_document(drive_results(), standing(), TIMES)
    assert as_bytes(document) == as_bytes(json.loads(gzip.decompress(as_bytes(document))))


# ------------------------------------------------------------------------------------------------------------------ the route


@pytest.fixture
def client(world):
    app = create_app(jobs=world.jobs, objects=world.objects, access=strict_access())
    with TestClient(app, raise_server_exceptions=False, headers=bearer("local")) as made:
        yield made


def path(world, name: str) -> str:
    return f"/api/coaches/plus/analysis-jobs/{world.ids[name]}/playback"


def test_the_document_is_sent_once_and_then_only_its_name(client, world):
    first = client.get(path(world, "done"))
    assert first.status_code == 200 and first.headers["content-encoding"] == "gzip"
    assert [ball["delivery"] for ball in first.json()["deliveries"]] == [1, 2, 3]
    again = client.get(path(world, "done"), headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    plain = client.get(path(world, "done"), headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.json() == first.json()


def test_after_the_first_look_its_body_can_be_drawn(client, world):
    assert client.get(path(world, "preliminary")).json()["pose"]["points"]


@pytest.mark.parametrize("name", ["strangers", "queued", "legacy", "failed"])
def test_what_is_not_his_or_not_there_is_not_found(client, world, name):
    answer = client.get(path(world, name))
    assert answer.status_code == 404 and answer.json()["detail"]
