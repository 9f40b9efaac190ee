"""Where overlay videos and clips lie, and that housekeeping knows them for what they are."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.store.keys import UPLOAD_PREFIXES, Output, content_type_of, film_key, is_output_key, is_video_key, output_key
from cricksy_pipeline.store.orphans import orphans
from cricksy_pipeline_tests.store.stored_sessions import age_files, age_row, change, made_session

SOURCE = "coach_plus/coach/c1/s1/v1/original.mp4"


@given(st.integers(1, 500), st.integers(1, 20))
def test_a_clip_is_a_video_and_never_an_upload(ball, attempt):
    key = film_key(SOURCE, "job", ball, attempt)
    assert key.startswith(output_key(SOURCE, "job", Output.OVERLAY, attempt).removesuffix("overlay.mp4"))
    assert (is_output_key(key), is_video_key(key), content_type_of(key)) == (True, False, "video/mp4")


@given(st.none() | st.integers(1, 500), st.integers(1, 20))
def test_a_film_with_faces_never_lies_where_a_blurred_one_does(ball, attempt):
    seen, blurred = (film_key(SOURCE, "job", ball, attempt, blurred=one) for one in (False, True))
    assert seen != blurred
    assert (is_output_key(blurred), is_video_key(blurred), content_type_of(blurred)) == (True, False, "video/mp4")
    assert len(blurred) <= len(output_key(SOURCE, "job", max(Output, key=len), 1000)), "as long as any output's, or uploads get none"


def test_balls_are_numbered_from_one():
    with pytest.raises(ValueError, match="numbered from 1"):
        film_key(SOURCE, "job", 0)


@pytest.mark.parametrize("blurred", [False, True])
def test_clips_that_no_row_names_are_swept_and_others_stay(job_store, local_store, blurred):
    made = made_session(job_store, local_store)
    named, left = (film_key(made.source, made.job_id, 1, attempt, blurred=blurred) for attempt in (3, 4))
    for key in (named, left):
        local_store.put(key, b"film")
    change(job_store, "video_analysis_jobs", made.job_id, stored_objects=json.dumps({"deliveries/1.mp4": {"key": named, "sha256": "0"}}))
    age_row(job_store, "video_analysis_jobs", made.job_id, 30)
    age_files(local_store, "", 30)
    found = {orphan.key for orphan in orphans(job_store, local_store, prefixes=UPLOAD_PREFIXES)}
    assert left in found
    assert named not in found
