"""The real database and the real store, with one thing going wrong after the write that matters.

Belongs here: faults that a real system has (an object deleted, a field overwritten, a disk that flips a byte). Nothing is replaced: each
write happens, is read back and compared as always, and only then something happens to what it left.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import LocalObjectStore, ObjectHead


class SabotagedObjects(LocalObjectStore):
    """A folder in which one output is changed right after it was written and read back.

    Args:
        change: from the written bytes to the bytes left behind; None leaves nothing behind.
    """

    def __init__(self, store: LocalObjectStore, output: Output, change: Callable[[bytes], bytes | None]) -> None:
        super().__init__(store.root)
        self._output, self._change = output, change

    def put(self, key: str, data: bytes, *args: Any, **kwargs: Any) -> ObjectHead:
        head = super().put(key, data, *args, **kwargs)
        if key.endswith(f"/{self._output}"):
            changed = self._change(data)
            if changed is None:
                super().delete(key)
            else:
                super().put(key, changed)
        return head


class SabotagedJobs(JobStore):
    """Job rows of which one column is changed by someone else right after a publication.

    Args:
        after: name of the publishing method.
        change: from the column's JSON value to the value left behind; None leaves NULL.
    """

    def __init__(self, jobs: JobStore, after: str, column: str, change: Callable[[Any], Any]) -> None:
        super().__init__(jobs.engine)
        publish = getattr(self, after)

        def publish_then_change(job_id: str, *args: Any, **kwargs: Any) -> None:
            publish(job_id, *args, **kwargs)
            value = change(getattr(self.get(job_id), column))
            as_text = None if value is None else json.dumps(value)
            with self.engine.begin() as connection:
                connection.execute(
                    text(f"UPDATE video_analysis_jobs SET {column} = CAST(:value AS json) WHERE id = :job"),
                    {"value": as_text, "job": job_id},
                )

        setattr(self, after, publish_then_change)
