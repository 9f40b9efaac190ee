"""The record of guardrails on a real PostgreSQL."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from cricksy_pipeline_tests.store.rows import new_job


@dataclass
class Said:
    name: str
    passed: bool
    severity: str = "ERROR"
    actual: Any = None
    expected: Any = None
    message: str | None = None


def test_outcomes_come_back_as_they_were_recorded(job_store):
    job_id = new_job(job_store)
    log = job_store.guardrails
    quick = [Said("finite", True, actual={"n": 3}, expected=[1, 2.5]), Said("mode", False, message="no")]
    log.record(job_id, "run-1", 1, "quick_results", quick)
    log.record(job_id, "run-1", 1, "frames", [Said("decodes", True, "WARN")])
    results = log.results_of(job_id, "run-1")
    assert [(result.asset, result.name, result.passed) for result in results] == [
        ("frames", "decodes", True),
        ("quick_results", "finite", True),
        ("quick_results", "mode", False),
    ]
    assert (results[1].actual, results[1].expected, results[2].message, results[0].severity) == ({"n": 3}, [1, 2.5], "no", "WARN")
    assert {result.attempt for result in results} == {1}


def test_the_last_outcome_of_a_run_counts(job_store):
    job_id = new_job(job_store)
    for passed in (True, False, True, False):
        job_store.guardrails.record(job_id, "run-1", 1, "findings", [Said("evidence", passed)])
    (result,) = job_store.guardrails.results_of(job_id, "run-1")
    assert result.passed is False


def test_a_run_does_not_see_the_outcomes_of_another(job_store):
    job_id = new_job(job_store)
    job_store.guardrails.record(job_id, "run-1", 1, "report", [Said("text", True)])
    assert job_store.guardrails.results_of(job_id, "run-2") == []


def test_a_guardrail_that_found_a_nan_can_say_so(job_store):
    job_id = new_job(job_store)
    seen = {"score": math.nan, "all": (1.0, math.inf), "text": "a\x00b", 3: {1}}
    job_store.guardrails.record(job_id, "run-1", 1, "deep_results", [Said("finite", False, actual=seen)])
    (result,) = job_store.guardrails.results_of(job_id, "run-1")
    assert result.actual == {"score": "nan", "all": [1.0, "inf"], "text": "a\N{REPLACEMENT CHARACTER}b", "3": [1]}


def test_nothing_is_recorded_for_no_guardrails_and_for_no_job(job_store):
    assert job_store.guardrails.record(new_job(job_store), "run-1", 1, "frames", []) == 0
    with pytest.raises(IntegrityError):
        job_store.guardrails.record("nobody", "run-1", 1, "frames", [Said("decodes", True)])
