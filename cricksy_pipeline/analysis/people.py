"""The people of a clip: sightings linked over time into persons.

Belongs here: what is kept of somebody seen in one picture (`Sighting`), and who of several sightings is one person. Does not belong here:
looking (`probe`), who of them is the player (`subject`). Pure: the order of the sightings does not matter, and in a mirror the same persons
come out, mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cricksy_pipeline.analysis.appearance import Colours, typical, unlike


@dataclass(frozen=True)
class LinkSettings:
    """House defaults, uncalibrated.

    Attributes:
        near: two sightings can be one person who hardly moved if their middles are at most so many body heights apart.
        speed: and so many body heights a second further for the time between; a sprinter makes 4.
        farthest: never more than that, in body heights: for so long a time place tells nothing.
        taller: their heights differ at most by this factor; a crouch is half a stand.
        taller_unplaced: the same where place tells nothing.
        dressed_alike, surely_alike: greatest `appearance.unlike` of one person near the same place, and where place tells nothing.
    """

    near: float = 1.0
    speed: float = 2.5
    farthest: float = 4.0
    taller: float = 2.0
    taller_unplaced: float = 1.6
    dressed_alike: float = 0.45
    surely_alike: float = 0.2


@dataclass(frozen=True)
class Sighting:
    """Somebody seen in one picture.

    Attributes:
        picture: which of the pictures looked at, from 0.
        x, y, width, height: box of the landmarks, pixels of the upright picture.
        confidence: mean visibility of the landmarks in [0, 1].
        t_s: time of the picture.
        shot: unbroken shot that the picture belongs to; places of two shots are not comparable.
        moved: how far the background had moved in the picture, pixels; None where not told.
        colours: what he wears, or None.
        hands_apart: distance of the wrists over trunk length.
        stands: height of the hips above the ankles over trunk length: 1.6 upright, under 1 in a crouch.
        arm_over: height of the higher wrist above its shoulder over trunk length.
        limb_speed, travel_speed: fastest hand or foot against the hips, and the hips against the background, body heights a second.
    """

    picture: int
    x: float
    y: float
    width: float
    height: float
    confidence: float
    t_s: float = 0.0
    shot: int = 0
    moved: tuple[float, float] | None = (0.0, 0.0)
    colours: Colours | None = None
    hands_apart: float | None = None
    stands: float | None = None
    arm_over: float | None = None
    limb_speed: float | None = None
    travel_speed: float | None = None

    @property
    def middle(self) -> np.ndarray:
        """(2,) centre of the box, pixels."""
        return np.array([self.x + self.width / 2, self.y + self.height / 2])

    @property
    def place(self) -> np.ndarray | None:
        """(2,) centre of the box over the background, comparable within a shot; None where it is not told."""
        return None if self.moved is None else self.middle - self.moved


Person = list[Sighting]
"""One person's sightings, in time order, at most one a picture."""


def linked(sightings: Sequence[Sighting], settings: LinkSettings | None = None) -> list[Person]:
    """Sightings grouped into persons.

    Picture by picture, the cheapest pairs of a known person and a sighting are joined first: near, of like size, dressed alike. What is
    left begins a person. Then persons that were never seen together are joined where they are dressed alike, the most alike first: somebody
    who left and came back, or is on both sides of a cut.
    """
    settings = settings or LinkSettings()
    ordered = sorted(sightings, key=_order)
    people: list[Person] = []
    for picture in sorted({s.picture for s in ordered}):
        here = [s for s in ordered if s.picture == picture]
        costs = []
        for p, person in enumerate(people):
            for s, sighting in enumerate(here):
                cost = _cost(person, sighting, settings)
                if cost is not None:
                    costs.append((round(cost, 9), p, s))
        taken: set[int] = set()
        placed: set[int] = set()
        for _, p, s in sorted(costs):
            if p not in taken and s not in placed:
                people[p].append(here[s])
                taken.add(p)
                placed.add(s)
        people += [[sighting] for s, sighting in enumerate(here) if s not in placed]
    return _fragments_joined(people, settings)


def _order(sighting: Sighting) -> tuple:
    """Never by left or right: in a mirror the same sightings come in the same order."""
    return (sighting.picture, -sighting.height, -sighting.confidence, sighting.y, -sighting.width, sighting.x)


def _cost(person: Person, sighting: Sighting, settings: LinkSettings) -> float | None:
    """How much speaks against this being that person, 0 and up; None: too much."""
    last = person[-1]
    taller = max(last.height, sighting.height, 1e-9)
    size = abs(np.log(max(last.height, 1e-9) / max(sighting.height, 1e-9)))
    dressed = unlike(typical([s.colours for s in person[-5:]]), sighting.colours)
    reach = min(settings.near + settings.speed * max(0.0, sighting.t_s - last.t_s), settings.farthest)
    if last.shot == sighting.shot and last.place is not None and sighting.place is not None:
        apart = float(np.linalg.norm(last.place - sighting.place)) / taller
        if apart <= reach and size <= np.log(settings.taller) and (dressed is None or dressed <= settings.dressed_alike):
            return apart / reach + size / np.log(settings.taller) + (0.0 if dressed is None else 2 * dressed / settings.dressed_alike)
        return None
    if dressed is not None and dressed <= settings.surely_alike and size <= np.log(settings.taller_unplaced):
        return 2.0 + size / np.log(settings.taller_unplaced) + dressed / settings.surely_alike
    return None


def _fragments_joined(people: list[Person], settings: LinkSettings) -> list[Person]:
    people = [list(person) for person in people]
    while True:
        pairs = []
        for i, one in enumerate(people):
            for j in range(i + 1, len(people)):
                apart = _fragment_cost(one, people[j], settings)
                if apart is not None:
                    pairs.append((round(apart, 9), -len(one) - len(people[j]), i, j))
        if not pairs:
            return people
        _, _, i, j = min(pairs)
        people[i] = sorted(people[i] + people.pop(j), key=_order)


def _fragment_cost(one: Person, other: Person, settings: LinkSettings) -> float | None:
    if {s.picture for s in one} & {s.picture for s in other}:
        return None
    heights = [float(np.median([s.height for s in person])) for person in (one, other)]
    size = abs(np.log(max(heights[0], 1e-9) / max(heights[1], 1e-9)))
    dressed = unlike(typical([s.colours for s in one]), typical([s.colours for s in other]))
    if size > np.log(settings.taller_unplaced) or (dressed is not None and dressed > settings.surely_alike):
        return None
    return size + (0.5 if dressed is None else dressed)
