"""The plans of the very statements that a piece of the product sends: watched while it runs, then explained.

Belongs here: watching an engine, EXPLAIN (ANALYZE, BUFFERS), what of a plan is told. Does not belong here: which pieces (`scale`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, event

_TOLD = re.compile(
    r"(->|Scan|Sort|Aggregate|Limit|Nested Loop|Join|Index Cond|Filter|Rows Removed|Sort Key|Buffers: shared|Execution Time)", re.IGNORECASE
)
_SEQUENTIAL = re.compile(r"Seq Scan on (\w+)")


@dataclass(frozen=True)
class Plan:
    """One statement, as PostgreSQL carried it out. `wall_ms` is its execution alone; `scanned`: tables that were read from end to end."""

    statement: str
    text: str
    wall_ms: float

    @property
    def scanned(self) -> set[str]:
        """Tables that were read from end to end."""
        return set(_SEQUENTIAL.findall(self.text))


def plans_of(engine: Engine, do: Callable[[], object]) -> list[Plan]:
    """What PostgreSQL makes of each SELECT that `do` sends to the engine's database; of those that differ in values alone, the slowest."""
    with _watched(engine.url.database) as seen:
        do()
    slowest: dict[str, Plan] = {}
    with engine.connect() as connection, connection.begin() as transaction:
        cursor = connection.connection.cursor()
        for statement, values in seen:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {statement}", values)
            lines = [line for (line,) in cursor.fetchall()]
            wall_ms = float(lines[-1].split()[-2])
            if statement not in slowest or slowest[statement].wall_ms < wall_ms:
                slowest[statement] = Plan(statement, "\n".join(line for line in lines if _TOLD.search(line)), wall_ms)
        transaction.rollback()
    return list(slowest.values())


@contextmanager
def _watched(database: str | None) -> Iterator[list[tuple[str, object]]]:
    seen: list[tuple[str, object]] = []

    def note(connection, _cursor, statement, values, _context, _many) -> None:
        if connection.engine.url.database == database and statement.lstrip().upper().startswith("SELECT"):
            seen.append((statement, values))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)
