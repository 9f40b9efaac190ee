"""A glance over the clip: who is in it, where, and how he moves.

Belongs here: which pictures to look at; looking at whole pictures, where nobody large is in them at overlapping tiles, and where more than
one person is there a second time a moment later. Does not belong here: who is the player (`subject`), who is one person (`people`). Runs in
the child process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.appearance import colours_of, unlike
from cricksy_pipeline.analysis.blazepose import BlazePose, Landmarkers
from cricksy_pipeline.analysis.camera_motion import CameraWatch
from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.analysis.people import Person, Sighting, linked
from cricksy_pipeline.analysis.registration import CameraSettings, stirred
from cricksy_pipeline.analysis.subject import Subject, SubjectSettings, choose_subject, large_enough
from cricksy_pipeline.analysis.tiling import tiles
from cricksy_pipeline.analysis.video_frames import read_pictures
from cricksy_pipeline.analysis.video_index import FrameIndex

LEAST_PICTURES, MOST_PICTURES = 12, 64
STEP_S, LEAST_STEP_S = 1.25, 0.1
"""So many pictures, spread over the clip: one each `STEP_S`, within the bounds, never closer than `LEAST_STEP_S`. House default: a whole
picture with its squares costs about 0.06 CPU s. After 1.2 s anybody may be anywhere (`people.LinkSettings.farthest`): who is who is told no
better by two pictures 4 s apart than by two 6 s apart."""

TILED_PICTURES = 12
"""Of these, so many are looked at in tiles; where nobody large is seen in all of them (0.5 CPU s a picture), else in those in which
something stirs. In the other pictures the people found are looked for where they must be."""

STIRRING = 0.004
"""Share of a tile that must have changed within `MOMENT_S` for it to be looked at where somebody large is seen. A player of 10 % of the
height fills 3 % of the smallest tile. House default, uncalibrated."""

STIRRING_TILES = 6
"""Of one picture, those in which most stirs; leaves in the wind stir everywhere."""

MOMENT_S = 0.1
"""How much later somebody is looked at again, to see how fast he moves. A bat and a bowling arm make half a turn in it."""

CUT_SIZES = (2.0, 3.4)
"""Sides of the cut-outs in which somebody is looked at again, in body sizes. Measured on a rendered bowler of 62 pixels: found in 1 of 29
pictures at 2.0 and at 2.4, in 11 to 15 at 3.2 to 4.0; a batter of that size in 20 and 26."""

_SHORT_SIDE = 1080
_PEOPLE = 4
_LOOKED_FOR = 6  # people looked for in a picture without tiles
_SAME_PERSON = 0.3  # intersection over union of two boxes
_INSIDE, _HALF = 0.6, 0.5  # share of the smaller box inside the larger, heights at least so alike: parts of one body
_AGREEMENT = 0.35  # of the height: how far the boxes of a first and a second look may lie apart
_MOVED = 0.5  # of the height: as far as somebody gets in a moment
_SAME_CLOTHES = 0.3  # `appearance.unlike` of one person a moment later
_TOGETHER = 0.8  # of the height: so near, two people are taken for each other
_LEAST_CUT = 16  # pixels

_Seen = tuple[Sighting, np.ndarray]
"""Somebody, and his (33, 2) landmarks in pixels of the upright picture."""


def probe_frames(index: FrameIndex) -> np.ndarray:
    """(k,) int64 frame numbers spread over the clip; a keyframe where one is near, since it costs least to decode."""
    end = float(index.t_s[-1])
    pictures = int(min(max(LEAST_PICTURES, np.ceil(end / STEP_S)), MOST_PICTURES, max(1, np.floor(end / LEAST_STEP_S))))
    step = end / pictures
    wanted = []
    for t in (np.arange(pictures) + 0.5) * step:
        frame = int(np.argmin(np.abs(index.t_s - t)))
        keys = np.flatnonzero(index.keyframe & (np.abs(index.t_s - t) <= step / 4))
        wanted.append(int(keys[np.argmin(np.abs(index.t_s[keys] - t))]) if len(keys) else frame)
    return np.unique(np.array(wanted, np.int64))


def find_subject(
    video: Path,
    index: FrameIndex,
    model: Path,
    *,
    mode: str,
    asked: int | None = None,
    settings: SubjectSettings | None = None,
    threads: int = 1,
    device: str = "cpu",
) -> Subject:
    """The player of a clip, from a glance over it; any number of threads gives the same one.

    Raises CricksyError VIDEO_CORRUPT; OPTIONS_INVALID as `choose_subject` does.
    """
    settings = settings or SubjectSettings()
    width, height = index.info.width, index.info.height
    glance = _Glance(video, index, probe_frames(index))
    with Landmarkers(model, threads, people=_PEOPLE, device=device) as poses:
        seen = glance.whole(poses)
    with Landmarkers(model, threads, device=device) as poses:
        large = large_enough([s for s, _ in seen], width, height, settings)
        seen = _distinct([*seen, *glance.close(poses, seen, everywhere=not large)])
        seen = _distinct([*seen, *glance.again(poses, linked([s for s, _ in seen], settings.link))])
        if len(linked([s for s, _ in seen], settings.link)) > 1:
            seen = glance.a_moment_later(poses, seen)
    return choose_subject([s for s, _ in seen], width, height, len(glance.frames), mode=mode, asked=asked, settings=settings)


@dataclass
class _Close:
    """A picture that is looked at more closely: itself, and the picture a moment later, where there is one."""

    image: np.ndarray
    grey: np.ndarray
    later: np.ndarray | None = None
    later_grey: np.ndarray | None = None
    seconds: float = 0.0


class _Glance:
    """The pictures of a glance. Those that are looked at closely are kept (150 MB at most); the others are decoded again where needed."""

    def __init__(self, video: Path, index: FrameIndex, frames: np.ndarray) -> None:
        self.video, self.index, self.frames = video, index, frames
        self.shot = np.zeros(len(frames), int)
        self.moved = np.zeros((len(frames), 2))
        self.closely: dict[int, _Close] = {}

    def whole(self, poses: Landmarkers) -> list[_Seen]:
        """Everyone found in the whole pictures, and in the overlapping squares of some; and what the camera did between them.

        The detector sees a square 1.8 times as large as a picture of 16 to 9.
        """
        watch = CameraWatch(self.index.info.width, self.index.info.height)
        found: list[tuple[int, tuple[float, ...] | None, np.ndarray, np.ndarray]] = []
        count = min(TILED_PICTURES, len(self.frames))
        some = set(np.linspace(0, len(self.frames) - 1, count).round().astype(int).tolist())
        number_of, later_of = {int(frame): number for number, frame in enumerate(self.frames)}, self._later(sorted(some))
        pictures = read_pictures(self.video, self.index, np.union1d(self.frames, np.array(sorted(later_of), np.int64)))
        drawn = ((p.frame, p.t_s, p.image(_SHORT_SIDE), p.grey(CameraSettings.long_side)) for p in pictures)

        def look(pose: BlazePose, picture: tuple[int, float, np.ndarray, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
            frame, _, image, _ = picture
            if frame in later_of:
                return []
            people = list(_people(pose, image, self._scale(image)))
            if number_of[frame] in some:
                for x, y, side in tiles(image.shape[1], image.shape[0], (1.0,)):
                    if side < max(image.shape[:2]):
                        square = np.ascontiguousarray(image[y : y + side, x : x + side])
                        people += _people(pose, square, self._scale(image), x, y)
            return people

        for (frame, t_s, image, grey), people in poses.each(look, drawn):
            if frame in later_of:
                close = self.closely.get(later_of[frame])
                if close:
                    close.later, close.later_grey = image, grey
                    close.seconds = t_s - float(self.index.t_s[self.frames[later_of[frame]]])
                continue
            number = number_of[frame]
            if number in some:
                self.closely[number] = _Close(image, grey)
            watch.look(number, t_s, grey, [_box(xy) for _, xy in people])
            found += [(number, colours_of(image, xy * self._scale(image)), each, xy) for each, xy in people]
        path = watch.path()
        for number, shot, moved in zip(path.frame, path.shot, path.moved, strict=True):
            self.shot[number], self.moved[number] = shot, moved
        return _distinct([self._sighting(*each) for each in found])

    def close(self, poses: Landmarkers, known: list[_Seen], *, everywhere: bool) -> Iterator[_Seen]:
        """Everyone found in a tile and found again, in the same place, in a cut-out around that find: a pose returned is not a person.

        Args:
            known: who was seen already.
            everywhere: in all tiles; else only in those in which something stirs that is nobody known.
        """

        def look(pose: BlazePose, number: int) -> list[_Seen]:
            close = self.closely[number]
            image, fresh = close.image, []
            seen = [_box(xy) for sighting, xy in known if sighting.picture == number]
            places = list(tiles(image.shape[1], image.shape[0]))
            if not everywhere:
                shares = _stirring(close, places, seen, self._scale(image))
                most = sorted(range(len(places)), key=lambda i: -shares[i])[:STIRRING_TILES]
                places = [places[i] for i in most if shares[i] >= STIRRING]
            for x, y, side in places:
                tile = np.ascontiguousarray(image[y : y + side, x : x + side])
                for _, first in _people(pose, tile, self._scale(image), x, y):
                    if any(_overlap(_box(first), other) > _SAME_PERSON for other in seen):
                        continue
                    again = self._look_at(pose, number, image, _box(first))
                    if again:
                        seen.append(_box(again[1]))
                        fresh.append(again)
            return fresh

        for _, found in poses.each(look, self.closely):
            yield from found

    def again(self, poses: Landmarkers, people: Sequence[Person]) -> Iterator[_Seen]:
        """The people found, looked for in the pictures in which they were not: where they were before and after."""
        most = sorted(people, key=lambda person: -len(person))[:_LOOKED_FOR]
        where = {number: [person for person in most if all(s.picture != number for s in person)] for number in range(len(self.frames))}

        def look(pose: BlazePose, picture: tuple[int, np.ndarray]) -> list[_Seen | None]:
            number, image = picture
            t_s = float(self.index.t_s[self.frames[number]])
            return [self._look_at(pose, number, image, _between(person, t_s)) for person in where[number]]

        for _, found in poses.each(look, self._images([number for number, missing in where.items() if missing])):
            yield from (each for each in found if each)

    def a_moment_later(self, poses: Landmarkers, seen: list[_Seen]) -> list[_Seen]:
        """How fast people move: each is looked at again in the picture `MOMENT_S` later, where that was kept.

        Of people close together neither that nor how they hold themselves is believed: one's arm is easily taken for the other's.
        """

        def look(pose: BlazePose, one: _Seen) -> _Seen:
            sighting, xy = one
            if any(o.picture == sighting.picture and o is not sighting and _close_together(o, sighting) for o, _ in seen):
                return replace(sighting, hands_apart=None, stands=None, arm_over=None), xy
            close = self.closely.get(sighting.picture)
            found = None
            if close and close.later is not None:
                found = self._look_at(pose, sighting.picture, close.later, _box(xy), agreement=_MOVED)
            if found and (unlike(found[0].colours, sighting.colours) or 0.0) <= _SAME_CLOTHES:
                limbs, travel = _speeds(xy, found[1], sighting.height, close.seconds)
                sighting = replace(sighting, limb_speed=limbs, travel_speed=travel)
            return sighting, xy

        return [moving for _, moving in poses.each(look, seen)]

    def _later(self, numbers: Sequence[int]) -> dict[int, int]:
        """By frame a moment later, the picture that it is later than; none at the very end."""
        t_s = self.index.t_s
        later = {int(np.argmin(np.abs(t_s - t_s[self.frames[n]] - MOMENT_S))): n for n in numbers}
        return {frame: number for frame, number in later.items() if frame > self.frames[number] and frame not in self.frames}

    def _images(self, numbers: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """The pictures of these numbers: those kept, then the others."""
        yield from ((number, self.closely[number].image) for number in numbers if number in self.closely)
        number_of = {int(self.frames[number]): number for number in numbers if number not in self.closely}
        for picture in read_pictures(self.video, self.index, np.array(sorted(number_of), np.int64)):
            yield number_of[picture.frame], picture.image(_SHORT_SIDE)

    def _scale(self, image: np.ndarray) -> float:
        return image.shape[1] / self.index.info.width

    def _look_at(
        self, pose: BlazePose, number: int, image: np.ndarray, box: tuple[float, float, float, float], agreement: float = _AGREEMENT
    ) -> _Seen | None:
        """Whoever is found in a cut-out around a box, if he is where and as large as the box says."""
        scale = self._scale(image)
        middle, tall = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2]), max(box[2], box[3])
        for sizes in CUT_SIZES:
            side = int(sizes * tall * scale)
            x, y = (middle * scale - side / 2).astype(int).clip(0)
            cut = np.ascontiguousarray(image[y : y + side, x : x + side])
            if min(cut.shape[:2], default=0) < _LEAST_CUT:
                continue
            for person, xy in _people(pose, cut, scale, int(x), int(y)):
                left, top, across, down = _box(xy)
                apart = float(np.hypot(left + across / 2 - middle[0], top + down / 2 - middle[1]))
                if apart <= agreement * box[3] and abs(down - box[3]) <= agreement * box[3]:
                    return self._sighting(number, colours_of(image, xy * scale), person, xy)
        return None

    def _sighting(self, number: int, colours: tuple[float, ...] | None, person: np.ndarray, xy: np.ndarray) -> _Seen:
        moved = self.moved[number]
        sighting = Sighting(
            number,
            *_box(xy),
            confidence=float(person[:, 3].mean()),
            t_s=float(self.index.t_s[self.frames[number]]),
            shot=int(self.shot[number]),
            moved=(float(moved[0]), float(moved[1])) if np.isfinite(moved).all() else None,
            colours=colours,
            **_bearing(xy),
        )
        return sighting, xy


def _people(pose: BlazePose, image: np.ndarray, scale: float, x: int = 0, y: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Everyone found in an image that lies at (x, y) of a picture scaled by `scale`: what was found, and (33, 2) full-resolution pixels."""
    for person in pose.estimate(image):
        yield person, (person[:, :2] * (image.shape[1], image.shape[0]) + (x, y)) / scale


