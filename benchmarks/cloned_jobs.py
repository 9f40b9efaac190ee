"""A thousand finished videos out of a few: finished jobs copied under new ids.

Belongs here: copying whole jobs, so that each copy passes every proof as if it had been analysed itself: rows, objects with their keys and
hashes, guardrails, attempts. Does not belong here: measuring.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, insert, select

from cricksy_pipeline.store.claims import ATTEMPT, JOB, SESSION
from cricksy_pipeline.store.database import transaction
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import parse_upload_key
from cricksy_pipeline.store.models import GuardrailResult
from cricksy_pipeline.store.objects import ObjectStore, sha256_of

GUARDRAIL = GuardrailResult.__table__
_NAMING = (".json", ".html", ".csv", ".pdf")
"""Kinds of file in which the job's id stands in plain bytes; of a PDF, in what it says of itself (its pages are compressed)."""


def clone_job(jobs: JobStore, objects: ObjectStore, job_id: str, count: int, *, with_source: bool = True) -> Iterator[str]:
    """Copy a finished job with its session, and say the new id; `count` times.

    Args:
        with_source: copy the video too. Without, nothing that decodes can succeed.
    """
    row = jobs.get(job_id)
    upload = parse_upload_key(row.s3_key)
    stored = {name: (entry["key"], objects.get(entry["key"])) for name, entry in row.stored_objects.items()}
    source = objects.get(row.s3_key) if with_source else None
    with transaction(jobs.engine) as connection:
        rows = {
            SESSION: _all(connection, SESSION, SESSION.c.id == row.session_id),
            JOB: _all(connection, JOB, JOB.c.id == job_id),
            ATTEMPT: _all(connection, ATTEMPT, ATTEMPT.c.job_id == job_id),
            GUARDRAIL: _all(connection, GUARDRAIL, GUARDRAIL.c.job_id == job_id),
        }
    for _ in range(count):
        new = _Renaming({old: uuid4().hex for old in (job_id, row.session_id, upload.video_id)})
        if source is not None:
            objects.put(new.text(row.s3_key), source)
        entries = {}
        for name, (key, data) in stored.items():
            copied = new.bytes(data) if key.endswith(_NAMING) else data
            entries[name] = {"key": objects.put(new.text(key), copied).key, "sha256": sha256_of(copied)}
        with transaction(jobs.engine) as connection:
            for table, originals in rows.items():
                values = [{name: new.value(value) for name, value in original.items()} for original in originals]
                if table is JOB:
                    values[0]["stored_objects"] = entries
                if table is GUARDRAIL:
                    for value in values:
                        del value["id"]
                connection.execute(insert(table), values)
        yield new.ids[job_id]


class _Renaming:
    """New ids for old ones, wherever they stand. All have 32 digits, so that lengths stay what they were."""

    def __init__(self, ids: dict[str, str]) -> None:
        self.ids = ids

    def text(self, text: str) -> str:
        for old, new in self.ids.items():
            text = text.replace(old, new)
        return text

    def bytes(self, data: bytes) -> bytes:
        for old, new in self.ids.items():
            data = data.replace(old.encode(), new.encode())
        return data

    def value(self, value: Any) -> Any:
        if isinstance(value, (dict, list)):
            return json.loads(self.text(json.dumps(value)))
        return self.text(value) if isinstance(value, str) else value


def _all(connection, table: Table, where) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(select(table).where(where)).mappings()]
