"""Whom to follow, decided from the whole clip and said aloud.

Belongs here: who of the people of a clip is the player (`choose_subject`), with the others and why not them (`Subject`). Does not belong
here: looking (`probe`), linking sightings into persons (`people`), following the chosen one (`following`). Pure: sightings in, decision
    out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.appearance import Colours, typical
from cricksy_pipeline.analysis.options import MOST_PEOPLE
from cricksy_pipeline.analysis.people import LinkSettings, Person, Sighting, linked
from cricksy_pipeline.errors import CricksyError, ErrorCode


@dataclass(frozen=True)
class SubjectSettings:
    """House defaults, uncalibrated, except where a measurement is named.

    A person's score is the product of size, place and presence with (1 + movement + habit); each weight says how much its part may add.

    Attributes:
        large_share: a body at least this share of the picture's longer side is found without tiles (.17 is 30 % of a 16:9 frame's
            height; the measured cliff is at 25 %).
        large_in: in this share of the pictures with anyone it must be so, for the tiles to be left out.
        least_seen: with more pictures than three times this, somebody seen in fewer is no person but a slip, unless nobody else is.
        ambiguous_share: with a second person whose score reaches this share of the first one's, the choice is ambiguous.
        size_power, presence_power: what share of the tallest person's height, and of the pictures with anyone, counts for.
        moves: weight of the fastest limb; `full_limb_speed` body heights a second count fully (a bat or a bowling arm makes 6 to 10).
        walking_swing: a walker's limbs swing so many times as fast as he walks.
        travels: weight of travel where the mode's player runs; `full_travel` body heights of ground, or `full_travel_speed` a second,
            count fully.
        passes: weight, below 0, of having no place of his own where the mode's player has one: the share of the sightings further than
            `own_place` body heights from the middle one of their shot. A batter who runs after his stroke had one; who walks by has none.
        habit: weight of what the mode's player does: hands together, an arm overhead, a crouch.
        slips: so many sightings that show nothing of it are taken for granted, so that one that does is no habit.
        hands_together, crouched, overhead: what counts as that (`Sighting.hands_apart`, `stands`, `arm_over`).
        link: how sightings become persons.
    """

    large_share: float = 0.17
    large_in: float = 0.6
    least_seen: int = 2
    ambiguous_share: float = 0.55
    size_power: float = 1.0
    presence_power: float = 0.5
    moves: float = 1.0
    full_limb_speed: float = 5.0
    walking_swing: float = 1.5
    travels: dict[str, float] = field(default_factory=lambda: {"bowling": 1.0, "fielding": 1.0})
    full_travel: float = 3.0
    full_travel_speed: float = 2.0
    passes: dict[str, float] = field(default_factory=lambda: {"batting": -1.0, "wicketkeeping": -1.0})
    own_place: float = 0.6
    habit: float = 1.0
    slips: int = 2
    hands_together: float = 0.45
    crouched: float = 1.0
    overhead: float = 0.8
    link: LinkSettings = field(default_factory=LinkSettings)


@dataclass(frozen=True)
class SeenPerson:
    """One person of the clip.

    Attributes:
        number: as in `--subject`, 1 for the highest score.
        score: in [0, 1] of the highest one's.
        seen_in: in how many of the pictures.
        share_of_frame_height: median height of the landmarks.
        colours: what he wears; None where not told.
        path: where he was: (seconds, left, top, width, height, shot) of each sighting, pixels of the upright picture.
        parts: what the score is made of.
        why_not: why somebody else was chosen, in words; None for the player.
    """

    number: int
    score: float
    seen_in: int
    share_of_frame_height: float
    colours: Colours | None
    path: tuple[tuple[float, ...], ...]
    parts: dict[str, float]
    why_not: str | None

    @property
    def seen_s(self) -> tuple[float, float]:
        """When he was first and last seen."""
        return self.path[0][0], self.path[-1][0]


@dataclass(frozen=True)
class Subject:
    """The player that is followed, and how he was chosen.

    Attributes:
        people: everyone seen, the highest score first, at most `MOST_PEOPLE`.
        chosen: number of the player among them; None where nobody was seen or no choice was made.
        asked: whether whoever asked for the analysis named him.
        share_of_frame_height: median height of the player's landmarks; None where nobody was seen.
        candidates: the most people seen in one picture.
        ambiguous: whether somebody else was nearly as likely.
        margin: how far the second score is below the player's, 0 to 1; None where there is no second.
        reason: one sentence for a person.
        pictures: how many pictures were looked at.
        seen_in: in how many of them the player was seen.
    """

    people: tuple[SeenPerson, ...] = ()
    chosen: int | None = None
    asked: bool = False
    share_of_frame_height: float | None = None
    candidates: int = 0
    ambiguous: bool = False
    margin: float | None = None
    reason: str = "the whole picture was looked at, without choosing anyone"
    pictures: int = 0
    seen_in: int = 0

    @property
    def player(self) -> SeenPerson | None:
        """The chosen one."""
        return next((person for person in self.people if person.number == self.chosen), None)

    @property
    def others(self) -> tuple[SeenPerson, ...]:
        """The runners-up."""
        return tuple(person for person in self.people if person.number != self.chosen)

    def as_json(self) -> dict[str, Any]:
        """For the results document; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Subject:
        """The subject that `as_json` wrote; whatever else stands there is left aside."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        people = (_person_from_json(person) for person in data.get("people", ()))
        return cls(**{**known, "people": tuple(people)})


def _person_from_json(data: dict[str, Any]) -> SeenPerson:
    colours = data["colours"]
    path = tuple(tuple(point) for point in data["path"])
    return SeenPerson(**{**data, "colours": None if colours is None else tuple(colours), "path": path})


def large_enough(sightings: Sequence[Sighting], width: int, height: int, settings: SubjectSettings) -> bool:
    """Whether a look at whole pictures settles it: in most pictures that show anyone, somebody is large."""
    seen = {s.picture for s in sightings}
    large = {s.picture for s in sightings if s.height >= settings.large_share * max(width, height)}
    return bool(seen) and len(large) >= settings.large_in * len(seen)


def choose_subject(
    sightings: Sequence[Sighting],
    width: int,
    height: int,
    pictures: int,
    *,
    mode: str = "batting",
    asked: int | None = None,
    settings: SubjectSettings | None = None,
) -> Subject:
    """The likeliest player among everyone seen, or the one that was asked for.

    Args:
        sightings: in any order.
        width, height: of the upright picture, pixels.
        pictures: how many were looked at.
        mode: what was filmed, e.g. "bowling".
        asked: number of the player, as an earlier analysis of the same file and mode listed the people.
        settings: weights and thresholds.

    Raises:
        CricksyError: OPTIONS_INVALID where the one asked for is not among the people.
    """
    settings = settings or SubjectSettings()
    persons = _without_slips(linked(sightings, settings.link), pictures, settings)
    with_anyone = len({s.picture for s in sightings})
    tallest = max((_tall(person) for person in persons), default=1.0)
    scored = [(person, _parts(person, width, height, with_anyone, tallest, mode, settings)) for person in persons]
    scored.sort(key=lambda each: (-_score(each[1]), -_tall(each[0]), each[0][0].t_s, each[0][0].y))
    scored = scored[:MOST_PEOPLE]
    if asked is not None and asked > len(scored):
        there = f"{len(scored)} {'person was' if len(scored) == 1 else 'people were'} seen" if scored else "nobody was seen"
        raise CricksyError(ErrorCode.OPTIONS_INVALID, f"There is no person {asked} to follow: {there}.")
    if not scored:
        return Subject(reason=f"nobody was seen in {pictures} pictures spread over the clip", pictures=pictures)
    chosen = (asked or 1) - 1
    people = tuple(_seen(number, scored, chosen, height, asked is not None) for number in range(len(scored)))
    player = people[chosen]
    rivals = [person.score for person in people if person.number != player.number]
    margin = round(1 - max(rivals) / max(player.score, 1e-9), 4) if rivals else None
    ambiguous = asked is None and margin is not None and 1 - margin >= settings.ambiguous_share
    crowd = max(sum(s.picture == picture for s in sightings) for picture in {s.picture for s in sightings})
    return Subject(
        people=people,
        chosen=player.number,
        asked=asked is not None,
        share_of_frame_height=player.share_of_frame_height,
        candidates=crowd,
        ambiguous=ambiguous,
        margin=margin,
        reason=_reason(player, people, ambiguous, asked is not None, pictures),
        pictures=pictures,
        seen_in=player.seen_in,
    )


def _tall(person: Person) -> float:
    return float(np.median([s.height for s in person]))


def _without_slips(persons: list[Person], pictures: int, settings: SubjectSettings) -> list[Person]:
    if pictures <= 3 * settings.least_seen:
        return persons
    return [person for person in persons if len(person) >= settings.least_seen] or persons


def _parts(
    person: Person, width: int, height: int, with_anyone: int, tallest: float, mode: str, settings: SubjectSettings
) -> dict[str, float]:
    """What speaks for a person, each about 0 to 1; movement and habit come on top of the product of the others."""
    centre, half_diagonal = np.array([width / 2, height / 2]), float(np.hypot(width, height)) / 2
    off_centre = float(np.median([np.linalg.norm(s.middle - centre) for s in person])) / half_diagonal
    limbs = _high([_beyond_walking(s, settings) for s in person]) / settings.full_limb_speed
    travel = max(_ground(person) / settings.full_travel, _high([s.travel_speed for s in person]) / settings.full_travel_speed)
    parts = {
        "size": (_tall(person) / max(tallest, 1e-9)) ** settings.size_power,
        "place": 1 - 0.5 * off_centre,
        "presence": (len(person) / max(with_anyone, 1)) ** settings.presence_power,
        "confidence": float(np.median([s.confidence for s in person])),
        "movement": settings.moves * min(limbs, 1.0)
        + settings.travels.get(mode, 0.0) * min(travel, 1.0)
        + settings.passes.get(mode, 0.0) * _without_place(person, settings),
        "habit": settings.habit * _habit(person, mode, settings),
    }
    return {name: round(value, 4) for name, value in parts.items()}


def _score(parts: dict[str, float]) -> float:
    return parts["size"] * parts["place"] * parts["presence"] * parts["confidence"] * max(0.1, 1 + parts["movement"] + parts["habit"])


def _beyond_walking(sighting: Sighting, settings: SubjectSettings) -> float | None:
    """Speed of the fastest limb without what carries him: feet and hands swing as he walks, and that is no stroke."""
    if sighting.limb_speed is None:
        return None
    return max(0.0, sighting.limb_speed - settings.walking_swing * (sighting.travel_speed or 0.0))


def _high(values: Sequence[float | None]) -> float:
    """A high value that one slip does not make: the second highest of many, the mean of the two highest of few."""
    told = sorted((value for value in values if value is not None), reverse=True)
    return 0.0 if not told else told[1] if len(told) >= 8 else float(np.mean(told[:2]))


def _ground(person: Person) -> float:
    """Body heights over which a person spread within one shot."""
    most = 0.0
    for shot in {s.shot for s in person}:
        places = [s.place for s in person if s.shot == shot and s.place is not None]
        if len(places) > 1:
            most = max(most, float(np.linalg.norm(np.ptp(np.array(places), axis=0))) / max(_tall(person), 1e-9))
    return most


def _without_place(person: Person, settings: SubjectSettings) -> float:
    """Share of the sightings that are not where this person mostly is."""
    away: list[bool] = []
    for shot in {s.shot for s in person}:
        places = np.array([s.place for s in person if s.shot == shot and s.place is not None])
        if len(places):
            apart = np.linalg.norm(places - np.median(places, axis=0), axis=1)
            away += (apart > settings.own_place * _tall(person)).tolist()
    return float(np.mean(away)) if away else 0.0


def _habit(person: Person, mode: str, settings: SubjectSettings) -> float:
    """Share of the sightings in which he does what this mode's player does and others seldom do."""
    signs = {
        "batting": [s.hands_apart < settings.hands_together for s in person if s.hands_apart is not None],
        "wicketkeeping": [s.stands < settings.crouched for s in person if s.stands is not None],
    }.get(mode)
    if mode == "bowling":  # seldom caught, so once is enough
        return float(any(s.arm_over is not None and s.arm_over > settings.overhead for s in person))
    return float(np.sum(signs)) / (len(signs) + settings.slips) if signs else 0.0


