"""Wicketkeeping metrics: one function each. Definitions, bands and sources stand in catalogue.toml under the same code.

Not here, on purpose: knee "collapse" and rotation in the crouch; a deep crouch is how keepers stand (cricket-metrics 3.1).
"""

from __future__ import annotations

from cricksy_pipeline.analysis.metrics.ball import HIPS, SHANK, SHOULDERS, THIGH, Ball, MetricFunction, NotRead, Reading
from cricksy_pipeline.analysis.metrics.readings import at, between, head_stillness, length, offset, path_after, travelled

HEAD_S, GIVE_S, REACH_S = 0.20, 0.12, 0.5


def set_height(ball: Ball) -> Reading | NotRead:
    """K1H, leg lengths."""
    return at(ball, "set_height", "set", length(ball, points=2, per=THIGH + SHANK), scaled=True)


def feet_width(ball: Ball, event: str) -> Reading | NotRead:
    """K2, F1W, hip widths: the noise of the ankles, and that of the hips times as many widths as the feet are apart."""

    def sigma(noise: float, value: float) -> float:
        return 2**0.5 * noise * (1 + value**2) ** 0.5 / (HIPS * ball.height_px)

    return at(ball, "stance_hip_widths", event, sigma)


METRICS: dict[str, MetricFunction] = {
    "K1H": set_height,
    "K1": lambda ball: between(ball, "rise", "take"),
    "K2": lambda ball: feet_width(ball, "set"),
    "K3": lambda ball: head_stillness(ball, "ankle", "take", HEAD_S, 0.0),
    "K4": lambda ball: at(ball, "wrists_apart", "take", length(ball, per=SHOULDERS)),
    "K4A": lambda ball: offset(ball, "hands_ahead_pct", "take", points=2),
    "K5": lambda ball: path_after(ball, "take", GIVE_S),
    "K6": lambda ball: travelled(ball, "hip", "take", -REACH_S, 0.0),
}
