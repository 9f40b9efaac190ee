"""The JSON Schemas of everything that readers rely on, written to a folder: `python -m cricksy_pipeline.reading.schemas docs/schemas`.

Belongs here: which models are published, and under what file name. Does not belong here: the models themselves
(`analysis.documents`, `comparing`, `store.job_read`, `printing`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings, MetricsBlock, Report
from cricksy_pipeline.reading.api.comparing import ComparisonRead
from cricksy_pipeline.reading.printing.checkup import Checkup
from cricksy_pipeline.reading.printing.command_error import CommandError
from cricksy_pipeline.reading.printing.places import Places
from cricksy_pipeline.reading.printing.shown import ShownAnalysis
from cricksy_pipeline.reading.printing.standing import StatusList
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PUBLISHED: dict[str, type[BaseModel]] = {
    "results": AnalysisResults,
    "metrics": MetricsBlock,
    "findings": Findings,
    "report": Report,
    "comparison_read": ComparisonRead,
    "video_analysis_job_read": VideoAnalysisJobRead,
    "status_list": StatusList,
    "shown_analysis": ShownAnalysis,
    "places": Places,
    "checkup": Checkup,
    "command_error": CommandError,
}
"""By file name without suffix. As written by the pipeline (serialization), which is what a reader receives."""


def schema_texts() -> dict[str, str]:
    """File name -> the text that it must hold."""
    texts = {}
    for name, model in PUBLISHED.items():
        schema = {"$schema": DIALECT, **model.model_json_schema(mode="serialization")}
        texts[f"{name}.schema.json"] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return texts


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema into `folder`, made where absent; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, text in schema_texts().items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m cricksy_pipeline.reading.schemas FOLDER")
    for written in write_schemas(Path(sys.argv[1])):
        print(written)
