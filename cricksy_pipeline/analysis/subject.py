"""Whom to follow, decided from the whole clip and said aloud.

Belongs here: what a glance over the clip found (`Candidate`), who of them is the player, which part of the picture to look at (`Subject`).
Does not belong here: looking (`probe`), pose in every frame (`pose`). Pure: candidates in, decision out.

Why a region at all: BlazePose's detector sees the whole picture at 224 pixels. A player of 25 % of the frame's height is found in 58 % of
single pictures, of 17 % in 6 %; cut out, he is found in all of them (measured, 16:9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.video_frames import Region


@dataclass(frozen=True)
class SubjectSettings:
    """House defaults, uncalibrated, except where a measurement is named.

    Attributes:
        large_share: a body at least this share of the picture's longer side is found without a crop (.17 is 30 % of a 16:9 frame's
            height; the measured cliff is at 25 %).
        large_in: in this share of the pictures with anyone it must be so, for the tiles to be left out.
        linked_distance, linked_ratio: two sightings in successive pictures are one person if their middles are at most so many body heights
            apart and their heights differ at most by this factor.
        ambiguous_share: with a second person whose score reaches this share of the first one's, the choice is ambiguous.
        side_margin, height_margin: room around the union of the sightings, in body heights, on each side.
        least_width, least_height: of the region, in body heights; at 3 x 2 the player fills a third of the detector's view.
        useful_area: a region larger than this share of the picture gains nothing; the whole picture is used.
    """

    large_share: float = 0.17
    large_in: float = 0.6
    linked_distance: float = 2.0
    linked_ratio: float = 1.6
    ambiguous_share: float = 0.7
    side_margin: float = 1.0
    height_margin: float = 0.5
    least_width: float = 3.0
    least_height: float = 2.0
    useful_area: float = 0.6


@dataclass(frozen=True)
class Candidate:
    """Someone seen in one picture.

    Attributes:
        picture: which of the pictures looked at, from 0.
        x, y, width, height: box of the landmarks, pixels of the upright picture.
        confidence: mean visibility of the landmarks in [0, 1].
    """

    picture: int
    x: float
    y: float
    width: float
    height: float
    confidence: float

    @property
    def middle(self) -> np.ndarray:
        """(2,) centre of the box, pixels."""
        return np.array([self.x + self.width / 2, self.y + self.height / 2])


@dataclass(frozen=True)
class Subject:
    """The player that is followed, and how he was chosen.

    Attributes:
        region: part of the upright picture that is looked at in every frame; None: all of it.
        share_of_frame_height: median height of the player's landmarks; None where nobody was seen.
        candidates: the most people seen in one picture.
        ambiguous: whether somebody else was nearly as likely, or is of like size and in view with nothing to keep him apart.
        reason: one sentence for a person.
        pictures: how many pictures were looked at.
        seen_in: in how many of them the player was seen.
    """

    region: Region | None = None
    share_of_frame_height: float | None = None
    candidates: int = 0
    ambiguous: bool = False
    reason: str = "the whole picture was looked at, without choosing anyone"
    pictures: int = 0
    seen_in: int = 0

    def as_json(self) -> dict[str, Any]:
        """For the results document; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Subject:
        """The subject that `as_json` wrote."""
        region = data.get("region")
        return cls(**{**data, "region": Region(**region) if region else None})


def large_enough(candidates: Sequence[Candidate], width: int, height: int, settings: SubjectSettings) -> bool:
    """Whether a look at whole pictures settles it: in most pictures that show anyone, somebody is large."""
    seen = {c.picture for c in candidates}
    large = {c.picture for c in candidates if c.height >= settings.large_share * max(width, height)}
    return bool(seen) and len(large) >= settings.large_in * len(seen)


