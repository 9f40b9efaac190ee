"""Failures in a row, per owner, as the history of attempts tells them.

Belongs here: reading `job_attempts`. Does not belong here: whether somebody is told (`escalation`).

An analysis that gets done ends everyone's streak, for it passed everyone's stages. A failure counts for the owner of its stage only.
What is not ours (a file that is no video, a run that a person stopped) neither ends a streak nor makes it longer: nobody is woken by a
coach's text file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, Select, case, func, select

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.models import JobAttempt

NOT_OURS: tuple[str, ...] = tuple(code.value for code, facts in CODE_FACTS.items() if facts.fault != "system")
"""The codes that concern no streak."""

ATTEMPT = JobAttempt.__table__


@dataclass(frozen=True)
class Success:
    """The newest attempt that was done: when, and of which job."""

    at: datetime
    job_id: str


@dataclass(frozen=True)
class Failure:
    """One failed or lost attempt, as the history has it. `stage` is None where no stage had begun or none was recorded."""

    job_id: str
    attempt: int
    stage: str | None
    code: str
    message: str | None
    at: datetime


@dataclass(frozen=True)
class Streak:
    """The failures of one owner since the last success.

    Attributes:
        failures: how many attempts, at least 1.
        jobs: on how many jobs; fewer than `failures` where the same video was tried again.
        since: end of the first of them.
        codes: error code to how often, most frequent first.
        last: the newest of them.
    """

    owner: str
    failures: int
    jobs: int
    since: datetime
    codes: dict[str, int]
    last: Failure


@dataclass(frozen=True)
class History:
    """What there is to decide on.

    Attributes:
        success: the newest success, None where there is none after `read_history`'s `after`.
        streaks: by owner; owners without a failure are left out.
    """

    success: Success | None
    streaks: dict[str, Streak]


def read_history(engine: Engine, owner_by_stage: Mapping[str, str], default_owner: str, *, after: datetime | None = None) -> History:
    """The newest success, and each owner's failures since.

    Args:
        owner_by_stage: asset name to owner. The guardrails of an asset are its owner's.
        default_owner: whose the other failures are: a lost worker, a run that never began.
        after: a success that is known already; what ended before it is not looked at, even if its row has been deleted since.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    # One snapshot for all questions, so that the numbers in an alert agree with each other.
    with transaction(engine.execution_options(isolation_level="REPEATABLE READ")) as connection:
        success = _last_success(connection, after)
        columns = _columns(owner_by_stage, default_owner)
        failed = [ATTEMPT.c.outcome.in_(("failed", "lost")), columns["code"].not_in(NOT_OURS), *_since(success.at if success else after)]
        return History(success, _streaks(connection, select(*(column.label(name) for name, column in columns.items())).where(*failed)))


def _last_success(connection: Connection, after: datetime | None) -> Success | None:
    done = select(ATTEMPT.c.ended_at, ATTEMPT.c.job_id).where(ATTEMPT.c.outcome == "done", *_since(after))
    found = connection.execute(done.order_by(ATTEMPT.c.ended_at.desc()).limit(1)).one_or_none()
    return Success(found.ended_at, found.job_id) if found else None


def _since(moment: datetime | None) -> list[ColumnElement[bool]]:
    """Ended, and after the moment; the index on `ended_at` answers both."""
    return [ATTEMPT.c.ended_at.is_not(None) if moment is None else ATTEMPT.c.ended_at > moment]


def _columns(owner_by_stage: Mapping[str, str], default_owner: str) -> dict[str, ColumnElement]:
    """The columns of a `Failure`, and `owner`."""
    # The guardrails of an asset run as the stage "<asset> guardrails".
    asset = func.split_part(func.coalesce(ATTEMPT.c.failed_stage, ""), " ", 1)
    unnamed = case((ATTEMPT.c.outcome == "lost", ErrorCode.WORKER_LOST.value), else_=ErrorCode.INTERNAL.value)
    return {
        "owner": case(dict(owner_by_stage), value=asset, else_=default_owner),
        "job_id": ATTEMPT.c.job_id,
        "attempt": ATTEMPT.c.attempt,
        "stage": ATTEMPT.c.failed_stage,
        "code": func.coalesce(ATTEMPT.c.error_code, unnamed),
        "message": ATTEMPT.c.error_message,
        "at": ATTEMPT.c.ended_at,
    }


def _streaks(connection: Connection, failures: Select) -> dict[str, Streak]:
    """Counted by the database: a night without a success may be long."""
    each, often = failures.subquery().c, func.count()
    totals = select(each.owner, often.label("failures"), func.count(each.job_id.distinct()).label("jobs"), func.min(each.at).label("since"))
    by_code = select(each.owner, each.code, often).group_by(each.owner, each.code).order_by(often.desc(), each.code)
    age = func.row_number().over(partition_by=each.owner, order_by=(each.at.desc(), each.job_id, each.attempt)).label("age")
    newest = select(each, age).subquery()
    codes: dict[str, dict[str, int]] = {}
    for owner, code, count in connection.execute(by_code):
        codes.setdefault(owner, {})[code] = count
    last = {owner: Failure(*values) for owner, *values, _ in connection.execute(select(newest).where(newest.c.age == 1))}
    return {
        row.owner: Streak(row.owner, row.failures, row.jobs, row.since, codes[row.owner], last[row.owner])
        for row in connection.execute(totals.group_by(each.owner))
    }
