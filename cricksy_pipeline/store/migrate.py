"""Bring a database to a revision, from code and from an installed wheel (no alembic.ini needed).

Belongs here: the few Alembic commands that the pipeline and its tests use. Does not belong here: the revisions (`migrations`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "cricksy_alembic_version"
HEAD = "m8n9o0p1q2r3"
"""The revision that this code needs; a test holds it equal to the newest script."""


def migrate(database_url: str, revision: str = "head") -> None:
    """Upgrade to the revision. Safe from several processes at once, and on a database that the earlier system made.

    Args:
        database_url: any spelling that `store.database.normalise_url` takes.
        revision: `head`, a revision id, or a relative one such as `+1`.
    """
    from alembic import command

    command.upgrade(config(database_url), revision)


def downgrade(database_url: str, revision: str = "-1") -> None:
    """Go back to the revision (`-1`: one step). What each step takes away is written in its script."""
    from alembic import command

    command.downgrade(config(database_url), revision)


def current(database_url: str) -> str | None:
    """The revision that a database is at; None where it was never migrated. Raises CricksyError DATABASE_UNAVAILABLE."""
    from alembic.runtime.migration import MigrationContext

    from cricksy_pipeline.store.database import make_engine, transaction

    with transaction(make_engine(database_url)) as connection:
        return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def config(database_url: str) -> Config:
    """Alembic's configuration for one database. The address travels as an attribute, never through the ini syntax (`%` in passwords)."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", "cricksy_pipeline.store:migrations")
    made.set_main_option("path_separator", "os")
    made.attributes["url"] = database_url
    return made
