"""A coach deletes a session: its objects, its rows and what is remembered of its uploads, all of it or nothing that cannot be repeated.

Belongs here: which objects are the session's own, and the order in which they and the rows go. Does not belong here: stopping runs and
removing partitions (`orchestration.session_deletion`), who may delete (`reading`).

The order: the rows are locked and deleted but not committed, then the objects go, the upload last, then the rows are committed. The
database objects before any object is lost; a store that fails half way leaves every row, and the deletion can be asked for again;
meanwhile nobody can claim, queue or add a job, for the rows are locked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, or_, select

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.claims import JOB, NOW, SESSION
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import UPLOAD_ROOT, checked_key, options_keys, output_folder
from cricksy_pipeline.store.listing import listed
from cricksy_pipeline.store.models import RUNNING, JobStatus, Upload
from cricksy_pipeline.store.multipart import abort_upload, incomplete_uploads
from cricksy_pipeline.store.object_contract import Listed, ObjectStore
from cricksy_pipeline.store.sessions import UnknownSession, unknown_session

__all__ = ["BUSY", "Deleted", "SessionBusy", "UnknownSession", "delete_session", "session_busy"]

BUSY: tuple[str, ...] = (JobStatus.QUEUED, *RUNNING)
"""The statuses in which a run works on a job, or is about to."""

_UPLOAD = Upload.__table__
_OUTPUT_KEYS = ("quick_results_s3_key", "deep_results_s3_key", "pdf_s3_key")
_OF_JOB = tuple(JOB.c[name] for name in ("id", "status", "s3_bucket", "s3_key", *_OUTPUT_KEYS))
_OF_SESSION = (
    *(SESSION.c[name] for name in ("id", "owner_type", "owner_id", "s3_bucket", "s3_key")),
    (SESSION.c.retention_until <= NOW).label("expired"),
)


class SessionBusy(CricksyError):
    """A job of the session is queued or running, so nothing was deleted: an API's 409.

    The code is CANCELED: what was called off is the deletion. It is in an answer only, never in a row. No code has this meaning of its own,
    so the advice is the class's.
    """

    @property
    def transient(self) -> bool:
        """True: the analysis ends some time."""
        return True

    @property
    def advice(self) -> str:
        """What to do about it, one sentence."""
        return "Wait until the analysis has ended, or cancel it, and delete again."


def session_busy(session_id: str, what: str) -> SessionBusy:
    """The refusal; `what` says who is at work, e.g. "job 1f.. is quick_running"."""
    return SessionBusy(ErrorCode.CANCELED, f"Session {session_id} was not deleted: {what}.")


@dataclass(frozen=True)
class Deleted:
    """What a deletion removed.

    Attributes:
        jobs: ids of the jobs, which are also the keys of their partitions.
        objects: how many objects.
        bytes: how large they were together.
        kept: keys of uploads that were left in the store, because another session's job needs them.
    """

    jobs: tuple[str, ...]
    objects: int
    bytes: int
    kept: tuple[str, ...]


def delete_session(jobs: JobStore, objects: ObjectStore, session_id: str, *, only_expired: bool = False) -> Deleted:
    """Delete the session, its jobs with their attempts and guardrail results, its objects, and the memory of its uploads.

    Its objects are its uploads with the options files beside them, all outputs of its jobs, wherever these lie, and everything in its own
    folder of the layout in `keys`. What another session's job needs stays, and so does the memory of it.

    Args:
        only_expired: only if its `retention_until` has passed, by the database's clock, once its row is locked.

    Raises:
        UnknownSession: no such session (any more).
        SessionBusy: one of its jobs is queued or running, or with `only_expired` it is to be kept. Nothing was deleted.
        CricksyError: STORE_UNAVAILABLE, where the store failed half way or the session's objects lie in another bucket; the rows are all
            there, ask again. DATABASE_UNAVAILABLE.
    """
    with transaction(jobs.engine) as connection:
        session, rows = _locked(connection, session_id)
        if only_expired and not session.expired:
            raise session_busy(session_id, "it is to be kept")
        _demand_idle(session_id, rows)
        _demand_bucket(objects, session_id, (session, *rows))
        folder = _own_folder(session)
        uploads = {row.s3_key for row in (session, *rows) if row.s3_key}
        found = {one.key: one for one in _candidates(objects, folder, rows, uploads)}
        needed = _needed_by_others(connection, objects.bucket, session_id, folder, {*found, *uploads})
        doomed = [one for key, one in found.items() if not needed.has(key)]

        gone = _UPLOAD.c.key.in_([one.key for one in doomed])
        if folder:
            gone = or_(gone, _UPLOAD.c.key.startswith(folder, autoescape=True) & _UPLOAD.c.key.not_in(needed.keys))
        connection.execute(delete(_UPLOAD).where(_UPLOAD.c.bucket == objects.bucket, gone))
        # Jobs by name, not by the session's cascade: an adopted table may have none.
        connection.execute(delete(JOB).where(JOB.c.session_id == session_id))
        connection.execute(delete(SESSION).where(SESSION.c.id == session_id))

        for half_sent in list(incomplete_uploads(objects, folder)) if folder else ():
            abort_upload(objects, half_sent)
        # The upload last: as long as it is there the jobs can be analysed anew, should the deletion stop half way.
        for one in sorted(doomed, key=lambda one: (one.key in uploads, one.key)):
            objects.delete(one.key)
        kept = tuple(one.key for key in sorted(uploads) for one in _exactly(objects, key))
    return Deleted(tuple(row.id for row in rows), len(doomed), sum(one.size for one in doomed), kept)


def _locked(connection: Connection, session_id: str) -> tuple[Row, list[Row]]:
    """The session and its jobs, locked. Jobs first, as a claim does: the other way round the two would wait for each other."""
    of_session = select(*_OF_JOB).where(JOB.c.session_id == session_id).order_by(JOB.c.id).with_for_update()
    connection.execute(of_session)
    session = connection.execute(select(*_OF_SESSION).where(SESSION.c.id == session_id).with_for_update()).one_or_none()
    if session is None:
        raise unknown_session(session_id)
    # Again, for a job that was added before the session was locked.
    return session, list(connection.execute(of_session))


def _demand_idle(session_id: str, rows: Iterable[Row]) -> None:
    busy = [f"job {row.id} is {row.status}" for row in rows if row.status in BUSY]
    if busy:
        raise session_busy(session_id, ", ".join(busy))


def _demand_bucket(objects: ObjectStore, session_id: str, rows: Iterable[Row]) -> None:
    elsewhere = sorted({row.s3_bucket for row in rows if row.s3_key and row.s3_bucket} - {objects.bucket})
    if elsewhere:
        said = f"Session {session_id} has objects in {', '.join(elsewhere)}; this pipeline deletes in {objects.bucket} only."
        raise CricksyError(ErrorCode.STORE_UNAVAILABLE, said)


def _own_folder(session: Row) -> str | None:
    """The session's folder with its closing slash; None where its ids (of the earlier system) make none."""
    folder = f"{UPLOAD_ROOT}/{session.owner_type}/{session.owner_id}/{session.id}"
    try:
        return f"{checked_key(folder)}/" if folder.count("/") == 3 else None
    except ValueError:
        return None


