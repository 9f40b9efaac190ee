"""The key rules hold for every key, not for the ones we thought of."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.store import keys
from cricksy_pipeline.store.keys import Output, UploadKey

PART = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._@+=-]{0,40}", fullmatch=True)
ANY_TEXT = st.text(max_size=60) | st.lists(st.sampled_from(["..", ".", "", "a", "\\", "\x00", "/"]), max_size=6).map("/".join)


@given(st.sampled_from(["coach", "org"]), PART, PART, PART, st.sampled_from(keys.VIDEO_SUFFIXES))
def test_an_upload_key_gives_its_parts_back(owner_type, owner_id, session_id, video_id, suffix):
    key = keys.upload_key(owner_type, owner_id, session_id, video_id, suffix.upper().lstrip("."))
    assert keys.parse_upload_key(key) == UploadKey(owner_type, owner_id, session_id, video_id, suffix)
    assert keys.is_video_key(key) and not keys.is_output_key(key)


@given(ANY_TEXT)
def test_whatever_parses_as_an_upload_is_the_key_that_its_parts_make(key):
    parts = keys.parse_upload_key(key)
    if parts is not None:
        assert keys.upload_key(parts.owner_type, parts.owner_id, parts.session_id, parts.video_id, parts.suffix) == key


@given(ANY_TEXT, ANY_TEXT, st.sampled_from(Output))
def test_no_output_key_leaves_the_folder_of_its_source(source_key, job_id, name):
    try:
        key = keys.output_key(source_key, job_id, name)
    except ValueError:
        return
    assert posixpath.normpath(key) == key and not key.startswith(("/", ".."))
    assert key.startswith(posixpath.dirname(source_key))
    assert keys.is_output_key(key) and not keys.is_video_key(key)


@given(PART, PART, st.sampled_from(Output), st.sampled_from(Output))
def test_two_jobs_over_one_upload_never_share_a_key(one, other, first, second):
    source = "coach_plus/coach/c/s/v/original.mp4"
    if (one, first) != (other, second):
        assert keys.output_key(source, one, first) != keys.output_key(source, other, second)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_upload_key_is_made_of_parts_that_escape(owner_id, session_id, video_id):
    try:
        key = keys.upload_key("coach", owner_id, session_id, video_id, ".mp4")
    except ValueError:
        return
    assert key.split("/")[2:5] == [owner_id, session_id, video_id]


def test_outputs_lie_beside_their_source_inside_and_outside_the_layout():
    inside = keys.output_key("coach_plus/coach/c1/s1/v1/original.mov", "j1", Output.DEEP_RESULTS)
    assert inside == "coach_plus/coach/c1/s1/v1/analysis/j1/deep_results.json"
    assert keys.output_key("uploads/drive.mp4", "j1", Output.FRAMES) == "uploads/analysis/j1/frames.parquet"
    assert keys.output_key("drive.mp4", "j1", Output.OVERLAY) == "analysis/j1/overlay.mp4"


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "a\nb", "a\x00b", "x" * 501])
def test_a_key_that_could_mean_another_place_is_refused(key):
    with pytest.raises(ValueError):
        keys.checked_key(key)


@given(ANY_TEXT.map(lambda text: f"uploads/{text}.mp4") | PART.map(lambda part: f"uploads/{part * 20}.mov"))
def test_a_key_that_can_be_analysed_leaves_room_for_every_output_of_every_attempt(key):
    try:
        keys.analysable_key(key)
    except ValueError:
        return
    for name in Output:
        keys.output_key(key, "j" * 36, name, 1000)
    for options in keys.options_keys(key):
        keys.checked_key(options)
    assert keys.is_video_key(key) and key.encode()


@pytest.mark.parametrize(
    "key", ["notes.txt", "a\\b.mp4", "a//b.mp4", "a\nb.mp4", "\udcff.mp4", "x" * 450 + "/a.mp4", ".mp4/", "analysis/j1/overlay.mp4"]
)
def test_a_key_that_cannot_be_analysed_is_refused_with_the_reason(key):
    with pytest.raises(ValueError):
        keys.analysable_key(key)


@pytest.mark.parametrize(
    "key",
    ["uploads/", "uploads/day one/", "uploads/.DS_Store", "uploads/.trash/a.mp4", "uploads/a.mp4.json", "uploads/a.JSON",
     "uploads/a.mp4.part", "uploads/a.mp4.crdownload", "uploads/analysis/j1/overlay.mp4", "uploads/x/analysis/j1/deliveries/1.mp4"],
)  # fmt: skip
def test_what_nobody_uploaded_for_analysis_is_known_by_its_name(key):
    assert keys.is_no_upload(key)


@pytest.mark.parametrize(
    "key", ["uploads/a.mp4", "uploads/notes.txt", "uploads/analysis/a.mp4", "uploads/json/a.mov", "uploads/a.json.mp4"]
)
def test_everything_else_is_an_upload_even_where_it_is_no_video(key):
    assert not keys.is_no_upload(key)


def test_the_options_of_a_video_lie_beside_it():
    assert keys.options_keys("uploads/a.b/clip.one.mp4") == ("uploads/a.b/clip.one.mp4.json", "uploads/a.b/clip.one.json")
    assert keys.options_keys("clip.mp4") == ("clip.mp4.json", "clip.json")


@given(st.sampled_from(["coach", "org"]), PART, PART, PART)
def test_every_key_of_the_layout_names_its_owner_and_session(owner_type, owner_id, session_id, video_id):
    assert keys.owner_of(keys.upload_key(owner_type, owner_id, session_id, video_id, "mp4")) == (owner_type, owner_id, session_id)


@pytest.mark.parametrize(
    "key", ["uploads/coach/c1/s1/a.mp4", "coach_plus/player/c1/s1/a.mp4", "coach_plus/coach/c1/a.mp4", "coach_plus/coach/../s1/a.mp4"]
)
def test_a_key_outside_the_layout_names_no_owner(key):
    assert keys.owner_of(key) is None


@pytest.mark.parametrize(("owner_type", "suffix"), [("player", ".mp4"), ("coach", ".exe"), ("coach", "")])
def test_an_upload_key_has_a_known_owner_type_and_a_video_suffix(owner_type, suffix):
    with pytest.raises(ValueError):
        keys.upload_key(owner_type, "o", "s", "v", suffix)


def test_an_output_that_is_not_in_the_list_is_refused():
    with pytest.raises(ValueError):
        keys.output_key("a.mp4", "j1", "passwords.txt")


@pytest.mark.parametrize("name", Output)
def test_every_output_has_a_media_type(name):
    assert name.content_type != "application/octet-stream"
