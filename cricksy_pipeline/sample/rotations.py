"""Rotations of many instants at once, as stacks of 3 x 3 matrices.

Belongs here: building, combining and reading rotation matrices, shape (..., 3, 3), acting on column vectors.
Does not belong here: anything that knows what a body or a camera is.
"""

from __future__ import annotations

import numpy as np


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) scaled to length 1; a zero vector stays (almost) zero."""
    return v / (np.linalg.norm(v, axis=-1, keepdims=True) + 1e-12)


def turn(rotation: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) turned by rotations (..., 3, 3); both may be single or stacked."""
    return np.einsum("...ij,...j->...i", rotation, v)


def from_vector(v: np.ndarray) -> np.ndarray:
    """Rotation about the direction of v (..., 3) by its length in radians (Rodrigues' formula)."""
    angle = np.linalg.norm(v, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(unit(v), -1, 0)
    o = np.zeros_like(x)
    k = np.stack([np.stack([o, -z, y], -1), np.stack([z, o, -x], -1), np.stack([-y, x, o], -1)], -2)
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def to_vector(rotation: np.ndarray) -> np.ndarray:
    """The inverse of `from_vector` for angles below pi: (..., 3, 3) -> (..., 3)."""
    r = rotation
    axis = np.stack([r[..., 2, 1] - r[..., 1, 2], r[..., 0, 2] - r[..., 2, 0], r[..., 1, 0] - r[..., 0, 1]], -1) / 2
    sine = np.linalg.norm(axis, axis=-1)
    angle = np.arctan2(sine, (np.trace(r, axis1=-2, axis2=-1) - 1) / 2)
    return axis * np.where(sine > 1e-9, angle / np.maximum(sine, 1e-9), 1.0)[..., None]


def yaw_pitch_roll(angles: np.ndarray) -> np.ndarray:
    """Rotations from degrees (..., 3): yaw about the vertical, pitch (+ bows forward), roll (+ leans to the figure's own right)."""
    yaw, pitch, roll = np.moveaxis(np.radians(angles), -1, 0)
    axes = np.eye(3)
    return from_vector(yaw[..., None] * axes[1]) @ from_vector(pitch[..., None] * axes[0]) @ from_vector(roll[..., None] * axes[2])


def frame(along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """The rotation whose second column points along `along` and whose first column is nearest to `across`; both (..., 3)."""
    d = unit(along)
    n = unit(across - d * np.sum(d * across, axis=-1, keepdims=True))
    return np.stack([n, d, np.cross(n, d)], -1)


def angle_between(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """The angle at b in degrees, for points (..., 2) or (..., 3): 180 = a straight limb."""
    u, v = a - b, c - b
    cosine = np.sum(u * v, axis=-1) / (np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1))
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))
