"""Faces made unrecognisable: where heads are or may be, and the blur.

Belongs here: from what is known of everyone in the clip to places, and from places to a changed picture. Does not belong here: whether a
session asks for it (`store`), finding people (`analysis.probe`).

It fails closed. Where the landmarks tell where the player's face is, an ellipse around ears, eyes and nose is blurred, grown. Where they do
not (nobody looked, he was not found, his head was hardly seen), the upper part of the box in which he must be; the further in time from
where he was seen, the larger. The others are blurred twice: by the upper part of the box in which the analysis saw them about once a
second, and by the heads that were found in a look of their own (`bystanders`), from the picture before to the picture after. Somebody
whom neither ever saw, small or half hidden in the background, is not known here, and is not blurred.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cricksy_pipeline.analysis.following import Trail
from cricksy_pipeline.analysis.landmarks import LANDMARK_NAMES
from cricksy_pipeline.reading.overlay.body import Body, BodyTrack
from cricksy_pipeline.reading.overlay.bystanders import Glimpse, between

HEAD = np.array([i for i, name in enumerate(LANDMARK_NAMES) if any(part in name for part in ("nose", "eye", "ear", "mouth"))])


@dataclass(frozen=True)
class FaceSettings:
    """House defaults, uncalibrated; each errs towards blurring more.

    Attributes:
        grown: the ellipse reaches so many times as far as the landmarks of the head do from their middle.
        least: and at least so many body sizes (longer side of his box); a head with hair and helmet is 0.13 of a standing body high,
            and a crouching or lying one's box is shorter than he is.
        taller: height of the ellipse over its width: hair and chin lie beyond the landmarks.
        sure: mean visibility of the head's landmarks under which they are not believed alone.
        upper: share of a box in which the head is sought, from its top.
        above, beside: the box of the landmarks ends at the eyes and the ears: so many box heights are added.
        roams: body sizes a second by which somebody may have moved since he was seen, and the part grows.
        runs: the same for a head that was found only in the look before or only in the one after.
        own: a head so many body sizes or less from the player's is the player's.
        others_s: somebody else may still be, or be already, where the analysis saw him, for so long: half the time between its glances.
        roams_most: and at most so many.
        cells: the blurred part keeps so many brightnesses on its longer side, and no more.
    """

    grown: float = 1.9
    least: float = 0.085
    taller: float = 1.25
    sure: float = 0.5
    upper: float = 0.35
    above: float = 0.14
    beside: float = 0.12
    roams: float = 0.6
    runs: float = 0.8
    own: float = 0.2
    others_s: float = 0.7
    roams_most: float = 0.8
    cells: int = 6


@dataclass(frozen=True)
class Place:
    """An upright ellipse, or a rectangle: middle and half sizes in pixels of the upright source."""

    x: float
    y: float
    half_width: float
    half_height: float
    round: bool


@dataclass(frozen=True)
class Heads:
    """Where heads are or may be.

    Attributes:
        body: the player's landmarks.
        player: where he was seen, also where the landmarks lost him; None where nobody was chosen.
        others: where everyone else was seen.
        glimpses: whoever was found in a look of its own, in time order.
    """

    body: BodyTrack
    player: Trail | None
    others: Sequence[Trail]
    glimpses: Sequence[Glimpse] = ()
    settings: FaceSettings = field(default_factory=FaceSettings)

    @classmethod
    def of(
        cls, body: BodyTrack, people: Sequence[Sequence[Sequence[float]]], chosen: int | None, glimpses: Sequence[Glimpse] = ()
    ) -> Heads:
        """From the landmarks, everyone's `subject.SeenPerson.path` (`chosen`: which of these is the player's), and a look for people."""
        trails = [Trail.of(path) for path in people if len(path)]
        player = trails[chosen] if chosen is not None else None
        others = [trail for i, trail in enumerate(trails) if i != chosen]
        found = np.isfinite(body.xy[:, 0, 0])
        if found.any():
            low, high = body.xy[found].min(axis=1), body.xy[found].max(axis=1)
            followed = Trail(body.t_s[found], np.concatenate([low, high - low], axis=1).astype(float), body.shot[found].astype(int))
            # The glance counts shots for itself: nothing is interpolated between its sightings and what was followed.
            seen = None if player is None else Trail(player.t_s, player.box, -1 - player.shot, player.colours)
            player = followed if seen is None else followed.joined(seen)
        return cls(body, player, others, glimpses)

    def at(self, t_s: float) -> list[Place]:
        """The places to blur at a moment."""
        body, places = self.body.at(t_s), []
        if body is not None:
            places.append(self._face(body.xy))
        if self.player is not None and (body is None or not self._sure(body)):
            places.append(self._upper(self.player, t_s))
        places += [self._upper(trail, t_s) for trail in self.others if self._may_be_there(trail, t_s)]
        for seen in between(self.glimpses, t_s):
            if body is None or not self._sure(body) or not self._is_player(seen.xy, body):
                places.append(self._face(seen.xy, self.settings.runs * seen.away_s))
        return places

    def _may_be_there(self, trail: Trail, t_s: float) -> bool:
        """Whether somebody is in the picture, as the analysis saw him: between two of its glances, or not long before or after one."""
        return trail.known(t_s, 2.0 * self.settings.others_s) or float(np.abs(trail.t_s - t_s).min()) <= self.settings.others_s

    def _is_player(self, xy: np.ndarray, body: Body) -> bool:
        apart = float(np.linalg.norm(xy[HEAD].mean(axis=0) - body.xy[HEAD].mean(axis=0)))
        return apart <= self.settings.own * float(np.ptp(body.xy, axis=0).max())

    def _sure(self, body: Body) -> bool:
        return bool(np.mean(body.visibility[HEAD]) >= self.settings.sure)

    def _face(self, xy: np.ndarray, moved: float = 0.0) -> Place:
        """The ellipse around a head of (33, 2) landmarks; `moved`: body sizes by which it may lie elsewhere."""
        head = xy[HEAD].astype(float)
        middle = (head.min(axis=0) + head.max(axis=0)) / 2
        reach = float(np.linalg.norm(head - middle, axis=1).max())
        size = float(np.ptp(xy, axis=0).max())
        half = max(self.settings.grown * reach, self.settings.least * size) + moved * size
        return Place(float(middle[0]), float(middle[1]), half, self.settings.taller * half, True)

    def _upper(self, trail: Trail, t_s: float) -> Place:
        """The upper part of the box in which somebody is or must be; between two sightings, all between both.

        Before he was first seen, and after he was last, he may be where that was.
        """
        settings, after = self.settings, int(np.searchsorted(trail.t_s, t_s))
        around = [row for row in (after - 1, after) if 0 <= row < len(trail.t_s)]
        x, y, width, height = trail.box[around].T
        # He was last seen so long ago, and will be seen in so long: the farther from either, the farther he may have gone.
        away_s = float(np.abs(trail.t_s[around] - t_s).min())
        roams = max(width.max(), height.max()) * min(settings.roams * away_s, settings.roams_most)
        left, right = (x - settings.beside * height).min() - roams, (x + width + settings.beside * height).max() + roams
        top, bottom = (y - settings.above * height).min() - roams, (y + settings.upper * height).max() + roams
        return Place(float(left + right) / 2, float(top + bottom) / 2, float(right - left) / 2, float(bottom - top) / 2, False)


def blur(image: np.ndarray, places: Sequence[Place], scale: float, settings: FaceSettings | None = None) -> None:
    """Make what lies in the places unrecognisable, in the picture itself.

    A few average brightnesses remain of each place, smoothly joined: what is gone cannot be sharpened back.

    Args:
        image: (h, w, 3) uint8.
        places: in pixels of the source.
        scale: pixels of the image per pixel of the source.
    """
    import cv2

    cells = (settings or FaceSettings()).cells
    for place in places:
        x0, x1 = (place.x - place.half_width) * scale, (place.x + place.half_width) * scale
        y0, y1 = (place.y - place.half_height) * scale, (place.y + place.half_height) * scale
        left, right = max(0, int(np.floor(x0))), min(image.shape[1], int(np.ceil(x1)))
        top, bottom = max(0, int(np.floor(y0))), min(image.shape[0], int(np.ceil(y1)))
        if right <= left or bottom <= top:
            continue
        part = image[top:bottom, left:right]
        longest = max(part.shape[:2])
        few = (max(1, round(cells * part.shape[1] / longest)), max(1, round(cells * part.shape[0] / longest)))
        coarse = cv2.resize(cv2.resize(part, few, interpolation=cv2.INTER_AREA), part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        if place.round:
            mask = np.zeros(part.shape[:2], np.uint8)
            centre = (round(16 * ((x0 + x1) / 2 - left)), round(16 * ((y0 + y1) / 2 - top)))
            cv2.ellipse(mask, centre, (round(8 * (x1 - x0)), round(8 * (y1 - y0))), 0, 0, 360, 255, -1, cv2.LINE_8, 4)
            part[mask > 0] = coarse[mask > 0]
        else:
            part[:] = coarse
