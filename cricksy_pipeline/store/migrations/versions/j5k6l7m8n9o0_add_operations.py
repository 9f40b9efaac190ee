"""What operations add: the ledger of uploads, the history of attempts, and what still holds of earlier attempts.

Revision ID: j5k6l7m8n9o0
Revises: i4j5k6l7m8n9

The downgrade takes nothing away: columns are nullable or have a default, older code never sees them or the two tables, and dropping the
ledger would make every object in the store new to the sensor when the code is upgraded again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cricksy_pipeline.store.keys import output_key
from cricksy_pipeline.store.migrations.adoption import add_missing_columns, create_missing_index, create_or_complete

revision = "j5k6l7m8n9o0"
down_revision = "i4j5k6l7m8n9"
branch_labels = None
depends_on = None

JOBS = "video_analysis_jobs"


def upgrade() -> None:
    """Add the columns and the tables that are not there yet."""
    add_missing_columns(
        JOBS,
        sa.Column("stages", sa.JSON()),
        sa.Column("superseded", sa.JSON()),
        sa.Column("request", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("requested_at", sa.DateTime(timezone=True)),
    )
    op.execute(f"CREATE INDEX IF NOT EXISTS ix_analysis_jobs_queued ON {JOBS} (created_at) WHERE status = 'queued'")
    create_or_complete(
        "uploads",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=True),
        sa.Column("bucket", sa.String(255), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("etag", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger()),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("job_id", sa.String(), sa.ForeignKey(f"{JOBS}.id", ondelete="SET NULL")),
        sa.UniqueConstraint("bucket", "key", "etag", name="uq_uploads_version"),
    )
    create_missing_index("ix_uploads_job_id", "uploads", ["job_id"])
    create_or_complete(
        "job_attempts",
        sa.Column("job_id", sa.String(), sa.ForeignKey(f"{JOBS}.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("outcome", sa.String(20)),
        sa.Column("error_code", sa.String(50)),
        sa.Column("error_message", sa.Text()),
        sa.Column("failed_stage", sa.String(50)),
        sa.Column("analysis_version", sa.String(64)),
    )
    create_missing_index("ix_job_attempts_ended_at", "job_attempts", ["ended_at"])
    _name_the_place_of_stored_objects()


def downgrade() -> None:
    """Nothing to undo: see the module."""


def _name_the_place_of_stored_objects() -> None:
    """{output: sha256} becomes {output: {"key", "sha256"}}: from now on an output may lie in the folder of an earlier attempt."""
    jobs = sa.table(JOBS, sa.column("id"), sa.column("s3_key"), sa.column("attempt"), sa.column("stored_objects", sa.JSON()))
    connection = op.get_bind()
    for row in connection.execute(sa.select(jobs).where(sa.cast(jobs.c.stored_objects, sa.Text).like("{%"))).all():
        known = dict(row.stored_objects)
        for name, value in row.stored_objects.items():
            if isinstance(value, str):
                known[name] = {"key": output_key(row.s3_key or "", row.id, name, row.attempt or 1), "sha256": value}
        connection.execute(sa.update(jobs).where(jobs.c.id == row.id).values(stored_objects=known))
