"""What the camera does: where it cuts, and how the background moves through the picture.

Belongs here: the path of the camera over small grey pictures of a clip (`CameraWatch`), and joining stretches that were watched apart
(`joined`). Does not belong here: laying two pictures over each other (`registration`), decoding (`video_frames`), whom the picture shows
(`following`), what movement is taken off (`kinematics`, `metrics`).

Each picture is laid over a reference of the same shot, not over its neighbour: a camera that shakes comes back to where it was without an
error that grows. Where too little of the reference is left in view, the picture before becomes the next reference. Only a shift is told:
turning and zooming show as the shift of the picture as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.registration import Box, CameraSettings, Small, correlation, lay


@dataclass(frozen=True)
class CameraPath:
    """What the camera did in k frames.

    Attributes:
        frame: (k,) int64 frame numbers, increasing.
        shot: (k,) int32, which unbroken shot, from 0.
        moved: (k, 2) float32, upright pixels by which the background has moved since the first frame of the shot; NaN where not told.
    """

    frame: np.ndarray
    shot: np.ndarray
    moved: np.ndarray

    def extended(self, later: CameraPath) -> CameraPath:
        """With the frames of another path that are not here yet, in order."""
        fresh = ~np.isin(later.frame, self.frame)
        frame = np.concatenate([self.frame, later.frame[fresh]])
        order = np.argsort(frame, kind="stable")
        shot = np.concatenate([self.shot, later.shot[fresh]])
        return CameraPath(frame[order], shot[order], np.concatenate([self.moved, later.moved[fresh]])[order])

    def at(self, frames: np.ndarray) -> CameraPath:
        """Of these frames alone; all of them must be here."""
        rows = np.searchsorted(self.frame, frames)
        return CameraPath(self.frame[rows], self.shot[rows], self.moved[rows])

    @classmethod
    def empty(cls) -> CameraPath:
        """No frames."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((0, 2), np.float32))


class CameraWatch:
    """Watches the pictures of one stretch in order.

    Args:
        width, height: of the upright picture, pixels.
        settings: thresholds.
    """

    def __init__(self, width: int, height: int, settings: CameraSettings | None = None) -> None:
        self._settings = settings or CameraSettings()
        self._scale = max(width, height) / self._settings.long_side
        self._frames: list[int] = []
        self._shots: list[int] = []
        self._moved: list[np.ndarray] = []
        self._shot = 0
        self._reference: Small | None = None
        self._reference_at = np.zeros(2)
        self._before: Small | None = None
        self._before_at = np.zeros(2)
        self._left: tuple[float, int, Small, np.ndarray] | None = None  # the shot before: when it was left, which, its reference
        self._strange: tuple[int, float, Small] | None = None  # row, time and picture that could not be laid over anything

    def look(self, frame: int, t_s: float, grey: np.ndarray, hidden: Iterable[Box] = ()) -> None:
        """The next picture.

        Args:
            frame: its number.
            t_s: its time.
            grey: (h, w) uint8, the longer side `CameraSettings.long_side`.
            hidden: boxes of people in upright pixels; the background is told from the rest.
        """
        small = Small(grey, ([value / self._scale for value in box] for box in hidden))
        where = self._place(t_s, small)
        self._strange = None if where is not None else self._strange or (len(self._frames), t_s, small)
        if where is not None:
            self._before, self._before_at = small, where
        self._frames.append(frame)
        self._shots.append(self._shot)
        self._moved.append(np.full(2, np.nan) if where is None else where * self._scale)

    @property
    def shot(self) -> int:
        """The shot of the last picture."""
        return self._shot

    def path(self) -> CameraPath:
        """What was told so far."""
        if not self._frames:
            return CameraPath.empty()
        return CameraPath(np.array(self._frames, np.int64), np.array(self._shots, np.int32), np.array(self._moved, np.float32))

    def _place(self, t_s: float, small: Small) -> np.ndarray | None:
        """Where the background is, small pixels since the shot began; None where it cannot be told. Begins the next shot at a cut."""
        if self._reference is None:
            self._reference, self._reference_at = small, np.zeros(2)
            return np.zeros(2)
        settings = self._settings
        laid = lay(self._reference, small, self._before_at - self._reference_at, self._settings)
        if laid and laid.alike >= settings.alike and laid.area >= settings.still_in_view * self._reference.seen.mean():
            return self._reference_at + laid.shift
        step = lay(self._before, small, np.zeros(2), self._settings) if self._before is not None else None
        if step and step.alike >= settings.alike:
            if laid and laid.alike >= settings.alike:
                # Still in view, but barely: what the old reference says is the truth, and the next one goes on from it.
                self._reference, self._reference_at = small, self._reference_at + laid.shift
            else:
                self._reference, self._reference_at = small, self._before_at + step.shift
            return self._reference_at
        if self._back(t_s, small):
            return self._before_at
        if self._is_cut(small):
            self._begin_shot(t_s, small, len(self._frames))
            return np.zeros(2)
        if self._strange is None:
            return None
        row, began_s, first = self._strange
        laid = lay(first, small, np.zeros(2), self._settings)
        if not laid or laid.alike < settings.alike:
            self._strange = None  # neither is like the other: nothing is known of either
            return None
        self._begin_shot(began_s, first, row)
        self._moved[row] = np.zeros(2)
        return laid.shift

    def _begin_shot(self, t_s: float, small: Small, row: int) -> None:
        """A shot begins with the picture of this row; later ones that nothing was told of are its own."""
        self._left = (t_s, self._shot, self._reference, self._reference_at)
        self._shot = max([self._shot, *self._shots]) + 1
        self._shots[row:] = [self._shot] * (len(self._shots) - row)
        self._reference, self._reference_at = small, np.zeros(2)

    def _back(self, t_s: float, small: Small) -> bool:
        """Whether the shot before is back, so that what lay between was only in front of it; then all of that is the old shot."""
        if self._left is None or t_s - self._left[0] > self._settings.returns_within_s:
            return False
        _, shot, reference, at = self._left
        laid = lay(reference, small, np.zeros(2), self._settings)
        if not laid or laid.alike < self._settings.alike:
            return False
        covered = [row for row, of in enumerate(self._shots) if of == self._shot]
        for row in covered:
            self._shots[row], self._moved[row] = shot, np.full(2, np.nan)
        self._strange = None
        self._shot, self._reference, self._reference_at, self._left = shot, reference, at, None
        self._before_at = at + laid.shift
        return True

    def _is_cut(self, small: Small) -> bool:
        before = self._before if self._before is not None else self._reference
        changed = float(np.abs(small.classes - before.classes).sum()) / 2
        return changed >= self._settings.cut_histogram or correlation(small.layout, before.layout) < self._settings.cut_layout


