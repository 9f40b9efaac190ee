"""Landmarks of the player in chosen frames; and the other looks into a video, each from outside the process that dares to open it.

Belongs here: cutting the work into chunks, handing them to child processes, putting the results together. Does not belong here: what a
child does (`pose_tasks`), starting and ending children (`isolation`), which frames (`sampling`), whom to follow (`subject`).
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.camera_motion import CameraPath, joined
from cricksy_pipeline.analysis.following import Trail
from cricksy_pipeline.analysis.isolation import Children, Worker, kept_or_own
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.messages import Message
from cricksy_pipeline.analysis.model import PoseModel
from cricksy_pipeline.analysis.on_disk import on_disk
from cricksy_pipeline.analysis.pose_tasks import index_message, index_of
from cricksy_pipeline.analysis.sampling import QUICK_FPS, QUICK_SECONDS, grid_frames
from cricksy_pipeline.analysis.subject import Subject
from cricksy_pipeline.analysis.video_index import FrameIndex
from cricksy_pipeline.analysis.video_limits import VideoLimits
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.loading import trim_heap

CHUNK_S = 90.0
"""A chunk is at most so long: long against what warms it up, short against a session."""

WARM_UP_S = 0.5
"""So long before a wanted frame the landmarker starts to look: BlazePose follows and smooths, and its state does not survive a jump. After
half a second and after a whole one a burst's landmarks differ by 0.3 % of his height (median), at its beginning as at its end."""

FOLLOW_FPS = 10.0
"""At least so often the landmarker looks, whatever is wanted. At 5 fps it loses a fast bowler in 4 of 12 frames that it holds at 10 fps,
and a tenth of hands and feet lies 16 % of his height off. It also makes the frames of the quick pass and those that the deep pass adds
the same bits as one run."""

MANY_FRAMES = 6_000
"""With the landmarks of so many frames in memory (ten minutes of the grid) a look ends its processes, 0.15 GB each, when it is through:
what handles the landmarks next needs several copies of them, and new processes cost less than a hundredth of such a look."""

FIRST_STILL_TRIES = 4
"""So many keyframes beside the first are tried for a picture to show: damage may well begin at the beginning."""

Progress = Callable[[int, int], None]
"""Called with the frames done and the frames wanted; the first only grows."""


@dataclass(frozen=True)
class SeenBefore:
    """What an earlier look into a clip tells the next: a fifteenth of its landmarks, which need not stay in memory for that.

    Attributes:
        camera: its frames, and what the camera did in them.
        trail: where the player was found; None where he never was.
    """

    camera: CameraPath
    trail: Trail | None

    @classmethod
    def of(cls, landmarks: Landmarks) -> SeenBefore:
        """Of these landmarks."""
        camera, seen = CameraPath(landmarks.frame, landmarks.shot, landmarks.camera), landmarks.found
        if not seen.any():
            return cls(camera, None)
        low, high = landmarks.xy.min(axis=1)[seen], landmarks.xy.max(axis=1)[seen]
        box = np.concatenate([low, high - low], axis=1).astype(float)
        return cls(camera, Trail(landmarks.t_s[seen], box, landmarks.shot[seen].astype(int)))


# Each function takes the run's `children`, where it keeps some; without them it starts and ends its own.


def inspect_video(path: Path, limits: VideoLimits | None = None, *, children: Children | None = None) -> FrameIndex:
    """`video.index_video` in a process of its own. Raises what that raises, and CricksyError POSE_CRASHED where the file crashes the
    reader."""
    with kept_or_own(children) as kept:
        return index_of(kept.call("index", {"video": str(path), "limits": asdict(limits or VideoLimits())}))


