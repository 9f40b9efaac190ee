"""Where each stage's results go: first the object store, read back, then the row, read back.

Belongs here: the order of writes of every stage and the log lines that operators search for. Does not belong here: how a write is
checked (`store`), what is written (`analysis`). The lengths in the log lines are those of the JSON text that the row gave back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cricksy_pipeline.analysis.documents import AnalysisResults, Document, Findings, Report, as_json
from cricksy_pipeline.analysis.landmark_table import frame_table_to_parquet, to_parquet
from cricksy_pipeline.analysis.passes import Look
from cricksy_pipeline.analysis.sampling import SamplingPlan
from cricksy_pipeline.analysis.video import FrameIndex
from cricksy_pipeline.orchestration.looking import Seen
from cricksy_pipeline.orchestration.report_files import quick_page
from cricksy_pipeline.orchestration.source_video import SourceVideo
from cricksy_pipeline.orchestration.stage import Stage
from cricksy_pipeline.store.jobs import Made
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import ObjectStore, sha256_of


@dataclass
class Stored:
    """What a stage wrote: object keys by name, bytes in all."""

    keys: dict[str, str] = field(default_factory=dict)
    size_bytes: int = 0


class Outputs:
    """Writes the objects of one attempt, and remembers what it wrote.

    A context manager: at its end the row knows each object by place and hash, and from which inputs the stage made them, at what cost.
    """

    def __init__(self, now: Stage, objects: ObjectStore, *steps: str, source_sha256: str | None = None) -> None:
        self._now = now
        self._objects = objects
        self._steps = steps or (now.name,)
        self._source_sha256 = source_sha256
        self._written: dict[str, dict[str, str]] = {}
        self._told = False
        self.stored = Stored()

    def __enter__(self) -> Outputs:
        return self

    def made(self) -> Made:
        """What was written so far, as the row remembers it: told to whatever publishes the stage's documents, in one transaction."""
        self._told = True
        inputs, cost = self._now.inputs(self._source_sha256), self._now.cost.so_far()
        return Made({step: {"inputs": inputs[step], **cost} for step in self._steps}, self._written)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and not self._told:
            self._now.jobs.record_stage(self._now.job_id, self._now.run_id, self.made())

    def key(self, output: Output) -> str:
        """The object key of one output of this attempt."""
        return self._now.row.output_key(output)

    def write(self, output: Output, data: bytes) -> str:
        """Write one object (the store reads it back and compares). Raises CricksyError STORE_UNAVAILABLE, or LostClaim."""
        self._now.jobs.heartbeat(self._now.job_id, self._now.run_id)
        head = self._objects.put(self.key(output), data, output.content_type)
        self._written[str(output)] = {"key": head.key, "sha256": sha256_of(data)}
        self.stored.keys[str(output)] = head.key
        self.stored.size_bytes += head.size
        return head.key

    def write_json(self, output: Output, document: Document | dict[str, Any] | list) -> str:
        """Write a document as UTF-8 JSON; NaN is refused."""
        content = as_json(document) if isinstance(document, Document) else document
        return self.write(output, json.dumps(content, allow_nan=False, ensure_ascii=False).encode())

    def named(self, *outputs: Output) -> dict[str, str]:
        """Where outputs lie, by name: those written here, and those that an earlier attempt wrote and that still hold."""
        return {str(output): self.stored.keys.get(str(output)) or self._now.row.stored_key(output) for output in outputs}


def persist_frames(now: Stage, objects: ObjectStore, index: FrameIndex, plan: SamplingPlan, source: SourceVideo) -> Stored:
    """The frame table to the store, the identity of the file to the row."""
    with Outputs(now, objects, source_sha256=source.sha256) as outputs:
        outputs.write(Output.FRAMES, frame_table_to_parquet(index, plan))
        now.jobs.record_identity(now.job_id, now.run_id, source_sha256=source.sha256, source_size=source.size_bytes)
    return outputs.stored


def persist_quick(now: Stage, objects: ObjectStore, seen: Seen, document: AnalysisResults, pictures: dict[Output, bytes]) -> Stored:
    """Quick landmarks, results, findings, report and page: store, then row at QUICK_DONE."""
    with Outputs(now, objects, *_steps(now, "quick_landmarks", seen)) as outputs:
        outputs.write(Output.QUICK_REPORT_HTML, quick_page(now, document, pictures[Output.QUICK_PLAYER_IMAGE]))
        if seen.footage:
            outputs.write(Output.QUICK_FRAMES, to_parquet(seen.look.landmarks))
        for output, data in pictures.items():
            outputs.write(output, data)
        key = outputs.key(Output.QUICK_RESULTS)
        named = outputs.named(Output.QUICK_FRAMES, *pictures, Output.QUICK_REPORT_HTML)
        document = document.model_copy(update={"outputs": {**named, str(Output.QUICK_RESULTS): key}})
        now.log.info("Saving quick results to S3: job_id=%s bucket=%s key=%s", now.job_id, objects.bucket, key)
        outputs.write_json(Output.QUICK_RESULTS, document)
        now.jobs.publish_quick(
            now.job_id,
            now.run_id,
            results=as_json(document),
            findings=as_json(document.findings),
            report=as_json(document.report),
            results_s3_key=key,
            made=outputs.made(),
        )
        row = now.jobs.get(now.job_id)
        now.log.info(
            "Persisted quick artifacts: job_id=%s results_s3_key=%s findings_len=%d report_len=%d",
            now.job_id, row.quick_results_s3_key, length(row.quick_findings), length(row.quick_report),
        )  # fmt: skip
    return outputs.stored


