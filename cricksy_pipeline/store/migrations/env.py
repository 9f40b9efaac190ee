"""What Alembic runs around every command: which database, which version table, one migration at a time.

The address comes from `config.attributes["url"]` (`store.migrate`), else from `-x url=...`, else from the settings. Only this last way,
the command line's, touches the settings and the embedded server.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

from cricksy_pipeline.store import readability  # noqa: F401 - has an index of its own
from cricksy_pipeline.store.database import normalise_url
from cricksy_pipeline.store.migrate import VERSION_TABLE
from cricksy_pipeline.store.models import Base

# Any constant of our own: two processes that start together migrate one after the other, and the second finds nothing to do.
LOCK_KEY = 0x637269636B7379


def _url() -> str:
    given = context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True).get("url")
    if given:
        return given
    from cricksy_pipeline.settings import Settings
    from cricksy_pipeline.store import embedded

    settings = Settings()
    if settings.database_url is None:
        return embedded.database_url(settings.folder / "postgres", "cricksy")
    return getattr(settings.database_url, "get_secret_value", lambda: settings.database_url)()


def _owned(_object, name, kind, _reflected, _compare_to) -> bool:
    """Keep the tables of whoever else lives in the database out of autogenerate."""
    return kind != "table" or name in Base.metadata.tables


def _run_online() -> None:
    engine = create_engine(normalise_url(_url()), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            version_table=VERSION_TABLE,
            include_object=_owned,
            compare_type=True,
            # A value added to an enum cannot be used before its transaction ends, and the third revision uses what the first adds.
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


def _run_offline() -> None:
    raise SystemExit("No SQL script can be written ahead: the revisions look at the database to adopt what is there.")


if context.is_offline_mode():
    _run_offline()
else:
    _run_online()
