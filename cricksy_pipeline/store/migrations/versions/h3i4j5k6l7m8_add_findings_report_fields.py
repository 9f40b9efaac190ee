"""Findings and report of either pass, each in a field of its own, and where the whole results lie in the object store.

Revision ID: h3i4j5k6l7m8
Revises: g2h3i4j5k6l7

The downgrade drops just these six. It loses nothing: `quick_results` and `deep_results`, in the row and in the object store, also hold
findings and report, and the two keys follow from the source key and the job id.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cricksy_pipeline.store.migrations.adoption import add_missing_columns, columns_of

revision = "h3i4j5k6l7m8"
down_revision = "g2h3i4j5k6l7"
branch_labels = None
depends_on = None

TABLE = "video_analysis_jobs"
DOCUMENTS = ("quick_findings", "quick_report", "deep_findings", "deep_report")
KEYS = ("quick_results_s3_key", "deep_results_s3_key")


def upgrade() -> None:
    """Add the six nullable columns that are not there yet."""
    add_missing_columns(TABLE, *(sa.Column(name, sa.JSON(), nullable=True) for name in DOCUMENTS))
    add_missing_columns(TABLE, *(sa.Column(name, sa.String(500), nullable=True) for name in KEYS))


def downgrade() -> None:
    """Drop the six columns and nothing else."""
    present = columns_of(TABLE)
    for name in (*DOCUMENTS, *KEYS):
        if name in present:
            op.drop_column(TABLE, name)