def _box(xy: np.ndarray) -> tuple[float, float, float, float]:
    low, high = xy.min(axis=0), xy.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _bearing(xy: np.ndarray) -> dict[str, float]:
    """How somebody holds himself, in trunk lengths (see `Sighting`)."""
    points = {name: xy[INDEX[name]] for name in INDEX}
    shoulders, hips, ankles = ((points[f"left_{part}"] + points[f"right_{part}"]) / 2 for part in ("shoulder", "hip", "ankle"))
    trunk = max(float(np.linalg.norm(shoulders - hips)), 1e-6)
    return {
        "hands_apart": float(np.linalg.norm(points["left_wrist"] - points["right_wrist"])) / trunk,
        "stands": float(ankles[1] - hips[1]) / trunk,
        "arm_over": max(float(points[f"{side}_shoulder"][1] - points[f"{side}_wrist"][1]) for side in ("left", "right")) / trunk,
    }


def _close_together(one: Sighting, other: Sighting) -> bool:
    return float(np.linalg.norm(one.middle - other.middle)) < _TOGETHER * max(one.height, other.height)


def _speeds(before: np.ndarray, after: np.ndarray, tall: float, seconds: float) -> tuple[float, float]:
    """Of the fastest hand or foot against the hips, and of the hips, in body heights a second."""
    hips = [(xy[INDEX["left_hip"]] + xy[INDEX["right_hip"]]) / 2 for xy in (before, after)]
    ends = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("wrist", "ankle")]
    limbs = np.linalg.norm((after[ends] - hips[1]) - (before[ends] - hips[0]), axis=1)
    return float(limbs.max()) / tall / seconds, float(np.linalg.norm(hips[1] - hips[0])) / tall / seconds


