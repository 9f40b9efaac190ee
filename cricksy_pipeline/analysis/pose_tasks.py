"""The tasks of the child process.

Belongs here: `TASKS`, each from a request message to a result message. Does not belong here: the loop around them (`task_loop`), what the
parent makes of the results (`pose`).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.messages import Message
from cricksy_pipeline.analysis.task_loop import Say, Task
from cricksy_pipeline.analysis.video_frames import Region, read_frames
from cricksy_pipeline.analysis.video_index import FrameIndex, index_video
from cricksy_pipeline.analysis.video_limits import VideoLimits
from cricksy_pipeline.errors import CricksyError, ErrorCode

POSE_SHORT_SIDE = 720
"""BlazePose's cost barely depends on the size of the picture; the landmark network cuts 256 pixels out of it around the player."""


def index_message(index: FrameIndex, header: dict[str, Any], arrays: dict[str, np.ndarray] | None = None) -> Message:
    """A message that carries an index beside other things."""
    return Message({**header, "index": index.header()}, {**(arrays or {}), "t_s": index.t_s, "pts": index.pts, "keyframe": index.keyframe})


def index_of(message: Message) -> FrameIndex:
    """The index that a message carries."""
    return FrameIndex.from_parts(message.header["index"], *(message.arrays[name] for name in ("t_s", "pts", "keyframe")))


def _index(request: Message, say: Say) -> Message:
    return index_message(index_video(Path(request.header["video"]), VideoLimits(**request.header["limits"])), {})


def _stills(request: Message, say: Say) -> Message:
    frames = read_frames(
        Path(request.header["video"]), index_of(request), request.arrays["frames"], short_side=request.header["short_side"]
    )
    return Message({}, {str(f.frame): f.image for f in frames})


def _first_still(request: Message, say: Say) -> Message:
    """The first of the `frames` that decodes."""
    path, index = Path(request.header["video"]), index_of(request)
    for frame in request.arrays["frames"]:
        try:
            for picture in read_frames(path, index, [frame], short_side=request.header["short_side"]):
                return Message({"frame": picture.frame}, {"image": picture.image})
        except CricksyError as error:
            if error.code != ErrorCode.VIDEO_CORRUPT:
                raise
    raise CricksyError(ErrorCode.VIDEO_CORRUPT, "No picture of the video can be decoded; the file is damaged.")


def _subject(request: Message, say: Say) -> Message:
    from cricksy_pipeline.analysis.probe import find_subject

    subject = find_subject(Path(request.header["video"]), index_of(request), Path(request.header["model"]))
    return Message({"subject": asdict(subject)})


def _pose(request: Message, say: Say) -> Message:
    """Landmarks of those `frames` that are to `keep`, in full-resolution upright pixels; the others only help the landmarker to follow."""
    from cricksy_pipeline.analysis.blazepose import BlazePose

    index, frames, keep = index_of(request), request.arrays["frames"], request.arrays["keep"]
    region = Region(**request.header["region"]) if request.header["region"] else None
    row = {int(frame): at for at, frame in enumerate(frames[keep])}
    found = np.full((len(row), 33, 8), np.nan, np.float32)
    with BlazePose(Path(request.header["model"]), follow=True) as pose:
        for picture in read_frames(Path(request.header["video"]), index, frames, short_side=POSE_SHORT_SIDE, region=region):
            people = pose.estimate(picture.image, picture.t_s)
            at = row.get(picture.frame)
            if at is None:
                continue
            if people:
                found[at] = people[0]
            say({"done": at + 1})
    return Message({}, _in_pixels(found, region or Region(0, 0, index.info.width, index.info.height)))


def _in_pixels(found: np.ndarray, region: Region) -> dict[str, np.ndarray]:
    """(n, 33, 8) shares of a region (`blazepose.COLUMNS`) as the arrays of `Landmarks`."""
    size, corner = np.float32((region.width, region.height)), np.float32((region.x, region.y))
    return {
        "xy": found[:, :, :2] * size + corner,
        "z": found[:, :, 2] * size[0],
        "visibility": found[:, :, 3],
        "presence": found[:, :, 4],
        "world": found[:, :, 5:],
    }


TASKS: dict[str, Task] = {"index": _index, "stills": _stills, "first_still": _first_still, "subject": _subject, "pose": _pose}
