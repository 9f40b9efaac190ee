"""One picture of a clip: backdrop, shadow, player, ball, light, grain.

Belongs here: putting together what `backdrop`, `figure` and `march` make, and how it is lit.
Does not belong here: the loop over frames, workers and files (`clip`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.sample import figure, unreal
from cricksy_pipeline.sample.backdrop import BATTERS_END, BOWLERS_END, Backdrop
from cricksy_pipeline.sample.balls import ball_track
from cricksy_pipeline.sample.body import Body
from cricksy_pipeline.sample.bystanders import body_of, kit_of
from cricksy_pipeline.sample.camera import Camera
from cricksy_pipeline.sample.filming import camera_at
from cricksy_pipeline.sample.march import blend, opaque_depth, trace
from cricksy_pipeline.sample.people import Occluder
from cricksy_pipeline.sample.solids import F, Part
from cricksy_pipeline.sample.spec import ClipSpec

SUN = np.array([0.35, 0.80, 0.48]) / np.linalg.norm([0.35, 0.80, 0.48])
_GRAIN = 0.012
_BLUR_PX = 0.35  # of a picture 360 lines high: a lens, not a pinhole
_SHADOW = 0.45
_STUMPS = {"drive": (BATTERS_END.bowling_x, 0.1), "bowl": (BOWLERS_END.bowling_x, 0.75), "keep": (1.15, 0.45)}
"""motion -> (x, z) of the stumps: a right-armer over the wicket has them on his right; a keeper stands behind them, a little to the off."""
_BALL_NEAREST_M = 4.0  # on its way past the lens it would hide the player


class Scene:
    """All that is needed to draw any frame of a clip, in any order."""

    def __init__(self, spec: ClipSpec) -> None:
        self._spec = spec
        self._body = unreal.body_of(spec)
        self._ball = ball_track(spec)
        ground = BOWLERS_END if spec.motion == "bowl" else BATTERS_END
        self._kit = figure.kit_of(spec.motion, spec.variation)
        self._others = [(body_of(person, spec, spec.t_s), kit_of(person)) for person in spec.people]
        self._backdrop = Backdrop(self._camera(spec.cut_s), ground, spec.movement.still)
        self._before_cut = Backdrop(self._camera(0.0), ground, still=True) if spec.cut_s else self._backdrop
        self._props = [figure.stumps(*_STUMPS[spec.motion])] if spec.motion in _STUMPS else []

    def _camera(self, t_s: float) -> Camera:
        return unreal.camera_of(self._spec) if self._spec.figure == "hands" else camera_at(self._spec, t_s, self._spec.supersampling)

    def frame(self, i: int) -> np.ndarray:
        """Frame i as the player of the file shows it: upright (height, width, 3) uint8 RGB."""
        import cv2

        spec = self._spec
        camera = self._camera(float(spec.t_s[i]))
        picture = self._draw(camera, i)
        if spec.supersampling > 1:
            picture = cv2.resize(picture, spec.size, interpolation=cv2.INTER_AREA)
        if spec.occluder is not None:
            _hide(picture, spec.occluder)
        picture = cv2.GaussianBlur(picture, (0, 0), _BLUR_PX * min(spec.size) / 360)
        grain = np.random.default_rng((spec.seed, i)).standard_normal((spec.height, spec.width, 1), dtype=F) * F(_GRAIN)
        finished = (np.clip(picture + grain, 0, 1) * 255 + F(0.5)).astype(np.uint8)
        return np.ascontiguousarray(finished[:, ::-1]) if spec.mirror else finished

    def _draw(self, camera: Camera, i: int) -> np.ndarray:
        spec, t = self._spec, float(self._spec.t_s[i])
        figures = [_Figure(figure.parts(body.at(i), kit), body.at(i), kit) for body, kit in self._others]
        if spec.player and t >= spec.there_from_s:
            body = self._body.at(i)
            if spec.figure == "drawn":
                return unreal.drawing(body, camera)
            mine = _SHAPES[spec.figure](body, self._kit)
            if spec.figure != "hands" and camera.to_camera(self._ball[i])[2] > _BALL_NEAREST_M:  # False for NaN
                mine.append(figure.ball(self._ball[i]))
            figures.append(_Figure(mine, body, self._kit))
        figures.append(_Figure(self._props, None, None))
        if spec.figure == "game":
            picture = unreal.flat_field(camera)
            _draw_figures(picture, camera, figures)
            return picture
        picture = (self._before_cut if spec.before_cut(t) else self._backdrop).seen_by(camera)
        _cast_shadow(picture, camera, [part for one in figures for part in one.parts])
        _draw_figures(picture, camera, figures)
        return picture


_SHAPES: dict[str, Callable[[Body, figure.Kit], list[Part]]] = {"real": figure.parts, "game": unreal.blocks, "hands": unreal.hands}


@dataclass(frozen=True)
class _Figure:
    """Parts, and whose they are; props are nobody's."""

    parts: list[Part]
    body: Body | None
    kit: figure.Kit | None


