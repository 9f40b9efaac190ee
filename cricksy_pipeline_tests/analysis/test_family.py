"""Many metrics, few findings: a correct player gets none, a faulty one still does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.documents import Band
from cricksy_pipeline.analysis.family import detectable_distance, family_error, needed_sigmas, surviving, within_by_chance
from cricksy_pipeline.analysis.judging import judge
from cricksy_pipeline.analysis.metrics.catalogue import catalogue
from cricksy_pipeline_tests.analysis.judged_blocks import Read, block

chances = st.dictionaries(st.text(min_size=1, max_size=4), st.floats(0, 1), max_size=12)
JUDGED = ("B1", "B2", "B3", "B4", "B5", "B5T", "B6", "B7", "W3", "W8")
"""Ten metrics with words for what lies outside; from two disciplines, for here only their number counts."""


@given(chances)
def test_who_survives_is_surer_than_the_family_error_and_than_who_does_not(p):
    kept = surviving(p)
    assert all(p[name] <= family_error() for name in kept)
    assert all(p[a] <= p[b] for a in kept for b in p if b not in kept)


@given(chances, st.integers(0, 30))
def test_a_larger_family_is_never_easier_to_survive(p, more):
    assert surviving(p, judged=len(p) + more) <= surviving(p)


@given(chances)
def test_whoever_survives_one_test_in_the_whole_family_survives(p):
    sure = {name for name, chance in p.items() if chance <= family_error() / max(1, len(p))}
    assert sure <= surviving(p)


def test_a_single_metric_needs_the_plain_family_error():
    assert surviving({"a": 0.049}) == {"a"} and surviving({"a": 0.051}) == set()


def test_inside_the_band_nothing_needs_explaining():
    assert within_by_chance(0.0, 1.0) == 1.0 and within_by_chance(-3.0, 1.0) == 1.0
    assert within_by_chance(1.645, 1.0) == pytest.approx(0.05, abs=1e-3)


@given(st.floats(0.1, 10), st.integers(1, 20))
def test_the_printed_size_of_a_fault_grows_with_the_error_and_the_number_of_metrics(sigma, judged):
    assert detectable_distance(2 * sigma, judged) == pytest.approx(2 * detectable_distance(sigma, judged))
    assert detectable_distance(sigma, judged + 1) > detectable_distance(sigma, judged) > needed_sigmas(judged) * sigma


def _clip(rng: np.random.Generator, place: float, fault: float = 0.0) -> bool | str:
    """Whether a clip yields a finding; `place`: where the habits lie, 0 at the band's end, 1 in its middle. A fault is put into B4."""
    reads = []
    for code in JUDGED:
        sigma, band = 1.0, Band(low=0.0, high=8.0, source="x", status="uncalibrated")
        habit = place * 4.0 - (fault if code == "B4" else 0.0)
        reads.append(Read(code, habit + rng.normal(0, sigma), sigma, band=band))
    return any(item.code == "B4" for item in judge(block(*reads)).found) if fault else bool(judge(block(*reads)).found)


@pytest.mark.parametrize("place", [0.0, 0.25, 1.0])
def test_a_correct_player_gets_no_finding_in_nineteen_clips_of_twenty_wherever_in_the_bands_he_lies(place):
    rng, clips = np.random.default_rng(3), 600
    false = sum(_clip(rng, place) for _ in range(clips))
    # At the very ends of all ten bands the rate is at its limit: 5 %, and three standard errors of 600 clips are 2.7 % more.
    assert false / clips <= 0.05 + 3 * (0.05 * 0.95 / clips) ** 0.5
    assert place == 0 or false / clips < 0.02


def test_a_fault_of_the_printed_size_is_found_in_nine_clips_of_ten():
    rng, clips = np.random.default_rng(4), 300
    found = sum(_clip(rng, 0.0, detectable_distance(1.0, len(JUDGED))) for _ in range(clips))
    assert found / clips >= 0.90 - 3 * (0.09 / clips) ** 0.5


def test_without_the_family_most_correct_players_at_the_ends_of_their_bands_would_be_called_faulty():
    rng, outside = np.random.default_rng(5), 0
    for _ in range(300):
        outside += any(1 - chance >= 0.80 for chance in (within_by_chance(x, 1.0) for x in rng.normal(0, 1, 10)))
    assert outside / 300 > 0.75


def test_every_cause_that_is_preferred_to_another_is_a_metric_of_the_catalogue():
    from cricksy_pipeline.analysis.wording import coaching

    named = {code for pair in coaching()["same_thing"] for code in pair["metrics"]}
    assert named <= set(catalogue().entries)
