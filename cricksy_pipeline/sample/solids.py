"""Solids by signed distance: round cones, ellipsoids and slabs, each with the distance along a ray as a cheap function of t.

Belongs here: one class per solid, with the same four methods; a part is a list of them blended smoothly.
Does not belong here: what the solids depict (`figure`), or the march along the rays (`march`).

A point on a ray is o + t d. What a distance needs of it is a polynomial in t, so `bind` works the coefficients out once per ray and `along`
costs a few multiplications per step. Origins are given near the solid, which keeps float32 exact to some 0.01 mm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

Sphere = tuple[np.ndarray, float]
F = np.float32


class Solid(Protocol):
    """What the marcher asks of a solid. Arrays are float32, m rays or points."""

    colour: tuple[float, float, float]

    def bind(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Coefficients (k, m) for `along`, from origins (m, 3) and unit directions (m, 3)."""

    def along(self, coefficients: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Signed distance (m,) in metres at o + t d."""

    def surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Signed distance (m,) and outward unit normal (m, 3) at points (m, 3)."""

    def ends(self) -> tuple[Sphere, Sphere]:
        """Two spheres whose hull holds the solid."""


def rows_dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Dot products (m,) of the rows of a and b (m, 3)."""
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]


def into(axes: np.ndarray, v: np.ndarray) -> np.ndarray:
    """World vectors (m, 3) in the solid's own axes, without BLAS: threads and blocking must not change a bit of the result."""
    a = axes.astype(F)
    return v[:, :1] * a[0] + v[:, 1:2] * a[1] + v[:, 2:] * a[2]


@dataclass(frozen=True)
class RoundCone:
    """The hull of two spheres, radii in metres (the flare between unequal radii is approximated)."""

    a: np.ndarray
    b: np.ndarray
    radius_a: float
    radius_b: float
    colour: tuple[float, float, float]

    def bind(self, origins, directions):  # noqa: D102
        q, axis = origins - self.a.astype(F), (self.b - self.a).astype(F)
        length2 = F(axis @ axis + 1e-9)
        row = np.broadcast_to(axis, q.shape)
        return np.stack([rows_dot(q, q), rows_dot(q, directions) * 2, rows_dot(q, row) / length2, rows_dot(directions, row) / length2])

    def along(self, coefficients, t):  # noqa: D102
        square, slope, start, rate = coefficients
        axis = self.b - self.a
        position = start + rate * t
        h = np.clip(position, 0, 1)
        d2 = square + t * (slope + t) + F(axis @ axis) * h * (h - 2 * position)
        return np.sqrt(np.maximum(d2, 0)) - (F(self.radius_a) + F(self.radius_b - self.radius_a) * h)

    def surface(self, points):  # noqa: D102
        q, axis = points - self.a.astype(F), (self.b - self.a).astype(F)
        h = np.clip(rows_dot(q, np.broadcast_to(axis, q.shape)) / F(axis @ axis + 1e-9), 0, 1)
        q = q - h[:, None] * axis
        d = np.sqrt(rows_dot(q, q)) + F(1e-9)
        return d - (F(self.radius_a) + F(self.radius_b - self.radius_a) * h), q / d[:, None]

    def ends(self):  # noqa: D102
        return (self.a, self.radius_a), (self.b, self.radius_b)


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid; `axes` columns are its own directions, `radii` in metres. Distance: the usual first-order k (k - 1) / |grad|."""

    centre: np.ndarray
    axes: np.ndarray
    radii: tuple[float, float, float]
    colour: tuple[float, float, float]

    def bind(self, origins, directions):  # noqa: D102
        r = np.array(self.radii, F)
        q, d = into(self.axes, origins - self.centre.astype(F)) / r, into(self.axes, directions) / r
        p, e = q / r, d / r
        return np.stack([rows_dot(q, q), 2 * rows_dot(q, d), rows_dot(d, d), rows_dot(p, p), 2 * rows_dot(p, e), rows_dot(e, e)])

    def along(self, coefficients, t):  # noqa: D102
        a, b, c, e, f, g = coefficients
        k = np.sqrt(np.maximum(a + t * (b + t * c), 0))
        return k * (k - 1) / (np.sqrt(np.maximum(e + t * (f + t * g), 0)) + F(1e-6))

    def surface(self, points):  # noqa: D102
        r = np.array(self.radii, F)
        q = into(self.axes, points - self.centre.astype(F)) / r
        k, gradient = np.sqrt(rows_dot(q, q)), q / r
        size = np.sqrt(rows_dot(gradient, gradient)) + F(1e-6)
        return k * (k - 1) / size, into(self.axes.T, gradient / size[:, None])

    def ends(self):  # noqa: D102
        i = int(np.argmax(self.radii))
        middle = sorted(self.radii)[1] * 1.03
        arm = self.axes[:, i] * max(0.0, self.radii[i] - middle / 1.03)
        return (self.centre - arm, middle), (self.centre + arm, middle)


@dataclass(frozen=True)
class Slab:
    """A box with rounded edges; `half` its half sizes in metres."""

    centre: np.ndarray
    axes: np.ndarray
    half: tuple[float, float, float]
    colour: tuple[float, float, float]
    rounding: float = field(default=0.008)

    def bind(self, origins, directions):  # noqa: D102
        return np.concatenate([into(self.axes, origins - self.centre.astype(F)).T, into(self.axes, directions).T])

    def along(self, coefficients, t):  # noqa: D102
        return self._distance(coefficients[:3] + coefficients[3:] * t)

    def _distance(self, q: np.ndarray) -> np.ndarray:
        over = np.abs(q) - (np.array(self.half, F) - F(self.rounding))[:, None]
        outside = np.maximum(over, 0)
        return np.sqrt((outside * outside).sum(0)) + np.minimum(over.max(0), 0) - F(self.rounding)

    def surface(self, points):  # noqa: D102
        q = into(self.axes, points - self.centre.astype(F)).T
        over = np.abs(q) - (np.array(self.half, F) - F(self.rounding))[:, None]
        n = np.where(over >= over.max(0), 1, np.clip(over, 0, None) / F(self.rounding)) * np.sign(q)
        return self._distance(q), into(self.axes.T, (n / np.linalg.norm(n, axis=0)).T.astype(F))

    def ends(self):  # noqa: D102
        i = int(np.argmax(self.half))
        middle = sorted(self.half)[1] * 1.05
        arm = self.axes[:, i] * (self.half[i] - middle / 2)
        return (self.centre - arm, middle), (self.centre + arm, middle)


@dataclass(frozen=True)
class Part:
    """Solids that melt into each other where they meet, by a polynomial smooth minimum of radius `blend` metres.

    Between parts there is only depth, so an arm never grows a web onto the trunk.
    """

    name: str
    blend: float
    solids: Sequence[Solid]

    def along(self, coefficients: list[np.ndarray], t: np.ndarray) -> np.ndarray:
        """Distance (m,) at o + t d; one coefficient array per solid."""
        d = self.solids[0].along(coefficients[0], t)
        for solid, c in zip(self.solids[1:], coefficients[1:], strict=True):
            other = solid.along(c, t)
            m = np.maximum(F(self.blend) - np.abs(d - other), 0)
            d = np.minimum(d, other) - m * m * F(0.25 / self.blend)
        return d

    def surface(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit normal (m, 3) and colour (m, 3). Shapes melt over `blend`, colours change within 3 mm: a sleeve has an edge."""
        d, normal = self.solids[0].surface(points)
        distances = [d]
        for solid in self.solids[1:]:
            other, n = solid.surface(points)
            distances.append(other)
            weight = np.clip(F(0.5) + (d - other) * F(0.5 / self.blend), 0, 1)[:, None]  # the exact gradient of the smooth minimum
            normal = normal + (n - normal) * weight
            m = np.maximum(F(self.blend) - np.abs(d - other), 0)
            d = np.minimum(d, other) - m * m * F(0.25 / self.blend)
        every = np.stack(distances)
        share = np.exp((every.min(0) - every) / F(0.003))
        share /= share.sum(0)
        colour = np.zeros_like(points)
        for s, solid in zip(share, self.solids, strict=True):
            colour += s[:, None] * np.array(solid.colour, F)
        return normal / (np.linalg.norm(normal, axis=1, keepdims=True) + F(1e-6)), colour
