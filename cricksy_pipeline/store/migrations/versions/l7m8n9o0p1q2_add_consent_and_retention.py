"""What is said of a session about filming people: consent, how long the video is kept, faces; and two indexes for what looks often.

Revision ID: l7m8n9o0p1q2
Revises: k6l7m8n9o0p1

Every column is nullable and has no default: of the sessions that are there, nobody said anything. The downgrade takes only the constraint
away: older code never sees the columns, and what was said of a consent must not be lost.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from cricksy_pipeline.store.migrations.adoption import add_missing_columns, create_missing_index

revision = "l7m8n9o0p1q2"
down_revision = "k6l7m8n9o0p1"
branch_labels = None
depends_on = None

SESSIONS = "video_sessions"
CONSENT_IS_SAID = "ck_video_sessions_consent_is_said"


def upgrade() -> None:
    """Add columns, constraint and indexes that are not there yet."""
    add_missing_columns(
        SESSIONS,
        sa.Column("consent_given", sa.Boolean()),
        sa.Column("consent_by", sa.String(255)),
        sa.Column("consent_at", sa.DateTime(timezone=True)),
        sa.Column("consent_by_guardian", sa.Boolean()),
        sa.Column("player_is_minor", sa.Boolean()),
        sa.Column("retention_until", sa.DateTime(timezone=True)),
        sa.Column("blur_faces", sa.Boolean()),
    )
    op.execute(f"ALTER TABLE {SESSIONS} DROP CONSTRAINT IF EXISTS {CONSENT_IS_SAID}")
    op.execute(
        f"ALTER TABLE {SESSIONS} ADD CONSTRAINT {CONSENT_IS_SAID} CHECK (consent_given IS NOT TRUE OR ("
        "coalesce(consent_by, '') <> '' AND consent_at IS NOT NULL AND (player_is_minor IS NOT TRUE OR consent_by_guardian IS TRUE)))"
    )
    create_missing_index("ix_video_sessions_owner_created", SESSIONS, ["owner_type", "owner_id", "created_at", "id"])
    op.execute(f"CREATE INDEX IF NOT EXISTS ix_video_sessions_retention ON {SESSIONS} (retention_until) WHERE retention_until IS NOT NULL")
    op.execute("CREATE INDEX IF NOT EXISTS ix_analysis_jobs_done ON video_analysis_jobs (completed_at) WHERE status = 'done'")


def downgrade() -> None:
    """Drop the constraint, so that older code is not held to it."""
    op.execute(f"ALTER TABLE {SESSIONS} DROP CONSTRAINT IF EXISTS {CONSENT_IS_SAID}")
