"""Videos as phones, editors and strangers make them: every frame by its true time, upright, or a clear refusal."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from cricksy_pipeline.analysis.video import Region, VideoLimits, index_video, read_frames, scaled_size
from cricksy_pipeline.analysis.video_file import Orientation
from cricksy_pipeline.analysis.video_frames import one_ahead, read_pictures
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline_tests.analysis.pattern_video import draw, read_number, remux, write_pattern

OUT_OF_ORDER = {"preset": "fast"}
CODECS = {
    "h264.mp4": {},
    "h264-out-of-order.mp4": {"b_frames": 3, "options": OUT_OF_ORDER},
    "h264-out-of-order.mkv": {"b_frames": 3, "options": OUT_OF_ORDER},
    "h264-out-of-order.ts": {"b_frames": 2, "options": OUT_OF_ORDER},
    "h264-out-of-order.avi": {"b_frames": 3, "options": OUT_OF_ORDER},
    "hevc-ten-bit.mov": {"codec": "libx265", "pixel_format": "yuv420p10le", "b_frames": 3},
    "hevc-open-groups.mp4": {
        "codec": "libx265",
        "b_frames": 3,
        "gop": 10,
        "options": {"x265-params": "open-gop=1:keyint=10:min-keyint=10:log-level=none:pools=1"},
    },
    "vp9.webm": {"codec": "libvpx-vp9"},
    "av1.mp4": {"codec": "libsvtav1"},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "raw.mjpeg": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "mpeg4-out-of-order.avi": {"codec": "mpeg4", "b_frames": 2},
    "odd-sizes.mp4": {"size": (131, 97), "pixel_format": "yuv444p"},
}


def numbers(path: Path, wanted, **options) -> list[int | None]:
    return [read_number(frame.image) for frame in read_frames(path, index_video(path), np.asarray(wanted), **options)]


def refusal(path: Path, limits: VideoLimits | None = None) -> ErrorCode:
    with pytest.raises(CricksyError) as caught:
        index_video(path, limits)
    return caught.value.code


@pytest.mark.parametrize("name", CODECS)
def test_every_frame_of_every_codec_is_found_alone_and_in_company(tmp_path, name):
    path = write_pattern(tmp_path / name, 40, **CODECS[name])
    index = index_video(path)
    assert len(index) == index.info.frame_count == 40
    assert (np.diff(index.t_s) > 0).all() and index.t_s[0] == 0
    assert numbers(path, range(40)) == list(range(40))
    assert numbers(path, [39, 2, 21, 22]) == [2, 21, 22, 39]
    assert [numbers(path, [k]) for k in (0, 11, 12, 13, 29, 39)] == [[0], [11], [12], [13], [29], [39]]


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize(("first", "step"), [(0, 3), (1, 4), (2, 7), (11, 12)])
def test_what_lies_between_wanted_frames_changes_nothing_in_them(tmp_path, name, first, step):
    path = write_pattern(tmp_path / name, 40, **CODECS[name])
    index = index_video(path)
    all_of_them = {frame.frame: frame.image for frame in read_frames(path, index, np.arange(40))}
    some = list(read_frames(path, index, np.arange(first, 40, step)))
    assert [frame.frame for frame in some] == list(range(first, 40, step))
    assert all(np.array_equal(frame.image, all_of_them[frame.frame]) for frame in some)


BLOCKY = {
    "libx264": {"crf": "38", "preset": "veryfast"},
    "libx265": {"crf": "38", "preset": "veryfast", "x265-params": "log-level=none:pools=1"},
}
"""So coarse that the loop filter has something to do."""


def whole_pictures(path: Path, **options) -> list[np.ndarray]:
    index = index_video(path)
    return [picture.image().astype(int) for picture in read_pictures(path, index, np.arange(len(index)), **options)]


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_without_the_loop_filter_the_first_picture_is_the_same_and_the_others_are_near(tmp_path, codec):
    path = write_pattern(tmp_path / "a.mp4", 24, codec=codec, gop=12, options=BLOCKY[codec])
    exact, near = whole_pictures(path), whole_pictures(path, loop_filter=False)
    assert len(exact) == len(near) == 24
    assert np.array_equal(exact[0], near[0])
    apart = [np.abs(one - other).mean() for one, other in zip(exact, near, strict=True)]
    assert 0 < max(apart) < 4


def test_the_loop_filter_is_left_on_where_a_drift_would_last(tmp_path):
    path = write_pattern(tmp_path / "a.mp4", 80, gop=80, options=BLOCKY["libx264"])
    assert all(np.array_equal(*pair) for pair in zip(whole_pictures(path), whole_pictures(path, loop_filter=False), strict=True))


def test_times_are_the_presentation_timestamps_of_a_variable_rate(tmp_path):
    times = np.cumsum([0, 1 / 30, 1 / 30, 0.4, 1 / 30, 0.1, 1 / 60, 1 / 60, 1.5, 1 / 30])
    path = write_pattern(tmp_path / "variable.mp4", times.tolist())
    index = index_video(path)
    assert index.t_s == pytest.approx(times, abs=1e-4)
    assert index.info.variable_rate
    assert [f.t_s for f in read_frames(path, index, np.array([3, 8]))] == pytest.approx(times[[3, 8]], abs=1e-4)


@pytest.mark.parametrize("fps", [25, Fraction(30000, 1001), 240])
def test_a_constant_rate_is_told_with_its_duration(tmp_path, fps):
    info = index_video(write_pattern(tmp_path / "constant.mp4", 50, fps=fps)).info
    assert not info.variable_rate
    assert info.average_fps == pytest.approx(float(fps))
    assert info.duration_s == pytest.approx(50 / float(fps))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_turned_and_mirrored_pictures_come_back_upright(tmp_path, turn, mirror):
    path = write_pattern(tmp_path / "turned.mp4", 6, size=(144, 96), turn=turn, mirror=mirror)
    info = index_video(path).info
    assert (info.width, info.height, info.rotation_deg, info.mirrored) == (144, 96, turn, mirror)
    assert numbers(path, [1, 5]) == [1, 5]
    assert next(read_frames(path, index_video(path), np.array([3]), short_side=48)).image.shape == (48, 72, 3)


def test_orientations_undo_every_display_matrix():
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    for transpose in (False, True):
        for flip_x in (False, True):
            for flip_y in (False, True):
                orientation = Orientation(transpose, flip_x, flip_y)
                turned = np.rot90(image, orientation.rotation_deg // 90)
                assert np.array_equal(orientation.apply(image), turned[:, ::-1] if orientation.mirrored else turned)


def test_pixels_that_are_not_square_are_stretched(tmp_path):
    path = write_pattern(tmp_path / "wide.mp4", 5, size=(120, 96), aspect=Fraction(4, 3))
    assert (index_video(path).info.width, index_video(path).info.height) == (160, 96)
    assert next(read_frames(path, index_video(path), np.array([2]))).image.shape == (96, 160, 3)
    assert numbers(path, [2]) == [2]


def test_a_region_is_cut_out_of_the_upright_picture(tmp_path):
    path = write_pattern(tmp_path / "region.mp4", 3, size=(192, 96), turn=90)
    (frame,) = read_frames(path, index_video(path), np.array([1]), region=Region(0, 48, 60, 48))
    assert frame.image.shape == (48, 60, 3)
    assert frame.image[10:, :50, 0].mean() > 150 > 60 > frame.image[10:, :50, 2].mean()  # the red part of the lower half
    assert next(read_frames(path, index_video(path), np.array([1]), region=Region(0, 0, 192, 96), short_side=48)).image.shape == (48, 96, 3)


def test_a_scaled_picture_is_never_enlarged():
    assert scaled_size(3840, 2160, 720) == (1280, 720)
    assert scaled_size(1080, 1920, 720) == (720, 1280)
    assert scaled_size(320, 180, 720) == (320, 180)
    assert scaled_size(320, 180, None) == (320, 180)


def test_a_wanted_frame_that_does_not_exist_is_the_callers_fault(tmp_path):
    path = write_pattern(tmp_path / "short.mp4", 5)
    with pytest.raises(IndexError):
        list(read_frames(path, index_video(path), np.array([5])))
    assert list(read_frames(path, index_video(path), np.zeros(0, int))) == []


def test_a_slow_motion_tag_is_reported(tmp_path):
    path = write_pattern(tmp_path / "slow.mkv", 5, metadata={"com.android.capture.fps": "240"})
    tags = index_video(path).info.capture_fps_tag
    assert tags == 240


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    assert refusal(tmp_path / "nothing.mp4") == ErrorCode.SOURCE_MISSING


@pytest.mark.parametrize("content", [b"", b"not a video at all, but a text\n" * 100, b"\x89PNG\r\n\x1a\n" + bytes(200), bytes(5000)])
def test_what_is_no_video_is_not_a_video(tmp_path, content):
    path = tmp_path / "claims.mp4"
    path.write_bytes(content)
    assert refusal(path) == ErrorCode.NOT_A_VIDEO


def test_sound_alone_holds_no_picture(tmp_path):
    import av

    path = tmp_path / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        for i in range(10):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, i * 1024
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(CricksyError) as caught:
        index_video(path)
    assert (caught.value.code, caught.value.message) == (ErrorCode.NO_VIDEO_STREAM, "The file holds no moving picture.")


@pytest.mark.parametrize(
    "playlist", ["#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n", "ffconcat version 1.0\nfile '{}'\n"]
)
@pytest.mark.parametrize("target", ["other.ts", "http://127.0.0.1:9/other.ts"])
def test_a_playlist_named_like_a_video_reads_no_other_file(tmp_path, playlist, target):
    other = write_pattern(tmp_path / "other.ts", 10)
    path = tmp_path / "playlist.mp4"
    path.write_text(playlist.format(str(other) if target == "other.ts" else target))
    assert refusal(path) == ErrorCode.NOT_A_VIDEO


def test_a_path_that_ffmpeg_would_take_for_an_address_is_a_file_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_pattern(tmp_path / "a.mp4", 3)
    odd = Path("concat:a.mp4|a.mp4")
    assert refusal(odd) == ErrorCode.SOURCE_MISSING
    odd.write_bytes((tmp_path / "a.mp4").read_bytes())
    assert len(index_video(odd)) == 3


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mov", "cut.mkv", "cut.avi"])
@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_file_that_is_cut_off_is_corrupt(tmp_path, name, share):
    whole = tmp_path / f"whole{Path(name).suffix}"
    if name.endswith("avi"):
        write_pattern(whole, 120, codec="mpeg4", size=(256, 192), gop=5)
    else:
        table_first = {} if name.endswith("mkv") else {"movflags": "+faststart"}
        _remux(write_pattern(tmp_path / "encoded.mp4", 120, size=(256, 192), gop=5), whole, table_first)
    assert len(index_video(whole)) == 120
    path = tmp_path / name
    path.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    assert refusal(path) == ErrorCode.VIDEO_CORRUPT


def test_an_mp4_without_its_table_is_corrupt_and_not_unknown(tmp_path):
    whole = write_pattern(tmp_path / "whole.mp4", 60)
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole.read_bytes()[:-300])
    assert refusal(path) == ErrorCode.VIDEO_CORRUPT


def test_a_file_whose_pictures_are_noise_is_corrupt(tmp_path):
    whole = _remux(
        write_pattern(tmp_path / "whole.mp4", 60, size=(256, 192)), tmp_path / "front.mp4", {"movflags": "+faststart"}
    ).read_bytes()
    start = whole.index(b"mdat") + 4
    noise = np.random.default_rng(1).integers(0, 256, len(whole) - start, np.uint8).tobytes()
    path = tmp_path / "noise.mp4"
    path.write_bytes(whole[:start] + noise)
    assert refusal(path) == ErrorCode.VIDEO_CORRUPT


def test_many_undecodable_frames_are_corrupt_and_a_few_are_left_out(tmp_path):
    whole = write_pattern(tmp_path / "whole.mp4", 60, codec="mjpeg", pixel_format="yuvj420p")
    index = index_video(whole)
    data = bytearray(whole.read_bytes())
    pictures = [at for at in range(len(data) - 2) if data[at : at + 3] == b"\xff\xd8\xff"]
    assert len(pictures) == 60
    few, many = bytearray(data), bytearray(data)
    few[pictures[7] : pictures[8]] = bytes(pictures[8] - pictures[7])
    many[pictures[7] : pictures[40]] = bytes(pictures[40] - pictures[7])
    (tmp_path / "few.mp4").write_bytes(few)
    (tmp_path / "many.mp4").write_bytes(many)
    assert [f.frame for f in read_frames(tmp_path / "few.mp4", index, np.arange(60))] == [n for n in range(60) if n != 7]
    with pytest.raises(CricksyError) as caught:
        list(read_frames(tmp_path / "many.mp4", index, np.arange(60)))
    assert caught.value.code == ErrorCode.VIDEO_CORRUPT


def test_pictures_decoded_ahead_are_the_same_ones_up_to_the_error_that_ends_them(tmp_path):
    path = write_pattern(tmp_path / "a.mp4", 40)
    index = index_video(path)
    wanted = np.arange(0, 40, 3)
    plain, ahead = list(read_pictures(path, index, wanted)), list(one_ahead(read_pictures(path, index, wanted)))
    assert [picture.frame for picture in ahead] == wanted.tolist()
    assert all(np.array_equal(a.image(), b.image()) for a, b in zip(plain, ahead, strict=True))

    def fails_after(count: int):
        yield from plain[:count]
        raise CricksyError(ErrorCode.VIDEO_CORRUPT, "as told")

    seen = []
    with pytest.raises(CricksyError, match="as told"):
        for picture in one_ahead(fails_after(3)):
            seen.append(picture.frame)
    assert seen == [0, 3, 6]


def test_who_stops_looking_leaves_no_thread_that_decodes(tmp_path):
    path = write_pattern(tmp_path / "a.mp4", 40)
    reading = one_ahead(read_pictures(path, index_video(path), np.arange(40)))
    assert next(reading).frame == 0
    assert any(thread.name.startswith("decodes") for thread in threading.enumerate())
    reading.close()
    assert not any(thread.name.startswith("decodes") for thread in threading.enumerate())


@pytest.mark.parametrize("seed", range(12))
def test_a_file_with_flipped_bits_ends_in_frames_or_in_a_clear_error(tmp_path, seed):
    data = bytearray(write_pattern(tmp_path / "whole.mp4", 40, b_frames=2, options=OUT_OF_ORDER).read_bytes())
    random = np.random.default_rng(seed)
    for at in random.integers(0, len(data), 30):
        data[at] ^= 1 << random.integers(8)
    path = tmp_path / "flipped.mp4"
    path.write_bytes(data)
    try:
        index = index_video(path)
        frames = [f.frame for f in read_frames(path, index, np.arange(len(index)))]
    except CricksyError as error:
        assert error.code in (
            ErrorCode.VIDEO_CORRUPT,
            ErrorCode.NOT_A_VIDEO,
            ErrorCode.NO_VIDEO_STREAM,
            ErrorCode.VIDEO_TOO_LONG,
            ErrorCode.VIDEO_TOO_LARGE,
        )
    else:
        assert frames == sorted(set(frames)) and len(frames) >= 0.9 * len(index) - 1


def test_limits_are_kept(tmp_path):
    path = write_pattern(tmp_path / "limits.mp4", 61)
    assert refusal(path, VideoLimits(max_seconds=1.9)) == ErrorCode.VIDEO_TOO_LONG
    assert refusal(path, VideoLimits(max_frames=60)) == ErrorCode.VIDEO_TOO_LONG
    assert refusal(path, VideoLimits(max_bytes=1000)) == ErrorCode.VIDEO_TOO_LARGE
    assert refusal(path, VideoLimits(max_pixels=128 * 96 - 1)) == ErrorCode.VIDEO_TOO_LARGE
    assert len(index_video(path, VideoLimits(max_seconds=61 / 30, max_frames=61, max_pixels=128 * 96))) == 61


def test_a_file_whose_first_packet_is_shown_last_has_its_length(tmp_path):
    def late(number, packet):
        if number == 0:
            packet.pts = packet.dts + int(80_000 / packet.time_base)
        return packet

    assert refusal(remux(write_pattern(tmp_path / "whole.mp4", 20), tmp_path / "late.mkv", late)) == ErrorCode.VIDEO_TOO_LONG


def test_a_last_picture_that_stays_for_an_hour_is_part_of_the_length(tmp_path):
    def lasting(number, packet):
        if number == 19:
            packet.duration = int(5000 / packet.time_base)
        return packet

    assert refusal(remux(write_pattern(tmp_path / "whole.mp4", 20), tmp_path / "lasting.mp4", lasting)) == ErrorCode.VIDEO_TOO_LONG


@pytest.mark.parametrize("size", [(32, 1024), (1024, 64)])
def test_a_picture_far_longer_than_wide_is_refused_in_words(tmp_path, size):
    with pytest.raises(CricksyError) as caught:
        index_video(write_pattern(tmp_path / "strip.mp4", 3, size=size))
    assert caught.value.code == ErrorCode.VIDEO_TOO_LARGE
    assert f"The picture is {size[0]} x {size[1]} pixels: narrower than 1 to 5" in caught.value.message


def test_a_picture_of_a_few_pixels_is_refused_in_words(tmp_path):
    with pytest.raises(CricksyError) as caught:
        index_video(write_pattern(tmp_path / "tiny.mp4", 3, size=(30, 30)))
    assert caught.value.code == ErrorCode.VIDEO_CORRUPT
    assert "30 x 30 pixels: smaller than 32" in caught.value.message


def test_size_and_shape_are_those_of_square_pixels(tmp_path):
    wide = write_pattern(tmp_path / "wide.mp4", 3, size=(120, 96), aspect=Fraction(4, 3))
    assert refusal(wide, VideoLimits(max_pixels=160 * 96 - 1)) == ErrorCode.VIDEO_TOO_LARGE
    assert len(index_video(wide, VideoLimits(max_pixels=160 * 96))) == 3
    assert refusal(write_pattern(tmp_path / "wider.mp4", 3, size=(120, 96), aspect=Fraction(9))) == ErrorCode.VIDEO_TOO_LARGE


def test_the_size_of_the_pictures_counts_and_not_what_the_header_says(tmp_path):
    path = _grows(tmp_path / "larger.mkv", first=(160, 120), later=(160, 120), header=(64, 48))
    assert refusal(path, VideoLimits(max_pixels=64 * 48)) == ErrorCode.VIDEO_TOO_LARGE


def test_pictures_that_grow_beyond_the_limit_are_not_decoded(tmp_path):
    path = _grows(tmp_path / "grows.mkv", first=(64, 48), later=(7000, 7000), header=(64, 48))
    index = index_video(path)
    seen = []
    with pytest.raises(CricksyError) as caught:
        seen.extend(f.frame for f in read_frames(path, index, np.arange(6)))
    assert (caught.value.code, seen) == (ErrorCode.VIDEO_CORRUPT, [0, 1])


@pytest.mark.parametrize("b_frames", [0, 3])
@pytest.mark.parametrize("lost", [20, 38])
def test_where_frames_are_counted_none_after_a_lost_one_gets_its_number(tmp_path, b_frames, lost):
    whole = write_pattern(tmp_path / "whole.avi", 40, gop=10, b_frames=b_frames, options=OUT_OF_ORDER)
    index = index_video(whole)
    assert index.timed_by != "pts"
    data = bytearray(whole.read_bytes())
    at = data.index(b"movi")
    for _ in range(lost + 1):
        at = data.index(b"00dc", at + 1)
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    data[at + 8 : at + 8 + size] = bytes(size)
    path = tmp_path / "damaged.avi"
    path.write_bytes(data)
    seen = []
    try:
        seen.extend((f.frame, read_number(f.image)) for f in read_frames(path, index, np.arange(40)))
    except CricksyError as error:
        assert error.code == ErrorCode.VIDEO_CORRUPT and lost == 20
    else:
        assert lost == 38
    assert lost - 3 <= len(seen) <= lost
    assert all(frame == number for frame, number in seen)


def _grows(path: Path, first: tuple[int, int], later: tuple[int, int], header: tuple[int, int]) -> Path:
    """Two pictures of one size and four of another, in a file whose header says a third."""
    import av

    def jpeg(size: tuple[int, int]) -> bytes:
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *size, "yuvj420p", Fraction(1, 30)
        picture = av.VideoFrame.from_ndarray(draw(1, *size), format="rgb24")
        return b"".join(bytes(packet) for part in (picture.reformat(format="yuvj420p"), None) for packet in encoder.encode(part))

    pictures = [jpeg(first)] * 2 + [jpeg(later)] * 4
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = *header, "yuvj420p"
        for number, picture in enumerate(pictures):
            packet = av.Packet(picture)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 30)
            packet.is_keyframe = True
            container.mux(packet)
    return path


def _remux(source: Path, target: Path, options: dict[str, str]) -> Path:
    import av

    with av.open(str(source)) as old, av.open(str(target), "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    return target
