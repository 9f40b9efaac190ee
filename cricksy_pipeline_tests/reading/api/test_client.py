"""A typed client, made of the published description, walks from a new session to the findings, against a live server."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import uvicorn

from cricksy_pipeline.reading.api.app import create_app
from cricksy_pipeline.store import multipart
from cricksy_pipeline.store.keys import Output, output_key
from cricksy_pipeline_tests.reading.api.test_api import finished
from cricksy_pipeline_tests.reading.api.test_uploads import PART, film
from cricksy_pipeline_tests.reading.signed_in import strict_access, token

DESCRIPTION = Path(__file__).parents[3] / "docs" / "openapi.json"
FILES = ("application/pdf", "application/vnd.apache.parquet", "video/mp4", "video/*", "*/*")
"""What the generator does not know to be bytes; as docs/api.md tells its reader."""


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The package `cricksy_client`, made of the committed description, which the generator takes without a word."""
    folder = tmp_path_factory.mktemp("client")
    config = {"post_hooks": [], "content_type_overrides": dict.fromkeys(FILES, "application/octet-stream")}
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(DESCRIPTION), "--meta", "none"]
    command += ["--output-path", str(folder / "cricksy_client"), "--config", str(folder / "config.json"), "--fail-on-warning"]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("cricksy_client")
    finally:
        sys.path.remove(str(folder))


@contextmanager
def live(app):
    """The address of a server of this app, in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def analyse(jobs, objects, job_id: str) -> dict:
    """What a run does to the row and the store, with the documents of a drive."""
    objects.put(output_key(jobs.get(job_id).s3_key, job_id, Output.REPORT_HTML), b"<!doctype html><title>the report</title>")
    return finished(jobs, job_id)


def api_of(generated, base: str) -> SimpleNamespace:
    """The operations by name, for the coach c1."""
    client = generated.AuthenticatedClient(base_url=base, token=token("c1"))
    tags = {
        "sessions": ("make_session", "get_session", "list_sessions", "change_session", "delete_session", "list_session_jobs"),
        "uploads": ("begin_upload", "get_upload", "complete_upload"),
        "analyses": ("get_job", "list_jobs"),
        "files": ("get_report_html", "get_video"),
    }

    def operation(tag: str, name: str):
        module = importlib.import_module(f"cricksy_client.api.{tag}.{name}")
        return lambda *args, **said: module.sync_detailed(*args, client=client, **said)

    found = {name: operation(tag, name) for tag, names in tags.items() for name in names}
    return SimpleNamespace(**found, models=importlib.import_module("cricksy_client.models"))


@pytest.mark.parametrize("store", ["folder", "bucket"])
def test_a_typed_client_walks_from_a_new_session_to_its_findings(request, generated, job_store, monkeypatch, store):
    monkeypatch.setattr(multipart, "LEAST_PART", PART)
    monkeypatch.setattr(multipart, "WHOLE_UP_TO", PART)
    objects = request.getfixturevalue("local_store" if store == "folder" else "s3_store")
    body = film(PART + 1000)
    with live(create_app(jobs=job_store, objects=objects, access=strict_access())) as base:
        api = api_of(generated, base)
        models = api.models
        session = api.make_session(body=models.NewSession(title="Tuesday nets", camera_view=models.CameraView.SIDE)).parsed
        assert isinstance(session, models.SessionRead) and session.latest_job is None

        asked = models.NewUpload(
            file_name="nets.mp4", size_bytes=len(body), analysis_mode=models.AnalysisMode.BATTING, session_id=session.id
        )
        upload = api.begin_upload(body=asked).parsed
        for part in upload.parts:
            piece = body[part.offset : part.offset + part.size]
            httpx.put(httpx.URL(base).join(part.url), content=piece, headers=upload.headers.additional_properties).raise_for_status()
        assert all(part.received for part in api.get_upload(upload.id).parsed.parts)
        assert api.complete_upload(upload.id).parsed.job.status is models.JobStatus.QUEUED

        deep = analyse(job_store, objects, upload.job_id)

        read = api.get_job(upload.job_id)
        assert isinstance(read.parsed, models.VideoAnalysisJobRead) and read.parsed.status is models.JobStatus.DONE
        assert read.parsed.deep_findings.additional_properties == deep["findings"] and read.parsed.missing_artifacts == []
        assert httpx.get(httpx.URL(base).join(read.parsed.video_stream.video_url), headers=signed(store)).content == body
        assert "the report" in api.get_report_html(upload.job_id).parsed
        assert api.get_video(upload.job_id).parsed.payload.read() == body
        events = httpx.get(f"{base}/api/coaches/plus/analysis-jobs/{upload.job_id}/events", headers=signed("folder")).text
        assert "event: finished" in events

        page = api.list_sessions(limit=1).parsed
        assert [(item.id, item.latest_job.status) for item in page.items] == [(session.id, models.JobStatus.DONE)]
        assert api.list_jobs(status=[models.JobStatus.DONE]).parsed.items[0].id == upload.job_id
        changed = api.change_session(session.id, body=models.SessionChange(title="Wednesday")).parsed
        assert changed.title == "Wednesday"
        assert api.delete_session(session.id).status_code == 204
        gone = api.get_job(upload.job_id)
        assert gone.status_code == 404 and isinstance(gone.parsed, models.Problem) and gone.parsed.code == "NOT_FOUND"


def signed(store: str) -> dict[str, str]:
    """A bucket's addresses are signed already, and refuse a second proof."""
    return {"Authorization": f"Bearer {token('c1')}"} if store == "folder" else {}
