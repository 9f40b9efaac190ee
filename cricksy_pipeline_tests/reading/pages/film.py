"""A film whose every frame says its own number, and a body of known places to draw over it.

Belongs here: what the browser tests play. Does not belong here: the browser (`conftest`), documents (`sample_documents`).
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.landmarks import BURST, GRID_DEEP, INDEX, Landmarks
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.video_index import FrameIndex
from cricksy_pipeline.sample.video_file import write_video
from cricksy_pipeline_tests.reading.sample_documents import CONTACTS

WIDTH, HEIGHT = 320, 180
SCALE = 6
"""The documents tell of a picture of 1920 by 1080."""
BITS, BLOCK = 10, 32
SECONDS = 13.0
LOST = (8.0, 9.0)
"""Seconds between which nobody is found."""

BODY = {
    "nose": (960, 240), "shoulder": (960, 340), "elbow": (1000, 470), "wrist": (1040, 580), "index": (1050, 610), "hip": (950, 600),
    "knee": (970, 760), "ankle": (950, 920), "heel": (935, 935), "foot_index": (1000, 940),
}  # fmt: skip
"""Pixels of the right side; the left is 60 to the left of it."""


def write_counting_film(path: Path, *, starts_at_s: float = 0.0) -> None:
    """H.264, frames by turns 20 and 60 ms long, each with its number in `BITS` white or black blocks across the top.

    Args:
        starts_at_s: the container's clock at the first frame: it need not begin at zero.
    """
    steps = np.tile([20, 60], round(SECONDS / 0.08))
    ticks = round(starts_at_s * 1000) + np.concatenate([[0], np.cumsum(steps)])
    write_video(path, (_frame(number) for number in range(len(ticks))), ticks, Fraction(1, 1000), crf=26, quick=True)


def _frame(number: int) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH), 96, np.uint8)
    for bit in range(BITS):
        image[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 16
    return image


def landmarks_of(index: FrameIndex) -> Landmarks:
    """The body in the frames of the deep grid, and in every frame around the contacts; it stands still, and is lost for a second."""
    near = np.abs(index.t_s[:, None] - np.array(CONTACTS)).min(axis=1) < 0.5
    plan = plan_sampling(index)
    frame = np.union1d(plan.deep, np.flatnonzero(near))
    t_s = index.t_s[frame]
    xy = np.repeat(body_places()[None], len(frame), axis=0).astype(np.float32)
    xy[(t_s > LOST[0]) & (t_s < LOST[1])] = np.nan
    visibility = np.full((len(frame), 33), 0.95, np.float32)
    visibility[:, [INDEX["left_wrist"], INDEX["left_index"]]] = 0.2
    visibility[np.isnan(xy[:, 0, 0])] = np.nan
    n = len(frame)
    return Landmarks(
        frame=frame.astype(np.int64),
        t_s=t_s,
        source=np.where(np.isin(frame, plan.deep), GRID_DEEP, BURST).astype(np.uint8),
        xy=xy,
        z=np.zeros((n, 33), np.float32),
        visibility=visibility,
        presence=visibility.copy(),
        world=np.zeros((n, 33, 3), np.float32),
        width=WIDTH * SCALE,
        height=HEIGHT * SCALE,
    )


def body_places() -> np.ndarray:
    """(33, 2) pixels of a picture of 1920 by 1080."""
    places = np.zeros((33, 2))
    for name, number in INDEX.items():
        side, _, part = name.partition("_")
        at = BODY.get(name) or BODY.get(part) or BODY["nose"]
        places[number] = (at[0] - 60, at[1]) if side == "left" and part in BODY else at
    return places
