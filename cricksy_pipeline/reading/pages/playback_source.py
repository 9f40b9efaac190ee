"""Where the playback document of a job comes from: the stored tables, read once and kept while they are asked for.

Belongs here: row -> stored objects -> bytes, the ETag, the few that are kept. Does not belong here: the document's shape (`playback`).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from pydantic import ValidationError

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.analysis.landmark_table import frame_table_from_parquet, from_parquet
from cricksy_pipeline.reading.pages.analysis_view import FRAMES_OF_PASS, has_output, shown_pass
from cricksy_pipeline.reading.pages.playback import FORMAT, as_bytes, playback_document
from cricksy_pipeline.store.job_read import read_job
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import ObjectStore

KEPT = 8
"""Documents kept in memory; one is some 20 kB for ten seconds of video, 700 kB for a quarter of an hour."""


class NoPlayback(LookupError):
    """The job has no landmarks that a reader may see."""


@dataclass(frozen=True)
class Asked:
    """A document that was asked for and not yet made: its ETag, and what it will be made from."""

    etag: str
    frames_key: str
    landmarks_key: str
    results: dict[str, Any] | None


class PlaybackSource:
    """Makes playback documents. Safe for several threads: the same one may then be made twice, with the same bytes.

    Args:
        jobs, objects: where rows and tables are.
    """

    def __init__(self, jobs: JobStore, objects: ObjectStore) -> None:
        self._jobs, self._objects = jobs, objects
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def ask(self, job_id: str) -> Asked:
        """What the document of this job would be made from.

        Raises:
            UnknownJob: no such job.
            NoPlayback: nothing to draw, or not yet.
            CricksyError: DATABASE_UNAVAILABLE, STORE_UNAVAILABLE.
        """
        row = self._jobs.get(job_id)
        read = read_job(row, self._objects)
        passname = shown_pass(read)
        if passname is None or not has_output(row, FRAMES_OF_PASS[passname]) or not has_output(row, Output.FRAMES):
            raise NoPlayback("This job has nothing to draw over its video yet.")
        keys = [row.shown_key(output) or "" for output in (Output.FRAMES, FRAMES_OF_PASS[passname])]
        heads = [self._objects.head(key) for key in keys]
        if any(head is None for head in heads):
            raise NoPlayback("What was measured in each frame is not kept any more.")
        results = getattr(read, f"{passname}_results")
        stamp = [str(FORMAT), job_id, read.analysis_version, str(read.updated_at), *(head.etag for head in heads if head)]
        etag = '"' + hashlib.sha256("\n".join(map(str, stamp)).encode()).hexdigest()[:32] + '"'
        return Asked(etag, *keys, {**results, "findings": None, "report": None} if results else None)

    def gzipped(self, asked: Asked) -> bytes:
        """The document as gzip of JSON.

        Raises:
            CricksyError: SOURCE_MISSING, STORE_UNAVAILABLE.
            ValueError: a stored table is none.
        """
        with self._lock:
            if asked.etag in self._kept:
                self._kept.move_to_end(asked.etag)
                return self._kept[asked.etag]
        index, _ = frame_table_from_parquet(self._objects.get(asked.frames_key))
        made = as_bytes(playback_document(_results(asked.results), from_parquet(self._objects.get(asked.landmarks_key)), index.t_s))
        with self._lock:
            self._kept[asked.etag] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made


def _results(document: dict[str, Any] | None) -> AnalysisResults | None:
    """Of another version: the body can be drawn all the same, its curves and moments cannot."""
    try:
        return AnalysisResults.model_validate(document) if document else None
    except ValidationError:
        return None
