"""What a reader gets, from rows of every age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cricksy_pipeline.errors import CODE_FACTS, ErrorCode
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead, read_job, unreadable
from cricksy_pipeline.store.models import JobStatus, VideoAnalysisJob
from cricksy_pipeline.store.objects import LocalObjectStore
from cricksy_pipeline_tests.store.rows import FINDINGS, REPORT, done_job, new_job, publish_all, publish_quick

DOCUMENT = st.none() | st.just({}) | st.fixed_dictionaries({}, optional={"findings": st.just(FINDINGS), "report": st.just(REPORT)})


def old_row(**values) -> VideoAnalysisJob:
    """A row of the earlier system: no value in any later column, not even the defaults."""
    made = VideoAnalysisJob(id="old", session_id="s", status=JobStatus.COMPLETED, s3_bucket="local", s3_key="a.mp4")
    made.created_at = made.updated_at = datetime(2025, 12, 1, tzinfo=UTC)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def test_a_done_row_reads_back_whole(job_store, local_store):
    read = read_job(job_store.get(done_job(job_store)), local_store)
    assert unreadable(read) == []
    assert (read.missing_artifacts, read.results_available, read.report_available) == ([], True, True)
    assert (read.deep_findings, read.deep_report, read.quick_findings, read.quick_report) == (FINDINGS, REPORT, FINDINGS, REPORT)
    assert read.retryable is False
    assert VideoAnalysisJobRead.model_validate_json(read.model_dump_json()) == read


def test_a_row_just_before_it_is_called_done_is_readable_already(job_store, local_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_all(job_store, job_id, "run-1")
    assert unreadable(read_job(job_store.get(job_id), local_store)) == []


def test_a_row_on_its_way_says_what_is_missing_and_shows_the_quick_pass(job_store, local_store):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    publish_quick(job_store, job_id, "run-1")
    read = read_job(job_store.get(job_id), local_store)
    assert read.missing_artifacts == ["deep_results", "deep_findings", "deep_report", "deep_results_s3_key"]
    assert (read.results_available, read.report_available, read.quick_report) == (True, True, REPORT)
    assert unreadable(read) == [f"{name} is missing" for name in read.missing_artifacts]


def test_a_quick_only_row_misses_nothing_of_the_deep_pass(job_store, local_store):
    job_id = new_job(job_store, deep_enabled=False)
    job_store.claim(job_id, "run-1")
    publish_quick(job_store, job_id, "run-1")
    job_store.complete(job_id, "run-1")
    assert unreadable(read_job(job_store.get(job_id), local_store)) == []


@pytest.mark.parametrize("code", ErrorCode)
def test_a_failed_row_may_be_tried_again_only_where_that_can_help(job_store, local_store, code):
    job_id = new_job(job_store)
    job_store.claim(job_id, "run-1")
    job_store.fail(job_id, "run-1", code, "It failed.", "frames")
    read = read_job(job_store.get(job_id), local_store)
    assert (read.retryable, read.error_code, read.failed_stage) == (CODE_FACTS[code].transient, code.value, "frames")
    assert f"the analysis failed: {code.value}" in unreadable(read)


def test_an_old_completed_row_renders_from_its_legacy_results(local_store):
    legacy = {"quick": {"findings": FINDINGS, "report": REPORT}, "deep": {"findings": FINDINGS, "report": REPORT}}
    read = read_job(old_row(results=legacy), local_store)
    assert unreadable(read) == []
    assert (read.deep_findings, read.quick_report, read.deep_enabled, read.sample_fps) == (FINDINGS, REPORT, True, 10)


def test_an_old_completed_row_renders_from_its_deep_results_alone(local_store):
    read = read_job(old_row(deep_results={"findings": FINDINGS, "report": REPORT}), local_store)
    assert unreadable(read) == []
    assert "quick_results" in read.missing_artifacts


def test_a_column_of_its_own_wins_over_the_results(local_store):
    newer = {**REPORT, "text": "Newer."}
    read = read_job(old_row(deep_results={"findings": FINDINGS, "report": REPORT}, deep_report=newer), local_store)
    assert read.deep_report == newer


def test_a_done_row_of_the_earlier_system_without_findings_and_report_is_not_called_readable(local_store):
    """The failure that this project exists to make impossible: done, and nothing to show."""
    row = old_row(status=JobStatus.DONE, stage="DONE", progress_pct=100, deep_results={"metrics": {"a": 1}})
    read = read_job(row, local_store)
    assert read.report_available is False
    assert {"deep_findings", "deep_report"} <= set(read.missing_artifacts)
    assert {"deep_findings is missing", "deep_report is missing"} <= set(unreadable(read))


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("deep_findings", {"overall_level": "low"}, "no list of findings"),
        ("deep_findings", {"findings": []}, "neither an overall_level nor a reason"),
        ("deep_report", {"text": "  "}, "no text"),
        ("stage", "DEEP", "at stage DEEP"),
    ],
)
def test_what_a_reader_cannot_render_is_named(job_store, local_store, column, value, reason):
    row = job_store.get(done_job(job_store))
    setattr(row, column, value)
    assert any(reason in said for said in unreadable(read_job(row, local_store)))


@given(DOCUMENT, DOCUMENT, DOCUMENT, DOCUMENT, st.sampled_from(JobStatus), st.sampled_from([None, True, False]))
def test_any_row_can_be_read_and_no_document_is_made_up(tmp_path_factory, quick, deep, findings, results, status, deep_enabled):
    store = LocalObjectStore(tmp_path_factory.getbasetemp() / "none")
    row = old_row(
        status=status, quick_results=quick, deep_results=deep, deep_findings=findings, results={"deep": results}, deep_enabled=deep_enabled
    )
    read = read_job(row, store)
    assert read.deep_report in (None, REPORT)
    assert all(getattr(read, name) is None or not name.endswith(("results", "findings", "report")) for name in read.missing_artifacts)
    if not unreadable(read):
        passname = "deep" if read.deep_enabled else "quick"
        assert all(getattr(read, f"{passname}_{part}") for part in ("results", "findings", "report"))


def test_s3_gives_the_reader_addresses(job_store, s3_store):
    session_id = job_store.create_session(owner_id="c1", title="Nets")
    job_id = job_store.create_job(session_id, "bowling", s3_store.bucket, "v/original.mp4")
    job_store.claim(job_id, "run-1")
    publish_all(job_store, job_id, "run-1")
    read = read_job(job_store.get(job_id), s3_store)
    assert "analysis/deep_results.json" in read.deep_results_url and "analysis/quick_results.json" in read.quick_results_url
    assert "v/original.mp4" in read.video_stream.video_url and read.video_stream.expires_in > 0


def test_a_folder_and_a_foreign_bucket_give_no_addresses(job_store, local_store, s3_store):
    row = job_store.get(done_job(job_store))
    for store in (local_store, s3_store):
        read = read_job(row, store)
        assert (read.deep_results_url, read.quick_results_url, read.video_stream) == (None, None, None)


def test_a_time_without_a_zone_is_utc_and_one_with_a_zone_is_the_same_moment(local_store):
    zone = timezone(timedelta(hours=5, minutes=30))
    read = read_job(old_row(started_at=datetime(2025, 1, 1, 10), completed_at=datetime(2025, 1, 1, 15, 30, tzinfo=zone)), local_store)
    assert read.started_at == read.completed_at == datetime(2025, 1, 1, 10, tzinfo=UTC)
