"""How a revision adds what is missing and leaves what is there.

Belongs here: the look at the database that makes a revision safe on one in which the earlier system already made the tables.
Does not belong here: what a revision adds (`versions`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def columns_of(table: str) -> set[str]:
    """The names of the table's columns; empty where there is no such table."""
    inspector = sa.inspect(op.get_bind())
    return {column["name"] for column in inspector.get_columns(table)} if inspector.has_table(table) else set()


def add_missing_columns(table: str, *columns: sa.Column) -> None:
    """Add each column that the table does not have. A column of that name with another type or default is left as it is."""
    present = columns_of(table)
    for column in columns:
        if column.name not in present:
            op.add_column(table, column)


def create_or_complete(table: str, *columns: sa.Column | sa.Constraint) -> None:
    """Create the table; where it is there, add the columns that it lacks."""
    if columns_of(table):
        add_missing_columns(table, *(column for column in columns if isinstance(column, sa.Column)))
    else:
        op.create_table(table, *columns)


def create_missing_index(name: str, table: str, columns: list[str]) -> None:
    """Create the index unless one of that name, or one over the same columns, exists."""
    indexes = sa.inspect(op.get_bind()).get_indexes(table)
    if not any(index["name"] == name or index["column_names"] == columns for index in indexes):
        op.create_index(name, table, columns)


def create_or_complete_enum(name: str, values: tuple[str, ...]) -> None:
    """Create the enum type; where it is there, add the values that it lacks.

    An added value lands at its place in the given order as far as its neighbours are there, and may be used only by a later revision.
    """
    present = op.get_bind().execute(
        sa.text(
            "SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = :name AND pg_type_is_visible(t.oid)"
        ),
        {"name": name},
    )
    have = {row[0] for row in present}
    quoted = {value: "'" + value.replace("'", "''") + "'" for value in values}
    if not have:
        op.execute(f"CREATE TYPE {name} AS ENUM ({', '.join(quoted.values())})")
        return
    for index, value in enumerate(values):
        if value in have:
            continue
        after = next((earlier for earlier in reversed(values[:index]) if earlier in have), None)
        before = next((later for later in values[index:] if later in have), None)
        place = f" AFTER {quoted[after]}" if after else f" BEFORE {quoted[before]}" if before else ""
        op.execute(f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {quoted[value]}{place}")
        have.add(value)
