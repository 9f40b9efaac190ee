"""Rows of the earlier system get their findings and reports into the fields that readers read, from the JSON that they hold.

Belongs here: `cricksy rehydrate`: which rows, which fields, and why not. Does not belong here: which document counts where there are
several (`job_read`, asked here, so that a rehydrated row shows a reader just what it showed before), the scheduled check (`readability`).

The earlier system analysed, called the row `done`, and left findings and report inside `deep_results`, `quick_results` or the legacy
`results` {quick, deep}, where its readers did not look. Nothing is analysed anew and no document is made up.

A field that holds something is never overwritten; SQL NULL, JSON null, `{}`, `[]` and `""` hold nothing. Rows that a run of this pipeline
ever held are left alone, and so are rows that have not ended. The database refuses a `done` row that is not whole whenever it is written,
so such a row is made whole in one UPDATE (results in the object store and the keys that say where, stage, progress) or stays as it is.
Rows that ended `completed` or `failed` get what there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.exc import DataError, IntegrityError, InternalError
from sqlalchemy.orm import Session

from cricksy_pipeline.errors import CricksyError
from cricksy_pipeline.store.claims import JOB
from cricksy_pipeline.store.database import session
from cricksy_pipeline.store.documents import checked, to_json
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead, read_job
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import FINISHED, JobStatus, VideoAnalysisJob, VideoSession
from cricksy_pipeline.store.object_contract import ObjectStore
from cricksy_pipeline.store.readability import UNOPENED, filled, holds_an_object, not_opened, why_unreadable

MAX_EXAMPLES = 20
PARTS = ("results", "findings", "report")
RESULTS = {"quick": Output.QUICK_RESULTS, "deep": Output.DEEP_RESULTS}


@dataclass
class Rows:
    """How many rows, with the ids of the first 20."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: Rows) -> None:
        """Count more rows."""
        self.count += other.count
        self.examples = (self.examples + other.examples)[:MAX_EXAMPLES]


@dataclass
class Rehydration:
    """What was done, or in a dry run would be.

    Attributes:
        looked_at: rows of the earlier system that have ended; of failed ones only those that hold results.
        already_whole: of these, the rows with nothing to fill.
        rows_filled: of these, the rows that got at least one field.
        filled: by column, how many rows got it.
        objects_stored: results written to the object store.
        not_filled: by reason, the rows in which a field stays empty. A row may count under several, and be filled in other fields.
        still_unreadable: by reason, the finished rows that a reader cannot render although they were filled.
        after: id of the last row looked at; a later call may start behind it.
    """

    dry_run: bool
    looked_at: int = 0
    already_whole: int = 0
    rows_filled: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    objects_stored: int = 0
    not_filled: dict[str, Rows] = field(default_factory=dict)
    still_unreadable: dict[str, Rows] = field(default_factory=dict)
    after: str = ""

    def add(self, other: Rehydration) -> None:
        """Count what a further batch did."""
        self.looked_at += other.looked_at
        self.already_whole += other.already_whole
        self.rows_filled += other.rows_filled
        self.objects_stored += other.objects_stored
        self.filled += other.filled
        for mine, others in ((self.not_filled, other.not_filled), (self.still_unreadable, other.still_unreadable)):
            for reason, rows in others.items():
                mine.setdefault(reason, Rows()).add(rows)
        self.after = other.after


def rehydrate(
    jobs: JobStore,
    objects: ObjectStore,
    *,
    dry_run: bool,
    batch: int = 200,
    after: str = "",
    on_progress: Callable[[Rehydration], None] | None = None,
) -> Rehydration:
    """Fill what rows of the earlier system lack and hold elsewhere, in the order of ids.

    A batch is a transaction. Stopped at any moment, it is resumed by running it again: what is filled counts as already whole. A row
    that another transaction holds is passed over, until the next run.

    Args:
        dry_run: write neither rows nor objects, and lock nothing; the counts are the same.
        batch: rows in a transaction.
        after: begin behind this id.
        on_progress: called after each batch with the counts so far.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE, STORE_UNAVAILABLE. The batches before are kept.
    """
    total = Rehydration(dry_run, after=after)
    while True:
        found = _batch(jobs, objects, total.after, batch, dry_run=dry_run)
        if found is None:
            return total
        total.add(found)
        if on_progress is not None:
            on_progress(total)