def read_stills(
    path: Path, index: FrameIndex, frames: np.ndarray, short_side: int | None = None, *, children: Children | None = None
) -> list[np.ndarray]:
    """The pictures of some frames, in the order asked for, each (h, w, 3) uint8 RGB, upright, at most `short_side` pixels on the shorter
    side.

    Raises:
        CricksyError: VIDEO_CORRUPT where any of them cannot be decoded; POSE_CRASHED where the file crashes the decoder.
    """
    frames = np.asarray(frames, np.int64)
    if not len(frames):
        return []
    request = index_message(index, {"video": str(path), "short_side": short_side}, {"frames": frames})
    with kept_or_own(children) as kept:
        pictures = kept.call("stills", request.header, request.arrays).arrays
    missing = [int(frame) for frame in frames if str(frame) not in pictures]
    if missing:
        raise CricksyError(ErrorCode.VIDEO_CORRUPT, f"Frame {missing[0]} cannot be decoded; the file is damaged.")
    return [pictures[str(frame)] for frame in frames]


def read_first_still(path: Path, index: FrameIndex, *, short_side: int | None, children: Children | None = None) -> tuple[int, np.ndarray]:
    """The first picture that there is: (frame number, (h, w, 3) uint8 RGB, upright, at most `short_side` pixels on the shorter side).

    A recording that was cut, or begun by a camcorder, between two keyframes is sound, but its first frames cannot be decoded. Tried are
    frame 0, the first keyframe, and keyframes spread over the clip.

    Raises:
        CricksyError: VIDEO_CORRUPT where none of them can be decoded; POSE_CRASHED where the file crashes the decoder.
    """
    keys = np.flatnonzero(index.keyframe) if index.keyframe.any() else np.arange(len(index))
    spread = keys[np.linspace(0, len(keys) - 1, 1 + FIRST_STILL_TRIES).round().astype(int)]
    candidates = np.unique(np.append(spread, 0)).astype(np.int64)
    request = index_message(index, {"video": str(path), "short_side": short_side}, {"frames": candidates})
    with kept_or_own(children) as kept:
        answer = kept.call("first_still", request.header, request.arrays)
    return answer.header["frame"], answer.arrays["image"]


def find_subject(
    video: Path,
    index: FrameIndex,
    *,
    model: PoseModel,
    mode: str,
    asked: int | None = None,
    workers: int = 1,
    children: Children | None = None,
) -> Subject:
    """Whom to follow, from a glance over the clip (see `probe`).

    Args:
        video: the file that `index` was made from.
        mode: what was filmed, e.g. "bowling".
        asked: number of the player among the people, where whoever asks for the analysis names him.
        workers: cores to use; any number gives the same answer.

    Raises CricksyError as `estimate_pose` does; OPTIONS_INVALID where there is no such person.
    """
    request = index_message(index, {**_footage(video, model), "mode": str(mode), "asked": asked, "threads": workers})
    with kept_or_own(children) as kept:
        return Subject.from_json(kept.call("subject", request.header, request.arrays).header["subject"])


