"""When an owner is told, and in what words.

Belongs here: the threshold, its doubling, the all-clear, what is remembered from one look to the next, the text. Does not belong here:
reading failures (`streaks`), sending (the channels). Nothing here asks a clock or a database.

Each look is decided from the whole history and from what was told before, never from what is new since the last look: a look that was
missed, or repeated, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from cricksy_pipeline.alerting.alert import Alert, Link, Severity
from cricksy_pipeline.alerting.streaks import History, Streak, Success
from cricksy_pipeline.errors import CODE_FACTS, ErrorCode

RUNBOOK = "docs/runbook.md"
QUOTED = 300
"""Characters of an error message that an alert repeats."""


class Told(BaseModel):
    """What an owner was told last, and has not been told is over.

    Attributes:
        failures: how many there were.
        since: when they began.
        after: the success before them, by which one streak is told from the next.
    """

    model_config = ConfigDict(frozen=True)

    failures: int
    since: AwareDatetime
    after: AwareDatetime | None


class Memory(BaseModel):
    """What is kept between two looks.

    Attributes:
        success_at: the newest success ever seen. Kept, because a coach may delete the video that it was made of.
        told: by owner.
    """

    model_config = ConfigDict(frozen=True)

    success_at: AwareDatetime | None = None
    told: dict[str, Told] = {}

    @classmethod
    def read(cls, text: str | None) -> Memory:
        """What `model_dump_json` wrote; anything else is forgotten: the worst is that somebody is told twice."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()

    def after(self, success: Success | None) -> Memory:
        """With a newer success, if there is one."""
        return self.model_copy(update={"success_at": success.at}) if success else self

    def having_told(self, owner: str, streak: Streak | None) -> Memory:
        """With what the owner has just been told: of a streak, or that it is over."""
        told = {name: value for name, value in self.told.items() if name != owner}
        if streak is not None:
            told[owner] = Told(failures=streak.failures, since=streak.since, after=self.success_at)
        return self.model_copy(update={"told": told})


def level(failures: int, threshold: int) -> int:
    """The largest of threshold, twice, four times ... the threshold that so many failures have reached; 0 below the threshold."""
    return threshold << ((failures // threshold).bit_length() - 1) if failures >= threshold else 0


def due(memory: Memory, history: History, owner: str, threshold: int, job_url: Callable[[str], str]) -> Alert | None:
    """What the owner should be told now; one thing at a time, so after an all-clear a new streak has to wait for the next look.

    Args:
        memory: already `after` the history's success.
        threshold: failures in a row, at least 1.
        job_url: where a person sees a job.
    """
    told, streak = memory.told.get(owner), history.streaks.get(owner)
    if told is not None and told.after != memory.success_at:
        return _recovered(owner, told, memory, history.success, job_url)
    reached = level(streak.failures, threshold) if streak else 0
    if streak is None or reached <= (told.failures if told else 0):
        return None
    return _failing(streak, memory, reached, job_url)


def _failing(streak: Streak, memory: Memory, reached: int, job_url: Callable[[str], str]) -> Alert:
    last = streak.last
    codes = [f"- {code}, {_times(count)}: {_advice(code)} ({RUNBOOK}#{code.lower()})" for code, count in streak.codes.items()]
    where = f"in {last.stage}" if last.stage else "outside any stage"
    text = [
        f"{streak.failures} attempts in a row failed, on {_jobs(streak.jobs)}, since {_moment(streak.since)}.",
        f"Last success: {_moment(memory.success_at)}." if memory.success_at else "No analysis has succeeded yet.",
        "",
        "What failed, and what to do:",
        *codes,
        "",
        f"Last: job {last.job_id}, attempt {last.attempt}, {where}, {_moment(last.at)}",
        f"{last.code}: {_quoted(last.message)}",
        "",
        f"You hear of it again at {2 * reached} failures, and when an analysis succeeds.",
    ]
    return Alert(
        owner=streak.owner,
        title=f"{streak.failures} failures in a row ({', '.join(streak.codes)})",
        text="\n".join(text),
        severity=Severity.FAILING,
        key=_key(streak.owner, memory.success_at, str(reached)),
        links=(Link("Last failed job", job_url(last.job_id)),),
    )


def _recovered(owner: str, told: Told, memory: Memory, success: Success | None, job_url: Callable[[str], str]) -> Alert:
    text = [
        f"An analysis succeeded at {_moment(memory.success_at)}.",
        f"The last alert told of {told.failures} failures in a row since {_moment(told.since)}.",
        "",
        "What failed meanwhile is tried again by itself where the error is transient; the rest waits for a person.",
    ]
    return Alert(
        owner=owner,
        title="analyses succeed again",
        text="\n".join(text),
        severity=Severity.RECOVERED,
        key=_key(owner, told.after, "recovered"),
        links=(Link("The job that succeeded", job_url(success.job_id)),) if success else (),
    )


def _key(owner: str, after: datetime | None, what: str) -> str:
    return f"{owner}/{after.astimezone(UTC).isoformat() if after else 'start'}/{what}"


def _advice(code: str) -> str:
    facts = CODE_FACTS.get(code) or CODE_FACTS[ErrorCode.INTERNAL]  # a newer release may know more codes
    return facts.advice


def _quoted(message: str | None) -> str:
    plain = " ".join((message or "no message was recorded").split())
    return plain if len(plain) <= QUOTED else plain[: QUOTED - 1] + "…"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%d %b %Y %H:%M} UTC"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _jobs(count: int) -> str:
    return "one job" if count == 1 else f"{count} jobs"
