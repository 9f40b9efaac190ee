"""What a check of the installation found: the document behind `cricksy doctor`, as JSON and as a table in a terminal.

Belongs here: the shape, which a script may rely on (docs/schemas), and its printing. Does not belong here: looking
(`orchestration.checkup`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console
from rich.table import Table
from rich.text import Text

Health = Literal["ok", "note", "missing"]
MARKS: dict[str, tuple[str, str]] = {"ok": ("ok", "green"), "note": ("note", "yellow"), "missing": ("MISSING", "bold red")}


class Prerequisite(BaseModel):
    """One thing that the pipeline needs, or might."""

    model_config = ConfigDict(frozen=True)

    name: str
    health: Health = Field(
        description="note: nothing is broken, and somebody should know. missing: an analysis cannot run, or not be read."
    )
    found: str
    to_do: str | None = Field(description="What to do about it; null where it is ok.")


class Checkup(BaseModel):
    """Every prerequisite, in the order in which they build on each other."""

    schema_version: Literal["1"] = "1"
    ok: bool = Field(description="Nothing is missing.")
    prerequisites: list[Prerequisite]


def checkup(prerequisites: list[Prerequisite]) -> Checkup:
    """The document over what was found."""
    return Checkup(ok=all(each.health != "missing" for each in prerequisites), prerequisites=prerequisites)


def print_checkup(found: Checkup, console: Console) -> None:
    """One line each; what to do stands below what it is about."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in found.prerequisites:
        mark, style = MARKS[each.health]
        told = Text(each.found)
        if each.to_do:
            told.append(f"\n-> {each.to_do}", "bold")
        table.add_row(Text(mark, style), Text(each.name), told)
    console.print(table)
    counted = {health: sum(each.health == health for each in found.prerequisites) for health in MARKS}
    said = "Nothing is missing." if found.ok else f"{counted['missing']} of {len(found.prerequisites)} missing."
    notes = f" {counted['note']} to know." if counted["note"] else ""
    console.print()
    console.print(Text(f"{said}{notes}", "green" if found.ok else "bold red"))
