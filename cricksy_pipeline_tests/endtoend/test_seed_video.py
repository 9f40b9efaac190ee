"""The seed workload: 365.3 seconds at 30 frames a second, through the whole pipeline."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cricksy_pipeline.sample.pattern import write_pattern_clip
from cricksy_pipeline_tests.orchestration.conftest import Pipeline, dagster_instance, pipeline

__all__ = ["dagster_instance", "pipeline"]


def test_a_video_of_365_seconds_is_sampled_at_151_and_3653_frames(pipeline: Pipeline, tmp_path):
    video = tmp_path / "seed.mp4"
    write_pattern_clip(video, [Fraction(i, 30) for i in range(10_959)], size=(320, 180))

    row, result = pipeline.analyse(video)

    assert result.success
    quick, deep = row.quick_results["pose_summary"], row.deep_results["pose_summary"]
    assert (quick["total_frames"], deep["total_frames"]) == (10_959, 10_959)
    assert (quick["sampled_frames"], deep["sampled_frames"]) == (151, 3653)
    assert deep["duration_s"] == pytest.approx(365.3)
