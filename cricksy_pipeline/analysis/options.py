"""What the person who asks for an analysis may say beside the mode.

Belongs here: the options that change what is looked at or how it is read, their limits, and their JSON form in the job row. Does not
belong here: where they come from (`commands`, `store.upload_options`, the API) or what they do (`subject`, `recording`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

MOST_PEOPLE = 8
MOST_SLOW_MOTION = 64.0


@dataclass(frozen=True)
class AnalysisOptions:
    """All optional: None is "not said", and the analysis decides and says how.

    Attributes:
        subject: which of the people listed by an earlier analysis is the player, 1 for the first; at most `MOST_PEOPLE`.
        slow_motion: how many times slower than life the file plays (8: 240 fps shown at 30); 1 is normal speed.

    Raises:
        ValueError: a value outside these limits; the message is for a person.
    """

    subject: int | None = None
    slow_motion: float | None = None

    def __post_init__(self) -> None:
        if self.subject is not None and not (isinstance(self.subject, int) and 1 <= self.subject <= MOST_PEOPLE):
            raise ValueError(f"subject is a number from 1 to {MOST_PEOPLE}, as the analysis lists the people it saw")
        if self.slow_motion is not None and not 1 <= self.slow_motion <= MOST_SLOW_MOTION:
            raise ValueError(f"slow motion is how many times slower than life the video plays, from 1 to {MOST_SLOW_MOTION:g}")

    def as_json(self) -> dict[str, Any]:
        """Only what was said; `from_json` reads it back."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: dict[str, Any] | None) -> AnalysisOptions:
        """The options that `as_json` wrote; none for None. Raises ValueError for a value or name that is none."""
        try:
            return cls(**(data or {}))
        except TypeError as error:
            raise ValueError(f"there is no such option among {', '.join(sorted(data or {}))}") from error
