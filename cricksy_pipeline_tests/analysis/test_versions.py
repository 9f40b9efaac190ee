"""What each stored output is made from: hashes that change exactly where what is behind them changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.analysis import versions
from cricksy_pipeline.analysis.documents import AnalysisMode
from cricksy_pipeline.analysis.model import networks_identity
from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.analysis.versions import RULES, STAGE_VERSIONS, analysis_version, stage_inputs, stage_versions

LANDMARKS = {"quick_landmarks", "deep_landmarks"}
DOCUMENTS = {"quick_results", "deep_results", "findings", "report"}
EVERYTHING = {"frames"} | LANDMARKS | DOCUMENTS

MADE_WITH_RULE = {
    "frames": EVERYTHING,
    "landmarks": LANDMARKS | DOCUMENTS,
    "metrics": DOCUMENTS,
    "findings": {"quick_results", "findings", "report"},
    "report": {"quick_results", "report"},
}
MADE_WITH_OPTION = {
    "source_sha256": EVERYTHING,
    "sample_fps": EVERYTHING,
    "measuring": LANDMARKS | DOCUMENTS,
    "finding": {"deep_landmarks", "deep_results", "findings", "report"},
    "mode": EVERYTHING - {"frames"},
    "subject": EVERYTHING - {"frames"},
    "slow_motion": EVERYTHING - {"frames", "quick_landmarks"},
    "include_frames": {"deep_results", "findings", "report"},
}
"""By what is behind them: the stored outputs that another value of it changes."""

APPLIED_BY = {
    "frames": {"frames"},
    "landmarks": {"quick_results", "deep_results"},
    "metrics": {"quick_results", "deep_results"},
    "findings": {"quick_results", "findings"},
    "report": {"quick_results", "report"},
}
"""By rule: the stages whose own code applies it."""

VARIANT = st.sampled_from(["full", "lite"])
options = st.fixed_dictionaries(
    {
        "source_sha256": st.sampled_from(["0" * 64, "1" * 64]),
        "mode": st.sampled_from(list(AnalysisMode)),
        "sample_fps": st.sampled_from([5.0, 10.0, 12.5]),
        "measuring": VARIANT,
        "finding": VARIANT,
        "include_frames": st.booleans(),
        "subject": st.none() | st.integers(1, 8),
        "slow_motion": st.none() | st.sampled_from([1.0, 2.0, 8.0]),
    }
)
rules = st.fixed_dictionaries({name: st.sampled_from(["1", "2", "11"]) for name in MADE_WITH_RULE})
asked = st.tuples(options, rules)


def inputs_of(chosen: dict, rules: dict | None = None) -> dict[str, str]:
    said = AnalysisOptions(chosen["subject"], chosen["slow_motion"])
    asked = {name: chosen[name] for name in ("source_sha256", "mode", "sample_fps", "include_frames")}
    networks = networks_identity(chosen["measuring"], chosen["finding"])
    return stage_inputs(**asked, networks=networks, options=said, **({"rules": rules} if rules else {}))


def one() -> dict:
    return {
        "source_sha256": "0" * 64,
        "mode": "batting",
        "sample_fps": 10.0,
        "networks": networks_identity("full", "lite"),
        "include_frames": False,
    }


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


@given(asked, asked)
def test_an_output_is_made_from_something_else_exactly_where_something_behind_it_differs(first, second):
    before, after = (inputs_of(chosen, applied) for chosen, applied in (first, second))
    options_differ = [MADE_WITH_OPTION[name] for name in MADE_WITH_OPTION if first[0][name] != second[0][name]]
    rules_differ = [MADE_WITH_RULE[name] for name in MADE_WITH_RULE if first[1][name] != second[1][name]]

    assert changed(before, after) == set().union(*options_differ, *rules_differ)


@given(asked)
def test_no_two_outputs_of_a_job_are_taken_for_each_other(ask):
    inputs = inputs_of(*ask)

    assert set(inputs) == EVERYTHING
    assert len(set(inputs.values())) == len(inputs)
    assert all(re.fullmatch("[0-9a-f]{12}", value) for value in inputs.values())


@pytest.mark.parametrize("rule", MADE_WITH_RULE)
def test_raising_a_rule_makes_anew_what_is_made_with_it(rule, monkeypatch):
    before = stage_inputs(**one())
    monkeypatch.setitem(RULES, rule, RULES[rule] + ".1")

    assert changed(before, stage_inputs(**one())) == MADE_WITH_RULE[rule]


@pytest.mark.parametrize("constant", ["QUICK_FPS", "QUICK_SECONDS"])
def test_another_quick_grid_makes_everything_anew(constant, monkeypatch):
    before, version = stage_inputs(**one()), analysis_version(networks=one()["networks"])
    monkeypatch.setattr(versions, constant, 7.0)

    assert changed(before, stage_inputs(**one())) == EVERYTHING
    assert analysis_version(networks=one()["networks"]) != version


def test_a_mode_and_its_name_a_whole_rate_and_its_float_are_the_same():
    assert stage_inputs(**{**one(), "mode": AnalysisMode.BATTING, "sample_fps": 10}) == stage_inputs(**one())


def test_what_was_not_said_is_in_no_hash():
    """An option that is added later must not make every stored analysis old."""
    assert stage_inputs(**one()) == stage_inputs(**one(), options=AnalysisOptions()) == stage_inputs(**one(), options=None)


def test_the_hashes_of_given_inputs_stay_those_that_are_stored():
    """Another recipe, or another quick grid, looks at every stored video again. Change this only where that is meant."""
    assert stage_inputs(**one(), rules=dict.fromkeys(MADE_WITH_RULE, "1")) == {
        "frames": "53039850c927",
        "quick_landmarks": "d7714888d961",
        "quick_results": "25900b1968d3",
        "deep_landmarks": "e1bfecac5b29",
        "deep_results": "fabf319c3c08",
        "findings": "5822c0d271e0",
        "report": "d56a0a642b28",
    }


@pytest.mark.parametrize("rule", APPLIED_BY)
def test_a_rule_is_in_the_code_version_of_exactly_the_stages_that_apply_it(rule):
    raised = {**RULES, rule: RULES[rule] + ".1"}

    assert changed(STAGE_VERSIONS, stage_versions(raised)) == APPLIED_BY[rule]
    assert APPLIED_BY[rule] <= MADE_WITH_RULE[rule]


def test_code_versions_name_their_rules():
    assert list(STAGE_VERSIONS) == ["frames", "quick_results", "deep_results", "findings", "report", "completed_analysis"]
    assert STAGE_VERSIONS["deep_results"] == f"landmarks {RULES['landmarks']}, metrics {RULES['metrics']}"
    assert STAGE_VERSIONS["report"] == f"report {RULES['report']}"


def test_a_deployment_has_one_analysis_version_over_all_rules_and_the_networks(monkeypatch):
    version = analysis_version(networks=networks_identity("full", "lite"))
    others = {analysis_version(networks=networks_identity(*pair)) for pair in (("lite", "lite"), ("full", "full"))}
    for rule in RULES:
        with monkeypatch.context() as patch:
            patch.setitem(RULES, rule, RULES[rule] + ".1")
            others.add(analysis_version(networks=networks_identity("full", "lite")))

    assert re.fullmatch("[0-9a-f]{12}", version)
    assert version == analysis_version(networks=networks_identity("full", "lite"))
    assert len(others - {version}) == 2 + len(RULES)
    assert set(RULES) == set(MADE_WITH_RULE)
