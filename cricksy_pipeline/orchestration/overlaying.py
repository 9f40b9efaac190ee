"""The work of the asset `overlay`: what it reads, what it writes, how it fails.

Belongs here: from a finished row to objects that the row names. Does not belong here: drawing (`reading.overlay`), when it is due
(`sensors.overlays`), the row's entry (`store.overlays`). It holds no claim on the row and has no heartbeat there: the analysis is done, and
nothing here may change that.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import dagster as dg
from dagster import DagsterExecutionInterruptedError

from cricksy_pipeline.analysis.documents import AnalysisResults, Findings
from cricksy_pipeline.analysis.landmark_table import from_parquet
from cricksy_pipeline.analysis.subject import Subject
from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.orchestration.cost import Cost
from cricksy_pipeline.orchestration.links import job_url
from cricksy_pipeline.orchestration.progress_log import ProgressLog
from cricksy_pipeline.orchestration.resources import Model
from cricksy_pipeline.orchestration.source_video import SourceVideos
from cricksy_pipeline.orchestration.work import frame_table, stored_output
from cricksy_pipeline.reading.overlay.making import Drawing, Films, make_films
from cricksy_pipeline.reading.overlay.script import script_of
from cricksy_pipeline.settings import Settings
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output, clip_name, film_key
from cricksy_pipeline.store.models import JobStatus, VideoAnalysisJob
from cricksy_pipeline.store.objects import ObjectStore, sha256_of_file
from cricksy_pipeline.store.overlays import STEP, DueOverlay, MadeOverlay, Overlays, OverlaySuperseded, is_overlay, results_hash
from cricksy_pipeline.store.sessions import UnknownJob


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Attributes:
        films: what was drawn; None where the stored ones show the same.
        keys: object keys by output name.
        size_bytes: of what was stored.
        duration_s: of the source.
        blurred: whether faces are blurred.
        clips: the balls that have one.
    """

    films: Films | None
    keys: dict[str, str]
    size_bytes: int
    duration_s: float
    blurred: bool
    clips: tuple[int, ...]


