"""What an analysis was made with, in one short hash.

Belongs here: the hand-kept version of each stage's rules, and the analysis version made of them. Raise a stage's version whenever
its numbers or words may change for the same video. Does not belong here: versions of single metric definitions (`metrics/catalogue.toml`).
"""

from __future__ import annotations

import hashlib
import json

STAGE_VERSIONS: dict[str, str] = {
    "frames": "1",
    "quick_results": "1",
    "deep_results": "1",
    "findings": "1",
    "report": "1",
    "completed_analysis": "1",
}
"""Also the `code_version` of the asset of the same name."""


def analysis_version(*, model_sha256: str, settings: dict[str, object]) -> str:
    """Twelve hex digits over stage versions, model weights and analysis settings: equal exactly when all three are.

    Args:
        model_sha256: hash of the pose model bundle.
        settings: sampling rates and the like, JSON-ready.
    """
    content = json.dumps({"stages": STAGE_VERSIONS, "model": model_sha256, "settings": settings}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]
