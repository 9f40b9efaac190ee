"""A part along many rays at once: the distances of all its solids in a few array operations.

Belongs here: coefficients of rays for whole stacks of solids, where a ray may enter and leave, the smooth minimum along the rays.
Does not belong here: single solids and their surfaces (`solids`), the march (`march`).

The arithmetic of a stack is that of `RoundCone.along` and `Ellipsoid.along`, a test holds them together.
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.sample.solids import Ellipsoid, F, Part, RoundCone, Solid, into, rows_dot

_FAR = F(1e3)


class BoundPart:
    """One part and its rays o + t d, or several parts of one pattern, each with its own; arrays float32, m rays in all."""

    def __init__(self, part: Part, origins: np.ndarray, directions: np.ndarray) -> None:
        self._part = part
        solids = list(enumerate(part.solids))
        self._cones = [i for i, solid in solids if isinstance(solid, RoundCone)]
        self._ellipsoids = [i for i, solid in solids if isinstance(solid, Ellipsoid)]
        self._others = [i for i, solid in solids if not isinstance(solid, RoundCone | Ellipsoid)]
        bind = lambda which: [part.solids[i].bind(origins, directions) for i in which]  # noqa: E731
        self._c = np.stack(bind(self._cones), 1) if self._cones else None
        self._e = np.stack(bind(self._ellipsoids), 1) if self._ellipsoids else None
        self._o = bind(self._others)
        cones = [part.solids[i] for i in self._cones]
        shape = [((s.b - s.a) @ (s.b - s.a), s.radius_a, s.radius_b - s.radius_a) for s in cones]
        self._shape = np.array(shape, F).T[..., None] if cones else None  # (3, s, 1): length squared, radius, flare
        self._blend = F(part.blend)
        self._count = len(origins)

    @property
    def pattern(self) -> tuple:
        """Parts of the same pattern can be marched together; a part with a solid that cannot be stacked has its own."""
        return (tuple(self._cones), tuple(self._ellipsoids), id(self) if self._others else 0)

    @staticmethod
    def joined(bounds: list[BoundPart]) -> BoundPart:
        """Parts of one pattern as one, their rays one after another: `along` costs the same few operations for all of them."""
        if len(bounds) == 1:
            return bounds[0]
        sizes = [b._count for b in bounds]
        one = object.__new__(BoundPart)
        one.__dict__.update(bounds[0].__dict__)
        one._c = None if one._c is None else np.concatenate([b._c for b in bounds], 2)
        one._e = None if one._e is None else np.concatenate([b._e for b in bounds], 2)
        if one._shape is not None:
            one._shape = np.repeat(np.concatenate([b._shape for b in bounds], 2), sizes, axis=2)
        one._blend = np.repeat(np.array([b._blend for b in bounds], F), sizes)
        return one

    def select(self, keep: np.ndarray) -> BoundPart:
        """The same along some of the rays."""
        other = object.__new__(BoundPart)
        other.__dict__.update(self.__dict__)
        other._c = None if self._c is None else self._c[:, :, keep]
        other._e = None if self._e is None else self._e[:, :, keep]
        other._o = [c[:, keep] for c in self._o]
        other._count = len(keep)
        if self._shape is not None and self._shape.shape[2] > 1:
            other._shape = self._shape[:, :, keep]
        if self._blend.ndim:
            other._blend = self._blend[keep]
        return other

    def along(self, t: np.ndarray) -> np.ndarray:
        """Distance (m,) of the part at o + t d: the smooth minimum of its solids, in their order."""
        rows: list[np.ndarray | None] = [None] * len(self._part.solids)
        if self._c is not None:
            square, slope, first, rate = self._c
            length2, radius, flare = self._shape
            position = first + rate * t
            h = np.minimum(np.maximum(position, 0), 1)
            d2 = square + t * (slope + t) + length2 * h * (h - 2 * position)
            for i, row in zip(self._cones, np.sqrt(np.maximum(d2, 0)) - (radius + flare * h), strict=True):
                rows[i] = row
        if self._e is not None:
            a, b, c, e, f, g = self._e
            k = np.sqrt(np.maximum(a + t * (b + t * c), 0))
            for i, row in zip(self._ellipsoids, k * (k - 1) / (np.sqrt(np.maximum(e + t * (f + t * g), 0)) + F(1e-6)), strict=True):
                rows[i] = row
        for i, coefficients in zip(self._others, self._o, strict=True):
            rows[i] = self._part.solids[i].along(coefficients, t)
        d, quarter = rows[0], F(0.25) / self._blend
        for other in rows[1:]:
            m = np.maximum(self._blend - np.abs(d - other), 0)
            d = np.minimum(d, other) - m * m * quarter
        return d


def between(part: Part, origins: np.ndarray, directions: np.ndarray, margin: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """(m,) t at which each ray may first come within `margin` metres of a solid, and t after which it cannot; start > end: never."""
    start, end = np.full(len(origins), _FAR, F), np.full(len(origins), -_FAR, F)
    for solid in part.solids:
        near, far = (_inflated if isinstance(solid, Ellipsoid) else _capsule)(solid, margin, origins, directions)
        np.minimum(start, near, out=start)
        np.maximum(end, far, out=end)
    return start, end


def _capsule(solid: Solid, margin: np.float32, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entry and exit of the capsule round a solid: inside both its endless cylinder and the ball round it."""
    (a, radius_a), (b, radius_b) = solid.ends()
    radius, axis = F(max(radius_a, radius_b)) + margin, (b - a).astype(F)
    length = F(np.sqrt(axis @ axis) + 1e-6)
    q = origins - ((a + b) / 2).astype(F)
    row = np.broadcast_to(axis / length, q.shape)
    qn, dn, q2, qd = rows_dot(q, row), rows_dot(directions, row), rows_dot(q, q), rows_dot(q, directions)
    near, far = _roots(np.ones_like(qd), 2 * qd, q2 - (length / 2 + radius) ** 2)
    near_tube, far_tube = _roots(np.maximum(1 - dn * dn, F(1e-4)), 2 * (qd - qn * dn), q2 - qn * qn - radius * radius)
    return np.where(near_tube < _FAR, np.maximum(near, near_tube), _FAR), np.where(near_tube < _FAR, np.minimum(far, far_tube), -_FAR)


def _inflated(solid: Ellipsoid, margin: np.float32, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entry and exit of the ellipsoid whose radii are longer by `margin`, and a fifth of it where it is most curved."""
    axes = solid.axes / (np.array(solid.radii) + 1.2 * margin)  # columns: the unit sphere's own directions
    q, d = into(axes, origins - solid.centre.astype(F)), into(axes, directions)
    return _roots(rows_dot(d, d), 2 * rows_dot(q, d), rows_dot(q, q) - 1)


def _roots(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smaller and larger root (m,) of a t^2 + b t + c with a > 0; where there is none, (far, -far)."""
    inside = b * b - 4 * a * c
    root = np.sqrt(np.maximum(inside, 0))
    none = inside <= 0
    return np.where(none, _FAR, (-b - root) / (2 * a)), np.where(none, -_FAR, (-b + root) / (2 * a))
