"""Tracking that went wrong in every way we know: nothing raises, nothing is infinite, every guardrail holds."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cricksy_pipeline.analysis.documents import AnalysisMode, as_json
from cricksy_pipeline.analysis.guardrails import evaluate_deep_results, evaluate_findings, evaluate_report
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline_tests.analysis.players import duration_of, player, results_document


def spoiled(seen: Landmarks, seed: int, gaps: float, leaps: float, dropped: float, garbage: bool) -> Landmarks:
    """Frames without anyone, landmarks that leap, frames that are not there, or nothing but noise."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 360, seen.xy.shape).astype(np.float32) if garbage else seen.xy.copy()
    leaping = rng.random(xy.shape[:2]) < leaps
    xy[leaping] += rng.normal(0, 80, (int(leaping.sum()), 2)).astype(np.float32)
    start = 0
    while start < len(seen):
        length = int(rng.integers(1, 20))
        if rng.random() < gaps:
            xy[start : start + length] = np.nan
        start += length
    kept = rng.random(len(seen)) >= dropped
    return replace(seen, xy=xy).select(kept)


@settings(max_examples=40, deadline=None)
@given(
    motion=st.sampled_from(["drive", "bowl"]), mode=st.sampled_from(list(AnalysisMode)), seed=st.integers(0, 10_000),
    gaps=st.sampled_from([0.0, 0.2, 0.9]), leaps=st.sampled_from([0.0, 0.02, 0.3]), dropped=st.sampled_from([0.0, 0.1, 0.95]),
    garbage=st.sampled_from([False, False, False, True]),
)  # fmt: skip
def test_no_tracking_however_bad_breaks_the_analysis_or_a_guardrail(motion, mode, seed, gaps, leaps, dropped, garbage):
    seen = spoiled(player(motion, fps=30), seed, gaps, leaps, dropped, garbage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        row = json.loads(json.dumps(as_json(results_document(seen, mode)), allow_nan=False))
    common = {"mode": str(mode), "stored_error": None}
    results = evaluate_deep_results(row_results=row, stored_results=row, planned_frames=len(seen), **common)
    results += evaluate_findings(
        row_findings=row["findings"], row_results=row, stored_findings=row["findings"], duration_s=duration_of(seen), **common
    )
    results += evaluate_report(
        row_report=row["report"],
        row_findings=row["findings"],
        row_results=row,
        stored_report=row["report"],
        files={"report.html": None},
        **common,
    )
    assert {result.name for result in results if not result.passed} <= {"subject_found"}, [r for r in results if not r.passed]


@pytest.mark.parametrize("mode", list(AnalysisMode))
def test_pure_noise_is_no_technique(mode):
    for seed in range(3):
        seen = spoiled(player(fps=30), seed, 0.0, 0.0, 0.0, True)
        document = results_document(seen, mode)
        assert [finding for finding in document.findings.findings if finding.kind == "technique"] == []
