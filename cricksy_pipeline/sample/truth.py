"""What is true of a clip, without drawing it: where every landmark is, when every event happens, what every metric is.

Belongs here: projecting the skeleton, the list of events, the truth as `Landmarks`, the truth file.
Does not belong here: the definitions of the metrics (`true_metrics`), pictures.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.landmarks import GRID_QUICK, LANDMARK_NAMES, Landmarks
from cricksy_pipeline.sample.body import Body
from cricksy_pipeline.sample.bystanders import body_of
from cricksy_pipeline.sample.camera import Camera
from cricksy_pipeline.sample.filming import background_px, camera_at, off_side_deg
from cricksy_pipeline.sample.motion import MOTIONS, events_in_ball, repetitions, simulate
from cricksy_pipeline.sample.spec import ClipSpec
from cricksy_pipeline.sample.variation import player

FORMAT = 2


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
        height_px: (n,) the player's stature in pixels at the distance of his hips.
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
        events: the analysis's name -> clip seconds of every repetition inside the clip.
        metrics: the catalogue's code -> one value per delivery whose events all lie inside the clip, in the catalogue's unit; None where
            the view cannot show it. Durations and speeds are of life, also where the clip plays slower.
        off_side_deg: how far the camera stands off the line square to the pitch: 0 side-on, 90 along the pitch.
        hand: which hand he plays with.
        stature_m: his height.
        shot: (n,) int32, the unbroken camera shot of each frame.
        background_px: (n, 2) pixels by which the background has moved since the first frame of the shot.
        onsets_s: clip seconds at which a contact is heard at the camera; empty without sound.
    """

    spec: ClipSpec
    events: dict[str, list[float]]
    metrics: dict[str, list[float | None]]
    off_side_deg: float
    hand: str
    stature_m: float
    shot: np.ndarray
    background_px: np.ndarray
    onsets_s: list[float]


def _cameras(spec: ClipSpec, t_s: np.ndarray) -> Iterator[tuple[np.ndarray | int, Camera]]:
    """Which of the times each camera films: all of a shot at once where it stands still."""
    for before in (True, False):
        here = np.flatnonzero(spec.before_cut(t_s) == before)
        if len(here) and (before or spec.movement.still):
            yield here, camera_at(spec, float(t_s[here[0]]))
        else:
            yield from ((i, camera_at(spec, float(t_s[i]))) for i in here)


def observe(spec: ClipSpec, t_s: np.ndarray) -> Observation:
    """The player at any clip times (n,), whether or not they are frames. NaN while the clip shows nobody."""
    t_s = np.asarray(t_s, float)
    body = simulate(spec.motion, spec.life_s(t_s), spec.faults, spec.variation)
    absent = (t_s < spec.there_from_s) & (spec.there_from_s > 0) if is_somebody(spec) else np.ones(len(t_s), bool)
    return _seen(spec, t_s, body, absent)


def _seen(spec: ClipSpec, t_s: np.ndarray, body: Body, absent: np.ndarray) -> Observation:
    """A skeleton at clip times (n,) as the clip's camera sees it; NaN where `absent`."""
    world = np.stack([body.joints[name] for name in JOINTS], axis=1)
    hips = body.joints["hips"]
    px, hips_px, play_px, off_px = (np.empty((len(t_s), *shape)) for shape in ((33, 2), (2,), (2,), (2,)))
    relative, ahead, focal = np.empty_like(world), np.empty(len(t_s)), np.empty(len(t_s))
    from_hips = world - world[:, [LANDMARK_NAMES.index("left_hip"), LANDMARK_NAMES.index("right_hip")]].mean(1, keepdims=True)
    for here, camera in _cameras(spec, t_s):
        px[here], hips_px[here] = camera.project(world[here]), camera.project(hips[here])
        play_px[here], off_px[here] = (camera.project(hips[here] + direction) - hips_px[here] for direction in ([1.0, 0, 0], [0, 0, 1.0]))
        relative[here] = from_hips[here] @ camera.axes.T
        ahead[here], focal[here] = camera.to_camera(hips[here])[..., 2], camera.focal_px
    height_px = focal * body.physique.stature_m / ahead
    if spec.mirror:
        px = (px * [-1, 1] + [spec.width, 0])[:, MIRRORED]
        world, relative = (world * [1, 1, -1])[:, MIRRORED], (relative * [-1, 1, 1])[:, MIRRORED]
        play_px, off_px = play_px * [-1, 1], off_px * [-1, 1]
    for values in (px, world, relative, height_px):
        values[absent] = np.nan
    return Observation(t_s, px, world, relative, height_px, play_px, off_px)


