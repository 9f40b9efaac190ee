"""The pinhole camera: where it stands, how it moves, how points land on the picture.

Belongs here: views, pan, zoom, hand-held shake, projection, rays.
Does not belong here: what is seen.

Picture frame: pixels, x right, y down, pixel-edge convention: (0, 0) is the outer corner of the first pixel, whose centre is (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

VIEWS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "side": ((0.35, 1.25, 9.0), (0.30, 0.95, 0.0)),
    "front": ((11.0, 1.5, 0.25), (0.3, 0.95, 0.05)),
    "quarter": ((6.5, 1.35, 6.0), (0.3, 0.95, 0.05)),
    "behind": ((-10.0, 1.6, 0.3), (0.3, 0.95, 0.05)),
    "leg": ((0.35, 1.25, -9.0), (0.30, 0.95, 0.0)),
}
"""name -> (eye, aim), world metres. `side` looks from a right-hander's off side, `leg` from the other, `front` from the bowler's end."""


@dataclass(frozen=True)
class Movement:
    """How the camera moves; zero stands on a tripod.

    Attributes:
        pan_m: metres by which the aim swings to and fro, period 5 s.
        zoom: relative change of the focal length, period 7 s.
        shake_px: hand-held jitter in pixels of a picture 360 lines high, with a little roll.
    """

    pan_m: float = 0.0
    zoom: float = 0.0
    shake_px: float = 0.0

    @property
    def still(self) -> bool:
        """Whether every picture is taken from the same place in the same direction."""
        return not (self.pan_m or self.zoom or self.shake_px)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    Attributes:
        eye: (3,) world metres.
        axes: (3, 3), rows: picture right, picture down, ahead, in world directions.
        focal_px: focal length in pixels.
        width, height: picture size in pixels.
        centre: (2,) principal point in pixels.
    """

    eye: np.ndarray
    axes: np.ndarray
    focal_px: float
    width: int
    height: int
    centre: np.ndarray

    @cached_property
    def matrix(self) -> np.ndarray:
        """(3, 3) intrinsic matrix."""
        return np.array([[self.focal_px, 0, self.centre[0]], [0, self.focal_px, self.centre[1]], [0, 0, 1]])

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) -> metres right, down and ahead of the eye, (..., 3)."""
        return (np.asarray(points) - self.eye) @ self.axes.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) -> pixels (..., 2)."""
        c = self.to_camera(points)
        return self.centre + self.focal_px * c[..., :2] / c[..., 2:]

    def rays(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Unit directions (..., 3) in the world through the centres of pixels with integer indices x, y."""
        d = np.stack([(x + 0.5 - self.centre[0]) / self.focal_px, (y + 0.5 - self.centre[1]) / self.focal_px, np.ones(np.shape(x))], -1)
        d = d @ self.axes
        return d / np.linalg.norm(d, axis=-1, keepdims=True)


def look(
    eye: np.ndarray, aim: np.ndarray, span_m: float, size: tuple[int, int], roll_deg: float = 0.0, shift: tuple[float, float] = (0, 0)
) -> Camera:
    """A camera at `eye` that looks at `aim`, the picture's height spanning `span_m` metres there; size (width, height) and shift in px."""
    width, height = size
    ahead = np.asarray(aim, float) - eye
    distance = float(np.linalg.norm(ahead))
    ahead = ahead / distance
    right = np.cross(ahead, [0, 1.0, 0])
    right /= np.linalg.norm(right)
    up = np.cross(right, ahead)
    a = np.radians(roll_deg)
    right, up = np.cos(a) * right + np.sin(a) * up, np.cos(a) * up - np.sin(a) * right
    centre = np.array([width / 2 + shift[0], height / 2 + shift[1]])
    return Camera(np.asarray(eye, float), np.stack([right, -up, ahead]), height / span_m * distance, width, height, centre)


def framing(motion: str, view: str, width: int, height: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Eye, aim and metres spanned by the picture's height, so that the whole movement stays in the picture.

    The batter fits into 2.6 m either way. The bowler's run-up is 6 m long: side on it sets the width, from in front he comes nearer.
    """
    eye, aim = (np.array(v) for v in VIEWS[view])
    across, tall = 2.6, 2.6
    if motion == "bowl":
        eye, aim = eye + np.array([-0.6, 0, 0]), aim + np.array([-0.6, 0.1, 0])
        across, tall = {"side": (6.9, 2.8), "leg": (6.9, 2.8), "quarter": (6.6, 3.7)}.get(view, (2.8, 3.4))
    return eye, aim, max(tall, across * height / width)


def camera_at(t_s: float, motion: str, view: str, size: tuple[int, int], movement: Movement, seed: int) -> Camera:
    """The camera at one time."""
    eye, aim, span_m = framing(motion, view, *size)
    if movement.still:
        return look(eye, aim, span_m, size)
    sideways = np.array([1.0, 0, 0]) if abs(eye[2]) > abs(eye[0]) else np.array([0, 0, 1.0])
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, (3, 4))
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
