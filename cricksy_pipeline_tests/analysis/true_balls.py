"""Deliveries with nothing estimated in them: true landmarks unfiltered, true events, true sides and camera.

Belongs here: making such balls from a clip's specification, so that a definition can be held against the truth without what filters and
event finders add. Does not belong here: any expectation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.events import EventTime, FoundDelivery, other_side
from cricksy_pipeline.analysis.kinematics import TRACK_RATE_HZ, Track
from cricksy_pipeline.analysis.metrics.ball import Ball
from cricksy_pipeline.analysis.view import CameraView
from cricksy_pipeline.sample.clip import ClipSpec, Truth, truth, truth_landmarks

HAS_ARM = ("bowl", "throw")
VIEW_NAME = {"side": "side", "leg": "side", "front": "front", "behind": "behind"}
TOWARD = {"side": 1, "leg": -1, "front": 0, "behind": 0}
"""Sign of the line of play in the picture of a right-hander's clip."""


def true_balls(motion: str, view: str, **choices: Any) -> tuple[list[Ball], Truth]:
    """The deliveries of a clip that lie wholly inside it, and the truth; as many balls as the truth has values."""
    spec = ClipSpec(motion=motion, view=view, fps=int(TRACK_RATE_HZ), **{"seconds": 4.0, **choices})
    known, track = truth(spec), true_track(spec)
    n = min(len(times) for times in known.events.values())
    return [Ball(i + 1, _found(known, track, i), _view(known)) for i in range(n)], known


def true_track(spec: ClipSpec, **changes: Any) -> Track:
    """A track of the true landmarks, unfiltered; the clip runs at the track's own rate."""
    seen, known = truth_landmarks(spec), truth(spec)
    height = float(np.nanmedian(known.height_px))
    track = Track(
        t_s=seen.t_s, xy=seen.xy.astype(float), z=seen.z.astype(float), frame_t_s=seen.t_s, frame=seen.frame, rate_hz=TRACK_RATE_HZ,
        found_share=1.0, jitter_px=0.0, swaps_repaired=0, outliers_removed=0, camera=seen.camera.astype(float), height_px=height,
        height_sigma_px=0.02 * height, world=seen.world,
    )  # fmt: skip
    return replace(track, **changes)


def _found(known: Truth, track: Track, i: int) -> FoundDelivery:
    spec = known.spec
    events = {name: EventTime(times[i], 0.005, track.frame_at(times[i])) for name, times in known.events.items()}
    events = dict(sorted(events.items(), key=lambda item: item[1].t_s))
    front = "right" if spec.mirror else "left"
    first, last = (list(events.values())[k].t_s for k in (0, -1))
    anchor = events.get("contact") or events.get("release") or events["take"]
    return FoundDelivery(
        max(float(track.t_s[0]), first - 0.5), min(float(track.t_s[-1]), last + 0.5), events, track,
        float(known.height_px[track.index_at(anchor.t_s)]), front, other_side(front) if spec.motion in HAS_ARM else None,
        _toward(spec), contact_by="sound" if "contact" in events else None,
    )  # fmt: skip


def _view(known: Truth) -> CameraView:
    return CameraView(VIEW_NAME[known.spec.view], known.off_side_deg, 1.0, 1.0, _toward(known.spec))


def _toward(spec: ClipSpec) -> int:
    return TOWARD[spec.view] * (-1 if spec.mirror else 1)
