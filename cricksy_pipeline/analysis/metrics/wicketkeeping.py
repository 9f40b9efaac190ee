"""Wicketkeeping metrics: one function each. Definitions, bands and sources stand in catalogue.toml under the same code.

Not here, on purpose: knee "collapse" and rotation in the crouch; a deep crouch is how keepers stand (cricket-metrics 3.1).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.metrics.ball import Ball, MetricFunction, NotRead, Reading
from cricksy_pipeline.analysis.metrics.shared_readings import head_stillness


def stance_width(ball: Ball) -> Reading | NotRead:
    """K2, hip widths."""
    take = ball.found.events.get("take")
    if take is None:
        return NotRead("NO_EVENT", "take")
    span = ball.track.span(take.t_s - 0.8, take.t_s - 0.4)
    hips = np.linalg.norm(ball.track.point("left_hip") - ball.track.point("right_hip"), axis=-1)[span] / ball.height_px
    value = float(np.nanmedian(ball.series("ankles_apart")[span] / np.maximum(hips, 0.02)))
    return Reading(value, ball.share_sigma(0.0) * value / 0.1, 0.0, take.t_s) if np.isfinite(value) else NotRead("NOT_SEEN")


METRICS: dict[str, MetricFunction] = {
    "K2": stance_width,
    "K3": lambda ball: head_stillness(ball, ball.track.middle("ankle"), "take", 0.20, 0.0),
    "K4": lambda ball: ball.read("wrists_apart", "take", ball.share_sigma(0.0) / 0.22),
}
