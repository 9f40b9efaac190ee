"""The report: complete, short at the top, and no number that is not in the data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.wording import clock, number, numbers_in, unsupported_numbers
from cricksy_pipeline_tests.analysis.players import BATTING, BOWLING, analysed, nobody, on_grid, player, standing


def drive():
    return player(seconds=8.0)


def bowled():
    return player("bowl", seconds=8.0)


@pytest.mark.parametrize("mode", list(AnalysisMode))
@pytest.mark.parametrize("clip", [nobody, standing, drive, bowled])
def test_every_report_has_text_sections_and_a_week(mode, clip):
    _, findings, report = analysed(clip(), mode)
    assert report.text.strip() and all(section.title and section.body for section in report.sections)
    assert len(report.one_week_plan) == 7 and all(report.one_week_plan)
    assert len(report.top_issues) <= 3 and len(report.drills) <= 8
    assert report.overall_level == findings.overall_level and report.analysis_mode == mode
    assert all(section.body in report.text for section in report.sections)


def test_a_report_with_a_fault_leads_with_one_cue_and_shows_when():
    _, findings, report = analysed(player(seconds=8.0, noise=0.015, knee_collapse=75.0), BATTING)
    assert "Soft landing, firm at the hit." in report.summary
    assert report.top_issues == ["Front knee folds at contact: Soft landing, firm at the hit."]
    assert clock(findings.findings[0].evidence["t_s"][0]) in report.text
    assert report.drills[-1].how.startswith("Check: film")
    assert sum("Three-count drives" in line for line in report.one_week_plan) >= 1


def test_a_report_on_an_empty_net_says_so_and_how_to_film():
    _, _, report = analysed(nobody(), BATTING)
    assert "Nobody was found in the video" in report.text and "8 to 10 m" in report.text
    assert report.drills == [] and report.top_issues == [] and report.reliability_warning


def test_two_balls_are_worth_a_warning():
    assert "6 or more" in analysed(player(seconds=8.0), BATTING)[2].reliability_warning


def test_a_sound_clip_is_told_that_nothing_stands_out():
    _, _, report = analysed(player(seconds=8.0), BATTING)
    assert "Nothing that was judged stands out" in report.summary and report.drills == []


def test_a_sparse_pass_names_its_rate_and_promises_nothing():
    _, _, report = analysed(on_grid(player(seconds=8.0), 5), BATTING)
    assert "At 5 pictures a second" in report.text and report.reliability_warning is None


def test_drills_are_of_the_discipline():
    _, _, report = analysed(player("bowl", seconds=8.0), BOWLING)
    assert "bat" not in " ".join(drill.how for drill in report.drills)


def test_numbers_are_found_as_written():
    assert [n[0] for n in numbers_in("88 degrees, -3.5 % of height at 0:01.71; B4, 100-165.")] == ["88", "-3.5", "0:01.71", "100", "165"]
    assert numbers_in("1:02.50")[0][1] == pytest.approx(62.5)


@given(st.floats(-1000, 1000, allow_nan=False), st.sampled_from(["degrees", "% of height", "s", "share of base"]))
def test_a_number_written_by_the_rounding_rule_is_found_in_its_datum(value, unit):
    assert unsupported_numbers(f"It was {number(value, unit)} {unit}.", [value]) == []
    assert number(value, unit) not in ("-0", "-0.0", "-0.00")


@given(st.floats(0, 5000))
def test_a_time_written_for_people_is_found_in_its_datum(t_s):
    assert unsupported_numbers(f"See {clock(t_s)}.", [t_s]) == []


@given(st.integers(1, 500), st.floats(0.6, 50))
def test_a_number_that_no_datum_rounds_to_is_named(value, off):
    assert unsupported_numbers(f"It was {value}.", [value + off]) == [str(value)]