def _outputs_of(row: Row) -> str | None:
    """The folder of all attempts of a job with its closing slash; None where its source key is none that a store of ours accepts."""
    try:
        return f"{output_folder(row.s3_key or '', row.id)}/"
    except ValueError:
        return None


def _candidates(objects: ObjectStore, folder: str | None, rows: Iterable[Row], uploads: Iterable[str]) -> Iterator[Listed]:
    """What is in the session's folder, its uploads elsewhere, what is in the folders of its jobs, and where its rows say an output lies."""
    if folder:
        yield from listed(objects, folder)
    for upload in uploads:
        for key in (upload, *options_keys(upload)):
            yield from _exactly(objects, key)
    for row in rows:
        outputs = _outputs_of(row)
        if outputs and not (folder and outputs.startswith(folder)):
            yield from listed(objects, outputs)
        for key in (getattr(row, name) for name in _OUTPUT_KEYS):
            yield from _exactly(objects, key) if key else ()


def _exactly(objects: ObjectStore, key: str) -> Iterator[Listed]:
    """The object of this very key, if there is one."""
    try:
        checked_key(key)
    except ValueError:  # of the earlier system: no store of ours can hold it
        return
    for one in listed(objects, key):  # in key order, so it would be the first
        if one.key == key:
            yield one
        return


@dataclass(frozen=True)
class _Needed:
    """What rows of other sessions refer to: single keys, and whole folders of outputs."""

    keys: frozenset[str]
    folders: tuple[str, ...]

    def has(self, key: str) -> bool:
        return key in self.keys or key.startswith(self.folders)


def _needed_by_others(connection: Connection, bucket: str, session_id: str, folder: str | None, keys: set[str]) -> _Needed:
    """What others need of the session's folder, and of these keys."""

    def concerns(column):
        return or_(column.in_(keys), column.startswith(folder, autoescape=True)) if folder else column.in_(keys)

    columns = ("s3_key", *_OUTPUT_KEYS)
    concerned = (JOB.c.session_id != session_id, or_(*(concerns(JOB.c[name]) for name in columns)))
    here = or_(JOB.c.s3_bucket.is_(None), JOB.c.s3_bucket == bucket)
    others = list(connection.execute(select(*_OF_JOB).where(here, *concerned)))
    uploads = connection.scalars(select(SESSION.c.s3_key).where(SESSION.c.id != session_id, concerns(SESSION.c.s3_key)))
    named = {getattr(row, name) for row in others for name in columns} | set(uploads)
    return _Needed(frozenset(named - {None}), tuple(folder for row in others if (folder := _outputs_of(row))))
