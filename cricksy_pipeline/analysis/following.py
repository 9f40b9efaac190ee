"""Following the chosen player: which part of each picture is looked at, and whether whoever is found there is he.

Belongs here: the moving cut-out (`Framing`), as a camera operator would pan with him, and the doubt about each find (`Follower`). Does not
belong here: choosing him (`subject`), BlazePose itself (`blazepose`), what is left for readers (`identity`).

Why a cut-out that moves smoothly, and not one that jumps: BlazePose in VIDEO mode looks for the body near where it last was in the picture
that it is given, and smooths in those coordinates. Inside a cut-out that pans with a runner he hardly moves.

Everything here follows from the stored subject, the frames of one chunk and what was found in them: any number of workers gives the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.analysis.appearance import Colours, unlike
from cricksy_pipeline.analysis.video_frames import Region

Box = tuple[float, float, float, float]
"""Left, top, width, height, upright pixels."""


@dataclass(frozen=True)
class FollowSettings:
    """House defaults, uncalibrated.

    Attributes:
        region_sizes: side of the cut-out in body sizes (the longer side of his box). At 2.4 he fills 40 % of what the detector sees.
        small_px, region_sizes_small: a body smaller than that many pixels gets a cut-out so much larger (measured: see `probe.CUT_SIZES`).
        idle: he may move so far from its middle, in body sizes, before the cut-out moves.
        idle_size: his size may change by this factor before the cut-out's does.
        remembered_s: so long after he was last found he is expected where he was going; then where the sightings put him.
        glance_s: over so long his speed is taken.
        fastest: body sizes a second that nobody exceeds.
        leap: a find further from where he is expected than this, in body sizes, and what `fastest` allows, is doubted.
        grown: and one that is larger or smaller by this factor.
        known_within_s: where two sightings lie no further apart, he is between them; beyond a single one, for half of it.
        astray: a find so many body sizes from where the sightings put him is not he, if somebody else is put much nearer.
        nearer: that much nearer: this share of the way.
        other_clothes: a find dressed this much more like somebody else than like him is doubted.
        own_clothes: somebody found elsewhere after he was lost is he if he is dressed no more unlike him than this.
        doubted_s: so long must clothes be in doubt, find after find, before he is given up.
        searched_s: lost for so long, every second look is at the whole picture; from the first on where he is at least `large_share` of
            its longer side, so that the detector can find him there.
        grain: corners and sizes of the cut-out are multiples of so many pixels.
    """

    region_sizes: float = 2.4
    small_px: float = 120.0
    region_sizes_small: float = 3.4
    idle: float = 0.2
    idle_size: float = 1.2
    remembered_s: float = 0.35
    glance_s: float = 0.15
    fastest: float = 6.0
    leap: float = 0.8
    grown: float = 2.0
    known_within_s: float = 1.6
    astray: float = 0.7
    nearer: float = 0.6
    other_clothes: float = 0.12
    own_clothes: float = 0.2
    doubted_s: float = 0.2
    searched_s: float = 0.5
    large_share: float = 0.17
    grain: int = 2


@dataclass(frozen=True)
class Trail:
    """Where somebody was seen.

    Attributes:
        t_s: (k,) seconds, increasing, at least one.
        box: (k, 4) left, top, width, height.
        shot: (k,) int; between two shots nothing is interpolated.
        colours: what he wears, or None.
    """

    t_s: np.ndarray
    box: np.ndarray
    shot: np.ndarray
    colours: Colours | None = None

    @classmethod
    def of(cls, path: Sequence[Sequence[float]], colours: Sequence[float] | None = None) -> Trail:
        """The trail of a `subject.SeenPerson.path`."""
        rows = np.array(path, float).reshape(len(path), 6)
        return cls(rows[:, 0], rows[:, 1:5], rows[:, 5].astype(int), None if colours is None else tuple(colours))

    def at(self, t_s: float) -> np.ndarray:
        """(4,) his box at a time: between two sightings of a shot interpolated, else that of the nearest."""
        after = int(np.searchsorted(self.t_s, t_s))
        if 0 < after < len(self.t_s) and self.shot[after - 1] == self.shot[after]:
            share = (t_s - self.t_s[after - 1]) / (self.t_s[after] - self.t_s[after - 1])
            return (1 - share) * self.box[after - 1] + share * self.box[after]
        return self.box[int(np.argmin(np.abs(self.t_s - t_s)))]

    def known(self, t_s: float, within_s: float) -> bool:
        """Whether the sightings tell where he is at a time."""
        after = int(np.searchsorted(self.t_s, t_s))
        if 0 < after < len(self.t_s) and self.shot[after - 1] == self.shot[after] and self.t_s[after] - self.t_s[after - 1] <= within_s:
            return True
        return float(np.abs(self.t_s - t_s).min()) <= within_s / 8

    def joined(self, other: Trail) -> Trail:
        """Both, in time order; of two at one time, this one's."""
        t_s, first = np.unique(np.concatenate([self.t_s, other.t_s]), return_index=True)
        return Trail(t_s, np.concatenate([self.box, other.box])[first], np.concatenate([self.shot, other.shot])[first], self.colours)


