"""The table that the suite leaves: every fault, what the row said, and after how long.

Belongs here: one line of it, and its form. Does not belong here: measuring.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADER = ("Fault", "The row said", "After (s)", "Tried again by", "Result")


@dataclass(frozen=True)
class Told:
    """What one fault led to.

    Attributes:
        fault: what was done to the system, and where.
        row_said: status, code, stage and message of the truth.
        after_s: seconds from the fault to that truth.
        retried_by: who started the analysis again.
        result: how it ended.
    """

    fault: str
    row_said: str
    after_s: float
    retried_by: str
    result: str


def as_markdown(lines: list[Told]) -> str:
    """The table, in the order given."""
    cells = [HEADER, ("---", "---", "---:", "---", "---")]
    cells += [(line.fault, f"`{line.row_said}`", f"{line.after_s:.1f}", line.retried_by, line.result) for line in lines]
    return "".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |\n" for row in cells)
