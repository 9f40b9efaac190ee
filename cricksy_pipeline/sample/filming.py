"""How a clip is filmed: from its choices to the camera of each moment.

Belongs here: framing, the walk round the player, distance, pan, zoom and hand-held shake, and how the background moves for it.
Does not belong here: projection itself (`camera`), what is seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cricksy_pipeline.sample.camera import VIEWS, Camera, Movement, look
from cricksy_pipeline.sample.motion import MOTIONS, player

if TYPE_CHECKING:
    from cricksy_pipeline.sample.spec import ClipSpec

_PHONE_SPAN = 0.73  # metres of height that a phone held lengthwise sees at one metre, without zoom
_NEAREST_M, _FARTHEST_M = 9.0, 30.0
_RUNS = {"bowl": 6.9, "throw": 6.0}  # metres of the way that the whole movement takes


def framing(motion: str, view: str, width: int, height: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Eye, aim and metres spanned by the picture's height, so that the whole movement stays in the picture.

    The batter fits into 2.6 m either way. The bowler's run-up is 6 m long: side on it sets the width, from in front he comes nearer.
    """
    eye, aim = (np.array(v) for v in VIEWS[view])
    across, tall = 2.6, 2.6
    if motion in _RUNS:
        shift = -0.6 if motion == "bowl" else 0.0
        eye, aim = eye + np.array([shift, 0, 0]), aim + np.array([shift, 0.1, 0])
        across, tall = {"side": (_RUNS[motion], 2.8), "leg": (_RUNS[motion], 2.8), "quarter": (6.6, 3.7)}.get(view, (2.8, 3.4))
    elif motion != "drive":
        across, tall = 2.9, 3.0  # a reach to the side, and hands above the head
    return eye, aim, max(tall, across * height / width)


def standing(spec: ClipSpec) -> tuple[np.ndarray, np.ndarray, float]:
    """Eye, aim and metres spanned by the picture's height for a spec's choices, movement apart."""
    eye, aim, span_m = framing(spec.motion, spec.view, spec.width, spec.height)
    if spec.share is not None:
        away = eye - aim
        aim = np.array(MOTIONS[spec.motion].PLACE_M)
        span_m = player(spec.motion, spec.variation).physique.stature_m / spec.share
        distance = float(np.clip(span_m / _PHONE_SPAN, _NEAREST_M, _FARTHEST_M))
        eye = aim + away * (distance / np.linalg.norm(away))
    if spec.yaw_deg:
        a, away = np.radians(spec.yaw_deg), eye - aim
        eye = aim + np.array([np.cos(a) * away[0] + np.sin(a) * away[2], away[1], np.cos(a) * away[2] - np.sin(a) * away[0]])
    if spec.camera_height_m is not None:
        eye = np.array([eye[0], spec.camera_height_m, eye[2]])
    return eye, aim, span_m


def camera_at(spec: ClipSpec, t_s: float, scale: int = 1) -> Camera:
    """The camera at one time of the clip, its picture `scale` times as large as the spec says."""
    eye, aim, span_m = standing(spec)
    size, movement = (spec.width * scale, spec.height * scale), spec.movement
    if spec.before_cut(t_s):
        return _elsewhere(eye, aim, span_m, size)
    if movement.still:
        return look(eye, aim, span_m, size)
    t_s = t_s / spec.slow_motion
    sideways = np.array([1.0, 0, 0]) if abs(eye[2]) > abs(eye[0]) else np.array([0, 0, 1.0])
    phases = np.random.default_rng(spec.seed).uniform(0, 2 * np.pi, (3, 4))
    waves = np.sin(2 * np.pi * np.array([0.7, 1.9, 3.7, 6.1]) * t_s + phases) @ np.array([1, 0.6, 0.35, 0.2])
    jitter = waves * movement.shake_px
    pixel = size[1] / 360
    return look(
        eye,
        aim + movement.pan_m * np.sin(2 * np.pi * t_s / 5.0) * sideways,
        span_m / (1 + movement.zoom * np.sin(2 * np.pi * t_s / 7.0)),
        size,
        roll_deg=0.15 * jitter[2],
        shift=(jitter[0] * pixel, jitter[1] * pixel),
    )


def _elsewhere(eye: np.ndarray, aim: np.ndarray, span_m: float, size: tuple[int, int]) -> Camera:
    """The camera of the shot before a cut: a third of the way round the net, a little wider."""
    a, away = np.radians(35.0), eye - aim
    other = aim + np.array([np.cos(a) * away[0] + np.sin(a) * away[2], away[1] + 0.4, np.cos(a) * away[2] - np.sin(a) * away[0]])
    return look(other, aim + np.array([0.4, 0.0, -0.3]), 1.25 * span_m, size)


def from_its_place(spec: ClipSpec) -> ClipSpec:
    """The same deeds filmed as the definitions of the metrics mean it: a camera that stands still in the view's own place."""
    return replace(spec, yaw_deg=0.0, camera_height_m=None, movement=Movement(), cut_s=0.0, empty_s=0.0)


def off_side_deg(spec: ClipSpec) -> float:
    """Degrees by which the camera stands off the line square to the pitch, seen from the delivery's place: 0 side-on, 90 along the
    pitch."""
    eye, _, _ = standing(spec)
    away = eye - np.array(MOTIONS[spec.motion].PLACE_M)
    return float(np.degrees(np.arctan2(abs(away[0]), abs(away[2]))))


def background_px(spec: ClipSpec, t_s: np.ndarray) -> np.ndarray:
    """(n, 2) pixels by which the background has moved since the first of the times, at the place at which the camera was aimed."""
    if spec.movement.still or not len(t_s):
        return np.zeros((len(t_s), 2))
    _, aim, _ = standing(spec)
    seen = np.array([camera_at(spec, float(t)).project(aim) for t in t_s])
    return (seen - seen[0]) * ([-1, 1] if spec.mirror else [1, 1])
