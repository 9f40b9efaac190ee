"""What is said of a session about filming people: consent, how long the video is kept, faces in what is passed on.

Belongs here: which columns these are, and which of their values can be meant together. Does not belong here: deleting what is kept no
longer (`expiry`, `deletion`), blurring (`reading.overlay`), the words of the API (`reading.api.consent`).

Null means that nobody said: no value here has a default, and a consent is true only where a person said who gave it and when. The table
has a constraint that says the same, for whoever writes past this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cricksy_pipeline.errors import CricksyError, ErrorCode

CONSENT_COLUMNS = (
    "consent_given",
    "consent_by",
    "consent_at",
    "consent_by_guardian",
    "player_is_minor",
    "retention_until",
    "blur_faces",
)

MOST_NAME = 255

_DETAILS = ("consent_by", "consent_at", "consent_by_guardian")
_CLOCKS = timedelta(minutes=5)
"""How far a phone's clock may be ahead of the server's."""


def demand_meant(now_said: Mapping[str, Any], before: Mapping[str, Any] | None = None, *, now: datetime | None = None) -> dict[str, Any]:
    """What is now said, as the columns take it, if it can be meant together with what was said before.

    Args:
        now_said: some of `CONSENT_COLUMNS`; what is None is taken back.
        before: all of them, as they are; None: a new session.
        now: for tests.

    Raises:
        CricksyError: OPTIONS_INVALID, with words for the coach.
    """
    now = now or datetime.now(UTC)
    said = {name: value.strip() or None if isinstance(value, str) else value for name, value in now_said.items()}
    for name in ("consent_at", "retention_until"):
        if said.get(name) is not None and said[name].tzinfo is None:
            raise _refused(f"{name} needs a time zone")
    if (given := said.get("consent_by")) is not None and (len(given) > MOST_NAME or not given.isprintable()):
        raise _refused(f"consent_by is a name of at most {MOST_NAME} characters")
    whole = {**dict.fromkeys(CONSENT_COLUMNS), **(before or {}), **said}
    if whole["consent_given"] is None and any(whole[name] is not None for name in _DETAILS):
        raise _refused("say consent_given too, or take back by whom and when")
    if whole["consent_given"]:
        if not whole["consent_by"] or whole["consent_at"] is None:
            raise _refused("a consent needs consent_by and consent_at: who gave it, and when")
        if whole["player_is_minor"] and not whole["consent_by_guardian"]:
            raise _refused("for a minor a guardian consents: say consent_by_guardian, with his or her name in consent_by")
    if said.get("consent_at") is not None and said["consent_at"] > now + _CLOCKS:
        raise _refused("consent_at lies in the future")
    if said.get("retention_until") is not None and said["retention_until"] <= now:
        raise _refused("retention_until has passed already; to delete the session now, delete it")
    return said


def _refused(words: str) -> CricksyError:
    return CricksyError(ErrorCode.OPTIONS_INVALID, f"{words[:1].upper()}{words[1:]}.")