def _middle(box: Sequence[float] | np.ndarray) -> np.ndarray:
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])


def _size(box: Sequence[float] | np.ndarray) -> float:
    return max(float(box[2]), float(box[3]), 1.0)


class Framing:
    """The cut-out: a rectangle of nearly constant size that pans with the player.

    Args:
        trail: where the sightings put him.
        width, height: of the upright picture.
    """

    def __init__(self, trail: Trail, width: int, height: int, settings: FollowSettings | None = None) -> None:
        self._trail, self._width, self._height = trail, width, height
        self._settings = settings or FollowSettings()
        self._middle: np.ndarray | None = None
        self._side = 0.0
        self._seen: deque[tuple[float, np.ndarray, float]] = deque()
        self._missed: tuple[float, int] | None = None  # since when, and in how many looks, he was not found

    def expected(self, t_s: float) -> tuple[np.ndarray, float, bool]:
        """Middle and size that he is expected to have, and whether because he was just found."""
        if self._seen and t_s - self._seen[-1][0] <= self._settings.remembered_s:
            last_s, last, size = self._seen[-1]
            first_s, first, _ = self._seen[0]
            speed = (last - first) / (last_s - first_s) if last_s - first_s > 0.02 else np.zeros(2)
            fastest = self._settings.fastest * size
            speed = speed * min(1.0, fastest / max(float(np.linalg.norm(speed)), 1e-9))
            return last + speed * (t_s - last_s), size, True
        box = self._trail.at(t_s)
        return _middle(box), _size(box), False

    def region(self, t_s: float) -> Region:
        """The part of the picture to look at."""
        middle, size, found = self.expected(t_s)
        settings = self._settings
        large = size >= settings.large_share * max(self._width, self._height)
        if self._missed and self._missed[1] % 2 and (large or t_s - self._missed[0] > settings.searched_s):
            return Region(0, 0, self._width // settings.grain * settings.grain, self._height // settings.grain * settings.grain)
        if self._missed and found:
            # Where he was going, and where the sightings put him: one of them is likely right.
            box = self._trail.at(t_s)
            other, wide = _middle(box), _size(box)
            middle, size = (middle + other) / 2, max(size, wide) + float(np.abs(middle - other).max()) / settings.region_sizes
            self._middle, self._side = middle, size
        elif self._middle is None or not found:
            self._middle, self._side = middle, size
        else:
            self._side = float(np.clip(self._side, size / settings.idle_size, size * settings.idle_size))
            away = middle - self._middle
            far = max(float(np.linalg.norm(away)), 1e-9)
            self._middle = self._middle + away * max(0.0, 1 - settings.idle * self._side / far)
        side = (settings.region_sizes if self._side > settings.small_px else settings.region_sizes_small) * self._side
        x, width = self._fitted(self._middle[0], side, self._width)
        y, height = self._fitted(self._middle[1], side, self._height)
        return Region(x, y, width, height)

    def _fitted(self, middle: float, side: float, limit: int) -> tuple[int, int]:
        """(start, length) inside the picture, of the asked length where it has room."""
        grain = self._settings.grain
        length = max(grain, min(int(np.ceil(side / grain)) * grain, limit // grain * grain))
        start = min(max(middle - length / 2, 0), limit - length)
        return int(start // grain) * grain, length

    @property
    def lost(self) -> bool:
        """Whether he was not found in the last look."""
        return self._missed is not None

    def found(self, t_s: float, box: Box) -> None:
        """He was found there."""
        if self._missed:
            self._seen.clear()
            self._middle = None
        self._missed = None
        self._seen.append((t_s, _middle(box), _size(box)))
        while len(self._seen) > 2 and t_s - self._seen[0][0] > self._settings.glance_s:
            self._seen.popleft()

    def missed(self, t_s: float) -> None:
        """Nobody was found."""
        since, times = self._missed or (t_s, 0)
        self._missed = (since, times + 1)

    def given_up(self) -> None:
        """Whoever was followed is not he, or is lost: back to the sightings."""
        self._seen.clear()


@dataclass
class Follower:
    """Judges each find in one chunk, in order.

    Attributes:
        trail: the player's.
        others: everyone else's.
        width, height: of the upright picture.
    """

    trail: Trail
    others: Sequence[Trail]
    width: int
    height: int
    settings: FollowSettings = field(default_factory=FollowSettings)
    _doubted: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.framing = Framing(self.trail, self.width, self.height, self.settings)

    def is_he(self, t_s: float, box: Box, colours: Colours | None) -> bool:
        """Whether a find can be him, by place, size and clothes. Changes nothing."""
        return not (self._leapt(t_s, box, colours) or self._astray(t_s, box) or self._other_clothes(t_s, box, colours))

    def hidden_by(self, t_s: float, box: Box) -> float:
        """Share of the place where the sightings put him that lies under somebody's box."""
        x, y, width, height = self.trail.at(t_s)
        across = min(x + width, box[0] + box[2]) - max(x, box[0])
        down = min(y + height, box[1] + box[3]) - max(y, box[1])
        return float(max(across, 0.0) * max(down, 0.0) / max(width * height, 1e-9))

    def away(self, t_s: float, box: Box) -> float:
        """How far a find is from where he is expected, in body sizes."""
        middle, size, _ = self.framing.expected(t_s)
        return float(np.linalg.norm(_middle(box) - middle)) / size + abs(float(np.log(_size(box) / size)))

    def judge(self, row: int, t_s: float, box: Box, colours: Colours | None) -> list[int]:
        """Take in a find of frame `row`. Returns the rows that must be taken back: none, this one, or also earlier ones in doubt."""
        if self._leapt(t_s, box, colours) or self._astray(t_s, box):
            return self._give_up(row)
        if self._other_clothes(t_s, box, colours):
            self._doubted.append((row, t_s))
            if t_s - self._doubted[0][1] >= self.settings.doubted_s - 1e-6:
                return self._give_up(row)
        else:
            self._doubted.clear()
        self.framing.found(t_s, box)
        return []

    def _give_up(self, row: int) -> list[int]:
        rows = [each for each, _ in self._doubted if each != row] + [row]
        self._doubted.clear()
        self.framing.given_up()
        return rows

    def _leapt(self, t_s: float, box: Box, colours: Colours | None) -> bool:
        middle, size, just_found = self.framing.expected(t_s)
        if not just_found:
            return False
        far = float(np.linalg.norm(_middle(box) - middle)) / size
        grown = max(_size(box) / size, size / _size(box))
        if far <= self.settings.leap and grown <= self.settings.grown:
            return False
        # Lost and seen again elsewhere: he may have gone there, and his clothes say whether.
        own = unlike(colours, self.trail.colours)
        return not (self.framing.lost and own is not None and own <= self.settings.own_clothes)

    def _astray(self, t_s: float, box: Box) -> bool:
        if not self.trail.known(t_s, self.settings.known_within_s):
            return False
        away = self._away(self.trail, t_s, box)
        if away <= self.settings.astray:
            return False
        return any(
            other.known(t_s, self.settings.known_within_s) and self._away(other, t_s, box) < self.settings.nearer * away
            for other in self.others
        )

    def _away(self, trail: Trail, t_s: float, box: Box) -> float:
        """How far a find is from where a trail says, in body sizes; a difference in size counts as distance."""
        there = trail.at(t_s)
        size = _size(there)
        return float(np.linalg.norm(_middle(box) - _middle(there))) / size + abs(float(np.log(_size(box) / size)))

    def _other_clothes(self, t_s: float, box: Box, colours: Colours | None) -> bool:
        own = unlike(colours, self.trail.colours)
        if own is None:
            return False
        if self.trail.known(t_s, self.settings.known_within_s) and self._away(self.trail, t_s, box) <= self.settings.astray / 2:
            return False  # place is the better witness
        likest = [unlike(colours, other.colours) for other in self.others]
        return any(each is not None and own - each > self.settings.other_clothes for each in likest)
