"""The tasks of the child process.

Belongs here: `TASKS`, each from a request message to a result message. Does not belong here: the loop around them (`task_loop`), what the
parent makes of the results (`pose`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cricksy_pipeline.analysis.appearance import colours_of
from cricksy_pipeline.analysis.camera_motion import CameraWatch
from cricksy_pipeline.analysis.following import Follower, Trail
from cricksy_pipeline.analysis.landmarks import NOT_DOUBTED, REFUSED, REGAINED
from cricksy_pipeline.analysis.messages import Message
from cricksy_pipeline.analysis.registration import CameraSettings
from cricksy_pipeline.analysis.sound import listen
from cricksy_pipeline.analysis.task_loop import Say, Task
from cricksy_pipeline.analysis.video_frames import Picture, Region, one_ahead, read_frames, read_pictures
from cricksy_pipeline.analysis.video_index import FrameIndex, index_video
from cricksy_pipeline.analysis.video_limits import VideoLimits
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.loading import return_large_blocks

if TYPE_CHECKING:
    from cricksy_pipeline.analysis.blazepose import BlazePose

MOST_IN_CROWD = 3
"""So many people are told apart in a cut-out in which BlazePose follows somebody else."""

MOST_HIDDEN = 0.25
"""Somebody is painted over only where he lies on no more than this share of where the player must be. House default, uncalibrated."""

LEAST_SIDE = 300
"""A smaller cut-out is enlarged smoothly: the detector finds more in it (measured: 15 of 29 pictures of a bowler of 62 pixels, not 8)."""

TOLD_EVERY_S = 0.2
"""So often the parent hears how far a look has come: each time costs both of them a third of a millisecond."""

KEPT_BYTES = 4 * 1024**2
"""The picture of a look, 2 MB, is given back to the heap and taken from it ten times a second of the video; the kernel would clear its
pages each time, a seventh of what a look costs."""

POSE_SHORT_SIDE = 720
"""BlazePose's cost barely depends on the size of the picture; the landmark network cuts 256 pixels out of it around the player."""


def index_message(index: FrameIndex, header: dict[str, Any], arrays: dict[str, np.ndarray] | None = None) -> Message:
    """A message that carries an index beside other things."""
    return Message({**header, "index": index.header()}, {**(arrays or {}), "t_s": index.t_s, "pts": index.pts, "keyframe": index.keyframe})


def index_of(message: Message) -> FrameIndex:
    """The index that a message carries."""
    return FrameIndex.from_parts(message.header["index"], *(message.arrays[name] for name in ("t_s", "pts", "keyframe")))


def _prepare(request: Message, say: Say) -> Message:
    """Imports what the other tasks need."""
    import av

    from cricksy_pipeline.analysis.blazepose import landmarker_module

    landmarker_module()
    return Message({"av": av.__version__})


def _index(request: Message, say: Say) -> Message:
    path = Path(request.header["video"])
    index = index_video(path, VideoLimits(**request.header["limits"]))
    return index_message(replace(index, onsets=listen(path, index)), {})


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

    video, model = (Path(request.header[name]) for name in ("video", "model"))
    said = {name: request.header[name] for name in ("mode", "asked", "threads", "device")}
    subject = find_subject(video, index_of(request), model, **said)
    return Message({"subject": asdict(subject)})


def _pose(request: Message, say: Say) -> Message:
    """Landmarks of those `frames` that are to `keep`, in full-resolution upright pixels; the others only help to follow.

    What the camera does is told of all `frames`, so that chunks can be joined where they overlap.
    """
    from cricksy_pipeline.analysis.blazepose import BlazePose

    return_large_blocks(KEPT_BYTES)
    model, device = Path(request.header["model"]), request.header["device"]
    with ExitStack() as open_until_done:
        pose = open_until_done.enter_context(BlazePose(model, follow=True, device=device))
        look = _Look(request, lambda: open_until_done.enter_context(BlazePose(model, follow=False, people=MOST_IN_CROWD, device=device)))
        told_at = time.monotonic()
        video, loop_filter = Path(request.header["video"]), request.header["loop_filter"]
        for picture in one_ahead(read_pictures(video, look.index, look.frames, loop_filter=loop_filter)):
            look.at(pose, picture)
            if time.monotonic() - told_at >= TOLD_EVERY_S:
                told_at = time.monotonic()
                say({"done": look.kept_until(picture.frame)})
    return look.result()