def _seen(at: int, scored: list[tuple[Person, dict[str, float]]], chosen: int, height: int, asked: bool) -> SeenPerson:
    person, parts = scored[at]
    best = max(_score(each) for _, each in scored)
    path = tuple((round(s.t_s, 4), *(round(v, 1) for v in (s.x, s.y, s.width, s.height)), float(s.shot)) for s in person)
    return SeenPerson(
        number=at + 1,
        score=round(_score(parts) / max(best, 1e-9), 4),
        seen_in=len(person),
        share_of_frame_height=round(_tall(person) / height, 4),
        colours=typical([s.colours for s in person]),
        path=path,
        parts=parts,
        why_not=None if at == chosen else "another was asked for" if asked else _why_not(parts, scored[chosen][1]),
    )


_WHY = {
    "size": "smaller in the picture",
    "place": "further from the middle",
    "presence": "seen less often",
    "confidence": "seen less clearly",
    "movement": "moves less as this player does",
    "habit": "does less of what this player does",
}


def _why_not(parts: dict[str, float], chosen: dict[str, float]) -> str:
    """What cost him most against the chosen one."""

    def behind(name: str) -> float:
        low, high = (max(0.1, 1 + values[name]) if name in ("movement", "habit") else max(values[name], 1e-3) for values in (parts, chosen))
        return low / high

    return _WHY[min(_WHY, key=behind)]


def _reason(player: SeenPerson, people: Sequence[SeenPerson], ambiguous: bool, asked: bool, pictures: int) -> str:
    seen = (
        f"the player fills {player.share_of_frame_height:.0%} of the frame's height and was seen in {player.seen_in} of {pictures} pictures"
    )
    if asked:
        return f"{seen}; he is person {player.number} of {len(people)}, as was asked for"
    if len(people) == 1:
        return seen
    if ambiguous:
        return f"{seen}; {len(people)} people were seen, and another is nearly as likely to be meant"
    return f"{seen}; of {len(people)} people he is the likeliest by size, place, movement and persistence"
