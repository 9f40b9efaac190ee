"""The pinhole camera: where it stands, how it moves, how points land on the picture.

Belongs here: places to stand, ways to move, projection, rays.
Does not belong here: which camera a clip is filmed with (`filming`), what is seen.

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
