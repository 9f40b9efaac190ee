"""Events of real bowlers against labels by eye. Skipped where the clips are not there; part of the long suite, for they are 4K."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from cricksy_pipeline.analysis.deliveries import find_deliveries
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.landmarks import BURST
from cricksy_pipeline.analysis.pose import estimate_pose, inspect_video

CLIPS = Path(__file__).parents[3] / "shared" / "clips"
LABELS = tomllib.loads((Path(__file__).parent / "real_events.toml").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("name", list(LABELS))
def test_the_events_of_a_real_bowler_lie_within_a_frame_of_what_the_eye_sees_or_say_so(name, pose_model):
    path = CLIPS / name
    if not path.exists():
        pytest.skip(f"there is no {path}")
    index = inspect_video(path)
    frames = np.arange(len(index))
    seen = estimate_pose(path, index, frames, np.full(len(frames), BURST, np.uint8), model=pose_model)
    (ball,) = find_deliveries(seen, AnalysisMode.BOWLING)
    labels = {event: label for event, label in LABELS[name].items() if event != "arm"}
    assert ball.arm == LABELS[name]["arm"]
    assert "release" in ball.events
    frame_s = float(np.median(np.diff(index.t_s)))
    for event in set(labels) & set(ball.events):
        off_s = ball.events[event].t_s - index.t_s[labels[event]["frame"]]
        print(f"{name} {event}: {off_s / frame_s:+.1f} frames, sigma {ball.events[event].sigma_s / frame_s:.1f}")
        assert abs(off_s) <= (labels[event]["frames"] + 0.5) * frame_s + 1.0 * ball.events[event].sigma_s, event
