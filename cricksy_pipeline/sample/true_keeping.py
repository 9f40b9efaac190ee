"""What is true of a wicketkeeper's take: K1 to K6 of the metric reference (cricket-metrics 3.4), by the catalogue's codes and units.

Belongs here: which quantity is read at which true moment; what a catch shares with a take.
Does not belong here: bands, judgements, estimation (`analysis.metrics`); what a moment shows (`instants`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.landmarks import INDEX
from cricksy_pipeline.sample.instants import Instant, instant, stillness
from cricksy_pipeline.sample.spec import ClipSpec
from cricksy_pipeline.sample.truth import observe
from cricksy_pipeline.sample.variation import player

HEAD_WINDOW_S = (-0.20, 0.0)
"""Before the take, for head stillness (K3, F7)."""

GIVE_S = 0.12
"""After the take, for the give (K5, F7G)."""

REACH_S = 0.5
"""Before the take, for the lateral travel of the hips (K6)."""

FEET = ("left_ankle", "right_ankle")


def true_keeping(spec: ClipSpec, at: dict[str, float]) -> dict[str, float | None]:
    """Code -> value of one take; `at`: event -> clip seconds. K4A: wrists ahead of the knees, along play; K6 is a distance, without
    sign."""
    ready, take = instant(spec, at["set"]), instant(spec, at["take"])
    before = instant(spec, at["take"] - REACH_S * spec.slow_motion)
    reach = take.to_off(take.middle("hip") - before.middle("hip"))
    body = player(spec.motion, spec.variation).physique
    legs = (body.thigh_m + body.shank_m) / body.stature_m * ready.height
    return {
        "K1H": float(ready.middle("ankle")[1] - ready.middle("hip")[1]) / legs if shows_any(ready) else None,
        "K1": (at["take"] - at["rise"]) / spec.slow_motion,
        "K2": over_hips(ready),
        "K3": stillness(spec, at["take"], HEAD_WINDOW_S, FEET) if shows_any(take) else None,
        "K4": wrists_apart(take) if take.shows_off else None,
        "K4A": take.percent(take.along(take.middle("wrist") - take.middle("knee"))),
        "K5": give(spec, at["take"]) if take.shows_play else None,
        "K6": None if reach is None else abs(reach) / take.height,
    }


def shows_any(moment: Instant) -> bool:
    """Whether it is seen from the side or along the pitch, not from a quarter."""
    return moment.shows_play or moment.shows_off


def over_hips(moment: Instant) -> float | None:
    """K2, F1W: gap between the ankles over the width of the hips, seen along the pitch."""
    gap = moment.to_off(moment.point("left_ankle") - moment.point("right_ankle"))
    width = moment.to_off(moment.point("left_hip") - moment.point("right_hip"))
    return None if gap is None or not width else abs(gap / width)


def wrists_apart(moment: Instant) -> float:
    """K4: gap between the wrists over the width of the shoulders, both as seen."""
    gap = np.linalg.norm(moment.point("left_wrist") - moment.point("right_wrist"))
    return float(gap / np.linalg.norm(moment.point("left_shoulder") - moment.point("right_shoulder")))


def give(spec: ClipSpec, take_s: float) -> float:
    """K5, F7G: length of the path of the wrists' middle in the 0.12 s of life after the take, in per cent of stature."""
    t = take_s + np.linspace(0, GIVE_S, 59) * spec.slow_motion
    seen = observe(spec, t)
    wrists = (seen.px[:, INDEX["left_wrist"]] + seen.px[:, INDEX["right_wrist"]]) / 2
    return float(np.linalg.norm(np.diff(wrists, axis=0), axis=1).sum() / seen.height_px.mean() * 100)
