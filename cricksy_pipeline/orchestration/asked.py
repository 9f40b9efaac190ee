"""What was said beside the mode, as a job row holds it.

Belongs here: reading that column into what the analysis takes. Does not belong here: where it comes from (`store.upload_options`, the
command line, the API), its limits (`analysis.options`).
"""

from __future__ import annotations

from cricksy_pipeline.analysis.options import AnalysisOptions
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.models import VideoAnalysisJob
from cricksy_pipeline.store.selection import FinishedJob


def analysis_options(row: VideoAnalysisJob | FinishedJob) -> AnalysisOptions:
    """The options of a job. Raises CricksyError OPTIONS_INVALID for a column that somebody else wrote and that cannot be meant."""
    try:
        return AnalysisOptions.from_json(row.analysis_options)
    except (TypeError, ValueError) as error:
        raise CricksyError(ErrorCode.OPTIONS_INVALID, f"The job's options cannot be meant: {error}.") from error