class _Look:
    """What one chunk's look has seen so far."""

    def __init__(self, request: Message, crowd: Callable[[], BlazePose]) -> None:
        self._open_crowd, self._crowd = crowd, None
        self.index, self.frames = index_of(request), request.arrays["frames"]
        info = self.index.info
        self._keep = request.arrays["keep"]
        self._row = {int(frame): row for row, frame in enumerate(self.frames)}
        self._found = np.full((len(self.frames), 33, 8), np.nan, np.float32)
        self._doubt = np.full(len(self.frames), NOT_DOUBTED, np.uint8)
        self._whole = Region(0, 0, info.width, info.height)
        self._watch = CameraWatch(info.width, info.height)
        self._follower = _follower(request, info.width, info.height)
        self._box: tuple[float, float, float, float] | None = None
        self._had, self._lost = False, False

    def at(self, pose: BlazePose, picture: Picture) -> None:
        """Look at one picture: what the camera did, where the player must be, who is there."""
        row = self._row[picture.frame]
        shot = self._watch.shot
        self._watch.look(picture.frame, picture.t_s, picture.grey(CameraSettings.long_side), [self._box] if self._box else [])
        if self._watch.shot != shot:
            self._lose(pose)
        region = self._follower.framing.region(picture.t_s) if self._follower else self._whole
        image = picture.image(POSE_SHORT_SIDE, region if self._follower else None, LEAST_SIDE)
        people = pose.estimate(image, picture.t_s)
        if not people:
            self._lost = True
            if self._follower:
                self._follower.framing.missed(picture.t_s)
            return
        person, follower = people[0], self._follower
        if follower:
            box, colours = _seen(image, region, person)
            if not follower.is_he(picture.t_s, box, colours):
                him = self._among_all(image, region, picture.t_s)
                if him is not None:
                    pose.forget()
                    person, self._lost = him, True
                    box, colours = _seen(image, region, person)
            if refused := follower.judge(row, picture.t_s, box, colours):
                self._found[refused], self._doubt[refused] = np.nan, REFUSED
                self._lose(pose)
                return
        self._found[row] = _in_pixels(person, region)
        self._box = _box_of(self._found[row, :, :2])
        if self._lost and self._had:
            self._doubt[row] = REGAINED
        self._had, self._lost = True, False

    def _among_all(self, image: np.ndarray, region: Region, t_s: float) -> np.ndarray | None:
        """The player among everyone in the picture, where BlazePose follows somebody else; None where he is not to be seen.

        The detector often finds only the larger of two: whoever is not he, and hides little of where he must be, is painted over once.
        """
        self._crowd = self._crowd or self._open_crowd()
        for last in (False, True):
            everyone = self._crowd.estimate(image)
            seen = [_seen(image, region, person) for person in everyone]
            likely = [(self._follower.away(t_s, seen[at][0]), at) for at in range(len(seen)) if self._follower.is_he(t_s, *seen[at])]
            if likely:
                return everyone[min(likely)[1]]
            aside = [box for box, _ in seen if self._follower.hidden_by(t_s, box) < MOST_HIDDEN]
            if last or not aside:
                return None
            image = _painted_over(image, region, aside)
        return None

    def kept_until(self, frame: int) -> int:
        """How many wanted frames are done."""
        return int(self._keep[: self._row[frame] + 1].sum())

    def result(self) -> Message:
        """Everything seen."""
        found, path = self._found[self._keep], self._watch.path()
        return Message(
            {},
            {
                "xy": found[:, :, :2],
                "z": found[:, :, 2],
                "visibility": found[:, :, 3],
                "presence": found[:, :, 4],
                "world": found[:, :, 5:],
                "doubt": self._doubt[self._keep],
                "watched": path.frame,
                "watched_shot": path.shot,
                "watched_moved": path.moved,
            },
        )

    def _lose(self, pose: BlazePose) -> None:
        pose.forget()
        self._lost, self._box = True, None
        if self._follower:
            self._follower.framing.given_up()


def _follower(request: Message, width: int, height: int) -> Follower | None:
    """Who is followed; None where nobody is known, and the whole picture is looked at."""
    said = request.header["subject"]
    if said is None:
        return None
    trail = Trail(*(request.arrays[f"trail_{name}"] for name in ("t_s", "box", "shot")), colours=said["colours"] and tuple(said["colours"]))
    others = [Trail.of(other["path"], other["colours"]) for other in said["others"]]
    return Follower(trail, others, width, height)


def _seen(image: np.ndarray, region: Region, person: np.ndarray) -> tuple[tuple[float, float, float, float], tuple[float, ...] | None]:
    """Box in upright pixels, and colours, of somebody found in a cut-out."""
    colours = colours_of(image, person[:, :2] * (image.shape[1], image.shape[0]))
    return _box_of(_in_pixels(person, region)[:, :2]), colours


def _painted_over(image: np.ndarray, region: Region, boxes: list[tuple[float, float, float, float]]) -> np.ndarray:
    """The cut-out with these people (boxes in upright pixels) under its mean colour."""
    painted, scale = image.copy(), image.shape[1] / region.width
    for x, y, width, height in boxes:
        top, left = (max(0, int(value * scale)) for value in (y - region.y - 0.1 * height, x - region.x))
        bottom, right = (int(np.ceil(value * scale)) for value in (y - region.y + 1.05 * height, x - region.x + width))
        painted[top : max(top, bottom), left : max(left, right)] = image.mean(axis=(0, 1)).astype(np.uint8)
    return painted


def _box_of(xy: np.ndarray) -> tuple[float, float, float, float]:
    low, high = xy.min(axis=0), xy.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _in_pixels(found: np.ndarray, region: Region) -> np.ndarray:
    """(33, 8) shares of a region (`blazepose.COLUMNS`) with x, y and z in pixels of the upright picture."""
    pixels = found.copy()
    pixels[:, :2] = found[:, :2] * np.float32((region.width, region.height)) + np.float32((region.x, region.y))
    pixels[:, 2] = found[:, 2] * np.float32(region.width)
    return pixels


TASKS: dict[str, Task] = {
    "prepare": _prepare,
    "index": _index,
    "stills": _stills,
    "first_still": _first_still,
    "subject": _subject,
    "pose": _pose,
}
