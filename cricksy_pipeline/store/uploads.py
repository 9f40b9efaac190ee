"""The ledger of uploads: which versions of which objects were seen, and one bounded look at what lies in the store.

Belongs here: going through a listing, finding what is new, and entering it, each object by itself. Does not belong here: what was said
about an upload (`upload_options`), what its rows are (`upload_rows`), asking for runs (`run_queue`), Dagster.

The ledger (table `uploads`, unique by bucket, key and ETag) is the truth about what was seen; where a look ended is only a hint for the
next one, and the end of the listing is followed by its beginning. So it does not matter in which order objects appear, or which times
they carry. Only what is there is ever acted upon: an object that is not listed means nothing, and an empty or a failed listing changes no
row.

An object and its ledger entry become rows in one transaction: killed in between, there is neither. Whoever enters a version first has it;
two who look at the same time make one job.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import ARRAY, Engine, Text, any_, delete, func, literal, not_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store import upload_rows
from cricksy_pipeline.store.claims import JOB, SESSION
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import UPLOAD_PREFIXES, is_no_upload
from cricksy_pipeline.store.models import ANALYSIS_MODES
from cricksy_pipeline.store.objects import Listed, ObjectHead, ObjectMissing, ObjectRefused, ObjectStore
from cricksy_pipeline.store.upload_options import StillArriving, UploadOptions, read_options
from cricksy_pipeline.store.upload_rows import UPLOAD, Version, ledger_key, unfit_name

log = logging.getLogger(__name__)

AWAY = (ErrorCode.STORE_UNAVAILABLE, ErrorCode.DATABASE_UNAVAILABLE)
ANY_VERSION = "*"
MOST_REFUSALS = 10
"""New objects that the store may refuse in one sweep before the store itself is at fault. House default."""


@dataclass
class Sweep:
    """What one look at the store did.

    Attributes:
        after: the key after which the next look goes on; empty where this one came to the end of the listing.
        seen: objects looked at.
        made: jobs that now wait for a run: new ones, and those that waited for their upload.
        failed: jobs that are `failed` because their object cannot be analysed, or not as it was asked for.
        linked: objects that were new to the ledger and had their job already.
        unfinished: keys that were left alone because they may still be being written.
        skipped: key and reason of objects that could not be entered at all; they are tried again at every look.
        refusals: new objects that the store refused.
    """

    after: str = ""
    seen: int = 0
    made: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    linked: int = 0
    unfinished: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    refusals: int = 0


class UploadIntake:
    """Enters new objects of one store into the ledger, with their rows."""

    def __init__(self, jobs: JobStore, objects: ObjectStore) -> None:
        self._engine = jobs.engine
        self._objects = objects

    def sweep(self, prefixes: Sequence[str] = UPLOAD_PREFIXES, *, after: str = "", budget_s: float = 20.0, most_new: int = 500) -> Sweep:
        """Look at what lies under the prefixes after a key: for so long, until so many jobs are made, or to the end.

        One object never stops the others: what cannot be analysed is a `failed` row with a code. The time is looked at after each object,
        so one object may overdraw it.

        Raises:
            CricksyError: STORE_UNAVAILABLE, DATABASE_UNAVAILABLE: nothing can be said of the objects. What was entered before stays.
        """
        deadline = time.monotonic() + budget_s
        sweep = Sweep(after=after)
        for prefix in sorted(prefixes):
            while page := self._objects.page(prefix, start_after=sweep.after):
                look = _Look(self._engine, self._objects, page, sweep)
                for entry in page:
                    look.at(entry)
                    sweep.after = entry.key
                    sweep.seen += 1
                    if time.monotonic() > deadline or len(sweep.made) + len(sweep.failed) >= most_new:
                        return sweep
        sweep.after = ""
        return sweep


class _Look:
    """One page of a listing, beside what the ledger says about it."""

    def __init__(self, engine: Engine, objects: ObjectStore, page: list[Listed], sweep: Sweep) -> None:
        self._engine, self._objects, self._sweep = engine, objects, sweep
        self._keys = [entry.key for entry in page if not is_no_upload(entry.key)]
        self._seen: set[tuple[str, str]] = set()
        if self._keys:
            mine = (UPLOAD.c.bucket == objects.bucket, _among(UPLOAD.c.key, map(ledger_key, self._keys)))
            was_gone = func.coalesce(upload_rows.SOURCE_WAS_GONE, False)
            known = select(UPLOAD.c.key, UPLOAD.c.etag).outerjoin(JOB, JOB.c.id == UPLOAD.c.job_id).where(*mine, not_(was_gone))
            with transaction(engine) as connection:
                self._seen.update((row.key, row.etag) for row in connection.execute(known))

    @cached_property
    def _sessions(self) -> dict[str, str]:
        """The newest session that names each key. Asked for when something is new."""
        usable = [key for key in self._keys if unfit_name(key) is None]
        mine = (SESSION.c.s3_bucket == self._objects.bucket, _among(SESSION.c.s3_key, usable))
        with transaction(self._engine) as connection:
            query = select(SESSION.c.s3_key, SESSION.c.id).where(*mine).order_by(SESSION.c.created_at)
            return {row.s3_key: row.id for row in connection.execute(query)}

    def at(self, entry: Listed) -> None:
        """Enter one object, if it is an upload and new."""
        if is_no_upload(entry.key):
            return
        if not entry.complete:
            self._sweep.unfinished.append(entry.key)
            return
        etag, head = _first_etag(entry), None
        try:
            if etag is None:
                head = self._objects.head(entry.key)
                if head is None:
                    return  # deleted meanwhile
                etag = head.etag
            if (ledger_key(entry.key), etag) not in self._seen:
                self._take(self._version(entry, etag, head), head)
        except ObjectMissing:
            return  # deleted meanwhile
        except StillArriving as options:
            self._sweep.unfinished.append(str(options))
        except Exception as error:
            # Of a file that cannot be read, size and time have to do: what becomes readable is another version.
            version = self._version(entry, etag or f"{entry.size}-{entry.last_modified.timestamp():.6f}", head)
            if (ledger_key(entry.key), version.etag) not in self._seen:
                self._give_up(version, error)

    def _version(self, entry: Listed, etag: str, head: ObjectHead | None) -> Version:
        return Version(self._objects.bucket, entry.key, etag, head.size if head else entry.size, head.sha256 if head else None)

    def _take(self, version: Version, head: ObjectHead | None) -> None:
        """Enter a new object with all that can be known of it. What takes time is asked for before the transaction that writes."""
        if why := unfit_name(version.key) or ("it is empty" if version.size == 0 else None):
            self._enter(version, problem=_no_video(version.key, why))
            return
        session_id = self._sessions.get(version.key)
        with transaction(self._engine) as connection:
            waiting, known = upload_rows.jobs_over(connection, version, session_id)
            session = upload_rows.session_over(connection, version, session_id)
        if known:
            self._enter(version)
            return
        head = head or self._objects.head(version.key)
        if head is None:
            return  # deleted meanwhile
        version = Version(version.bucket, head.key, head.etag, head.size, head.sha256)
        if waiting:
            self._enter(version)
            return
        context = session.analysis_context if session else None
        options = read_options(self._objects, head, context if context in ANALYSIS_MODES else None)
        self._enter(version, options, options.problem)

    def _enter(self, version: Version, options: UploadOptions | None = None, problem: CricksyError | None = None) -> None:
        """Ledger entry, session and job in one transaction. Without options or a problem, only where the object has a job already."""
        session_id = self._sessions.get(version.key)
        with transaction(self._engine) as connection:
            statement = insert_or_skip(UPLOAD).values(version.in_ledger).on_conflict_do_nothing(constraint="uq_uploads_version")
            upload_id = connection.scalar(statement.returning(UPLOAD.c.id))
            if upload_id is None:
                upload_id = connection.scalar(upload_rows.missed(version))
            if upload_id is None:
                return  # somebody else looks at the same time, and has it
            waiting, known = upload_rows.jobs_over(connection, version, session_id, lock=True)
            if waiting:
                job_id = waiting.id
                upload_rows.wake(connection, waiting, version)
            elif known:
                job_id = known.id
            elif options or problem:
                session = upload_rows.session_over(connection, version, session_id)
                job_id = upload_rows.make_job(connection, version, options or UploadOptions(), session.id if session else None)
            else:  # its job was deleted meanwhile: the next look finds it new
                connection.execute(delete(UPLOAD).where(UPLOAD.c.id == upload_id))
                return
            connection.execute(update(UPLOAD).where(UPLOAD.c.id == upload_id).values(job_id=job_id))
            if known:
                outcome = None
            elif problem:
                outcome = self._sweep.failed
                upload_rows.fail(connection, job_id, problem)
            else:
                outcome = self._sweep.made
                upload_rows.arrived(connection, job_id)
        if outcome is None:
            self._sweep.linked += 1
        else:
            outcome.append(job_id)

    def _give_up(self, version: Version, error: Exception) -> None:
        """A failed row for an object at which something unforeseen happened. Raises the error where not the object is at fault."""
        self._sweep.refusals += isinstance(error, ObjectRefused)
        away = isinstance(error, CricksyError) and error.code in AWAY and not isinstance(error, ObjectRefused)
        if away or self._sweep.refusals > MOST_REFUSALS:
            raise error
        if isinstance(error, CricksyError):
            problem = error
        elif isinstance(error, ValueError):  # a link that leads out of the folder
            problem = _no_video(version.key, str(error))
        else:
            log.exception("the upload %r could not be taken in", version.key)
            said = f"{version.key[:300]} could not be taken in ({type(error).__name__}: {str(error)[:300]})."
            problem = CricksyError(ErrorCode.INTERNAL, said)
        try:
            self._enter(version, problem=problem)
        except CricksyError:
            raise
        except Exception as second:
            log.exception("the upload %r could not be entered", version.key)
            self._sweep.skipped.append((version.key, f"{type(second).__name__}: {second}"))


def _first_etag(entry: Listed) -> str | None:
    """The version, as far as the listing tells: None of a file. What can never be analysed is seen once, whatever is written into it."""
    return ANY_VERSION if unfit_name(entry.key) else entry.etag


def _no_video(key: str, why: str) -> CricksyError:
    advice = "Upload the whole video under a plain name such as clip.mp4, or take this one away."
    return CricksyError(ErrorCode.NOT_A_VIDEO, f"{key[:300]} is not analysed: {why}. {advice}")


def _among(column: Any, values: Iterable[str]) -> Any:
    """`column = ANY(array)`: one parameter, where IN would make a statement of its own for every number of values."""
    return column == any_(literal(list(values), ARRAY(Text)))
