"""What the tests of the analysis share: the pose model, from the cache that the commands use too."""

from __future__ import annotations

from pathlib import Path

import pytest

from cricksy_pipeline.analysis.model import PoseModel, ensure_model

MODELS = Path(__file__).parents[2] / ".cricksy" / "models"


@pytest.fixture(scope="session")
def pose_model() -> PoseModel:
    return ensure_model(MODELS)


@pytest.fixture(scope="session")
def pose_finder() -> PoseModel:
    return ensure_model(MODELS, "lite")
