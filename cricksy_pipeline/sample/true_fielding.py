"""What is true of a throw or a catch: F1 to F7 of the metric reference (cricket-metrics 3.4), by the catalogue's codes and units.

Belongs here: which quantity is read at which true moment.
Does not belong here: bands, judgements, estimation (`analysis.metrics`); what a moment shows (`instants`).
"""

from __future__ import annotations

from cricksy_pipeline.sample.instants import Instant, instant, stillness
from cricksy_pipeline.sample.spec import ClipSpec
from cricksy_pipeline.sample.true_keeping import FEET, HEAD_WINDOW_S, give, over_hips, shows_any


def true_throw(spec: ClipSpec, at: dict[str, float]) -> dict[str, float | None]:
    """Code -> value of one throw; `at`: event -> clip seconds. Heights F3 and F3H are above the lower ankle; F6 is between the ankles
    along the line of the throw when the front foot lands."""
    ready, picked, landed = (instant(spec, at[name]) for name in ("ready", "pick_up", "front_foot_contact"))
    return _ready(ready) | {
        "F3": _above_ankles(picked, picked.middle("hip")[1]),
        "F3H": _above_ankles(picked, picked.head[1]),
        "F4": (at["release"] - at["pick_up"]) / spec.slow_motion,
        "F5": landed.elbow_elevation_deg("back") if shows_any(landed) else None,
        "F6": landed.heights(landed.along(landed.point("front_ankle") - landed.point("back_ankle"))),
    }


def true_catch(spec: ClipSpec, at: dict[str, float]) -> dict[str, float | None]:
    """Code -> value of one catch; `at`: event -> clip seconds. F7H: the wrists' middle above (+) or below the eyes."""
    ready, take = instant(spec, at["ready"]), instant(spec, at["take"])
    above = float(take.middle("eye")[1] - take.middle("wrist")[1])
    return _ready(ready) | {
        "F7": stillness(spec, at["take"], HEAD_WINDOW_S, FEET) if shows_any(take) else None,
        "F7H": take.percent(above) if shows_any(take) else None,
        "F7G": give(spec, at["take"]) if shows_any(take) else None,
    }


def _ready(ready: Instant) -> dict[str, float | None]:
    """F1: mean angle of both knees, seen from the side; F1W: feet over hips, seen along the pitch."""
    knees = [ready.knee_deg(side) for side in ("left", "right")]
    known = [knee for knee in knees if knee is not None]
    return {"F1": sum(known) / 2 if len(known) == 2 else None, "F1W": over_hips(ready)}


def _above_ankles(moment: Instant, y: float) -> float | None:
    """Body heights of a picture height above the lower ankle; seen from the side."""
    if not moment.shows_play:
        return None
    ankle = max(moment.point(f"{side}_ankle")[1] for side in ("left", "right"))
    return moment.heights(float(ankle - y))