def _draw_figures(picture: np.ndarray, camera: Camera, figures: list[_Figure]) -> None:
    owned = [(part, one) for one in figures for part in one.parts]
    found = trace([part for part, _ in owned], camera)
    traced = [(part, one, f) for (part, one), f in zip(owned, found, strict=True) if f is not None]
    opaque = opaque_depth([f for _, _, f in traced], camera.width * camera.height)
    pixel, depth, cover, colour = [], [], [], []
    for part, one, f in traced:
        front = f.depth <= opaque[f.pixel]
        normal, paint = part.surface(f.point[front])
        if one.body is not None:
            figure.paint(part, one.body, one.kit, f.point[front], paint)
        pixel.append(f.pixel[front])
        depth.append(f.depth[front])
        cover.append(f.cover[front])
        colour.append(paint * _light(normal)[:, None])
    if pixel:
        blend(picture, *(np.concatenate(column) for column in (pixel, depth, cover, colour)))


def _hide(picture: np.ndarray, what: Occluder) -> None:
    """Paint a post or a screen over the picture, (h, w, 3) float32 in place."""
    width = picture.shape[1]
    half = what.width / 2 if what.kind == "post" else 0.0
    first, last = what.at - half, what.at + half
    if what.kind == "screen":
        first, last = (0.0, what.at) if what.side == "left" else (what.at, 1.0)
    a, b = round(first * width), max(round(last * width), round(first * width) + 1)
    shade = 0.30 + 0.12 * np.sin(np.linspace(0, np.pi, b - a)) if what.kind == "post" else np.full(b - a, 0.16)
    picture[:, max(a, 0) : b] = shade[max(-a, 0) :, None][: width - max(a, 0)] * np.array([0.95, 1.0, 0.98])


def _light(normal: np.ndarray) -> np.ndarray:
    """Sun, sky and a floor, (m, 3) normals -> (m,): pose networks read shading; flat colours cost them three times the error (measured)."""
    sun = normal[:, 0] * F(SUN[0]) + normal[:, 1] * F(SUN[1]) + normal[:, 2] * F(SUN[2])
    return F(0.80) * np.clip(sun, 0, 1) + F(0.18) * (1 + normal[:, 1]) + F(0.17)


def _cast_shadow(picture: np.ndarray, camera: Camera, everything: list[Part]) -> None:
    """Darken the ground where the sun does not reach it: the hull of each solid's two end spheres, cast flat and blurred."""
    import cv2

    mask = np.zeros(picture.shape[:2], np.float32)
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], 1)
    for solid in (solid for part in everything for solid in part.solids):
        cast = np.concatenate([c - SUN * (c[1] / SUN[1]) + ring * r * 1.1 for c, r in solid.ends()])
        hull = cv2.convexHull(np.round(camera.project(cast) * 16).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 1.0, cv2.LINE_8, 4)
    ys, xs = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    if len(ys) == 0:
        return
    sigma = 1.2 * camera.height / 360
    margin = int(4 * sigma) + 1
    box = (slice(max(ys[0] - margin, 0), ys[-1] + margin), slice(max(xs[0] - margin, 0), xs[-1] + margin))
    picture[box] *= 1 - F(_SHADOW) * cv2.GaussianBlur(mask[box], (0, 0), sigma)[..., None]
