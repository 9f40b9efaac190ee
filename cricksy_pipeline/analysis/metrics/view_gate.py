"""From where a metric may be read, and what a camera that stands a little aside does to it.

Belongs here: the gate on the estimated camera angle and the known cosine by which a bend, a length or a lean is hidden (cricket-metrics
3.2). Does not belong here: estimating the angle (`analysis.view`), which view a metric needs (catalogue.toml).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan, atan2, cos, degrees, erf, radians, tan

from cricksy_pipeline.analysis.metrics.catalogue import Entry, catalogue
from cricksy_pipeline.analysis.view import CameraView


@dataclass(frozen=True)
class ViewError:
    """What the view does to one reading, in the metric's unit.

    Attributes:
        sigma: standard deviation from the camera's place, both ways.
        opens: how far the truth may lie beyond the value because the view hides it; negative: below the value.
    """

    sigma: float
    opens: float = 0.0

    @property
    def total(self) -> float:
        """Both as one root mean square: a hidden part that is anything from 0 to `opens` counts as `opens` over root 3."""
        return (self.sigma**2 + self.opens**2 / 3) ** 0.5


def off_axis_deg(entry: Entry, view: CameraView) -> float | None:
    """How far the camera stands off the direction from which the metric is read, degrees; None: refused, or too little known of
    it; 0 where any view serves."""
    if "any" in entry.views:
        return 0.0
    if view.name is None or view.off_side_deg is None:
        return None
    ways = []
    if "side" in entry.views:
        ways.append(abs(view.off_side_deg))
    if "along" in entry.views:
        ways.append(abs(90 - view.off_side_deg))
    off, gates = min(ways), catalogue().gates
    if off > gates["view_limit_deg"] or _chance_within(off, view.sigma_deg, gates["view_never_deg"]) < gates["view_sure"]:
        return None
    return off


def _chance_within(off_deg: float, sigma_deg: float, limit_deg: float) -> float:
    """Probability that a camera estimated so far off, give or take, really stands within the limit on either side."""
    if sigma_deg <= 0:
        return 1.0
    scale = sigma_deg * 2**0.5
    return 0.5 * (erf((limit_deg - off_deg) / scale) + erf((limit_deg + off_deg) / scale))


def view_error(entry: Entry, view: CameraView, value: float) -> ViewError:
    """What the camera's place does to a value read from `view`, which the metric allows."""
    off = off_axis_deg(entry, view) or 0.0
    if off <= catalogue().gates["full_view_deg"]:
        return ViewError(entry.sigma_view)
    if entry.hides is None:
        return ViewError(2 * entry.sigma_view)
    return ViewError(entry.sigma_view, straightened(entry.hides, value, off) - value)


def straightened(hides: str, seen: float, off_deg: float) -> float:
    """The true value behind one that is seen from `off_deg` aside.

    Args:
        hides: "bend": a joint angle in degrees, both limbs in the plane of movement; "length": a distance along it; "lean": an angle off
            the vertical, degrees.
    """
    shrinks = cos(radians(off_deg))
    if hides == "bend":
        return degrees(2 * atan(tan(radians(min(seen, 179.9)) / 2) * shrinks))
    if hides == "length":
        return seen / shrinks
    if hides == "lean":
        return degrees(atan2(tan(radians(seen)), shrinks)) if abs(seen) < 89 else seen
    raise ValueError(f"nothing is known of a view that hides {hides!r}")
