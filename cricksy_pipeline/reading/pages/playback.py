"""What the page draws over a video while it plays: frame times, the player's body, events, curves, as one compact JSON document.

Belongs here: packing what the stages stored. Does not belong here: measuring (nothing is computed anew; exchanged sides are put back by
the same `swaps.repaired` as in the stills), drawing (static/stage.js), the route (`routes`).

Times are presentation seconds after the first shown frame, packed as whole microseconds: the first, then the steps. Places are pixels of
the upright picture in units of `unit_px`, packed as little-endian 16-bit integers in base64; `MISSING` where nobody was found.
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.documents import AnalysisResults, Delivery, Series
from cricksy_pipeline.analysis.landmarks import INDEX, Landmarks
from cricksy_pipeline.analysis.metrics.uncertainty import Z95
from cricksy_pipeline.analysis.swaps import repaired
from cricksy_pipeline.reading.drawing.broken_time import BrokenTime
from cricksy_pipeline.reading.drawing.pictures import BONES, LEFT_RGB, MIDDLE_RGB, RIGHT_RGB, RING_RGB, SHADOW_RGB, SURE
from cricksy_pipeline.reading.drawing.plots import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH
from cricksy_pipeline.reading.notation import clock, decimals, unit_text, words

FORMAT = 1
MISSING = -32768
_STEPS = 8192
"""Steps to the longer side of the picture: a quarter of a pixel at 1920, and landmarks may lie four pictures outside."""
LINK_S = 0.15
"""Between two sampled frames further apart than this nothing is drawn. House default: the grid of the deep pass steps by 0.1 s."""

_JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_DRAWN = sorted({INDEX["nose"], *(end for a, b, _ in BONES for end in (a, b))})
_NAMES = {number: name for name, number in INDEX.items()}
_COLOUR_NAMES = {LEFT_RGB: "left", RIGHT_RGB: "right", MIDDLE_RGB: "middle"}


def playback_document(results: AnalysisResults | None, landmarks: Landmarks, frame_t_s: np.ndarray) -> dict[str, Any]:
    """The document, ready for JSON.

    Args:
        results: gives deliveries and series; None where a job has landmarks and no results yet.
        landmarks: of the chosen player, as stored.
        frame_t_s: (n,) presentation time of every frame of the video, seconds.
    """
    block = results.metrics if results else None
    return {
        "format": FORMAT,
        "width": landmarks.width,
        "height": landmarks.height,
        "frames_us": packed_times(frame_t_s),
        "pose": _pose(landmarks),
        "look": _look(),
        "deliveries": [_delivery(ball) for ball in block.deliveries] if block else [],
        "plot": {"width": WIDTH, "height": HEIGHT, "top": TOP, "bottom": HEIGHT - BOTTOM},
        "series": {name: _series(each) for name, each in block.series.items() if any(v is not None for v in each.value)} if block else {},
    }


def as_bytes(document: Mapping[str, Any]) -> bytes:
    """The document as gzip of compact JSON; the same bytes for the same document."""
    return gzip.compress(json.dumps(document, separators=(",", ":"), allow_nan=False).encode(), 6, mtime=0)


def packed_times(t_s: np.ndarray) -> dict[str, Any]:
    """`first` and `steps` in whole microseconds; rounding errors do not add up."""
    us = np.round(np.asarray(t_s, np.float64) * 1e6).astype(np.int64)
    return {"first": int(us[0]) if len(us) else 0, "steps": np.diff(us).tolist(), "count": len(us)}


def linked(landmarks: Landmarks) -> np.ndarray:
    """(n,) bool: whether the body may be drawn between this sampled frame and the next: both found, one shot, not far apart in time."""
    joined = np.zeros(len(landmarks), bool)
    if len(landmarks) > 1:
        found, shot = landmarks.found, landmarks.shot
        joined[:-1] = found[:-1] & found[1:] & (shot[:-1] == shot[1:]) & (np.diff(landmarks.t_s) <= LINK_S)
    return joined


def _pose(landmarks: Landmarks) -> dict[str, Any]:
    marks = repaired(landmarks) if len(landmarks) else landmarks
    unit = max(landmarks.width, landmarks.height) / _STEPS
    xy = marks.xy[:, _DRAWN].astype(np.float64)
    steps = np.where(np.isfinite(xy), np.clip(np.round(np.nan_to_num(xy) / unit), MISSING + 1, -MISSING - 1), MISSING)
    # Rounded down, so that what was not sure does not look sure.
    seen = np.floor(np.clip(np.nan_to_num(marks.visibility[:, _DRAWN].astype(np.float64)), 0, 1) * 255)
    return {
        "points": [_NAMES[number] for number in _DRAWN],
        "t_us": packed_times(marks.t_s),
        "linked": "".join("1" if one else "0" for one in linked(marks)),
        "unit_px": unit,
        "missing": MISSING,
        "xy": _base64(steps.astype("<i2")),
        "visibility": _base64(seen.astype(np.uint8)),
    }


def _look() -> dict[str, Any]:
    """How the stills draw a body, so that the page draws it so too. `sure` as in `visibility`, 0 to 255."""
    place = {number: i for i, number in enumerate(_DRAWN)}
    sides = (("left", LEFT_RGB), ("right", RIGHT_RGB))
    joints = [[place[INDEX[f"{side}_{joint}"]], side] for side, _ in sides for joint in _JOINTS]
    colours = {"left": LEFT_RGB, "right": RIGHT_RGB, "middle": MIDDLE_RGB, "ring": RING_RGB, "shadow": SHADOW_RGB}
    return {
        "sure": math.ceil(SURE * 255),
        "bones": [[place[a], place[b], _COLOUR_NAMES[colour]] for a, b, colour in BONES],
        "joints": [*joints, [place[INDEX["nose"]], "middle"]],
        "feet": [place[INDEX[f"{side}_{part}"]] for side, _ in sides for part in ("ankle", "heel", "foot_index")],
        "colours": {name: f"rgb({r} {g} {b})" for name, (r, g, b) in colours.items()},
    }


def _delivery(ball: Delivery) -> dict[str, Any]:
    events = [
        {"name": e.name, "label": words(e.name), "t_s": e.t_s, "half95_s": round(Z95 * e.sigma_s, 4), "clock": clock(e.t_s)}
        for e in ball.events
    ]
    return {"delivery": ball.delivery, "start_s": ball.start_s, "end_s": ball.end_s, "events": events}


def _series(series: Series) -> dict[str, Any]:
    """The readings, and where their times lie on the drawing that `plots.series_svg` makes of them: [from s, to s, from x, to x]."""
    parts = BrokenTime.over(series.t_s, LEFT + 4, WIDTH - RIGHT - 4).parts
    read = [v for v in series.value if v is not None]
    return {
        "label": series.label,
        "unit": unit_text(series.unit),
        "decimals": decimals(None, max(map(abs, read))),
        "t_us": packed_times(np.array(series.t_s)),
        "value": series.value,
        "axis": [[part.low, part.high, round(part.start, 2), round(part.end, 2)] for part in parts],
    }


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def unpacked_places(pose: Mapping[str, Any]) -> np.ndarray:
    """(n, points, 2) pixels from a document's `pose`, NaN where nobody was found: the page's own decoder in Python."""
    steps = np.frombuffer(base64.b64decode(pose["xy"]), "<i2").reshape(-1, len(pose["points"]), 2)
    return np.where(steps == pose["missing"], np.nan, steps * pose["unit_px"])


def unpacked_times(packed: Mapping[str, Any]) -> np.ndarray:
    """(n,) seconds from `packed_times`."""
    if not packed["count"]:
        return np.zeros(0)
    return _running(packed["first"], packed["steps"]) / 1e6


def _running(first: int, steps: Sequence[int]) -> np.ndarray:
    return np.concatenate([[first], first + np.cumsum(np.array(steps, np.int64))]).astype(np.float64)
