"""What a person may say beside the mode, as arguments of several commands.

Belongs here: the words of `--subject` and `--slow-motion`, and their check. Does not belong here: what they do (`analysis.options`).
"""

from __future__ import annotations

from typing import Any

from cricksy_pipeline.errors import CricksyError, ErrorCode

SUBJECT_HELP = "Which of the people that the analysis lists is the player: their numbers stand on the player's picture."
SLOW_MOTION_HELP = "How many times slower than life the video plays: 8 for 240 frames a second shown at 30; 1 for normal speed."


def said(subject: int | None, slow_motion: float | None) -> dict[str, Any]:
    """The options as a job row holds them: only what was said. Raises CricksyError OPTIONS_INVALID."""
    from cricksy_pipeline.analysis.options import AnalysisOptions

    try:
        return AnalysisOptions(subject, slow_motion).as_json()
    except ValueError as error:
        raise CricksyError(ErrorCode.OPTIONS_INVALID, f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
