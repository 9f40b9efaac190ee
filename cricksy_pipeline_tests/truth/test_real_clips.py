"""Real clips through both passes against labels by eye, and one man seen by two cameras. Skipped where the clips are not."""

from __future__ import annotations

import pytest

from cricksy_pipeline_tests.truth.real_clips import CAMERAS, CLIPS, LABELS, events_of, two_cameras


def there(*names: str) -> None:
    for name in names:
        if not (CLIPS / name).exists():
            pytest.skip(f"the real clip {name} is not on this machine (see INDEX.md of shared/clips)")


@pytest.mark.parametrize("name", ["bowl-side-d01-legal.mp4", *(pytest.param(n, marks=pytest.mark.slow) for n in list(LABELS)[1:])])
def test_the_events_of_a_real_delivery_lie_where_the_eye_and_their_printed_interval_put_them(name, pose_model):
    there(name)
    told = events_of(name, pose_model)
    print(told)

    assert told["deliveries"] == 1
    assert told["arm"]["found"] == told["arm"]["label"]
    found = [row for row in told["events"] if row["off_frames"] is not None]
    assert "release" in {row["event"] for row in found}
    for row in found:
        assert abs(row["off_frames"]) <= row["tolerance"] + 1.96 * row["sigma_frames"], row


def test_two_cameras_opposite_each_other_read_the_same_lean_of_one_trunk(pose_model):
    there(*CAMERAS)
    told = two_cameras(pose_model)
    print(told)

    assert told["instants"] > 80
    assert told["within"] >= 0.95
