"""Dagster's records in PostgreSQL as every process of this project opens them: one connection that stays open, and a schema looked at once.

Belongs here: what a run costs for Dagster's own sake and need not. Does not belong here: which storage is chosen (`instance`), our rows.

Dagster's own storages open a connection for every statement, 570 in a run, each a new process of the server; ask the server's catalogue 120
times a run whether its tables are there; and notify a channel of every event to which nothing listens any more. What is written, and in
which order it becomes visible, is as Dagster does it.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster_postgres import DagsterPostgresStorage, PostgresEventLogStorage, PostgresRunStorage, PostgresScheduleStorage
from dagster_postgres.utils import create_pg_engine, retry_pg_connection_fn
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.event import listens_for
from sqlalchemy.exc import DisconnectionError

if TYPE_CHECKING:
    from dagster import EventLogEntry
    from dagster._serdes import ConfigurableClassData

_MAIN_TABLES = {"runs", "instance_info", "event_logs", "jobs"}
"""One of each storage's tables, and the youngest: where they are, none is to be made."""

RECYCLE_S = 240
"""Age at which a connection is replaced: what stands between it and the server may forget it after 350 idle seconds, and tell nobody."""


class EventLog(PostgresEventLogStorage):
    """Dagster's event log, which remembers that a table or a column is there. One that is not there is looked for again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._tables: set[str] = set()
        self._columns: set[str] = set()
        super().__init__(*args, **kwargs)

    def has_table(self, table_name: str) -> bool:
        """As Dagster's. A migration only adds tables."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name not in self._columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._columns.add(column_name)
        return column_name in self._columns

    def store_event(self, event: EventLogEntry) -> None:
        """As Dagster's, without the notification that its newer versions send for its older ones."""
        with self._connect() as conn:
            event_id = conn.execute(self.prepare_insert_event(event).returning(SqlEventLogStorageTable.c.id)).scalar_one()
        if event.dagster_event is None:
            return
        if event.dagster_event_type in ASSET_EVENTS and event.dagster_event.asset_key:
            with self.index_transaction() as conn:
                self._store_asset_event_tags(conn, [event], [event_id])
                self._store_asset_event(conn, event, event_id)
        if event.dagster_event_type in ASSET_CHECK_EVENTS:
            self.store_asset_check_event(event, event_id)

    def dispose(self) -> None:
        """Closes the connections, which Dagster's own would not have kept."""
        super().dispose()
        self._engine.dispose()


class PooledPostgresStorage(DagsterPostgresStorage):
    """All three of Dagster's storages over one pool: one connection is kept, and as many as are wanted at once are opened.

    Args:
        postgres_url: with the driver named.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        self.postgres_url = postgres_url
        self._inst_data = inst_data
        engine = _open_pool(postgres_url)
        # Looked at once, not by each storage for itself.
        missing = not set(retry_pg_connection_fn(lambda: inspect(engine).get_table_names())) >= _MAIN_TABLES
        self.should_autocreate_tables = missing
        self._run_storage = PostgresRunStorage(postgres_url, missing)
        self._event_log_storage = EventLog(postgres_url, missing)
        self._schedule_storage = PostgresScheduleStorage(postgres_url, missing)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine
        DagsterStorage.__init__(self)


def _open_pool(url: str) -> Engine:
    engine = create_pg_engine(url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=-1, pool_recycle=RECYCLE_S)

    # Where the server went away meanwhile, its socket says so: without a round trip, of which a ping would add 570 to a run.
    @listens_for(engine, "checkout")
    def still_there(connection: Any, *_: Any) -> None:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if poll.poll(0):
            raise DisconnectionError("the server closed the connection")

    return engine