def estimate_pose(
    video: Path,
    index: FrameIndex,
    frames: np.ndarray,
    source: np.ndarray,
    *,
    model: PoseModel,
    subject: Subject | None = None,
    known: SeenBefore | None = None,
    loop_filter: bool = True,
    workers: int = 2,
    chunk_s: float = CHUNK_S,
    on_progress: Progress | None = None,
    children: Children | None = None,
) -> Landmarks:
    """One subject's landmarks in the given frames, in full-resolution upright pixels.

    The frames are cut into chunks of the clip's timeline, never by the number of workers: any number of workers gives the same bits.
    Between wanted frames that lie far apart, others are looked at to follow the player, and forgotten.

    Args:
        video: the file that `index` was made from.
        index: its frames.
        frames: (n,) frame numbers, strictly increasing.
        source: (n,) uint8, why each is sampled (`landmarks.GRID_QUICK` ...); passed through.
        model: the bundle.
        subject: whom to follow; None: whoever is found in the whole picture.
        known: what was seen of the clip before: shots and camera are told on from there, and where he was found is where he is looked for.
        loop_filter: False decodes faster and less exactly (`video_frames.read_pictures`).
        workers: processes at most; one per chunk suffices.
        chunk_s: length of a chunk in seconds of the clip.
        on_progress: told as wanted frames are done, a few times a second, and at the end, from the calling thread.

    Raises:
        CricksyError: POSE_CRASHED where a process dies; VIDEO_CORRUPT where too many frames cannot be decoded; INTERNAL where a system
            library is missing or the process cannot be cut off from the network.
        ValueError: frames that do not increase, or a source of another length.
    """
    frames, source = np.asarray(frames, np.int64), np.asarray(source, np.uint8)
    if len(source) != len(frames) or (np.diff(frames) <= 0).any():
        raise ValueError("frames must strictly increase, and each needs its source")
    info = index.info
    if not len(frames):
        return Landmarks.empty(info.width, info.height)
    chunks = cut_into_chunks(index.t_s, frames, chunk_s)
    request = _pose_request(video, index, model, subject, known, loop_filter)
    trim_heap()  # what was freed on the way here, 60 MB after an hour's grid, is not held beside processes that look
    with kept_or_own(children, workers) as kept:
        parts = _run_chunks(kept, request, chunks, min(workers, len(chunks)), len(frames), on_progress or (lambda done, of: None))
        if len(frames) + (0 if known is None else len(known.camera.frame)) > MANY_FRAMES:
            kept.end_idle()
    names = ("xy", "z", "visibility", "presence", "world", "doubt")
    arrays = {name: np.concatenate([part.arrays[name] for part in parts]) for name in names}
    camera = _camera_of(parts, known).at(frames)
    return Landmarks(
        frame=frames,
        t_s=index.t_s[frames],
        source=source,
        width=info.width,
        height=info.height,
        shot=camera.shot,
        camera=camera.moved,
        **arrays,
    )


def _footage(video: Path, model: PoseModel) -> dict[str, str]:
    return {"video": str(video), "model": str(model.path), "device": model.device}


def _pose_request(
    video: Path, index: FrameIndex, model: PoseModel, subject: Subject | None, known: SeenBefore | None, loop_filter: bool
) -> Message:
    """What every chunk is told: the file, the networks, and where the player and the others were seen."""
    header = {**_footage(video, model), "subject": None, "loop_filter": loop_filter}
    player = subject.player if subject else None
    if player is None:
        return index_message(index, header)
    trail = Trail.of(player.path, player.colours)
    if known is not None and known.trail is not None:
        # The glance counts shots for itself: nothing is interpolated between its sightings and what was followed.
        trail = known.trail.joined(replace(trail, shot=-1 - trail.shot))
    others = [{"path": [list(point) for point in other.path], "colours": other.colours} for other in subject.others]
    header["subject"] = {"colours": player.colours, "others": others}
    return index_message(index, header, {"trail_t_s": trail.t_s, "trail_box": trail.box, "trail_shot": trail.shot})


def _camera_of(parts: Sequence[Message], known: SeenBefore | None) -> CameraPath:
    """What the camera did, the chunks told in each other's shots and places: where they overlap, they have looked at the same frames."""
    path = known.camera if known is not None else CameraPath.empty()
    found = CameraPath.empty()
    for part in parts:
        watched = CameraPath(*(part.arrays[name] for name in ("watched", "watched_shot", "watched_moved")))
        told = joined(path, watched)
        path, found = path.extended(told), found.extended(told)
    return found


@dataclass(frozen=True)
class Chunk:
    """What one landmarker looks at.

    Attributes:
        frames: (k,) int64 frame numbers, increasing.
        keep: (k,) bool, those that are wanted; the others only help it to follow.
    """

    frames: np.ndarray
    keep: np.ndarray