# Attempt 0: no run of this pipeline ever held the row, not even one that has been forgotten since.
_EARLIER = and_(JOB.c.dagster_run_id.is_(None), func.coalesce(JOB.c.attempt, 0) == 0)
_HOLDS_RESULTS = or_(*(holds_an_object(JOB.c[name]) for name in ("results", "quick_results", "deep_results")))
_ENDED = or_(JOB.c.status.in_(FINISHED), and_(JOB.c.status == JobStatus.FAILED, _HOLDS_RESULTS))


def _batch(jobs: JobStore, objects: ObjectStore, after: str, size: int, *, dry_run: bool) -> Rehydration | None:
    """The next rows; None where there are no more."""
    with session(jobs.engine) as orm:
        # What is filled is told by the database: its megabytes are not loaded.
        page = select(JOB.c.id, filled()).where(_EARLIER, _ENDED, JOB.c.id > after).order_by(JOB.c.id).limit(size)
        rows = orm.execute(page if dry_run else page.with_for_update(skip_locked=True)).all()
        if not rows:
            return None
        found = Rehydration(dry_run, looked_at=len(rows), after=rows[-1].id)
        for job_id, whole in rows:
            if whole:
                found.already_whole += 1
            else:
                _fill(orm, objects, job_id, found)
    return found


def _fill(orm: Session, objects: ObjectStore, job_id: str, found: Rehydration) -> None:
    """Fill one row and count it. One row at a time is in memory."""
    try:
        row = orm.get_one(VideoAnalysisJob, job_id)
        orm.expunge(row)  # what is tried on it below is not to be written by the session
        plan = _Plan(row, _place(orm, row), objects)
        if plan.values and not found.dry_run:
            _write(orm, objects, job_id, plan)
    except (*UNOPENED, _Refused) as error:
        _count(found.not_filled, str(error) if isinstance(error, _Refused) else not_opened(error), job_id)
        return
    for reason in plan.reasons:
        _count(found.not_filled, reason, job_id)
    if plan.values:
        found.rows_filled += 1
        found.filled.update(plan.values.keys())
        found.objects_stored += len(plan.contents)
        for name, value in plan.values.items():
            setattr(row, name, value)
        for reason in why_unreadable(row, objects) if row.status in FINISHED else ():
            _count(found.still_unreadable, reason, job_id)
    elif not plan.reasons:
        found.already_whole += 1


def _count(by_reason: dict[str, Rows], reason: str, job_id: str) -> None:
    by_reason.setdefault(reason, Rows()).add(Rows(1, [job_id]))


def _place(orm: Session, row: VideoAnalysisJob) -> tuple[str | None, str | None]:
    """Bucket and key of the row's video; where the row is older than that snapshot, its session's, as the earlier system read them."""
    if row.s3_bucket and row.s3_key:
        return row.s3_bucket, row.s3_key
    owner = orm.get_one(VideoSession, row.session_id)
    return row.s3_bucket or owner.s3_bucket, row.s3_key or owner.s3_key


class _NoPlace(Exception):
    """The results cannot be put into the object store; why, for a person."""


class _Refused(Exception):
    """The database did not take the row as it was given; in words for a person."""


def _write(orm: Session, objects: ObjectStore, job_id: str, plan: _Plan) -> None:
    """First the objects, each read back by the store; then the row, in one UPDATE that is read back, too."""
    for key, content in plan.contents.items():
        objects.put(key, content)
    statement = update(JOB).where(JOB.c.id == job_id, _EARLIER).values(plan.values).returning(*(JOB.c[name] for name in plan.values))
    try:
        # A savepoint: one row that the database refuses leaves the others of the batch as they are.
        with orm.begin_nested():
            written = orm.execute(statement).one()
            different = [name for name, value in plan.values.items() if getattr(written, name) != value]
            if different:
                raise _Refused(f"the row gives back another {', '.join(different)} than was written")
    except (IntegrityError, DataError, InternalError) as error:
        raise _Refused(f"the database refuses the row: {str(error.orig).splitlines()[0]}") from error


