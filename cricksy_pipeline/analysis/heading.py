"""Which way the player's body faces and moves, as an angle about the vertical against the picture.

Belongs here: headings and their errors, read from a track. Does not belong here: what they say of the camera (`view`) or of the
player's front side (`sides`).

A heading is 0 degrees to the right of the picture, 90 towards the camera, 180 to the left, 270 away from it. Mirroring the picture and
exchanging left and right turns a heading h into 180 - h and nothing else.

The angles are read from BlazePose's metric guess: no length of it can be relied on, but the pairs of shoulders, hips and ears and the nose
point where the body points within 5 to 19 degrees each (root mean square by discipline, over 72 rendered clips of bowling, keeping,
throwing and catching, seen from all round by BlazePose).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.kinematics import Track, velocity
from cricksy_pipeline.analysis.landmarks import INDEX

CUE_SIGMA_DEG = {"shoulder": 12.0, "hip": 13.0, "ear": 12.0, "nose": 13.0}
"""Root mean square error of each cue alone, measured as above and rounded."""

ERRS_TOGETHER = 0.9
"""How much of their errors the cues share: the mean of four errs by 0.92 of what one does, not by a half. Set so that the 95 % interval of
the mean holds the truth on the same clips."""

DRAWN_SIDEWAYS = 1.15
"""BlazePose draws a body that looks 12 to 60 degrees past the camera some 10 degrees nearer to square to it. So many times larger than it
says is taken the part of the direction that points along the line of sight. On the rendered clips 1.45 leaves the least bias (1 degree;
1.15 leaves 4, 1.0 leaves 6); on real bowlers who were filmed from the side 1.0 leaves the least. This lies between: uncalibrated."""

RUNNING_PER_S, GROWING_PER_S = 1.35, 0.45
"""Body heights a second that a runner's hips move across the picture, and the share by which he grows a second, when that is his whole
run-up; from rendered bowlers and throwers some 9 m away. Only the ratio of the two tells a direction."""

RUNNING_SIGMA_DEG = 12.0
"""Of a run-up from 1.0 to 0.2 s before release: 10 degrees on 48 rendered balls from all round, seen by BlazePose."""
RUN_UP_SEEN_S = 0.8
"""So long was that. A trunk that leans looks like one that goes away, by as much however short the stretch is that is seen: over half the
time the direction is half as well known (a real ball, seen for 0.43 s before the gather, was called 29 degrees off side-on)."""

HEAD_IN_RUN_UP_SIGMA_DEG = 25.0
"""Of a bowler's head over the same time: 17 degrees on the rendered balls, and on real ones the open chest of the gather drags it to the
camera by 35."""

LEAST_FRAMES = 4


@dataclass(frozen=True)
class Heading:
    """A direction on the ground: degrees in [0, 360) and their standard deviation."""

    deg: float
    sigma_deg: float

    @property
    def right(self) -> float:
        """How far it points to the right of the picture, -1 to 1."""
        return float(np.cos(np.radians(self.deg)))

    @property
    def nearer(self) -> float:
        """How far it points towards the camera, -1 to 1."""
        return float(np.sin(np.radians(self.deg)))

    def undrawn(self) -> Heading:
        """Where a body really faces that BlazePose says faces here (`DRAWN_SIDEWAYS`)."""
        return Heading(float(np.degrees(np.arctan2(DRAWN_SIDEWAYS * self.nearer, self.right)) % 360), self.sigma_deg)

    def turned(self, by_deg: float) -> Heading:
        """The heading that lies `by_deg` further round; turning right over left is positive, as seen from above it is clockwise."""
        return Heading((self.deg + by_deg) % 360, self.sigma_deg)


def apart_deg(a: float, b: float) -> float:
    """Smallest angle from b to a, degrees in [-180, 180)."""
    return float((a - b + 180) % 360 - 180)


def mean_heading(headings: list[Heading], shared: float = 0.0) -> Heading | None:
    """The headings' mean, weighted by their errors; None without any, or where they cancel.

    Args:
        headings: any number. shared: share of their errors that does not average out, 0 to 1.

    The standard deviation grows where they disagree by more than they say (Birge 1932).
    """
    if not headings:
        return None
    weight = np.array([1 / h.sigma_deg**2 for h in headings])
    angle = np.radians([h.deg for h in headings])
    x, y = (weight * np.cos(angle)).sum() / weight.sum(), (weight * np.sin(angle)).sum() / weight.sum()
    if np.hypot(x, y) < 0.2:
        return None
    deg = float(np.degrees(np.arctan2(y, x)) % 360)
    off = np.array([apart_deg(h.deg, deg) for h in headings])
    birge = max(1.0, float(np.sqrt((weight * off**2).sum() / max(1, len(headings) - 1)))) if len(headings) > 1 else 1.0
    together = shared * (weight * [h.sigma_deg for h in headings]).sum() / weight.sum()
    alone = np.sqrt((1 - shared**2) / weight.sum())
    return Heading(deg, float(np.hypot(together, alone)) * birge)


def faces(track: Track, start_s: float, end_s: float) -> Heading | None:
    """Where chest and head point, median over the frames from `start_s` to `end_s`; None with fewer than four frames."""
    return mean_heading(_cues(track, start_s, end_s, tuple(CUE_SIGMA_DEG)), ERRS_TOGETHER)


def looks(track: Track, start_s: float, end_s: float) -> Heading | None:
    """Where the head points. BlazePose drags it towards the chest: of a batter who looks down the pitch it says half way."""
    return mean_heading(_cues(track, start_s, end_s, ("ear", "nose")), ERRS_TOGETHER)


def chest(track: Track, start_s: float, end_s: float) -> Heading | None:
    """Where the chest points: square to the lines of the shoulders and the hips."""
    return mean_heading(_cues(track, start_s, end_s, ("shoulder", "hip")), ERRS_TOGETHER)


def runs(track: Track, start_s: float, end_s: float, height_px: float) -> Heading | None:
    """Where the hips travel over the ground: across the picture, and towards or away from the camera by growing or shrinking.

    None where they hardly do, or cannot be seen. The camera's own movement is taken out.
    """
    if end_s - start_s < 0.3 or track.t_s[0] > end_s - 0.3 or track.t_s[-1] < start_s + 0.3:
        return None
    span = track.span(start_s, end_s)
    across = velocity(track.t_s[span], track.steady("hip")[span, 0], 0.1) / height_px / RUNNING_PER_S
    trunk = np.linalg.norm(track.middle("shoulder") - track.middle("hip"), axis=-1)[span]
    growing = velocity(track.t_s[span], np.log(np.maximum(trunk, 1.0)), 0.1) / GROWING_PER_S
    if np.isfinite(across).sum() < 20 or np.isfinite(growing).sum() < 20:
        return None
    x, y = float(np.nanmedian(across)), float(np.nanmedian(growing))
    size = float(np.hypot(x, y))
    seen_s = float(track.t_s[span][-1] - track.t_s[span][0])
    sigma = RUNNING_SIGMA_DEG / min(1.0, size) * max(1.0, RUN_UP_SEEN_S / seen_s)
    return Heading(float(np.degrees(np.arctan2(y, x)) % 360), sigma) if size > 0.4 else None


def _cues(track: Track, start_s: float, end_s: float, names: tuple[str, ...]) -> list[Heading]:
    inside = (track.frame_t_s >= start_s - 1e-9) & (track.frame_t_s <= end_s + 1e-9)
    if len(track.world) != len(track.frame_t_s) or inside.sum() < LEAST_FRAMES:
        return []
    world = track.world[inside].astype(float)
    found = []
    for name in names:
        if name == "nose":
            ahead = world[:, INDEX["nose"]] - (world[:, INDEX["left_ear"]] + world[:, INDEX["right_ear"]]) / 2
            right, nearer = ahead[:, 0], -ahead[:, 2]
        else:
            # With the chest to the camera the left side lies to the right of the picture; with the chest to the right, it lies away.
            to_left = world[:, INDEX[f"left_{name}"]] - world[:, INDEX[f"right_{name}"]]
            right, nearer = to_left[:, 2], to_left[:, 0]
        seen = np.isfinite(right) & np.isfinite(nearer)
        if seen.sum() < LEAST_FRAMES:
            continue
        x, y = float(np.median(right[seen])), float(np.median(nearer[seen]))
        if np.hypot(x, y) > 1e-3:
            found.append(Heading(float(np.degrees(np.arctan2(y, x)) % 360), CUE_SIGMA_DEG[name]))
    return found
