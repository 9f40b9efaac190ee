"""BlazePose through MediaPipe Tasks, as arrays.

Belongs here: the only import of mediapipe's landmarker, and its answers as one array per person. Does not belong here: which pictures it
sees (`pose_tasks`), whom to follow (`subject`). Runs in the child process only.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import queue
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, TypeVar

import numpy as np

from cricksy_pipeline.errors import CricksyError, ErrorCode

T, R = TypeVar("T"), TypeVar("R")

AHEAD = 4
"""So many pictures wait for several landmarkers, beside those that are looked at: some need three looks and some one, and whoever decodes
them is not to wait with the slowest (the glance over six minutes, two landmarkers: 3.8 s with none, 3.2 with four)."""

COLUMNS = ("x", "y", "z", "visibility", "presence", "world_x", "world_y", "world_z")
"""Of one landmark. x, z: shares of the picture's width; y: share of its height; world in metres from mid-hip."""


def landmarker_module() -> ModuleType:
    """mediapipe's pose landmarker without the rest of mediapipe.

    Its packages import every task, and with them matplotlib, OpenCV and a sound library: 0.45 of the 0.54 CPU s of the import. Empty
    packages in their place let the one module be imported that is needed.
    """
    name = "mediapipe.tasks.python.vision.pose_landmarker"
    if name not in sys.modules:
        found = importlib.util.find_spec("mediapipe")
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError("mediapipe is not installed")
        package, path = "mediapipe", Path(found.submodule_search_locations[0])
        for part in ("", "tasks", "python", "vision"):
            package, path = (f"{package}.{part}", path / part) if part else (package, path)
            empty = ModuleType(package)
            empty.__path__ = [str(path)]
            sys.modules.setdefault(package, empty)
    module = importlib.import_module(name)
    module.PoseLandmarkerResult = _FoundPeople
    return module


class _FoundPeople:
    """Reads mediapipe's answer, in place of its `PoseLandmarkerResult`: that one makes 66 objects of each person, from which the arrays
    would have to be made again (0.13 ms; 0.01 so). Visibility and presence, which it calls optional, BlazePose always tells."""

    @classmethod
    def from_ctypes(cls, answer: Any) -> list[np.ndarray]:
        """One (33, 8) float32 array per person, columns as in `COLUMNS`, of a `MpPoseLandmarkerResultC`."""
        if answer.pose_landmarks_count != answer.pose_world_landmarks_count:
            raise ValueError(f"{answer.pose_landmarks_count} people in the picture, {answer.pose_world_landmarks_count} in the world")
        return [
            np.concatenate([_read(answer.pose_landmarks[i], COLUMNS[:5]), _read(answer.pose_world_landmarks[i], ("x", "y", "z"))], axis=1)
            for i in range(answer.pose_landmarks_count)
        ]


def _read(marks: Any, fields: tuple[str, ...]) -> np.ndarray:
    """(n, k) float32, copied: k fields of n landmarks that lie one after another in mediapipe's memory."""
    layout = marks.landmarks._type_
    size = ctypes.sizeof(layout)
    raw = (ctypes.c_float * (marks.landmarks_count * size // 4)).from_address(ctypes.addressof(marks.landmarks.contents))
    table = np.frombuffer(raw, np.float32).reshape(-1, size // 4)
    return table[:, [getattr(layout, field).offset // 4 for field in fields]]


class BlazePose:
    """One landmarker. A context manager: native memory is freed at its end.

    Args:
        model: the .task bundle.
        follow: True for VIDEO mode, which follows the last landmarks and smooths over time; False for independent pictures.
        people: at most so many are found. More than one defeats following and costs twice to three times as much.
        device: cpu or gpu.

    Raises CricksyError INTERNAL where a GPU is asked for that MediaPipe cannot use.
    """

    def __init__(self, model: Path, *, follow: bool, people: int = 1, device: str = "cpu") -> None:
        pose = landmarker_module()
        places = pose.base_options_lib.BaseOptions.Delegate
        self._image, self._srgb = pose.image_lib.Image, pose.image_lib.ImageFormat.SRGB
        modes = pose.running_mode_lib.VisionTaskRunningMode
        options = pose.PoseLandmarkerOptions(
            base_options=pose.base_options_lib.BaseOptions(
                model_asset_path=str(model), delegate=places.GPU if device == "gpu" else places.CPU
            ),
            running_mode=modes.VIDEO if follow else modes.IMAGE,
            num_poses=people,
            output_segmentation_masks=False,
        )
        self._follow, self._last_ms = follow, -1
        try:
            self._landmarker = pose.PoseLandmarker.create_from_options(options)
        except RuntimeError as error:
            if device != "gpu":
                raise
            why = str(error).rsplit(": ", 1)[-1]
            message = f"CRICKSY_POSE_DEVICE is gpu, and MediaPipe cannot use one here ({why}) Set it to cpu, or run where there is a GPU."
            raise CricksyError(ErrorCode.INTERNAL, message) from error

    def estimate(self, image: np.ndarray, t_s: float = 0.0) -> list[np.ndarray]:
        """One (33, 8) float32 array per person found, columns as in `COLUMNS`.

        Args:
            image: (h, w, 3) uint8 RGB, contiguous.
            t_s: true time of the picture; VIDEO mode smooths by it, in whole milliseconds that must increase.
        """
        picture = self._image(image_format=self._srgb, data=image)
        if not self._follow:
            return self._landmarker.detect(picture)
        self._last_ms = max(self._last_ms + 1, round(t_s * 1000))
        return self._landmarker.detect_for_video(picture, self._last_ms)

    def forget(self) -> None:
        """Lose whoever is followed: the next picture is searched as the first one was. VIDEO mode only; costs one search."""
        if self._last_ms >= 0:
            self.estimate(np.zeros((64, 64, 3), np.uint8), (self._last_ms + 1) / 1000)

    def __enter__(self) -> BlazePose:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._landmarker.close()


class Landmarkers:
    """Several landmarkers of independent pictures, side by side. A context manager, as `BlazePose`.

    One landmarker uses one core, and lets go of Python's lock while it works: threads suffice, and the pictures need not be copied to
    another process.

    Args:
        model: the .task bundle.
        count: so many, each with a thread of its own.
        people: at most so many are found in a picture.
        device: cpu or gpu.
    """

    def __init__(self, model: Path, count: int, *, people: int = 1, device: str = "cpu") -> None:
        self._open = ExitStack()
        self._count = max(1, count)
        self._idle: queue.SimpleQueue[BlazePose] = queue.SimpleQueue()
        for _ in range(self._count):
            self._idle.put(self._open.enter_context(BlazePose(model, follow=False, people=people, device=device)))
        self._threads = self._open.enter_context(ThreadPoolExecutor(self._count, thread_name_prefix="landmarker"))

    def each(self, look: Callable[[BlazePose, T], R], pictures: Iterable[T]) -> Iterator[tuple[T, R]]:
        """(picture, what `look` made of it) in the order of the pictures, of which `AHEAD` more are taken than there are landmarkers."""
        ahead: deque[tuple[T, Future[R]]] = deque()
        for picture in pictures:
            ahead.append((picture, self._threads.submit(self._look, look, picture)))
            if len(ahead) > self._count + AHEAD:
                first, seen = ahead.popleft()
                yield first, seen.result()
        for first, seen in ahead:
            yield first, seen.result()

    def _look(self, look: Callable[[BlazePose, T], R], picture: T) -> R:
        pose = self._idle.get()
        try:
            return look(pose, picture)
        finally:
            self._idle.put(pose)

    def __enter__(self) -> Landmarkers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()
