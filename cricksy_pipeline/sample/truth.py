"""What is true of a clip, without drawing it: where every landmark is, when every event happens, what every metric is.

Belongs here: projecting the skeleton, the list of events, the truth as `Landmarks`, the truth file.
Does not belong here: the definitions of the metrics (`true_metrics`), pictures.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.landmarks import GRID_QUICK, LANDMARK_NAMES, Landmarks
from cricksy_pipeline.sample.body import STATURE_M
from cricksy_pipeline.sample.camera import camera_at
from cricksy_pipeline.sample.motion import MOTIONS, simulate
from cricksy_pipeline.sample.spec import ClipSpec

FORMAT = 1


def _joint_of(landmark: str) -> str:
    """BlazePose's name -> the skeleton's: mouth_left -> left_mouth, left_foot_index -> left_toe, eyes' corners likewise."""
    if landmark.startswith("mouth_"):
        return f"{landmark.removeprefix('mouth_')}_mouth"
    return landmark.replace("foot_index", "toe")


JOINTS = tuple(_joint_of(name) for name in LANDMARK_NAMES)


def _other_side(name: str) -> str:
    if "left" in name:
        return name.replace("left", "right")
    return name.replace("right", "left")


MIRRORED = np.array([LANDMARK_NAMES.index(_other_side(name)) for name in LANDMARK_NAMES])
"""(33,) for each landmark the index of its twin on the other side."""


@dataclass(frozen=True)
class Observation:
    """The player at n instants as the clip's camera sees him. Left and right are his own (a mirrored clip shows a left-hander).

    Attributes:
        t_s: (n,) seconds.
        px: (n, 33, 2) upright full-resolution pixels, pixel-edge convention: (0, 0) is the outer corner of the first pixel.
        world: (n, 33, 3) metres, x in the direction of play, y up, z to the off side of a right-hander.
        camera: (n, 33, 3) metres right, down and ahead, from mid-hip.
        height_px: (n,) the player's stature (1.75 m) in pixels at the distance of his hips.
        play_px: (n, 2) pixels that one metre in the direction of play spans at the hips.
        off_px: (n, 2) pixels that one metre to the player's off side spans at the hips.
    """

    t_s: np.ndarray
    px: np.ndarray
    world: np.ndarray
    camera: np.ndarray
    height_px: np.ndarray
    play_px: np.ndarray
    off_px: np.ndarray


@dataclass(frozen=True)
class Truth(Observation):
    """An observation at every frame of a clip, and what happens in it.

    Attributes:
        spec: the clip.
        events: name -> seconds of every repetition inside the clip.
        metrics: name -> one value per delivery whose events all lie inside the clip; None where the view cannot show it.
    """

    spec: ClipSpec
    events: dict[str, list[float]]
    metrics: dict[str, list[float | None]]


def observe(spec: ClipSpec, t_s: np.ndarray) -> Observation:
    """The player at any times (n,), whether or not they are frames. NaN everywhere if the clip shows nobody."""
    t_s = np.asarray(t_s, float)
    body = simulate(spec.motion, t_s, spec.faults)
    world = np.stack([body.joints[name] for name in JOINTS], axis=1)
    cameras = [camera_at(float(t), spec.motion, spec.view, spec.size, spec.movement, spec.seed) for t in t_s]
    hips = body.joints["hips"]

    def seen(points: np.ndarray) -> np.ndarray:
        return np.array([camera.project(p) for camera, p in zip(cameras, points, strict=True)])

    px, hips_px = seen(world), seen(hips)
    play_px, off_px = (seen(hips + direction) - hips_px for direction in ([1.0, 0, 0], [0, 0, 1.0]))
    axes = np.array([camera.axes for camera in cameras])
    relative = np.einsum(
        "nij,nkj->nki", axes, world - world[:, [LANDMARK_NAMES.index("left_hip"), LANDMARK_NAMES.index("right_hip")]].mean(1, keepdims=True)
    )
    ahead = np.array([camera.to_camera(h)[2] for camera, h in zip(cameras, hips, strict=True)])
    height_px = np.array([camera.focal_px for camera in cameras]) * STATURE_M / ahead
    if spec.mirror:
        px = (px * [-1, 1] + [spec.width, 0])[:, MIRRORED]
        world, relative = (world * [1, 1, -1])[:, MIRRORED], (relative * [-1, 1, 1])[:, MIRRORED]
        play_px, off_px = play_px * [-1, 1], off_px * [-1, 1]
    if not spec.player:
        px, world, relative, height_px = (np.full_like(a, np.nan) for a in (px, world, relative, height_px))
    return Observation(t_s, px, world, relative, height_px, play_px, off_px)


def events(spec: ClipSpec) -> dict[str, list[float]]:
    """Seconds of every event of every repetition up to the last frame; none where nobody plays."""
    table = MOTIONS[spec.motion]
    last = float(spec.t_s[-1])
    starts = np.arange(0, last + table.PERIOD_S, table.PERIOD_S) if spec.player else []
    return {name: [round(float(s + t), 6) for s in starts if s + t <= last] for name, t in table.EVENTS_S.items()}


def truth(spec: ClipSpec) -> Truth:
    """Everything that is true of a clip; no picture is drawn (some 0.1 ms per frame)."""
    from cricksy_pipeline.sample.true_metrics import true_metrics

    seen = observe(spec, spec.t_s)
    return Truth(
        **{name: getattr(seen, name) for name in Observation.__dataclass_fields__},
        spec=spec,
        events=events(spec),
        metrics=true_metrics(spec),
    )


def truth_landmarks(spec: ClipSpec) -> Landmarks:
    """The truth as a perfect pose estimate at every frame: visibility and presence 1, NaN where nobody is."""
    seen = observe(spec, spec.t_s)
    n = len(seen.t_s)
    certain = np.where(np.isfinite(seen.px[..., 0]), 1, np.nan).astype(np.float32)
    return Landmarks(
        frame=np.arange(n, dtype=np.int64),
        t_s=seen.t_s,
        source=np.full(n, GRID_QUICK, np.uint8),
        xy=seen.px.astype(np.float32),
        z=(seen.camera[..., 2] * seen.height_px[:, None] / STATURE_M).astype(np.float32),
        visibility=certain,
        presence=certain.copy(),
        world=seen.camera.astype(np.float32),
        width=spec.width,
        height=spec.height,
    )


def write_truth(known: Truth, path: Path) -> None:
    """The truth file: JSON, pixels rounded to 0.01; below 1 MB up to some 1,800 frames. `world` is left out: `truth` makes it again."""
    spec = {name: value for name, value in asdict(known.spec).items() if name != "timestamps"}
    spec["fps"] = str(known.spec.fps)
    content = {
        "format": FORMAT,
        "spec": spec,
        "pixels": "upright picture, full resolution, (0, 0) = outer corner of the first pixel; null = nobody",
        "landmarks": list(LANDMARK_NAMES),
        "events_s": known.events,
        "metrics": {name: [None if v is None else round(v, 4) for v in values] for name, values in known.metrics.items()},
        "t_s": [round(t, 7) for t in known.t_s.tolist()],
        "height_px": _rounded(known.height_px),
        "px": _rounded(known.px.reshape(len(known.px), -1)),
    }
    path.write_text(json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n", encoding="utf-8")


def _rounded(values: np.ndarray) -> list:
    """Nested lists of numbers to 0.01, null for NaN."""
    if values.ndim > 1:
        return [None if np.isnan(row).all() else np.round(row, 2).tolist() for row in values]
    return [None if np.isnan(v) else round(float(v), 2) for v in values]
