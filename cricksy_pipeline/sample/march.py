"""Sphere tracing: parts and a camera in, fragments out, fragments blended onto a picture.

Belongs here: which pixels a part may touch, marching their rays to its surface, soft edges, depth order.
Does not belong here: light, paint and what the parts are (`figure`, `scene`).

Edges are antialiased without extra rays: the surface is drawn half a pixel further in, and a ray that passes it within one pixel covers
that pixel in part. Where several parts meet in one pixel, fragments are blended from far to near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.sample.camera import Camera
from cricksy_pipeline.sample.solids import F, Part

CELL_PX = 8
MAX_STEPS = 32
STEP = F(0.92)  # of the distance: the ellipsoids' distance is an estimate, a full step may overshoot
HIT_M = F(0.0015)


@dataclass(frozen=True)
class Fragments:
    """What one part shows: m pixels.

    Attributes:
        pixel: (m,) flat pixel index.
        depth: (m,) metres from the eye along the ray.
        cover: (m,) share of the pixel, 0..1.
        point: (m, 3) world metres.
    """

    pixel: np.ndarray
    depth: np.ndarray
    cover: np.ndarray
    point: np.ndarray


def trace(part: Part, camera: Camera, distance_to: float = 0.3) -> Fragments | None:
    """March one part. None where it is out of the picture or nearer than `distance_to` metres."""
    spheres = [end for solid in part.solids for end in solid.ends()]
    centres, radii = np.array([c for c, _ in spheres]), np.array([r for _, r in spheres])
    ahead = camera.to_camera(centres)[:, 2]
    if (ahead < distance_to).any():
        return None
    x, y = _candidate_pixels(camera.project(centres), radii * camera.focal_px / ahead, part.blend * camera.focal_px / ahead.mean(), camera)
    if not len(x):
        return None
    span = np.linalg.norm(centres - camera.eye, axis=1)
    middle, reach = float(span.mean()), float((np.abs(span - span.mean()) + radii).max() + 0.03)
    directions = camera.rays(x, y).astype(F)
    origins = (camera.eye + middle * directions).astype(F)
    footprint = F(middle / camera.focal_px)
    t, nearest = _march(part, origins, directions, F(reach), footprint)
    cover = np.clip(1 - np.maximum(nearest, 0) / footprint, 0, 1)
    seen = cover > 0.02
    t, directions = t[seen], directions[seen]
    return Fragments((y * camera.width + x)[seen], t + F(middle), cover[seen], origins[seen] + t[:, None] * directions)


def _candidate_pixels(ends: np.ndarray, radius: np.ndarray, blend: float, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of all cells near a projected solid. ends (2 s, 2) px, pairs of spheres; radius (2 s,) px."""
    radius = radius * 1.04 + 1
    low = np.maximum((ends - radius[:, None]).min(0), 0) // CELL_PX
    high = np.minimum((ends + radius[:, None]).max(0), [camera.width - 1, camera.height - 1]) // CELL_PX
    if (high < low).any():
        return np.zeros(0, int), np.zeros(0, int)
    gx, gy = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
    cells = np.stack([gx.ravel(), gy.ravel()], -1)
    a, b = ends[0::2], ends[1::2]
    q, axis = (cells[:, None] + 0.5) * CELL_PX - a, b - a
    h = np.clip((q * axis).sum(-1) / ((axis * axis).sum(-1) + 1e-9), 0, 1)
    off = np.linalg.norm(q - h[..., None] * axis, axis=-1)
    near = (off < np.maximum(radius[0::2], radius[1::2]) + 0.3 * blend + 0.75 * CELL_PX).any(1)
    oy, ox = np.divmod(np.arange(CELL_PX * CELL_PX), CELL_PX)
    x = (cells[near, :1].astype(int) * CELL_PX + ox).ravel()
    y = (cells[near, 1:].astype(int) * CELL_PX + oy).ravel()
    inside = (x < camera.width) & (y < camera.height)
    return x[inside], y[inside]


def _march(
    part: Part, origins: np.ndarray, directions: np.ndarray, reach: np.float32, footprint: np.float32
) -> tuple[np.ndarray, np.ndarray]:
    """For each ray, t (m,) where it comes nearest to the shrunken surface first, and how near (m,), metres; t runs from -reach to reach."""
    half = footprint / 2
    t_best, best = np.zeros(len(origins), F), np.full(len(origins), np.inf, F)
    live = np.arange(len(origins))
    t = np.full(len(origins), -reach, F)
    coefficients = [solid.bind(origins, directions) for solid in part.solids]
    for _ in range(MAX_STEPS):
        s = part.along(coefficients, t) + half
        closer = s < best[live]
        best[live[closer]], t_best[live[closer]] = s[closer], t[closer]
        going = (s > HIT_M) & (t < reach)
        t = t + s * STEP
        if not going.any():
            break
        if going.mean() < 0.8:  # compacting costs a copy of all coefficients: only when it pays
            live, t = live[going], t[going]
            coefficients = [c[:, going] for c in coefficients]
        else:
            t = np.where(going, t, np.where(s > HIT_M, reach * 2, t - s * STEP))
    best[best <= HIT_M] = 0
    return t_best, best


def opaque_depth(fragments: list[Fragments], pixels: int) -> np.ndarray:
    """(pixels,) depth of the nearest fragment that covers its pixel wholly; what lies behind it need not be lit."""
    depth = np.full(pixels, np.inf, F)
    for f in fragments:
        whole = f.cover >= 1
        depth[f.pixel[whole]] = np.minimum(depth[f.pixel[whole]], f.depth[whole])
    return depth


def blend(picture: np.ndarray, pixel: np.ndarray, depth: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> None:
    """Blend fragments onto a float picture (h, w, 3) in place, far to near in each pixel."""
    flat = picture.reshape(-1, 3)
    order = np.lexsort((-depth, pixel))
    pixel, cover, colour = pixel[order], cover[order, None], colour[order]
    first = np.r_[True, pixel[1:] != pixel[:-1]]
    place = np.arange(len(pixel))
    rank = place - np.maximum.accumulate(np.where(first, place, 0))
    for layer in range(int(rank.max(initial=-1)) + 1):
        here = rank == layer
        p = pixel[here]
        flat[p] += (colour[here] - flat[p]) * cover[here]