class Overlaying:
    """One run over one job. A context manager: whatever happens inside, the row learns of a failure, and only in its overlay's entry."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        jobs: JobStore,
        objects: ObjectStore,
        source_videos: SourceVideos,
        weights: Model,
        settings: Settings,
    ) -> None:
        self._context, self._jobs, self._objects = context, jobs, objects
        self._source_videos, self._weights, self._settings = source_videos, weights, settings
        self._overlays = Overlays(jobs.engine)
        self._due: DueOverlay | None = None
        self._cost = Cost()

    def __enter__(self) -> Overlaying:
        return self

    def make(self) -> Outcome:
        """Draw and store what is not stored already, and tell the row.

        Raises:
            CricksyError: INTERNAL where the job is not done or has no deep pass; as `SourceVideos.fetch`, `make_films`, and the stores'.
        """
        row = self._jobs.get(self._context.partition_key)
        of = results_hash(row)
        if row.status != JobStatus.DONE or of is None or not row.deep_enabled:
            raise CricksyError(ErrorCode.INTERNAL, f"Job {row.id} is {row.status} or has no deep results: there is nothing to draw.")
        blur = bool(self._jobs.get_session(row.session_id).blur_faces)
        self._due = DueOverlay(row.id, of, blur, 0)
        drawing = self._drawing(row, blur)
        inputs, record = drawing.fingerprint(row.source_sha256), (row.stages or {}).get(STEP)
        duration_s = drawing.index.info.duration_s
        if record and record.get("inputs") == inputs and (kept := self._stored(row)):
            self._log("job_id=%s: the stored overlay shows the same", row.id)
            made = MadeOverlay(of, inputs, record["blurred"], kept, tuple(record["clips"]), self._record())
            self._overlays.record(row.id, made, seen=record)
            return Outcome(None, {name: entry["key"] for name, entry in kept.items()}, 0, duration_s, made.blurred, made.clips)
        source = self._source_videos.fetch(
            row.s3_bucket,
            row.s3_key,
            expected_sha256=row.source_sha256,
            expected_etag=row.source_etag,
            max_bytes=self._settings.max_video_bytes,
        )
        with tempfile.TemporaryDirectory(prefix="films-", dir=source.path.parent) as folder:
            films = make_films(source.path, drawing, Path(folder), self._progress())
            written, size_bytes = self._write(row, films, blur)
        made = MadeOverlay(of, inputs, blur, written, tuple(sorted(films.clips)), self._record())
        self._commit(row, made, record)
        self._log(
            "Persisted overlay: job_id=%s key=%s clips=%d bytes=%d", row.id, written[Output.OVERLAY]["key"], len(made.clips), size_bytes
        )
        return Outcome(films, {name: entry["key"] for name, entry in written.items()}, size_bytes, duration_s, blur, made.clips)

    def _drawing(self, row: VideoAnalysisJob, blur: bool) -> Drawing:
        index, _ = frame_table(row, self._objects)
        document = AnalysisResults.model_validate(row.deep_results)
        findings = Findings.model_validate(row.deep_findings) if row.deep_findings else None
        landmarks = stored_output(row, self._objects, Output.DEEP_FRAMES, from_parquet)
        subject = Subject.from_json(document.pose_summary.subject)
        return Drawing(
            index, landmarks, subject, script_of(document, findings, index.info.duration_s), self._weights.get() if blur else None
        )

    def _stored(self, row: VideoAnalysisJob) -> dict[str, dict[str, str]] | None:
        """The overlay's objects, if every one of them is in the store as it was written."""
        entries = {name: entry for name, entry in (row.stored_objects or {}).items() if is_overlay(name)}
        heads = {name: self._objects.head(entry["key"]) for name, entry in entries.items()}
        whole = all(head is not None and head.sha256 == entries[name]["sha256"] for name, head in heads.items())
        return entries if entries and whole else None

    def _write(self, row: VideoAnalysisJob, films: Films, blurred: bool) -> tuple[dict[str, dict[str, str]], int]:
        """Every film to the store, which reads it back and compares."""
        attempt = row.attempt or 1
        key = partial(film_key, row.s3_key, row.id, attempt=attempt, blurred=blurred)
        places = {str(Output.OVERLAY): (films.overlay, key(ball=None))}
        places |= {clip_name(ball): (path, key(ball=ball)) for ball, path in films.clips.items()}
        written, size_bytes = {}, 0
        for name, (path, key) in places.items():
            head = self._objects.put_file(key, path, Output.OVERLAY.content_type)
            written[name] = {"key": head.key, "sha256": sha256_of_file(path)}
            size_bytes += head.size
        return written, size_bytes

    def _commit(self, row: VideoAnalysisJob, made: MadeOverlay, seen: dict[str, Any] | None) -> None:
        """Tell the row, then remove what it named before and names no more."""
        try:
            unnamed = self._overlays.record(row.id, made, seen=seen)
        except (UnknownJob, OverlaySuperseded):  # what no row names must not stay: it may show faces that are to be blurred by now
            for key in {entry["key"] for entry in made.objects.values()} - self._named(row.id):
                self._objects.delete(key)
            raise
        for key in unnamed:
            self._objects.delete(key)

    def _named(self, job_id: str) -> set[str]:
        """Keys of the films that the row names now, also those of an analysis that is being replaced; none where it is deleted."""
        try:
            row = self._jobs.get(job_id)
        except UnknownJob:
            return set()
        stored = (row.stored_objects, (row.superseded or {}).get("stored_objects"))
        return {entry["key"] for each in stored for name, entry in (each or {}).items() if is_overlay(name)}

    def _record(self) -> dict[str, Any]:
        return {"run_id": self._context.run.run_id, **self._cost.so_far()}

    def _progress(self):
        said = ProgressLog()

        def report(done: int, wanted: int) -> None:
            if line := said.line(done, wanted):
                self._log("overlay: job_id=%s %s", self._context.partition_key, line)

        return report

    def _log(self, line: str, *values: object) -> None:
        self._context.log.info(line, *values)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            return
        known = _as_coded(error)
        if self._due is not None:
            stopped = known.code is ErrorCode.CANCELED
            with suppress(CricksyError):  # the first error is the one to raise; the sensor counts runs, too
                self._overlays.record_failure(self._due, known, self._context.run.run_id, final=stopped)
        self._context.log.error("overlay of job_id=%s failed, the analysis stays done: %s", self._context.partition_key, known)
        if detail := getattr(error, "detail", None):
            self._context.log.error("%s", detail)
        if isinstance(error, CricksyError):
            raise dg.Failure(str(known), metadata={"error_code": str(known.code), "advice": known.advice}, allow_retries=False) from error


def _as_coded(error: BaseException) -> CricksyError:
    if isinstance(error, CricksyError):
        return error
    if isinstance(error, (KeyboardInterrupt, DagsterExecutionInterruptedError, SystemExit)):
        return CricksyError(ErrorCode.CANCELED, "The run that drew the overlay was stopped.")
    return CricksyError(ErrorCode.INTERNAL, f"An unexpected fault stopped the overlay ({type(error).__name__}: {str(error)[:300]}).")


def describe_overlay(outcome: Outcome, job_id: str, settings: Settings) -> dg.MaterializeResult:
    """Where to watch it, and what it cost."""
    base = job_url(settings, job_id)
    clips = " · ".join(f"[ball {ball}]({base}/{clip_name(ball)})" for ball in outcome.clips)
    films = outcome.films
    cost: dict[str, Any] = {"kept": "The stored overlay shows the same; nothing was drawn."}
    if films is not None:
        cost = {
            "picture": f"{films.width} x {films.height}",
            "pictures": films.pictures,
            "drawing_cpu_s": round(films.cpu_s, 2),
            "drawing_cpu_s_per_second": round(films.cpu_s / max(outcome.duration_s, 1e-6), 3),
            "drawing_peak_mb": round(films.peak_bytes / 1e6, 1),
            "stored_bytes": outcome.size_bytes,
        }
    return dg.MaterializeResult(
        metadata={
            "overlay": dg.MetadataValue.url(f"{base}/{Output.OVERLAY}"),
            **({"clips": dg.MetadataValue.md(clips)} if clips else {}),
            "balls": len(outcome.clips),
            "faces_blurred": outcome.blurred,
            **cost,
            "objects": dg.MetadataValue.json(outcome.keys),
        }
    )
