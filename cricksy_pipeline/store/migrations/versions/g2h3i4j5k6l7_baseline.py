"""The two tables as the earlier system had them: created in an empty database, completed where they are there.

Revision ID: g2h3i4j5k6l7
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ENUM

from cricksy_pipeline.store.migrations.adoption import create_missing_index, create_or_complete, create_or_complete_enum

revision = "g2h3i4j5k6l7"
down_revision = None
branch_labels = None
depends_on = None

# Written out, not taken from the models: a revision says what was true when it was made.
ENUMS = {
    "owner_type": ("coach", "org"),
    "video_session_status": ("pending", "uploaded", "processing", "ready", "failed"),
    "analysis_context": ("batting", "bowling", "wicketkeeping", "fielding", "mixed"),
    "camera_view": ("side", "front", "behind", "other"),
    "video_analysis_job_status": (
        "awaiting_upload",
        "queued",
        "processing",
        "completed",
        "failed",
        "quick_running",
        "quick_done",
        "deep_running",
        "done",
    ),
}


def upgrade() -> None:
    """Create or complete the enum types and the two tables."""
    for name, values in ENUMS.items():
        create_or_complete_enum(name, values)
    _sessions()
    _jobs()


def downgrade() -> None:
    """Leave everything: the tables may be the earlier system's, and hold its data. A later upgrade adopts them again."""


def _enum(name: str) -> ENUM:
    return ENUM(name=name, create_type=False)


def _time(name: str, *, stamped: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not stamped, server_default=sa.func.now() if stamped else None)


def _sessions() -> None:
    create_or_complete(
        "video_sessions",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("owner_type", _enum("owner_type"), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(255), nullable=False),
        sa.Column("notes", sa.Text()),
        sa.Column("analysis_context", _enum("analysis_context")),
        sa.Column("camera_view", _enum("camera_view")),
        sa.Column("player_ids", sa.JSON(), server_default=sa.text("'[]'")),
        sa.Column("s3_bucket", sa.String(255)),
        sa.Column("s3_key", sa.String(500)),
        sa.Column("file_size_bytes", sa.BigInteger()),
        sa.Column("status", _enum("video_session_status"), nullable=False, server_default="pending"),
        _time("created_at", stamped=True),
        _time("updated_at", stamped=True),
    )
    create_missing_index("ix_video_sessions_owner", "video_sessions", ["owner_type", "owner_id"])


def _jobs() -> None:
    create_or_complete(
        "video_analysis_jobs",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("session_id", sa.String(), sa.ForeignKey("video_sessions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", _enum("video_analysis_job_status"), nullable=False, server_default="queued"),
        sa.Column("stage", sa.String(50)),
        sa.Column("progress_pct", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("sample_fps", sa.Integer(), nullable=False, server_default="10"),
        sa.Column("include_frames", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("deep_enabled", sa.Boolean(), nullable=False, server_default=sa.true()),
        sa.Column("analysis_mode", sa.String(20)),
        sa.Column("error_message", sa.Text()),
        sa.Column("s3_bucket", sa.String(255)),
        sa.Column("s3_key", sa.String(500)),
        sa.Column("results", sa.JSON()),
        sa.Column("quick_results", sa.JSON()),
        sa.Column("deep_results", sa.JSON()),
        sa.Column("pdf_s3_key", sa.String(500)),
        _time("pdf_generated_at"),
        _time("created_at", stamped=True),
        _time("started_at"),
        _time("completed_at"),
        _time("quick_started_at"),
        _time("quick_completed_at"),
        _time("deep_started_at"),
        _time("deep_completed_at"),
        _time("updated_at", stamped=True),
    )
    create_missing_index("ix_analysis_jobs_session_id", "video_analysis_jobs", ["session_id"])
    create_missing_index("ix_analysis_jobs_status", "video_analysis_jobs", ["status"])
