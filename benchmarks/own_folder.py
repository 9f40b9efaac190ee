"""A data folder of a benchmark's own, for it and every process that it starts.

Belongs here: where a benchmark's stack lives. Does not belong here: what is put into it (`cloned_jobs`, `filled_database`).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from cricksy_pipeline.settings import Settings


@contextmanager
def settings_in(folder: Path | None) -> Iterator[Settings]:
    """The settings of a stack in this folder, or in a temporary one that is removed at the end. The weights stay where they are."""
    with nullcontext(folder) if folder else tempfile.TemporaryDirectory(prefix="cricksy-bench-") as place:
        models = Settings().models
        os.environ |= {"CRICKSY_DATA_DIR": str(place), "CRICKSY_MODEL_DIR": str(models)}
        yield Settings()
