"""Objects that no row refers to: what runs left that were killed, or woke up after their job was deleted.

Belongs here: telling them from all others, carefully, and deleting them. Does not belong here: the deletion that a person asked for
(`deletion`), what never became an object (`expiry`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Row, Select, Text, case, cast, func, select

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.claims import JOB
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.deletion import BUSY
from cricksy_pipeline.store.expiry import ago, batches
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output, output_folder
from cricksy_pipeline.store.listing import listed
from cricksy_pipeline.store.object_contract import Listed, ObjectStore

MOST_OBJECTS = 1000
"""Objects that one sweep deletes at most; the next goes on."""

_DAY_S = 86400.0
_KEY_COLUMNS = ("quick_results_s3_key", "deep_results_s3_key", "pdf_s3_key")
_NAMES = "|".join([*(re.escape(output.value) for output in Output), r"deliveries/\d+\.mp4", r"blurred/(?:overlay|\d+)\.mp4"])
# Only what this pipeline writes, by name: beside it in the bucket may lie what others know of.
_OUTPUT = re.compile(rf"((?:.*/)?analysis/([^/]+))(?:/(attempt-\d+))?/(?:{_NAMES})")


class _Place(NamedTuple):
    """Where one attempt at one job leaves its outputs. `attempt` is a folder's name, empty for the first."""

    folder: str
    job_id: str
    attempt: str


@dataclass(frozen=True)
class Orphan:
    """An object that no row refers to, and why that is so."""

    key: str
    size: int
    why: str


def orphans(jobs: JobStore, objects: ObjectStore, *, prefixes: Iterable[str], after_days: float = 7.0) -> list[Orphan]:
    """Outputs under `analysis/{job}/` that no row refers to, at most `MOST_OBJECTS`, in key order.

    Those of a job whose row is gone; and those of an attempt none of whose outputs its row names, neither for itself nor in what is being
    replaced. Younger ones stay, for whoever is just writing them, and so does every job that is queued or running, that was written to
    since, or that names no output at all: rows of the earlier system keep no keys.

    Raises:
        CricksyError: DATABASE_UNAVAILABLE, also where more jobs are unknown to the table than known: that is another bucket's database.
    """
    before = datetime.now(UTC) - timedelta(days=after_days)
    found: list[Orphan] = []
    known = unknown = 0
    for batch in batches(_jobs_in_store(objects, prefixes)):
        with transaction(jobs.engine) as connection:
            rows = {row.id: row for row in connection.execute(_naming({job_id for job_id, _ in batch}, after_days))}
        for job_id, places in batch:
            row = rows.get(job_id)
            known, unknown = known + (row is not None), unknown + (row is None)
            for place in _unnamed(row, places):
                old = max(one.last_modified for one in places[place]) < before
                if old and len(found) < MOST_OBJECTS:
                    why = "its job is gone" if row is None else "its job names nothing of this attempt"
                    found += (Orphan(one.key, one.size, why) for one in places[place])
    if unknown > known:
        raise CricksyError(
            ErrorCode.DATABASE_UNAVAILABLE,
            f"Of {known + unknown} jobs with outputs in {objects.bucket}, {unknown} have no row: nothing was deleted, this may be another "
            "database. Where they are gone on purpose, delete their folders by hand.",
        )
    return found[:MOST_OBJECTS]


def sweep_objects(
    jobs: JobStore, objects: ObjectStore, *, prefixes: Iterable[str], after_days: float = 7.0, dry_run: bool = False
) -> Iterator[str]:
    """Delete the `orphans`. Raises as that does, before anything is deleted."""
    for orphan in orphans(jobs, objects, prefixes=prefixes, after_days=after_days):
        if not dry_run:
            objects.delete(orphan.key)
        yield f"delete the object {orphan.key} ({orphan.size:,} bytes): {orphan.why}"


def _jobs_in_store(objects: ObjectStore, prefixes: Iterable[str]) -> Iterator[tuple[str, dict[_Place, list[Listed]]]]:
    """Each job that has outputs in the store, with these by place. A listing is in key order, so a job's outputs stand together."""
    for prefix in prefixes:
        outputs = ((match, one) for one in listed(objects, prefix) if (match := _OUTPUT.fullmatch(one.key)))
        for (_, job_id), group in groupby(outputs, key=lambda found: found[0].group(1, 2)):
            places: dict[_Place, list[Listed]] = {}
            for match, one in group:
                places.setdefault(_place(match), []).append(one)
            yield job_id, places


def _place(match: re.Match[str]) -> _Place:
    return _Place(match[1], match[2], match[3] or "")


def _naming(job_ids: set[str], after_days: float) -> Select:
    """The rows of these jobs: everything in which a row names an output, and whether it is at rest."""
    at_rest = JOB.c.status.not_in(BUSY) & (func.coalesce(JOB.c.updated_at, JOB.c.created_at) < ago(after_days * _DAY_S))
    columns = [JOB.c[name] for name in ("id", "s3_key", "attempt", "stored_objects", "superseded", *_KEY_COLUMNS)]
    inside = [_outputs_in(JOB.c[name]).label(f"in_{name}") for name in ("quick_results", "deep_results")]
    return select(*columns, *inside, at_rest.label("at_rest")).where(JOB.c.id.in_(job_ids))


def _outputs_in(column: Column) -> ColumnElement:
    """Where a document says that its outputs lie. All of the document, where PostgreSQL would refuse to look into it (an escaped NUL)."""
    return case((func.strpos(cast(column, Text), r"\u") > 0, column), else_=column["outputs"])


def _unnamed(row: Row | None, places: dict[_Place, list[Listed]]) -> list[_Place]:
    """The places to which the job's row does not refer; none, where it must not be judged now."""
    if row is None:
        return list(places)
    named = _named(row)
    if not row.at_rest or not named:
        return []
    return [place for place in places if place not in named]


def _named(row: Row) -> set[_Place]:
    """The places of all outputs that the row names, wherever in it."""
    texts = set(_texts([row.superseded, row.in_quick_results, row.in_deep_results, *(getattr(row, name) for name in _KEY_COLUMNS)]))
    for output, entry in (row.stored_objects or {}).items():
        if isinstance(entry, dict):
            texts |= set(_texts(entry))
        elif row.s3_key:  # as written before each entry had its key: the outputs lie where this attempt writes
            texts.add(f"{output_folder(row.s3_key, row.id, row.attempt or 1)}/{output}")
    return {_place(match) for text in texts if (match := _OUTPUT.fullmatch(text))}


def _texts(value: Any) -> Iterator[str]:
    """Every string in a JSON document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
