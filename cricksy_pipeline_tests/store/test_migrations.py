"""The history of the tables, forwards and backwards, on an empty database and on the earlier system's."""

from __future__ import annotations

import os
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import IntegrityError

from cricksy_pipeline.store import models
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.migrate import HEAD, config, downgrade, migrate
from cricksy_pipeline_tests.store.rows import FINDINGS, REPORT, done_job, new_job, publish_all

# SQLAlchemy 2.1.9 reflects NOT VALID as `dialect_options` and then warns about its own word.
pytestmark = pytest.mark.filterwarnings("ignore:Can't validate argument 'dialect_options'")

SIX = {"quick_findings", "quick_report", "deep_findings", "deep_report", "quick_results_s3_key", "deep_results_s3_key"}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty_url(empty_database):
    with empty_database() as url:
        yield url


@pytest.fixture
def earlier_url(empty_url):
    engine = make_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql((Path(__file__).parent / "earlier_system.sql").read_text())
    engine.dispose()
    return empty_url


def columns(url: str, table: str = "video_analysis_jobs") -> dict[str, str]:
    engine = make_engine(url)
    found = {column["name"]: str(column["type"]) for column in inspect(engine).get_columns(table)}
    engine.dispose()
    return found


def rows(url: str, query: str) -> list[tuple]:
    engine = make_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def labels(url: str) -> list[str]:
    return [row[0] for row in rows(url, "SELECT unnest(enum_range(NULL::video_analysis_job_status))::text")]


def test_there_is_one_head_and_the_code_names_it():
    script = ScriptDirectory.from_config(config("postgresql://nowhere/"))
    assert script.get_heads() == [HEAD]
    assert [revision.revision for revision in script.walk_revisions()] == [
        HEAD,
        "l7m8n9o0p1q2",
        "k6l7m8n9o0p1",
        "j5k6l7m8n9o0",
        "i4j5k6l7m8n9",
        "h3i4j5k6l7m8",
        "g2h3i4j5k6l7",
    ]
    assert Path(script.get_revision("h3i4j5k6l7m8").path).name == "h3i4j5k6l7m8_add_findings_report_fields.py"


def test_a_migrated_database_and_the_models_are_the_same(database_url):
    command.check(config(database_url))


def test_the_constraints_of_the_migrations_are_the_constraints_of_the_models(database_url, empty_url):
    """Autogenerate does not compare check constraints; PostgreSQL's own rendering of both does."""
    engine = make_engine(empty_url)
    models.Base.metadata.create_all(engine)
    engine.dispose()
    # A new table has no old rows, so CREATE TABLE makes the same constraint without NOT VALID.
    for name in (models.DONE_IS_WHOLE, models.CONSENT_IS_SAID):
        query = f"SELECT replace(pg_get_constraintdef(oid), ' NOT VALID', '') FROM pg_constraint WHERE conname = '{name}'"
        assert rows(database_url, query) == rows(empty_url, query) != []


def test_the_indexes_of_the_migrations_are_the_indexes_of_the_models(database_url, empty_url):
    """Autogenerate compares their columns and not their conditions."""
    engine = make_engine(empty_url)
    models.Base.metadata.create_all(engine)
    engine.dispose()
    query = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN {tuple(models.Base.metadata.tables)} ORDER BY indexname"
    assert rows(database_url, query) == rows(empty_url, query) != []


def test_no_index_is_written_by_what_a_running_analysis_writes_every_second(database_url):
    busy = "progress_pct|heartbeat_at|updated_at"
    assert rows(database_url, f"SELECT indexdef FROM pg_indexes WHERE tablename = 'video_analysis_jobs' AND indexdef ~ '{busy}'") == []


def test_the_statuses_are_the_documented_ones_in_their_order(database_url):
    assert labels(database_url) == [
        "awaiting_upload", "queued", "processing", "completed", "failed", "quick_running", "quick_done", "deep_running", "done",
    ]  # fmt: skip


def test_the_revision_adds_exactly_the_six_columns_and_takes_exactly_these_away(empty_url):
    migrate(empty_url, "g2h3i4j5k6l7")
    before = columns(empty_url)
    migrate(empty_url, "h3i4j5k6l7m8")
    after = columns(empty_url)
    assert after.keys() - before.keys() == SIX
    assert {after[name] for name in SIX if name.endswith("_key")} == {"VARCHAR(500)"}
    assert {after[name] for name in SIX if not name.endswith("_key")} == {"JSON"}
    downgrade(empty_url, "g2h3i4j5k6l7")
    assert columns(empty_url) == before


def test_one_step_back_and_forth_from_the_head_loses_nothing(database_url):
    store = JobStore(make_engine(database_url))
    job_id = done_job(store)
    store.engine.dispose()
    everything = "SELECT to_jsonb(j) FROM video_analysis_jobs j"
    before = rows(database_url, everything)
    downgrade(database_url)
    migrate(database_url)
    assert rows(database_url, everything) == before
    assert before[0][0]["id"] == job_id and before[0][0]["dagster_run_id"] == "run-1"
    command.check(config(database_url))


def test_going_back_past_the_six_columns_and_forth_keeps_findings_and_report_in_the_results(database_url, local_store):
    store = JobStore(make_engine(database_url))
    job_id = done_job(store)
    store.engine.dispose()
    downgrade(database_url, "g2h3i4j5k6l7")
    assert not SIX & columns(database_url).keys()
    migrate(database_url)
    store = JobStore(make_engine(database_url))
    row = store.get(job_id)
    assert (row.deep_findings, row.deep_report) == (None, None)
    assert row.deep_results["findings"] == FINDINGS and row.deep_results["report"] == REPORT
    read = read_job(row, local_store)
    assert (read.deep_findings, read.deep_report) == (FINDINGS, REPORT)
    store.engine.dispose()


