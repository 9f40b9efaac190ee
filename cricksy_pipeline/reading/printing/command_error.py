"""A known error as a command with `--json` tells it.

Belongs here: the shape, which a script may rely on (docs/schemas). Does not belong here: when it is told (`cli`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cricksy_pipeline.errors import CricksyError


class ToldError(BaseModel):
    """What went wrong."""

    code: str = Field(description="An error code of the runbook.")
    message: str
    advice: str | None


class CommandError(BaseModel):
    """Printed instead of the document that was asked for, with exit status 1."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal["1"] = "1"
    error: ToldError

    @classmethod
    def of(cls, error: CricksyError, advice: str | None) -> CommandError:
        """The document of one error."""
        return cls(error=ToldError(code=error.code.value, message=error.message, advice=advice))
