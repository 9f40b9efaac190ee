"""How wrong the pose model is, as measured: accuracy.toml, by metric and view.

Belongs here: reading that file. Does not belong here: measuring it (the truth tests write it), the priors that hold until it is measured
(catalogue.toml).

A measured bias is not subtracted: it was measured on drawn figures, and whether it is the same on people is not known. It is inside sigma.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cricksy_pipeline.analysis.metrics.catalogue import Entry

PRIOR_STATUS = "uncalibrated"
FILE = Path(__file__).parent / "accuracy.toml"


@dataclass(frozen=True)
class ModelError:
    """The error of the pose model in one metric from one view, in the metric's unit.

    Attributes:
        sigma: one standard deviation, the bias inside it.
        bias: mean of measured minus true; None where it was not measured.
        n: measured balls; 0 where it was not measured.
        source: where the numbers come from.
        status: "calibrated on rendered figures", or "uncalibrated".
    """

    sigma: float
    bias: float | None
    n: int
    source: str
    status: str


@cache
def measured_errors(path: Path = FILE) -> dict[tuple[str, str], ModelError]:
    """(metric code, view) -> measured error; empty where there is no file yet. Raises ValueError for a table that lacks a field."""
    if not path.exists():
        return {}
    found = {}
    for code, views in tomllib.loads(path.read_text(encoding="utf-8")).items():
        for view, fields in views.items() if isinstance(views, dict) else ():
            try:
                found[code, view] = ModelError(**{name: fields[name] for name in ModelError.__dataclass_fields__})
            except (KeyError, TypeError) as error:
                raise ValueError(f"{path.name}: [{code}.{view}] needs {', '.join(ModelError.__dataclass_fields__)}") from error
            if not found[code, view].sigma >= 0:
                raise ValueError(f"{path.name}: [{code}.{view}] has a sigma that is none")
    return found


def model_error(entry: Entry, view: str | None) -> ModelError:
    """The measured error of a metric from a view, or the catalogue's prior."""
    measured = measured_errors().get((entry.code, view or ""))
    return measured or ModelError(entry.sigma_model, None, 0, "house default, catalogue.toml", PRIOR_STATUS)
