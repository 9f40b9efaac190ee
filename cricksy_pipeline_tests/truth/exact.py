"""The exact tier: records from true landmarks with errors put in, instead of from pictures. Milliseconds each.

Belongs here: one record by this way. Does not belong here: the error model (`disturb`), conditions, expectations.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.passes import findings_of
from cricksy_pipeline.sample.clip import truth, truth_landmarks
from cricksy_pipeline_tests.analysis.players import results_document
from cricksy_pipeline_tests.truth.compare import true_deliveries
from cricksy_pipeline_tests.truth.conditions import Condition
from cricksy_pipeline_tests.truth.disturb import ErrorModel, disturbed
from cricksy_pipeline_tests.truth.record import BETWEEN_BALLS_S, about, described_against, joined


def exact_landmarks(condition: Condition, model: ErrorModel | None, seed: int = 0) -> Landmarks:
    """What would be seen of a condition if the landmarks were true, but for the errors of `model` (None: perfect)."""
    parts = []
    for number, spec in enumerate(condition.specs()):
        seen = truth_landmarks(spec)
        if model is not None:
            height = float(np.nanmedian(truth(spec).height_px))
            seen = disturbed(seen, height, model, 1000 * seed + number)
        parts.append(seen)
    return joined(parts)


def exact_record(condition: Condition, model: ErrorModel | None, seed: int = 0) -> dict[str, Any]:
    """The record of a condition as `record.record` makes it, from true landmarks with errors put in."""
    seen = exact_landmarks(condition, model, seed)
    known = [truth(spec) for spec in condition.specs()]
    true = [d for number, one in enumerate(known) for d in true_deliveries(one, number * BETWEEN_BALLS_S)]
    document = results_document(seen, condition.mode)
    described = described_against(document.metrics, findings_of(document), true, condition.motion)
    return {**about(condition, known[0]), **described, "found_percent": document.pose_summary.detection_rate_percent}