def _between(person: Person, t_s: float) -> tuple[float, float, float, float]:
    """Where somebody is at a time, interpolated between the sightings before and after it."""
    times = [s.t_s for s in person]
    return tuple(float(np.interp(t_s, times, [getattr(s, name) for s in person])) for name in ("x", "y", "width", "height"))


def _stirring(
    close: _Close, places: list[tuple[int, int, int]], known: list[tuple[float, float, float, float]], scale: float
) -> list[float]:
    """By tile, the share of it in which something changed within a moment that is nobody known."""
    if close.later_grey is None:
        return [0.0] * len(places)
    changed = stirred(close.grey, close.later_grey)
    small = changed.shape[1] / close.image.shape[1]
    for x, y, width, height in known:
        margin = 0.25 * height
        top, left = (int(max(0.0, value - margin) * scale * small) for value in (y, x))
        bottom, right = ((value + margin) * scale * small for value in (y + height, x + width))
        changed[top : int(np.ceil(bottom)), left : int(np.ceil(right))] = False
    parts = [
        changed[int(y * small) : int(np.ceil((y + side) * small)), int(x * small) : int(np.ceil((x + side) * small))]
        for x, y, side in places
    ]
    return [float(part.mean()) if part.size else 0.0 for part in parts]


def _distinct(seen: list[_Seen]) -> list[_Seen]:
    """One sighting per person and picture: of two that overlap, or of which one lies in the other, the earlier in the list."""
    kept: list[_Seen] = []
    for sighting, xy in seen:
        if not any(k.picture == sighting.picture and _same(_box(kxy), _box(xy)) for k, kxy in kept):
            kept.append((sighting, xy))
    return kept


def _same(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inside = max(across, 0.0) * max(down, 0.0) / max(min(a[2] * a[3], b[2] * b[3]), 1e-9)
    alike = min(a[3], b[3]) > _HALF * max(a[3], b[3])
    return _overlap(a, b) > _SAME_PERSON or (inside > _INSIDE and alike)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(across, 0.0) * max(down, 0.0)
    return both / max(a[2] * a[3] + b[2] * b[3] - both, 1e-9)
