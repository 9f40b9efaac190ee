"""What the tests of the analysis share: the pose model, from the cache that the commands use too."""

from __future__ import annotations

from pathlib import Path

import pytest

from cricksy_pipeline.analysis.model import PoseModel, ensure_model


@pytest.fixture(scope="session")
def pose_model() -> PoseModel:
    return ensure_model(Path(__file__).parents[2] / ".cricksy" / "models")
