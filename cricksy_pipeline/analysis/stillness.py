"""Where a player comes to rest and where he leaves it: the crouch of a keeper, the ready position of a fielder.

Belongs here: rest and its two ends, in a close-up. Does not belong here: which rest matters (`takes`, `fielding`), thresholds
(`delivery_settings`).
"""

from __future__ import annotations

import numpy as np

from cricksy_pipeline.analysis.delivery_settings import DeliverySettings
from cricksy_pipeline.analysis.timing import Closeup


def left_stillness(view: Closeup, before_s: float, settings: DeliverySettings) -> float | None:
    """When the hips have last risen by no more than a share of their rise over the feet up to `before_s`, from their lowest.

    A share of the way, not of the speed: a rise has pauses, and noise makes more of a speed than of a way.
    None: they do not rise by `crouch_rise`.
    """
    height = view.height("hips", "feet")
    span = view.span(before_s - settings.rise_before_s, before_s)
    here = height[span]
    if not np.isfinite(here).any():
        return None
    highest = int(np.nanargmax(here))
    low = float(np.nanmin(here[: highest + 1]))
    if not here[highest] - low >= settings.crouch_rise * view.slack:
        return None
    down = np.flatnonzero(here[: highest + 1] <= low + settings.left_share * view.slack * (here[highest] - low))
    return float(view.t_s[span.start + down[-1]])


def reached_stillness(view: Closeup, before_s: float, settings: DeliverySettings) -> float | None:
    """When the hips have first come down to within a share of their way to the rest that they leave at `before_s`.

    None: they were down since the view begins.
    """
    height = view.height("hips", "feet")[: view.index_at(before_s) + 1]
    if len(height) < 5 or not np.isfinite(height).any():
        return None
    low = float(np.nanmedian(height[view.span(before_s - settings.rest_s, before_s)][: len(height)]))
    highest = int(np.nanargmax(height))
    if not height[highest] - low >= settings.crouch_rise * view.slack:
        return None
    down = np.flatnonzero(height[highest:] <= low + settings.left_share * view.slack * (height[highest] - low))
    return float(view.t_s[highest + down[0]]) if len(down) else None


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
