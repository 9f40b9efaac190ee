"""Body landmarks over time, as numpy arrays, with their names.

Belongs here: the one container that pose estimation fills and every metric reads, and the order of BlazePose's 33 landmarks.
Does not belong here: how landmarks are estimated (`pose`), filtered (`kinematics`) or stored on disk (`landmark_table`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cricksy_pipeline.analysis.on_disk import on_disk

LANDMARK_NAMES: tuple[str, ...] = (
    "nose",
    "left_eye_inner", "left_eye", "left_eye_outer",
    "right_eye_inner", "right_eye", "right_eye_outer",
    "left_ear", "right_ear",
    "mouth_left", "mouth_right",
    "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow",
    "left_wrist", "right_wrist",
    "left_pinky", "right_pinky",
    "left_index", "right_index",
    "left_thumb", "right_thumb",
    "left_hip", "right_hip",
    "left_knee", "right_knee",
    "left_ankle", "right_ankle",
    "left_heel", "right_heel",
    "left_foot_index", "right_foot_index",
)  # fmt: skip
"""BlazePose order (MediaPipe `PoseLandmark`). Left and right are the player's own, not the picture's."""

INDEX: dict[str, int] = {name: i for i, name in enumerate(LANDMARK_NAMES)}

GRID_QUICK, GRID_DEEP, BURST = 0, 1, 2
"""Why a frame was sampled: by the quick pass's grid, only by the deep pass's grid, or only by the native-rate burst around a delivery."""

NOT_DOUBTED, REFUSED, REGAINED = 0, 1, 2
"""What is known of a frame besides what was found: nothing; that whoever was found was somebody else, so that nobody counts as found; that
the player is found again after he had been lost or refused."""

_ARRAYS = ("frame", "t_s", "source", "xy", "z", "visibility", "presence", "world", "shot", "camera", "doubt")


@dataclass(frozen=True)
class Landmarks:
    """One subject's landmarks in n sampled frames, in strictly increasing time.

    Attributes:
        frame: (n,) int64, position of the frame in presentation order, 0 = first shown.
        t_s: (n,) float64, presentation timestamp in seconds after the first shown frame.
        source: (n,) uint8, one of GRID_QUICK, GRID_DEEP, BURST.
        xy: (n, 33, 2) float32, pixels of the upright picture (after rotation, square pixels, full source resolution); x right, y down.
            NaN in every coordinate of a frame in which nobody was found.
        z: (n, 33) float32, BlazePose's relative depth in the same pixels (negative: nearer the camera than the hips). Not metric.
        visibility: (n, 33) float32 in [0, 1], NaN where nobody was found. Not accuracy.
        presence: (n, 33) float32 in [0, 1], NaN where nobody was found.
        world: (n, 33, 3) float32, BlazePose's metric guess, metres from mid-hip, camera axes; kept for research, used by no metric.
        width, height: size of the upright picture in pixels.
        shot: (n,) int32, which unbroken camera shot the frame belongs to, from 0; nothing is joined across a cut. Zeros where not given.
        camera: (n, 2) float32, upright pixels by which the background has moved in the picture since the first frame of the shot; subtract
            it to compare places over time. Zeros where not given, NaN where it could not be told.
        doubt: (n,) uint8, one of NOT_DOUBTED, REFUSED, REGAINED. Zeros where not given.
    """

    frame: np.ndarray
    t_s: np.ndarray
    source: np.ndarray
    xy: np.ndarray
    z: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    world: np.ndarray
    width: int
    height: int
    shot: np.ndarray | None = None
    camera: np.ndarray | None = None
    doubt: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.frame)
        if self.shot is None:
            object.__setattr__(self, "shot", np.zeros(n, np.int32))
        if self.camera is None:
            object.__setattr__(self, "camera", np.zeros((n, 2), np.float32))
        if self.doubt is None:
            object.__setattr__(self, "doubt", np.zeros(n, np.uint8))
        marks = (n, 33)
        shapes = {"t_s": (n,), "source": (n,), "xy": (*marks, 2), "z": marks, "visibility": marks, "presence": marks, "world": (*marks, 3)}
        shapes |= {"shot": (n,), "camera": (n, 2), "doubt": (n,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ValueError(f"Landmarks.{name} has shape {getattr(self, name).shape}, expected {shape}")
        if n > 1 and not (np.diff(self.t_s) > 0).all():
            raise ValueError("Landmarks.t_s must strictly increase")

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def found(self) -> np.ndarray:
        """(n,) bool: frames in which a body was found."""
        return np.isfinite(self.xy[:, 0, 0])

    def point(self, name: str) -> np.ndarray:
        """(n, 2) pixels of one named landmark."""
        return self.xy[:, INDEX[name]]

    def select(self, mask: np.ndarray) -> Landmarks:
        """The frames where `mask` (bool or indices, shape (n,) or (k,)) holds, in time order."""
        arrays = {name: getattr(self, name)[mask] for name in _ARRAYS}
        return replace(self, **arrays)

    def merged(self, other: Landmarks) -> Landmarks:
        """Both sets of frames in time order. Raises ValueError where a frame is in both, or the pictures differ in size."""
        if (self.width, self.height) != (other.width, other.height):
            raise ValueError("cannot merge landmarks of pictures of different size")
        frame = np.concatenate([self.frame, other.frame])
        if len(np.unique(frame)) != len(frame):
            raise ValueError("cannot merge landmarks that share a frame")
        order = np.argsort(frame, kind="stable")
        arrays = {name: np.concatenate([getattr(self, name), getattr(other, name)])[order] for name in _ARRAYS}
        return replace(self, **arrays)

    def waiting_on_disk(self) -> Landmarks:
        """The same, out of memory until it is read (`on_disk`)."""
        return replace(self, **on_disk({name: getattr(self, name) for name in _ARRAYS}))

    @classmethod
    def empty(cls, width: int, height: int) -> Landmarks:
        """No frames at all."""
        f = np.float32
        return cls(
            np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint8), np.zeros((0, 33, 2), f), np.zeros((0, 33), f),
            np.zeros((0, 33), f), np.zeros((0, 33), f), np.zeros((0, 33, 3), f), width, height,
        )  # fmt: skip
