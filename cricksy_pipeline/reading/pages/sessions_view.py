"""The lists: sessions, and the analyses of one session.

Belongs here: rows of a listing -> words. Does not belong here: the listing queries (`store.row_pages`), markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cricksy_pipeline.reading.pages.standing import State, state_of
from cricksy_pipeline.store.models import VideoSession
from cricksy_pipeline.store.row_pages import JobLine, SessionLine

_VIEWS = {"side": "from the side", "front": "from in front", "behind": "from behind"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NO_JOB = State("none", "No video yet", "quiet")


@dataclass(frozen=True)
class SessionRow:
    """A session in the list. `href` leads to its newest analysis, `about` to the session itself."""

    title: str
    facts: str
    href: str
    about: str
    state: State


@dataclass(frozen=True)
class JobRow:
    """An analysis in the list of its session."""

    title: str
    facts: str
    href: str
    state: State


@dataclass(frozen=True)
class SessionPage:
    """One session. `facts` and `privacy`: (name, value)."""

    id: str
    title: str
    notes: str
    facts: tuple[tuple[str, str], ...]
    privacy: tuple[tuple[str, str], ...]
    jobs: tuple[JobRow, ...]


def day(moment: datetime | None) -> str:
    """`23 Nov 2026` in UTC; empty for None."""
    if moment is None:
        return ""
    at = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def minute(moment: datetime) -> str:
    """`23 Nov 2026, 14:05 UTC`."""
    at = moment.astimezone(UTC) if moment.tzinfo else moment
    return f"{day(moment)}, {at:%H:%M} UTC"


def session_row(line: SessionLine) -> SessionRow:
    """A session as the list shows it."""
    job = line.latest_job
    mode = (job.analysis_mode if job else None) or line.analysis_context
    parts = (
        str(mode).capitalize() if mode else "",
        _VIEWS.get(str(line.camera_view), ""),
        ", ".join(line.player_ids),
        day(line.created_at),
    )
    about = f"/sessions/{line.id}"
    return SessionRow(
        title=line.title or "Without a title",
        facts=" · ".join(part for part in parts if part),
        href=f"/analyses/{job.id}" if job else about,
        about=about,
        state=state_of(job) if job else _NO_JOB,
    )


def job_row(line: JobLine) -> JobRow:
    """An analysis as its session lists it."""
    mode = (line.analysis_mode or "cricket").capitalize()
    again = f" · attempt {line.attempt}" if line.attempt > 1 else ""
    return JobRow(f"{mode} analysis", minute(line.created_at) + again, f"/analyses/{line.id}", state_of(line))


def session_page(session: VideoSession, jobs: list[JobLine]) -> SessionPage:
    """A session as its own page shows it."""
    size = f"{session.file_size_bytes / 1e6:.1f} MB" if session.file_size_bytes else ""
    facts = (
        ("Filmed", str(session.analysis_context or "").capitalize()),
        ("Camera", _VIEWS.get(str(session.camera_view), "").capitalize()),
        ("Players", ", ".join(session.player_ids or [])),
        ("Video", size),
        ("Since", day(session.created_at)),
    )
    return SessionPage(
        id=session.id,
        title=session.title or "Without a title",
        notes=session.notes or "",
        facts=tuple((name, value) for name, value in facts if value),
        privacy=privacy_of(session),
        jobs=tuple(job_row(line) for line in jobs),
    )


def privacy_of(session: VideoSession) -> tuple[tuple[str, str], ...]:
    """What is known of consent, keeping and faces. What nobody said is shown as not said, never as given."""
    until = session.retention_until
    return (
        ("Consent to film", _consent(session)),
        ("Video kept", f"until {day(until)}" if until else "until somebody deletes it"),
        ("Faces in exported videos", {True: "blurred", False: "shown", None: "shown; nobody said"}[session.blur_faces]),
    )


def _consent(session: VideoSession) -> str:
    if session.consent_given is None:
        return "not said"
    if not session.consent_given:
        return "refused"
    guardian = ", as guardian" if session.consent_by_guardian else ""
    return f"given by {session.consent_by} on {day(session.consent_at)}{guardian}"