def joined(known: CameraPath, stretch: CameraPath) -> CameraPath:
    """A stretch that was watched apart, told in the shots and places of what is known already. Only the frames of the stretch are returned.

    The two meet in the frames that both have. Between two of these the difference of their places is interpolated by frame number; where
    both lie in one shot, so does what is between. Beyond the last, new shots are counted on. With no frame in common, the stretch is a
    shot of its own.
    """
    if not len(known.frame) or not len(stretch.frame):
        return stretch
    common, at_known, at_stretch = np.intersect1d(known.frame, stretch.frame, return_indices=True)
    fresh = int(known.shot.max()) + 1
    if not len(common):
        return CameraPath(stretch.frame, (stretch.shot + fresh).astype(np.int32), stretch.moved)
    shot, moved = np.empty_like(stretch.shot), np.full_like(stretch.moved, np.nan)
    for row, frame in enumerate(stretch.frame):
        after = int(np.searchsorted(common, frame))
        neighbours = [i for i in (after - 1, after) if 0 <= i < len(common)]
        if after < len(common) and common[after] == frame:
            neighbours = [after]
        shots = {int(known.shot[at_known[i]]) for i in neighbours}
        own = [i for i in neighbours if stretch.shot[at_stretch[i]] == stretch.shot[row]]
        if len(neighbours) == 2 and len(shots) == 1:
            own = own or neighbours
        if not own:
            shot[row], moved[row] = fresh + stretch.shot[row], stretch.moved[row]
            continue
        shot[row] = known.shot[at_known[own[0]]]
        own = [i for i in own if known.shot[at_known[i]] == shot[row] and stretch.shot[at_stretch[i]] == stretch.shot[row]]
        moved[row] = _carried(row, own, common, known.moved[at_known], stretch, at_stretch) if own else np.nan
    return CameraPath(stretch.frame, shot, moved)


def _carried(row: int, own: list[int], common: np.ndarray, known: np.ndarray, stretch: CameraPath, at_stretch: np.ndarray) -> np.ndarray:
    """The place of one frame: its place in the stretch, and the difference of the two paths where they meet."""
    apart = np.array([known[i] - stretch.moved[at_stretch[i]] for i in own])
    told = np.isfinite(apart).all(axis=1)
    if not told.any():
        return np.full(2, np.nan)
    where = common[own][told]
    frame = stretch.frame[row]
    return stretch.moved[row] + np.array([np.interp(frame, where, apart[told, axis]) for axis in (0, 1)], np.float32)
