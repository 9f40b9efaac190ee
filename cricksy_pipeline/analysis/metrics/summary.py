"""The summary of a metrics block: counts, the view, the speed, what was repaired and what was left out.

Belongs here: those facts, each under its name, JSON-ready. Does not belong here: any judgement of them (`findings`, `trust`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cricksy_pipeline.analysis.documents import Metric
from cricksy_pipeline.analysis.kinematics import Track
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline.analysis.metrics.clip import Clip
from cricksy_pipeline.analysis.metrics.kinds import Told, of_all
from cricksy_pipeline.analysis.metrics.quality import Quality
from cricksy_pipeline.analysis.recording import Recording


def summary(
    clip: Clip,
    metrics: Mapping[str, Metric],
    dense: list[Track],
    recording: Recording,
    told: Mapping[int, Told],
    unread: dict[str, dict[str, int]],
) -> dict[str, Any]:
    """`metrics.summary`.

    Args:
        dense: the tracks of the clip. told: what kind each ball is. unread: key -> reason -> balls that gave no value.
    """
    kind = of_all(list(told.values()))
    by = [ball.found.contact_by for ball in clip.balls]
    return {
        "measured": sum(metric.value is not None for metric in metrics.values()),
        "not_measured": sum(metric.value is None for metric in metrics.values()),
        "deliveries": len(clip.balls),
        "deliveries_excluded": clip.excluded,
        "excluded_by": clip.excluded_by,
        "balls_not_read": unread,
        "delivery_movement_seen": clip.moved,
        "view": clip.view.name,
        "view_off_side_deg": None if clip.view.off_side_deg is None else round(clip.view.off_side_deg, 1),
        "view_sigma_deg": round(clip.view.sigma_deg, 1),
        "view_confidence": round(clip.view.confidence, 3),
        "front_side": commonest([ball.found.front for ball in clip.balls]),
        "arm": commonest([ball.found.arm for ball in clip.balls]),
        "shot": kind if kind in ("front_foot", "back_foot") else None,
        "pace": kind if kind in ("pace", "spin") else None,
        "contact_by": {name: by.count(name) for name in ("sound", "hands") if name in by},
        "slow_motion": recording.slow_motion,
        "speed_source": recording.speed_source,
        "likely_slow_motion": None if recording.timed else recording.likely,
        "effective_fps": float(f"{clip.rate_hz:.3g}"),  # the rounding of the words that quote it
        "grid_fps": round(clip.grid_hz, 3),
        "player_height_px": None if clip.height_px is None else round(clip.height_px, 1),
        "pictures": _pictures(clip.quality),
        "quality": [
            {"code": problem.code, "value": round(problem.value, 4), "limit": problem.limit, "how_to_film": problem.how_to_film}
            for problem in clip.quality.problems
        ],
        "swaps_repaired": sum(track.swaps_repaired for track in dense),
        "outliers_removed": sum(track.outliers_removed for track in dense),
        "limbs_rejected": sum(track.limbs_rejected for track in dense),
        "landmarks_outside_picture": sum(track.outside for track in dense),
        "definition_version": catalogue().version,
    }


def _pictures(quality: Quality) -> dict[str, Any]:
    """What the pictures around the deliveries were like, without the problems that follow."""
    facts = {name: value for name, value in vars(quality).items() if name != "problems"}
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in facts.items()}


def commonest(names: list[str | None]) -> str | None:
    """The name that most say, the first in the alphabet among equals; None where none says any."""
    known = [name for name in names if name]
    return max(sorted(set(known)), key=known.count) if known else None
