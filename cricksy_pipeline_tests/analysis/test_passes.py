"""Documents from looks: made again, to the letter, from what is stored of a look, with neither the video nor the networks at hand.

What is seen here is the truth of rendered players; what BlazePose sees in the pictures goes the same way in `truth/`.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis import pose
from cricksy_pipeline.analysis.documents import AnalysisMode, PoseSummary
from cricksy_pipeline.analysis.isolation import Children
from cricksy_pipeline.analysis.landmark_table import frame_table_to_parquet, from_parquet, to_parquet
from cricksy_pipeline.analysis.landmarks import BURST, GRID_DEEP, GRID_QUICK, Landmarks
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.analysis.passes import (
    AnalysisRequest,
    Footage,
    Look,
    Work,
    deep_document,
    findings_of,
    look_deeply,
    look_quickly,
    quick_document,
    report_of,
    stored_look,
)
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.subject import SeenPerson, Subject
from cricksy_pipeline.analysis.video import FrameIndex, VideoInfo, index_video
from cricksy_pipeline_tests.analysis.pattern_video import write_pattern
from cricksy_pipeline_tests.analysis.players import BATTING, BOWLING, FIELDING, WICKETKEEPING, duration_of, nobody, player
from cricksy_pipeline_tests.analysis.test_landmark_table import ARRAYS, random_landmarks

PERSON = SeenPerson(1, 1.0, 2, 0.1 + 0.2, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), ((0.5, 1.0, 2.0, 3.0, 4.0, 0.0),), {"size": 1.0}, None)
SUBJECT = Subject((PERSON, replace(PERSON, number=2, colours=None, why_not="smaller")), 1, False, 0.3, 2, True, 0.25, "two", 12, 2)


def work_on(seen: Landmarks, mode: AnalysisMode) -> Work:
    """A video in which these landmarks would be seen; there is no file of it."""
    info = VideoInfo(
        width=seen.width, height=seen.height, rotation_deg=90, mirrored=False, codec="h264", container="mp4", pixel_format="yuv420p",
        duration_s=duration_of(seen), frame_count=len(seen), average_fps=30000 / 1001, variable_rate=False, size_bytes=1,
        declared_frames=None, capture_fps_tag=None,
    )  # fmt: skip
    index = FrameIndex(info, seen.t_s, np.arange(len(seen)), np.ones(len(seen), bool))
    return Work(index, plan_sampling(index), AnalysisRequest("job", mode, 10.0, "0" * 64, "version", "code"))


def looks(work: Work, seen: Landmarks) -> tuple[Look, Look]:
    """What a quick and a deep look at a clip of some seconds keep: the grid, and every frame."""
    on_quick, on_deep = np.isin(seen.frame, work.plan.quick), np.isin(seen.frame, work.plan.deep)
    seen = replace(seen, source=np.where(on_quick, GRID_QUICK, np.where(on_deep, GRID_DEEP, BURST)).astype(np.uint8))
    return tuple(Look(part, SUBJECT, "blazepose-full", "5" * 64) for part in (seen.select(on_deep), seen))


def glimpsed(path: Path, model: PoseModel, finder: PoseModel | None, children: Children | None = None) -> tuple[Work, Look]:
    """Both looks at a file."""
    index = index_video(path)
    work = Work(index, plan_sampling(index, deep_fps=5), AnalysisRequest("job", AnalysisMode.BATTING, 5.0, "0" * 64, "version", "code"))
    footage = Footage(path, model, finder, children)
    quick = look_quickly(work, footage, workers=2, on_progress=lambda done, of: None)
    return work, look_deeply(work, footage, quick, workers=2, on_progress=lambda done, of: None)


def test_a_long_clip_names_the_network_that_sought_deliveries_and_a_short_one_none(tmp_path, pose_model, pose_finder):
    long, short = (write_pattern(tmp_path / f"{seconds}.mp4", 5 * seconds, fps=5, size=(64, 48), gop=5) for seconds in (34, 4))
    work, look = glimpsed(long, pose_model, pose_finder)
    assert (look.model, look.finder, look.finder_sha256) == ("blazepose-full", "blazepose-lite", pose_finder.sha256)
    document = deep_document(work, look)
    assert document.pose_summary.finder == "blazepose-lite"
    assert stored_look(look.landmarks, document.pose_summary).finder_sha256 == pose_finder.sha256
    assert glimpsed(short, pose_model, pose_finder)[1].finder is None
    assert glimpsed(long, pose_model, pose_model)[1].finder is None


def test_when_much_was_looked_at_no_process_stays_beside_it_and_what_is_seen_is_the_same(tmp_path, pose_model, pose_finder, monkeypatch):
    long = write_pattern(tmp_path / "34.mp4", 170, fps=5, size=(64, 48), gop=5)
    with Children(2) as children:
        _, look = glimpsed(long, pose_model, pose_finder, children)
        with children.one() as kept:
            pass
        monkeypatch.setattr(pose, "MANY_FRAMES", 20)
        _, again = glimpsed(long, pose_model, pose_finder, children)
        assert not kept.alive
        with children.one() as new:
            assert new.pid != kept.pid
    for name in ARRAYS:
        assert np.array_equal(getattr(look.landmarks, name), getattr(again.landmarks, name), equal_nan=True), name


CLIPS = {
    "batting": (lambda: player("drive", noise=0.015, knee_collapse=62.0), BATTING),
    "bowling": (lambda: player("bowl", noise=0.015), BOWLING),
    "keeping wicket": (lambda: player("drive", noise=0.015), WICKETKEEPING),
    "an empty net": (nobody, FIELDING),
}


@pytest.fixture(params=CLIPS)
def clip(request) -> tuple[Work, Look, Look]:
    """Work, quick look, deep look."""
    seen, mode = CLIPS[request.param]
    work = work_on(seen(), mode)
    return work, *looks(work, seen())


AGAIN = """
import sys
from pathlib import Path