def cut_into_chunks(t_s: np.ndarray, frames: np.ndarray, chunk_s: float) -> list[Chunk]:
    """Stretches of the clip (`stretch_ends`) that hold any of the frames, each with what helps to follow up to them.

    Args:
        t_s: (n,) seconds of every frame of the video.
        frames: (k,) wanted frame numbers, increasing, at least one.
        chunk_s: longest stretch.
    """
    looks = np.union1d(grid_frames(t_s, FOLLOW_FPS), frames)
    stretch = np.searchsorted(stretch_ends(float(t_s[-1]), chunk_s), t_s[frames], side="right")
    chunks = []
    for own in np.split(frames, np.flatnonzero(np.diff(stretch)) + 1):
        following = np.searchsorted(own, looks)
        helps = following < len(own)
        helps[helps] = t_s[own[following[helps]]] - t_s[looks[helps]] <= WARM_UP_S
        chunks.append(Chunk(looks[helps], np.isin(looks[helps], own)))
    return chunks


def stretch_ends(end_s: float, chunk_s: float) -> np.ndarray:
    """(k,) seconds at which one stretch of a clip ends and the next begins; they follow from the clip's length alone.

    First the quick pass, which somebody waits for, in two halves (its last frame may be shown a little later, the first after it a little
    earlier than the grid says); then the rest in an even number of equal parts, so that two processes end at the same time: a short last
    one leaves a core idle for as long as the others are longer.
    """
    quick_s = min(chunk_s, QUICK_SECONDS)
    first_s = quick_s + 0.25 / QUICK_FPS
    parts = 2 * max(0, math.ceil((end_s - first_s) / (2 * chunk_s)))
    return np.concatenate([[quick_s / 2], np.linspace(first_s, max(end_s, first_s), parts + 1)[: max(parts, 1)]])


def _run_chunks(
    children: Children, request: Message, chunks: list[Chunk], workers: int, total: int, on_progress: Progress
) -> list[Message]:
    """The results of all chunks in order. Each worker process takes the longest chunk that nobody has; the first failure ends them all."""
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in sorted(range(len(chunks)), key=lambda number: -len(chunks[number].frames)):
        waiting.put(number)  # the longest first: what is taken last is what a core waits for at the end
    events: queue.SimpleQueue[tuple[int, int | Message | BaseException]] = queue.SimpleQueue()
    pool: list[Worker] = []
    stopping = threading.Event()

    def work() -> None:
        number = -1
        try:
            with children.one() as worker:
                pool.append(worker)
                while not stopping.is_set():
                    try:
                        number = waiting.get_nowait()
                    except queue.Empty:
                        return
                    chunk, at = chunks[number], number
                    arrays = {**request.arrays, "frames": chunk.frames, "keep": chunk.keep}
                    events.put((at, worker.call("pose", request.header, arrays, lambda said, at=at: events.put((at, said["done"])))))
        except BaseException as error:
            events.put((number, error))

    threads = [threading.Thread(target=work, name=f"pose worker {i}", daemon=True) for i in range(workers)]
    for thread in threads:
        thread.start()
    try:
        return _collect(events, len(chunks), total, [int(c.keep.sum()) for c in chunks], on_progress)
    except BaseException:
        stopping.set()
        for worker in pool:
            worker.kill()
        raise
    finally:
        for thread in threads:
            thread.join()


def _collect(events: queue.SimpleQueue, count: int, total: int, lengths: list[int], on_progress: Progress) -> list[Message]:
    results: dict[int, Message] = {}
    done = [0] * count
    told = 0
    while len(results) < count:
        number, event = events.get()
        if isinstance(event, BaseException):
            raise event
        if isinstance(event, Message):
            # An hour's parts are 40 MB, which nobody needs before the last one is there.
            results[number], done[number] = replace(event, arrays=on_disk(event.arrays)), lengths[number]
        else:
            done[number] = event
        if sum(done) > told:
            told = sum(done)
            on_progress(told, total)
    return [results[number] for number in range(count)]
