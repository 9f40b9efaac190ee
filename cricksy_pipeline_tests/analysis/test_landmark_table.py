"""Parquet: every bit comes back."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.landmark_table import frame_table_from_parquet, frame_table_to_parquet, from_parquet, to_parquet
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.video import index_video
from cricksy_pipeline_tests.analysis.pattern_video import write_pattern

ARRAYS = ("frame", "t_s", "source", "xy", "z", "visibility", "presence", "world", "shot", "camera", "doubt")


def random_landmarks(n: int, seed: int) -> Landmarks:
    random = np.random.default_rng(seed)
    lost = random.random(n) < 0.3

    def values(*shape):
        array = random.normal(0, 500, (n, *shape)).astype(np.float32)
        array[lost] = np.nan
        return array

    frame = np.cumsum(random.integers(1, 5, n)).astype(np.int64)
    t_s = np.cumsum(random.random(n) + 1e-3)
    source = random.integers(0, 3, n).astype(np.uint8)
    shot, doubt = np.cumsum(random.random(n) < 0.1).astype(np.int32), random.integers(0, 3, n).astype(np.uint8)
    seen = (values(33, 2), values(33), values(33), values(33), values(33, 3))
    return Landmarks(frame, t_s, source, *seen, 1080, 1920, shot=shot, camera=values(2), doubt=doubt)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_landmarks_come_back_bit_for_bit(n, seed):
    before = random_landmarks(n, seed)
    after = from_parquet(to_parquet(before))
    for name in ARRAYS:
        a, b = getattr(before, name), getattr(after, name)
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), name
        assert b.flags.writeable
    assert (after.width, after.height) == (1080, 1920)


def test_the_table_can_be_read_by_column_name(tmp_path):
    import io

    import pyarrow.parquet as pq

    landmarks = random_landmarks(20, 7)
    table = pq.read_table(io.BytesIO(to_parquet(landmarks)))
    assert table.num_columns == 7 + 33 * 8
    assert np.array_equal(table["left_wrist_y"].to_numpy(), landmarks.point("left_wrist")[:, 1], equal_nan=True)


def test_a_table_of_before_there_were_shots_reads_as_one_shot_of_a_still_camera():
    import io

    import pyarrow.parquet as pq

    landmarks = random_landmarks(20, 7)
    table = pq.read_table(io.BytesIO(to_parquet(landmarks)))
    earlier = io.BytesIO()
    pq.write_table(table.drop_columns(["shot", "camera_x", "camera_y", "doubt"]), earlier)
    again = from_parquet(earlier.getvalue())
    assert again.xy.tobytes() == landmarks.xy.tobytes()
    assert not again.shot.any() and not again.camera.any() and not again.doubt.any()


@pytest.mark.parametrize("turn", [0, 90])
def test_index_and_plan_come_back(tmp_path, turn):
    index = index_video(write_pattern(tmp_path / "a.mp4", 400, turn=turn, b_frames=2, options={"preset": "fast"}))
    plan = plan_sampling(index, quick_seconds=5)
    after, plan_after = frame_table_from_parquet(frame_table_to_parquet(index, plan))
    assert (after.info, after.orientation, after.timed_by) == (index.info, index.orientation, index.timed_by)
    for name in ("t_s", "pts", "keyframe"):
        assert np.array_equal(getattr(after, name), getattr(index, name))
        assert getattr(after, name).dtype == getattr(index, name).dtype
    assert np.array_equal(plan_after.quick, plan.quick) and np.array_equal(plan_after.deep, plan.deep)


def test_other_bytes_and_other_tables_are_refused(tmp_path):
    index = index_video(write_pattern(tmp_path / "a.mp4", 5))
    table = frame_table_to_parquet(index, plan_sampling(index))
    for wrong in (b"", b"PAR1 no", table):
        with pytest.raises(ValueError, match="table"):
            from_parquet(wrong)
    with pytest.raises(ValueError, match="table"):
        frame_table_from_parquet(to_parquet(random_landmarks(3, 1)))


def test_writing_and_reading_a_table_leaves_pandas_alone():
    script = """
        import sys
        import numpy as np
        from cricksy_pipeline.analysis.landmark_table import from_parquet, to_parquet
        from cricksy_pipeline.analysis.landmarks import Landmarks

        assert len(from_parquet(to_parquet(Landmarks.empty(640, 360)))) == 0
        assert "pandas" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
