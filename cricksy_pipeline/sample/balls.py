"""The ball: where it is in each frame, coming, met, held or leaving.

Belongs here: one track per motion, tied to the player's own hands and bat.
Does not belong here: how the ball looks (`figure`), the player.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cricksy_pipeline.sample.body import Body
from cricksy_pipeline.sample.motion import events_in_ball, repetitions, simulate
from cricksy_pipeline.sample.rotations import unit
from cricksy_pipeline.sample.spec import ClipSpec

RADIUS_M = 0.037


def ball_track(spec: ClipSpec) -> np.ndarray:
    """(n, 3) world metres of the ball's centre in each frame; NaN while it is not in play."""
    life = spec.life_s(spec.t_s)
    track = np.full((len(life), 3), np.nan)
    balls = repetitions(spec.motion, spec.variation, float(life[-1]) + 1e-9)
    ends = [*(b.start_s for b in balls[1:]), np.inf]
    for ball, end in zip(balls, ends, strict=True):
        here = (life >= ball.start_s) & (life < end)
        at = {name: ball.start_s + t * ball.tempo for name, t in events_in_ball(spec.motion, spec.faults).items()}
        if here.any():
            track[here] = _TRACKS[spec.motion](spec, life[here], at)
    return track


def _body(spec: ClipSpec, life_s: np.ndarray) -> Body:
    return simulate(spec.motion, life_s, spec.faults, spec.variation)


def _to_batter(spec: ClipSpec, life: np.ndarray, at: dict[str, float]) -> np.ndarray:
    """Pitches 2.2 m in front of the bat, is met by its blade at contact, runs away along the ground through cover."""
    body = _body(spec, np.array([at["contact"]])).at(0)
    top, toe = body.joints["bat_top"], body.joints["bat_toe"]
    hit = top + (toe - top) * 0.80 + [0.016 + RADIUS_M, 0, 0]
    hit[1] = max(hit[1], RADIUS_M)
    u = life - at["contact"]
    since_pitching = u + 0.10
    rising = RADIUS_M + (hit[1] - RADIUS_M) * since_pitching / 0.10
    falling = RADIUS_M - 6.3 * since_pitching - 4.9 * since_pitching**2
    coming = np.stack([hit[0] - 22.0 * u, np.where(since_pitching > 0, rising, falling), hit[2] + 0.4 * u], -1)
    dropped = hit[1] - (hit[1] - RADIUS_M) * np.clip(u * 8, 0, 1)
    leaving = np.stack([hit[0] + 18.0 * u, dropped, hit[2] + 5.0 * u], -1)
    track = np.where((u <= 0)[:, None], coming, leaving)
    track[(u < -0.7) | (u > 0.8)] = np.nan
    return track


def _in_hand(body: Body, side: str = "right") -> np.ndarray:
    palm = body.joints[f"{side}_palm"]
    return palm + 0.04 * unit(palm - body.joints[f"{side}_wrist"])


def _between_hands(body: Body) -> np.ndarray:
    return (_in_hand(body, "left") + _in_hand(body, "right")) / 2


def _from_bowler(spec: ClipSpec, life: np.ndarray, at: dict[str, float]) -> np.ndarray:
    """In the right hand until release, then on its way."""
    u = (life - at["release"])[:, None]
    flying = _in_hand(_body(spec, np.array([at["release"]]))) + np.concatenate([28 * u, -2.6 * u - 4.9 * u**2, 0 * u], -1)
    track = np.where(u <= 0, _in_hand(_body(spec, life)), flying)
    track[(u > 0.5).ravel()] = np.nan
    return track


def _to_keeper(spec: ClipSpec, life: np.ndarray, at: dict[str, float]) -> np.ndarray:
    """Pitches 0.25 s before the take, comes on rising, and stays in the gloves."""
    met = _between_hands(_body(spec, np.array([at["take"]])))[0]
    u = life - at["take"]
    since = u + 0.25
    rising = RADIUS_M + (met[1] - RADIUS_M) * (since / 0.25)
    height = np.where(since > 0, rising, RADIUS_M - 5.0 * since - 4.9 * since**2)
    coming = np.stack([met[0] - 24.0 * u, height, met[2] + 0.3 * u], -1)
    return _held_after(spec, life, u, coming, at_most_s=0.65)


def _to_catcher(spec: ClipSpec, life: np.ndarray, at: dict[str, float]) -> np.ndarray:
    """Falls from a high arc into both hands and stays there."""
    met = _between_hands(_body(spec, np.array([at["take"]])))[0]
    u = life - at["take"]
    coming = np.stack([met[0] - 7.0 * u, met[1] - 9.0 * u - 4.9 * u**2, met[2] + 0 * u], -1)
    return _held_after(spec, life, u, coming, at_most_s=1.0)


def _held_after(spec: ClipSpec, life: np.ndarray, u: np.ndarray, coming: np.ndarray, at_most_s: float) -> np.ndarray:
    held = _between_hands(_body(spec, life))
    track = np.where((u <= 0)[:, None], coming, held)
    track[(u < -at_most_s) | (u > 1.0)] = np.nan
    return track


def _to_fielder(spec: ClipSpec, life: np.ndarray, at: dict[str, float]) -> np.ndarray:
    """Rolls to the fielder, is picked up, thrown."""
    met = _in_hand(_body(spec, np.array([at["pick_up"]])))[0]
    u, v = life - at["pick_up"], (life - at["release"])[:, None]
    rolling = np.stack([met[0] - 5.0 * u, np.full_like(u, RADIUS_M), met[2] + 0 * u], -1)
    flying = _in_hand(_body(spec, np.array([at["release"]]))) + np.concatenate([26 * v, 3.0 * v - 4.9 * v**2, 0 * v], -1)
    track = np.where((u <= 0)[:, None], rolling, np.where(v <= 0, _in_hand(_body(spec, life)), flying))
    track[(u < -1.2) | (v.ravel() > 0.5)] = np.nan
    return track


_TRACKS: dict[str, Callable[[ClipSpec, np.ndarray, dict[str, float]], np.ndarray]] = {
    "drive": _to_batter,
    "bowl": _from_bowler,
    "keep": _to_keeper,
    "throw": _to_fielder,
    "catch": _to_catcher,
}