def is_somebody(spec: ClipSpec) -> bool:
    """Whether a player is in the clip: a person, and the one who plays."""
    return spec.player and spec.figure == "real"


def deliveries(spec: ClipSpec) -> list[dict[str, float]]:
    """Every ball that begins before the last frame: event -> clip seconds, whether or not it lies inside the clip."""
    if not is_somebody(spec):
        return []
    at, last = events_in_ball(spec.motion, spec.faults), float(spec.t_s[-1])
    balls = repetitions(spec.motion, spec.variation, float(spec.life_s(last)) + 1e-9)
    return [{name: round(spec.clip_s(ball.start_s + t * ball.tempo), 6) for name, t in at.items()} for ball in balls]


def events(spec: ClipSpec) -> dict[str, list[float]]:
    """Clip seconds of every event of every repetition inside the clip; none where nobody plays."""
    first, last = spec.there_from_s, float(spec.t_s[-1])
    balls = deliveries(spec)
    return {name: [ball[name] for ball in balls if first <= ball[name] <= last] for name in MOTIONS[spec.motion].EVENTS_S}


def whole_deliveries(spec: ClipSpec) -> list[dict[str, float]]:
    """The balls whose events all lie inside the clip."""
    first, last = spec.there_from_s, float(spec.t_s[-1])
    return [ball for ball in deliveries(spec) if first <= min(ball.values()) and max(ball.values()) <= last]


def shots(spec: ClipSpec) -> np.ndarray:
    """(n,) int32, which unbroken shot each frame belongs to."""
    return (~spec.before_cut(spec.t_s) & (spec.cut_s > 0)).astype(np.int32)


def _background(spec: ClipSpec) -> np.ndarray:
    """(n, 2) pixels since the first frame of each shot; the shot before a cut stands still."""
    moved, here = np.zeros((len(spec.t_s), 2)), shots(spec) == shots(spec)[-1]
    moved[here] = background_px(spec, spec.t_s[here])
    return moved


def onsets_s(spec: ClipSpec) -> list[float]:
    """Clip seconds at which a contact is heard where the camera stands."""
    from cricksy_pipeline.sample.sound import heard_s

    return heard_s(spec) if spec.sound else []


def truth(spec: ClipSpec) -> Truth:
    """Everything that is true of a clip; no picture is drawn (some 0.1 ms per frame)."""
    from cricksy_pipeline.sample.true_metrics import true_metrics

    seen = observe(spec, spec.t_s)
    return Truth(
        **{name: getattr(seen, name) for name in Observation.__dataclass_fields__},
        spec=spec,
        events=events(spec),
        metrics=true_metrics(spec),
        off_side_deg=off_side_deg(spec),
        hand="left" if spec.mirror else "right",
        stature_m=player(spec.motion, spec.variation).physique.stature_m,
        shot=shots(spec),
        background_px=_background(spec),
        onsets_s=onsets_s(spec),
    )


def truth_landmarks(spec: ClipSpec) -> Landmarks:
    """The truth as a perfect pose estimate at every frame: visibility and presence 1, NaN where nobody is. Shots and camera as they are."""
    return _landmarks(spec, observe(spec, spec.t_s), player(spec.motion, spec.variation).physique.stature_m)


def bystander_landmarks(spec: ClipSpec) -> list[Landmarks]:
    """The true landmarks of each of `spec.people`, in their order, at every frame; they may lie outside the picture."""
    nowhere = np.zeros(len(spec.t_s), bool)
    bodies = [(person, body_of(person, spec, spec.t_s)) for person in spec.people]
    return [_landmarks(spec, _seen(spec, spec.t_s, body, nowhere), person.stature_m) for person, body in bodies]


def _landmarks(spec: ClipSpec, seen: Observation, stature_m: float) -> Landmarks:
    n = len(seen.t_s)
    certain = np.where(np.isfinite(seen.px[..., 0]), 1, np.nan).astype(np.float32)
    return Landmarks(
        frame=np.arange(n, dtype=np.int64),
        t_s=seen.t_s,
        source=np.full(n, GRID_QUICK, np.uint8),
        xy=seen.px.astype(np.float32),
        z=(seen.camera[..., 2] * seen.height_px[:, None] / stature_m).astype(np.float32),
        visibility=certain,
        presence=certain.copy(),
        world=seen.camera.astype(np.float32),
        width=spec.width,
        height=spec.height,
        shot=shots(spec),
        camera=_background(spec).astype(np.float32),
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
        "off_side_deg": round(known.off_side_deg, 3),
        "hand": known.hand,
        "stature_m": round(known.stature_m, 4),
        "onsets_s": [round(t, 6) for t in known.onsets_s],
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
