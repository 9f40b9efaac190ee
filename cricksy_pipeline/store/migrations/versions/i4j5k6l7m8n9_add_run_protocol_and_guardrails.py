"""What the pipeline adds: who holds a row, what was analysed, how it failed, the guardrail results, and what `done` means.

Revision ID: i4j5k6l7m8n9
Revises: h3i4j5k6l7m8

The constraint is added NOT VALID: rows that the earlier system ended without findings and report stay; whatever is written from now on is
checked. The downgrade takes away only what stands in the way of older code (the constraint); the columns are nullable or have a
default, older code never sees them, and dropping them would lose the record of who analysed what and which guardrails passed.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cricksy_pipeline.store.migrations.adoption import add_missing_columns, create_missing_index, create_or_complete

revision = "i4j5k6l7m8n9"
down_revision = "h3i4j5k6l7m8"
branch_labels = None
depends_on = None

JOBS = "video_analysis_jobs"
DONE_IS_WHOLE = "ck_video_analysis_jobs_done_is_whole"


def upgrade() -> None:
    """Add the columns, the table and the constraint that are not there yet."""
    add_missing_columns(
        JOBS,
        sa.Column("dagster_run_id", sa.String(64)),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True)),
        sa.Column("analysis_version", sa.String(64)),
        sa.Column("source_etag", sa.String(255)),
        sa.Column("source_sha256", sa.String(64)),
        sa.Column("source_size", sa.BigInteger()),
        sa.Column("error_code", sa.String(50)),
        sa.Column("failed_stage", sa.String(50)),
        sa.Column("stored_objects", sa.JSON()),
    )
    create_missing_index("ix_analysis_jobs_source", JOBS, ["s3_bucket", "s3_key"])
    _guardrail_results()
    op.execute(f"ALTER TABLE {JOBS} DROP CONSTRAINT IF EXISTS {DONE_IS_WHOLE}")
    op.execute(f"ALTER TABLE {JOBS} ADD CONSTRAINT {DONE_IS_WHOLE} CHECK ({_done_is_whole()}) NOT VALID")


def downgrade() -> None:
    """Drop the constraint, so that older code can end a row its own way."""
    op.execute(f"ALTER TABLE {JOBS} DROP CONSTRAINT IF EXISTS {DONE_IS_WHOLE}")


def _guardrail_results() -> None:
    create_or_complete(
        "guardrail_results",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=True),
        sa.Column("job_id", sa.String(), sa.ForeignKey(f"{JOBS}.id", ondelete="CASCADE"), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("asset", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("actual", sa.JSON()),
        sa.Column("expected", sa.JSON()),
        sa.Column("message", sa.Text()),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.UniqueConstraint("job_id", "run_id", "asset", "name", name="uq_guardrail_results_outcome"),
    )


def _done_is_whole() -> str:
    """A `done` row has its stage, its progress and all artifacts of its kind; COALESCE, because a check that is NULL passes."""

    def whole(passname: str) -> str:
        documents = [f"coalesce(json_typeof({passname}_{kind}::json), '') = 'object'" for kind in ("results", "findings", "report")]
        return " AND ".join([*documents, f"coalesce({passname}_results_s3_key, '') <> ''"])

    return (
        "status <> 'done' OR (coalesce(stage, '') = 'DONE' AND coalesce(progress_pct, 0) = 100"
        f" AND {whole('quick')} AND (NOT coalesce(deep_enabled, true) OR ({whole('deep')})))"
    )
