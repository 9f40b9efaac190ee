"""The pose model, shared with the tests of the analysis."""

from cricksy_pipeline_tests.analysis.conftest import pose_model

__all__ = ["pose_model"]
