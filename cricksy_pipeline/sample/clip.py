"""Sample clips: the front door of this room.

Belongs here: drawing the frames of a clip (with several processes if wanted), writing the video with its truth beside it, and the project's
own sample clip.
Does not belong here: how a frame looks (`scene`), what is true of it (`truth`), how a file is written (`video_file`).

    from cricksy_pipeline.sample.clip import SAMPLE, write_clip
    write_clip(SAMPLE, Path("drive.mp4"))          # drive.mp4 and drive.truth.json
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from cricksy_pipeline.sample.camera import Movement
from cricksy_pipeline.sample.faults import Faults
from cricksy_pipeline.sample.people import Bystander, Occluder, crowd
from cricksy_pipeline.sample.sound import soundtrack
from cricksy_pipeline.sample.spec import ClipSpec
from cricksy_pipeline.sample.truth import Truth, bystander_landmarks, observe, truth, truth_landmarks, write_truth

__all__ = [
    "SAMPLE", "Bystander", "ClipSpec", "Faults", "Movement", "Occluder", "Truth", "bystander_landmarks", "crowd", "observe", "render",
    "truth", "truth_landmarks", "write_clip",
]  # fmt: skip

Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all)."""

SAMPLE = ClipSpec(seconds=8.0, width=960, height=540, faults=Faults(knee_collapse=62.0), crf=24)
"""Two batting drives, side on, right-handed; the front knee folds to about 84 degrees at contact instead of 140."""

_FRAMES_PER_TASK = 4
_TASKS_AHEAD = 3  # per worker: keeps everyone busy without piling up pictures


def render(spec: ClipSpec, *, on_progress: Progress | None = None, workers: int = 1) -> Iterator[np.ndarray]:
    """The frames in order, upright (height, width, 3) uint8 RGB. The same spec gives the same bytes, whatever the number of workers.

    Args:
        spec: the clip.
        on_progress: told after each frame.
        workers: processes; 1 draws in this one. More are spawned, so a script that asks for them needs the usual `__main__` guard.
    """
    total = len(spec.ticks)
    frames = _in_this_process(spec, total) if workers <= 1 else _in_processes(spec, total, workers)
    for done, frame in enumerate(frames, start=1):
        if on_progress is not None:
            on_progress(done, total)
        yield frame


def write_clip(spec: ClipSpec, path: Path | str, *, on_progress: Progress | None = None, workers: int = 2) -> Truth:
    """Write `path` (MP4) and `path` with the suffix .truth.json; returns the truth. A video that is there is whole, and so is its truth."""
    from cricksy_pipeline.sample.video_file import write_video

    path = Path(path)
    known = truth(spec)
    beside = path.with_suffix(".truth.json")
    partial = beside.with_name(f".{beside.name}.part")
    try:
        write_truth(known, partial)
        partial.replace(beside)
    finally:
        partial.unlink(missing_ok=True)
    frames = render(spec, on_progress=on_progress, workers=workers)
    sound = soundtrack(spec) if spec.sound else None
    tag = float(spec.fps) * spec.slow_motion if spec.capture_tag else None
    write_video(
        path, frames, spec.ticks, spec.time_base, codec=spec.codec, crf=spec.crf, rotation=spec.rotation, sound=sound, capture_fps=tag
    )
    return known


def _in_this_process(spec: ClipSpec, total: int) -> Iterator[np.ndarray]:
    from cricksy_pipeline.sample.scene import Scene

    scene = Scene(spec)
    for i in range(total):
        yield scene.frame(i)


_scene = None  # in a worker: the one scene it draws


def _open_scene(spec: ClipSpec) -> None:
    global _scene
    import cv2

    from cricksy_pipeline.sample.scene import Scene

    cv2.setNumThreads(1)  # the processes are the parallelism
    _scene = Scene(spec)


def _draw(first: int, last: int) -> list[np.ndarray]:
    return [_scene.frame(i) for i in range(first, last)]


def _in_processes(spec: ClipSpec, total: int, workers: int) -> Iterator[np.ndarray]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    spans = iter([(i, min(i + _FRAMES_PER_TASK, total)) for i in range(0, total, _FRAMES_PER_TASK)])
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_open_scene, initargs=(spec,)) as pool:
        waiting = deque(pool.submit(_draw, *span) for span in islice(spans, workers * _TASKS_AHEAD))
        while waiting:
            frames = waiting.popleft().result()
            if (span := next(spans, None)) is not None:
                waiting.append(pool.submit(_draw, *span))
            yield from frames
