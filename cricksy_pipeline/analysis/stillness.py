"""Where a player comes to rest and where he leaves it: the crouch of a keeper, the ready position of a fielder.

Belongs here: rest and its two ends, in a close-up. Does not belong here: which rest matters (`takes`, `fielding`), thresholds
(`delivery_settings`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.timing import Closeup


def left_stillness(view: Closeup, before_s: float, settings: DeliverySettings) -> float | None:
    """When the hips start on their fastest rise over the feet up to `before_s`: back from it, to where they rise at a share of its speed.

    None: they do not rise by `crouch_rise` from there.
    """
    height, climb = _climb(view)
    span = view.span(before_s - settings.rise_before_s, before_s)
    if not np.isfinite(climb[span]).any():
        return None
    peak = span.start + int(np.nanargmax(climb[span]))
    slow = np.flatnonzero(~(climb[: peak + 1] > settings.rest_share * view.slack * climb[peak]))
    if not len(slow) or not np.nanmax(height[peak : span.stop]) - height[slow[-1]] >= settings.crouch_rise * view.slack:
        return None
    return float(view.t_s[slow[-1]])


def reached_stillness(view: Closeup, before_s: float, settings: DeliverySettings) -> float | None:
    """When the hips have come down to the rest that they leave at `before_s`; None: they were down since the view begins."""
    height, climb = _climb(view)
    end = view.index_at(before_s)
    if end < 5 or not np.isfinite(climb[:end]).any():
        return None
    fall = -climb[:end]
    peak = int(np.nanargmax(fall))
    if not np.nanmax(height[:end]) - height[end] >= settings.crouch_rise * view.slack or not fall[peak] > 0:
        return None
    slow = np.flatnonzero(fall[peak:] <= settings.rest_share * view.slack * fall[peak])
    return float(view.t_s[peak + slow[0]]) if len(slow) else None


def still_until(view: Closeup, settings: DeliverySettings) -> float | None:
    """The end of the last stretch of at least `rest_s` in which hips, hands and feet rest."""
    limits = {"hips": settings.rest_hip_speed, "hands": settings.rest_hand_speed, "feet": settings.rest_foot_speed}
    if len(view.t_s) < 5:
        return None
    still = np.all([view.speed(role, half_s=settings.rest_over_s) <= limit * view.slack for role, limit in limits.items()], axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(int)))
    step = view.t_s[1] - view.t_s[0]
    long = [(start, end) for start, end in edges.reshape(-1, 2) if (end - start) * step >= settings.rest_s]
    return float(view.t_s[long[-1][1] - 1]) if long else None


def _climb(view: Closeup) -> tuple[np.ndarray, np.ndarray]:
    """Height of the hips over the feet in body heights, and its rate."""
    height = view.height("hips", "feet")
    return height, -view.velocity("hips", "feet")[:, 1]
