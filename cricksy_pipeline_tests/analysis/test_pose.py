"""Pose from outside its process: the same bits for any number of workers, upright pixels, and a crash that is only an error."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.isolation import Children
from cricksy_pipeline.analysis.landmarks import BURST, GRID_DEEP, GRID_QUICK
from cricksy_pipeline.analysis.pose import (
    CHUNK_S,
    WARM_UP_S,
    SeenBefore,
    cut_into_chunks,
    estimate_pose,
    find_subject,
    inspect_video,
    read_first_still,
    read_stills,
)
from cricksy_pipeline.analysis.probe import probe_frames
from cricksy_pipeline.analysis.sampling import QUICK_FPS, QUICK_SECONDS, grid_frames, plan_sampling
from cricksy_pipeline.analysis.subject import SeenPerson, Subject
from cricksy_pipeline.analysis.tiling import MAX_TILES, tiles
from cricksy_pipeline.analysis.video import VideoLimits, index_video, read_frames
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline_tests.analysis.pattern_video import draw, read_number, remux, write_pattern

CLIPS = Path(__file__).parents[3] / "shared" / "clips"
ARRAYS = ("frame", "t_s", "source", "xy", "z", "visibility", "presence", "world", "shot", "camera", "doubt")


def clip(name: str) -> Path:
    path = CLIPS / name
    if not path.is_file():
        pytest.skip(f"the real clip {name} is not on this machine (see INDEX.md of shared/clips)")
    return path


def estimate(path: Path, model, frames=None, **options):
    index = index_video(path)
    frames = np.arange(len(index)) if frames is None else np.asarray(frames)
    return estimate_pose(path, index, frames, np.zeros(len(frames), np.uint8), model=model, **options)


def same_bits(a, b) -> bool:
    return all(getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ARRAYS)


@pytest.fixture(scope="module")
def small_player(tmp_path_factory) -> Path:
    """A bowler of 15 % of the frame's height: a real clip at a third of its size, in the lower right of a dull field."""
    import av

    source = clip("bowl-side-d01-legal.mp4")
    path = tmp_path_factory.mktemp("small") / "small.mp4"
    noise = np.random.default_rng(3).integers(95, 115, (1080, 1920, 1), np.uint8) * np.ones((1, 1, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        index = index_video(source)
        for frame in read_frames(source, index, np.arange(len(index)), short_side=360):
            noise[600:960, 1100:1740] = frame.image
            picture = av.VideoFrame.from_ndarray(noise, format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def test_a_video_is_inspected_and_looked_at_from_outside_its_process(tmp_path):
    path = write_pattern(tmp_path / "a.mp4", 40, turn=90)
    index, inside = inspect_video(path), index_video(path)
    assert index.info == inside.info
    assert all(np.array_equal(getattr(index, name), getattr(inside, name)) for name in ("t_s", "pts", "keyframe"))
    stills = read_stills(path, index, np.array([31, 4, 17]), short_side=48)
    assert [read_number(image) for image in stills] == [31, 4, 17]
    assert {image.shape for image in stills} == {(48, 64, 3)}
    assert read_stills(path, index, np.array([], int)) == []


@pytest.mark.parametrize("name", ["cut.mkv", "cut.mts", "cut.avi"])
def test_the_first_still_of_a_clip_cut_between_keyframes_is_its_first_keyframe(tmp_path, name):
    whole = write_pattern(tmp_path / f"whole{Path(name).suffix}", 60, gop=10, format="mpegts" if name.endswith("mts") else None)
    path = remux(whole, tmp_path / name, lambda number, packet: packet if number >= 8 else None, "mpegts" if name.endswith("mts") else None)
    index = inspect_video(path)
    assert len(index) == 52 and not index.keyframe[:2].any()
    frame, image = read_first_still(path, index, short_side=48)
    assert (frame, read_number(image), image.shape) == (2, 10, (48, 64, 3))
    assert [(f.frame, read_number(f.image)) for f in read_frames(path, index, np.arange(52))] == [(k, k + 8) for k in range(2, 52)]


def test_the_first_still_of_a_clip_damaged_at_its_beginning_is_a_later_one(tmp_path):
    whole = write_pattern(tmp_path / "whole.mp4", 60, codec="mjpeg", pixel_format="yuvj420p")
    index, data = index_video(whole), whole.read_bytes()
    pictures = [at for at in range(len(data) - 2) if data[at : at + 3] == b"\xff\xd8\xff"]
    for lost, name in ((20, "some.mp4"), (60, "all.mp4")):
        until = [*pictures, data.rindex(b"\xff\xd9") + 2][lost]
        (tmp_path / name).write_bytes(data[: pictures[0]] + bytes(until - pictures[0]) + data[until:])
    frame, image = read_first_still(tmp_path / "some.mp4", index, short_side=None)
    assert frame == read_number(image) >= 20
    with pytest.raises(CricksyError) as caught:
        read_first_still(tmp_path / "all.mp4", index, short_side=None)
    assert caught.value.code == ErrorCode.VIDEO_CORRUPT


def test_refusals_cross_the_border_with_their_code(tmp_path):
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    for path, limits, code in (
        (text, None, ErrorCode.NOT_A_VIDEO),
        (write_pattern(tmp_path / "a.mp4", 61), VideoLimits(max_seconds=1), ErrorCode.VIDEO_TOO_LONG),
    ):
        with pytest.raises(CricksyError) as caught:
            inspect_video(path, limits)
        assert caught.value.code == code


def test_a_clip_with_nobody_in_it_gives_frames_without_landmarks(tmp_path, pose_model):
    path = write_pattern(tmp_path / "empty.mp4", 30, size=(320, 180))
    index = index_video(path)
    subject = find_subject(path, index, model=pose_model, mode="batting")
    assert (subject.player, subject.people, subject.seen_in, subject.share_of_frame_height) == (None, (), 0, None)
    assert "nobody" in subject.reason
    landmarks = estimate(path, pose_model, subject=subject)
    assert len(landmarks) == 30 and not landmarks.found.any()
    assert np.isnan(landmarks.xy).all() and np.isnan(landmarks.visibility).all()


def test_children_that_were_prepared_and_kept_see_what_new_ones_see(pose_model):
    path = clip("p2s-two-people-cam01.mp4")
    index = index_video(path)
    with Children(2) as children:
        children.prepare()
        kept_index = inspect_video(path, children=children)
        twice = [estimate(path, pose_model, np.arange(40), chunk_s=0.4, children=children) for _ in range(2)]
        (still,) = read_stills(path, index, np.array([7]), short_side=48, children=children)
    assert np.array_equal(kept_index.t_s, index.t_s)
    assert same_bits(*twice) and same_bits(twice[0], estimate(path, pose_model, np.arange(40), chunk_s=0.4))
    assert np.array_equal(still, read_stills(path, index, np.array([7]), short_side=48)[0])


def test_no_frames_asked_no_process_started(tmp_path, pose_model):
    path = write_pattern(tmp_path / "a.mp4", 3)
    assert len(estimate(path, pose_model, frames=np.zeros(0, int))) == 0


def test_frames_out_of_order_are_the_callers_fault(tmp_path, pose_model):
    path = write_pattern(tmp_path / "a.mp4", 5)
    with pytest.raises(ValueError, match="increase"):
        estimate(path, pose_model, frames=[3, 1])


@pytest.mark.skipif(sys.platform != "linux", reason="finds the child in /proc")
def test_a_killed_pose_process_is_an_error_and_not_a_dead_run(tmp_path, pose_model):
    path = write_pattern(tmp_path / "long.mp4", 900, size=(64, 48))

    def kill_children(done: int, total: int) -> None:
        for task in Path("/proc/self/task").iterdir():
            for pid in (task / "children").read_text().split():
                if b"pose_process" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(int(pid), signal.SIGKILL)

    with pytest.raises(CricksyError) as caught:
        estimate(path, pose_model, chunk_s=10, on_progress=kill_children)
    assert caught.value.code == ErrorCode.POSE_CRASHED
    assert "SIGKILL" in caught.value.message


def test_progress_counts_every_frame_and_never_falls(tmp_path, pose_model):
    path = write_pattern(tmp_path / "a.mp4", 90, size=(64, 48))
    told = []
    estimate(path, pose_model, chunk_s=1, on_progress=lambda done, total: told.append((done, total)))
    done = [d for d, _ in told]
    assert done == sorted(set(done)) and done[-1] == 90 and done[0] >= 1
    assert {total for _, total in told} == {90}


@pytest.mark.parametrize("chosen", [False, True])
def test_any_number_of_workers_gives_the_same_bits(pose_model, chosen):
    path = clip("p2s-two-people-cam01.mp4")
    subject = find_subject(path, index_video(path), model=pose_model, mode="batting") if chosen else None
    one, three = (estimate(path, pose_model, np.arange(70), workers=workers, chunk_s=0.4, subject=subject) for workers in (1, 3))
    assert one.found.mean() > 0.9
    assert same_bits(one, three)


def test_what_an_earlier_look_tells_is_where_he_was_found_and_what_the_camera_did(tmp_path, pose_model):
    landmarks = estimate(clip("bowl-rear34-dU14.mp4"), pose_model, np.arange(0, 54, 3))
    told, seen = SeenBefore.of(landmarks), landmarks.found
    assert seen.any() and np.array_equal(told.trail.t_s, landmarks.t_s[seen])
    for box, xy in zip(told.trail.box, landmarks.xy[seen], strict=True):
        assert np.allclose(box, [*xy.min(axis=0), *np.ptp(xy, axis=0)], atol=1e-3)
    assert np.array_equal(told.camera.frame, landmarks.frame) and np.array_equal(told.camera.moved, landmarks.camera)
    nobody = estimate(write_pattern(tmp_path / "a.mp4", 12, size=(64, 48)), pose_model)
    assert SeenBefore.of(nobody).trail is None and len(SeenBefore.of(nobody).camera.frame) == 12


def test_a_source_is_passed_through_and_times_are_the_index_times(pose_model):
    path = clip("bowl-rear34-dU14.mp4")
    index = index_video(path)
    frames = np.array([0, 6, 12, 18, 19, 20])
    source = np.array([GRID_QUICK, GRID_QUICK, GRID_DEEP, GRID_DEEP, BURST, BURST], np.uint8)
    landmarks = estimate_pose(path, index, frames, source, model=pose_model)
    assert np.array_equal(landmarks.source, source) and np.array_equal(landmarks.t_s, index.t_s[frames])
    assert (landmarks.width, landmarks.height) == (1920, 1440)


def test_landmarks_are_pixels_of_the_full_upright_picture_whatever_is_looked_at(pose_model):
    path = clip("bowl-side-d01-legal.mp4")
    frames = np.arange(10, 26, 3)
    whole = estimate(path, pose_model, frames)
    low, high = whole.xy.min(axis=1), whole.xy.max(axis=1)
    trail = tuple((float(t), *map(float, a), *map(float, b - a), 0.0) for t, a, b in zip(whole.t_s, low, high, strict=True))
    cropped = estimate(path, pose_model, frames, subject=followed(trail))
    tall = np.ptp(whole.xy[:, :, 1], axis=1).mean()
    apart = np.linalg.norm(whole.xy - cropped.xy, axis=2)[whole.visibility > 0.8]
    assert np.median(apart) < 0.03 * tall
    assert 500 < tall < 1400  # of 2160: full resolution, not the size at which the picture was looked at


@pytest.mark.parametrize(
    ("name", "least"),
    [("bowl-side-d01-legal.mp4", 0.95), ("bowl-side-d11-legal.mp4", 0.95), ("bowl-rear34-dU14.mp4", 0.95), ("GT-p2s-cam01.mp4", 0.95)],
)
def test_real_players_are_found_in_nearly_every_frame(pose_model, name, least):
    path = clip(name)
    subject = find_subject(path, index_video(path), model=pose_model, mode="bowling")
    assert subject.seen_in >= 8 and not subject.ambiguous
    assert estimate(path, pose_model, plan_sampling(index_video(path)).deep, subject=subject).found.mean() >= least


def test_of_two_people_of_one_size_both_are_listed_and_who_only_walks_by_is_not_chosen(pose_model):
    path = clip("p2s-two-people-cam01.mp4")
    subject = find_subject(path, index_video(path), model=pose_model, mode="batting")
    assert subject.candidates == 2 and len(subject.people) == 2
    across = {person.number: np.ptp([point[1] for point in person.path]) for person in subject.people}
    assert across[subject.chosen] == min(across.values())
    assert subject.margin is not None and subject.margin < 0.6  # another may be meant, and is not far behind


def test_a_man_is_followed_to_the_end_although_a_woman_of_his_size_walks_by(pose_model):
    """He stands on a wall until he jumps, she crosses the grass below: hips in the lower half before 5.5 s are hers."""
    path = clip("sports2d-demo.mp4")
    index = index_video(path)
    subject = find_subject(path, index, model=pose_model, mode="fielding")
    him = max(subject.people, key=lambda person: -person.path[0][2])  # he begins on top of a wall
    asked = find_subject(path, index, model=pose_model, mode="fielding", asked=him.number)
    landmarks = estimate(path, pose_model, plan_sampling(index).deep, subject=asked)
    hips = landmarks.point("left_hip")[landmarks.found & (landmarks.t_s < 5.5)]
    assert len(hips) >= 50 and (hips[:, 1] < 0.45 * landmarks.height).all()


def test_the_one_who_is_asked_for_is_followed_and_the_list_stays_the_same(pose_model):
    path = clip("p2s-two-people-cam01.mp4")
    index = index_video(path)
    found = [find_subject(path, index, model=pose_model, mode="batting", asked=asked) for asked in (None, 1, 2)]
    assert [subject.chosen for subject in found] == [1, 1, 2]
    assert len({tuple(person.path for person in subject.people) for subject in found}) == 1
    assert not found[2].ambiguous and found[2].asked
    with pytest.raises(CricksyError, match="2 people were seen") as caught:
        find_subject(path, index, model=pose_model, mode="batting", asked=3)
    assert caught.value.code == ErrorCode.OPTIONS_INVALID


def test_a_player_too_small_for_the_detector_is_found_and_followed(small_player, pose_model):
    index = index_video(small_player)
    subject = find_subject(small_player, index, model=pose_model, mode="bowling")
    assert subject.share_of_frame_height == pytest.approx(0.15, abs=0.04)
    whole, followed_ = estimate(small_player, pose_model), estimate(small_player, pose_model, subject=subject)
    assert followed_.found.mean() > 0.9 > whole.found.mean()
    hip = followed_.point("left_hip")[followed_.found]
    assert (hip[:, 0] > 1100).all() and (hip[:, 1] > 600).all()


def followed(path: tuple[tuple[float, ...], ...]) -> Subject:
    """A subject whose sightings are these."""
    return Subject((SeenPerson(1, 1.0, len(path), 0.5, None, path, {}, None),), chosen=1)


@given(st.lists(st.floats(0.01, 3), min_size=1, max_size=200), st.sampled_from([1.0, 7.0, 60.0]), st.integers(1, 9))
def test_chunks_keep_every_frame_once_and_look_no_further_ahead_than_the_warm_up(gaps, chunk_s, step):
    t_s = np.concatenate([[0.0], np.cumsum(gaps)])
    frames = np.arange(0, len(t_s), step)
    chunks = cut_into_chunks(t_s, frames, chunk_s)
    assert np.array_equal(np.concatenate([chunk.frames[chunk.keep] for chunk in chunks]), frames)
    for chunk in chunks:
        own = chunk.frames[chunk.keep]
        assert t_s[own[-1]] - t_s[own[0]] <= chunk_s + 0.1
        assert (np.diff(chunk.frames) > 0).all() and chunk.keep[-1]
        for helper in chunk.frames[~chunk.keep]:
            assert 0 < t_s[own[own > helper][0]] - t_s[helper] <= WARM_UP_S


def test_between_sparse_frames_the_landmarker_looks_ten_times_a_second():
    t_s = np.arange(0, 14, 1 / 30)
    (chunk,) = cut_into_chunks(t_s, np.arange(0, 391, 6), 90)
    assert len(chunk.frames) == 131 and chunk.keep.sum() == 66
    assert np.diff(t_s[chunk.frames]).max() == pytest.approx(0.1)


def test_a_quick_pass_and_what_the_deep_pass_adds_are_the_same_bits_as_one_run(pose_model):
    path = clip("bowl-side-d01-legal.mp4")
    plan = plan_sampling(index_video(path))
    added = np.setdiff1d(plan.deep, plan.quick)
    assert same_bits(
        estimate(path, pose_model, plan.quick).merged(estimate(path, pose_model, added)), estimate(path, pose_model, plan.deep)
    )


def test_probes_spread_over_the_clip_and_tiles_cover_the_picture(tmp_path):
    index = index_video(write_pattern(tmp_path / "a.mp4", 600, size=(48, 32), gop=30))
    frames = probe_frames(index)
    assert len(frames) == 16 and frames[0] < 50 and frames[-1] > 550
    assert index.keyframe[frames].mean() >= 0.5
    assert [len(probe_frames(replace(index, t_s=index.t_s * times))) for times in (4, 18, 100)] == [64, 64, 64]
    covered = np.zeros((1080, 1920), bool)
    for x, y, side in tiles(1920, 1080, (0.34,)):
        assert x + side <= 1920 and y + side <= 1080
        covered[y : y + side, x : x + side] = True
    assert covered.all()


@pytest.mark.parametrize("size", [(16, 4096), (17_280, 1080), (400, 1999), (1920, 1080), (2520, 1080)])
def test_tiles_are_never_many_and_still_cover_the_picture(size):
    covered = np.zeros(size[::-1], bool)
    for share in (0.6, 0.34):
        placed = list(tiles(*size, (share,)))
        assert len(placed) <= MAX_TILES
        for x, y, side in placed:
            covered[y : y + side, x : x + side] = True
        assert covered.all()
        covered[:] = False


def test_the_pattern_reader_refuses_pictures_that_are_not_upright():
    image = draw(1234, 128, 96)
    assert read_number(image) == 1234
    assert all(read_number(np.rot90(image, k)) is None for k in (1, 2, 3)) and read_number(image[:, ::-1]) is None


def test_what_follows_the_quick_pass_is_cut_into_an_even_number_of_equal_chunks():
    t_s = np.arange(10_959) / 30
    chunks = cut_into_chunks(t_s, np.arange(len(t_s)), 90)
    lasts = [float(np.ptp(t_s[chunk.frames[chunk.keep]])) for chunk in chunks]
    assert lasts[:2] == pytest.approx([15, 15], abs=0.05)
    assert len(lasts) == 6 and max(lasts[2:]) - min(lasts[2:]) < 0.05 and max(lasts) <= 90


@pytest.mark.parametrize("rate", [12, 24, 25, 29.97, 30, 50, 59.94])
def test_the_quick_passs_last_frame_and_the_first_after_it_are_no_chunks_of_their_own(rate):
    t_s = np.arange(int(365 * rate)) / rate
    quick, deep = grid_frames(t_s, QUICK_FPS, QUICK_SECONDS), grid_frames(t_s, 10)
    ahead, fresh = deep[deep <= quick[-1]], deep[deep > quick[-1]]
    assert [len(cut_into_chunks(t_s, frames, CHUNK_S)) for frames in (ahead, fresh)] == [2, 4]


def test_a_short_clip_is_one_chunk():
    t_s = np.arange(450) / 30
    assert len(cut_into_chunks(t_s, np.arange(450), 90)) == 1


def test_a_gpu_that_is_not_there_is_said_in_words(pose_model, small_player):
    if any(Path("/dev").glob("nvidia[0-9]*")) or any(Path("/dev/dri").glob("render*")):
        pytest.skip("this machine has a GPU")
    with pytest.raises(CricksyError, match="CRICKSY_POSE_DEVICE is gpu, and MediaPipe cannot use one here") as raised:
        estimate(small_player, replace(pose_model, device="gpu"), np.arange(4))
    assert raised.value.code == ErrorCode.INTERNAL


def test_a_gpu_sees_what_a_cpu_sees_within_a_hundredth_of_the_height(pose_model):
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not any(Path("/dev/dri").glob("render*")):
        pytest.skip("this machine has no GPU")
    cpu, gpu = (estimate(clip("bowl-side-d01-legal.mp4"), replace(pose_model, device=device)) for device in ("cpu", "gpu"))
    both = cpu.found & gpu.found
    tall = np.ptp(cpu.xy[both][:, :, 1], axis=1)
    apart = np.linalg.norm(cpu.xy[both] - gpu.xy[both], axis=2) / tall[:, None]
    assert both.sum() >= 0.95 * cpu.found.sum() and np.median(apart) < 0.01
