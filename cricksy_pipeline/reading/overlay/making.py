"""Overlay videos from outside the process that dares to open the source.

Belongs here: what the drawing process is told, and what it made. Does not belong here: drawing (`tasks`), where results are kept
(`orchestration`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.isolation import run_task
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.analysis.pose_tasks import index_message
from cricksy_pipeline.analysis.subject import Subject
from cricksy_pipeline.analysis.swaps import repaired
from cricksy_pipeline.analysis.video_index import FrameIndex
from cricksy_pipeline.reading.overlay.bystanders import LOOK
from cricksy_pipeline.reading.overlay.faces import FaceSettings
from cricksy_pipeline.reading.overlay.script import Script
from cricksy_pipeline.reading.overlay.style import LOOK_VERSION, STYLE

CHILD_MODULE = "cricksy_pipeline.reading.overlay.process"


@dataclass(frozen=True)
class Films:
    """What was made.

    Attributes:
        overlay: the whole video.
        clips: by number of the ball.
        pictures: how many of the source are in the overlay.
        width, height: of all films, pixels.
        cpu_s, peak_bytes: of the drawing process.
    """

    overlay: Path
    clips: dict[int, Path]
    pictures: int
    width: int
    height: int
    cpu_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Drawing:
    """All that overlay videos are drawn from, but for the source itself.

    Attributes:
        index: the source's frames.
        landmarks: as found; sides are put right here.
        subject: who was chosen, and who else was seen.
        script: what is said when.
        blur_faces: by which networks everyone's heads are found, to be made unrecognisable; None: faces are shown.
    """

    index: FrameIndex
    landmarks: Landmarks
    subject: Subject
    script: Script
    blur_faces: PoseModel | None

    def fingerprint(self, source_sha256: str) -> str:
        """SHA-256 of everything that the films follow from: equal ones look alike."""
        digest = hashlib.sha256()
        told = [LOOK_VERSION, repr(STYLE), source_sha256, self.script.as_json(), self.blur_faces is not None]
        if self.blur_faces:
            told += [self.blur_faces.sha256, repr(FaceSettings()), repr(LOOK), self.subject.as_json()]
        digest.update(json.dumps(told, sort_keys=True).encode())
        for name in ("t_s", "xy", "visibility", "shot"):
            digest.update(np.ascontiguousarray(getattr(self.landmarks, name)).tobytes())
        return digest.hexdigest()


def make_films(video: Path, drawing: Drawing, into: Path, on_progress: Callable[[int, int], None] = lambda done, of: None) -> Films:
    """Draw the overlay and a clip of each ball, in a process of its own.

    Args:
        video: the file that the index was made from.
        into: an empty folder.
        on_progress: told the pictures done and those there are.

    Raises:
        CricksyError: VIDEO_CORRUPT where too many pictures cannot be decoded, POSE_CRASHED where the process dies.
    """
    marks = repaired(drawing.landmarks) if len(drawing.landmarks) else drawing.landmarks
    player = drawing.subject.player
    people = [person.path for person in drawing.subject.people]
    header = {
        "video": str(video),
        "into": str(into),
        "script": drawing.script.as_json(),
        "blur_faces": drawing.blur_faces is not None,
        "model": str(drawing.blur_faces.path) if drawing.blur_faces else None,
        "people": people,
        "chosen": drawing.subject.people.index(player) if player else None,
    }
    arrays = {"seen_t_s": marks.t_s, "xy": marks.xy, "visibility": marks.visibility, "shot": marks.shot}
    request = index_message(drawing.index, header, arrays)
    pictures = len(drawing.index)
    answer = run_task(
        "render", request.header, request.arrays, on_progress=lambda said: on_progress(said["done"], pictures), module=CHILD_MODULE
    ).header
    on_progress(pictures, pictures)
    return Films(
        overlay=into / answer["overlay"],
        clips={int(number): into / name for number, name in answer["clips"].items()},
        pictures=answer["pictures"],
        width=answer["width"],
        height=answer["height"],
        cpu_s=answer["cpu_s"],
        peak_bytes=answer["peak_bytes"],
    )
