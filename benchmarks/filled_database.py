"""A database after years: finished, failed, queued and running videos by the hundred thousand, in our tables and in Dagster's.

Belongs here: filling both databases by bulk SQL from two videos that the product itself analysed (one is done, one is refused), so that
every copied row, event and run has the form that the product and Dagster wrote. Does not belong here: measuring (`scale`), copies that must
pass every proof (`cloned_jobs`).

Each copy has its own session, upload, job, attempt, run, partition, materializations and checks; ids, keys and times are its own. The
documents of a row are the original's, word for word: they are what makes the table large. Of the 31 guardrails of a job `CHECKS` are
copied, and of its 179 events those that Dagster's partition pages read.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.rules_only_backfill import CLIPS
from cricksy_pipeline import stack
from cricksy_pipeline.orchestration.local_run import run_analysis
from cricksy_pipeline.sample.clip import write_clip
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store import embedded
from cricksy_pipeline.store.claims import ATTEMPT, JOB, SESSION
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.models import GuardrailResult
from cricksy_pipeline.store.objects import LocalObjectStore
from cricksy_pipeline.store.uploads import UploadIntake

CHECKS = 10
"""Guardrails of each copied job: the first two of each of five stages."""

FAILED_SHARE = 50
"""One job in so many was refused."""

DAYS = 179.0
"""The copies ended within so many days, evenly spread: the newest a moment ago, none older than the retention of partitions."""

ACADEMY, COACHES = ("org", "academy"), 200
"""One owner has every fifth session; so many coaches share the rest."""

FOLDERS = 200
BATCH = 5000
WAITING, AT_WORK = 20, 4
"""Jobs that are queued, their run being launched, and jobs that a run holds: few, however long the table is."""

_GUARDRAIL = GuardrailResult.__table__
_DOCUMENTS = {"results", "quick_results", "deep_results", "quick_findings", "quick_report", "deep_findings", "deep_report"}
_KINDS = ("done", "failed")


class FilledDatabase:
    """Both databases of one data folder, and the store beside them. `fill` makes them larger; nothing makes them smaller."""

    def __init__(self, settings: Settings, jobs: JobStore, objects: LocalObjectStore) -> None:
        self._settings, self._jobs, self._objects = settings, jobs, objects
        self.ours: Engine = jobs.engine
        self.dagsters: Engine = create_engine(make_url(stack.dagster_database_url(settings)))

    def prepare(self) -> None:
        """Have the product analyse the two originals, and take from them what is copied. Does nothing where that was done before."""
        with self.ours.connect() as connection:
            if connection.scalar(text("SELECT to_regclass('copy')")):
                return
        _put_originals(self._settings, self._objects)
        originals = UploadIntake(self._jobs, self._objects).sweep().made
        for job_id in originals:
            run_analysis(self._settings, self._jobs, job_id)
        kinds = {str(self._jobs.get(job_id).status): job_id for job_id in originals}
        if set(kinds) != set(_KINDS):
            raise SystemExit(f"the originals are {sorted(kinds)}, not {_KINDS}")
        with self.ours.begin() as ours, self.dagsters.begin() as dagsters:
            for connection in (ours, dagsters):
                connection.execute(text(_COPY_TABLE))
            for kind, job_id in kinds.items():
                row = self._jobs.get(job_id)
                if kind == "done":
                    ours.execute(text(_HAS_ITS_OVERLAY), {"job": job_id})
                ended = self._jobs.last_attempts(job_id)[0].ended_at
                values = {"kind": kind, "job": job_id, "session": row.session_id, "run": row.dagster_run_id, "ended": ended}
                for connection in (ours, dagsters):
                    connection.execute(text("INSERT INTO original VALUES (:kind, :job, :session, :run, :ended)"), values)
            dagsters.execute(text(_ORIGINAL_EVENTS), {"checks": CHECKS // 5})

    def count(self) -> int:
        """How many copies there are."""
        with self.ours.connect() as connection:
            return connection.scalar(text("SELECT count(*) FROM copy"))

    def fill(self, count: int) -> None:
        """Make copies until there are so many."""
        for first in range(self.count(), count, BATCH):
            values = {"first": first, "last": min(first + BATCH, count) - 1}
            with self.ours.begin() as ours, self.dagsters.begin() as dagsters:
                spread = {"days": DAYS, "coaches": COACHES, "folders": FOLDERS, "failed": FAILED_SHARE}
                for connection in (ours, dagsters):
                    connection.execute(text(_NEW_COPIES), {**values, **spread})
                _copy_ours(ours, values)
                _copy_dagsters(dagsters, values)
        self._put_objects()
        self.vacuum()

    def vacuum(self) -> None:
        """Let PostgreSQL count and tidy what it has, as its autovacuum does by and by."""
        for engine in (self.ours, self.dagsters):
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM (ANALYZE)"))

    def some_at_work(self) -> None:
        """The first jobs are queued and asked for two minutes ago, or held by a run whose heartbeat is young; Dagster has their runs."""
        with self.ours.begin() as ours, self.dagsters.begin() as dagsters:
            for status, stage, dagster_status, first, last in (
                ("queued", "QUEUED", "STARTING", 0, WAITING - 1),
                ("deep_running", "DEEP", "STARTED", WAITING, WAITING + AT_WORK - 1),
            ):
                held = {"status": status, "stage": stage, "first": first, "last": last}
                ours.execute(text(_AT_WORK), held)
                dagsters.execute(text(_RUN_AT_WORK), {**held, "status": dagster_status})

    def _put_objects(self) -> None:
        """A small file for each copied upload, and its entry in the ledger."""
        with self.ours.begin() as connection:
            missing = "SELECT s3_key, job_id FROM copy WHERE NOT EXISTS (SELECT FROM uploads u WHERE u.job_id = copy.job_id)"
            jobs = {row.s3_key: row.job_id for row in connection.execute(text(missing))}
            for key in jobs:
                path = self._objects.root / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(key)
            entries = [
                {"bucket": self._objects.bucket, "key": key, "etag": self._objects.head(key).etag, "size": len(key), "job": job}
                for key, job in jobs.items()
            ]
            if entries:
                ledger = "INSERT INTO uploads (bucket, key, etag, size, job_id) VALUES (:bucket, :key, :etag, :size, :job)"
                connection.execute(text(ledger), entries)


def _put_originals(settings: Settings, objects: LocalObjectStore) -> None:
    for kind in _KINDS:
        path = objects.root / f"uploads/batting/folder-{kind}/clip-{kind}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "done":
            write_clip(CLIPS["batting"], path)
        else:
            path.write_text("This is no video.")
    time.sleep(objects.settle_s + 0.5)  # a file that was just written counts as still being copied


_COPY_TABLE = """
CREATE TABLE original (kind text PRIMARY KEY, job_id text, session_id text, run_id text, ended_at timestamptz);
CREATE TABLE copy (
    n bigint PRIMARY KEY, kind text, job_id text UNIQUE, session_id text, run_id text, s3_key text, folder text, clip text,
    owner_type text, owner_id text, ended_at timestamptz
);
"""

# md5 for ids that are as evenly spread as the product's; the golden ratio for times that are, in no order, however many there are.
_NEW_COPIES = """
INSERT INTO copy
SELECT n, kind, md5('job' || n), md5('session' || n), md5('run' || n)::uuid::text,
       'uploads/batting/' || folder || '/' || clip || '.mp4', folder, clip,
       CASE WHEN n % 5 = 0 THEN 'org' ELSE 'coach' END, CASE WHEN n % 5 = 0 THEN 'academy' ELSE 'coach-' || n % :coaches END,
       date_trunc('day', now()) - make_interval(secs => 86400.0 * :days * ((n * 0.6180339887498949) % 1))
