"""What the person who asks says beside the mode: which player, how slow the recording plays.

Revision ID: k6l7m8n9o0p1
Revises: j5k6l7m8n9o0

The downgrade takes nothing away: the column is nullable, older code never sees it, and what a coach said would be lost.
"""

from __future__ import annotations

import sqlalchemy as sa

from cricksy_pipeline.store.migrations.adoption import add_missing_columns

revision = "k6l7m8n9o0p1"
down_revision = "j5k6l7m8n9o0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column that is not there yet."""
    add_missing_columns("video_analysis_jobs", sa.Column("analysis_options", sa.JSON()))


def downgrade() -> None:
    """Nothing to undo: see the module."""
