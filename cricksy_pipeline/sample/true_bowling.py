"""What is true of a bowled ball: W1 to W8 of the metric reference (cricket-metrics 3.4), by the catalogue's codes and units.

Belongs here: which quantity is read at which true moment.
Does not belong here: bands, judgements, estimation (`analysis.metrics`); what a moment shows (`instants`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.sample.instants import Instant, fine, instant
from cricksy_pipeline.sample.rotations import angle_between
from cricksy_pipeline.sample.spec import ClipSpec

APPROACH_S = 0.5
"""Before the back foot lands, for the approach speed (W2)."""


def true_bowling(spec: ClipSpec, at: dict[str, float]) -> dict[str, float | None]:
    """Code -> value of one ball; `at`: event -> clip seconds.

    Signs: leans forward to the batter and sideways away from the bowling arm are positive (W5, W6, W8); the arm slot W7 is positive towards
    the batter seen from the side, away from the head seen along the pitch.
    """
    back, front, release = (instant(spec, at[name]) for name in ("back_foot_contact", "front_foot_contact", "release"))
    flexion, before = release.trunk_lean_deg(release.along), front.trunk_lean_deg(front.along)
    stride = release.along(front.point("front_ankle") - back.point("back_ankle"))
    lowest = max(release.point("front_heel")[1], release.point("front_foot_index")[1])
    head = release.to_off(release.head - release.point("front_ankle"))
    return {
        "W1": release.knee_deg("front"),
        "W1F": front.knee_deg("front"),
        "W1M": _least_knee_deg(spec, at) if release.shows_play else None,
        "W2": _approach(spec, at, release),
        "W3": release.heights(stride),
        "W4": (at["release"] - at["front_foot_contact"]) / spec.slow_motion,
        "W4B": (at["front_foot_contact"] - at["back_foot_contact"]) / spec.slow_motion,
        "W5": flexion,
        "W5E": None if flexion is None or before is None else flexion - before,
        "W6": _negated(release.trunk_lean_deg(release.to_off)),
        "W6F": _negated(front.trunk_lean_deg(front.to_off)),
        "W7": _arm_slot_deg(release),
        "W7H": release.heights(float(lowest - release.point("back_wrist")[1])) if release.shows_play or release.shows_off else None,
        "W8": _negated(release.percent(head)),
    }


def _negated(value: float | None) -> float | None:
    """Away from the bowling arm is positive; `to_off` counts towards it."""
    return None if value is None else -value


def _least_knee_deg(spec: ClipSpec, at: dict[str, float]) -> float:
    _, seen = fine(spec, at["front_foot_contact"], at["release"])
    lead = "right" if spec.mirror else "left"
    return float(angle_between(*(seen.px[:, INDEX[f"{lead}_{joint}"]] for joint in ("hip", "knee", "ankle"))).min())


def _approach(spec: ClipSpec, at: dict[str, float], release: Instant) -> float | None:
    """Body heights per second of life by which the hips come closer in the last half second before the back foot lands."""
    start, end = (instant(spec, at["back_foot_contact"] - s * spec.slow_motion) for s in (APPROACH_S, 0.0))
    travelled = release.along(end.middle("hip") - start.middle("hip"))
    if travelled is None:
        return None
    return travelled / np.mean([start.height, end.height]) / APPROACH_S


def _arm_slot_deg(release: Instant) -> float | None:
    arm = release.point("back_wrist") - release.point("back_shoulder")
    for towards in (release.along, release.to_off):
        aside = towards(arm)
        if aside is not None:
            return float(np.degrees(np.arctan2(aside, -arm[1])))
    return None
