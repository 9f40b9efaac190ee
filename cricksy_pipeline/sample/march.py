"""Sphere tracing: parts and a camera in, fragments out, fragments blended onto a picture.

Belongs here: which pixels a part may touch, marching their rays to its surface, soft edges, depth order.
Does not belong here: light, paint and what the parts are (`figure`, `scene`).

A ray starts where it enters the nearest solid, somewhat inflated, in closed form; rays that enter none are never marched. Edges are
antialiased without extra rays: the surface is drawn half a pixel further in, and a ray that passes it within one pixel covers
that pixel in part. Where several parts meet in one pixel, fragments are blended from far to near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.sample.camera import Camera
from cricksy_pipeline.sample.rays import BoundPart, between
from cricksy_pipeline.sample.solids import F, Part

CELL_PX = 8
MAX_STEPS = 12
STEP = F(0.92)  # of the distance: the ellipsoids' distance is an estimate, a full step may overshoot
HIT_M = F(0.0015)
LEAST_STEP = F(0.5)  # of a pixel: a ray that grazes the surface must not creep along it
_BLEND_REACH = 0.3  # of a part's blend radius: how far melting may push its surface out


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


def trace(parts: Sequence[Part], camera: Camera, distance_to: float = 0.3) -> list[Fragments | None]:
    """March all parts. None for a part that is out of the picture or nearer than `distance_to` metres."""
    cast = [_cast(part, camera, distance_to) for part in parts]
    groups: dict[tuple, list[int]] = {}
    for i, rays in enumerate(cast):
        if rays is not None:
            groups.setdefault(rays.bound.pattern, []).append(i)
    found: list[Fragments | None] = [None] * len(parts)
    for members in groups.values():
        together = [cast[i] for i in members]
        sizes = [len(rays.pixel) for rays in together]
        start, end = (np.concatenate([getattr(rays, name) for rays in together]) for name in ("start", "end"))
        footprint = np.repeat(np.array([rays.footprint for rays in together], F), sizes)
        t, nearest = _march(BoundPart.joined([rays.bound for rays in together]), start, end, footprint)
        ends = np.cumsum(sizes)
        for i, rays, last, size in zip(members, together, ends, sizes, strict=True):
            found[i] = rays.seen(t[last - size : last], nearest[last - size : last])
    return found


@dataclass(frozen=True)
class _Rays:
    """The rays that may meet one part: m of them.

    Attributes:
        bound: the part along them; t counts from `origins`.
        pixel: (m,) flat pixel index.
        start, end: (m,) between which t to march.
        origins, directions: (m, 3) world metres and unit vectors.
        middle: metres from the eye to the origins.
        footprint: width of a pixel there, metres.
    """

    bound: BoundPart
    pixel: np.ndarray
    start: np.ndarray
    end: np.ndarray
    origins: np.ndarray
    directions: np.ndarray
    middle: float
    footprint: np.float32

    def seen(self, t: np.ndarray, nearest: np.ndarray) -> Fragments:
        """What the march found, without the rays that pass by."""
        cover = np.clip(1 - np.maximum(nearest, 0) / self.footprint, 0, 1)
        hit = np.flatnonzero(cover > 0.02)
        point = self.origins[hit] + t[hit, None] * self.directions[hit]
        return Fragments(self.pixel[hit], t[hit] + F(self.middle), cover[hit], point)


def _cast(part: Part, camera: Camera, distance_to: float) -> _Rays | None:
    spheres = [end for solid in part.solids for end in solid.ends()]
    centres, radii = np.array([c for c, _ in spheres]), np.array([r for _, r in spheres])
    ahead = camera.to_camera(centres)[:, 2]
    if (ahead < distance_to).any():
        return None
    x, y = _candidate_pixels(camera.project(centres), radii * camera.focal_px / ahead, part.blend * camera.focal_px / ahead.mean(), camera)
    if not len(x):
        return None
    middle = float(np.linalg.norm(centres - camera.eye, axis=1).mean())
    directions = camera.rays(x, y).astype(F)
    origins = (camera.eye + middle * directions).astype(F)
    footprint = F(middle / camera.focal_px)
    start, end = between(part, origins, directions, F(_BLEND_REACH * part.blend) + F(1.2) * footprint)
    live = np.flatnonzero(start < end)
    if not len(live):
        return None
    origins, directions = origins[live], directions[live]
    bound = BoundPart(part, origins, directions)
    return _Rays(bound, (y * camera.width + x)[live], start[live], end[live], origins, directions, middle, footprint)


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


def _march(bound: BoundPart, start: np.ndarray, end: np.ndarray, footprint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each ray, t (m,) where it comes nearest to the shrunken surface first, and how near (m,), metres; t runs from `start` to
    `end`."""
    half, least = footprint / 2, footprint * LEAST_STEP
    t_best, best = start.copy(), np.full(len(start), np.inf, F)
    live, t = np.arange(len(start)), start
    for _ in range(MAX_STEPS):
        s = bound.along(t) + half
        closer = s < best[live]
        best[live[closer]], t_best[live[closer]] = s[closer], t[closer]
        t = t + np.maximum(s * STEP, least)
        going = (s > HIT_M) & (t < end)
        left = np.count_nonzero(going)
        if left == 0:
            break
        if left < 0.85 * len(going):  # compacting costs a copy of all coefficients: only when it pays
            keep = np.flatnonzero(going)
            live, t, end, bound, half, least = live[keep], t[keep], end[keep], bound.select(keep), half[keep], least[keep]
        elif left < len(going):
            t = np.where(s > HIT_M, t, t_best[live])
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