def choose_subject(
    candidates: Sequence[Candidate], width: int, height: int, pictures: int, settings: SubjectSettings | None = None
) -> Subject:
    """The likeliest player among everyone seen.

    Sightings are linked from picture to picture; each person scores by how often, how large, how central and how far moving (in own
    heights) he was. Whoever is never seen beside the player may be the player himself, lost in between, and counts as him. A region is
    chosen where he is small, or where somebody else is seen beside him.

    Args:
        candidates: sightings in any order.
        width, height: of the upright picture, pixels.
        pictures: how many were looked at.
        settings: thresholds.
    """
    settings = settings or SubjectSettings()
    people = sorted(_linked(candidates, settings), key=lambda person: -_score(person, width, height))
    if not people:
        return Subject(reason=f"nobody was seen in {pictures} pictures spread over the clip", pictures=pictures)
    player, others = _with_own_gaps_filled(people)
    tall = float(np.median([c.height for c in player]))
    score = _score(player, width, height)
    small = not large_enough(player, width, height, settings)
    region = _region(player, tall, width, height, settings) if small or others else None
    # With the whole picture before it, nothing holds the landmarker to one of several people of like size.
    rivals = [
        o
        for o in others
        if _score(o, width, height) >= settings.ambiguous_share * score or (region is None and _like_in_size(o, tall, settings))
    ]
    ambiguous = bool(rivals)
    crowd = max(sum(c.picture == picture for c in candidates) for picture in {c.picture for c in candidates})
    reason = _reason(len(player), crowd, tall / height, region, ambiguous, pictures)
    return Subject(region, round(tall / height, 4), crowd, ambiguous, reason, pictures, len(player))


def _like_in_size(person: Sequence[Candidate], tall: float, settings: SubjectSettings) -> bool:
    return float(np.median([c.height for c in person])) >= tall / settings.linked_ratio


def _with_own_gaps_filled(people: Sequence[list[Candidate]]) -> tuple[list[Candidate], list[list[Candidate]]]:
    """The first person, with everyone never seen beside him; and the others."""
    player, others = list(people[0]), []
    for person in people[1:]:
        if {c.picture for c in person} & {c.picture for c in player}:
            others.append(person)
        else:
            player += person
    return player, others


def _linked(candidates: Sequence[Candidate], settings: SubjectSettings) -> list[list[Candidate]]:
    """Sightings grouped into people: each joins the nearest person of an earlier picture that it can be."""
    people: list[list[Candidate]] = []
    for sighting in sorted(candidates, key=lambda c: (c.picture, -c.height)):
        best, nearest = None, settings.linked_distance
        for person in people:
            last = person[-1]
            taller, smaller = max(last.height, sighting.height), max(min(last.height, sighting.height), 1e-9)
            apart = float(np.linalg.norm(last.middle - sighting.middle)) / taller
            if last.picture < sighting.picture and taller / smaller <= settings.linked_ratio and apart <= nearest:
                best, nearest = person, apart
        if best is None:
            people.append([sighting])
        else:
            best.append(sighting)
    return people


def _score(person: Sequence[Candidate], width: int, height: int) -> float:
    centre = np.array([width / 2, height / 2])
    half_diagonal = float(np.hypot(width, height)) / 2
    tall = float(np.median([c.height for c in person]))
    middles = np.array([c.middle for c in person])
    moved = min(float(np.linalg.norm(np.ptp(middles, axis=0))) / max(tall, 1e-9), 1.0)
    total = 0.0
    for sighting in person:
        central = 1 - float(np.linalg.norm(sighting.middle - centre)) / half_diagonal
        total += sighting.height / height * (0.5 + 0.5 * central) * sighting.confidence
    return total * (1 + moved)


def _region(player: Sequence[Candidate], tall: float, width: int, height: int, settings: SubjectSettings) -> Region | None:
    left, right = min(c.x for c in player), max(c.x + c.width for c in player)
    top, bottom = min(c.y for c in player), max(c.y + c.height for c in player)
    x, across = _padded(left, right, settings.side_margin * tall, settings.least_width * tall, width)
    y, down = _padded(top, bottom, settings.height_margin * tall, settings.least_height * tall, height)
    if across * down > settings.useful_area * width * height:
        return None
    return Region(x, y, across, down)


def _padded(low: float, high: float, margin: float, least: float, limit: int) -> tuple[int, int]:
    """(start, length) of an interval with a margin, at least `least` long, inside [0, limit]."""
    length = min(max(high - low + 2 * margin, least), limit)
    start = min(max((low + high) / 2 - length / 2, 0), limit - length)
    return round(start), max(1, min(round(length), limit - round(start)))


def _reason(seen_in: int, crowd: int, share: float, region: Region | None, ambiguous: bool, pictures: int) -> str:
    seen = f"the player fills {share:.0%} of the frame's height and was seen in {seen_in} of {pictures} pictures"
    where = "a part of the picture around him is looked at" if region else "the whole picture is looked at"
    if crowd == 1:
        return f"{seen}; {where}"
    doubt = (
        "it is not certain that the landmarks are always his"
        if ambiguous
        else "he was the likeliest by size, place, movement and persistence"
    )
    return f"{seen}; up to {crowd} people were seen at once, {doubt}; {where}"
