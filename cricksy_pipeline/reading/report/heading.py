"""Whose analysis it is and of when: what stands above every report, and is in no document.

Belongs here: the words of the session and of the row that a report is headed with. Does not belong here: anything measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


@dataclass(frozen=True)
class Heading:
    """What a report is headed with.

    Attributes:
        title: the session's, as the coach wrote it.
        job_id: of the analysis.
        players: as the session names them; empty where it does not.
        analysed_at: when this analysis began, with its zone; None: not known. The report is made as of then: the same analysis gives the
            same bytes, whenever they are made.
        faces_blurred: the session wants no face in what leaves the house. The pictures of the analysis show faces, so a report has none.
    """

    title: str
    job_id: str
    players: Sequence[str] = ()
    analysed_at: datetime | None = None
    faces_blurred: bool = False

    @property
    def analysed_on(self) -> str:
        """`23 November 2026`, the day in UTC; empty where it is not known."""
        if self.analysed_at is None:
            return ""
        day = self.analysed_at.astimezone(UTC)
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    @property
    def player(self) -> str:
        """The players in one line; empty where the session names none."""
        return ", ".join(str(name) for name in self.players)