def test_going_back_to_nothing_leaves_the_tables_for_the_next_upgrade(database_url):
    store = JobStore(make_engine(database_url))
    job_id = done_job(store)
    store.engine.dispose()
    downgrade(database_url, "base")
    migrate(database_url)
    assert rows(database_url, "SELECT id, status::text FROM video_analysis_jobs") == [(job_id, "done")]


def test_upgrading_twice_changes_nothing(database_url):
    before = columns(database_url)
    migrate(database_url)
    assert columns(database_url) == before


def test_the_earlier_systems_database_is_adopted_with_all_its_rows(earlier_url):
    own = columns(earlier_url)
    kept = (
        "SELECT id, status::text, stage, progress_pct, results::text, quick_results::text, deep_results::text, sqs_message_id, started_at"
        " FROM video_analysis_jobs ORDER BY id"
    )
    before = rows(earlier_url, kept)
    migrate(earlier_url)
    after = columns(earlier_url)
    # Reflection names an enum by its longest value, and the enum has grown.
    del own["status"]
    assert own.items() <= after.items()
    assert set(models.VideoAnalysisJob.__table__.columns.keys()) <= after.keys()
    assert rows(earlier_url, kept) == before
    assert set(labels(earlier_url)) == {status.value for status in models.JobStatus}
    assert rows(earlier_url, "SELECT version_num FROM alembic_version") == [("p2q3r4s5t6u7",)]
    assert rows(earlier_url, "SELECT version_num FROM cricksy_alembic_version") == [(HEAD,)]


def test_statuses_that_an_adopted_enum_lacks_land_in_the_documented_order(earlier_url):
    migrate(earlier_url)
    assert labels(earlier_url) == [status.value for status in models.JobStatus]


def test_old_rows_of_an_adopted_database_read_as_what_they_are(earlier_url, local_store):
    migrate(earlier_url)
    store = JobStore(make_engine(earlier_url))
    completed = read_job(store.get("old-completed"), local_store)
    assert unreadable(completed) == []
    assert completed.deep_report == {"text": "From results."}
    done = read_job(store.get("old-done"), local_store)
    assert (done.deep_report["text"], done.quick_report["text"]) == ("Deep.", "Quick.")
    assert done.missing_artifacts == ["quick_results_s3_key", "deep_results_s3_key"]
    assert done.report_available
    empty = read_job(store.get("old-empty"), local_store)
    assert not empty.results_available and "deep_results is missing" in unreadable(empty)
    assert store.get_session("s-old").player_ids == ["p1", "p2"]
    assert done.started_at.isoformat() == "2025-12-01T11:00:00+00:00"
    store.engine.dispose()


def test_an_adopted_database_takes_new_sessions_and_whole_runs(earlier_url):
    migrate(earlier_url)
    store = JobStore(make_engine(earlier_url))
    session_id = store.create_session(owner_id="c1", title="New", player_ids=["p3"])
    assert store.get_session(session_id).player_ids == ["p3"]
    assert store.get(done_job(store)).status == "done"
    store.claim("old-queued", "run-9")
    publish_all(store, "old-queued", "run-9")
    store.complete("old-queued", "run-9")
    assert store.get("old-queued").deep_results["findings"] == FINDINGS
    store.engine.dispose()


def test_in_an_adopted_database_a_hollow_done_is_refused_from_now_on(earlier_url):
    migrate(earlier_url)
    store = JobStore(make_engine(earlier_url))
    job_id = new_job(store)
    for victim in (job_id, "old-empty"):
        with pytest.raises(IntegrityError, match="done_is_whole"), store.engine.begin() as connection:
            statement = "UPDATE video_analysis_jobs SET status = 'done', stage = 'DONE', progress_pct = 100 WHERE id = :id"
            connection.execute(text(statement), {"id": victim})
    store.engine.dispose()


def test_an_adopted_database_goes_back_and_forth_too(earlier_url):
    migrate(earlier_url)
    downgrade(earlier_url, "g2h3i4j5k6l7")
    migrate(earlier_url)
    assert rows(earlier_url, "SELECT deep_results->'report'->>'text' FROM video_analysis_jobs WHERE id = 'old-done'") == [("Deep.",)]


def test_six_columns_that_are_there_already_are_left_with_their_data(earlier_url):
    engine = make_engine(earlier_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE video_analysis_jobs ADD deep_report JSON, ADD deep_results_s3_key VARCHAR(500)"))
        connection.execute(text("UPDATE video_analysis_jobs SET deep_report = '{\"text\": \"Kept.\"}' WHERE id = 'old-done'"))
    engine.dispose()
    migrate(earlier_url)
    assert rows(earlier_url, "SELECT deep_report->>'text' FROM video_analysis_jobs WHERE id = 'old-done'") == [("Kept.",)]
    assert columns(earlier_url).keys() >= SIX


def test_processes_that_migrate_at_once_do_not_disturb_each_other(empty_url):
    context = get_context("spawn")
    workers = [context.Process(target=migrate, args=(empty_url,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    command.check(config(empty_url))


def test_the_alembic_command_works_from_the_root_of_the_repository(empty_url):
    def alembic(*arguments: str) -> str:
        line = [sys.executable, "-m", "alembic", "-x", f"url={empty_url}", *arguments]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env={**os.environ}, check=True)
        return done.stdout

    alembic("upgrade", "head")
    assert HEAD in alembic("current")
    alembic("downgrade", "-1")
    assert "l7m8n9o0p1q2" in alembic("current")
    assert HEAD in alembic("heads")
