"""How a position in a listing is written into an address.

Belongs here: the text of a cursor and its reading. Does not belong here: the queries (`store.row_pages`). The text is opaque: a client
hands it back as it got it, and what is in it may change.
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.row_pages import Position


def cursor_text(position: Position | None) -> str | None:
    """The cursor that leads to what comes after a position; None for none."""
    if position is None:
        return None
    plain = json.dumps([position.created_at.isoformat(), position.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def position_of(cursor: str | None) -> Position | None:
    """The position that a cursor names; None for none.

    Raises:
        CricksyError: REQUEST_INVALID for a text that is no cursor.
    """
    if cursor is None:
        return None
    try:
        created_at, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        position = Position(datetime.fromisoformat(created_at), row_id)
        if position.created_at.tzinfo is None or not isinstance(row_id, str) or "\x00" in row_id:
            raise ValueError(cursor)
        row_id.encode()
        return position
    except (ValueError, TypeError, RecursionError) as error:
        raise CricksyError(ErrorCode.REQUEST_INVALID, "This cursor is none of ours; begin again without one.") from error


def _position(
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before; left out: the first page.")] = None,
) -> Position | None:
    return position_of(cursor)


After = Annotated[Position | None, Depends(_position)]
