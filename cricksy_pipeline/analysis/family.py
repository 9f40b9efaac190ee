"""Many metrics judged in one clip: what a finding needs so that a correct player gets none.

Belongs here: Holm's procedure over the family of judged metrics, and the size of a fault that is found in spite of it. Does not belong
here: the probability of one metric alone (`metrics.uncertainty`), severities (`findings`), the numbers (metrics/coaching.toml, table
severity).

Ten metrics that each cry at a probability of 0.80 would call four in five correct players faulty whose values lie at the ends of the
bands. Holm (1979) holds the probability of any false finding in a clip at the family error, however the errors hang together.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

from cricksy_pipeline.analysis.wording import coaching

_NORMAL = NormalDist()


def family_error() -> float:
    """Probability of any finding at all for a player whose every habit lies in its band."""
    return coaching()["severity"]["family_error"]


def within_by_chance(distance: float, sigma: float) -> float:
    """Probability of reading a value so far outside the band or further, for a habit that lies at the band's very end.

    Args:
        distance: how far the value lies outside the band, in its unit; 0 or less gives 1, for inside nothing is to be explained.
        sigma: standard deviation of the value as the habit, same unit, > 0.
    """
    return 1.0 if distance <= 0 else _NORMAL.cdf(-distance / sigma)


def surviving(chances: Mapping[str, float], judged: int | None = None, error: float | None = None) -> set[str]:
    """The names whose band is left, by Holm's step-down procedure.

    Args:
        chances: by name, `within_by_chance` of each metric that was judged.
        judged: size of the family, where more were judged than are given here.
        error: family error; None: the shipped one.
    """
    error, of = family_error() if error is None else error, max(judged or 0, len(chances))
    kept: set[str] = set()
    for step, (name, chance) in enumerate(sorted(chances.items(), key=lambda item: (item[1], item[0]))):
        if chance > error / (of - step):
            break
        kept.add(name)
    return kept


def needed_sigmas(judged: int) -> float:
    """How many sigmas outside its band a value must be read, to be a finding among so many judged metrics whatever the others show."""
    return -_NORMAL.inv_cdf(family_error() / max(1, judged))


def detectable_distance(sigma: float, judged: int) -> float:
    """How far outside its band a habit must truly be, to become a finding in nine clips of ten; unit of `sigma`.

    Args:
        sigma: standard deviation of the value as the habit, at the number of balls there are.
        judged: metrics that are judged in the clip.
    """
    return (needed_sigmas(judged) + _NORMAL.inv_cdf(coaching()["severity"]["found_share"])) * sigma