FROM (SELECT n, CASE WHEN n % :failed = 1 THEN 'failed' ELSE 'done' END AS kind, lpad((n % :folders)::text, 3, '0') AS folder,
             'clip-' || lpad(n::text, 7, '0') AS clip
      FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n) AS numbered
"""

# As `store.overlays` records it: a job that has its overlay is the usual one, and one to pass over.
_HAS_ITS_OVERLAY = """
UPDATE video_analysis_jobs SET stages = jsonb_set(stages::jsonb, '{overlay}',
    jsonb_build_object('of', stored_objects -> 'deep_results.json' -> 'sha256', 'inputs', 'as drawn', 'blurred', false))::json
WHERE id = :job
"""

_AT_WORK = """
UPDATE video_analysis_jobs SET status = CAST(:status AS video_analysis_job_status), stage = :stage, completed_at = NULL, progress_pct = 0,
    requested_at = now() - interval '2 minutes', heartbeat_at = now() + interval '1 hour', error_code = NULL, error_message = NULL
WHERE id IN (SELECT job_id FROM copy WHERE n BETWEEN :first AND :last)
"""

_RUN_AT_WORK = """
UPDATE runs SET status = :status, start_time = NULL, end_time = NULL,
    create_timestamp = now() AT TIME ZONE 'utc', update_timestamp = now() AT TIME ZONE 'utc',
    run_body = regexp_replace(run_body, 'DagsterRunStatus\\.[A-Z]+', 'DagsterRunStatus.' || :status)
