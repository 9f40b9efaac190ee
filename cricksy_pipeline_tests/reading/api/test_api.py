"""The API over a real database and a real folder: rows of every kind, files, errors."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.config import Config
from fastapi.testclient import TestClient
from sqlalchemy import text

from cricksy_pipeline.errors import ErrorCode
from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline.reading.api.files import SERVED
from cricksy_pipeline.reading.report.report_view import NO_FACES
from cricksy_pipeline.store.database import make_engine
from cricksy_pipeline.store.job_read import VideoAnalysisJobRead
from cricksy_pipeline.store.jobs import JobStore
from cricksy_pipeline.store.keys import Output, output_key
from cricksy_pipeline.store.objects import S3ObjectStore
from cricksy_pipeline_tests.reading.sample_documents import drive_results
from cricksy_pipeline_tests.reading.signed_in import bearer, strict_access

JOBS = "/api/coaches/plus/analysis-jobs"
KEY = "coach_plus/coach/c1/s1/v1/original.mp4"
RUN = "run-1"


@pytest.fixture
def queued(job_store, local_store) -> str:
    session_id = job_store.create_session(owner_id="c1", title="Tuesday nets")
    return job_store.create_job(session_id, "batting", local_store.bucket, KEY)


def published_quick(job_store, job_id: str) -> dict:
    results = drive_results(job_id, "quick").model_dump(mode="json")
    job_store.claim(job_id, RUN)
    job_store.publish_quick(job_id, RUN, results, results["findings"], results["report"], output_key(KEY, job_id, Output.QUICK_RESULTS))
    return results


def finished(job_store, job_id: str) -> dict:
    published_quick(job_store, job_id)
    results = drive_results(job_id).model_dump(mode="json")
    job_store.start_deep(job_id, RUN)
    job_store.publish_deep_results(job_id, RUN, results, output_key(KEY, job_id, Output.DEEP_RESULTS))
    job_store.publish_findings(job_id, RUN, results["findings"], results, output_key(KEY, job_id, Output.DEEP_RESULTS))
    keys = [output_key(KEY, job_id, output) for output in (Output.DEEP_RESULTS, Output.REPORT_PDF)]
    job_store.publish_report(job_id, RUN, results["report"], results, *keys)
    job_store.complete(job_id, RUN)
    return results


def read(client, job_id: str) -> dict:
    answer = client.get(f"{JOBS}/{job_id}")
    assert answer.status_code == 200, answer.text
    return VideoAnalysisJobRead.model_validate(answer.json()).model_dump(mode="json")


def problem(answer, status: int) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    body = answer.json()
    assert body["status"] == status and body["title"] and body["detail"]
    return body


def test_a_queued_job_is_read_with_nothing_in_it_yet(client, queued):
    row = read(client, queued)
    assert (row["status"], row["stage"], row["progress_pct"]) == ("queued", "QUEUED", 0)
    assert not row["results_available"] and not row["report_available"]


def test_a_running_job_shows_how_far_it_is(client, job_store, queued):
    job_store.claim(queued, RUN)
    job_store.progress(queued, RUN, 30)
    row = read(client, queued)
    assert (row["status"], row["progress_pct"], row["dagster_run_id"]) == ("quick_running", 30, RUN)


def test_after_the_quick_pass_its_findings_can_be_read_at_once(client, job_store, queued):
    results = published_quick(job_store, queued)
    row = read(client, queued)
    assert (row["status"], row["stage"], row["progress_pct"]) == ("quick_done", "QUICK_DONE", 50)
    assert row["quick_findings"] == results["findings"] and row["quick_report"] == results["report"]
    assert row["deep_findings"] is None and row["results_available"]


def test_a_done_job_gives_back_the_documents_that_were_published(client, job_store, queued):
    results = finished(job_store, queued)
    row = read(client, queued)
    assert (row["status"], row["stage"], row["progress_pct"]) == ("done", "DONE", 100)
    assert row["deep_findings"] == results["findings"] and row["deep_report"] == results["report"]
    assert row["deep_results"]["metrics"] == results["metrics"] and row["missing_artifacts"] == []


def test_a_failed_job_says_why_and_whether_to_try_again(client, job_store, queued):
    job_store.claim(queued, RUN)
    job_store.fail(queued, RUN, "POSE_CRASHED", "The pose process died.", "deep_results")
    row = read(client, queued)
    assert (row["status"], row["error_code"], row["error_message"]) == ("failed", "POSE_CRASHED", "The pose process died.")
    assert row["retryable"] and row["progress_pct"] <= 99


def test_a_row_of_the_earlier_system_is_read_from_its_results_alone(client, job_store, queued):
    old = {"findings": {"overall_level": "low", "findings": []}, "report": {"text": "Old words"}, "metrics": {}}
    with job_store.engine.begin() as connection:
        connection.execute(
            text("UPDATE video_analysis_jobs SET status='completed', analysis_mode=NULL, results=cast(:r AS json) WHERE id=:i"),
            {"r": json.dumps({"quick": None, "deep": old}), "i": queued},
        )
    row = read(client, queued)
    assert row["status"] == "completed" and row["analysis_mode"] is None
    assert row["deep_findings"] == old["findings"] and row["deep_report"] == old["report"] and row["report_available"]


def test_an_unknown_or_impossible_job_is_a_404_problem(client):
    for job_id in ("nobody-knows-it", "..", "%00", "a%2Fb", "x" * 500, "%E2%80%AE", "'; DROP TABLE video_analysis_jobs"):
        assert problem(client.get(f"{JOBS}/{job_id}"), 404)["code"] == "NOT_FOUND"
        problem(client.get(f"{JOBS}/{job_id}/report.html"), 404)


def test_a_failed_job_is_queued_again_by_a_retry(client, job_store, queued):
    job_store.fail_unclaimed(queued, ErrorCode.MODE_MISSING, "Nobody said what was filmed.")
    answer = client.post(f"{JOBS}/{queued}/retry", json={"analysis_mode": "bowling"})
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["analysis_mode"], answer.json()["error_code"]) == ("queued", "bowling", None)


def test_a_failed_job_is_analysed_again_with_what_is_said(client, job_store, queued):
    job_store.fail_unclaimed(queued, ErrorCode.INTERNAL, "oops")
    answer = client.post(f"{JOBS}/{queued}/analyses", json={"subject": 2, "slow_motion": 8})
    assert answer.status_code == 202 and answer.json()["status"] == "queued"
    assert job_store.get(queued).analysis_options == {"subject": 2, "slow_motion": 8.0}


REFUSED_OPTIONS = [
    ({"subject": 0}, "greater than or equal to 1"),
    ({"subject": 9}, "less than or equal to 8"),
    ({"subject": "2"}, "valid integer"),
    ({"subject": 1.5}, "integer"),
    ({"slow_motion": 0.5}, "greater than or equal to 1"),
    ({"slow_motion": "fast"}, "valid number"),
    ({"player": 2}, "not permitted"),
    ("two", "valid dictionary"),
]


def test_options_that_cannot_be_meant_are_refused_in_clear_words(client, job_store, queued):
    job_store.fail_unclaimed(queued, ErrorCode.INTERNAL, "oops")
    for said, words in REFUSED_OPTIONS:
        refused = problem(client.post(f"{JOBS}/{queued}/analyses", json=said), 422)
        assert words in refused["detail"] and refused["code"] == "REQUEST_INVALID", refused
    assert job_store.get(queued).status == "failed"


def test_a_job_on_its_way_is_not_analysed_again_beside_itself(client, queued):
    assert "queued" in problem(client.post(f"{JOBS}/{queued}/analyses", json={"subject": 1}), 409)["detail"]
    problem(client.post(f"{JOBS}/nosuchjob/analyses", json={"subject": 1}), 404)


def test_a_retry_of_what_did_not_fail_is_a_conflict_that_says_what_it_is(client, job_store, queued):
    answer = client.post(f"{JOBS}/{queued}/retry")
    assert answer.status_code == 409 and "queued" in answer.json()["detail"]
    assert client.post(f"{JOBS}/nosuchjob/retry").status_code == 404
    assert client.post(f"{JOBS}/{queued}/retry", json={"analysis_mode": "umpiring"}).status_code == 422


def test_while_a_done_job_is_analysed_anew_the_earlier_analysis_and_its_files_are_shown(client, job_store, local_store, queued):
    before = finished(job_store, queued)
    local_store.put(output_key(KEY, queued, Output.REPORT_HTML), b"<html>the earlier page</html>")
    job_store.claim(queued, "another run")
    job_store.publish_quick(queued, "another run", before, before["findings"], before["report"], "elsewhere/quick.json")
    job_store.publish_deep_results(queued, "another run", {**before, "findings": None}, "elsewhere.json")
    shown = read(client, queued)
    assert (shown["status"], shown["deep_findings"], shown["missing_artifacts"]) == ("quick_done", before["findings"], [])
    assert shown["deep_results"] == before


def test_the_report_page_is_served_as_stored_and_may_load_nothing(client, local_store, queued):
    page = "<!doctype html><title>Übung</title>".encode()
    local_store.put(output_key(KEY, queued, Output.REPORT_HTML), page, Output.REPORT_HTML.content_type)
    answer = client.get(f"{JOBS}/{queued}/report.html")
    assert answer.content == page and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"] and answer.headers["x-content-type-options"] == "nosniff"


def test_a_report_with_faces_is_not_handed_out_once_its_session_asks_for_none(client, job_store, local_store, queued):
    local_store.put(output_key(KEY, queued, Output.REPORT_HTML), b"<!doctype html>faces", Output.REPORT_HTML.content_type)
    local_store.put(output_key(KEY, queued, Output.REPORT_PDF), b"%PDF", Output.REPORT_PDF.content_type)
    addresses = [f"{JOBS}/{queued}/{name}" for name in ("report.html", "report.pdf", "files/report.html", "files/report.pdf")]
    assert [client.get(address).status_code for address in addresses] == [200] * 4
    client.patch(f"/api/coaches/plus/sessions/{job_store.get(queued).session_id}", json={"blur_faces": True})
    assert all("Analyse the video again" in problem(client.get(address), 404)["detail"] for address in addresses)
    local_store.put(output_key(KEY, queued, Output.REPORT_HTML), f"<!doctype html>{NO_FACES}".encode(), Output.REPORT_HTML.content_type)
    assert [client.get(address).status_code for address in addresses] == [200] * 4


def test_each_named_output_has_its_content_type_and_an_etag_that_saves_the_second_download(client, local_store, queued):
    for name, output in SERVED.items():
        if output is Output.OVERLAY:  # shown only as recorded: test_ranges
            continue
        local_store.put(output_key(KEY, queued, output), b"content of " + name.encode(), output.content_type)
        answer = client.get(f"{JOBS}/{queued}/files/{name}")
        assert answer.content == b"content of " + name.encode() and answer.headers["content-type"] == output.content_type
        again = client.get(f"{JOBS}/{queued}/files/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == answer.headers["etag"]
        local_store.put(output_key(KEY, queued, output), b"other content", output.content_type)
        assert client.get(f"{JOBS}/{queued}/files/{name}", headers={"If-None-Match": answer.headers["etag"]}).content == b"other content"


def test_no_path_in_a_request_reaches_the_store(client, local_store, queued):
    local_store.put(KEY, b"the upload")
    local_store.put(output_key(KEY, queued, Output.FINDINGS), b"{}")
    for name in ("original.mp4", "..%2F..%2F..%2Foriginal.mp4", "%2e%2e/%2e%2e/original.mp4", "findings.json%00", "FINDINGS.JSON", ""):
        answer = client.get(f"{JOBS}/{queued}/files/{name}")
        problem(answer, 404)
        assert b"the upload" not in answer.content


def test_a_file_that_is_not_there_yet_is_a_404_problem_that_says_so(client, queued):
    assert "metrics.png" in problem(client.get(f"{JOBS}/{queued}/files/metrics.png"), 404)["detail"]


def test_an_old_row_whose_key_no_store_accepts_has_no_files(client, job_store, queued):
    with job_store.engine.begin() as connection:
        connection.execute(text("UPDATE video_analysis_jobs SET s3_key='../../etc/passwd' WHERE id=:i"), {"i": queued})
    problem(client.get(f"{JOBS}/{queued}/files/findings.json"), 404)


def test_an_unknown_address_and_a_wrong_method_are_problems_too(client, queued):
    problem(client.get("/nowhere"), 404)
    problem(client.delete(f"{JOBS}/{queued}"), 405)


def test_health_is_ok_while_database_and_store_answer(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200 and answer.json() == {"database": "ok", "store": "ok"}


def test_a_database_that_does_not_answer_is_a_503_that_names_no_host(local_store):
    engine = make_engine("postgresql://someone:secret@127.0.0.1:1/nothing")
    app = create_app(jobs=JobStore(engine), objects=local_store, access=strict_access())
    with TestClient(app, raise_server_exceptions=False, headers=bearer("c1")) as client:
        answer = client.get(f"{JOBS}/any")
        body = problem(answer, 503)
        health = client.get("/healthz")
    assert body["code"] == "DATABASE_UNAVAILABLE" and body["retryable"] and answer.headers["retry-after"]
    assert "127.0.0.1" not in answer.text and "secret" not in answer.text
    assert health.status_code == 503 and health.json() == {"database": "DATABASE_UNAVAILABLE", "store": "ok"}


def test_a_store_that_does_not_answer_is_a_503(job_store, queued):
    dead = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(connect_timeout=1, retries={"max_attempts": 0}),
    )
    app = create_app(jobs=job_store, objects=S3ObjectStore(dead, "bucket"), access=strict_access())
    with TestClient(app, raise_server_exceptions=False, headers=bearer("c1")) as client:
        answer = client.get(f"{JOBS}/{queued}/files/findings.json")
        body, health = problem(answer, 503), client.get("/healthz")
    assert body["code"] == "STORE_UNAVAILABLE" and body["retryable"] and "127.0.0.1" not in answer.text
    assert health.status_code == 503 and health.json() == {"database": "ok", "store": "STORE_UNAVAILABLE"}


def test_files_and_health_work_over_s3_as_over_a_folder(job_store, s3_store, queued):
    s3_store.put(output_key(KEY, queued, Output.FINDINGS), b"{}", Output.FINDINGS.content_type)
    with TestClient(create_app(jobs=job_store, objects=s3_store, access=strict_access()), headers=bearer("c1")) as client:
        answer = client.get(f"{JOBS}/{queued}/files/findings.json")
        assert answer.json() == {} and answer.headers["etag"].count('"') == 2
        assert client.get(f"{JOBS}/{queued}/files/findings.json", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        assert client.get(f"{JOBS}/{queued}/files/report.json").status_code == 404
        assert client.get("/healthz").json() == {"database": "ok", "store": "ok"}


def test_a_fault_of_ours_is_a_500_that_tells_the_caller_nothing_of_the_inside(client, job_store, queued):
    with job_store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE video_analysis_jobs RENAME COLUMN stage TO stage_gone"))
    answer = client.get(f"{JOBS}/{queued}")
    assert problem(answer, 500)["code"] == "INTERNAL" and "stage" not in answer.text


def test_the_published_description_names_the_read_model(client):
    described = client.get("/openapi.json").json()
    assert "VideoAnalysisJobRead" in described["components"]["schemas"]
    assert set(described["paths"]) >= {
        f"{JOBS}/{{job_id}}",
        f"{JOBS}/{{job_id}}/report.html",
        f"{JOBS}/{{job_id}}/files/{{name}}",
        "/healthz",
    }
