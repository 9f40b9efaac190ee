"""What is published is in the row, and no row is done with something missing, on a real PostgreSQL."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from cricksy_pipeline.errors import CricksyError, ErrorCode
from cricksy_pipeline.store.models import DEEP_ARTIFACTS, QUICK_ARTIFACTS
from cricksy_pipeline_tests.store.rows import FINDINGS, REPORT, RESULTS, done_job, new_job, publish_all, publish_quick


def test_the_operators_query_answers_for_a_done_row(job_store):
    job_id = done_job(job_store)
    query = (
        "SELECT id, status, stage, progress_pct, deep_findings IS NOT NULL AS has_findings, deep_report IS NOT NULL AS has_report, "
        f"deep_results_s3_key FROM video_analysis_jobs WHERE id = '{job_id}';"
    )
    with job_store.engine.connect() as connection:
        assert tuple(connection.execute(text(query)).one()) == (job_id, "done", "DONE", 100, True, True, "analysis/deep_results.json")


def test_documents_that_are_not_there_are_sql_null_and_not_the_json_text_null(job_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    columns = (*QUICK_ARTIFACTS, *DEEP_ARTIFACTS, "results")
    query = "SELECT " + ", ".join(f"{name} IS NULL" for name in columns) + " FROM video_analysis_jobs WHERE id = :id"
    with job_store.engine.connect() as connection:
        assert all(connection.execute(text(query), {"id": job_id}).one())


@pytest.mark.parametrize("lacking", QUICK_ARTIFACTS + DEEP_ARTIFACTS)
def test_a_row_without_one_of_its_artifacts_is_not_completed(job_store, lacking):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_all(job_store, job_id, "run-1")
    with job_store.engine.begin() as connection:
        connection.execute(text(f"UPDATE video_analysis_jobs SET {lacking} = NULL WHERE id = :id"), {"id": job_id})
    with pytest.raises(CricksyError, match=lacking) as caught:
        job_store.complete(job_id, "run-1")
    assert caught.value.code is ErrorCode.GUARDRAIL_FAILED
    assert job_store.get(job_id).status == "deep_running"


@pytest.mark.parametrize("lacking", QUICK_ARTIFACTS + DEEP_ARTIFACTS)
@pytest.mark.parametrize("instead", ["NULL", "empty"])
def test_the_database_itself_refuses_a_done_row_with_something_missing(job_store, lacking, instead):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_all(job_store, job_id, "run-1")
    value = "NULL" if instead == "NULL" else "''" if lacking.endswith("_key") else "'null'::json"
    statement = f"UPDATE video_analysis_jobs SET status = 'done', stage = 'DONE', progress_pct = 100, {lacking} = {value} WHERE id = :id"
    with pytest.raises(IntegrityError, match="done_is_whole"), job_store.engine.begin() as connection:
        connection.execute(text(statement), {"id": job_id})


@pytest.mark.parametrize("wrong", ["stage = NULL", "stage = 'DEEP'", "progress_pct = 99"])
def test_the_database_itself_refuses_a_done_row_in_another_state(job_store, wrong):
    job_id = done_job(job_store)
    with pytest.raises(IntegrityError, match="done_is_whole"), job_store.engine.begin() as connection:
        connection.execute(text(f"UPDATE video_analysis_jobs SET {wrong} WHERE id = :id"), {"id": job_id})


def test_a_quick_only_job_is_done_with_the_quick_artifacts_alone(job_store):
    job_id = new_job(job_store, deep_enabled=False)
    job_store.claim(job_id, "run-1")
    publish_quick(job_store, job_id, "run-1")
    job_store.complete(job_id, "run-1")
    row = job_store.get(job_id)
    assert (row.status, row.deep_findings, row.deep_completed_at) == ("done", None, None)
    assert row.quick_findings == row.quick_results["findings"] == FINDINGS


def test_findings_and_report_are_in_their_fields_and_in_the_results(job_store):
    row = job_store.get(done_job(job_store))
    assert row.deep_findings == row.deep_results["findings"] == FINDINGS
    assert row.deep_report == row.deep_results["report"] == REPORT
    assert row.deep_results["pose_summary"] == RESULTS["pose_summary"]


def test_new_deep_results_take_the_findings_of_the_old_ones_with_them(job_store):
    job_id = done_job(job_store)
    job_store.claim(job_id, "run-2")
    publish_quick(job_store, job_id, "run-2")
    job_store.publish_deep_results(job_id, "run-2", RESULTS, "analysis/deep_results.json")
    row = job_store.get(job_id)
    assert (row.deep_findings, row.deep_report) == (None, None)
    with pytest.raises(CricksyError, match="deep_findings, deep_report, pdf_s3_key missing"):
        job_store.complete(job_id, "run-2")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused_with_its_place(job_store, value):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    results = {"metrics": {"head": [{"score": 1.0}, {"score": value}]}}
    with pytest.raises(CricksyError, match=r"quick_results\.metrics\.head\[1\]\.score") as caught:
        job_store.publish_quick(job_id, "run-1", results, FINDINGS, REPORT, "key")
    assert caught.value.code is ErrorCode.GUARDRAIL_FAILED
    assert job_store.get(job_id).quick_results is None


@pytest.mark.parametrize("empty", [None, {}, []])
def test_an_empty_document_is_refused(job_store, empty):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    with pytest.raises(CricksyError, match="quick_findings"):
        job_store.publish_quick(job_id, "run-1", RESULTS, empty, REPORT, "key")


def test_a_row_that_gives_back_something_else_is_not_published(job_store):
    """A trigger stands for whatever changes a value on its way into the table."""
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    with job_store.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
                '$$ BEGIN NEW.quick_report = \'{"text": ""}\'; RETURN NEW; END $$'
            )
        )
        connection.execute(text("CREATE TRIGGER spoil BEFORE UPDATE ON video_analysis_jobs FOR EACH ROW EXECUTE FUNCTION spoil()"))
    with pytest.raises(CricksyError, match="another quick_report"):
        publish_quick(job_store, job_id, "run-1")
    assert job_store.get(job_id).status == "quick_running"
