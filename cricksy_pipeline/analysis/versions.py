"""What an analysis is made from, in short hashes: whether a stored result is still what would be made now.

Belongs here: the hand-kept version of each set of rules, and what is derived from them: the code version of each stage, the analysis
version of a deployment, the inputs of each stage's stored output. Does not belong here: versions of single metric definitions
(`metrics/catalogue.toml`), who compares (`orchestration`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.analysis.sampling import QUICK_FPS, QUICK_SECONDS

if TYPE_CHECKING:
    from cricksy_pipeline.analysis.model import Networks

RULES: dict[str, str] = {
    "frames": "2",
    "landmarks": "7",
    "metrics": "3",
    "findings": "2",
    "report": "3",
}
"""Kept by hand: raise a version whenever the same inputs may give other numbers or words, or another shape of document.

frames: which frames a file has and when each is shown (`video_index`, `video_packets`, `video_file`), and the grids (`sampling`).
landmarks: which pictures are looked at, where, and what is seen in them: decoding (`video_frames`), the choice of the player (`probe`,
    `people`, `appearance`, `subject`), how he is followed (`following`), what the camera does (`camera_motion`, `registration`), pose
    (`pose`, `pose_tasks`, `blazepose`), the looks in `passes`, the pinned decoder and MediaPipe; and the choice of the native-rate windows:
    `sampling.burst_frames`, `deliveries.candidate_windows` with its settings, and from `kinematics` what that uses.
metrics: what is measured in the landmarks: `kinematics`, `deliveries` and the finders of events, `delivery_settings`, `view`, `metrics/`
    with its catalogue, the pose summary in `passes`, and the plots drawn of it. What `candidate_windows` uses counts here too: raise both.
findings: `findings`, its words in `metrics/coaching.toml` and `wording`, and in the catalogue what is judged and how to film.
report: `report`, its words in `metrics/coaching.toml` and `wording`, and the page made of it.

What depends on a set of rules is made anew with it; the more is raised, the more is computed. Only `frames` and `landmarks` cost a look
into the video.
"""

_RULES_OF: dict[str, tuple[str, ...]] = {
    "frames": ("frames",),
    "quick_results": ("landmarks", "metrics", "findings", "report"),
    "deep_results": ("landmarks", "metrics"),
    "findings": ("findings",),
    "report": ("report",),
}


def stage_versions(rules: Mapping[str, str] = RULES) -> dict[str, str]:
    """By stage, the versions of the rules that its own code applies, e.g. "landmarks 1, metrics 1"; what comes before it is not in it."""
    own = {stage: ", ".join(f"{name} {rules[name]}" for name in names) for stage, names in _RULES_OF.items()}
    return {**own, "completed_analysis": "1"}


STAGE_VERSIONS: dict[str, str] = stage_versions()
"""The `code_version` of the asset of the same name."""


def analysis_version(*, networks: Networks) -> str:
    """Twelve hex digits over everything that is the same for all jobs of a deployment: rules, networks, the quick pass's sampling.

    A job's own options are not in it, so that a video was analysed as it would be now exactly where its row has this version.

    Args:
        networks: those of the deployment (`model.networks_identity`).
    """
    return _short_hash({"rules": RULES, "networks": asdict(networks), "sampling": [QUICK_FPS, QUICK_SECONDS]})


def stage_inputs(
    *,
    source_sha256: str,
    mode: str,
    sample_fps: float,
    networks: Networks,
    include_frames: bool,
    options: AnalysisOptions | None = None,
    rules: Mapping[str, str] = RULES,
) -> dict[str, str]:
    """By stored output, twelve hex digits over all that it is made from: where they are equal, making it again gives the same output.

    The same but for `meta`, which names the version that made it. Each is over its own rules and options and the hashes of what it is
    made from:

        frames -> quick_landmarks -> quick_results (complete in itself: metrics, findings, report)
                  quick_landmarks -> deep_landmarks -> deep_results -> findings -> report

    Args:
        source_sha256: hash of the video file.
        mode: what was filmed.
        sample_fps: rate of the deep grid, per second.
        networks: those of the deployment (`model.networks_identity`).
        include_frames: whether the deep landmarks are stored as JSON too.
        options: what was said beside the mode. What was not said is in no hash: an option that is added later changes none of them.
        rules: versions of the rules.
    """

    def over(*names: str, **content: object) -> str:
        return _short_hash({"rules": {name: rules[name] for name in names}, **content})

    frames = over("frames", source=source_sha256, sampling=[QUICK_FPS, QUICK_SECONDS, float(sample_fps)])
    said = (options or AnalysisOptions()).as_json()
    who = {name: said[name] for name in ("subject",) if name in said}
    clock = {name: said[name] for name in ("slow_motion",) if name in said}
    # Who of several people is the player depends on the mode; where the native-rate windows are, on the mode and on the clock.
    quick_landmarks = over("landmarks", frames=frames, model=networks.measuring, mode=mode, **who)
    deep_landmarks = over("landmarks", quick_landmarks=quick_landmarks, finder=networks.finding, **clock)
    deep_results = over("metrics", deep_landmarks=deep_landmarks, include_frames=include_frames)
    findings = over("findings", deep_results=deep_results)
    return {
        "frames": frames,
        "quick_landmarks": quick_landmarks,
        "quick_results": over("metrics", "findings", "report", quick_landmarks=quick_landmarks, **clock),
        "deep_landmarks": deep_landmarks,
        "deep_results": deep_results,
        "findings": findings,
        "report": over("report", findings=findings),
    }


def _short_hash(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
