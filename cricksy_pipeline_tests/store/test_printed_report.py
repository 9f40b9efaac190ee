"""The PDF of a row: it comes and goes with the report that it prints, and no deep job is done without one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.job_read import read_job, unreadable
from cricksy_pipeline.store.keys import Output
from cricksy_pipeline.store.models import VideoAnalysisJob
from cricksy_pipeline_tests.store.rows import FINDINGS, RESULTS, SOURCE_KEY, done_job, new_job, publish_all, publish_quick


def pdf_of(store, job_id: str) -> tuple[str | None, bool]:
    row = store.get(job_id)
    return row.pdf_s3_key, row.pdf_generated_at is not None


def forget_pdf(store, job_id: str) -> None:
    with store.engine.begin() as connection:
        wiped = "UPDATE video_analysis_jobs SET pdf_s3_key = NULL, pdf_generated_at = NULL WHERE id = :id"
        connection.execute(text(wiped), {"id": job_id})


def test_the_report_brings_its_pdf_and_says_when_it_was_made(job_store):
    job_id = new_job(job_store)
    before = datetime.now(UTC)
    job_store.claim(job_id, "run-1")
    publish_all(job_store, job_id, "run-1")
    assert pdf_of(job_store, job_id) == ("analysis/report.pdf", True)
    assert (job_store.get(job_id).pdf_generated_at - before).total_seconds() >= -1


def test_new_results_or_findings_take_the_pdf_of_the_old_report_with_them(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    for anew in (
        lambda: job_store.publish_deep_results(job_id, "run-1", RESULTS, "key"),
        lambda: job_store.publish_findings(job_id, "run-1", FINDINGS, RESULTS, "key"),
    ):
        publish_all(job_store, job_id, "run-1")
        anew()
        assert pdf_of(job_store, job_id) == (None, False)


def test_a_deep_job_without_its_pdf_is_not_done_and_the_missing_is_named(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_all(job_store, job_id, "run-1")
    forget_pdf(job_store, job_id)
    with pytest.raises(CricksyError, match="pdf_s3_key") as refused:
        job_store.complete(job_id, "run-1")
    assert refused.value.code == ErrorCode.GUARDRAIL_FAILED and job_store.get(job_id).status != "done"


def test_a_quick_job_has_no_report_on_paper_and_is_done_without(job_store):
    job_id = new_job(job_store, deep_enabled=False)
    job_store.claim(job_id, "run-1")
    publish_quick(job_store, job_id, "run-1")
    job_store.complete(job_id, "run-1")
    assert job_store.get(job_id).status == "done" and pdf_of(job_store, job_id) == (None, False)


def test_a_row_that_was_done_before_there_were_pdfs_stays_done_and_readable(job_store, local_store):
    job_id = done_job(job_store)
    forget_pdf(job_store, job_id)
    row = job_store.get(job_id)
    assert row.status == "done" and unreadable(read_job(row, local_store)) == []


def test_readers_keep_the_pdf_of_the_earlier_analysis_until_the_new_one_is_done_and_get_it_back_if_it_fails(job_store, local_store):
    job_id = done_job(job_store)
    first = job_store.get(job_id)
    job_store.claim(job_id, "run-2")
    job_store.publish_deep_results(job_id, "run-2", RESULTS, "key")
    assert pdf_of(job_store, job_id) == (None, False)
    shown = read_job(job_store.get(job_id), local_store)
    assert (shown.pdf_s3_key, shown.pdf_generated_at) == (first.pdf_s3_key, first.pdf_generated_at)
    job_store.fail(job_id, "run-2", ErrorCode.INTERNAL, "broken", "findings")
    after = job_store.get(job_id)
    assert (after.pdf_s3_key, after.pdf_generated_at) == (first.pdf_s3_key, first.pdf_generated_at)


def test_the_pdf_of_a_pass_that_a_guardrail_refused_is_not_shown(job_store, local_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_all(job_store, job_id, "run-1")
    job_store.fail(job_id, "run-1", ErrorCode.GUARDRAIL_FAILED, "a number", "report")
    assert read_job(job_store.get(job_id), local_store).pdf_s3_key is None
    assert job_store.get(job_id).pdf_s3_key == "analysis/report.pdf", "operators still find it"


def test_another_mode_takes_the_pdf_of_the_first_with_it(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_all(job_store, job_id, "run-1")
    job_store.fail(job_id, "run-1", ErrorCode.INTERNAL, "broken", "completed_analysis")
    job_store.requeue(job_id, analysis_mode="bowling")
    assert pdf_of(job_store, job_id) == (None, False)


def test_the_pdf_of_the_earlier_system_is_shown_where_its_row_says():
    row = VideoAnalysisJob(id="j1", s3_key=SOURCE_KEY, status="completed", pdf_s3_key="reports/2025/j1.pdf", attempt=0)
    assert row.shown_key(Output.REPORT_PDF) == "reports/2025/j1.pdf"
    assert row.shown_key(Output.REPORT_HTML).endswith("/analysis/j1/report.html")
    row.stored_objects = {"report.pdf": {"key": "analysis/j1/report.pdf", "sha256": "0"}}
    assert row.shown_key(Output.REPORT_PDF) == "analysis/j1/report.pdf", "what a stage recorded goes first"
