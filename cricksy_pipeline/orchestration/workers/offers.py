"""Offered runs in Dagster's database, and the locks by which workers take them.

Belongs here: every statement about both. An offer is a run in status STARTING: Dagster's queue has let it go. Taken means that one
session of PostgreSQL holds the advisory lock of the run's number; the lock ends with the session, however the process or its machine
ended. Does not belong here: running anything (`slot`), what follows from a lock that is gone (`launcher`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from cricksy_pipeline.store.database import normalise_url

LOCKS = 0x637279
"""The first half of every lock's key, so that other users of advisory locks in the same database are not met."""

NAMED = "cricksy worker "
"""How a worker's session names itself to PostgreSQL, with its name behind."""

_WAITING = text(
    """SELECT runs.id, runs.run_id, tags.value AS priority FROM runs
       LEFT JOIN run_tags tags ON tags.run_id = runs.run_id AND tags.key = 'dagster/priority' WHERE runs.status = 'STARTING'"""
)
_STATUS = text("SELECT status FROM runs WHERE id = :number")
_LOCK = text("SELECT pg_try_advisory_lock(:locks, :number)")
_UNLOCK = text("SELECT pg_advisory_unlock(:locks, :number)")
_HOLDER = text(
    """SELECT activity.application_name FROM pg_locks JOIN pg_stat_activity activity USING (pid) JOIN runs ON runs.id = pg_locks.objid
       WHERE locktype = 'advisory' AND classid = :locks AND objsubid = 2 AND granted AND runs.run_id = :run
       AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
)
_NUMBER = text("SELECT id FROM runs WHERE run_id = :run")

# A machine that vanished without a word is believed gone after 20 s, by the server as by the worker. PostgreSQL asks the kernel; on a Unix
# socket, where nobody vanishes so, neither does anything.
_SERVER_SIDE = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=20000"
_CLIENT_SIDE = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20000}


@dataclass(frozen=True)
class Offer:
    """A run that a worker may take, or has taken.

    Attributes:
        number: the run's number in Dagster's table, which its lock is named by.
        run_id: the run's id.
    """

    number: int
    run_id: str


class LostOffer(Exception):
    """The lock ended with its session, and another session has it now."""


class Offers:
    """One session of Dagster's database. Not for two threads at once.

    Every method raises sqlalchemy's DBAPIError where the database does not answer; the next call then begins with a new session, which
    holds no lock.
    """

    def __init__(self, url: str, name: str) -> None:
        """Connects at first use.

        Args:
            url: address of Dagster's database; straight to PostgreSQL or through a pooler in session mode, for a lock belongs to a session.
            name: as this session is to be known in `pg_stat_activity`, at most 63 bytes.
        """
        arguments = {"connect_timeout": 10, "application_name": name, "options": _SERVER_SIDE, **_CLIENT_SIDE}
        self._engine = create_engine(normalise_url(url), isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args=arguments)
        self._session: Connection | None = None

    def close(self) -> None:
        """End the session, and with it its locks."""
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(DBAPIError):
                session.close()

    def take(self) -> Offer | None:
        """The foremost offer that nobody has, now this session's: by priority as in Dagster's queue, then the oldest.

        One at a time: PostgreSQL gives a session the lock that it has already once more.
        """
        waiting = sorted(self._rows(_WAITING), key=lambda row: (-_priority(row.priority), row.id))
        for row in waiting:
            offer = Offer(row.id, row.run_id)
            if self._locked(offer):
                # Between the question and the lock another worker may have had it, and be done; or somebody stopped it.
                if self._scalar(_STATUS, number=offer.number) == "STARTING":
                    return offer
                self.leave(offer)
        return None

    def keep(self, offer: Offer) -> str | None:
        """Take the lock again if its session was lost, and look how the run stands.

        Returns:
            Dagster's status of the run; None if the run is gone.

        Raises:
            LostOffer: somebody else has it.
        """
        if self._session is None and not self._locked(offer):
            raise LostOffer
        return self._scalar(_STATUS, number=offer.number)

    def leave(self, offer: Offer) -> None:
        """Give the lock back, if this session has it still."""
        if self._session is not None:
            self._scalar(_UNLOCK, locks=LOCKS, number=offer.number)

    def holder(self, run_id: str) -> str | None:
        """The name of the session that has this run; None where nobody has it."""
        return self._scalar(_HOLDER, locks=LOCKS, run=run_id)

    def take_away(self, run_id: str) -> bool:
        """Whether nobody has this run; then nobody can take it any more until `close`."""
        number = self._scalar(_NUMBER, run=run_id)
        return number is not None and self._locked(Offer(number, run_id))

    def _locked(self, offer: Offer) -> bool:
        return bool(self._scalar(_LOCK, locks=LOCKS, number=offer.number))

    def _scalar(self, statement, **values):
        row = next(iter(self._rows(statement, **values)), None)
        return None if row is None else row[0]

    def _rows(self, statement, **values):
        try:
            if self._session is None:
                self._session = self._engine.connect()
            return self._session.execute(statement, values).all()
        except DBAPIError:
            self.close()
            raise


def _priority(said: str | None) -> int:
    try:
        return int(said or 0)
    except ValueError:  # as Dagster's queue does
        return 0
