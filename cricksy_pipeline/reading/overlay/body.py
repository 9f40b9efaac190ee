"""The player's landmarks at any moment of the video, or that they are not known.

Belongs here: interpolation by time across short gaps, and nothing across long ones. Does not belong here: drawing (`figure`), putting
exchanged sides right (`analysis.swaps`, before).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAME_TIME_S = 1e-4
"""Two times so near are the same frame's: times are multiples of a time base, stored as floats."""


@dataclass(frozen=True)
class Body:
    """The player at one moment.

    Attributes:
        xy: (33, 2) pixels of the upright source.
        visibility: (33,) in [0, 1]; between two frames the lower of theirs.
        interpolated: whether it lies between two frames that were looked at.
    """

    xy: np.ndarray
    visibility: np.ndarray
    interpolated: bool


@dataclass(frozen=True)
class BodyTrack:
    """Landmarks of frames that were looked at.

    Attributes:
        t_s: (n,) seconds, strictly increasing.
        xy: (n, 33, 2) pixels, NaN where nobody was found.
        visibility: (n, 33).
        shot: (n,) int; between two shots nothing is interpolated.
        bridge_s: longest gap that is bridged.
    """

    t_s: np.ndarray
    xy: np.ndarray
    visibility: np.ndarray
    shot: np.ndarray
    bridge_s: float

    def at(self, t_s: float) -> Body | None:
        """The player at a moment; None where he was looked for and not found, or nobody looked near enough in time."""
        after = int(np.searchsorted(self.t_s, t_s - SAME_TIME_S))
        if after < len(self.t_s) and abs(self.t_s[after] - t_s) <= SAME_TIME_S:
            return Body(self.xy[after], self.visibility[after], False) if self._found(after) else None
        before = after - 1
        if before < 0 or after >= len(self.t_s) or not (self._found(before) and self._found(after)):
            return None
        gap_s = float(self.t_s[after] - self.t_s[before])
        if gap_s > self.bridge_s or self.shot[before] != self.shot[after]:
            return None
        share = (t_s - float(self.t_s[before])) / gap_s
        xy = (1 - share) * self.xy[before] + share * self.xy[after]
        return Body(xy, np.minimum(self.visibility[before], self.visibility[after]), True)

    def _found(self, row: int) -> bool:
        return bool(np.isfinite(self.xy[row, 0, 0]))
