"""The session and job rows of one version of one upload, inside the caller's transaction.

Belongs here: which job is about an object already, and what is written for one that has none. Does not belong here: which objects are new
(`uploads`), what was said about them (`upload_options`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, Select, and_, exists, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.claims import FAILURE, JOB, SESSION, begin_attempt, end_attempt
from cricksy_pipeline.store.jobs import MAX_MESSAGE
from cricksy_pipeline.store.keys import analysable_key, owner_of, parse_upload_key
from cricksy_pipeline.store.models import ANALYSIS_MODES, JobStatus, OwnerType, SessionStatus, Upload
from cricksy_pipeline.store.objects import sha256_of
from cricksy_pipeline.store.sessions import ids_as_stored, plain_text, uploaded
from cricksy_pipeline.store.upload_options import UploadOptions

UPLOAD = Upload.__table__

MOST_MISSES = 5
SOURCE_WAS_GONE = and_(JOB.c.status == JobStatus.FAILED, JOB.c.error_code == ErrorCode.SOURCE_MISSING.value, JOB.c.attempt < MOST_MISSES)
"""A job that failed because its object was gone. Woken when the object is listed again, but not for ever: one that is listed and cannot be
had would be tried at every look."""

MOST_LEDGER_KEY = 1024
"""Bytes of a key in the ledger: all that S3 allows, and what PostgreSQL can index."""

_LOCAL_OWNER = (OwnerType.COACH, "local")
"""Whose an upload is whose key does not say it: that of the command line."""


@dataclass(frozen=True)
class Version:
    """One version of one object. `size` in bytes; `sha256` is None where the store does not know it."""

    bucket: str
    key: str
    etag: str
    size: int
    sha256: str | None

    @property
    def source(self) -> dict[str, Any]:
        """What a job's row says of it."""
        return {"source_etag": self.etag, "source_sha256": self.sha256, "source_size": self.size}

    @property
    def safe_key(self) -> str | None:
        """The key, where a row can hold it and a run can use it."""
        return None if unfit_name(self.key) else self.key

    @property
    def in_ledger(self) -> dict[str, Any]:
        """What the ledger says of it."""
        return {"bucket": self.bucket, "key": ledger_key(self.key), "etag": self.etag, "size": self.size}


def unfit_name(key: str) -> str | None:
    """Why no video can be analysed under a key, or None."""
    try:
        analysable_key(key)
    except ValueError as why:
        return str(why)
    return None


def ledger_key(key: str) -> str:
    """The key as the ledger spells it: itself, unless PostgreSQL can neither hold nor index it."""
    plain = key.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
    return plain if len(plain.encode()) <= MOST_LEDGER_KEY else f"{plain[:200]}…{sha256_of(plain.encode())}"


def jobs_over(connection: Connection, version: Version, session_id: str | None, *, lock: bool = False) -> tuple[Row | None, Row | None]:
    """The job that waits for this object, or else the one that is about this very version. The newest of each; None where there is none.

    Args:
        session_id: a session that names the key: jobs of the earlier system do not name it themselves.
        lock: keep the rows as they are until the transaction ends.
    """
    if version.safe_key is None:
        return None, None
    same_object = and_(JOB.c.s3_bucket == version.bucket, JOB.c.s3_key == version.key)
    if session_id:
        same_object = or_(same_object, and_(JOB.c.s3_key.is_(None), JOB.c.session_id == session_id))
    other_version = (UPLOAD.c.bucket == version.bucket, UPLOAD.c.key == ledger_key(version.key), UPLOAD.c.etag != version.etag)
    first = (~exists().where(*other_version)).label("first")
    columns = (JOB.c.id, JOB.c.session_id, JOB.c.status, JOB.c.source_etag, JOB.c.error_code, JOB.c.started_at, JOB.c.requested_at)
    was_gone = and_(SOURCE_WAS_GONE, JOB.c.source_etag == version.etag).label("was_gone")
    query = select(*columns, was_gone, first).where(same_object).order_by(JOB.c.created_at.desc(), JOB.c.id)
    rows = connection.execute(query.with_for_update(of=JOB) if lock else query).all()
    if waiting := next((row for row in rows if _waits(row)), None):
        return waiting, None
    # A job of the earlier system does not say which version it analysed: the first that is seen, and no later one.
    return None, next((row for row in rows if row.source_etag == version.etag or (row.source_etag is None and row.first)), None)


def _waits(row: Row) -> bool:
    """Whether a job was made before its video: it waits for it, or was given up before it came."""
    given_up = row.status == JobStatus.FAILED and row.error_code not in (None, ErrorCode.CANCELED.value)
    never_ran = row.source_etag is None and row.started_at is None and row.requested_at is None
    # What was gone when its run came, and is there again: the very bytes that were asked for.
    return row.status == JobStatus.AWAITING_UPLOAD or row.was_gone or (given_up and never_ran)


def missed(version: Version) -> Select:
    """The ledger entry of this version, if its job failed because the object was gone: it is there again."""
    same = (UPLOAD.c.bucket == version.bucket, UPLOAD.c.key == ledger_key(version.key), UPLOAD.c.etag == version.etag)
    return select(UPLOAD.c.id).join(JOB, JOB.c.id == UPLOAD.c.job_id).where(*same, SOURCE_WAS_GONE)


