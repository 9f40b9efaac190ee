"""The report's files in a whole run: stored with it, named by the row, and made later for what was done before there were any."""

from __future__ import annotations

from sqlalchemy import text

from cricksy_pipeline.analysis.documents import AnalysisResults
from cricksy_pipeline.analysis.landmark_table import from_parquet
from cricksy_pipeline.orchestration.report_files import REPORT_FILES
from cricksy_pipeline.reading.exports.metrics_csv import metrics_csv
from cricksy_pipeline.store.job_read import read_job
from cricksy_pipeline.store.keys import Output


def as_before_there_were_files(pipeline, job_id: str) -> None:
    """The row and the store as a version that knew only the page left them."""
    row = pipeline.jobs.get(job_id)
    later = REPORT_FILES[1:]
    for output in later:
        pipeline.objects.delete(row.stored_key(output))
    with pipeline.jobs.engine.begin() as connection:
        for output in later:
            forget = "UPDATE video_analysis_jobs SET stored_objects = (stored_objects::jsonb - :name)::json WHERE id = :id"
            connection.execute(text(forget), {"name": str(output), "id": job_id})
        connection.execute(text("UPDATE video_analysis_jobs SET pdf_s3_key = NULL, pdf_generated_at = NULL WHERE id = :id"), {"id": job_id})


def test_the_files_come_with_the_report_and_an_older_analysis_gets_them_without_another_look(pipeline, glimpse, looks):
    row, result = pipeline.analyse(glimpse)

    assert result.success
    assert row.pdf_s3_key == row.stored_key(Output.REPORT_PDF) == row.output_key(Output.REPORT_PDF)
    assert row.started_at <= row.pdf_generated_at <= row.completed_at
    assert read_job(row, pipeline.objects).pdf_s3_key == row.pdf_s3_key
    files = {output: pipeline.objects.get(row.stored_key(output)) for output in REPORT_FILES}
    assert f"{row.started_at:%Y-%m-%dT%H:%M:%S}".encode() in files[Output.REPORT_PDF], "dated as the analysis"
    assert files[Output.METRICS_CSV] == metrics_csv(AnalysisResults.model_validate(row.deep_results))
    seen = from_parquet(pipeline.objects.get(row.stored_key(Output.DEEP_FRAMES)))
    assert files[Output.LANDMARKS_TRC].count(b"\n") == 6 + row.deep_results["pose_summary"]["total_frames"] >= len(seen)
    assert {str(output) for output in REPORT_FILES} <= set(row.deep_results["outputs"])
    assert b"<img" in files[Output.REPORT_HTML]

    as_before_there_were_files(pipeline, row.id)
    assert pipeline.jobs.get(row.id).status == "done"
    with pipeline.jobs.engine.begin() as connection:
        connection.execute(text("UPDATE video_sessions SET blur_faces = true"))
    looks.clear()
    assert pipeline.run(row.id).success
    again = pipeline.jobs.get(row.id)
    assert looks == [] and again.status == "done" and again.attempt == 2
    assert again.pdf_s3_key == again.output_key(Output.REPORT_PDF) != row.pdf_s3_key
    assert all(pipeline.objects.head(again.stored_key(output)) for output in REPORT_FILES)
    page, pdf = (pipeline.objects.get(again.stored_key(output)) for output in (Output.REPORT_HTML, Output.REPORT_PDF))
    assert b"<img" not in page and b"no face is shown" in page, "a session may ask for that at any time"
    assert b"/Subtype/Image" not in pdf.replace(b" ", b"") and b"/Subtype/Image" in files[Output.REPORT_PDF].replace(b" ", b"")
