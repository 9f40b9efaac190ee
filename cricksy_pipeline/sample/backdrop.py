"""What stands still behind the player: sky, hedge, grass, pitch, creases and the practice net.

Belongs here: one wide picture per eye point; pan, zoom, roll and shake keep the eye where it is, so every frame is a homography of it.
Does not belong here: anything that moves, and shadows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from cricksy_pipeline.sample.camera import Camera

_NET_ACROSS_Z, _NET_TOP = -3.6, 2.9
_CREASE_WHITE = 0.93


@dataclass(frozen=True)
class Ground:
    """Where things lie along the line of play, metres of world x.

    Attributes:
        popping_x, bowling_x: the two creases; the stumps stand on the second.
        pitch_from_x: where the clay begins.
        net_behind_x: the net behind the player.
    """

    popping_x: float
    bowling_x: float
    pitch_from_x: float
    net_behind_x: float


BATTERS_END = Ground(popping_x=0.55, bowling_x=-0.67, pitch_from_x=-3.0, net_behind_x=-2.6)
BOWLERS_END = Ground(popping_x=1.30, bowling_x=0.08, pitch_from_x=-1.4, net_behind_x=-5.5)


@lru_cache(maxsize=4)
def _noise(seed: int, n: int = 512) -> np.ndarray:
    """Tileable 1/f noise (n, n), standard deviation 1: what grass, clay and leaves have in common."""
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(n), np.fft.rfftfreq(n), indexing="ij"))
    f[0, 0] = 1
    a = np.fft.irfft2(np.fft.rfft2(np.random.default_rng(seed).standard_normal((n, n))) / f**0.8)
    return (a / a.std()).astype(np.float32)


def _texture(u: np.ndarray, v: np.ndarray, scale: float, seed: int = 3) -> np.ndarray:
    import cv2

    x, y = (np.mod(w * scale, 512).astype(np.float32) for w in np.broadcast_arrays(u, v))
    return cv2.remap(_noise(seed), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _line(x: np.ndarray, half: float, softness: np.ndarray | float) -> np.ndarray:
    """1 within `half` of x = 0, falling to 0 over `softness`."""
    return np.clip((half + softness - np.abs(x)) / np.maximum(softness, 1e-4), 0, 1)


def _mix(picture: np.ndarray, colour: np.ndarray, share: np.ndarray) -> np.ndarray:
    return picture + (colour - picture) * share[..., None]


def paint_backdrop(camera: Camera, layout: Ground) -> np.ndarray:
    """The empty net as the camera sees it: (h, w, 3) float32, 0..1."""
    y, x = np.mgrid[0 : camera.height, 0 : camera.width]
    rays = camera.rays(x, y)
    picture = _sky_and_hedge(rays)
    below = rays[..., 1] < -1e-4
    picture = np.where(below[..., None], _ground(camera, rays, layout), picture)
    for axis, at in ((2, _NET_ACROSS_Z), (0, layout.net_behind_x)):
        picture = _net(picture, camera, rays, axis, at, layout)
    return picture.astype(np.float32)


def _sky_and_hedge(rays: np.ndarray) -> np.ndarray:
    dx, dy, dz = np.moveaxis(rays, -1, 0)
    elevation, azimuth = dy / np.hypot(dx, dz), np.arctan2(dz, dx)
    picture = np.array([0.62, 0.76, 0.92]) - np.clip(elevation, 0, 0.5)[..., None] * np.array([0.5, 0.6, 0.8])
    u = np.abs(azimuth) * 163
    hedge = np.clip((0.22 + 0.018 * _texture(u * 0.25, 0 * u, 1.0) - elevation) / 0.008, 0, 1)
    leaves = np.array([0.18, 0.29, 0.14]) * (1 + 0.3 * _texture(u * 3, elevation * 500, 1.0))[..., None]
    return _mix(picture, leaves, hedge)


def _ground(camera: Camera, rays: np.ndarray, layout: Ground) -> np.ndarray:
    reach = -camera.eye[1] / np.minimum(rays[..., 1], -1e-6)
    x, z = camera.eye[0] + reach * rays[..., 0], camera.eye[2] + reach * rays[..., 2]
    pixel = reach / camera.focal_px
    mown = 1 + 0.10 * np.sign(np.sin(x * 1.7)) + 0.16 * _texture(x, z, 90.0)
    ground = np.array([0.32, 0.48, 0.19]) * mown[..., None]
    clay = np.array([0.72, 0.62, 0.45]) * (1 + 0.05 * _texture(x, z, 60.0) + 0.05 * _texture(x, z * 0.3, 15.0, 5))[..., None]
    ground = _mix(ground, clay, _line(z - 0.1, 1.45, 0.12) * (x > layout.pitch_from_x))
    popping = _line(x - layout.popping_x, 0.025, pixel) * (np.abs(z) < 1.8)
    bowling = _line(x - layout.bowling_x, 0.025, pixel) * (np.abs(z) < 1.32)
    returning = _line(np.abs(z) - 1.32, 0.025, pixel) * (x < layout.popping_x) * (x > layout.bowling_x - 0.83)
    for line in (popping, bowling, returning):
        ground = _mix(ground, np.full(3, _CREASE_WHITE), 0.8 * line)
    return ground


def _net(picture: np.ndarray, camera: Camera, rays: np.ndarray, axis: int, at: float, layout: Ground) -> np.ndarray:
    """One wall of netting in the plane x or z = at, with its poles; nearer than 2.5 m it is left out: the camera stands outside."""
    along = 2 - axis  # the other horizontal axis
    speed = np.where(np.abs(rays[..., axis]) < 1e-6, 1e-6, rays[..., axis])
    reach = (at - camera.eye[axis]) / speed
    point = camera.eye + np.clip(reach, 0, 60)[..., None] * rays
    a, y = point[..., along], point[..., 1]
    limits = (-3.65, 3.45) if along == 2 else (layout.net_behind_x - 0.05, 9.0)
    on_wall = (reach > 2.5) & (y > 0) & (y < _NET_TOP) & (a > limits[0]) & (a < limits[1])
    mesh, softness = 0.10, np.maximum(reach, 0) / camera.focal_px * 0.7
    strings = np.maximum(_line((a + 0.25 * np.sin(y * 2)) % mesh - mesh / 2, 0.004, softness), _line(y % mesh - mesh / 2, 0.004, softness))
    poles = np.maximum(_line((a + 1.2) % 2.4 - 1.2, 0.03, softness), _line(y - _NET_TOP + 0.03, 0.03, softness))
    colour = np.where((poles > 0.5)[..., None], np.array([0.52, 0.54, 0.55]), np.array([0.11, 0.15, 0.13]))
    return _mix(picture, colour, np.where(on_wall, np.maximum(0.22 + 0.17 * strings, poles), 0))


class Backdrop:
    """The backdrop for every camera that shares one eye point."""

    def __init__(self, camera: Camera, layout: Ground, still: bool) -> None:
        margin = 1.0 if still else 1.5
        width, height = int(camera.width * margin), int(camera.height * margin)
        self._wide = Camera(camera.eye, camera.axes, camera.focal_px, width, height, np.array([width / 2, height / 2]))
        self._picture = paint_backdrop(self._wide, layout)
        self._still = still

    def seen_by(self, camera: Camera) -> np.ndarray:
        """A fresh (h, w, 3) float32 picture."""
        if self._still:
            return self._picture.copy()
        import cv2

        homography = camera.matrix @ camera.axes @ self._wide.axes.T @ np.linalg.inv(self._wide.matrix)
        size = (camera.width, camera.height)
        return cv2.warpPerspective(self._picture, homography, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
