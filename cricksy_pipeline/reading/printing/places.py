"""Where an analysis can be looked at: the document behind `cricksy open`.

Belongs here: the shape, which a script may rely on (docs/schemas), and whether a server answers. Does not belong here: opening a browser
(`commands.viewing`).
"""

from __future__ import annotations

from typing import Literal
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from pydantic import BaseModel, ConfigDict, Field

PATIENCE_S = 2.0
"""How long a server is waited for. House default: it is asked for on this machine, or in this house."""


class Places(BaseModel):
    """Where one analysis can be looked at."""

    model_config = ConfigDict(frozen=True)

    schema_version: Literal["1"] = "1"
    id: str
    page: str = Field(description="Address of the page, under CRICKSY_PUBLIC_URL.")
    page_answers: bool = Field(description="A server answered there just now.")
    report: str | None = Field(description="file:// address of the HTML report, where the store is a folder of this machine.")

    @property
    def best(self) -> str:
        """The page, unless nobody serves it and there is a file."""
        return self.page if self.page_answers or self.report is None else self.report


def answers(public_url: str) -> bool:
    """Whether a server of ours answers at an address, in whatever state it is."""
    try:
        with urlopen(f"{public_url.rstrip('/')}/healthz", timeout=PATIENCE_S):
            return True
    except HTTPError as error:
        return error.code == 503  # it says that database or store is away
    except (URLError, OSError, ValueError):
        return False