class _Plan:
    """What to write for one row.

    Attributes:
        values: by column. Empty where a `done` row cannot be made whole.
        contents: by object key, what has to be stored before the row may be written.
        reasons: why fields stay empty, each once.
    """

    def __init__(self, row: VideoAnalysisJob, place: tuple[str | None, str | None], objects: ObjectStore) -> None:
        self.values: dict[str, Any] = {}
        self.contents: dict[str, bytes] = {}
        self.reasons: list[str] = []
        self._row, self._read, self._objects = row, read_job(row, objects), objects
        self._bucket, self._key = place
        for passname in _passes(row, self._read):
            self._add_pass(passname)
        if row.status == JobStatus.DONE:
            self._add_state()

    def _add_pass(self, passname: str) -> None:
        names = {part: f"{passname}_{part}" for part in PARTS}
        documents = {part: getattr(self._read, name) for part, name in names.items()}
        if not _can_be_kept(documents):
            self._lacks(f"the {passname} results hold what cannot be kept: a number that is not finite, or broken characters")
            return
        for part, name in names.items():
            if _is_empty(getattr(self._row, name)) and documents[part]:
                self.values[name] = documents[part]
            elif why := _why_no_document(self._row, passname, part, documents["results"]):
                self._lacks(why)
        if documents["results"] and not getattr(self._row, f"{passname}_results_s3_key"):
            self._add_object(passname, documents["results"])

    def _add_object(self, passname: str, results: dict[str, Any]) -> None:
        """The results at their place in the object store, and the key that says where."""
        content = to_json(results).encode()
        try:
            key = self._object_key(passname)
            if self._objects.head(key) is None:
                self.contents[key] = content
            elif self._objects.get(key) != content:
                raise _NoPlace("another document lies already where its results would be stored; compare the two by hand")
        except _NoPlace as why:
            self._lacks(str(why))
            return
        self.values[f"{passname}_results_s3_key"] = key
        place = {"s3_bucket": self._bucket, "s3_key": self._key}
        self.values |= {name: value for name, value in place.items() if not getattr(self._row, name)}

    def _object_key(self, passname: str) -> str:
        if not self._key:
            raise _NoPlace("neither the row nor its session says where the video lies, so its results have no place in the object store")
        if self._bucket != self._objects.bucket:
            raise _NoPlace(f"its video lies in the bucket {self._bucket}, this object store is {self._objects.bucket}")
        try:
            return VideoAnalysisJob(id=self._row.id, s3_key=self._key).output_key(RESULTS[passname])
        except ValueError as error:
            raise _NoPlace("the object store has no place beside the video: its key, or the row's id, is not one it accepts") from error

    def _add_state(self) -> None:
        if self.reasons:
            self.values, self.contents = {}, {}
        elif (self._row.stage, self._row.progress_pct) != ("DONE", 100):
            self.values |= {"stage": "DONE", "progress_pct": 100}

    def _lacks(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)


def _passes(row: VideoAnalysisJob, read: VideoAnalysisJobRead) -> list[str]:
    """The passes that the row should have: of a failed one, those that it got to."""
    wanted = ["quick", "deep"] if read.deep_enabled else ["quick"]
    return [name for name in wanted if row.status != JobStatus.FAILED or getattr(read, f"{name}_results")]


def _why_no_document(row: VideoAnalysisJob, passname: str, part: str, results: dict[str, Any] | None) -> str | None:
    """Why a field that is not filled now does not hold a document; None where it does."""
    name = f"{passname}_{part}"
    held = getattr(row, name)
    if isinstance(held, dict) and held:
        return None
    if not _is_empty(held):
        return f"{name} is {_kind(held)}, not an object, and is left as it is"
    if results is None:
        legacy = row.results.get(passname) if isinstance(row.results, dict) else row.results
        return f"there are no {passname} results in the row" + ("" if _is_empty(legacy) else f": the legacy ones are {_kind(legacy)}")
    inside = results.get(part)
    return f"the {passname} results hold no {part}" + ("" if _is_empty(inside) else f": it is {_kind(inside)}, not an object")


def _is_empty(value: Any) -> bool:
    return value is None or value in ({}, [], "")


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return next((kind for known, kind in kinds.items() if isinstance(value, known)), "a number")


def _can_be_kept(documents: dict[str, Any]) -> bool:
    """Whether JSON columns and objects can hold the documents: JSON text may say more than either."""
    try:
        for part, document in documents.items():
            if document:
                to_json(checked(document, part)).encode()
    except (CricksyError, UnicodeEncodeError):
        return False
    return True
