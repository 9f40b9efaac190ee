"""How the database is reached: addresses, engines, transactions.

Belongs here: what every user of the database needs before its first statement, and the translation of "it does not answer" into
`DATABASE_UNAVAILABLE`. Does not belong here: tables (`models`), statements (`sessions`, `jobs`), starting a server (`embedded`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.documents import to_json

_SCHEME = re.compile(r"^(postgres|postgresql)(\+[a-z0-9_]+)?://", re.IGNORECASE)


def normalise_url(url: str) -> str:
    """The address with the driver named that is installed here.

    SQLAlchemy 2.1 reads a bare `postgresql://` as psycopg 3, and does not know `postgres://` at all; hosting services hand out both.

    Args:
        url: `postgres://`, `postgresql://` or `postgresql+DRIVER://` and the rest.

    Returns:
        The same address as `postgresql+psycopg2://`.

    Raises:
        ValueError: the address is not one of PostgreSQL. The message leaves the address out, for it may hold a password.
    """
    if not _SCHEME.match(url):
        raise ValueError("the database address must start with postgresql://")
    return _SCHEME.sub("postgresql+psycopg2://", url, count=1)


def make_engine(url: str, *, pool_size: int = 3) -> Engine:
    """An engine for the job rows. Connects when first used, not before.

    Times come back in UTC whatever the server's zone is, also from columns without a zone in an adopted table.

    Args:
        url: any spelling that `normalise_url` takes.
        pool_size: connections kept open; as many again may be opened for a moment.
    """
    return create_engine(
        normalise_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        # The embedded server stops when its last user ends; a connection may then be dead when the pool hands it out.
        pool_pre_ping=True,
        connect_args={"connect_timeout": 10, "application_name": "cricksy", "options": "-c timezone=utc"},
        json_serializer=to_json,
    )


@contextmanager
def reachable(engine: Engine) -> Iterator[None]:
    """Turn a database that does not answer into a `CricksyError`; every other database error passes as it is.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE, with host and database but without the password.
    """
    try:
        yield
    except (OperationalError, PoolTimeout) as error:
        raise _unavailable(engine, error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unavailable(engine, error) from error
        raise


def ping(engine: Engine) -> None:
    """Ask the database for a sign of life. Raises CricksyError DATABASE_UNAVAILABLE."""
    with reachable(engine), engine.connect() as connection:
        connection.execute(text("SELECT 1"))


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction: committed at the end, rolled back on any exception.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    with reachable(engine), engine.begin() as connection:
        yield connection


@contextmanager
def session(engine: Engine) -> Iterator[Session]:
    """An ORM session in a transaction, whose objects stay readable after it (they are detached, nothing expires).

    Raises:
        CricksyError: DATABASE_UNAVAILABLE.
    """
    with reachable(engine), Session(engine, expire_on_commit=False) as orm, orm.begin():
        yield orm


def _unavailable(engine: Engine, error: Exception) -> CricksyError:
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[:1]
    where = engine.url.host or engine.url.query.get("host") or "localhost"
    return CricksyError(ErrorCode.DATABASE_UNAVAILABLE, f"Database {engine.url.database} at {where}: {' '.join(reason)}")