WHERE run_id IN (SELECT run_id FROM copy WHERE n BETWEEN :first AND :last)
"""

# What is copied of Dagster's log, numbered. Dagster writes a check's outcome twice: in the log, and in a table of its own.
_ORIGINAL_EVENTS = """
CREATE TABLE original_check AS
SELECT * FROM (
    SELECT o.kind, c.*, row_number() OVER (PARTITION BY c.run_id, c.asset_key ORDER BY c.id) AS place
    FROM asset_check_executions c JOIN original o USING (run_id)) AS numbered
WHERE place <= :checks;
CREATE TABLE original_event AS
SELECT o.kind, e.*, row_number() OVER (PARTITION BY e.run_id ORDER BY e.id) - 1 AS place
FROM event_logs e JOIN original o USING (run_id)
WHERE e.dagster_event_type IN ('ASSET_MATERIALIZATION_PLANNED', 'ASSET_MATERIALIZATION', 'PIPELINE_START', 'PIPELINE_SUCCESS',
                               'PIPELINE_FAILURE', 'STEP_FAILURE')
   OR e.id IN (SELECT evaluation_event_storage_id FROM original_check);
"""


def _copy_ours(connection: Connection, values: dict[str, int]) -> None:
    renamed = (
        "replace(replace(replace(replace(replace({0}::text, o.job_id, c.job_id), o.session_id, c.session_id), o.run_id, c.run_id),"
        " 'folder-' || o.kind, c.folder), 'clip-' || o.kind, c.clip)"
    )
    for table, its in (
        (SESSION, "t.id = o.session_id"),
        (JOB, "t.id = o.job_id"),
        (ATTEMPT, "t.job_id = o.job_id"),
        (_GUARDRAIL, f"t.id IN (SELECT g.id FROM {_FIRST_GUARDRAILS})"),
    ):
        columns = {column.name: _value(column, renamed) for column in table.columns}
        if table is _GUARDRAIL:
            del columns["id"]
        if table is SESSION:
            columns |= {"owner_type": "CAST(c.owner_type AS owner_type)", "owner_id": "c.owner_id", "title": "'Net session ' || c.n"}
        _insert(connection, table.name, columns, f"{table.name} t ON {its}", values)


_FIRST_GUARDRAILS = (
    "(SELECT id, job_id, row_number() OVER (PARTITION BY job_id, asset ORDER BY id) AS place FROM guardrail_results"
    f" WHERE job_id = o.job_id) AS g WHERE g.place <= {CHECKS // 5}"
)


def _value(column: Column, renamed: str) -> str:
    name = f't."{column.name}"'
    kind = column.type.__class__.__name__
    if column.name in _DOCUMENTS:
        return name
    if kind == "DateTime":
        return f"{name} + (c.ended_at - o.ended_at)"
    if kind in ("String", "Text"):
        return renamed.format(name)
    if kind == "JSON":
        return f"CAST({renamed.format(name)} AS json)"
    return name


def _copy_dagsters(connection: Connection, values: dict[str, int]) -> None:
    renamed = "replace(replace({0}, o.job_id, c.job_id), o.run_id, c.run_id)"
    shifted = "{0} + (c.ended_at - o.ended_at)"
    # The numbers of a copy's events follow from its own, so that what refers to an event finds it.
    event_id = "1000000 + c.n * 100 + {0}"
    place_of = "(SELECT place FROM original_event p WHERE p.id = t.{0})"
    plain = {name: f"t.{name}" for name in ("dagster_event_type", "step_key", "asset_key")}
    _insert(connection, "dynamic_partitions", {"partitions_def_name": "'videos'", "partition": "c.job_id"}, "", values)
    _insert(
        connection,
        "runs",
        {
            **{name: f"t.{name}" for name in ("snapshot_id", "pipeline_name", "mode", "status", "partition_set", "backfill_id")},
            "run_id": "c.run_id",
            "run_body": renamed.format("t.run_body"),
            "partition": "c.job_id",
            **{name: shifted.format(f"t.{name}") for name in ("create_timestamp", "update_timestamp")},
            **{name: f"t.{name} + extract(epoch FROM c.ended_at - o.ended_at)" for name in ("start_time", "end_time")},
        },
        "runs t ON t.run_id = o.run_id",
        values,
    )
    tags = {"run_id": "c.run_id", "key": "t.key", "value": renamed.format("t.value")}
    _insert(connection, "run_tags", tags, "run_tags t ON t.run_id = o.run_id", values)
    _insert(
        connection,
        "event_logs",
        {
            "id": event_id.format("t.place"),
            "run_id": "c.run_id",
            "event": renamed.format("t.event"),
            "timestamp": shifted.format("t.timestamp"),
            "partition": renamed.format("t.partition"),
            **plain,
        },
        "original_event t ON t.kind = o.kind",
        values,
    )
    _insert(
        connection,
        "asset_check_executions",
        {
            **{name: f"t.{name}" for name in ("asset_key", "check_name", "execution_status")},
            "partition": "c.job_id",
            "run_id": "c.run_id",
            "evaluation_event": renamed.format("t.evaluation_event"),
            **{name: shifted.format(f"t.{name}") for name in ("evaluation_event_timestamp", "create_timestamp")},
            **{
                name: event_id.format(place_of.format(name)) for name in ("evaluation_event_storage_id", "materialization_event_storage_id")
            },
        },
        "original_check t ON t.kind = o.kind",
        values,
    )
    _insert(
        connection,
        "asset_event_tags",
        {
            "event_id": event_id.format("e.place"),
            "event_timestamp": shifted.format("t.event_timestamp"),
            "value": renamed.format("t.value"),
            **{name: f"t.{name}" for name in ("asset_key", "key")},
        },
        "original_event e ON e.kind = o.kind JOIN asset_event_tags t ON t.event_id = e.id",
        values,
    )
    connection.execute(text("SELECT setval(pg_get_serial_sequence('event_logs', 'id'), (SELECT max(id) FROM event_logs))"))


def _insert(connection: Connection, table: str, columns: dict[str, str], source: str, values: dict[str, int]) -> None:
    names = ", ".join(f'"{name}"' for name in columns)
    join = f"JOIN {source}" if source else ""
    connection.execute(
        text(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(columns.values())} FROM copy c JOIN original o USING (kind) {join}"
            " WHERE c.n BETWEEN :first AND :last ORDER BY c.n"
        ),
        values,
    )


def main() -> None:
    """`python -m benchmarks.filled_database FOLDER COUNT`: on a server that does not sync, for it can be filled again."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    server = embedded.start(folder / "postgres", durable=False)
    os.environ["CRICKSY_DATA_DIR"] = str(folder)
    settings = Settings()
    stack.prepare_database(settings)
    filled = FilledDatabase(settings, stack.open_job_store(settings), stack.open_object_store(settings))
    filled.prepare()
    filled.fill(count)
    server.stop()


if __name__ == "__main__":
    main()
