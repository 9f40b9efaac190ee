"""Whatever is removed or corrupted, on the way or by somebody else, the job does not become `done` and says why."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text

from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline_tests.orchestration.sabotage import SabotagedJobs, SabotagedObjects


def put(path: tuple, value):
    """A change of one place in a document."""

    def change(document):
        *parents, last = path
        place = document
        for key in parents:
            place = place[key]
        place[last] = value
        return document

    return change


def gone(_):
    return None


ROW_FAULTS = {
    "quick results gone": ("publish_quick", "quick_results", gone, "quick_results"),
    "quick findings of another kind, after their guardrail": ("start_deep", "quick_findings", lambda _: {"x": 1}, "quick_findings"),
    "quick report emptied, after its guardrail": ("start_deep", "quick_report", lambda _: {"text": ""}, "quick_report"),
    "quick findings gone": ("publish_quick", "quick_findings", gone, "findings_and_report_in_row"),
    "quick report gone": ("publish_quick", "quick_report", gone, "findings_and_report_in_row"),
    "deep findings gone": ("publish_findings", "deep_findings", gone, "findings"),
    "deep report gone": ("publish_report", "deep_report", gone, "report"),
    "deep results gone": ("publish_deep_results", "deep_results", gone, "deep_results"),
    "mode of another discipline": ("publish_deep_results", "deep_results", put(("meta", "analysis_mode"), "bowling"), "mode"),
    "evidence after the end": (
        "publish_findings",
        "deep_findings",
        put(
            ("findings", 0, "video_evidence"),
            {"worst_frames": [{"frame": 1, "t_s": 99.0, "timestamp": "1:39.00", "score": None}], "bad_segments": []},
        ),
        "evidence_within_video",
    ),
    "report of another level": ("publish_report", "deep_report", put(("overall_level",), "high"), "overall_level"),
    "a number the data does not hold": ("publish_report", "deep_report", put(("text",), "His knee was at 37.25 degrees."), "every_number"),
}


@pytest.mark.parametrize(("after", "column", "change", "named"), ROW_FAULTS.values(), ids=ROW_FAULTS)
def test_a_row_that_somebody_damaged_is_failed_and_never_done(pipeline_with, job_store, glimpse, after, column, change, named):
    pipeline = pipeline_with(jobs=SabotagedJobs(job_store, after, column, change))

    row, result = pipeline.analyse(glimpse)

    assert_failed(pipeline, row, result, named)


OBJECT_FAULTS = {
    **{
        f"{output} deleted": (output, gone)
        for output in (Output.FRAMES, Output.QUICK_RESULTS, Output.QUICK_FRAMES, Output.DEEP_RESULTS, Output.DEEP_FRAMES)
    },
    **{
        f"{output} deleted": (output, gone)
        for output in (Output.FINDINGS, Output.REPORT, Output.REPORT_HTML, Output.PLAYER_IMAGE, Output.DEEP_MOMENTS_IMAGE)
    },
    "an empty page": (Output.REPORT_HTML, lambda data: b""),
    "a PDF that is cut off": (Output.REPORT_PDF, lambda data: data[: len(data) // 2]),
    "landmarks that are no table": (Output.DEEP_FRAMES, lambda data: b"junk"),
    "a picture of nothing": (Output.METRICS_IMAGE, lambda data: b""),
    "a byte of deep_results.json flipped": (Output.DEEP_RESULTS, lambda data: data.replace(b"sampled_frames", b"sampled_framez", 1)),
    "a NaN in deep_results.json": (
        Output.DEEP_RESULTS,
        lambda data: json.dumps(put(("pose_summary", "duration_s"), float("nan"))(json.loads(data))).encode(),
    ),
    "findings.json cut off": (Output.FINDINGS, lambda data: data[: len(data) // 2]),
}


@pytest.mark.parametrize(("output", "change"), OBJECT_FAULTS.values(), ids=OBJECT_FAULTS)
def test_a_stored_object_that_is_lost_or_damaged_is_failed_and_never_done(pipeline_with, local_store, glimpse, output, change):
    pipeline = pipeline_with(objects=SabotagedObjects(local_store, output, change))

    row, result = pipeline.analyse(glimpse)

    assert_failed(pipeline, row, result, output.partition(".")[0])


@pytest.mark.parametrize("column", ["quick_results_s3_key", "deep_results_s3_key", "pdf_s3_key"])
def test_a_row_whose_key_leads_elsewhere_is_failed_and_never_done(pipeline_with, job_store, glimpse, column):
    class Misled(JobStore):
        def publish_report(self, job_id, *args, **kwargs):
            super().publish_report(job_id, *args, **kwargs)
            with self.engine.begin() as connection:
                connection.execute(text(f"UPDATE video_analysis_jobs SET {column} = 'nowhere/x.json' WHERE id = :job"), {"job": job_id})

    pipeline = pipeline_with(jobs=Misled(job_store.engine))

    row, result = pipeline.analyse(glimpse)

    assert_failed(pipeline, row, result, column)


def test_deep_landmarks_asked_for_as_json_must_be_there(pipeline_with, local_store, glimpse):
    pipeline = pipeline_with(objects=SabotagedObjects(local_store, Output.DEEP_FRAMES_JSON, gone))

    row, result = pipeline.analyse(glimpse, include_frames=True)

    assert_failed(pipeline, row, result, "deep_frames.json")


def assert_failed(pipeline, row, result, named: str) -> None:
    assert not result.success
    assert (row.status, row.stage, row.error_code) == ("failed", "FAILED", "GUARDRAIL_FAILED")
    assert row.error_message and named in row.error_message
    assert row.progress_pct <= 99 and row.completed_at is None
    assert pipeline.jobs.get_session(row.session_id).status == "failed"

    alone = pipeline.run(row.id, only=["completed_analysis"])

    again = pipeline.jobs.get(row.id)
    assert not alone.success
    assert (again.status, again.stage, again.completed_at) == ("failed", "FAILED", None)
