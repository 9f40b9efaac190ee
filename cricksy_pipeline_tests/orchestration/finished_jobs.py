"""Finished jobs with everything that an overlay is drawn from, made without any analysis: a video of numbers, somebody who stands in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from cricksy_pipeline.analysis.documents import as_json
from cricksy_pipeline.analysis.landmark_table import frame_table_to_parquet, to_parquet
from cricksy_pipeline.analysis.landmarks import Landmarks
from cricksy_pipeline.analysis.pose import inspect_video
from cricksy_pipeline.analysis.sampling import plan_sampling
from cricksy_pipeline.analysis.subject import Subject
from cricksy_pipeline.store.jobs import JobStore, Made
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.objects import ObjectStore, sha256_of
from cricksy_pipeline_tests.reading.sample_documents import drive_results

KEY = "coach_plus/coach/c1/s1/v1/original.mp4"


inspected = cache(inspect_video)


def standing(t_s: np.ndarray, width: int, height: int) -> Landmarks:
    """One body in every frame, from head to foot in the middle of the picture."""
    n, down = len(t_s), np.linspace(0.2, 0.9, 33)
    xy = np.stack([np.tile(width * (0.5 + 0.05 * np.sin(np.arange(33))), (n, 1)), np.tile(height * down, (n, 1))], axis=2).astype(
        np.float32
    )
    ones, world = np.ones((n, 33), np.float32), np.zeros((n, 33, 3), np.float32)
    return Landmarks(np.arange(n), t_s.astype(float), np.zeros(n, np.uint8), xy, 0 * ones, ones, ones, world, width, height)


def finish(jobs: JobStore, objects: ObjectStore, video: Path, run_id: str = "run-1", job_id: str | None = None) -> str:
    """A job over this video that is `done`, with its objects; `job_id`: analyse that one anew. Returns the job's id."""
    data = video.read_bytes()
    if job_id is None:
        objects.put(KEY, data)
        session_id = jobs.create_session(owner_id="c1", title="Nets", s3_bucket=objects.bucket, s3_key=KEY)
        job_id = jobs.create_job(session_id, "batting", objects.bucket, KEY, objects.head(KEY).etag, sha256_of(data), len(data))
    row = jobs.claim(job_id, run_id)
    index = inspected(video)
    written: dict[str, dict[str, str]] = {}

    def write(output: Output, content: bytes) -> str:
        key = row.output_key(output)
        objects.put(key, content)
        written[str(output)] = {"key": key, "sha256": sha256_of(content)}
        return key

    document = drive_results(job_id)
    summary = document.pose_summary.model_copy(update={"subject": Subject().as_json()})
    document = document.model_copy(update={"pose_summary": summary, "meta": document.meta.model_copy(update={"code_version": run_id})})
    write(Output.FRAMES, frame_table_to_parquet(index, plan_sampling(index)))
    write(Output.DEEP_FRAMES, to_parquet(standing(index.t_s, index.info.width, index.info.height)))
    key = write(Output.DEEP_RESULTS, document.model_dump_json().encode())
    results, findings, report = as_json(document), as_json(document.findings), as_json(document.report)
    jobs.publish_quick(job_id, run_id, results, findings, report, key)
    jobs.start_deep(job_id, run_id)
    jobs.publish_deep_results(job_id, run_id, results, key)
    jobs.publish_findings(job_id, run_id, findings, results, key)
    jobs.publish_report(
        job_id,
        run_id,
        report,
        results,
        key,
        row.output_key(Output.REPORT_PDF),
        Made({"report": {"inputs": run_id, "seconds": 0.1, "cpu_s": 0.1}}, written),
    )
    jobs.complete(job_id, run_id)
    return job_id