def session_over(connection: Connection, version: Version, session_id: str | None) -> Row | None:
    """The session that an upload belongs to: of an earlier upload under the key, else the one that names it, else the one that it names.

    Columns: id, analysis_context. None where there is none, or where it is another owner's than the key's.
    """
    if version.safe_key is None:
        return None
    over_key = (JOB.c.s3_bucket == version.bucket, JOB.c.s3_key == version.key)
    newest = select(JOB.c.session_id).where(*over_key).order_by(JOB.c.created_at.desc()).limit(1)
    owner = owner_of(version.key)
    if found := connection.scalar(newest) or session_id:
        which = [SESSION.c.id == found]
    elif owner:
        which = [SESSION.c.owner_type == OwnerType(owner[0]), SESSION.c.owner_id == owner[1], SESSION.c.id == owner[2]]
    else:
        return None
    return connection.execute(select(SESSION.c.id, SESSION.c.analysis_context).where(*which)).one_or_none()


def make_job(connection: Connection, version: Version, options: UploadOptions, session_id: str | None) -> str:
    """A queued job over a session, or over a new one. Returns its id."""
    made = {
        "id": uuid4().hex,
        "session_id": session_id or _make_session(connection, version, options),
        "status": JobStatus.QUEUED,
        "stage": "QUEUED",
        "analysis_mode": options.analysis_mode,
        "deep_enabled": options.deep_enabled,
        "include_frames": options.include_frames,
        "sample_fps": options.sample_fps,
        "analysis_options": options.analysis_options or None,
        "s3_bucket": version.bucket,
        "s3_key": version.safe_key,
        **version.source,
    }
    connection.execute(insert(JOB).values(made))
    return made["id"]


def _make_session(connection: Connection, version: Version, options: UploadOptions) -> str:
    """A session that people recognise, with the id that the key names. Another id where that one is another owner's, or no video's.

    It has no analysis context: that is a person's word, and would outrank what is said about the next upload.
    """
    name = plain_text(version.key)
    owner = owner_of(name)
    owner_type, owner_id = owner[:2] if owner else _LOCAL_OWNER
    mine = owner and version.safe_key and not connection.scalar(select(exists().where(SESSION.c.id == owner[2])))
    parts = parse_upload_key(version.key)
    title = options.title or (f"Video {parts.video_id}" if parts else name.rpartition("/")[2].rpartition(".")[0] or name)
    made = {
        "id": owner[2] if mine else uuid4().hex,
        "owner_type": OwnerType(owner_type),
        "owner_id": owner_id,
        "title": " ".join(plain_text(title).split())[:255],
        "player_ids": ids_as_stored(connection, ()),
    }
    # Two videos of one new session may be looked at by two at the same time.
    connection.execute(insert_or_skip(SESSION).values(made).on_conflict_do_nothing(index_elements=["id"]))
    return made["id"]


def arrived(connection: Connection, job_id: str) -> None:
    """The session says that its video is there, as the job's row has it."""
    job = connection.execute(select(JOB.c.session_id, JOB.c.s3_bucket, JOB.c.s3_key, JOB.c.source_size).where(JOB.c.id == job_id)).one()
    values = uploaded(job.s3_bucket, job.s3_key, job.source_size)
    connection.execute(update(SESSION).where(SESSION.c.id == job.session_id).values(values))


def wake(connection: Connection, job: Row, version: Version) -> None:
    """awaiting_upload (or given up) -> queued."""
    values = {"status": JobStatus.QUEUED, "stage": "QUEUED", **version.source, **dict.fromkeys(FAILURE)}
    if job.status == JobStatus.FAILED:
        values |= {"request": JOB.c.request + 1, "requested_at": None, "dagster_run_id": None, "progress_pct": 0}
    connection.execute(update(JOB).where(JOB.c.id == job.id).values(values))


def fail(connection: Connection, job_id: str, problem: CricksyError) -> None:
    """As a run's failure: in the row, in the history and in the session, unless that one shows or makes another analysis."""
    message = plain_text(problem.message)
    if problem.code in (ErrorCode.MODE_MISSING, ErrorCode.MODE_UNSUPPORTED):
        hint = f" Say it: cricksy retry {job_id} --mode {ANALYSIS_MODES[0]} (or {', '.join(ANALYSIS_MODES[1:])})."
        message = message[: MAX_MESSAGE - len(hint)] + hint
    elif problem.code is ErrorCode.OPTIONS_INVALID:
        hint = f" Analyse it with what was understood: cricksy retry {job_id}."
        message = message[: MAX_MESSAGE - len(hint)] + hint
    why = {"error_code": problem.code.value, "error_message": message[:MAX_MESSAGE], "failed_stage": None}
    failed = {"status": JobStatus.FAILED, "stage": "FAILED", "attempt": JOB.c.attempt + 1, **why}
    row = connection.execute(update(JOB).where(JOB.c.id == job_id).values(failed).returning(JOB.c.session_id, JOB.c.attempt)).one()
    begin_attempt(connection, job_id, row.attempt, "")
    end_attempt(connection, job_id, "failed", **why)
    idle = (SESSION.c.id == row.session_id, SESSION.c.status.in_([SessionStatus.PENDING, SessionStatus.UPLOADED]))
    connection.execute(update(SESSION).where(*idle).values(status=SessionStatus.FAILED))
