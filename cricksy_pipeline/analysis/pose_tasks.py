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
from cricksy_pipeline.analysis.video_index import FrameIndex, VideoLimits, index_video

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


def _subject(request: Message, say: Say) -> Message:
    from cricksy_pipeline.analysis.probe import find_subject

    subject = find_subject(Path(request.header["video"]), index_of(request), Path(request.header["model"]))
    return Message({"subject": asdict(subject)})


def _pose(request: Message, say: Say) -> Message:
    """Landmarks of `frames`, in full-resolution upright pixels; the first `warm_up` frames only bring the landmarker up to speed."""
    from cricksy_pipeline.analysis.blazepose import BlazePose

    index, frames, warm_up = index_of(request), request.arrays["frames"], request.header["warm_up"]
    region = Region(**request.header["region"]) if request.header["region"] else Region(0, 0, index.info.width, index.info.height)
    place = {int(frame): at - warm_up for at, frame in enumerate(frames)}
    out = np.full((len(frames) - warm_up, 33, 8), np.nan, np.float32)
    pictures = read_frames(
        Path(request.header["video"]), index, frames, short_side=POSE_SHORT_SIDE, region=region if request.header["region"] else None
    )
    with BlazePose(Path(request.header["model"]), follow=True) as pose:
        for picture in pictures:
            people = pose.estimate(picture.image, picture.t_s)
            at = place[picture.frame]
            if at < 0:
                continue
            if people:
                out[at] = people[0]
            say({"done": at + 1})
    xy = out[:, :, :2] * np.float32((region.width, region.height)) + np.float32((region.x, region.y))
    return Message(
        {},
        {
            "xy": xy,
            "z": out[:, :, 2] * np.float32(region.width),
            "visibility": out[:, :, 3],
            "presence": out[:, :, 4],
            "world": out[:, :, 5:],
        },
    )


TASKS: dict[str, Task] = {"index": _index, "stills": _stills, "subject": _subject, "pose": _pose}
