"""What counts as correct technique: the bands of the metric reference, for players that are drawn at random.

Belongs here: the bands (cricket-metrics 3.4) of the metrics that may become findings, and whether a player keeps inside them.
Does not belong here: the catalogue that the analysis judges by (`analysis.metrics`): the truth must not be bent to what it tests.
"""

from __future__ import annotations

CORRECT: dict[str, dict[str, tuple[float, float]]] = {
    "drive": {
        "B1": (0, 3.0), "B2": (-7, 11), "B3": (0.53, 0.87), "B4": (105, 160), "B5": (0.33, 0.47), "B5T": (0.04, 0.17), "B6": (-14, 14),
        "B7": (-33, 90), "B8": (0.24, 0.43),
    },
    "bowl": {
        "W1": (142, 178), "W3": (0.71, 0.94), "W4": (0.085, 0.135), "W5": (26, 49), "W6": (-20, 38), "W8": (-11, 11),
    },
    "keep": {"K1": (0.05, 1.0), "K2": (1.4, 2.5), "K3": (0, 3.5), "K4": (0, 0.55), "K5": (7, 19)},
    "throw": {"F1": (122, 153), "F1W": (1.4, 2.4), "F3": (0.0, 0.43), "F4": (0.2, 1.05), "F5": (-17, 90), "F6": (0.52, 0.97)},
    "catch": {"F1": (122, 153), "F1W": (1.4, 2.4), "F7": (0, 3.5), "F7G": (7, 19)},
}  # fmt: skip
"""motion -> code -> (least, most), a little inside the reference's bands."""


_BALLS = 2
"""How many of a player's balls are looked at: the later ones differ no more than these."""


def correct(motion: str, variation: int) -> bool:
    """Whether a player's first balls lie inside the bands, seen from the side and along the pitch."""
    return all(within(motion, view, variation) for view in ("side", "front"))


def within(motion: str, view: str, variation: int) -> bool:
    """Whether every metric that this view shows lies inside its band, ball for ball."""
    from cricksy_pipeline.sample.spec import ClipSpec
    from cricksy_pipeline.sample.true_metrics import true_metrics

    balls = true_metrics(ClipSpec(motion=motion, view=view, fps=4, seconds=_BALLS * 4.8, variation=variation))
    bands = CORRECT[motion].items()
    return all(low <= value <= high for code, (low, high) in bands for value in balls.get(code, []) if value is not None)