sys.modules.update(dict.fromkeys(["av", "cv2", "mediapipe"]))  # none of them can be imported from here on
from cricksy_pipeline.analysis.documents import AnalysisMode, AnalysisResults
from cricksy_pipeline.analysis.landmark_table import frame_table_from_parquet, from_parquet
from cricksy_pipeline.analysis.passes import AnalysisRequest, Work, deep_document, quick_document, stored_look

folder, mode = Path(sys.argv[1]), AnalysisMode(sys.argv[2])
work = Work(*frame_table_from_parquet((folder / "frames").read_bytes()), AnalysisRequest("job", mode, 10.0, "0" * 64, "version", "code"))
for name, describe in (("quick", quick_document), ("deep", deep_document)):
    first = AnalysisResults.model_validate_json((folder / f"{name}.json").read_text())
    look = stored_look(from_parquet((folder / name).read_bytes()), first.pose_summary)
    (folder / f"{name}.json").write_text(describe(work, look).model_dump_json())

import os
os._exit(0)  # the threads of pyarrow abort now and then where a process ends by itself
"""


def test_a_process_that_has_only_what_was_stored_makes_the_same_documents(clip, tmp_path):
    work, *seen = clip
    first = [describe(work, look).model_dump_json() for describe, look in zip((quick_document, deep_document), seen, strict=True)]
    (tmp_path / "frames").write_bytes(frame_table_to_parquet(work.index, work.plan))
    for name, look, document in zip(("quick", "deep"), seen, first, strict=True):
        (tmp_path / name).write_bytes(to_parquet(look.landmarks))
        (tmp_path / f"{name}.json").write_text(document)

    done = subprocess.run([sys.executable, "-c", AGAIN, tmp_path, work.request.mode], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    assert [(tmp_path / f"{name}.json").read_text() for name in ("quick", "deep")] == first


numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 10_000)
people = st.builds(
    SeenPerson,
    number=st.integers(1, 3),
    score=numbers,
    seen_in=counts,
    share_of_frame_height=numbers,
    colours=st.none() | st.tuples(*[numbers] * 6),
    path=st.lists(st.tuples(*[st.floats(0, 1000)] * 5, st.just(0.0)), min_size=1, max_size=1).map(tuple),
    parts=st.dictionaries(st.text(), numbers, max_size=2),
    why_not=st.none() | st.text(),
)
subjects = st.builds(
    Subject,
    people=st.lists(people, max_size=3).map(tuple),
    chosen=st.none() | st.integers(1, 3),
    asked=st.booleans(),
    share_of_frame_height=st.none() | numbers,
    candidates=counts,
    ambiguous=st.just(True),
    margin=st.none() | numbers,
    reason=st.text(),
    pictures=counts,
    seen_in=counts,
)


@settings(max_examples=25, deadline=None)
@given(subjects, st.integers(0, 40), st.integers(0, 2**32 - 1))
def test_a_stored_look_is_the_look(subject, frames, seed):
    work = work_on(player(), BATTING)
    look = Look(random_landmarks(frames, seed), subject, "blazepose-heavy", "7" * 64)
    summary = deep_document(work, replace(look, landmarks=player())).pose_summary

    again = stored_look(from_parquet(to_parquet(look.landmarks)), PoseSummary.model_validate_json(summary.model_dump_json()))

    assert (again.subject, again.model, again.model_sha256) == (subject, "blazepose-heavy", "7" * 64)
    for name in ARRAYS:
        assert getattr(again.landmarks, name).tobytes() == getattr(look.landmarks, name).tobytes(), name


def test_a_quick_document_counts_its_own_grid_and_is_complete_in_itself(clip):
    work, quick, _ = clip
    document = quick_document(work, quick)

    assert len(quick.landmarks) == len(work.plan.deep) > len(work.plan.quick)
    assert document.pose_summary.sampled_frames == len(work.plan.quick)
    assert (document.meta.pass_name, document.meta.sample_fps, document.meta.max_seconds) == ("quick", 5.0, 30.0)
    assert document.findings == findings_of(document)
    assert document.report == report_of(document, document.findings)
    assert document.findings.analysis_version == document.report.analysis_version == document.meta.analysis_version


def test_a_deep_document_counts_everything_and_leaves_findings_and_report_to_their_stages(clip):
    work, _, deep = clip
    document = deep_document(work, deep)

    assert document.pose_summary.sampled_frames == len(work.plan.deep)
    assert document.pose_summary.sampled_frames + document.pose_summary.burst_frames == len(work.index)
    assert (document.meta.pass_name, document.meta.sample_fps, document.meta.max_seconds) == ("deep", 10.0, None)
    assert document.findings is None and document.report is None


def test_a_document_says_who_was_followed_and_which_networks_saw_him(clip):
    work, quick, deep = clip
    for document in (quick_document(work, quick), deep_document(work, deep)):
        assert (document.pose_summary.model, document.pose_summary.model_sha256) == ("blazepose-full", "5" * 64)
        assert Subject.from_json(document.pose_summary.subject) == SUBJECT
