"""Real clips: events against labels by eye, and one man's trunk seen by two cameras.

    python -m cricksy_pipeline_tests.truth.real_clips       # prints, and writes measured/real.json

Belongs here: what is measured in them. Does not belong here: labelling (analysis/real_events.toml), what must hold (test_real_clips).
"""

from __future__ import annotations

import json
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.kinematics import plumb_angle_deg, tracks
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.metrics.accuracy import model_error
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.model import PoseModel, ensure_model
from cricksy_pipeline.analysis.passes import findings_of
from cricksy_pipeline.analysis.pose import estimate_pose, find_subject, inspect_video
from cricksy_pipeline_tests.truth.analysed import both_passes
from cricksy_pipeline_tests.truth.publish import MEASURED, rounded

ROOT = Path(__file__).resolve().parents[2]
CLIPS = ROOT.parent / "shared" / "clips"
LABELS: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "cricksy_pipeline_tests" / "analysis" / "real_events.toml").read_text())
CAMERAS = ("GT-p2s-cam01.mp4", "GT-p2s-cam03.mp4")
"""One man balancing, seen from in front and from behind at the same time, both cameras rolled."""


def events_of(name: str, model: PoseModel, workers: int = 2) -> dict[str, Any]:
    """What the two passes find in a labelled clip: by event the label, the frame found, its sigma in frames; and the findings."""
    index = inspect_video(CLIPS / name)
    _, deep = both_passes(CLIPS / name, AnalysisMode.BOWLING, model, workers=workers)
    deliveries = deep.document.metrics.deliveries
    frame_s = float(np.median(np.diff(index.t_s)))
    found = {event.name: event for ball in deliveries for event in ball.events}
    rows = []
    for event, label in LABELS[name].items():
        if event == "arm":
            continue
        when = found.get(event)
        off = None if when is None else (when.t_s - float(index.t_s[label["frame"]])) / frame_s
        sigma = None if when is None else when.sigma_s / frame_s
        rows.append({"event": event, "label": label["frame"], "tolerance": label["frames"], "off_frames": off, "sigma_frames": sigma})
    technique = [f.code for f in findings_of(deep.document).findings if f.kind == "technique"]
    arm = {"label": LABELS[name]["arm"], "found": deep.document.metrics.summary.get("arm")}
    return {"clip": name, "deliveries": len(deliveries), "arm": arm, "events": rows, "technique": technique}


def two_cameras(model: PoseModel, workers: int = 2) -> dict[str, float]:
    """Degrees by which the side lean of one trunk differs between two cameras opposite each other, where what leans right in one leans left
    in the other; beside it the half width that each alone prints. Both are rolled by an unknown angle: that is the mean, and is left out of
    `within`, the share of the differences that lie within what both print together."""
    leans = [_lean(_seen(CLIPS / name, model, workers)) for name in CAMERAS]
    n = min(len(lean) for lean in leans)
    apart = leans[0][:n] + leans[1][:n]
    entry = catalogue().entries["B6"]
    one = 1.96 * float(np.hypot(model_error(entry, "front").sigma, entry.sigma_view))
    return {
        "instants": n,
        "mean": float(np.nanmean(apart)),
        "rms": float(np.sqrt(np.nanmean(apart**2))),
        "printed": one,
        "about_mean": float(np.nanstd(apart)),
        "within": float(np.nanmean(np.abs(apart - np.nanmean(apart)) <= 2**0.5 * one)),
    }


def _seen(path: Path, model: PoseModel, workers: int) -> Landmarks:
    index = inspect_video(path)
    subject = find_subject(path, index, model=model, mode=AnalysisMode.BATTING)
    frames = np.arange(len(index))
    return estimate_pose(path, index, frames, np.zeros(len(frames), np.uint8), model=model, subject=subject, workers=workers)


def _lean(seen: Landmarks) -> np.ndarray:
    track = max(tracks(seen, min_rate_hz=25), key=lambda t: len(t.t_s))
    return plumb_angle_deg(track.middle("hip"), track.middle("shoulder"))


def main() -> int:
    """The command line."""
    model = ensure_model(ROOT / ".cricksy" / "models")
    told = {"date": date.today().isoformat(), "clips": [events_of(name, model) for name in LABELS], "two_cameras": two_cameras(model)}
    text = json.dumps(rounded(told), indent=1) + "\n"
    print(text)
    (MEASURED / "real.json").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
