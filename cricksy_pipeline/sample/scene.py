"""One picture of a clip: backdrop, shadow, player, ball, light, grain.

Belongs here: putting together what `backdrop`, `figure` and `march` make, and how it is lit.
Does not belong here: the loop over frames, workers and files (`clip`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.sample import figure
from cricksy_pipeline.sample.backdrop import BATTERS_END, BOWLERS_END, Backdrop
from cricksy_pipeline.sample.body import Body
from cricksy_pipeline.sample.camera import Camera, camera_at
from cricksy_pipeline.sample.march import blend, opaque_depth, trace
from cricksy_pipeline.sample.motion import MOTIONS, simulate
from cricksy_pipeline.sample.rotations import unit
from cricksy_pipeline.sample.solids import F, Part
from cricksy_pipeline.sample.spec import ClipSpec

SUN = np.array([0.35, 0.80, 0.48]) / np.linalg.norm([0.35, 0.80, 0.48])
_GRAIN = 0.012
_BLUR_PX = 0.35  # of a picture 360 lines high: a lens, not a pinhole
_SHADOW = 0.45
_BALL_RADIUS_M = 0.037
_BALL_NEAREST_M = 4.0  # on its way past the lens it would hide the player


def ball_track(spec: ClipSpec) -> np.ndarray:
    """(n, 3) world metres of the ball's centre in each frame; NaN while it is not in play."""
    table = MOTIONS[spec.motion]
    phase = np.mod(spec.t_s, table.PERIOD_S)
    return _ball_to_batter(spec, phase) if spec.motion == "drive" else _ball_from_bowler(spec, phase)


def _ball_to_batter(spec: ClipSpec, phase: np.ndarray) -> np.ndarray:
    """Pitches 2.2 m in front of the bat, is met by its blade at contact, runs away along the ground through cover."""
    contact = MOTIONS["drive"].EVENTS_S["contact"]
    body = simulate("drive", np.array([contact]), spec.faults).at(0)
    top, toe = body.joints["bat_top"], body.joints["bat_toe"]
    hit = top + (toe - top) * 0.80 + [0.016 + _BALL_RADIUS_M, 0, 0]
    hit[1] = max(hit[1], _BALL_RADIUS_M)
    u = phase - contact
    since_pitching = u + 0.10
    rising = _BALL_RADIUS_M + (hit[1] - _BALL_RADIUS_M) * since_pitching / 0.10
    falling = _BALL_RADIUS_M - 6.3 * since_pitching - 4.9 * since_pitching**2
    coming = np.stack([hit[0] - 22.0 * u, np.where(since_pitching > 0, rising, falling), hit[2] + 0.4 * u], -1)
    dropped = hit[1] - (hit[1] - _BALL_RADIUS_M) * np.clip(u * 8, 0, 1)
    leaving = np.stack([hit[0] + 18.0 * u, dropped, hit[2] + 5.0 * u], -1)
    track = np.where((u <= 0)[:, None], coming, leaving)
    track[(u < -0.7) | (u > 0.8)] = np.nan
    return track


def _ball_from_bowler(spec: ClipSpec, phase: np.ndarray) -> np.ndarray:
    """In the right hand until release, then on its way."""
    release = MOTIONS["bowl"].EVENTS_S["release"]

    def in_hand(body: Body) -> np.ndarray:
        return body.joints["right_palm"] + 0.04 * unit(body.joints["right_palm"] - body.joints["right_wrist"])

    held = in_hand(simulate("bowl", spec.t_s, spec.faults))
    start = in_hand(simulate("bowl", np.array([release]), spec.faults))
    u = (phase - release)[:, None]
    flying = start + np.concatenate([28 * u, -2.6 * u - 4.9 * u**2, 0 * u], -1)
    track = np.where(u <= 0, held, flying)
    track[(u > 0.5).ravel()] = np.nan
    return track


class Scene:
    """All that is needed to draw any frame of a clip, in any order."""

    def __init__(self, spec: ClipSpec) -> None:
        self._spec = spec
        self._body = simulate(spec.motion, spec.t_s, spec.faults)
        self._ball = ball_track(spec)
        batting = spec.motion == "drive"
        self._kit, ground = (figure.BATTER, BATTERS_END) if batting else (figure.BOWLER, BOWLERS_END)
        self._backdrop = Backdrop(self._camera(0.0), ground, spec.movement.still)
        self._props = [figure.stumps(ground.bowling_x, z=0.1 if batting else 0.75)]  # a right-armer over the wicket has them on his right

    def _camera(self, t_s: float) -> Camera:
        spec = self._spec
        size = (spec.width * spec.supersampling, spec.height * spec.supersampling)
        return camera_at(t_s, spec.motion, spec.view, size, spec.movement, spec.seed)

    def frame(self, i: int) -> np.ndarray:
        """Frame i as the player of the file shows it: upright (height, width, 3) uint8 RGB."""
        import cv2

        spec = self._spec
        camera = self._camera(float(spec.t_s[i]))
        picture = self._draw(camera, i)
        if spec.supersampling > 1:
            picture = cv2.resize(picture, spec.size, interpolation=cv2.INTER_AREA)
        picture = cv2.GaussianBlur(picture, (0, 0), _BLUR_PX * min(spec.size) / 360)
        grain = np.random.default_rng((spec.seed, i)).standard_normal((spec.height, spec.width, 1), dtype=F) * F(_GRAIN)
        finished = (np.clip(picture + grain, 0, 1) * 255 + F(0.5)).astype(np.uint8)
        return np.ascontiguousarray(finished[:, ::-1]) if spec.mirror else finished

    def _draw(self, camera: Camera, i: int) -> np.ndarray:
        body = self._body.at(i)
        everything = list(self._props)
        if self._spec.player:
            everything += figure.parts(body, self._kit)
            if camera.to_camera(self._ball[i])[2] > _BALL_NEAREST_M:  # False for NaN
                everything.append(figure.ball(self._ball[i]))
        picture = self._backdrop.seen_by(camera)
        _cast_shadow(picture, camera, everything)
        self._draw_parts(picture, camera, everything, body)
        return picture

    def _draw_parts(self, picture: np.ndarray, camera: Camera, everything: list[Part], body: Body) -> None:
        traced = [(part, fragments) for part in everything if (fragments := trace(part, camera)) is not None]
        opaque = opaque_depth([f for _, f in traced], camera.width * camera.height)
        pixel, depth, cover, colour = [], [], [], []
        for part, f in traced:
            front = f.depth <= opaque[f.pixel]
            normal, paint = part.surface(f.point[front])
            figure.paint(part, body, self._kit, f.point[front], paint)
            pixel.append(f.pixel[front])
            depth.append(f.depth[front])
            cover.append(f.cover[front])
            colour.append(paint * _light(normal)[:, None])
        if pixel:
            blend(picture, *(np.concatenate(column) for column in (pixel, depth, cover, colour)))


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
