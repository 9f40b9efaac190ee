"""What is true of a stroke: B1 to B8 of the metric reference (cricket-metrics 3.4), by the catalogue's codes and units.

Belongs here: which quantity is read at which true moment.
Does not belong here: bands, judgements, estimation (`analysis.metrics`); what a moment shows (`instants`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.sample import drive
from cricksy_pipeline.sample.instants import fine, instant, speed, stillness
from cricksy_pipeline.sample.spec import ClipSpec

HEAD_WINDOW_S = (-0.20, 0.05)
"""Around contact, for head stillness (B1)."""


def true_batting(spec: ClipSpec, at: dict[str, float]) -> dict[str, float | None]:
    """Code -> value of one stroke; `at`: event -> clip seconds. Signs: B2 + head behind the foot, B6 + to the off, B8H + after contact."""
    contact = instant(spec, at["contact"])
    tempo = (at["contact"] - at["top_of_backlift"]) / (drive.EVENTS_S["contact"] - drive.EVENTS_S["top_of_backlift"])
    stance = instant(spec, at["contact"] - (drive.EVENTS_S["contact"] - drive.STANCE_S) * tempo)
    base = contact.along(contact.point("front_ankle") - contact.point("back_ankle"))
    hips = contact.along(contact.middle("hip") - contact.point("back_ankle"))
    behind = contact.along(contact.point("front_ankle") - contact.head)
    stride = contact.along(contact.point("front_ankle") - stance.point("front_ankle"))
    sideways = contact.trunk_lean_deg(contact.to_off)
    return {
        "B1": stillness(spec, at["contact"], HEAD_WINDOW_S, (f"{contact.lead}_ankle",))
        if contact.shows_play or contact.shows_off
        else None,
        "B2": contact.percent(behind),
        "B3": None if base is None or hips is None else hips / base,
        "B4": contact.knee_deg("front"),
        "B5": contact.heights(stride),
        "B5T": (at["contact"] - at["front_foot_down"]) / spec.slow_motion,
        "B6": sideways,
        "B7": contact.elbow_elevation_deg("front") if contact.shows_off or contact.shows_play else None,
        "B8": (at["contact"] - at["top_of_backlift"]) / spec.slow_motion,
        "B8H": _hands_peak_s(spec, at),
    }


def _hands_peak_s(spec: ClipSpec, at: dict[str, float]) -> float:
    """Seconds of life from contact to the peak of the hands' speed in the downswing: negative, it comes before."""
    t, seen = fine(spec, at["top_of_backlift"], at["contact"] + 0.10 * spec.slow_motion)
    hands = (seen.px[:, INDEX["left_wrist"]] + seen.px[:, INDEX["right_wrist"]]) / 2
    return float((t[np.argmax(speed(t, hands, spec.slow_motion))] - at["contact"]) / spec.slow_motion)