def persist_deep(now: Stage, objects: ObjectStore, seen: Seen, document: AnalysisResults, pictures: dict[Output, bytes]) -> Stored:
    """Deep landmarks and results: store, then row. Findings and report are still null in both."""
    with Outputs(now, objects, *_steps(now, "deep_landmarks", seen)) as outputs:
        frames = [Output.DEEP_FRAMES]
        if seen.footage:
            now.log.info("Saving deep frames to S3: job_id=%s frames_count=%d", now.job_id, len(seen.look.landmarks))
            outputs.write(Output.DEEP_FRAMES, to_parquet(seen.look.landmarks))
        if now.row.include_frames:
            frames.append(Output.DEEP_FRAMES_JSON)
            outputs.write_json(Output.DEEP_FRAMES_JSON, frames_as_json(seen.look))
        for output, data in pictures.items():
            outputs.write(output, data)
        key = outputs.key(Output.DEEP_RESULTS)
        document = document.model_copy(update={"outputs": {**outputs.named(*frames, *pictures), str(Output.DEEP_RESULTS): key}})
        outputs.write_json(Output.DEEP_RESULTS, document)
        now.jobs.publish_deep_results(now.job_id, now.run_id, results=as_json(document), results_s3_key=key, made=outputs.made())
    return outputs.stored


def persist_findings(now: Stage, objects: ObjectStore, found: Findings) -> Stored:
    """Findings to their own object and field, and into both copies of the deep results."""
    with Outputs(now, objects) as outputs:
        outputs.write_json(Output.FINDINGS, found)
        results = _completed(now, outputs, findings=as_json(found), report=None)
        key = outputs.write_json(Output.DEEP_RESULTS, results)
        now.jobs.publish_findings(now.job_id, now.run_id, as_json(found), results, key, outputs.made())
    return outputs.stored


def persist_report(now: Stage, objects: ObjectStore, written: Report, files: Mapping[Output, bytes]) -> Stored:
    """The report to its own objects and field, and into both copies of the deep results. `files`: as `report_files` makes them."""
    with Outputs(now, objects) as outputs:
        outputs.write_json(Output.REPORT, written)
        for output, data in files.items():
            outputs.write(output, data)
        results = _completed(now, outputs, report=as_json(written))
        key = outputs.write_json(Output.DEEP_RESULTS, results)
        pdf = outputs.key(Output.REPORT_PDF)
        now.jobs.publish_report(now.job_id, now.run_id, as_json(written), results, key, pdf, outputs.made())
    return outputs.stored


def _steps(now: Stage, landmarks: str, seen: Seen) -> tuple[str, ...]:
    return (landmarks, now.name) if seen.footage else (now.name,)


def _completed(now: Stage, outputs: Outputs, **parts: Any) -> dict[str, Any]:
    """The deep results with a further part, where they now lie and by which version they were completed."""
    results = now.row.deep_results
    places = {**results["outputs"], **outputs.stored.keys, str(Output.DEEP_RESULTS): outputs.key(Output.DEEP_RESULTS)}
    return {**results, **parts, "outputs": places, "meta": {**results["meta"], "analysis_version": now.analysis_version}}


def length(document: dict[str, Any] | None) -> int:
    """Characters of the document's JSON text; 0 where there is none."""
    return 0 if document is None else len(json.dumps(document, ensure_ascii=False))


def frames_as_json(look: Look) -> list[dict[str, Any]]:
    """Landmarks as the earlier system's readers know them: one object a frame, null where nobody was found."""
    from cricksy_pipeline.analysis.landmarks import LANDMARK_NAMES

    marks = look.landmarks
    rows = zip(marks.frame.tolist(), marks.t_s.tolist(), marks.found.tolist(), marks.xy.tolist(), marks.visibility.tolist(), strict=True)
    return [
        {
            "frame": frame,
            "t_s": t_s,
            "landmarks": [{"name": n, "x": x, "y": y, "visibility": v} for n, (x, y), v in zip(LANDMARK_NAMES, xy, seen, strict=True)]
            if found
            else None,
        }
        for frame, t_s, found, xy, seen in rows
    ]
