"""Indexes for what looks often at a table that is long (docs/scale.md has the plans before and after).

Revision ID: m8n9o0p1q2r3
Revises: l7m8n9o0p1q2

Each is made while nobody writes to its table: seconds for 100,000 rows, but for `ix_analysis_jobs_to_look_at`, for which PostgreSQL opens
every document once (all six together: under a minute). Whoever cannot wait makes it beforehand with CREATE INDEX CONCURRENTLY, by the same
name. The downgrade takes it away, because older code may write rows that its condition was not made for, and gives back the index that
`ix_analysis_jobs_finished` replaces; the others are harmless.
"""

from __future__ import annotations

from alembic import op

from cricksy_pipeline.store.migrations.adoption import create_missing_index

revision = "m8n9o0p1q2r3"
down_revision = "l7m8n9o0p1q2"
branch_labels = None
depends_on = None

JOBS = "video_analysis_jobs"


def upgrade() -> None:
    """Make the indexes that are not there yet."""
    create_missing_index("ix_video_sessions_source", "video_sessions", ["s3_bucket", "s3_key"])
    create_missing_index("ix_analysis_jobs_created", JOBS, ["created_at", "id"])
    create_missing_index("ix_analysis_jobs_version", JOBS, ["analysis_version", "status"])
    _execute(
        f"CREATE INDEX IF NOT EXISTS ix_analysis_jobs_finished ON {JOBS} (completed_at NULLS FIRST, id)"
        " WHERE status IN ('done', 'completed')",
        f"CREATE INDEX IF NOT EXISTS ix_analysis_jobs_failed ON {JOBS} (error_code, attempt) WHERE status = 'failed'",
        f"CREATE INDEX IF NOT EXISTS ix_analysis_jobs_to_look_at ON {JOBS} (id) WHERE {_to_look_at()}",
        "DROP INDEX IF EXISTS ix_analysis_jobs_done",
    )


def downgrade() -> None:
    """See the module."""
    _execute(
        f"CREATE INDEX IF NOT EXISTS ix_analysis_jobs_done ON {JOBS} (completed_at) WHERE status = 'done'",
        "DROP INDEX IF EXISTS ix_analysis_jobs_to_look_at",
    )


def _execute(*statements: str) -> None:
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)


def _to_look_at() -> str:
    """A finished row whose documents do not plainly show all that a reader needs, as `readability` had it when this was written."""
    deep = f"NOT coalesce(deep_enabled, true) OR {_filled('deep')} AND deep_results_s3_key <> ''"
    whole = f"coalesce({_filled('quick')} AND quick_results_s3_key <> '' AND ({deep}), false)"
    legacy = r"results IS NULL OR left(CAST(results AS TEXT), 40) ~ '^\s*(\{|null)'"
    shown = f"CASE WHEN coalesce(deep_enabled, true) THEN {_renders('deep')} ELSE {_renders('quick')} END"
    plain = f"(status = 'completed' OR status = 'done' AND {whole}) AND ({legacy}) AND superseded IS NULL AND {shown}"
    return f"status IN ('done', 'completed') AND NOT coalesce({plain}, false)"


def _filled(passname: str) -> str:
    parts = (f"{passname}_{part}" for part in ("results", "findings", "report"))
    return " AND ".join(rf"""left(CAST({part} AS TEXT), 40) ~ '^\s*\{{\s*"'""" for part in parts)


def _renders(passname: str) -> str:
    findings, report = f"{passname}_findings", f"{passname}_report"
    escaped = " OR ".join(rf"strpos(CAST({part} AS TEXT), '\u') > 0" for part in (findings, report))
    inside = f"CAST({findings} AS JSON) -> "
    level = " OR ".join(
        f"""json_typeof(({inside}'{name}')) = 'string' AND CAST(({inside}'{name}') AS TEXT) <> '""'"""
        for name in ("overall_level", "overall_level_reason")
    )
    words = " OR ".join(
        f"json_typeof((CAST({report} AS JSON) -> '{name}')) = 'string' AND (CAST({report} AS JSON) ->> '{name}') ~ '[[:alnum:]]'"
        for name in ("text", "summary")
    )
    content = f"json_typeof(({inside}'findings')) = 'array' AND ({level}) AND ({words})"
    return f"{_filled(passname)} AND CASE WHEN ({escaped}) THEN false ELSE {content} END"
