"""Whether it was always he: what the landmarks of a look say of how well the player was held.

Belongs here: losses, refusals, agreement with the glance over the clip, moments at which somebody else was in the same place. Does not
belong here: choosing (`subject`), following (`following`). Pure: derived from what is stored, so that it is the same whenever it is
    derived.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cricksy_pipeline.analysis.following import Trail
from cricksy_pipeline.analysis.landmarks import BURST, REFUSED, REGAINED, Landmarks
from cricksy_pipeline.analysis.subject import Subject


@dataclass(frozen=True)
class IdentitySettings:
    """House defaults, uncalibrated.

    Attributes:
        lost_s: not found for longer than this is lost; shorter gaps are single slips.
        beside_s: a sighting is compared with the frame looked at nearest to it, at most this far in time.
        same_place: in body sizes: so near, they are the same place.
        least_agreement: with less of the sightings agreeing, it is doubtful whom the landmarks are of.
        least_sightings: with fewer to compare, nothing is said.
        crossing: somebody else nearer than this, in body sizes, may hide him or be taken for him.
        crossing_within_s: as long as the sightings of both lie no further apart.
    """

    lost_s: float = 0.5
    beside_s: float = 0.15
    same_place: float = 0.6
    least_agreement: float = 0.75
    least_sightings: int = 4
    crossing: float = 0.6
    crossing_within_s: float = 1.6


def held(landmarks: Landmarks, subject: Subject, settings: IdentitySettings | None = None) -> dict[str, Any]:
    """How the player was held, as JSON: counts, and times in seconds of the recording.

    refused_frames: frames in which somebody else was found and left out. regained: how often he was found again. lost: [start, end] of each
    stretch without him between the first and the last time he was found. agreement: share of the glance's sightings of him that the
    landmarks agree with; null with too few. crossings: [start, end] of stretches in which somebody else was in the same place. cuts: times
    of the first frame looked at of each further shot. doubtful: too little agreement to be sure whom the landmarks are of.
    """
    settings = settings or IdentitySettings()
    agreement = _agreement(landmarks, subject, settings)
    cuts = np.flatnonzero(np.diff(landmarks.shot) != 0) + 1
    return {
        "refused_frames": int((landmarks.doubt == REFUSED).sum()),
        "regained": int((landmarks.doubt == REGAINED).sum()),
        "lost": _lost(landmarks, settings),
        "agreement": agreement,
        "crossings": _crossings(landmarks, subject, settings),
        "cuts": [round(float(landmarks.t_s[i]), 3) for i in cuts],
        "doubtful": agreement is not None and agreement < settings.least_agreement,
    }


def _lost(landmarks: Landmarks, settings: IdentitySettings) -> list[list[float]]:
    on_grid = landmarks.source != BURST
    times = landmarks.t_s[landmarks.found & (on_grid | ~on_grid.any())]
    gaps = np.flatnonzero(np.diff(times) > settings.lost_s)
    return [[round(float(times[i]), 3), round(float(times[i + 1]), 3)] for i in gaps]


def _agreement(landmarks: Landmarks, subject: Subject, settings: IdentitySettings) -> float | None:
    player = subject.player
    seen = landmarks.found
    if player is None or not seen.any():
        return None
    t_seen, xy = landmarks.t_s[seen], landmarks.xy[seen]
    middle = (xy.min(axis=1) + xy.max(axis=1)) / 2
    agree = []
    for t_s, x, y, width, height, _ in player.path:
        nearest = int(np.argmin(np.abs(t_seen - t_s)))
        if abs(t_seen[nearest] - t_s) <= settings.beside_s:
            away = np.hypot(middle[nearest, 0] - x - width / 2, middle[nearest, 1] - y - height / 2)
            agree.append(away <= settings.same_place * max(width, height))
    return round(float(np.mean(agree)), 4) if len(agree) >= settings.least_sightings else None


def _crossings(landmarks: Landmarks, subject: Subject, settings: IdentitySettings) -> list[list[float]]:
    player = subject.player
    if player is None or not subject.others or not len(landmarks):
        return []
    his, others = Trail.of(player.path), [Trail.of(other.path) for other in subject.others]
    times = landmarks.t_s[landmarks.source != BURST] if (landmarks.source != BURST).any() else landmarks.t_s
    within = settings.crossing_within_s
    near = [
        his.known(t, within) and any(other.known(t, within) and _apart(his.at(t), other.at(t)) < settings.crossing for other in others)
        for t in times
    ]
    spans: list[list[float]] = []
    for row in np.flatnonzero(near):
        if spans and row > 0 and near[row - 1]:
            spans[-1][1] = round(float(times[row]), 3)
        else:
            spans.append([round(float(times[row]), 3)] * 2)
    return spans


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """Of two boxes, in sizes of the first."""
    return float(np.hypot(one[0] + one[2] / 2 - other[0] - other[2] / 2, one[1] + one[3] / 2 - other[1] - other[3] / 2)) / max(
        float(one[2]), float(one[3]), 1.0
    )
